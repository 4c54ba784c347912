"""MAVLink beyond its examples: link loss, times, bounds, what is inside a broken frame, secrets."""

from collections import Counter
from importlib import import_module
from itertools import pairwise
from typing import Any

import pytest

from devices.mavlink.device import DEVICE
from devices.spec.errors import EncodeError
from devices.spec.events import Event, IntegrityError, Noise, Reading
from simulators.faults import Armour, Faults, Injector
from simulators.things import ThingSpec, peer

DIALECT: Any = import_module("pymavlink.dialects.v20.all")
NOON = 1_767_326_400.0


def packed(message: Any, seq: int = 0, system: int = 1, component: int = 1) -> bytes:
    link = DIALECT.MAVLink(None, system, component)
    link.seq = seq
    return bytes(message.pack(link))


def beat(seq: int, system: int = 1, component: int = 1) -> bytes:
    return packed(DIALECT.MAVLink_heartbeat_message(2, 3, 81, 0, 3, 3), seq, system, component)


def heard(*pieces: bytes) -> list[Event]:
    decoder = DEVICE.decoder()
    return [event for piece in pieces for event in decoder.feed(piece)] + decoder.flush()


def lost(events: list[Event]) -> list[object]:
    return [event.fields.get("lost_count") for event in events if isinstance(event, Reading)]


@pytest.mark.parametrize(
    ("numbers", "gaps"),
    [
        ((0, 1, 2), (0, 0, 0)),
        ((255, 0, 1), (0, 0, 0)),
        ((250, 4), (0, 9)),
        ((10, 138), (0, 127)),
        ((10, 139, 140), (0, 0, 0)),  # as well 128 lost as 128 back
        ((10, 10, 11), (0, 0, 0)),  # a repeat
        ((200, 0, 1), (0, 55, 0)),  # a restart that looks like a loss
        ((100, 0, 1), (0, 0, 0)),  # and one that does not
    ],
)
def test_gaps_in_the_numbers(numbers: tuple[int, ...], gaps: tuple[int, ...]) -> None:
    assert tuple(lost(heard(*map(beat, numbers)))) == gaps


def test_each_component_counts_for_itself() -> None:
    events = heard(beat(1), beat(7, 2), beat(9, 1, 154), beat(2), beat(9, 2), beat(10, 1, 154))
    assert [(event.thing, event.fields["lost_count"]) for event in events if isinstance(event, Reading)] == [
        ("1-1", 0), ("2-1", 0), ("1-154", 0), ("1-1", 0), ("2-1", 1), ("1-154", 0),
    ]  # fmt: skip


def test_the_losses_that_are_told_are_those_that_happened() -> None:
    link = peer(ThingSpec("mast", DEVICE, seed=5, period_s=1.0))
    injector = Injector(Faults(seed=11, flip=0.01, partial=0.01, duplicate=0.01, noise=0.02), Armour.CHECKED, "mast")
    decoder, said, spoiled, last = DEVICE.decoder(), Counter[str](), Counter[str](), dict[str, int]()
    told = Counter[str]()
    for second in range(3600):
        for frame in link.tick(NOON + second):
            wire = injector.apply(frame.data) if frame.number is not None else None
            link.delivered(frame)
            for event in decoder.feed(b"".join(wire.pieces) if wire else frame.data):
                if isinstance(event, Reading):
                    told[str(event.thing)] += int(event.fields.get("lost_count", 0))
            if wire is not None:
                thing = dict(frame.series)["thing"]
                said[thing] += 1
                if wire.copies == 0:
                    spoiled[thing] += 1
                    last[thing] = last.get(thing, 0) + 1
                else:
                    last[thing] = 0
    assert set(said) == {"1-1", "1-154", "2-1", "255-190"}
    assert all(spoiled[thing] > 30 for thing in said)
    for thing in said:
        assert told[thing] == spoiled[thing] - last[thing], thing


