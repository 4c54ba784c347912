"""Any bytes from a broker: packets or one named error, a state for people, and memory up to a bound."""

import asyncio
import contextlib
import random
import tracemalloc
from collections.abc import Callable, Iterator

import mqtt5
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.intake import Acknowledger
from gateway.sources.mqtt.receive import (
    BUFFER_BYTES,
    HEAD_BYTES,
    KNOWN_BYTES,
    KNOWN_TOPICS,
    OVERHEAD_BYTES,
    Malformed,
    Receiver,
)
from tests.fuzz.effort import effort
from tests.gateway.mqtt_room import CONNACK, FalseBroker, HastyClock, false_broker, running
from tests.gateway.sources.test_mqtt_receive import AGAIN, MALFORMED, PINGRESP, QOS_0, QOS_1, Bench, Nobody, publish


def framed(head: int, body: bytes) -> bytes:
    """A packet of any type and flags whose length is true."""
    return bytes([head, len(body)]) + body


PIECES = st.one_of(
    st.binary(max_size=40),
    st.builds(framed, st.integers(0, 255), st.binary(max_size=100)),
    st.sampled_from([QOS_0, QOS_1, AGAIN, PINGRESP, *(data for data, _ in MALFORMED.values())]),
    st.builds(publish, st.binary(max_size=8), st.binary(max_size=200), st.none() | st.integers(0, 65_535)),
    st.builds(publish, st.just(b"t"), st.integers(900, 80_000).map(bytes), st.integers(1, 9)),
)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the codec's own, before it panics
@effort(400)
@given(pieces=st.lists(PIECES, max_size=12), step=st.integers(1, 5000))
@example(pieces=[b"\x30\xff\xff\xff\x7f" + b"\x00" * 90_000], step=4096)
def test_any_bytes_are_packets_or_malformed(pieces: list[bytes], step: int) -> None:
    bench = Bench(max_payload=1000)
    stream = b"".join(pieces)
    with contextlib.suppress(Malformed):
        for start in range(0, len(stream), step):
            bench.feed(stream[start : start + step])
            assert bench.receiver.space().obj is not None
            assert len(bench.receiver.space()) <= BUFFER_BYTES
    assert all(len(head) <= HEAD_BYTES for _, head, _ in bench.memory.large)
    assert all(len(message.payload) <= 1000 for message in bench.memory.messages)


SAID = st.one_of(
    st.binary(min_size=1, max_size=300),
    st.builds(framed, st.integers(0, 255), st.binary(max_size=100)),
    st.builds(framed, st.sampled_from([0x20, 0x40, 0x62, 0x70, 0x90, 0xB0, 0xD0, 0xE0, 0xF0]), st.binary(max_size=9)),
    st.sampled_from([QOS_0, QOS_1, AGAIN, PINGRESP, CONNACK]),
)


@effort(150)
@given(said=st.lists(SAID, min_size=1, max_size=5), greeted=st.booleans())
def test_a_session_ends_in_a_state_for_people(
    said: list[bytes], greeted: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    async def check() -> None:
        async def script(broker: FalseBroker) -> None:
            await broker.expect(mqtt5.ConnectPacket)
            await broker.say((CONNACK if greeted else b"") + b"".join(said))

        async with false_broker(script) as url, running(url, "a/#", clock=HastyClock()) as room:
            await room.says("down: ")
            assert not room.task.done()

    asyncio.run(check())
    capfd.readouterr()


class Forgetful:
    """An intake that keeps nothing."""

    topics: frozenset[str] = frozenset()

    def message(
        self,
        connection: Acknowledger,
        topic: str,
        payload: bytes,
        packet_id: int | None,
        duplicate: bool,
        retained: bool = False,
    ) -> None: ...

    def oversize(
        self, connection: Acknowledger, topic: str, head: bytes, size: int, packet_id: int | None, duplicate: bool
    ) -> None: ...

    def spare(self, connection: Acknowledger, packet_id: int) -> None: ...

    def chunk_end(self, connection: Acknowledger) -> None: ...

    def settled(self, connection: Acknowledger, packet_ids: set[int]) -> None: ...


def ignored(_: mqtt5.Packet) -> None: ...


def length(size: int) -> bytes:
    """A number as MQTT writes lengths."""
    out = b""
    while True:
        size, low = size >> 7, size & 0x7F
        out += bytes([low | (0x80 if size else 0)])
        if not size:
            return out


MAX_PAYLOAD = 1 << 18
MOST_KEPT = MAX_PAYLOAD + OVERHEAD_BYTES + BUFFER_BYTES + KNOWN_BYTES + 120 * KNOWN_TOPICS
"""The buffer while it grows; names, and their places in the set. 42 MB; 22 million were measured."""


def long_names(letter: str, count: int) -> Iterator[bytes]:
    width = len(letter.encode())
    for number in range(count):
        yield publish(f"{number:06}{letter * ((65_535 - 6) // width)}".encode(), b"", 1)


def with_properties(count: int) -> bytes:
    properties = b"\x26\x00\x01a\x00\x01b" * count
    body = b"\x00\x01t" + length(len(properties)) + properties
    return b"\x30" + length(len(body)) + body


HOSTILE: dict[str, Callable[[], Iterator[bytes]]] = {
    "new names of 65,535 bytes": lambda: long_names("x", 1000),
    "new names of 65,535 bytes, four to a character": lambda: long_names("\U0001f600", 1000),
    "300,000 new names": lambda: (
        b"".join(publish(b"t/%d" % (1000 * many + number), b"") for number in range(1000)) for many in range(300)
    ),
    "payloads above the limit": lambda: (publish(b"large/%d" % number, bytes(1_000_000), 1) for number in range(64)),
    "payloads at the limit": lambda: (publish(b"x" * 65_000, bytes(MAX_PAYLOAD), 1) for _ in range(200)),
    "40,000 properties": lambda: (with_properties(40_000) for _ in range(100)),
    "a PUBLISH of 256 MB": lambda: (
        b"\x32\xff\xff\xff\x7f\x00\x01t\x00\x07\x00" if not number else bytes(1 << 20) for number in range(65)
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_memory_is_bounded_however_the_bytes_are_cut(name: str) -> None:
    """Some 64 MB in pieces of 1 to 70,000 bytes; what the receiver holds at any time stays below MOST_KEPT."""
    chance = random.Random(9)
    receiver = Receiver(Nobody(), Forgetful(), ignored, MAX_PAYLOAD)
    fed = 0
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for data in HOSTILE[name]():
            at = 0
            while at < len(data):
                space = receiver.space()
                assert 0 < len(space) <= MAX_PAYLOAD + OVERHEAD_BYTES
                step = min(len(space), len(data) - at, chance.choice([1, 7, 4096, 70_000, 70_000, 70_000]))
                space[:step] = data[at : at + step]
                receiver.take(step)
                at += step
            fed += len(data)
        most = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert most < MOST_KEPT, f"{most} bytes for {fed}"
