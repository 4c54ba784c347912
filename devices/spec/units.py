"""Units, as UCUM codes, with the suffix a field name carries and the symbol people read.

Source of the codes: The Unified Code for Units of Measure, version 2.1.
A field's name ends in the suffix of its unit (`temperature_c`); units without a suffix
(dimensionless states, counts, texts) put nothing behind the quantity.
"""

import re
from dataclasses import dataclass
from functools import cache

_POWER = re.compile(r"[⋅·]?([^\W\d_]+)⁻([¹²³])")


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit: `ucum` code, `suffix` for field names (may be empty), `symbol` for people."""

    ucum: str
    suffix: str
    symbol: str


UNITS: dict[str, Unit] = {
    unit.ucum: unit
    for unit in (
        Unit("1", "", ""),
        Unit("%", "pct", "%"),
        Unit("Cel", "c", "°C"),
        Unit("[degF]", "f", "°F"),
        Unit("K", "k", "K"),
        Unit("ug/m3", "ug_m3", "µg/m³"),
        Unit("mg/m3", "mg_m3", "mg/m³"),
        Unit("/m3", "per_m3", "/m³"),
        Unit("/cm3", "per_cm3", "/cm³"),
        Unit("/dL", "per_dl", "/0.1 L"),
        Unit("[ppm]", "ppm", "ppm"),
        Unit("[ppb]", "ppb", "ppb"),
        Unit("V", "v", "V"),
        Unit("mV", "mv", "mV"),
        Unit("A", "a", "A"),
        Unit("A.h", "ah", "Ah"),
        Unit("mA", "ma", "mA"),
        Unit("mA.h", "mah", "mAh"),
        Unit("W", "w", "W"),
        Unit("V.A", "va", "VA"),
        Unit("kV.A", "kva", "kVA"),
        Unit("var", "var", "var"),
        Unit("kvar", "kvar", "kvar"),
        Unit("kW", "kw", "kW"),
        Unit("MW", "megaw", "MW"),
        Unit("Ohm", "ohm", "Ω"),
        Unit("kOhm", "kohm", "kΩ"),
        Unit("W/m2", "w_m2", "W/m²"),
        Unit("W.h", "wh", "Wh"),
        Unit("W.min", "w_min", "W·min"),
        Unit("kW.h", "kwh", "kWh"),
        Unit("MW.h", "megawh", "MWh"),
        Unit("V.A.h", "vah", "VAh"),
        Unit("kV.A.h", "kvah", "kVAh"),
        Unit("kvar.h", "kvarh", "kvarh"),
        Unit("var.h", "varh", "varh"),
        Unit("J", "j", "J"),
        Unit("MJ", "megaj", "MJ"),
        Unit("GJ", "gj", "GJ"),
        Unit("kJ", "kj", "kJ"),
        Unit("Hz", "hz", "Hz"),
        Unit("kHz", "khz", "kHz"),
        Unit("Pa", "pa", "Pa"),
        Unit("hPa", "hpa", "hPa"),
        Unit("kPa", "kpa", "kPa"),
        Unit("[psi]", "psi", "psi"),
        Unit("[in_i'Hg]", "inhg", "inHg"),
        Unit("bar", "bar", "bar"),
        Unit("cbar", "cb", "cbar"),
        Unit("mm[Hg]", "mmhg", "mmHg"),
        Unit("lx", "lx", "lx"),
        Unit("deg", "deg", "°"),
        Unit("deg/min", "deg_min", "°/min"),
        Unit("deg/s", "deg_s", "°/s"),
        Unit("rad", "rad", "rad"),
        Unit("rad/s", "rad_s", "rad/s"),
        Unit("m", "m", "m"),
        Unit("cm", "cm", "cm"),
        Unit("mm", "mm", "mm"),
        Unit("um", "um", "µm"),
        Unit("mm/h", "mm_h", "mm/h"),
        Unit("km", "km", "km"),
        Unit("[in_i]/h", "in_h", "in/h"),
        Unit("[in_i]", "in", "in"),
        Unit("[ft_i]", "ft", "ft"),
        Unit("[sft_i]", "sqft", "ft²"),
        Unit("[fth_i]", "fathoms", "fath"),
        Unit("[nmi_i]", "nmi", "NM"),
        Unit("m/s", "m_s", "m/s"),
        Unit("km/h", "km_h", "km/h"),
        Unit("[mi_i]/h", "mph", "mph"),
        Unit("[ft_i]/s", "ft_s", "ft/s"),
        Unit("[yd_i]/s", "yd_s", "yd/s"),
        Unit("[kn_i]", "kn", "kn"),
        Unit("m/s2", "m_s2", "m/s²"),
        Unit("[g]", "gn", "gₙ"),
        Unit("s", "s", "s"),
        Unit("ms", "ms", "ms"),
        Unit("us", "us", "µs"),
        Unit("ns", "ns", "ns"),
        Unit("ns/s", "ns_s", "ns/s"),
        Unit("min", "min", "min"),
        Unit("/min", "bpm", "/min"),
        Unit("{rev}/min", "rpm", "rpm"),
        Unit("g", "g", "g"),
        Unit("kg", "kg", "kg"),
        Unit("[lb_av]", "lb", "lb"),
        Unit("kg/m2", "kg_m2", "kg/m²"),
        Unit("mg/kg", "mg_kg", "mg/kg"),
        Unit("L", "l", "L"),
        Unit("L/min", "l_min", "L/min"),
        Unit("m3", "m3", "m³"),
        Unit("m3/h", "m3_h", "m³/h"),
        Unit("mg/L", "mg_l", "mg/L"),
        Unit("mg/dL", "mg_dl", "mg/dL"),
        Unit("mmol/L", "mmol_l", "mmol/L"),
        Unit("uT", "ut", "µT"),
        Unit("dB", "db", "dB"),
        Unit("dB[A]", "dba", "dB(A)"),
        Unit("dBm", "dbm", "dBm"),
        Unit("dB.Hz", "db_hz", "dB-Hz"),
        Unit("[pH]", "ph", "pH"),
        Unit("uS/cm", "us_cm", "µS/cm"),
        Unit("mS/m", "ms_m", "mS/m"),
        Unit("mS/cm", "ms_cm", "mS/cm"),
        Unit("By", "bytes", "B"),
    )
}

_SPELLINGS: dict[str, tuple[str, ...]] = {
    "%": ("%RH", "%rh", "% RH", "RH", "rh", "percent", "Prozent"),
    "Cel": ("C", "degC", "deg C", "° C", "ºC", "℃", "'C", "celsius", "Celsius", "oC", "grad C"),
    "[degF]": ("F", "degF", "deg F", "° F", "ºF", "℉", "fahrenheit", "Fahrenheit"),
    "K": ("kelvin", "Kelvin"),
    "ug/m3": ("µg/m3", "μg/m3", "μg/m³", "ug/m³", "ug/m^3", "µg/m^3", "ugm3"),
    "mg/m3": ("mg/m^3",),
    "[ppm]": ("PPM",),
    "[ppb]": ("PPB",),
    "V.A": ("va",),
    "var": ("VAr", "VAR"),
    "kvar": ("kVAr", "kVAR"),
    "kvar.h": ("kVArh", "kVARh"),
    "var.h": ("VArh", "VARh"),
    "[psi]": ("PSI",),
    "m3": ("m^3",),
    "m3/h": ("m^3/h",),
    "V": ("volt", "Volt", "volts"),
    "mV": ("millivolt",),
    "A": ("amp", "Amp", "amps", "ampere"),
    "W": ("watt", "Watt", "watts"),
    "Ohm": ("ohm", "ohms", "Ohms", "Ω"),
    "Hz": ("hz", "HZ"),
    "Pa": ("PA",),
    "hPa": ("HPA", "mbar", "mBar", "mb"),
    "bar": ("Bar",),
    "lx": ("lux", "Lux", "LUX"),
    "deg": ("degrees", "degree"),
    "m": ("metre", "meter", "metres", "meters"),
    "s": ("sec", "secs", "seconds"),
    "ms": ("msec", "millis"),
    "us": ("μs", "usec"),
    "min": ("mins", "minutes"),
    "/min": ("bpm", "BPM"),
    "{rev}/min": ("RPM", "rev/min", "r/min", "U/min"),
    "L": ("l", "litre", "liter"),
    "L/min": ("l/min",),
    "mg/L": ("mg/l",),
    "dB[A]": ("dBA", "dba"),
    "dB": ("db",),
    "dBm": ("dbm", "DBM"),
    "[pH]": ("ph", "PH"),
    "uS/cm": ("μS/cm", "us/cm"),
    "km/h": ("kmh", "kph"),
    "m/s": ("mps",),
    "W/m2": ("W/m^2",),
    "m/s2": ("m/s^2",),
    "By": ("byte", "bytes"),
}
"""How else people and boards write a unit, beside its code and its symbol."""


@cache
def spellings(ucum: str) -> frozenset[str]:
    """Every way to write a unit. KeyError for a code that is not known."""
    unit = UNITS[ucum]
    return frozenset(word for word in (ucum, unit.symbol, *_SPELLINGS.get(ucum, ())) if word)


@cache
def _by_spelling() -> dict[str, str]:
    return {word: ucum for ucum in UNITS if ucum != "1" for word in spellings(ucum)}


def spelled(text: str) -> str | None:
    """The UCUM code of a unit as people and boards write it: `°C`, `C`, `ug/m^3`, `m⋅s⁻¹`; None if it is not known."""
    found = _by_spelling().get(text.strip())
    return found if found is not None or "⁻" not in text else _by_spelling().get(_slashed(text.strip()))


def _slashed(text: str) -> str:
    """A unit with negative powers, as it is with a slash: `W⋅m⁻²` is `W/m2`."""
    return _POWER.sub(lambda match: "/" + match[1] + {"¹": "", "²": "2", "³": "3"}[match[2]], text)


_IN_WORDS = {
    **dict.fromkeys(("hours", "hour", "hrs", "hr"), "h"),
    **dict.fromkeys(("minutes", "minute", "mins"), "min"),
    **dict.fromkeys(("seconds", "second", "secs", "sec"), "s"),
    **dict.fromkeys(("days", "day"), "d"),
    **dict.fromkeys(("liters", "liter", "litres", "litre", "l"), "L"),
}
_WORDS = re.compile(rf"(?<![A-Za-z])({'|'.join(_IN_WORDS)})(?![A-Za-z])", re.I)
"""What stands in words within a unit of several parts."""


def near_unit(text: str) -> str | None:
    """The UCUM code that was probably meant by what is none."""
    found = spelled(text)
    if found is not None:
        return found
    lower = {ucum.lower(): ucum for ucum in UNITS}
    suffixes = {unit.suffix: unit.ucum for unit in UNITS.values() if unit.suffix}
    found = lower.get(text.lower()) or suffixes.get(text.lower())
    if found is not None:
        return found
    written = _WORDS.sub(lambda match: _IN_WORDS[match[1].lower()], text)
    return None if written == text else spelled(written) or lower.get(written.lower())
