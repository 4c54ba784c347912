"""The Things Stack beyond its examples: published vectors, names, hostile payloads, round trips."""

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.spec.errors import EncodeError
from devices.spec.events import Event, Reading, SanityError
from devices.spec.json_time import format_ns, parse_ns
from devices.ttn_v3.device import DEVICE
from devices.ttn_v3.names import number_name
from tests.devices.published import payload, published
from tests.devices.readings import values

NOW = 1_704_067_200_000_000_000
RELAXED = settings(max_examples=300, deadline=None)

PUBLISHED_NAMES = {
    "device_id": "device_id", "dev_eui": "dev_eui", "f_cnt": "f_cnt", "f_port": "f_port", "payload_hex": "payload_hex",
    "event": "event", "rssi": "rssi_dbm", "snr": "snr_db", "temperature": "temperature_c", "humidity": "humidity_pct",
    "luminosity": "luminosity", "barometric_pressure_0": "pressure_0_hpa", "temperature_0": "temperature_0_c",
}  # fmt: skip
"""The publisher's name to ours. `time` is the reading's time; `decoded` holds names of its own."""

TIMES = {660: 1598263724_868680817, 662: 1581520546_014773143}
UNITS = {"rssi_dbm": "dBm", "snr_db": "dB"}


def decode(data: bytes | dict[str, Any] | list[Any]) -> list[Event]:
    return DEVICE.decode("v3/a@t/devices/d/up", data if isinstance(data, bytes) else json.dumps(data).encode(), NOW)


def one(data: bytes | dict[str, Any] | list[Any]) -> Reading:
    (event,) = decode(data)
    assert isinstance(event, Reading), event
    return event


def decoded(**values: Any) -> dict[str, Any]:
    """The fields that a decoded payload gives, without those of the envelope."""
    fields = one({"uplink_message": {"decoded_payload": values}}).fields
    return {name: value for name, value in fields.items() if name not in ("f_port", "f_cnt")}


@pytest.mark.parametrize("vector", published("ttn-v3-uplink", "ttn-v3-event"), ids=lambda vector: vector["id"])
def test_published_vector(vector: dict[str, Any]) -> None:
    (reading,) = DEVICE.decode(vector.get("topic", ""), payload(vector), NOW)
    assert isinstance(reading, Reading)
    expected = dict(vector["expected"])
    if "time" in expected:
        del expected["time"]
        assert reading.time_ns == TIMES[vector["id"]]
    expected |= expected.pop("decoded", {})
    for name, value in expected.items():
        ours = PUBLISHED_NAMES[name]
        if isinstance(value, dict):
            assert UNITS[ours] == value["unit"]
            value = value["value"]
        assert reading.fields[ours] == value, name


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("temperature", "temperature_c"),
        ("TempC", "temperature_c"),
        ("soil_temperature", "soil_temperature_c"),
        ("temperature_12", "temperature_12_c"),
        ("temperature_c", "temperature_c"),
        ("relativeHumidity", "humidity_pct"),
        ("BatV", "battery_v"),
        ("battery", "battery"),
        ("PM2.5", "pm2_5_ug_m3"),
        ("gps_latitude", "gps_latitude_deg"),
        ("gps_0_altitude", "gps_0_altitude_m"),
        ("time", "time_value"),
        ("???", "value"),
    ],
)
def test_number_name(name: str, field: str) -> None:
    assert number_name(name) == field


def test_values_that_share_a_name_are_all_kept() -> None:
    assert decoded(temp=1, Temperature=2, f_cnt=3, rssi="strong") == {
        "temperature_c": 1.0,
        "payload_temperature_c": 2.0,
        "payload_f_cnt": 3.0,
        "rssi_text": "strong",
    }
    assert decoded(a=1, A=2, **{"a ": 3}) == {"a": 1.0, "payload_a": 2.0, "payload_a_2": 3.0}
    assert decoded(a="x", A="y", **{"a ": "z"}) == {"a_text": "x", "payload_a_text": "y", "payload_a_2_text": "z"}


def test_a_text_never_takes_the_name_of_a_number() -> None:
    assert decoded(temperature="err", humidity=False) == {"temperature_text": "err", "humidity_flag": False}


