"""Any bytes, cut anyhow, into every decoder of a serial device: no exception, every byte in one event."""

import tracemalloc
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.spec.device import StreamDevice
from devices.spec.errors import EncodeError
from devices.spec.events import Empty, Event, IntegrityError, Noise, Reading, SanityError, Value
from devices.spec.frame import BinaryFramer, Check, Frame, Length
from tests.device_types import DEVICES
from tests.devices.examples import stream_examples
from tests.fuzz.effort import effort

STREAMS = [device for device in DEVICES if isinstance(device, StreamDevice)]
FRAMES = {device.name: [e.data for e in stream_examples() if e.device is device] for device in STREAMS}
SLACK = 64 * 1024
"""Bytes of Python objects a decoder may hold beside its buffer: open groups, the caches of interned texts."""


def damaged(frames: list[bytes]) -> st.SearchStrategy[bytes]:
    """A frame as it was captured, or with bytes changed, cut out or put in."""
    return st.tuples(
        st.sampled_from(frames), st.integers(0, 2000), st.integers(0, 3), st.one_of(st.just(b""), st.binary(max_size=3))
    ).map(lambda how: how[0] if not how[2] else _spliced(*how))


def _spliced(frame: bytes, at: int, length: int, new: bytes) -> bytes:
    at %= len(frame) + 1
    return frame[:at] + new + frame[at + length - 1 :]


def streams(frames: list[bytes]) -> st.SearchStrategy[bytes]:
    return st.lists(st.one_of(damaged(frames), st.binary(max_size=40)), max_size=8).map(b"".join)


def pieces(data: bytes, cuts: list[int]) -> Iterator[bytes]:
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    for start, end in pairwise(places):
        yield data[start:end]


def size_of(device: StreamDevice, reading: Reading) -> int:
    """Bytes of the frame that a reading was; with any values in the places of those that were left out."""
    left_out: dict[str, Value] = {
        field.name: field.minimum
        for field in device.fields
        if field.minimum is not None and any(words.startswith(field.name) for words in reading.field_errors)
    }
    try:
        return len(device.encode(Reading(left_out | reading.fields, reading.time_ns, reading.thing, reading.tags)))
    except EncodeError as error:
        raise AssertionError(f"{device.name} decoded what it could not have sent: {reading}") from error


UNSEEN = ("nmea0183", "mavlink", "dsmr", "dsmr-v2", "irobot-oi", "irobot-create1", "hpma115s0", "hpma115c0", "jpi-bp")


def check_account(device: StreamDevice, data: bytes, events: list[Event]) -> None:
    """Events tell of all bytes, in their order. What a reading of UNSEEN types was made of is not to be seen in it
    (a group of satellites is several sentences, a memory has several records, a text several messages, a group of
    packets one, an answer shorter than what is sent unasked), nor how a line of text was written: there the others
    have to be found in order, and where there is no reading they are everything."""
    exact = device.name not in UNSEEN and not device.line_end
    at = told = 0
    for event in events:
        if isinstance(event, Reading):
            at += size_of(device, event) if exact else 0
            continue
        found = at if exact else data.find(event.data, at)
        assert found >= 0, event
        assert data[found : found + len(event.data)] == event.data, event
        assert event.detail
        at = found + len(event.data)
        told += len(event.data)
    if exact:
        assert at == len(data)
    elif not any(isinstance(event, Reading) for event in events):
        assert told == len(data)


@pytest.mark.parametrize("device", STREAMS, ids=lambda device: device.name)
def test_any_bytes_in_any_cut(device: StreamDevice) -> None:
    @effort(150)
    @given(data=streams(FRAMES[device.name]), cuts=st.lists(st.integers(0, 4000), max_size=12))
    def holds(data: bytes, cuts: list[int]) -> None:
        decoder = device.decoder()
        events: list[Event] = []
        for piece in pieces(data, cuts):
            events += decoder.feed(piece)
        events += decoder.flush()
        assert all(isinstance(event, Reading | Empty | Noise | IntegrityError | SanityError) for event in events)
        check_account(device, data, events)

    holds()


def drawn_frames() -> st.SearchStrategy[tuple[Frame, ...]]:
    """Frame descriptions that no device has: starts that overlap, lengths, checks of one or two bytes."""

    def frame(start: bytes, kind: str, extra: int) -> Frame:
        least = len(start) + 1 + 2
        size: int | Length = least + extra
        if kind == "length":
            size = Length(len(start), "B", least, frozenset(range(extra + 1)))
        check = Check(lambda data: sum(data) & 0xFF, 0, -1, -1) if kind != "bare" else None
        return Frame(start, size, lambda data: SanityError("a frame", data), check)

    one = st.builds(
        frame,
        st.binary(min_size=1, max_size=3).map(lambda raw: bytes(byte & 1 for byte in raw)),
        st.sampled_from(["length", "fixed", "bare"]),
        st.integers(0, 6),
    )
    return st.lists(one, min_size=1, max_size=3, unique_by=lambda made: made.start).map(tuple)


@effort(300)
@given(
    frames=drawn_frames(),
    data=st.lists(st.integers(0, 3), max_size=80).map(bytes),
    cuts=st.lists(st.integers(0, 80), max_size=8),
)
def test_any_frames_account_for_any_bytes(frames: tuple[Frame, ...], data: bytes, cuts: list[int]) -> None:
    framer = BinaryFramer(frames)
    longest = max(frame.longest for frame in frames)
    told = b""
    fed = 0
    for piece in pieces(data, cuts):
        fed += len(piece)
        told += b"".join(event.data for event in framer.feed(piece) if not isinstance(event, Reading))
        assert fed - len(told) < longest
    told += b"".join(event.data for event in framer.flush() if not isinstance(event, Reading))
    assert told == data


def hostile_streams(device: StreamDevice) -> list[bytes]:
    """What keeps a decoder waiting: beginnings without end, to be repeated."""
    frames = sorted(FRAMES[device.name], key=len)
    frames = [frames[0], frames[len(frames) // 2], frames[-1]]
    units = {frame[:length] for frame in frames for length in (1, 2, 3, 4, len(frame) // 2, len(frame) - 1)}
    units |= {b"\0", b"\xff", b"$", b"!A", b"\xb5\x62", b"\xb5\x62\x01\x02\xf0\x07", b"$GPGSV,9,1,", b"$" + b"A" * 900}
    units |= {b"$G%cGSV,9,1,33,1,2,3,4*00\r\n" % letter for letter in b"PLABQ"}
    return sorted(unit for unit in units if unit)


@pytest.mark.parametrize("device", STREAMS, ids=lambda device: device.name)
def test_what_a_decoder_keeps_is_bounded(device: StreamDevice) -> None:
    for unit in hostile_streams(device):
        decoder = device.decoder()
        data = unit * (4096 // len(unit) + 1)
        decoder.feed(data)
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            for _ in range(4):
                decoder.feed(data)
            kept = tracemalloc.get_traced_memory()[0] - before
        finally:
            tracemalloc.stop()
        assert kept < 4 * device.longest_frame + SLACK, unit[:40]
        waiting = sum(len(event.data) for event in decoder.flush() if not isinstance(event, Reading))
        assert waiting <= 4 * device.longest_frame, unit[:40]
