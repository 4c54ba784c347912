"""MAVLink against pymavlink: random messages of both versions, both ways, and the definitions that it brings."""

import math
import random
import struct
from importlib import import_module
from importlib.resources import files
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.mavlink import fields, others
from devices.mavlink.device import DEVICE
from devices.mavlink.dialect import tables
from devices.spec.events import Reading

DIALECT: Any = import_module("pymavlink.dialects.v20.all")
X25: Any = import_module("pymavlink.generator.mavcrc").x25crc
KNOWN: dict[int, Any] = DIALECT.mavlink_map
MANY = settings(max_examples=60, deadline=None)
TEXTS = "char"
UNTOLD = {"AIRLINK_AUTH", "AUTH_KEY", "WIFI_CONFIG_AP", "CHANGE_OPERATOR_CONTROL", "SETUP_SIGNING"}
"""Messages with a secret, which does not come back."""

SCALED: dict[str, dict[str, tuple[str, float]]] = {
    "SYS_STATUS": {
        "load": ("load_pct", 10), "voltage_battery": ("battery_v", 1000), "current_battery": ("battery_a", 100),
        "battery_remaining": ("battery_pct", 1), "drop_rate_comm": ("drop_rate_pct", 100),
        "errors_comm": ("comm_errors", 1), "errors_count4": ("errors_4", 1),
        "onboard_control_sensors_health": ("sensors_health", 1),
    },
    "GPS_RAW_INT": {
        "eph": ("hdop", 100), "epv": ("vdop", 100), "satellites_visible": ("satellites_visible", 1),
    },
    "GLOBAL_POSITION_INT": {
        "alt": ("altitude_m", 1000), "relative_alt": ("relative_altitude_m", 1000), "vx": ("vx_m_s", 100),
        "vy": ("vy_m_s", 100), "vz": ("vz_m_s", 100), "time_boot_ms": ("time_boot_ms", 1),
    },
    "BATTERY_STATUS": {
        "temperature": ("temperature_c", 100), "current_battery": ("battery_a", 100),
        "current_consumed": ("consumed_mah", 1), "energy_consumed": ("consumed_j", 0.01),
    },
    "HEARTBEAT": {"custom_mode": ("custom_mode", 1), "base_mode": ("base_mode", 1)},
    "HOME_POSITION": {
        "latitude": ("home_position_latitude_deg", 1e7), "altitude": ("home_position_altitude_m", 1000),
    },
    "SCALED_IMU": {"xacc": ("xacc_mg", 1), "temperature": ("scaled_imu_temperature_c", 100)},
    "SCALED_PRESSURE": {"press_abs": ("press_abs_hpa", 1), "temperature": ("scaled_pressure_temperature_c", 100)},
    "WIND": {"direction": ("direction_deg", 1), "speed": ("wind_speed_m_s", 1)},
    "RANGEFINDER": {"distance": ("distance_m", 1), "voltage": ("voltage_v", 1)},
    "POWER_STATUS": {"Vcc": ("vcc_v", 1000), "Vservo": ("vservo_v", 1000)},
    "NAV_CONTROLLER_OUTPUT": {"nav_bearing": ("nav_bearing_deg", 1), "wp_dist": ("wp_dist_m", 1)},
    "ESC_TELEMETRY_1_TO_4": {},
}  # fmt: skip
"""What pymavlink calls a value: our name of it, and raw / ours."""

NONE = {("voltage_battery", 65535), ("current_battery", -1), ("battery_remaining", -1), ("eph", 65535), ("epv", 65535),
        ("satellites_visible", 255), ("temperature", 32767), ("current_consumed", -1),
        ("energy_consumed", -1)}  # fmt: skip


def framed(kind: Any, payload: bytes, version: int, sender: tuple[int, int, int]) -> bytes:
    """A whole frame, its CRC by pymavlink."""
    if version == 1:
        body = bytes((len(payload), *sender, kind.id)) + payload
    else:
        payload = payload[:1] + payload[1:].rstrip(b"\0")
        body = bytes((len(payload), 0, 0, *sender)) + kind.id.to_bytes(3, "little") + payload
    crc = X25(body + bytes((kind.crc_extra,))).crc
    return bytes((0xFE if version == 1 else 0xFD,)) + body + struct.pack("<H", crc)


