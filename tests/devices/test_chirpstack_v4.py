"""ChirpStack beyond its examples: published vectors, the device's tags, hostile payloads, codecs, round trips."""

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.chirpstack_v4.device import DEVICE, decode
from devices.lorawan import lpp
from devices.lorawan.codec import Decoded, Raw
from devices.spec.coded import CodecRefused, Coded
from devices.spec.errors import EncodeError
from devices.spec.events import Event, Reading, SanityError
from tests.devices.examples import nanoseconds
from tests.devices.published import payload, published
from tests.devices.readings import values

RELAXED = settings(max_examples=300, deadline=None)
UP = "application/a/device/0102/event/up"


def one(message: dict[str, Any], event: str = "up") -> Reading:
    (reading,) = decode(UP.replace("/up", f"/{event}"), json.dumps(message).encode(), 0)
    assert isinstance(reading, Reading), reading
    return reading


@pytest.mark.parametrize("topic", [True, False], ids=["topic", "no topic"])
@pytest.mark.parametrize("vector", published("chirpstack-v4"), ids=lambda vector: vector["id"])
def test_published_vector(vector: dict[str, Any], topic: bool) -> None:
    (reading,) = DEVICE.decode(vector["topic"] if topic else "", payload(vector), 0)
    assert isinstance(reading, Reading)
    expected = dict(vector["expected"])
    assert reading.time_ns == nanoseconds(expected.pop("time").replace("+00:00", "Z"))
    where = expected.pop("location", {})
    names = {"event": "event", "dev_eui": "dev_eui", "device": "device_name"}
    for name, value in expected.items():
        assert reading.fields[names[name]] == value
    units = {"latitude": "deg", "longitude": "deg", "altitude": "m"}
    for name, value in where.items():
        assert reading.fields[f"{name}_{units[name]}"] == value
    assert reading.thing == "0101010101010101"
    assert reading.tags == {"application": "Test application", "tag_key": "value"}


def test_tags_of_the_device_are_bounded() -> None:
    tags: dict[str, Any] = {f"k{number:02}": "v" for number in range(20)}
    assert one({"deviceInfo": {"devEui": "01", "tags": tags}}).tags == {f"tag_k{number:02}": "v" for number in range(8)}
    odd = {
        "Park Zone": "north",
        "zone": "lake",
        "empty": "",
        "long": "x" * 65,
        "number": 5,
        "line": "a\nb",
        "K" * 99: "v",
    }
    assert one({"deviceInfo": {"devEui": "01", "tags": odd}}).tags == {
        "tag_park_zone": "north",
        "zone": "lake",
        "tag_" + "k" * 32: "v",
    }


def test_an_application_without_a_name_has_its_id() -> None:
    assert one({"deviceInfo": {"devEui": "01", "applicationId": "17c8"}}).tags == {"application": "17c8"}


def test_what_a_codec_is_told() -> None:
    told: list[Raw] = []

    def codec(raw: Raw) -> Decoded | None:
        told.append(raw)
        return Decoded({"co2_ppm": 400.0, "rssi_dbm": 1.0}, ("byte 3: broken",))

    info = {"devEui": "70B3D57ED0000001", "deviceName": "node", "deviceProfileName": "co2"}
    message = {"deviceInfo": info, "fPort": 7, "data": "AQI=", "rxInfo": [{"rssi": -60}]}
    (reading,) = decode(UP, json.dumps(message).encode(), 0, codec)
    assert told == [Raw(b"\x01\x02", 7, "70b3d57ed0000001", "node", "co2")]
    assert isinstance(reading, Reading)
    assert (reading.fields["co2_ppm"], reading.fields["rssi_dbm"], reading.fields["payload_rssi_dbm"]) == (
        400.0,
        -60.0,
        1.0,
    )
    assert reading.field_errors == ("byte 3: broken",)
    decode(UP, json.dumps(message | {"object": {"co2": 1}, "fCnt": "7"}).encode(), 0, codec)
    assert [raw.decoded for raw in told] == [False, True]


def test_an_uplink_that_its_codec_refuses() -> None:
    asked: list[Raw] = []

    def codec(raw: Raw) -> Decoded | None:
        asked.append(raw)
        raise CodecRefused("codec co2.js says: too short; port 7, bytes 0102")

    message = json.dumps({"deviceInfo": {"devEui": "01"}, "fPort": 7, "data": "AQI="}).encode()
    assert decode(UP, message, 0, codec) == [SanityError("codec co2.js says: too short; port 7, bytes 0102", message)]
    assert len(asked) == 1


