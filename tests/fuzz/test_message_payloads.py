"""Any payload into every MQTT device type: events, never an exception, storable readings, bounded memory."""

import gc
import json
import random
import tracemalloc
from collections.abc import Iterator
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.spec.device import MessageDevice
from devices.spec.events import Empty, Event, IntegrityError, Noise, Reading, SanityError
from gateway.decode.names import clean_tag
from gateway.decode.point import _KEYS, Series
from gateway.sinks.local.lines import LineReader
from tests.device_types import DEVICES
from tests.devices.examples import all_examples
from tests.fuzz.effort import effort
from tests.fuzz.test_linear import SHAPES

pytestmark = pytest.mark.slow  # over every type: for make faults

T = 1_700_000_000_000_000_000
MESSAGES = [device for device in DEVICES if isinstance(device, MessageDevice)]
EXAMPLES = {device.name: [e for e in all_examples() if e.device is device] for device in MESSAGES}
HOSTILE: list[Any] = [
    None, True, 0, -1, 1 << 31, 1 << 63, 1 << 64, 10**400, -(10**30), 0.5, 1e308, -1e-320, "", "\0", "a\nb", "\u2028",
    "a,b=c d", '"\\', "\\ ", "x" * 5000, "2024-02-30T25:61:61Z", "1e999", [], {}, [[]], [None], [[[[[[[[[[1]]]]]]]]]],
    {"": 1}, {"time": 1, "thing": 2, "_x": 3, "a\nb": 4}, "time", "NaN", "9999-12-31T23:59:59.999999999Z",
]  # fmt: skip


def check_storable(device: MessageDevice, events: list[Event]) -> None:
    """Events only; and every reading is one point of the strict reader, or none."""
    _KEYS.clear()  # a process takes 1000 field names of a measurement, all cases together have more
    for event in events:
        if not isinstance(event, Reading):
            assert isinstance(event, Empty | Noise | IntegrityError | SanityError)
            assert event.detail
            continue
        assert event.time_ns is None or type(event.time_ns) is int
        thing = clean_tag(event.thing or "") or "unknown"
        line = Series(device.measurement, {**event.tags, "thing": thing}).line(event.fields, None, T)
        if line is None:
            continue
        points, refused = LineReader({}).read(line.encode())
        assert not refused, refused
        assert list(points) == [device.measurement]
        assert points[device.measurement].times == [T]


def changed(value: Any, chance: random.Random) -> Any:
    """The same document with one to three of its parts replaced, left out or doubled."""
    for _ in range(chance.randint(1, 3)):
        value = _changed_once(value, chance)
    return value


def _changed_once(value: Any, chance: random.Random) -> Any:
    if isinstance(value, dict) and value and chance.random() < 0.85:
        key = chance.choice(list(value))
        how = chance.random()
        rest = {name: inner for name, inner in value.items() if name != key}
        if how < 0.1:
            return rest
        if how < 0.2:
            return {**rest, str(key) + chance.choice(["_", "X", "\0", '"', "\n"]): value[key]}
        return {**value, key: _changed_once(value[key], chance)}
    if isinstance(value, list) and value and chance.random() < 0.85:
        at = chance.randrange(len(value))
        if chance.random() < 0.15:
            return value[:at] + value[at + 1 :] + value[:at]
        return [*value[:at], _changed_once(value[at], chance), *value[at + 1 :]]
    return chance.choice(HOSTILE)


def document(data: bytes) -> Any:
    """The document of an example in JSON or CBOR; None where it is neither."""
    for read in (json.loads, cbor2.loads):
        try:
            return read(data)
        except (ValueError, cbor2.CBORError):
            continue
    return None


@pytest.mark.parametrize("device", MESSAGES, ids=lambda device: device.name)
def test_changed_documents(device: MessageDevice) -> None:
    documents = [(e.topic, read) for e in EXAMPLES[device.name] if (read := document(e.data)) is not None]

    @effort(400)
    @given(which=st.sampled_from(documents), seed=st.integers(0, 2**32 - 1), cbor=st.booleans())
    def holds(which: tuple[str, Any], seed: int, cbor: bool) -> None:
        topic, value = which
        value = changed(value, random.Random(seed))
        payload = cbor2.dumps(value) if cbor else json.dumps(value).encode()
        check_storable(device, device.decode(topic, payload, T))

    holds()


