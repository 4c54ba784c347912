"""A publisher that gives up nothing: QoS 1, reconnects, sends again what was not acknowledged.

Message n of a run is a SenML pack of thing `t<n % things>` with its own time and the count
`seq` = n // things, so that the store can be audited by what it holds. A message sent twice
(the broker took it, its PUBACK was lost) carries the same time: storing it twice is no
duplicate. `acknowledged` are the messages the broker took charge of: those may not be lost.
"""

import asyncio
import json
from collections import deque

import mqtt5

START_NS = 1_790_000_000_000_000_000
"""2026-09-21; message n is from START_NS + n milliseconds."""


def pack(thing: str, seq: int, time_ns: int) -> bytes:
    records = [
        {"bn": f"{thing}/", "bt": time_ns / 1e9, "n": "temperature", "u": "Cel", "v": 20.5},
        {"n": "seq", "v": seq},
    ]
    return json.dumps(records).encode()


async def pace(seconds: float) -> None:
    """The load's own clock: how often it sends or knocks. Nothing is asserted on it."""
    done = asyncio.Event()
    asyncio.get_running_loop().call_later(seconds, done.set)
    await done.wait()


class Publisher:
    """Publishes messages first..first+count-1 to `<prefix>/<thing>`; `run` returns when all are acknowledged."""

    def __init__(self, port: int, *, things: int = 10, prefix: str = "park", client_id: str = "load") -> None:
        self.port = port
        self.things = things
        self.prefix = prefix
        self.client_id = client_id
        self.acknowledged = 0
        self._waiting: dict[int, int] = {}  # packet identifier -> message
        self._progress = asyncio.Event()

    def message(self, number: int) -> tuple[str, bytes]:
        thing = f"t{number % self.things}"
        return f"{self.prefix}/{thing}", pack(thing, number // self.things, START_NS + number * 1_000_000)

    async def run(self, count: int, *, first: int = 0, rate: float | None = None, window: int = 200) -> None:
        """`rate` is messages a second (None: as the window allows); `window` is unacknowledged messages."""
        todo = deque(range(first, first + count))
        while todo or self._waiting:
            todo.extendleft(sorted(self._waiting.values(), reverse=True))
            self._waiting.clear()
            try:
                await self._session(todo, rate, window)
            except (OSError, EOFError):  # the broker is away
                await pace(0.05)

    async def reached(self, acknowledged: int) -> None:
        """Wait until so many messages have been acknowledged."""
        while self.acknowledged < acknowledged:
            self._progress.clear()
            await self._progress.wait()

    async def _session(self, todo: deque[int], rate: float | None, window: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(mqtt5.ConnectPacket(self.client_id, clean_start=True).write())
            packets = Packets(reader)
            connack = await packets.next()
            assert isinstance(connack, mqtt5.ConnAckPacket)
            send = asyncio.ensure_future(self._send(writer, todo, rate, min(window, connack.receive_max)))
            acks = asyncio.ensure_future(self._acknowledgements(packets))
            try:
                await asyncio.wait((send, acks), return_when=asyncio.FIRST_COMPLETED)
                (send if send.done() else acks).result()
            finally:
                for task in (send, acks):
                    task.cancel()
                await asyncio.gather(send, acks, return_exceptions=True)
        finally:
            writer.close()

    async def _send(self, writer: asyncio.StreamWriter, todo: deque[int], rate: float | None, window: int) -> None:
        loop = asyncio.get_running_loop()
        start, sent = loop.time(), 0
        while todo or self._waiting:
            if not todo or len(self._waiting) >= window:
                self._progress.clear()
                await self._progress.wait()
                continue
            number = todo.popleft()
            packet_id = sent % 65_535 + 1
            topic, payload = self.message(number)
            self._waiting[packet_id] = number
            packet = mqtt5.PublishPacket(topic, payload, qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=packet_id)
            writer.write(packet.write())
            sent += 1
            if rate and sent / rate > loop.time() - start + 0.005:
                await pace(0.005)
            elif sent % 50 == 0:
                await writer.drain()

    async def _acknowledgements(self, packets: "Packets") -> None:
        while True:
            packet = await packets.next()
            if isinstance(packet, mqtt5.PubAckPacket) and self._waiting.pop(packet.packet_id, None) is not None:
                self.acknowledged += 1
                self._progress.set()


class Packets:
    """The packets of a stream, one by one; EOFError when it ends."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._buffer = b""

    async def next(self) -> mqtt5.Packet:
        while True:
            try:
                packet, used = mqtt5.read(memoryview(self._buffer))
            except IndexError:  # not whole yet
                data = await self._reader.read(65_536)
                if not data:
                    raise EOFError from None
                self._buffer += data
            else:
                self._buffer = self._buffer[used:]
                return packet
