"""The Things Stack beyond its examples: published vectors, names, hostile payloads, round trips."""

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.lorawan.names import number_name
from devices.spec.errors import EncodeError
from devices.spec.events import Empty, Event, Reading, SanityError
from devices.spec.json_time import format_ns, parse_ns
from devices.ttn_v3.device import DEVICE
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
    first, second = decode([{"uplink_message": {"f_cnt": 1}}, {"uplink_message": {"f_cnt": -1}}])
    assert first == Reading({"f_port": 0, "f_cnt": 1})
    assert isinstance(second, SanityError)


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (b'{"uplink_message":{"f_cnt":', "JSON is malformed: "),
        (b"21.5", "expected an object"),
        (b'{"uplink_message":{"f_cnt":1}', "JSON is malformed: "),
    ],
)
def test_a_line_that_is_broken_leaves_the_other_lines(broken: bytes, why: str) -> None:
    good = b'{"uplink_message":{"f_cnt":1}}'
    first, second, third = decode(b"\n".join((good, broken, good)))
    assert first == third == Reading({"f_port": 0, "f_cnt": 1})
    assert isinstance(second, SanityError)
    assert second.detail.startswith(why)
    (refused,) = decode(b"{\n" + good + b"\n" + broken)
    assert isinstance(refused, SanityError)


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"null", "array"),
        (b"1", "array"),
        (b"{", "JSON"),
        (b"{}", "uplink_message"),
        (b"[{}]", "uplink_message"),
        (b'{"uplink_message":[]}', "$.uplink_message"),
        (b'{"uplink_message":{"f_port":256}}', "f_port"),
        (b'{"uplink_message":{"f_cnt":-1}}', "f_cnt"),
        (b'{"uplink_message":{"f_cnt":1.5}}', "f_cnt"),
        (b'{"uplink_message":{"decoded_payload":{"a":NaN}}}', "JSON"),
        (b'{"uplink_message":{"decoded_payload":{"a":"\xff"}}}', "utf-8"),
        (b'{"uplink_message":{"decoded_payload":{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}}}", "deep"),
        (b'{"end_device_ids":{"device_id":7},"uplink_message":{}}', "$.end_device_ids.device_id"),
        (b'{"end_device_ids":[],"uplink_message":{}}', "$.end_device_ids"),
        (b'{"received_at":5,"uplink_message":{}}', "$.received_at"),
        (b'{"downlink_ack":{"received_at":5}}', "uplink_message"),
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
    ("uplink", "fields", "words"),
    [
        (b'{"decoded_payload":{"a":' + b"9" * 400 + b',"b":2}}', {"b": 2.0}, "'a' is out of range"),
        (b'{"decoded_payload":{"a":1e999,"b":2}}', {"b": 2.0}, "'a' is out of range"),
        (b'{"decoded_payload":{"' + b"a" * 1_000_000 + b'":1,"b":2}}', {"b": 2.0}, "1000000 characters, at most 512"),
        (b'{"decoded_payload":{"' + b" " * 1_000_000 + b'":1}}', {}, "1000000 characters, at most 512"),
        (b'{"decoded_payload":' + json.dumps({"b": 2, **nested(9)}).encode() + b"}", {"b": 2.0}, "more than 8 deep"),
        (b'{"decoded_payload":[1,2]}', {}, "got `array` - at `$.uplink_message.decoded_payload`"),
        (b'{"decoded_payload":"21.5"}', {}, "got `str` - at `$.uplink_message.decoded_payload`"),
        (b'{"settings":{"frequency":"nan"}}', {}, "settings.frequency: expected a number, got 'nan'"),
        (
            b'{"settings":{"data_rate":{"lora":{"bandwidth":"wide","spreading_factor":7}}}}',
            {"spreading_factor": 7},
            "- at `$.uplink_message.settings.data_rate.lora.bandwidth`",
        ),
        (b'{"consumed_airtime":"long"}', {}, "consumed_airtime: expected a number, got 'long'"),
        (b'{"confirmed":"yes"}', {}, "- at `$.uplink_message.confirmed`"),
        (
            b'{"rx_metadata":[{"gateway_ids":{"gateway_id":"a"},"rssi":-90,"snr":"x"}]}',
            {"gateways": 1, "gateway_id": "a", "rssi_dbm": -90.0},
            "- at `$.uplink_message.rx_metadata[0].snr`",
        ),
        (
            b'{"rx_metadata":[{"gateway_ids":{"gateway_id":"a"},"rssi":"x","snr":3}]}',
            {"gateways": 1, "gateway_id": "a", "snr_db": 3.0},
            "- at `$.uplink_message.rx_metadata[0].rssi`",
        ),
        (
            b'{"rx_metadata":[7,{"gateway_ids":{"gateway_id":"b"},"rssi":-100,"snr":-3}]}',
            {"gateways": 1, "gateway_id": "b", "rssi_dbm": -100.0, "snr_db": -3.0},
            "- at `$.uplink_message.rx_metadata[0]`",
        ),
        (
            b'{"locations":{"user":{"latitude":1,"longitude":2},"frm-payload":{"latitude":91,"longitude":2}}}',
            {"latitude_deg": 1.0, "longitude_deg": 2.0, "altitude_m": 0.0},
            "- at `$.uplink_message.locations[frm-payload].latitude`",
        ),
        (
            b'{"locations":{"user":{"latitude":1,"longitude":2,"altitude":"high"}}}',
            {"latitude_deg": 1.0, "longitude_deg": 2.0, "altitude_m": 0.0},
            "- at `$.uplink_message.locations[user].altitude`",
        ),
        (
            b'{"normalized_payload":[{"air":{"temperature":21}},{"time":"noon","air":{"temperature":20}}]}',
            {"air_temperature_c": 21.0},
            "normalized_payload[1].time: expected a date and time, got 'noon'",
        ),
    ],
    ids=lambda value: repr(value)[:40] if isinstance(value, bytes) else "",
)
def test_an_optional_value_that_is_wrong_takes_only_itself(uplink: bytes, fields: dict[str, Any], words: str) -> None:
    reading = one(b'{"uplink_message":' + uplink + b"}")
    assert reading.fields == {"f_port": 0, "f_cnt": 0, **fields}
    assert len(reading.field_errors) == 1
    assert words in reading.field_errors[0]
    assert len(reading.field_errors[0]) <= 300


