"""Nonin's packets: what a port that is opened in between makes of them, what a lost frame costs, what waits."""

import random

import pytest

from devices.nonin.packets import PACKET, PacketFramer
from devices.spec.device import StreamDevice
from devices.spec.errors import EncodeError
from devices.spec.events import IntegrityError, Noise, Reading
from devices.spec.line import LineFramer
from tests.device_types import BY_NAME
from tests.devices.published import published

DEVICE = BY_NAME["nonin-df2"]
HANDHELD = BY_NAME["nonin-palmsat"]
assert isinstance(DEVICE, StreamDevice)
assert isinstance(HANDHELD, StreamDevice)
(GOOD,) = (bytes.fromhex(vector["input_hex"]) for vector in published("nonin-df2") if vector["id"] == 97)


def test_what_comes_before_the_first_packet_of_an_opened_port_is_noise() -> None:
    assert isinstance(DEVICE, StreamDevice)
    decoder = DEVICE.join()
    assert isinstance(decoder, PacketFramer)
    *noise, reading = decoder.feed(GOOD[37:] + GOOD)
    assert all(isinstance(event, Noise) for event in noise)
    assert sum(len(event.data) for event in noise if isinstance(event, Noise)) == PACKET - 37
    assert isinstance(reading, Reading)
    (broken,) = decoder.feed(GOOD[5:] + GOOD[:5])
    assert isinstance(broken, IntegrityError)  # it has been in step since


def test_a_lost_frame_costs_its_packet_and_no_other() -> None:
    assert isinstance(DEVICE, StreamDevice)
    decoder = DEVICE.decoder()
    lost = GOOD[:35] + GOOD[40:]
    events = [event for byte in GOOD + lost + GOOD + GOOD for event in decoder.feed(bytes((byte,)))]
    assert [type(event) for event in events] == [Reading, IntegrityError, Reading, Reading]
    assert events[1].detail == "24 of 25 frames before the next packet begins"  # type: ignore[union-attr]
    assert decoder.flush() == []


def test_frames_without_packets_do_not_pile_up() -> None:
    assert isinstance(DEVICE, StreamDevice)
    decoder = DEVICE.decoder()
    events = [event for _ in range(100) for event in decoder.feed(GOOD[5:10])]
    assert [len(event.data) for event in events if isinstance(event, IntegrityError)] == [PACKET] * 4
    assert decoder.flush() == []


def test_random_bytes_between_packets_are_noise() -> None:
    assert isinstance(DEVICE, StreamDevice)
    decoder, chance = DEVICE.decoder(), random.Random(3)
    events = []
    for _ in range(50):
        events += decoder.feed(bytes(chance.randrange(2, 256) for _ in range(chance.randrange(1, 30))))
        events += decoder.feed(GOOD)
    assert sum(isinstance(event, Reading) for event in events) == 50
    assert not any(isinstance(event, IntegrityError) for event in events)


@pytest.mark.parametrize("samples", ["[1,2]", "[256" + ",0" * 24 + "]", "none", '["1"' + ",0" * 24 + "]"])
def test_a_wave_is_25_samples(samples: str) -> None:
    assert isinstance(DEVICE, StreamDevice)
    with pytest.raises(EncodeError, match="25 numbers from 0 to 255"):
        DEVICE.encode(Reading({"firmware_revision": 48, "pleth_samples": samples}))


def test_a_handheld_is_believed_from_its_first_whole_line_on() -> None:
    assert isinstance(HANDHELD, StreamDevice)
    decoder = HANDHELD.join()
    assert isinstance(decoder, LineFramer)
    half, whole = decoder.feed(b"7 HR=072\r\nSPO2=097 HR=072\r\n")
    assert isinstance(half, Noise)
    assert isinstance(whole, Reading)
