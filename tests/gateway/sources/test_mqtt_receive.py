"""Cutting received bytes into packets: literals and every cut; any bytes are tests/fuzz/test_mqtt_bytes.py."""

import sys

import mqtt5
import pytest

from gateway.sources.mqtt.receive import OVERHEAD_BYTES, Malformed, Receiver, packet_length
from tests.gateway.mqtt_room import Memory, Message

# topic "a/b", payload "hi", QoS 0; the same at QoS 1 with packet identifier 10, then as a duplicate
QOS_0 = bytes.fromhex("30 08 0003 612f62 00 6869")
QOS_1 = bytes.fromhex("32 0a 0003 612f62 000a 00 6869")
AGAIN = bytes.fromhex("3a 0a 0003 612f62 000a 00 6869")
KEPT = bytes.fromhex("33 0a 0003 612f62 000b 00 6869")  # identifier 11, sent because of a subscription
PINGRESP = bytes.fromhex("d0 00")
STREAM = QOS_0 + PINGRESP + QOS_1 + AGAIN + KEPT
RECEIVED = [
    Message("a/b", b"hi", None, False),
    Message("a/b", b"hi", 10, False),
    Message("a/b", b"hi", 10, True),
    Message("a/b", b"hi", 11, False, True),
]


class Nobody:
    """An acknowledger that is never asked."""

    def acknowledge(self, packet_ids: list[int]) -> None:
        raise AssertionError(packet_ids)

    def pause(self) -> None:
        raise AssertionError

    def resume(self) -> None:
        raise AssertionError


class Bench:
    """A receiver with what came out of it."""

    def __init__(self, max_payload: int = 1000) -> None:
        self.memory = Memory()
        self.controls: list[str] = []
        self.receiver = Receiver(Nobody(), self.memory, self._control, max_payload)

    def _control(self, packet: mqtt5.Packet) -> None:
        self.controls.append(type(packet).__name__)

    def feed(self, data: bytes) -> int:
        taken = 0
        while data:
            space = self.receiver.space()
            assert len(space) > 0
            step = min(len(space), len(data))
            space[:step] = data[:step]
            taken += self.receiver.take(step)
            data = data[step:]
        return taken


def publish(topic: bytes, payload: bytes, packet_id: int | None = None) -> bytes:
    """A PUBLISH put together by hand."""
    body = len(topic).to_bytes(2, "big") + topic
    body += (packet_id.to_bytes(2, "big") if packet_id is not None else b"") + b"\0" + payload
    length, size = b"", len(body)
    while True:
        size, low = size >> 7, size & 0x7F
        length += bytes([low | (0x80 if size else 0)])
        if not size:
            return (b"\x32" if packet_id is not None else b"\x30") + length + body


def test_one_chunk() -> None:
    bench = Bench()
    assert bench.feed(STREAM) == 4
    assert bench.memory.messages == RECEIVED
    assert bench.controls == ["PingRespPacket"]


def test_byte_by_byte() -> None:
    bench = Bench()
    for index in range(len(STREAM)):
        bench.feed(STREAM[index : index + 1])
    assert bench.memory.messages == RECEIVED
    assert bench.controls == ["PingRespPacket"]


@pytest.mark.parametrize("cut", range(1, len(STREAM)))
def test_cut_in_two(cut: int) -> None:
    bench = Bench()
    bench.feed(STREAM[:cut])
    bench.feed(STREAM[cut:])
    assert bench.memory.messages == RECEIVED


@pytest.mark.parametrize("size", [900, 1000, 1001, 70_000, 300_000])
@pytest.mark.parametrize("step", [1000, 65_537, 1 << 20])
def test_payloads_around_the_limit_between_others(size: int, step: int) -> None:
    bench = Bench(max_payload=1000)
    stream = QOS_1 + publish(b"big", b"y" * size, 11) + QOS_0
    for start in range(0, len(stream), step):
        bench.feed(stream[start : start + step])
    topics = [message.topic for message in bench.memory.messages]
    if size <= 1000:
        assert topics == ["a/b", "big", "a/b"]
        assert bench.memory.large == []
    else:
        assert topics == ["a/b", "a/b"]
        [(topic, head, told)] = bench.memory.large
        assert topic == "big"
        assert head.strip(b"\0") == b"y" * len(head.strip(b"\0"))
        assert len(head) in (min(size, 4096), 4096)
        assert size <= told <= size + 20
    assert bench.memory.owed == ([10, 11] if size != 0 else [])