def test_it_takes_codecs_as_the_gateway_runs_them() -> None:
    assert DEVICE.decode_coded is not None
    message = json.dumps({"deviceInfo": {"devEui": "01"}, "fPort": 7, "data": "AQI="}).encode()
    (reading,) = DEVICE.decode_coded(UP, message, 0, lambda _raw: Coded({"temperature": 21}, ("low battery",)))
    assert isinstance(reading, Reading)
    assert (reading.fields["temperature_c"], reading.fields["codec_warnings_text"]) == (21.0, "low battery")


def test_cayenne_lpp_is_read_alike_here_and_by_chirpstack() -> None:
    """Names of what its own decoder makes of a payload, and of what `lpp` does."""
    data = "03670110 067104d2fb2e0000 02732795 016881 040001 018806765ff2960a0003e8"
    ours = lpp.decode(bytes.fromhex(data))
    theirs = {
        "temperatureSensor": {"3": 27.2},
        "accelerometer": {"6": {"x": 1.234, "y": -1.234, "z": 0.0}},
        "barometer": {"2": 1013.3},
        "humiditySensor": {"1": 64.5},
        "digitalInput": {"4": 1},
        "gpsLocation": {"1": {"latitude": 42.3519, "longitude": -87.9094, "altitude": 10}},
    }
    read = one({"deviceInfo": {"devEui": "01"}, "object": theirs}).fields
    assert {
        name: value for name, value in read.items() if name not in ("dev_eui", "f_port", "f_cnt", "data_rate")
    } == ours.fields


@pytest.mark.parametrize(
    "fields",
    [
        {"x": math.nan},
        {"Not Snake": 1.0},
        {"door": True},
        {"temperature": 1.0},
        {"payload_hex": "no hex"},
        {"event": "party"},
        {"event": "up"},
        {"rssi_dbm": -90.0},
    ],
)
def test_what_no_event_can_say(fields: dict[str, Any]) -> None:
    with pytest.raises(EncodeError, match="chirpstack-v4"):
        DEVICE.encode(Reading(fields))


anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)),
    max_leaves=8,
)
labels = st.sampled_from(
    ["deviceInfo", "devEui", "tags", "time", "fPort", "fCnt", "dr", "data", "object", "rxInfo", "rssi", "snr", "txInfo",
     "modulation", "lora", "bandwidth", "margin", "batteryLevel", "location", "latitude", "level", "code",
     "temperatureSensor", "acknowledged", "fCntDown", "integrationName", "applicationID"],
)  # fmt: skip
messages = st.recursive(
    anything,
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(labels, inner, max_size=5)),
    max_leaves=20,
)


@RELAXED
@given(messages, st.sampled_from(["up", "status", "join", "ack", "txack", "log", "location", "integration", ""]))
def test_any_json_ends_in_events(message: Any, event: str) -> None:
    events: list[Event] = decode(UP.replace("/up", f"/{event}"), json.dumps(message).encode(), 0)
    assert events
    for each in events:
        if isinstance(each, Reading):
            assert all(math.isfinite(value) for value in each.fields.values() if type(value) is float)
        elif isinstance(each, SanityError):
            assert each.detail


OPEN = {
    "dev_eui": st.text("0123456789abcdef", min_size=16, max_size=16),
    "device_name": st.text(min_size=1, max_size=8),
    "gateway_id": st.text("0123456789abcdef", min_size=16, max_size=16),
    "payload_hex": st.binary(min_size=1, max_size=20).map(bytes.hex),
    "valve_flag": st.booleans(),
    "valve_text": st.text(max_size=8),
    "valve": st.floats(-1e6, 1e6),
}
UPLINK = {
    field.name: values(field)
    for field in DEVICE.fields
    if not field.name.startswith(("downlink", "margin", "external", "accuracy"))
}
REQUIRED = {"f_port", "f_cnt", "gateways", "data_rate"}


@RELAXED
@given(
    st.fixed_dictionaries(
        {name: UPLINK[name] for name in REQUIRED},
        optional={name: drawn for name, drawn in (UPLINK | OPEN).items() if name not in REQUIRED},
    ),
    st.one_of(st.none(), st.integers(0, 9_000_000_000_000_000_000)),
    st.sampled_from([{}, {"application": "park"}, {"zone": "lake", "tag_key": "v"}]),
)
def test_random_readings_come_back(fields: dict[str, Any], time_ns: int | None, tags: dict[str, str]) -> None:
    if ("rssi_dbm" in fields) != ("snr_db" in fields):
        fields = fields | {"rssi_dbm": -90.0, "snr_db": 0.0}
    reading = Reading(fields | {"dev_eui": fields.get("dev_eui", "01")}, time_ns, fields.get("dev_eui", "01"), tags)
    (back,) = decode(UP, DEVICE.encode(reading), 0)
    assert back == reading
    assert {name: type(value) for name, value in back.fields.items()} == {n: type(v) for n, v in reading.fields.items()}