def test_the_devices_own_place_goes_before_the_registered_one() -> None:
    message: dict[str, Any] = {"locations": {"user": {"latitude": 1, "longitude": 2}}}
    assert one({"uplink_message": message}).fields["latitude_deg"] == 1.0
    message["locations"]["frm-payload"] = {"latitude": 3, "longitude": 4, "altitude": 0}
    assert one({"uplink_message": message}).fields["latitude_deg"] == 3.0
    assert one({"uplink_message": message}).fields["altitude_m"] == 0.0
    message["decoded_payload"] = {"latitude": 5, "longitude": 6}
    assert one({"uplink_message": message}).fields["latitude_deg"] == 5.0


def test_one_message_a_line_and_an_array() -> None:
    lines = b'{"result":{"uplink_message":{"f_cnt":1}}}\n{"result":{"uplink_message":{"f_cnt":2}}}\n'
    both = [Reading({"f_port": 0, "f_cnt": 1}), Reading({"f_port": 0, "f_cnt": 2})]
    assert decode(lines) == both
    assert decode(b'[{"uplink_message":{"f_cnt":1}},{"uplink_message":{"f_cnt":2}}]') == both


def test_a_refused_message_leaves_the_others() -> None:
    first, second = decode([{"uplink_message": {"f_cnt": 1}}, {"uplink_message": {"frm_payload": "?"}}])
    assert first == Reading({"f_port": 0, "f_cnt": 1})
    assert isinstance(second, SanityError)


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "JSON"),
        (b"null", "array"),
        (b"1", "array"),
        (b"{", "JSON"),
        (b"{}", "uplink_message"),
        (b"[]", "no message"),
        (b"[{}]", "uplink_message"),
        (b'{"uplink_message":[]}', "$.uplink_message"),
        (b'{"uplink_message":{"f_port":256}}', "f_port"),
        (b'{"uplink_message":{"f_cnt":-1}}', "f_cnt"),
        (b'{"uplink_message":{"f_cnt":1.5}}', "f_cnt"),
        (b'{"uplink_message":{"decoded_payload":{"a":NaN}}}', "JSON"),
        (b'{"uplink_message":{"decoded_payload":{"a":' + b"9" * 400 + b"}}}", "out of range"),
        (b'{"uplink_message":{"decoded_payload":{"a":"\xff"}}}', "utf-8"),
        (b'{"uplink_message":{"decoded_payload":{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}}}", "deep"),
        (b'{"uplink_message":{"decoded_payload":{"' + b"a" * 1_000_000 + b'":1}}}', "characters"),
        (b'{"uplink_message":{"decoded_payload":{"' + b" " * 1_000_000 + b'":1}}}', "characters"),
        (b'{"uplink_message":{"decoded_payload":{"a":[' + b"1," * 300 + b"1]}}}", "values"),
        (json.dumps({"uplink_message": {"decoded_payload": nested(9)}}).encode(), "deep"),
        (b'{"uplink_message":{"settings":{"frequency":"nan"}}}', "frequency"),
        (b'{"uplink_message":{"consumed_airtime":"long"}}', "consumed_airtime"),
        (b'{"uplink_message":{},"received_at":"yesterday"}', "date"),
        (b'{"uplink_message":{},"received_at":"1969-12-31T23:59:59Z"}', "1970"),
        (b'{"uplink_message":{},"received_at":"9999-12-31T23:59:59Z"}', "2261"),
        (b'{"result":' * 100 + b"{}" + b"}" * 100, "uplink_message"),
    ],
    ids=lambda value: repr(value)[:40] if isinstance(value, bytes) else value,
)
def test_hostile_payload_is_refused(data: bytes, words: str) -> None:
    (event,) = decode(data)
    assert isinstance(event, SanityError), event
    assert words in event.detail
    assert len(event.detail) <= 300


@pytest.mark.parametrize(
    ("text", "time_ns"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2020-02-12T15:15:46.014773143Z", 1581520546_014773143),
        ("2020-02-12T15:15:46.0147731439Z", 1581520546_014773143),
        ("2020-02-12T17:15:46.5+02:00", 1581520546_500000000),
        ("2020-02-12T10:15:46-05:00", 1581520546_000000000),
        ("2020-02-12t15:15:46.25z", 1581520546_250000000),
        ("2016-12-31T23:59:60Z", 1483228800_000000000),
        ("2024-02-29T00:00:00", 1709164800_000000000),
    ],
)
def test_time(text: str, time_ns: int) -> None:
    assert parse_ns(text) == time_ns