def ours(data: bytes) -> Reading:
    decoder = DEVICE.decoder()
    (reading,) = [event for event in decoder.feed(data) + decoder.flush() if isinstance(event, Reading)]
    return reading


def theirs(data: bytes) -> Any:
    return DIALECT.MAVLink(None).decode(bytearray(data))


def likely(kind: Any, rng: random.Random) -> bytes:
    """A payload that can be said: texts of letters, floats that are numbers, enumerations of words that there are."""
    out = b""
    kinds = dict(zip(kind.fieldnames, kind.fieldtypes, strict=True))
    codes = {"uint8_t": "B", "int8_t": "b", "uint16_t": "H", "int16_t": "h", "uint32_t": "I", "int32_t": "i",
             "uint64_t": "Q", "int64_t": "q", "float": "f", "double": "d"}  # fmt: skip
    for wire, count in zip(kind.ordered_fieldnames, kind.array_lengths, strict=True):
        words = [
            number for number, entry in DIALECT.enums.get(kind.fieldenums_by_name.get(wire, ""), {}).items()
            if not entry.name.endswith("_ENUM_END")
        ]  # fmt: skip
        if kinds[wire] == TEXTS:
            text = "".join(rng.choices("abcXYZ019_", k=rng.randint(0, max(count, 1)))).encode()
            out += text.ljust(max(count, 1), b"\0")
            continue
        for _ in range(max(count, 1)):
            code = codes[kinds[wire]]
            if words and code not in "fd":
                number = rng.choice(words) & (1 << 8 * struct.calcsize("<" + code)) - 1
                out += number.to_bytes(struct.calcsize("<" + code), "little")
            elif code in "fd":
                out += struct.pack("<" + code, rng.choice((0.0, 1.0, -0.125, rng.uniform(-3, 3), math.nan)))
            elif code in "qQ":
                out += rng.randrange(1 << 53).to_bytes(8, "little")  # as much as a float tells apart
            else:
                out += rng.randbytes(struct.calcsize("<" + code))
    return out


def same(one: Any, other: Any) -> bool:
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other or (other != other and (one != one or one in (0, 65535, -1000)))  # NaN, or what else is none


@pytest.mark.parametrize("number", KNOWN, ids=lambda number: KNOWN[number].msgname)
def test_what_pymavlink_reads_comes_back_by_way_of_us(number: int) -> None:
    kind, rng = KNOWN[number], random.Random(number)
    message = tables().message(number)
    assert message is not None
    for version in (1, 2) if number < 256 else (2,):
        for _ in range(4):
            payload = likely(kind, rng)[: message.base if version == 1 else None]
            data = framed(kind, payload, version, (rng.randrange(256), rng.randrange(256), rng.randrange(256)))
            wanted, reading = theirs(data), ours(data)
            header = wanted.get_header()
            assert reading.thing == f"{header.srcSystem}-{header.srcComponent}"
            assert reading.fields["seq"] == header.seq
            assert reading.tags["message"] == wanted.get_type()
            if reading.field_errors or kind.msgname in UNTOLD | {"GPS_RAW_INT", "STATUSTEXT"}:
                continue  # what was left out does not come back
            again = theirs(DEVICE.encode(reading))
            for name in kind.fieldnames:
                assert same(getattr(again, name), getattr(wanted, name)), (name, reading)


@pytest.mark.parametrize("name", SCALED)
@MANY
@given(seed=st.integers(0, 2**32))
def test_scales_and_values_for_none(name: str, seed: int) -> None:
    (kind,) = [each for each in KNOWN.values() if each.msgname == name]
    rng = random.Random(seed)
    payload = bytearray(likely(kind, rng))
    data = framed(kind, bytes(payload), 2, (1, 2, 3))
    wanted, reading = theirs(data), ours(data)
    listed = {field.name: field for field in DEVICE.fields}
    for wire, (field, scale) in SCALED[name].items():
        raw = getattr(wanted, wire)
        value = reading.fields.get(field)
        if (wire, raw) in NONE or raw != raw:
            assert value is None, wire
        elif field in listed and listed[field].outside(raw / scale):
            assert value is None, wire
            assert any(field in words for words in reading.field_errors)
        elif value is not None:
            assert value == pytest.approx(raw / scale, rel=1e-6), wire
        else:
            assert (wire, name) == ("temperature", "SCALED_IMU")  # an extension of which nothing came


