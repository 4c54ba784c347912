"""Smart meters against dsmr_parser: the same telegrams, random values of every one of its specifications."""

import random
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from dsmr_parser import telegram_specifications as specifications
from dsmr_parser.exceptions import InvalidChecksumError
from dsmr_parser.parsers import TelegramParser
from hypothesis import HealthCheck, given, settings

from devices.p1.family import encode
from devices.spec.events import Event, IntegrityError, Reading
from tests.device_types import BUILT_IN
from tests.devices.readings import readings

PHASES = (1, 2, 3)
NAMES = {
    **{f"ELECTRICITY_USED_TARIFF_{n}": (f"energy_import_t{n}_kwh", "kWh") for n in (1, 2, 3, 4)},
    **{f"ELECTRICITY_DELIVERED_TARIFF_{n}": (f"energy_export_t{n}_kwh", "kWh") for n in (1, 2, 3, 4)},
    "ELECTRICITY_IMPORTED_TOTAL": ("energy_import_kwh", "kWh"),
    "ELECTRICITY_EXPORTED_TOTAL": ("energy_export_kwh", "kWh"),
    "ELECTRICITY_COMBINED": ("energy_combined_kwh", "kWh"),
    "ELECTRICITY_REACTIVE_IMPORTED_TOTAL": ("reactive_energy_import_kvarh", "kvarh"),
    "ELECTRICITY_REACTIVE_EXPORTED_TOTAL": ("reactive_energy_export_kvarh", "kvarh"),
    **{f"ELECTRICITY_REACTIVE_IMPORTED_TARIFF_{n}": (f"reactive_energy_import_t{n}_kvarh", "varh") for n in (1, 2)},
    **{f"ELECTRICITY_REACTIVE_EXPORTED_TARIFF_{n}": (f"reactive_energy_export_t{n}_kvarh", "varh") for n in (1, 2)},
    **{f"ELECTRICITY_REACTIVE_TOTAL_Q{n}": (f"reactive_energy_q{n}_kvarh", "kvarh") for n in (1, 2, 3, 4)},
    **{f"INSTANTANEOUS_REACTIVE_POWER_Q{n}": (f"reactive_power_q{n}_kvar", "kvar") for n in (1, 2, 3, 4)},
    "CURRENT_REACTIVE_IMPORTED": ("reactive_power_import_kvar", "var"),
    "CURRENT_REACTIVE_EXPORTED": ("reactive_power_export_kvar", "var"),
    "CURRENT_ELECTRICITY_USAGE": ("power_import_kw", "kW"),
    "CURRENT_ELECTRICITY_DELIVERY": ("power_export_kw", "kW"),
    "MSN_INSTANTANEOUS_APPARENT_POWER_POSITIVE": ("apparent_power_import_kva", "kVA"),
    "MSN_INSTANTANEOUS_APPARENT_POWER_NEGATIVE": ("apparent_power_export_kva", "kVA"),
    **{f"INSTANTANEOUS_ACTIVE_POWER_L{n}_POSITIVE": (f"power_import_l{n}_kw", "kW") for n in PHASES},
    **{f"INSTANTANEOUS_ACTIVE_POWER_L{n}_NEGATIVE": (f"power_export_l{n}_kw", "kW") for n in PHASES},
    **{f"INSTANTANEOUS_REACTIVE_POWER_L{n}_POSITIVE": (f"reactive_power_import_l{n}_kvar", "kvar") for n in PHASES},
    **{f"INSTANTANEOUS_REACTIVE_POWER_L{n}_NEGATIVE": (f"reactive_power_export_l{n}_kvar", "kvar") for n in PHASES},
    **{f"INSTANTANEOUS_VOLTAGE_L{n}": (f"voltage_l{n}_v", "V") for n in PHASES},
    **{f"INSTANTANEOUS_CURRENT_L{n}": (f"current_l{n}_a", "A") for n in PHASES},
    **{f"FUSE_THRESHOLD_L{n}": (f"current_limit_l{n}_a", "A") for n in PHASES},
    **{f"INSTANTANEOUS_POWER_FACTOR_L{n}": (f"power_factor_l{n}", "") for n in PHASES},
    "INSTANTANEOUS_POWER_FACTOR_TOTAL": ("power_factor", ""),
    "FREQUENCY": ("mains_frequency_hz", "Hz"),
    "ACTUAL_TRESHOLD_ELECTRICITY": ("power_limit_kw", "kW"),
    "BELGIUM_CURRENT_AVERAGE_DEMAND": ("demand_kw", "kW"),
    "ACTUAL_SWITCH_POSITION": ("breaker_position", "digit"),
    "ELECTRICITY_ACTIVE_TARIFF": ("tariff", "digits"),
    "SHORT_POWER_FAILURE_COUNT": ("power_failures", "count"),
    "LONG_POWER_FAILURE_COUNT": ("long_power_failures", "count"),
    **{f"VOLTAGE_SAG_L{n}_COUNT": (f"voltage_sags_l{n}", "count") for n in PHASES},
    **{f"VOLTAGE_SWELL_L{n}_COUNT": (f"voltage_swells_l{n}", "count") for n in PHASES},
}
"""dsmr_parser's names, ours, and the unit that such a line is written in here."""
KILO = {"kWh": 1, "kvarh": 1, "varh": 1000, "kvar": 1, "var": 1000, "kW": 1, "kVA": 1, "V": 1, "A": 1, "Hz": 1, "": 1}
SPECIFICATIONS = [
    name for name in dir(specifications) if isinstance(getattr(specifications, name), dict) and name.isupper()
]
SPECIFICATIONS = [name for name in SPECIFICATIONS if "objects" in getattr(specifications, name)]
ZONES = {"W": timedelta(hours=1), "S": timedelta(hours=2)}