@pytest.mark.parametrize("device", MESSAGES, ids=lambda device: device.name)
def test_changed_bytes(device: MessageDevice) -> None:
    examples = EXAMPLES[device.name]

    @effort(300)
    @given(
        which=st.sampled_from(examples),
        at=st.integers(0, 1 << 16),
        length=st.integers(0, 40),
        new=st.one_of(
            st.binary(max_size=12),
            st.sampled_from(
                [b"\\ud800", b"\\u0000", b"NaN", b"1e999", b"\xff\xfe", b"\xc0\x80", b"[" * 2000, b"\x9f" * 99]
            ),
        ),
        topic=st.one_of(st.none(), st.text(max_size=30)),
    )
    def holds(which: Any, at: int, length: int, new: bytes, topic: str | None) -> None:
        at %= len(which.data) + 1
        payload = which.data[:at] + new + which.data[at + length :]
        check_storable(device, device.decode(which.topic if topic is None else topic, payload, T))

    holds()


@pytest.mark.parametrize("device", MESSAGES, ids=lambda device: device.name)
def test_any_bytes(device: MessageDevice) -> None:
    @effort(200)
    @given(
        start=st.sampled_from([b"", b"[", b"[{", b'[{"n":"', b"{", b'{"', b"\x81\xa2", b"\x9f\xbf", b"\x82\xa1\x21"]),
        rest=st.binary(max_size=300),
        topic=st.text(max_size=60),
        received=st.integers(-(1 << 62), 1 << 62),
    )
    def holds(start: bytes, rest: bytes, topic: str, received: int) -> None:
        check_storable(device, device.decode(topic, start + rest, received))

    holds()


KEPT_MOST = 12_000_000
"""Bytes a device type may remember of names, units, times and topics (measured: 7.4 million, senml)."""

PEAK_RATIO = 200
"""Bytes of events and documents that a byte of payload may cost while it is decoded (measured: 153)."""


def unlike(number: int) -> list[bytes]:
    """Payloads with names, units and times that no other number has."""
    payloads = []
    for length in (60, 200):
        name = b"%06d" % number + b"w" * (length - 6)
        unit = b"%d" % number + b"u" * (length // 8)
        month, hour, minute = number % 12 + 1, number // 60 % 24, number % 60
        payloads += [
            b'[{"n":"%s","v":1},{"n":"%s","vb":true},{"n":"%s","vs":"%s"}]' % (name, name, name, name),
            b'[{"bn":"%s/","n":"x","u":"%s","v":%d.5},{"n":"lat","u":"lat","v":1}]' % (name, unit, number),
            b'[{"bn":"%s/","n":"y","u":"%s","v":%d.5,"ut":5}]' % (name, unit, number),
            b'{"end_device_ids":{"device_id":"%s"},"uplink_message":{"f_port":1,"decoded_payload":'
            b'{"%s":%d.5,"t":{"%s":"%s"}}}}' % (name[:36], name, number, name, name),
            b'{"headerId":%d,"timestamp":"20%02d-%02d-11T%02d:%02d:00Z","version":"2.1.0","manufacturer":"%s",'
            b'"serialNumber":"%s"}' % (number, number % 80, month, hour, minute, name, name),
        ]
    return payloads


@pytest.fixture
def only_what_is_new() -> Iterator[None]:
    """The collector passes over what earlier tests have left: it would take most of the time."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("only_what_is_new")
@pytest.mark.parametrize("device", MESSAGES, ids=lambda device: device.name)
def test_what_a_decoder_remembers_is_bounded(device: MessageDevice) -> None:
    """10 MB in 45,000 payloads without two names alike, more than any cache has places for."""
    fed = 0
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(4500):
            for payload in unlike(number):
                device.decode(f"park/{number:0200}/{payload[:3]!r}/state", payload, T)
                fed += len(payload)
        gc.collect()
        kept = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert fed > 10_000_000
    assert kept < KEPT_MOST


@pytest.mark.usefixtures("only_what_is_new")
@pytest.mark.parametrize("device", MESSAGES, ids=lambda device: device.name)
def test_what_decoding_costs_is_bounded(device: MessageDevice) -> None:
    """Payloads of 100 KB of every shape; what is kept of one after it is what a decoder remembers."""
    for name, make in SHAPES.items():
        payload = make(100_000)
        gc.collect()
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            device.decode("v3/x/devices/t/up", payload, T)
            peak = tracemalloc.get_traced_memory()[1] - before
            gc.collect()
            kept = tracemalloc.get_traced_memory()[0] - before
        finally:
            tracemalloc.stop()
        assert peak < PEAK_RATIO * len(payload), name
        assert kept < KEPT_MOST, name