def test_of_a_payload_with_too_many_values_the_first_are_kept() -> None:
    reading = one(b'{"uplink_message":{"decoded_payload":{"a":[' + b"1," * 300 + b"1]}}}")
    assert len(reading.fields) == 2 + 256
    assert reading.field_errors == ("payload of more than 256 values",)
    names = ",".join(f'"{"x" * 600}{number}":1' for number in range(5000))
    reading = one(f'{{"uplink_message":{{"decoded_payload":{{{names}}}}}}}'.encode())
    assert len(reading.field_errors) == 257


@pytest.mark.parametrize(
    ("uplink", "fields"),
    [
        ({"rx_metadata": [{"rssi": -118, "channel_rssi": -118}]}, {"rssi_dbm": -118.0, "snr_db": 0.0}),
        ({"rx_metadata": [{"channel_rssi": -118}]}, {"rssi_dbm": -118.0, "snr_db": 0.0}),
        ({"rx_metadata": [{"snr": 5.5}]}, {"rssi_dbm": 0.0, "snr_db": 5.5}),
        ({"rx_metadata": [{"snr": 5.5}, {"rssi": -90}]}, {"rssi_dbm": -90.0, "snr_db": 0.0}),
        ({"rx_metadata": [{"gateway_ids": {"gateway_id": "a"}, "timestamp": 1}]}, {"rssi_dbm": None, "snr_db": None}),
        (
            {"rx_metadata": [{"rssi": -60}], "settings": {"data_rate": {"fsk": {"bit_rate": 50000}}}},
            {"rssi_dbm": -60.0, "snr_db": None},
        ),
        (
            {"rx_metadata": [{"rssi": -60}], "settings": {"data_rate": {"lora": {"spreading_factor": 7}}}},
            {"rssi_dbm": -60.0, "snr_db": 0.0},
        ),
        ({"rx_metadata": []}, {"rssi_dbm": None, "snr_db": None, "gateways": None}),
        ({}, {"rssi_dbm": None, "snr_db": None, "latitude_deg": None, "battery_pct": None}),
        ({"locations": {"user": {"longitude": 32.5, "altitude": 1130}}}, {"latitude_deg": 0.0, "longitude_deg": 32.5}),
        (
            {"locations": {"user": {"latitude": -0.5}}},
            {"latitude_deg": -0.5, "longitude_deg": 0.0, "altitude_m": 0.0},
        ),
        ({"locations": {"user": {"source": "SOURCE_REGISTRY"}}}, {"latitude_deg": None, "altitude_m": None}),
        ({"last_battery_percentage": {"value": 0}}, {"battery_pct": 0.0}),
        ({"last_battery_percentage": {"f_cnt": 9}}, {"battery_pct": None}),
    ],
)
def test_a_zero_that_is_left_out_is_a_zero_and_nothing_is_made_up(
    uplink: dict[str, Any], fields: dict[str, Any]
) -> None:
    reading = one({"uplink_message": uplink})
    assert {name: reading.fields.get(name) for name in fields} == fields
    assert reading.field_errors == ()