@pytest.mark.parametrize(
    "text",
    ["", "now", "2020-02-30T00:00:00Z", "2020-02-12 24:00:01Z", "2020-02-12T15:15:46.Z", "2020-02-12T15:15:46+2Z",
     "2020-W07-3T15:15:46", "2020-02-12T15:15:46Zulu", "2020-02-12T15:15:4", "２020-02-12T15:15:46Z",
     "-020-02-12T15:15:46Z",
     "2020-02-12T15:15:46+99:99", "2020-02-12T15:15:60.5.5Z", "2020-02-12T25:15:60Z"],
)  # fmt: skip
def test_no_time(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_ns(text)


@given(st.integers(0, 9_000_000_000_000_000_000), st.sampled_from([0, 3, 9]))
def test_time_comes_back(time_ns: int, decimals: int) -> None:
    assert parse_ns(format_ns(time_ns, decimals)) == time_ns


anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)),
    max_leaves=8,
)
labels = st.sampled_from(
    ["uplink_message", "result", "data", "end_device_ids", "received_at", "join_accept", "downlink_failed", "f_port",
     "f_cnt", "frm_payload", "decoded_payload", "normalized_payload", "rx_metadata", "settings", "locations", "rssi",
     "device_id", "location", "downlink", "error", "uplink_normalized", "time"],
)  # fmt: skip
messages = st.recursive(
    anything,
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(labels, inner, max_size=5)),
    max_leaves=20,
)


@RELAXED
@given(messages)
def test_any_json_ends_in_events(message: Any) -> None:
    events = decode(json.dumps(message).encode())
    assert events
    assert all(
        math.isfinite(v) for e in events if isinstance(e, Reading) for v in e.fields.values() if type(v) is float
    )


@RELAXED
@given(st.binary(max_size=60), st.sampled_from([b"", b"{", b'{"uplink_message":{"decoded_payload":{"a":', b"["]))
def test_any_bytes_end_in_events(data: bytes, start: bytes) -> None:
    assert decode(start + data)


TEXTS = {name: st.text("0123456789abcdef", min_size=2, max_size=16) for name in ("device_id", "dev_eui", "gateway_id")}
OPEN = {
    **TEXTS,
    "payload_hex": st.binary(min_size=1, max_size=20).map(bytes.hex),
    "valve_flag": st.booleans(),
    "valve_text": st.text(max_size=8),
    "temperature_flag": st.booleans(),
    "valve": st.floats(-1e6, 1e6),
    "payload_a_2_text": st.text(max_size=8),
    "flow_l_min": st.floats(-1e6, 1e6),
}
LISTED = {field.name: values(field) for field in DEVICE.fields}
REQUIRED = {field.name for field in DEVICE.fields if not field.optional}


@RELAXED
@given(
    st.fixed_dictionaries(
        {name: drawn for name, drawn in LISTED.items() if name in REQUIRED},
        optional={name: drawn for name, drawn in (LISTED | OPEN).items() if name not in REQUIRED},
    ),
    st.one_of(st.none(), st.integers(0, 9_000_000_000_000_000_000)),
    st.sampled_from([{}, {"application": "park"}]),
)
def test_random_readings_come_back(fields: dict[str, Any], time_ns: int | None, tags: dict[str, str]) -> None:
    thing = fields.get("device_id") or fields.get("dev_eui")
    reading = Reading(fields, time_ns, thing, tags)
    back = one(DEVICE.encode(reading))
    assert back == reading
    assert {name: type(value) for name, value in back.fields.items()} == {n: type(v) for n, v in fields.items()}


def test_a_thing_is_the_device_id() -> None:
    assert one(DEVICE.encode(Reading({"f_port": 1, "f_cnt": 2}, thing="node-1"))).thing == "node-1"


@pytest.mark.parametrize(
    "fields",
    [
        {"x": math.nan},
        {"Not Snake": 1.0},
        {"Not Snake": True},
        {"door": True},  # would come back as door_flag
        {"door_flag": "open"},
        {"door_flag": 1.0},
        {"error": 1.0},
        {"temperature": 1.0},  # would come back as temperature_c
        {"payload_hex": "no hex"},
        {"event": "party"},
    ],
)
def test_what_no_uplink_can_say(fields: dict[str, Any]) -> None:
    with pytest.raises(EncodeError, match="ttn-v3"):
        DEVICE.encode(Reading(fields))