def definitions() -> dict[int, tuple[str, list[tuple[str, str | None]], int]]:
    """By id: name of the message, its values with what means "none", and how many of them are no extension."""
    found = {}
    for path in files("pymavlink.dialects.v20").iterdir():
        if not path.name.endswith(".xml") or path.name in ("matrixpilot.xml", "paparazzi.xml"):
            continue
        for message in ElementTree.fromstring(path.read_text(encoding="utf-8")).iter("message"):
            values, plain, extended = [], 0, False
            for part in message:
                extended |= part.tag == "extensions"
                if part.tag == "field":
                    values.append((part.get("name", ""), part.get("invalid")))
                    plain += not extended
            found[int(message.get("id", "0"))] = (message.get("name", ""), values, plain)
    return found


def test_what_is_an_extension_is_found_by_crc_extra() -> None:
    defined = definitions()
    assert len(KNOWN) > 300
    for number, kind in KNOWN.items():
        message = tables().message(number)
        assert message is not None
        name, _, plain = defined[number]
        assert name == message.name
        sizes = {"char": 1, "double": 8, "float": 4}
        kinds = dict(zip(kind.fieldnames, kind.fieldtypes, strict=True))
        base = sum(
            max(count, 1) * sizes.get(kinds[wire], int("".join(filter(str.isdigit, kinds[wire])) or 0) // 8)
            for wire, count in list(zip(kind.ordered_fieldnames, kind.array_lengths, strict=True))[:plain]
        )
        assert message.base == base, name


NUMBERS = {"UINT8_MAX": 0xFF, "INT8_MAX": 0x7F, "UINT16_MAX": 0xFFFF, "0xFFFF": 0xFFFF, "INT16_MAX": 0x7FFF,
           "UINT32_MAX": 0xFFFFFFFF, "INT32_MAX": 0x7FFFFFFF, "-1": -1, "-1.0": -1.0, "-1000": -1000,
           "36100": 36100}  # fmt: skip


def test_values_for_none_are_those_of_the_definitions() -> None:
    """Of common.xml, all but those where 0 is said to mean "none"; a few more by the words of the descriptions."""
    for name, values, _ in definitions().values():
        listed = others.ABSENT.get(name, {})
        for wire, invalid in values:
            if wire in listed and invalid is not None:
                assert listed[wire] in (NUMBERS.get(invalid.strip("[]:")), 0), (name, wire)


def test_words_of_described_states_are_the_dialects() -> None:
    for enum, states in (
        ("MAV_STATE", fields.STATES), ("GPS_FIX_TYPE", fields.FIXES), ("MAV_SEVERITY", fields.SEVERITIES),
        ("MAV_BATTERY_FUNCTION", fields.FUNCTIONS), ("MAV_BATTERY_TYPE", fields.CHEMISTRIES),
        ("MAV_BATTERY_CHARGE_STATE", fields.CHARGES), ("MAV_BATTERY_MODE", fields.BATTERY_MODES),
    ):  # fmt: skip
        words = [entry.name for entry in DIALECT.enums[enum].values()]
        assert [*states, f"{enum}_ENUM_END"] == words


def test_no_message_has_two_values_of_one_name() -> None:
    rng = random.Random(1)
    for number, kind in KNOWN.items():
        if kind.msgname == "STATUSTEXT":
            continue  # comes in pieces
        reading = ours(framed(kind, bytes(byte | 1 for byte in likely(kind, rng)), 2, (0, 1, 1)))
        message = tables().message(number)
        assert message is not None
        left = dict(reading.fields)
        for name in ("seq", "system_id", "component_id", "wire_version", "received_count", "lost_count"):
            left.pop(name, None)
        names = list(left)
        message.pack(left, 2)
        assert left == {}, (kind.msgname, names)
