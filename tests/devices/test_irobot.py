"""iRobot's Open Interface and the broker in its robots, beyond their examples."""

from typing import Any

import pytest

from devices.irobot import irobot_create1, irobot_mqtt, irobot_oi
from devices.irobot.packets import GROUPS, PACKETS
from devices.spec.errors import EncodeError
from devices.spec.events import Event, IntegrityError, Noise, Reading
from simulators.peer import Instrument
from simulators.things import ThingSpec, peer

NOON = 1_767_326_400.0
MANUAL = bytes.fromhex("13051d02190d00a3")
BYTES = {0: 26, 1: 10, 2: 6, 3: 10, 4: 14, 5: 12, 6: 52, 100: 80, 101: 28, 106: 12, 107: 9}
"""Of each group, by the manuals."""


def heard(data: bytes) -> list[Event]:
    decoder = irobot_oi.DEVICE.decoder()
    return decoder.feed(data) + decoder.flush()


def test_groups_have_the_sizes_of_the_manuals() -> None:
    assert set(BYTES) == set(GROUPS)
    for group, size in BYTES.items():
        ids, taken = irobot_oi.TABLE.walk(bytes((group,)) + bytes(size))
        assert (ids, taken) == ((group,), size + 1)
        assert irobot_oi.TABLE.walk(bytes((group,)) + bytes(size - 1)) == ((), 0)
    assert set(PACKETS) == set(range(7, 59))
    assert irobot_create1.TABLE.walk(b"\x2b\0\0") == ((), 0)  # the first Create has no encoders


def test_each_robot_has_its_own_sum() -> None:
    other = bytes.fromhex("13051d02190d00b6")
    for device, good, bad in ((irobot_oi.DEVICE, MANUAL, other), (irobot_create1.DEVICE, other, MANUAL)):
        (reading,) = device.decoder().feed(good)
        assert isinstance(reading, Reading)
        assert reading.fields == {"cliff_front_left_signal": 537.0, "virtual_wall": False}
        assert all(isinstance(event, IntegrityError | Noise) for event in device.decoder().feed(bad))


def test_a_header_among_the_values_is_none() -> None:
    frame = irobot_oi.DEVICE.encode(Reading({"distance_mm": 0x1305, "angle_deg": 0x1D02, "wall": False}))
    assert [event.fields["angle_deg"] for event in heard(frame * 3) if isinstance(event, Reading)] == [7426.0] * 3


def test_halves_of_frames_whose_sum_holds_by_chance_are_not_believed() -> None:
    """The beginning of a frame, and the next one: the ids do not stand where they did (but behind the last of them)."""
    said = {"distance_mm": 1.0, "angle_deg": 2.0, "battery_v": 15.0, "battery_a": 0.2, "encoder_left_count": 7}
    frame = irobot_oi.DEVICE.encode(Reading(dict(said)))
    for cut in range(3, len(frame) - 3):
        body = (frame[:cut] + frame)[: len(frame) - 1]
        grown = body + bytes((-sum(body) & 0xFF,))
        events = heard(frame + grown + frame)
        assert [event.fields for event in events if isinstance(event, Reading)] in ([said] * 2, [said] * 3), cut


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "a frame of 0 bytes of packets: expected 1 to 255"),
        ({"bump_left": True}, "bump_left: no packet says that alone"),
        ({"oi_mode": "ASLEEP"}, "oi_mode: 'ASLEEP' is none of its states"),
        ({"battery_v": 70.0}, "battery_v: 70.0 cannot be said"),
        ({"x_m": 1.0}, "x_m: no packet says that alone"),
    ],
)
def test_what_cannot_be_said(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(EncodeError) as refused:
        irobot_oi.DEVICE.encode(Reading(fields))
    assert words in str(refused.value)


def robot() -> Instrument:
    return peer(ThingSpec("r1", irobot_oi.DEVICE, seed=3, period_s=0.5))


def seconds(instrument: Instrument, begin: float, count: int) -> list[Event]:
    """What it says in that time."""
    decoder, events = irobot_oi.DEVICE.decoder(), list[Event]()
    for second in range(count):
        for frame in instrument.tick(begin + second):
            instrument.delivered(frame)
            events += decoder.feed(frame.data)
    return events + decoder.flush()


def test_the_opening_is_what_the_manual_says() -> None:
    opening = irobot_oi.DEVICE.opening
    assert opening[:3] == bytes((128, 148, 23))
    assert list(opening[3:]) == [
        7,
        8,
        9,
        10,
        11,
        12,
        13,
        14,
        18,
        19,
        20,
        21,
        22,
        23,
        24,
        25,
        26,
        34,
        35,
        43,
        44,
        45,
        58,
    ]


def test_the_double_says_nothing_until_it_is_asked_to_stream() -> None:
    instrument = robot()
    assert seconds(instrument, NOON, 10) == []
    assert instrument.receive(irobot_oi.DEVICE.opening) == b""
    boot, *readings = seconds(instrument, NOON + 10, 10)
    assert isinstance(boot, Noise)
    assert boot.data.startswith(b"bl-start\r\n")
    assert len(readings) > 15
    assert all(isinstance(event, Reading) for event in readings)


def test_the_double_sleeps_after_five_minutes_and_wakes_in_two_steps() -> None:
    instrument, opening = robot(), irobot_oi.DEVICE.opening
    instrument.receive(opening)
    assert len(seconds(instrument, NOON, 300)) > 500
    assert seconds(instrument, NOON + 300, 100) == []
    assert instrument.receive(opening).startswith(b"bl-start")
    assert seconds(instrument, NOON + 400, 5) == []
    assert instrument.receive(opening) == b""
    assert len(seconds(instrument, NOON + 405, 5)) > 5


def test_commands_are_bytes_of_the_manual() -> None:
    codes = {command.name: command.encode({}, None) for command in irobot_oi.DEVICE.commands}  # type: ignore[arg-type]
    assert codes == {"clean": b"\x87", "spot": b"\x86", "dock": b"\x8f"}


@pytest.mark.parametrize(
    ("topic", "thing"),
    [
        ("$aws/things/3144400000000000/shadow/update", "3144400000000000"),
        ("home/roomba", None),
        ("", None),
    ],
)
def test_the_thing_is_the_robots_own_number(topic: str, thing: str | None) -> None:
    (reading,) = irobot_mqtt.DEVICE.decode(topic, b'{"state":{"reported":{"batPct":0}}}', 0)
    assert isinstance(reading, Reading)
    assert (reading.thing, reading.fields) == (thing, {"battery_pct": 0.0})


def test_what_says_where_somebody_lives_is_not_told() -> None:
    payload = (
        b'{"state":{"reported":{"batPct":5,"netinfo":{"addr":1},"wlcfg":{"ssid":"686f6d65"},"mac":"f8:0f",'
        b'"password":"do-not-tell","cloudEnv":"prod","position":{"lat":1},"timezone":"Europe/Paris"}}}'
    )
    (reading,) = irobot_mqtt.DEVICE.decode("", payload, 0)
    assert isinstance(reading, Reading)
    assert reading.fields == {"battery_pct": 5.0}
