"""A text `zone` in a payload is the tag that boards choose by; whatever cannot be one stays a text."""

import json

import pytest

from devices.chirpstack_v4 import DEVICE as CHIRPSTACK
from devices.senml.device import DEVICE as SENML
from devices.spec.device import MessageDevice
from devices.spec.events import Reading
from devices.ttn_v3.device import DEVICE as TTN

NOW = 1_704_067_200_000_000_000
TEMPERATURE = {"bn": "post-1:", "n": "temperature", "u": "Cel", "v": 21.5}


def senml(*records: dict[str, object]) -> Reading:
    (reading,) = SENML.decode("park/post-1/senml", json.dumps(records).encode(), NOW)
    assert isinstance(reading, Reading)
    return reading


def ttn(payload: dict[str, object]) -> Reading:
    message = {"end_device_ids": {"device_id": "node-1"}, "uplink_message": {"decoded_payload": payload}}
    (reading,) = TTN.decode("v3/a@t/devices/node-1/up", json.dumps(message).encode(), NOW)
    assert isinstance(reading, Reading)
    return reading


def test_the_zone_of_a_pack_is_a_tag() -> None:
    reading = senml(TEMPERATURE, {"n": "zone", "vs": "lake"})
    assert (reading.thing, reading.fields, reading.tags) == ("post-1", {"temperature_c": 21.5}, {"zone": "lake"})


def test_the_zone_of_a_decoded_payload_is_a_tag() -> None:
    reading = ttn({"temperature": 21.5, "zone": "lake"})
    assert reading.tags == {"zone": "lake"}
    assert reading.fields["temperature_c"] == 21.5
    assert "zone_text" not in reading.fields


@pytest.mark.parametrize("zone", ["", " lake", "z" * 65, "a\nb"])
def test_what_cannot_be_a_zone_stays_a_text(zone: str) -> None:
    reading = senml(TEMPERATURE, {"n": "zone", "vs": zone})
    assert (reading.fields, reading.tags) == ({"temperature_c": 21.5, "zone_text": zone}, {})


def test_a_number_called_zone_and_a_pack_that_says_nothing_else() -> None:
    assert senml(TEMPERATURE, {"n": "zone", "v": 3.0}).fields == {"temperature_c": 21.5, "zone": 3.0}
    alone = senml({"bn": "post-1:", "n": "zone", "vs": "lake"})
    assert (alone.fields, alone.tags) == ({"zone_text": "lake"}, {})


@pytest.mark.parametrize("device", [SENML, TTN, CHIRPSTACK], ids=lambda device: device.name)
def test_a_zone_comes_back(device: MessageDevice) -> None:
    sent = Reading({"temperature_c": 21.5}, 1_752_739_200_000_000_000, "post-1", {"zone": "lake"})
    (read,) = device.decode("v3/a@t/devices/post-1/up", device.encode(sent), NOW)
    assert isinstance(read, Reading)
    assert (read.thing, read.time_ns, read.tags) == ("post-1", 1_752_739_200_000_000_000, {"zone": "lake"})
    assert read.fields["temperature_c"] == 21.5
