"""What every serial device gets for nothing: framing, noise, prefixes, flips, round trips."""

import random
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devices.spec.device import StreamDevice
from devices.spec.errors import EncodeError
from devices.spec.events import Empty, Event, IntegrityError, Noise, Reading, SanityError
from tests.device_types import DEVICES
from tests.devices.examples import Example, merged, stream_examples
from tests.devices.readings import readings

STREAMS = [device for device in DEVICES if isinstance(device, StreamDevice)]
EXAMPLES = stream_examples()
WHOLE = [example for example in EXAMPLES if example.both_ways and len(example.events) == 1]
SINGLE = [example for example in WHOLE if not example.several]
RELAXED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def fed(device: StreamDevice, pieces: Iterator[bytes] | list[bytes]) -> list[Event]:
    """The events of a stream that came in these pieces, and of its end."""
    decoder = device.decoder()
    events = [event for piece in pieces for event in decoder.feed(piece)]
    return merged(events + decoder.flush())


def cut(data: bytes, seed: int) -> Iterator[bytes]:
    """`data` in pieces of 0 to 40 bytes."""
    chance = random.Random(seed)
    position = 0
    while position < len(data):
        size = chance.choice((0, 1, 1, 2, 3, 7, 40))
        yield data[position : position + size]
        position += size


def wrong_bytes(events: list[Event]) -> int:
    return sum(len(event.data) for event in events if not isinstance(event, Reading))


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_byte_by_byte_gives_the_same(example: Example) -> None:
    device = example.device
    assert isinstance(device, StreamDevice)
    assert fed(device, [bytes([byte]) for byte in example.data]) == fed(device, [example.data])


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_who_names_a_thing_says_that_it_shares_its_port(example: Example) -> None:
    device = example.device
    assert isinstance(device, StreamDevice)
    events = fed(device, [example.data])
    assert device.shared or all(event.thing is None for event in events if isinstance(event, Reading | Empty))


@pytest.mark.parametrize("example", WHOLE, ids=str)
def test_noise_around_costs_nothing(example: Example) -> None:
    device = example.device
    assert isinstance(device, StreamDevice)
    alone = fed(device, [example.data])
    events = fed(device, [b"\x00\x00\x0a", example.data, b"\x00\x00\x00", example.data])
    assert [event for event in events if isinstance(event, Reading)] == alone * 2
    assert wrong_bytes(events) == 6


@pytest.mark.parametrize("example", SINGLE, ids=str)
def test_every_prefix_yields_nothing(example: Example) -> None:
    device = example.device
    assert isinstance(device, StreamDevice)
    frame = example.data.rstrip(b"\r\n")
    for length in range(len(frame)):
        events = fed(device, [frame[:length]])
        assert not any(isinstance(event, Reading) for event in events), length
        assert wrong_bytes(events) == length


@pytest.mark.parametrize("example", [e for e in SINGLE if getattr(e.device, "checked", False)], ids=str)
def test_every_flipped_bit_is_refused(example: Example) -> None:
    """But for the letter case of a checksum in text, which changes nothing."""
    device = example.device
    assert isinstance(device, StreamDevice)
    frame = example.data.rstrip(b"\r\n")
    ending = example.data[len(frame) :]
    for bit in range(8 * len(frame)):
        flipped = bytearray(frame)
        flipped[bit // 8] ^= 1 << bit % 8
        if bit // 8 >= len(frame) - 2 and flipped.lower() == frame.lower():
            continue
        events = fed(device, [bytes(flipped) + ending])
        assert not any(isinstance(event, Reading) for event in events), f"bit {bit % 8} of byte {bit // 8}"
        assert wrong_bytes(events) == len(example.data)


@pytest.mark.parametrize("device", STREAMS, ids=lambda device: device.name)
@RELAXED
@given(data=st.data())
def test_random_readings_come_back(device: StreamDevice, data: st.DataObject) -> None:
    reading = data.draw(readings(device))
    try:
        frame = device.encode(reading)
    except EncodeError:
        return
    assert len(frame) <= device.longest_frame
    events = fed(device, [frame])
    assert len(events) == 1
    found = events[0]
    assert isinstance(found, Reading), found
    assert found.tags == reading.tags
    assert found.time_ns == reading.time_ns
    steps = {field.name: field.step for field in device.fields}
    for name, value in reading.fields.items():
        if isinstance(value, float):
            assert found.fields[name] == pytest.approx(value, rel=0, abs=(steps[name] or 0) / 2), name
        else:
            assert found.fields[name] == value, name


@pytest.mark.parametrize("device", STREAMS, ids=lambda device: device.name)
@RELAXED
@given(seed=st.integers(0, 2**32 - 1), garbage=st.binary(max_size=300))
def test_the_cut_does_not_matter(device: StreamDevice, seed: int, garbage: bytes) -> None:
    frames = [example.data for example in WHOLE if example.device is device]
    chance = random.Random(seed)
    stream = bytearray()
    for _ in range(6):
        stream += chance.choice(frames)
        stream += garbage[: chance.randrange(0, 20)]
        garbage = garbage[7:]
    for _ in range(chance.randrange(0, 4)):
        stream[chance.randrange(len(stream))] ^= 1 << chance.randrange(8)
    data = bytes(stream)
    assert fed(device, cut(data, seed)) == fed(device, [data])


@pytest.mark.parametrize("device", STREAMS, ids=lambda device: device.name)
@RELAXED
@given(data=st.binary(max_size=2000))
def test_garbage_is_accounted_for(device: StreamDevice, data: bytes) -> None:
    decoder = device.decoder()
    for piece in cut(data, len(data)):
        for event in decoder.feed(piece):
            assert isinstance(event, Reading | Empty | Noise | IntegrityError | SanityError)
    events = fed(device, [data])
    if not any(isinstance(event, Reading) for event in events):
        assert wrong_bytes(events) == len(data)


@pytest.mark.parametrize("device", STREAMS, ids=lambda device: device.name)
def test_what_waits_is_bounded(device: StreamDevice) -> None:
    decoder = device.decoder()
    start = next(example.data for example in WHOLE if example.device is device)
    for _ in range(2000):
        decoder.feed(start[:-3])
    waiting = sum(len(event.data) for event in decoder.flush() if not isinstance(event, Reading))
    assert waiting <= 4 * device.longest_frame


def test_a_memory_is_told_once_by_a_port_and_again_by_the_next() -> None:
    device = next(each for each in STREAMS if each.name == "jpi-bp")
    one = b"\x02M1001M20115110321300134097083\x03"
    two = b"\x02M1001M2021511032130013409708315110408000128085071\x03"
    port = device.join()
    (first,) = port.feed(one)
    assert isinstance(first, Reading)
    assert port.feed(one) == [Empty("nothing new in the memory", one)]
    (second,) = port.feed(two)
    assert isinstance(second, Reading)
    assert second.fields["systolic_mmhg"] == 128.0
    assert device.join().feed(one) == [first]