def test_a_packet_larger_than_the_first_buffer() -> None:
    bench = Bench(max_payload=3 << 20)
    payload = bytes(range(256)) * 8192
    bench.feed(QOS_0 + publish(b"t", payload) + QOS_0)
    assert bench.memory.payloads == [b"hi", payload, b"hi"]


MALFORMED = {
    "unknown type": (b"\x00\x00", 0x81),
    "five length bytes": (b"\x30\xff\xff\xff\xff\x01", 0x81),
    "topic longer than the packet": (b"\x30\x04\x00\x09ab", 0x81),
    "empty publish": (b"\x30\x00", 0x81),
    "topic not in UTF-8": (b"\x30\x04\x00\x01\xff\x00", 0x81),
    "property not in UTF-8": (publish(b"t", b"")[:1] + b"\x09\x00\x01t\x05\x26\x00\x01\xff\x00\x00", 0x81),
    "QoS 3": (b"\x36\x06\x00\x01t\x00\x01\x00", 0x81),
    "QoS 2": (b"\x34\x06\x00\x01t\x00\x01\x00", 0x9B),
    "QoS 1 with packet identifier 0": (b"\x32\x06\x00\x01t\x00\x00\x00", 0x9B),
    "no topic name": (b"\x30\x03\x00\x00\x00", 0x81),
    "topic alias that was not offered": (b"\x30\x06\x00\x00\x03\x23\x00\x01", 0x94),
    "wildcard in a topic name": (b"\x30\x06\x00\x03a/#\x00", 0x90),
    "NUL in a topic name": (b"\x30\x06\x00\x03a\x00b\x00", 0x90),
    "giant that is no publish": (b"\x90\xff\xff\xff\x7f", 0x95),
    "length that lies": (b"\xd0\x01\x00", 0x81),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    data, reason = MALFORMED[name]
    bench = Bench()
    with pytest.raises(Malformed) as caught:
        bench.feed(QOS_0 + data + QOS_0)
    assert int(caught.value.reason) == reason
    assert str(caught.value)
    assert bench.memory.messages[0] == RECEIVED[0]
    capfd.readouterr()


def test_a_large_publish_without_a_sound_head() -> None:
    giant = publish(b"t" * 100, b"z" * 200_000, 5)
    for damage, reason in ((b"\x34", 0x9B), (b"\x36", 0x81)):
        with pytest.raises(Malformed) as caught:
            Bench().feed(damage + giant[1:])
        assert int(caught.value.reason) == reason
    with pytest.raises(Malformed, match="UTF-8"):
        Bench().feed(publish(b"\xff" * 100, b"z" * 200_000, 5))
    with pytest.raises(Malformed, match="wildcard"):
        Bench().feed(publish(b"a/#", b"z" * 200_000, 5))
    with pytest.raises(Malformed, match="packet identifier"):
        Bench().feed(publish(b"a", b"z" * 200_000, 0))


@pytest.mark.parametrize(
    ("data", "length"),
    [
        (b"", None),
        (b"\x30", None),
        (b"\x30\x80", None),
        (b"\x30\x00", 2),
        (b"\x30\x7f", 129),
        (b"\x30\x80\x01", 131),
        (b"\x30\xff\xff\xff\x7f", 268_435_460),
    ],
)
def test_packet_length(data: bytes, length: int | None) -> None:
    assert packet_length(memoryview(data)) == length


def test_a_flood_of_topic_names_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.sources.mqtt.receive.KNOWN_TOPICS", 100)
    bench = Bench()
    for number in range(1000):
        bench.feed(publish(b"t/%d" % number, b""))
    assert len(bench.memory.messages) == 1000
    assert len(bench.receiver._known) <= 100


def test_the_buffer_is_no_larger_than_it_must_be() -> None:
    bench = Bench(max_payload=1 << 20)
    bench.feed(publish(b"t", bytes(1 << 20))[:-1])
    assert sys.getsizeof(bench.receiver.space().obj) <= (1 << 20) + OVERHEAD_BYTES


def test_a_topic_that_has_come_before_is_not_remembered_twice() -> None:
    memory = Memory()
    receiver = Receiver(Nobody(), memory, lambda _packet: None, 1000, {"a/b"})
    for topic in (b"a/b", b"a/c", b"a/b"):
        data = publish(topic, b"1")
        receiver.space()[: len(data)] = data
        receiver.take(len(data))
    assert [message.topic for message in memory.messages] == ["a/b", "a/c", "a/b"]
    assert receiver._known == {"a/c"}