def decoded(telegram: str) -> list[Event]:
    decoder = BUILT_IN["dsmr"].decoder()  # type: ignore[union-attr, call-arg]
    return decoder.feed(telegram.encode()) + decoder.flush()


def drawn(rng: random.Random, unit: str) -> str:
    match unit:
        case "digit":
            return str(rng.randrange(3))
        case "digits":
            return f"{rng.randrange(1, 5):04d}"
        case "count":
            return f"{rng.randrange(100_000):05d}"
        case "":
            return f"{rng.randrange(1000) / 1000:.3f}"
        case "V":
            return f"{rng.randrange(10_000) / 10:06.1f}*V"
        case "A":
            return rng.choice((f"{rng.randrange(1000):03d}*A", f"{rng.randrange(100_000) / 100:06.2f}*A"))
        case "Hz":
            return f"{rng.randrange(4900, 5100) / 100:.2f}*Hz"
    if KILO[unit] == 1000:
        return f"{rng.randrange(10**9):09d}*{unit}"
    return f"{rng.randrange(10**9) / 1000:010.3f}*{unit}" if unit.endswith("h") else f"{rng.random() * 99:06.3f}*{unit}"


def code(object_: dict[str, Any]) -> str:
    """The code of a line, out of the pattern that dsmr_parser finds it by."""
    found = re.match(r"\^\\d-(?:\\d|0):([0-9\\.]+)\.\+", object_["obis_reference"])
    assert found, object_
    return found[1].replace("\\", "")


def telegram(lines: list[str], checked: bool) -> str:
    body = "/TST5\\2M000\r\n\r\n" + "".join(line + "\r\n" for line in lines) + "!"
    return body + (f"{TelegramParser.crc16(body):04X}" if checked else "") + "\r\n"


@pytest.mark.parametrize("name", SPECIFICATIONS)
def test_random_telegrams_of_every_specification(name: str) -> None:
    rng = random.Random(name)
    specification = {**getattr(specifications, name)}
    specification.pop("general_global_cipher", None)
    parser = TelegramParser(specification)
    checked = bool(specification["checksum_support"])
    objects = [one for one in specification["objects"] if one["value_name"] in NAMES]
    timed = any(one["value_name"] == "P1_MESSAGE_TIMESTAMP" for one in specification["objects"]) and checked
    for _ in range(60):
        some = rng.sample(objects, rng.randint(1, len(objects)))
        lines = [f"1-0:{code(one)}({drawn(rng, NAMES[one['value_name']][1])})" for one in some]
        season = rng.choice("SW")
        begin = datetime(rng.randint(2015, 2040), 6 if season == "S" else 1, 1)
        moment = begin + timedelta(seconds=rng.randrange(50 * 86_400))
        if timed:
            lines.insert(0, f"0-0:1.0.0({moment:%y%m%d%H%M%S}{season})")
        text = telegram(lines, checked)
        theirs = parser.parse(text)
        (mine,) = decoded(text)
        assert isinstance(mine, Reading)
        assert mine.field_errors == ()
        for one in some:
            ours, unit = NAMES[one["value_name"]]
            value = getattr(theirs, one["value_name"]).value
            assert mine.fields[ours] == pytest.approx(float(value) / KILO.get(unit, 1), abs=1e-9), ours
        assert len(mine.fields) == len({NAMES[one["value_name"]][0] for one in some})
        if timed:
            assert mine.time_ns == round(theirs.P1_MESSAGE_TIMESTAMP.value.timestamp()) * 10**9
            assert mine.time_ns == round((moment - ZONES[season]).replace(tzinfo=UTC).timestamp()) * 10**9


