"""What stands in a telegram: OBIS codes, the fields they are, and how they are written.

    1-0:1.8.1(001581.123*kWh)     code and one value with its unit
    0-1:24.2.1(161129200000W)(00981.443*m3)   of a meter on M-Bus channel 1, with the time of its value

The code stands for itself whatever comes before its colon, but for channels: there `0-1` to `0-9` is which. Units of
a thousand or a thousandth become the field's own. What is not listed here is read over: names and numbers of meters
(they lead to people), the log of power failures, settings.

Fields are named by what flows to whom: import is what is taken from the mains.

Source: DSMR P1 companion standard 5.0.2, 6.12; Fluvius e-MUCS P1 1.7.1; Luxembourg's Smarty P1 1.1.3; Swedish
"Branschrekommendation" for H1 1.3; E.ON Hungary, P1 interface, 2023-02-10; EasyMeter Q3D manual, D0.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from devices.spec.field import Field

KILO: Mapping[str, Mapping[str, float]] = {
    "kW.h": {"kWh": 1, "Wh": 0.001, "MWh": 1000},
    "kvar.h": {"kvarh": 1, "varh": 0.001, "kVArh": 1, "VArh": 0.001},
    "kV.A.h": {"kVAh": 1, "VAh": 0.001},
    "kW": {"kW": 1, "W": 0.001},
    "kvar": {"kvar": 1, "var": 0.001, "kVAr": 1, "VAr": 0.001},
    "kV.A": {"kVA": 1, "VA": 0.001},
    "V": {"V": 1},
    "A": {"A": 1},
    "Hz": {"Hz": 1},
    "m3": {"m3": 1, "dm3": 0.001, "l": 0.001, "L": 0.001},
    "GJ": {"GJ": 1, "MJ": 0.001},
    "1": {"": 1},
}
"""Units as they are written, and how many of the field's own unit each is."""


@dataclass(frozen=True, slots=True)
class Row:
    """A field, and `digits` before and behind the point as a meter writes it, behind `prefix` and a colon."""

    code: str
    field: Field
    digits: tuple[int, int]
    prefix: str = "1-0"


def _field(name: str, unit: str, words: str, most: float, step: float) -> Field:
    return Field(name, unit, words, minimum=0, maximum=most, step=step, optional=True)


def _energy(code: str, name: str, words: str, unit: str = "kW.h", suffix: str = "kwh") -> Row:
    return Row(code, _field(f"{name}_{suffix}", unit, words, 99_999_999.999, 0.001), (6, 3))


def _power(code: str, name: str, words: str, unit: str = "kW", suffix: str = "kw") -> Row:
    return Row(code, _field(f"{name}_{suffix}", unit, words, 9_999_999.999, 0.001), (2, 3))


def _reactive_energy(code: str, name: str, words: str) -> Row:
    return _energy(code, name, words, "kvar.h", "kvarh")


def _reactive_power(code: str, name: str, words: str) -> Row:
    return _power(code, name, words, "kvar", "kvar")


def _count(code: str, name: str, words: str, prefix: str = "1-0", most: int = 99_999, digits: int = 5) -> Row:
    field = Field(name, "1", words, kind="counter", minimum=0, maximum=most, step=1, optional=True)
    return Row(code, field, (digits, 0), prefix)


def _phase(phase: int) -> tuple[Row, ...]:
    """What is said of one phase; its codes are 20 above those of the phase before."""
    up = 20 * phase
    end, words = f"_l{phase}", f"of phase {phase}"
    return (
        Row(
            f"{12 + up}.7.0",
            _field(f"voltage{end}_v", "V", f"Voltage {words}", 9999.9, 0.1),
            (4, 1),
        ),
        Row(f"{11 + up}.7.0", _field(f"current{end}_a", "A", f"Current {words}", 9999.99, 0.01), (3, 2)),
        _power(f"{1 + up}.7.0", f"power_import{end}", f"Active power taken {words}"),
        _power(f"{2 + up}.7.0", f"power_export{end}", f"Active power given {words}"),
        _reactive_power(f"{3 + up}.7.0", f"reactive_power_import{end}", f"Reactive power taken {words}"),
        _reactive_power(f"{4 + up}.7.0", f"reactive_power_export{end}", f"Reactive power given {words}"),
        Row(f"{13 + up}.7.0", _field(f"power_factor{end}", "1", f"Power factor {words}", 9.999, 0.001), (1, 3)),
        Row(
            f"{11 + up}.4.0",
            _field(f"current_limit{end}_a", "A", f"Current at which phase {phase} is cut off", 9999.99, 0.01),
            (3, 2),
        ),
        _count(f"{12 + up}.32.0", f"voltage_sags{end}", f"Times the voltage {words} was low"),
        _count(f"{12 + up}.36.0", f"voltage_swells{end}", f"Times the voltage {words} was high"),
    )