def test_a_place_on_the_equator_that_was_solved_is_whole() -> None:
    reading = one({"location_solved": {"location": {"longitude": -20.25, "source": "SOURCE_LORA_RSSI_GEOLOCATION"}}})
    assert (reading.fields["latitude_deg"], reading.fields["longitude_deg"]) == (0.0, -20.25)


@pytest.mark.parametrize("event", ["downlink_ack", "downlink_nack", "downlink_sent", "downlink_queued"])
def test_the_first_downlink_has_the_count_zero(event: str) -> None:
    fields = one({event: {"f_port": 15, "frm_payload": "vu8="}}).fields
    assert (fields["downlink_f_port"], fields["downlink_f_cnt"]) == (15, 0)
    assert "downlink_f_cnt" not in one({event: {"correlation_ids": []}}).fields
    wrong = one({event: {"f_port": 15, "f_cnt": "x"}})
    assert "downlink_f_cnt" not in wrong.fields
    assert wrong.field_errors == (f"Expected `int | null`, got `str` - at `$.{event}.f_cnt`",)


@pytest.mark.parametrize("count", ["9", "9.0", '"9"', "0.9e1", '"9e0"'])
def test_numbers_are_taken_as_proto3_json_writes_them(count: str) -> None:
    reading = one(b'{"uplink_message":{"f_cnt":%s,"rx_metadata":[{"rssi":"-118.5","snr":"-3"}]}}' % count.encode())
    assert reading.fields == {"f_port": 0, "f_cnt": 9, "gateways": 1, "rssi_dbm": -118.5, "snr_db": -3.0}
    assert type(reading.fields["f_cnt"]) is int
    nan = one({"uplink_message": {"rx_metadata": [{"rssi": -90, "snr": "NaN"}]}})
    assert "snr_db" not in nan.fields
    assert len(nan.field_errors) == 1


def test_an_uplink_that_no_formatter_decoded_is_a_reading_of_the_rest() -> None:
    assert one({"uplink_message": {"frm_payload": "gkHe"}}).fields == {"f_port": 0, "f_cnt": 0, "payload_hex": "8241de"}
    assert decode(b"[]") == [Empty("the array holds no message", b"[]")]


def test_one_bad_message_among_several_takes_only_itself() -> None:
    bad = '{"uplink_message":{"f_cnt":-1}}'
    good = '{"uplink_message":{"f_cnt":%d,"confirmed":"x"}}'
    for text in (f"[{good % 1},{bad},{good % 2}]", f"{good % 1}\n{bad}\n{good % 2}\n"):
        first, second, third = decode(text.encode())
        assert isinstance(first, Reading)
        assert isinstance(third, Reading)
        assert (first.fields["f_cnt"], third.fields["f_cnt"]) == (1, 2)
        assert isinstance(second, SanityError)
        assert "$[1].uplink_message.f_cnt" in second.detail


def test_a_byte_order_mark_and_blanks_before_the_message_are_ignored() -> None:
    text = '{"uplink_message":{"f_cnt":4}}'
    for written in (text.encode("utf-8-sig"), b" \r\n" + text.encode(), f"[{text}]".encode("utf-8-sig")):
        assert one(written).fields["f_cnt"] == 4
    for encoding in ("utf-16", "utf-16-le", "utf-32"):
        (event,) = decode(text.encode(encoding))
        assert isinstance(event, SanityError)
        assert event.detail == f"JSON: {encoding[:6].upper()} text, expected UTF-8"


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
    if ("rssi_dbm" in fields) != ("snr_db" in fields):
        fields = fields | {"rssi_dbm": -90.0, "snr_db": 0.0}
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
        {"rssi_dbm": -90.0},  # would come back with an SNR of zero
        {"snr_db": 5.0},
    ],
)
def test_what_no_uplink_can_say(fields: dict[str, Any]) -> None:
    with pytest.raises(EncodeError, match="ttn-v3"):
        DEVICE.encode(Reading(fields))


def test_a_retained_message_that_is_deleted_is_empty() -> None:
    assert decode(b"") == [Empty("an empty payload: what was retained is deleted", b"")]
