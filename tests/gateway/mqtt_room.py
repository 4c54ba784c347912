"""What the MQTT tests share: an intake that remembers, a plain publisher, a source in a room, a false broker."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import mqtt5

from gateway.clock import Clock, SystemClock
from gateway.config import MqttConfig, SubscriptionConfig
from gateway.intake import Acknowledger
from gateway.sources.mqtt.filters import AskedFilters
from gateway.sources.mqtt.source import MqttSource, make_mqtt_source
from gateway.stats import SourceStats

CONNACK = b"\x20\x03\x00\x00\x00"
QOS1 = mqtt5.QoS.AT_LEAST_ONCE


class HastyClock(SystemClock):
    """Waits are over in a twentieth of the time."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / 20)


async def until(condition: Callable[[], bool], what: str = "", seconds: float = 15.0) -> None:
    """Wait for a condition, with a deadline."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not condition():
        assert loop.time() < deadline, f"not within {seconds:g} s: {what}"
        await asyncio.sleep(0.005)


class Message(NamedTuple):
    topic: str
    payload: bytes
    packet_id: int | None
    duplicate: bool
    retained: bool = False


@dataclass
class Memory:
    """An intake that remembers everything, and acknowledges nothing unless told to."""

    topics: frozenset[str] = frozenset()
    messages: list[Message] = field(default_factory=list)
    large: list[tuple[str, bytes, int]] = field(default_factory=list)
    connections: list[Acknowledger] = field(default_factory=list)
    owed: list[int] = field(default_factory=list)
    heard: set[int] = field(default_factory=set)
    chunks: int = 0
    spares: int = 0

    def message(
        self,
        connection: Acknowledger,
        topic: str,
        payload: bytes,
        packet_id: int | None,
        duplicate: bool,
        retained: bool = False,
    ) -> None:
        self._owe(connection, packet_id)
        self.messages.append(Message(topic, payload, packet_id, duplicate, retained))

    def oversize(
        self, connection: Acknowledger, topic: str, head: bytes, size: int, packet_id: int | None, duplicate: bool
    ) -> None:
        del duplicate
        self._owe(connection, packet_id)
        self.large.append((topic, head, size))

    def spare(self, connection: Acknowledger, packet_id: int) -> None:
        self._owe(connection, packet_id)
        self.spares += 1

    def chunk_end(self, connection: Acknowledger) -> None:
        self.chunks += 1

    def settled(self, connection: Acknowledger, packet_ids: set[int]) -> None:
        del connection
        self.heard |= packet_ids

    def _owe(self, connection: Acknowledger, packet_id: int | None) -> None:
        if connection not in self.connections:
            self.connections.append(connection)
            self.owed.clear()
        if packet_id is not None:
            self.owed.append(packet_id)

    def acknowledge(self, count: int | None = None) -> None:
        """Acknowledge what is owed to the latest connection, the oldest first."""
        ids = self.owed[:count]
        del self.owed[: len(ids)]
        self.connections[-1].acknowledge(ids)

    @property
    def payloads(self) -> list[bytes]:
        return [message.payload for message in self.messages]


class Publisher:
    """A blocking MQTT 5 publisher: `send` returns when the broker has taken it."""

    def __init__(self, port: int, client_id: str = "", **connect: Any) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._socket.sendall(mqtt5.ConnectPacket(client_id, clean_start=True, **connect).write())
        self._buffer = b""
        self.next_packet()

    def next_packet(self) -> mqtt5.Packet:
        while True:
            with contextlib.suppress(IndexError):
                packet, size = mqtt5.read(memoryview(self._buffer))
                self._buffer = self._buffer[size:]
                return packet
            received = self._socket.recv(65_536)
            assert received, "the broker closed the publisher's connection"
            self._buffer += received

    def send(self, topic: str, *payloads: bytes, qos: int = 1, retain: bool = False) -> None:
        for start in range(0, len(payloads), 50):
            some = payloads[start : start + 50]
            for index, payload in enumerate(some, 1):
                packet = mqtt5.PublishPacket(
                    topic, payload, qos=mqtt5.QoS(qos), retain=retain, packet_id=index if qos else None
                )
                self._socket.sendall(packet.write())
            for _ in some if qos else ():
                assert isinstance(self.next_packet(), mqtt5.PubAckPacket)

    def subscribe(self, topic: str) -> None:
        self._socket.sendall(mqtt5.SubscribePacket(1, [mqtt5.TopicFilter(topic, max_qos=QOS1)]).write())
        assert isinstance(self.next_packet(), mqtt5.SubAckPacket)

    def listen(self, *topics: str) -> None:
        """Subscribe such that the retain bit comes as it was published; what is kept comes first.

        Nothing has been received on this connection before.
        """
        filters = [mqtt5.TopicFilter(topic, max_qos=QOS1, retain_as_published=True) for topic in topics]
        self._socket.sendall(mqtt5.SubscribePacket(1, filters).write())
        assert isinstance(self.next_packet(), mqtt5.SubAckPacket)

    def close(self) -> None:
        self._socket.close()


class SpokenStats(SourceStats):
    """Counters that remember every state they have shown."""

    def __init__(self, name: str) -> None:
        self.said: list[str] = []
        super().__init__(name)

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name == "state":
            self.said.append(value)


@dataclass
class Room:
    """A running source with what it brought."""

    source: MqttSource
    intake: Memory
    stats: SpokenStats
    task: "asyncio.Task[None]"

    async def up(self) -> None:
        await until(lambda: self.source.subscribed, f"subscribed; state is {self.stats.state!r}")

    async def says(self, words: str) -> None:
        """Wait until a state with these words has been shown, be it for a moment."""
        said = self.stats.said
        try:
            await until(lambda: any(words in state for state in said))
        except AssertionError:
            raise AssertionError(f"{words!r} was never said, but {said}") from None

    async def got(self, count: int) -> None:
        await until(lambda: len(self.intake.messages) >= count, f"{count} messages")

    async def stop(self) -> None:
        self.source.stop_reading()
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self.source.close()


@contextlib.asynccontextmanager
async def running(
    url: str,
    *topics: str,
    client_id: str = "gateway",
    clock: Clock | None = None,
    asked: Path | None = None,
    **settings: Any,
) -> AsyncIterator[Room]:
    """A source on `url`, subscribed to `topics`; stopped in order at the end. It writes its filters to `asked`."""
    subscriptions = tuple(SubscriptionConfig(topic, "senml") for topic in topics)
    config = MqttConfig("main", url, client_id, subscriptions, **settings)
    intake, stats = Memory(), SpokenStats("mqtt:main")
    known = None if asked is None else AskedFilters(asked, config.session)
    source = make_mqtt_source(config, intake, clock or SystemClock(), stats, asked=known)
    room = Room(source, intake, stats, asyncio.create_task(source.run()))
    try:
        yield room
    finally:
        await room.stop()


Script = Callable[["FalseBroker"], Awaitable[None]]


class FalseBroker:
    """One connection of a broker that does what a test's script says."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        self.number = number
        self._reader = reader
        self._writer = writer
        self._buffer = b""

    async def packet(self) -> mqtt5.Packet:
        while True:
            with contextlib.suppress(IndexError):
                packet, size = mqtt5.read(memoryview(self._buffer))
                self._buffer = self._buffer[size:]
                return packet
            received = await self._reader.read(65_536)
            if not received:
                raise EOFError
            self._buffer += received

    async def expect(self, kind: type[Any]) -> Any:
        """The next packet of a kind; others go by."""
        while not isinstance(packet := await self.packet(), kind):
            pass
        return packet

    async def say(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def welcome(self) -> None:
        """CONNACK, and grant what is asked first."""
        await self.expect(mqtt5.ConnectPacket)
        await self.say(CONNACK)
        asked = await self.expect(mqtt5.SubscribePacket)
        codes = [mqtt5.SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE] * len(asked.topic_filters)
        await self.say(mqtt5.SubAckPacket(asked.packet_id, codes).write())


@contextlib.asynccontextmanager
async def false_broker(script: Script) -> AsyncIterator[str]:
    """Run `script` for every connection; gives the URL. A connection is closed when its script ends."""
    made = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal made
        made += 1
        with contextlib.suppress(EOFError, ConnectionError):
            await script(FalseBroker(reader, writer, made))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"mqtt://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