TARIFFS = range(1, 5)
ROWS: tuple[Row, ...] = (
    _energy("1.8.0", "energy_import", "Active energy taken"),
    *(_energy(f"1.8.{n}", f"energy_import_t{n}", f"Active energy taken in tariff {n}") for n in TARIFFS),
    _energy("2.8.0", "energy_export", "Active energy given"),
    *(_energy(f"2.8.{n}", f"energy_export_t{n}", f"Active energy given in tariff {n}") for n in TARIFFS),
    _energy("15.8.0", "energy_combined", "Active energy taken and given"),
    _power("1.7.0", "power_import", "Active power taken now"),
    _power("2.7.0", "power_export", "Active power given now"),
    _power("15.7.0", "power_combined", "Active power now, whichever way"),
    *(row for phase in (1, 2, 3) for row in _phase(phase)),
    Row("91.7.0", _field("current_neutral_a", "A", "Current of the neutral", 9999.99, 0.01), (3, 2)),
    _reactive_energy("3.8.0", "reactive_energy_import", "Reactive energy taken"),
    *(
        _reactive_energy(f"3.8.{n}", f"reactive_energy_import_t{n}", f"Reactive energy taken, tariff {n}")
        for n in (1, 2)
    ),
    _reactive_energy("4.8.0", "reactive_energy_export", "Reactive energy given"),
    *(
        _reactive_energy(f"4.8.{n}", f"reactive_energy_export_t{n}", f"Reactive energy given, tariff {n}")
        for n in (1, 2)
    ),
    *(_reactive_energy(f"{4 + n}.8.0", f"reactive_energy_q{n}", f"Reactive energy, quadrant {n}") for n in TARIFFS),
    _energy("9.8.0", "apparent_energy_import", "Apparent energy taken", "kV.A.h", "kvah"),
    _energy("10.8.0", "apparent_energy_export", "Apparent energy given", "kV.A.h", "kvah"),
    _reactive_power("3.7.0", "reactive_power_import", "Reactive power taken now"),
    _reactive_power("4.7.0", "reactive_power_export", "Reactive power given now"),
    *(_reactive_power(f"{4 + n}.7.0", f"reactive_power_q{n}", f"Reactive power now, quadrant {n}") for n in TARIFFS),
    _power("9.7.0", "apparent_power_import", "Apparent power taken now", "kV.A", "kva"),
    _power("10.7.0", "apparent_power_export", "Apparent power given now", "kV.A", "kva"),
    Row("13.7.0", _field("power_factor", "1", "Power factor of all phases", 9.999, 0.001), (1, 3)),
    Row("14.7.0", _field("mains_frequency_hz", "Hz", "Frequency of the mains", 999.99, 0.01), (2, 2)),
    _count("96.14.0", "tariff", "The tariff that counts now", "0-0", 9999, 4),
    _power("1.4.0", "demand", "Mean power taken in this quarter of an hour, up to now"),
    _power("1.6.0", "demand_max", "Highest quarter of an hour of this month"),
    Row("17.0.0", _field("power_limit_kw", "kW", "Power at which the meter cuts off", 9999.999, 0.001), (2, 3), "0-0"),
    Row("17.0.0", _field("current_limit_a", "A", "Current at which the meter cuts off", 9999.99, 0.01), (3, 2), "0-0"),
    Row(
        "17.0.0",
        _field("apparent_power_limit_kva", "kV.A", "Apparent power at which the meter cuts off", 9999.999, 0.001),
        (3, 3),
        "0-0",
    ),
    _count("96.3.10", "breaker_position", "Position of the breaker: 0 off, 1 on, 2 ready", "0-0", 9, 1),
    _count("96.7.21", "power_failures", "Power failures of any phase", "0-0"),
    _count("96.7.9", "long_power_failures", "Long power failures of any phase", "0-0"),
)
"""In the order in which a telegram is written."""

HISTORY = tuple(
    Field(
        f"demand_max_past_{n}_kw",
        "kW",
        f"Highest quarter of an hour of a past month, number {n} of those that the meter keeps",
        minimum=0,
        maximum=99_999.999,
        step=0.001,
        optional=True,
        panel=False,
    )
    for n in range(1, 14)
)

TEXTS: Mapping[str, Field] = {
    "0.2.8": Field("version", "1", "Version of the protocol", kind="text", optional=True, panel=False),
    "96.1.4": Field("version_be", "1", "Version of the protocol, Belgium", kind="text", optional=True, panel=False),
    "96.5.5": Field("meter_state", "1", "State of the meter, in hex", kind="text", optional=True, panel=False),
    "96.13.1": Field("message_code", "1", "Code of the operator's message", kind="text", optional=True, panel=False),
    "96.13.0": Field("message", "1", "Message of the operator", kind="text", optional=True, panel=False),
}

MEDIA: Mapping[int, str] = {
    2: "electricity", 3: "gas", 4: "heat", 5: "steam", 6: "warm_water", 7: "water", 8: "heat_cost", 9: "air",
    10: "cooling", 11: "cooling", 12: "heat", 13: "heat", 21: "hot_water", 22: "cold_water",
}  # fmt: skip
"""What a meter on a channel measures, by the number of its medium (EN 13757-3)."""
OTHER = "other"
UNITS: Mapping[str, tuple[str, float]] = {"m3": ("m3", 0.001), "GJ": ("gj", 0.001), "kW.h": ("kwh", 0.001)}
"""Units of meters on channels, with the ending of the field and its step."""


def channel_field(medium: str, unit: str) -> Field:
    suffix, step = UNITS[unit]
    words = f"{medium.replace('_', ' ').capitalize()} used, at the meter's own time"
    return _field(f"{medium}_{suffix}", unit, words, 99_999_999.999, step)


CHANNELS: tuple[Field, ...] = (
    channel_field("gas", "m3"),
    channel_field("water", "m3"),
    channel_field("warm_water", "m3"),
    channel_field("hot_water", "m3"),
    channel_field("cold_water", "m3"),
    channel_field("heat", "GJ"),
    channel_field("heat", "kW.h"),
    channel_field("heat", "m3"),
    channel_field("cooling", "GJ"),
    channel_field("cooling", "kW.h"),
    channel_field("steam", "m3"),
    channel_field("electricity", "kW.h"),
    channel_field(OTHER, "m3"),
    channel_field(OTHER, "GJ"),
    channel_field(OTHER, "kW.h"),
)
VALVE = Field(
    "valve_position", "1", "Position of the meter's valve", kind="counter", minimum=0, maximum=9, step=1, optional=True
)