def test_meters_on_channels_show_the_same_at_the_same_time() -> None:
    rng = random.Random(24)
    parser = TelegramParser(specifications.BELGIUM_FLUVIUS)
    media = {3: "gas_m3", 6: "warm_water_m3", 7: "water_m3", 21: "hot_water_m3"}
    for _ in range(200):
        channels = rng.sample(range(1, 5), rng.randint(1, 4))
        lines, said = [], {}
        for channel in channels:
            kind = rng.choice(list(media))
            moment = datetime(2021, 1, 15) + timedelta(days=rng.randrange(60), seconds=rng.randrange(86_400))
            value = rng.randrange(10**8) / 1000
            lines += [
                f"0-{channel}:24.1.0({kind:03d})",
                f"0-{channel}:24.2.{3 if kind == 3 else 1}({moment:%y%m%d%H%M%S}W)({value:09.3f}*m3)",
            ]
            said[str(channel)] = media[kind]
        text = telegram(lines, True)
        theirs = parser.parse(text)
        mine = {event.tags["channel"]: event for event in decoded(text) if isinstance(event, Reading)}
        assert mine.keys() == said.keys()
        for device in theirs.MBUS_DEVICES:
            reading = mine[str(device.channel_id)]
            assert list(reading.fields) == [said[str(device.channel_id)]]
            assert list(reading.fields.values()) == [float(device.MBUS_METER_READING.value)]
            assert reading.time_ns == round(device.MBUS_METER_READING.datetime.timestamp()) * 10**9


def test_gas_of_version_2_and_3() -> None:
    rng = random.Random(3)
    parser = TelegramParser(specifications.V3)
    for _ in range(200):
        moment = datetime(2012, 1, 1, 12) + timedelta(days=rng.randrange(3000), seconds=rng.randrange(30_000))
        value = rng.randrange(10**8) / 1000
        lines = ["0-1:24.1.0(03)", f"0-1:24.3.0({moment:%y%m%d%H%M%S})(00)(60)(1)(0-1:24.2.1)(m3)", f"({value:09.3f})"]
        text = telegram(lines, False)
        theirs = parser.parse(text).GAS_METER_READING
        (mine,) = decoded(text)
        assert isinstance(mine, Reading)
        assert mine.fields == {"gas_m3": float(theirs.value)}
        assert mine.time_ns == round(theirs.datetime.timestamp()) * 10**9


def test_times_of_every_hour_of_two_years_agree() -> None:
    parser = TelegramParser(specifications.V5)
    moment = datetime(2024, 1, 1, tzinfo=UTC)
    while moment.year < 2026:
        text = encode(Reading({"power_import_kw": 1.0}, round(moment.timestamp()) * 10**9)).decode()
        assert parser.parse(text).P1_MESSAGE_TIMESTAMP.value == moment
        moment += timedelta(hours=1)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(reading=readings(BUILT_IN["dsmr"]))
def test_what_we_write_dsmr_parser_reads(reading: Reading) -> None:
    parser = TelegramParser(specifications.V5)
    ours = {ours: theirs for theirs, (ours, _) in NAMES.items()}
    known = {one["value_name"] for one in specifications.V5["objects"]}
    if reading.tags:
        return
    theirs = parser.parse(encode(reading).decode())
    for name, value in reading.fields.items():
        if ours.get(name) in known:
            assert float(getattr(theirs, ours[name]).value) == pytest.approx(float(value), abs=1e-9)


def test_a_check_that_does_not_hold_is_refused_by_both() -> None:
    rng = random.Random(7)
    good = telegram(["0-0:1.0.0(260102120005W)", "1-0:1.8.1(001581.123*kWh)"], True)
    for _ in range(200):
        at = rng.randrange(20, good.index("!"))
        if good[at] in "\r\n":
            continue
        bad = good[:at] + rng.choice("0123456789") + good[at + 1 :]
        if bad == good:
            continue
        with pytest.raises(InvalidChecksumError):
            TelegramParser(specifications.V4).parse(bad)
        (event,) = decoded(bad)
        assert isinstance(event, IntegrityError)