def test_a_time_since_boot_is_one_of_day_once_the_system_has_said_both() -> None:
    attitude = DIALECT.MAVLink_attitude_message(62_000, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    clock = DIALECT.MAVLink_system_time_message(1_767_225_600_250_000, 61_000)
    unset = DIALECT.MAVLink_system_time_message(0, 61_000)
    fix = DIALECT.MAVLink_gps_raw_int_message(63_500_000, 3, 10, 10, 0, 0, 0, 0, 0, 9)
    events = heard(
        packed(attitude), packed(unset, 1), packed(attitude, 2), packed(clock, 3), packed(attitude, 4),
        packed(fix, 5), packed(attitude, 0, 2), packed(attitude, 6, 1, 154),
    )  # fmt: skip
    start = 1_767_225_600_250_000_000
    assert [event.time_ns for event in events if isinstance(event, Reading)] == [
        None, None, None, start, start + 1_000_000_000, start + 2_500_000_000, None, start + 1_000_000_000,
    ]  # fmt: skip


def test_what_lies_in_a_broken_frame_is_told_by_what_follows_it() -> None:
    """A recording on its way is not what vehicles say now; a frame that a broken length has swallowed is."""
    record = packed(DIALECT.MAVLink_log_data_message(1, 0, 30, list(beat(99) + bytes(69))), 3)
    broken = record[:-1] + bytes((record[-1] ^ 1,))
    for events, numbers in (
        (heard(broken + beat(4)), [4]),
        (heard(broken), []),
        (heard(broken + b"\0" + beat(4)), [99, 4]),  # it cannot be told that its length was right
        (heard(record + beat(4)), [3, 4]),
        (heard(*(bytes((byte,)) for byte in broken + beat(4))), [4]),
    ):
        assert [event.fields["seq"] for event in events if isinstance(event, Reading)] == numbers
    swallowed = bytearray(beat(3))
    swallowed[1] = 60
    for behind in (b"\0" * 30, beat(6) * 2, b""):
        events = heard(bytes(swallowed) + beat(4) + beat(5) + behind)
        assert [event.fields["seq"] for event in events if isinstance(event, Reading)][:2] == [4, 5]
    strange = bytes.fromhex("fd2a00000901017f9698")  # an unknown message that claims the next two frames
    events = heard(strange + beat(4) + beat(5) + b"\0\0" + beat(6))
    assert [event.fields["seq"] for event in events if isinstance(event, Reading)] == [4, 5, 6]


def test_a_message_that_is_not_known_says_its_number_and_is_never_a_reading() -> None:
    strange = bytes.fromhex("fd0400000901017f96986162636410be")
    (event,) = heard(strange)
    assert isinstance(event, Noise)
    assert event.detail == "message 9999999 of 1-1 is in no dialect: it cannot be checked, nor read"
    assert lost(heard(beat(8) + strange + beat(10))) == [0, 1]  # a known one whose id is damaged, perhaps
    assert lost(heard(strange * 3 + beat(8) + strange + beat(10))) == [0, 0]  # it comes often, and its number fits
    assert lost(heard(strange * 3 + beat(7) + strange + beat(10))) == [0, 2]  # its number does not fit
    assert all(isinstance(event, Noise) and not event.why for event in heard(strange + b"\0" * 9))


def test_a_frame_whose_flags_are_not_known_is_named() -> None:
    frame = bytes.fromhex("fd0904000301010000000000000002035103036cf3")
    (event,) = heard(frame)
    assert isinstance(event, Noise)
    assert event.detail == "HEARTBEAT with incompatibility flags 0x04, of which not all are known"


def test_a_signature_is_no_proof() -> None:
    frame = bytes.fromhex("fd09010005010100000000000000020351030377cc0315cd5b0700006e49d731573b")
    for data in (frame, frame[:-6] + b"forged"):
        (reading,) = heard(data)
        assert isinstance(reading, Reading)
        assert reading.fields["signed"] is True
        with pytest.raises(EncodeError, match="signed frames need a key"):
            DEVICE.encode(reading)
    assert any(isinstance(event, IntegrityError) for event in heard(frame[:14] + b"\0" + frame[15:]))


def test_secrets_are_not_told() -> None:
    for message in (
        DIALECT.MAVLink_wifi_config_ap_message(b"park", b"do-not-tell"),
        DIALECT.MAVLink_auth_key_message(b"do-not-tell"),
    ):
        (reading,) = heard(packed(message))
        assert isinstance(reading, Reading)
        assert "do-not-tell" not in repr(reading)


def test_many_senders_and_texts_are_bounded() -> None:
    decoder = DEVICE.decoder()
    for number in range(2000):
        text = DIALECT.MAVLink_statustext_message(3, b"x" * 50, 1 + number, 0)
        decoder.feed(packed(text, 0, number % 250, number // 250))
        decoder.feed(beat(0, number % 250, number // 250))
    assert len(decoder._counts) == 256  # type: ignore[attr-defined]
    ends = [event for event in decoder.flush() if isinstance(event, Reading)]
    assert len(ends) == 16


@pytest.mark.parametrize(
    ("fields", "message", "words"),
    [
        ({}, "HEARTBEET", "no message 'HEARTBEET'"),
        ({"seq": 256}, "HEARTBEAT", "256: expected a number from 0 to 255"),
        ({"roll_rad": 0.1}, "HEARTBEAT", "roll_rad: not in HEARTBEAT"),
        ({"system_status": "MAV_STATE_HAPPY"}, "HEARTBEAT", "system_status: 'MAV_STATE_HAPPY' is none of its words"),
        ({"battery_v": 65.535}, "SYS_STATUS", "battery_v: 65.535 is what a message says for 'no value'"),
        ({"battery_v": 900.0}, "SYS_STATUS", "SYS_STATUS: "),
        ({"battery_v": 12.0, "cell_1_v": 4.0}, "BATTERY_STATUS", "battery_v: 12.0 is not what its cells add up to"),
        ({"base_mode": 1, "armed": True}, "HEARTBEAT", "base_mode: 1 and its flags contradict each other"),
        ({"text": "x" * 51}, "STATUSTEXT", "text: expected a text of up to 50 bytes without NUL"),
        ({"wire_version": 1}, "GIMBAL_MANAGER_STATUS", "GIMBAL_MANAGER_STATUS has no place in version 1"),
    ],
)
def test_what_cannot_be_said(fields: dict[str, Any], message: str, words: str) -> None:
    with pytest.raises(EncodeError) as refused:
        DEVICE.encode(Reading(fields, None, "1-1", {"message": message}))
    assert words in str(refused.value)


def test_the_double_counts_up_without_a_gap_and_prints_what_it_is_at_its_start() -> None:
    link = peer(ThingSpec("mast", DEVICE, seed=5, period_s=1.0))
    events: list[Event] = []
    decoder = DEVICE.decoder()
    for second in range(40):
        for frame in link.tick(NOON + second):
            events += decoder.feed(frame.data)
            link.delivered(frame)
    assert isinstance(events[0], Noise)
    assert b"Init ArduCopter" in events[0].data
    readings = [event for event in events if isinstance(event, Reading)]
    assert len(readings) == len(events) - 1
    for thing in ("1-1", "1-154", "2-1", "255-190"):
        numbers = [int(one.fields["seq"]) for one in readings if one.thing == thing]
        assert all((b - a) % 256 == 1 for a, b in pairwise(numbers))
    assert {one.fields["wire_version"] for one in readings if one.thing == "2-1"} == {1}
    assert {one.tags["message"] for one in readings} == {
        "HEARTBEAT", "SYS_STATUS", "SYSTEM_TIME", "GPS_RAW_INT", "ATTITUDE", "GLOBAL_POSITION_INT", "VFR_HUD",
        "BATTERY_STATUS", "STATUSTEXT",
    }  # fmt: skip
    void = [one for one in readings if one.fields.get("fix_type") == "GPS_FIX_TYPE_NO_FIX"]
    assert void
    assert all("latitude_deg" not in one.fields for one in void)
