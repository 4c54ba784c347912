"""A relay in front of a real MQTT broker that makes it forget, while every connection stays up.

    gateway <--> Relay <--> mosquitto

`forget(filter)` takes a subscription away at the broker behind the gateway's back (an UNSUBSCRIBE
of the relay's own, its answer swallowed). `withhold()` drops every PUBLISH for the gateway on the
connections there are now; a new connection gets them. Everything else passes as it is, packet by
packet. SUBSCRIBE is acknowledged and PINGREQ answered by the broker all the while.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import mqtt5

OWN_PACKET = 0xFFF0


class _Connection:
    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self.client = client
        self.server = server
        self.withheld = False
        self.ended = asyncio.Event()


class Relay:
    """`connections` and `subscribes` count what the gateway did; `withheld` the PUBLISH dropped."""

    def __init__(self, broker_port: int) -> None:
        self.port = 0
        self.connections = 0
        self.subscribes = 0
        self.withheld = 0
        self._broker_port = broker_port
        self._alive: set[_Connection] = set()

    def forget(self, topic: str) -> None:
        assert self._alive
        for connection in self._alive:
            connection.server.write(mqtt5.UnsubscribePacket(OWN_PACKET, [topic]).write())

    def withhold(self) -> None:
        assert self._alive
        for connection in self._alive:
            connection.withheld = True

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        from_broker, to_broker = await asyncio.open_connection("127.0.0.1", self._broker_port)
        connection = _Connection(writer, to_broker)
        self._alive.add(connection)
        up = asyncio.create_task(self._pass(reader, to_broker, connection))
        down = asyncio.create_task(self._pass(from_broker, writer, connection))
        try:
            await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._alive.discard(connection)
            for task in (up, down):
                task.cancel()
            to_broker.close()
            writer.close()
            await asyncio.gather(up, down, return_exceptions=True)
            connection.ended.set()

    async def close(self) -> None:
        """End every connection."""
        for connection in list(self._alive):
            connection.client.close()
            connection.server.close()
            await connection.ended.wait()

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, connection: _Connection) -> None:
        to_broker = sink is connection.server
        buffer = b""
        with contextlib.suppress(ConnectionError):
            while data := await source.read(65_536):
                buffer += data
                while True:
                    try:
                        packet, used = mqtt5.read(memoryview(buffer))
                    except IndexError:  # not whole yet
                        break
                    whole, buffer = buffer[:used], buffer[used:]
                    if self._passes(packet, to_broker, connection):
                        sink.write(whole)
                await sink.drain()

    def _passes(self, packet: mqtt5.Packet, to_broker: bool, connection: _Connection) -> bool:
        if to_broker:
            self.subscribes += isinstance(packet, mqtt5.SubscribePacket)
            return True
        if isinstance(packet, mqtt5.UnsubAckPacket):
            assert int(packet.reason_codes[0]) == 0, "the broker had no such subscription"
            return False
        if isinstance(packet, mqtt5.PublishPacket) and connection.withheld:
            self.withheld += 1
            return False
        return True


@contextlib.asynccontextmanager
async def relay(broker_port: int) -> AsyncIterator[Relay]:
    """A relay on a port of its own."""
    found = Relay(broker_port)
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        server.close()
        await found.close()
