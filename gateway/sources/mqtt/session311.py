"""One MQTT 3.1.1 connection through aiomqtt 2 (on paho-mqtt 2), for brokers that speak no MQTT 5.

Of aiomqtt this uses connecting, subscribing and disconnecting. Its message queue is unbounded
and its messages carry no duplicate flag, so paho's `on_message` is set on the client inside
(`Client._client`, the only private name used here), where paho's own `manual_ack_set` and `ack`
hold the acknowledgement back until the commit.

Limits: 3.1.1 has no receive maximum: how many messages are on their way unacknowledged is the
broker's setting (mosquitto: max_inflight_messages, 20), and 3.1.1 has no reasons. Payloads
above `max_payload` are received whole before they are refused. `pause` stops reading the
socket; paho then misses PINGRESP and connects again after the keep alive time. About 15,000
messages a second.

Source: MQTT 3.1.1 (OASIS, 2014); paho-mqtt 2.1 client.py; aiomqtt 2.3 client.py.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Sequence
from typing import Any

import aiomqtt
import paho.mqtt.client as paho
from paho.mqtt.reasoncodes import ReasonCode

from gateway.clock import Clock
from gateway.config import MqttConfig
from gateway.intake import MessageIntake
from gateway.sources.mqtt.link import (
    ANSWER_S,
    GOODBYE_S,
    ConnectionEnded,
    Wanted,
    address,
    connack_words,
    first_of,
    tls_context,
)
from gateway.sources.mqtt.receive import HEAD_BYTES
from gateway.stats import SourceStats

NO_TOPIC = "parkgate/nothing"
"""A topic filter that is never subscribed to."""


class Session311:
    """One connection from its CONNACK to its end; implements `Link` and `Acknowledger`."""

    def __init__(self, config: MqttConfig, intake: MessageIntake, clock: Clock, stats: SourceStats) -> None:
        self.session_present = False
        self.last_message: float | None = None
        self._config = config
        self._intake = intake
        self._clock = clock
        self._stats = stats
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[ConnectionEnded] = self._loop.create_future()
        self._chunk_open = False
        self._paused = False
        self._stopped = False
        self._client = _client(config)
        self._paho: paho.Client = self._client._client
        self._paho.manual_ack_set(True)
        self._paho.on_message = self._on_message
        self._accepted: Callable[..., None] | None = self._paho.on_connect
        self._paho.on_connect = self._on_connect

    async def open(self) -> None:
        """Connect and wait until the broker accepts. Raises ConnectionEnded."""
        try:
            await self._client.__aenter__()
        except aiomqtt.MqttCodeError as error:
            code = error.rc.value if isinstance(error.rc, ReasonCode) else int(error.rc or 0x80)
            raise ConnectionEnded(connack_words(code, self._config, None), at_fault=True) from error
        except aiomqtt.MqttError as error:
            raise ConnectionEnded(f"{address(self._config.url)}: {error}".lower()) from error

    async def serve(self) -> None:
        """Wait for the end of the connection (paho keeps it alive), then raise ConnectionEnded."""
        watching = asyncio.ensure_future(self._lost())
        try:
            await first_of(self._clock, None, watching, self._ended)
        finally:
            watching.cancel()
        raise self._ended.result() if self._ended.done() else watching.result()

    async def subscribe(self, wanted: Sequence[Wanted]) -> list[int]:
        """Subscribe and wait for the answer: a reason code each (0 to 2: the QoS granted)."""
        try:
            granted = await self._client.subscribe([(each.filter, each.qos) for each in wanted], timeout=ANSWER_S)
        except aiomqtt.MqttError as error:
            raise ConnectionEnded(f"no answer to SUBSCRIBE: {error}") from error
        return [code if isinstance(code, int) else code.value for code in granted]

    async def unsubscribe(self, filters: Sequence[str]) -> list[int]:
        """UNSUBSCRIBE. The protocol has no way to refuse it."""
        try:
            await self._client.unsubscribe(list(filters), timeout=ANSWER_S)
        except aiomqtt.MqttError as error:
            raise ConnectionEnded(f"no answer to UNSUBSCRIBE: {error}") from error
        return [0] * len(filters)

    def acknowledge(self, packet_ids: list[int]) -> None:
        for packet_id in packet_ids:
            self._paho.ack(packet_id, 1)

    def pause(self) -> None:
        self._paused = True
        self._flow()

    def resume(self) -> None:
        self._paused = False
        self._flow()

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool) -> None:
        self._paho.publish(topic, payload, qos, retain)

    def stop_reading(self) -> None:
        self._stopped = True
        self._flow()

    def end(self, end: ConnectionEnded) -> None:
        if not self._ended.done():
            self._ended.set_result(end)

    async def close(self) -> None:
        """DISCONNECT, once the broker has seen the last acknowledgements, and close.

        Closing with unread data would reset the connection, and the broker might never see them;
        so ask it something that changes nothing, and read (and drop) up to its answer. After a
        DISCONNECT the broker publishes no will (3.1.1 cannot ask for it); so it is published here.
        """
        self.end(ConnectionEnded("closed"))
        self._client.timeout = GOODBYE_S
        self._flow()
        will = self._config.will
        if will is not None and self._paho.is_connected():
            self._paho.publish(will.topic, will.payload, will.qos, will.retain)
        with contextlib.suppress(aiomqtt.MqttError):
            await self._client.unsubscribe(NO_TOPIC)
        with contextlib.suppress(aiomqtt.MqttError):
            await self._client.__aexit__(None, None, None)

    async def _lost(self) -> ConnectionEnded:
        """Wait until aiomqtt says that the connection is gone. No message ever comes this way."""
        try:
            async for _ in self._client.messages:
                pass
        except aiomqtt.MqttError as error:
            return ConnectionEnded(f"the connection broke: {error.__cause__ or error}")
        return ConnectionEnded("the connection broke")

    def _flow(self) -> None:
        socket = self._paho.socket()
        if socket is None:
            return
        self._loop.remove_reader(socket)
        if self._ended.done() or not (self._paused or self._stopped):
            self._loop.add_reader(socket, self._read)

    def _read(self) -> None:
        """What aiomqtt's own reader does, for the time after a pause."""
        self._paho.loop_read()
        socket = self._paho.socket()
        while socket is not None and isinstance(socket, ssl.SSLSocket) and socket.pending():
            self._paho.loop_read()
            socket = self._paho.socket()

    def _on_connect(self, client: paho.Client, userdata: Any, flags: paho.ConnectFlags, *rest: Any) -> None:
        self.session_present = flags.session_present
        if self._accepted is not None:
            self._accepted(client, userdata, flags, *rest)

    def _on_message(self, client: paho.Client, userdata: Any, message: paho.MQTTMessage) -> None:  # noqa: ARG002
        if self._stopped or self._ended.done():
            return
        try:
            topic = message.topic
        except UnicodeDecodeError:
            self._stats.malformed += 1
            self.end(ConnectionEnded("malformed data from the broker: a topic name not in UTF-8", at_fault=True))
            return
        payload = bytes(message.payload)
        self._stats.bytes_in += len(payload) + len(topic)
        packet_id = message.mid if message.qos else None
        if len(payload) > self._config.max_payload:
            self._intake.oversize(self, topic, payload[:HEAD_BYTES], len(payload), packet_id, message.dup)
        else:
            self._intake.message(self, topic, payload, packet_id, message.dup, message.retain)
        self.last_message = self._clock.monotonic()
        if not self._chunk_open:
            self._chunk_open = True
            self._loop.call_soon(self._chunk_end)

    def _chunk_end(self) -> None:
        self._chunk_open = False
        self._intake.chunk_end(self)


def _client(config: MqttConfig) -> aiomqtt.Client:
    where = address(config.url)
    will = config.will
    return aiomqtt.Client(
        where.host,
        where.port,
        identifier=config.client_id,
        username=config.username,
        password=config.password,
        protocol=aiomqtt.ProtocolVersion.V311,
        clean_session=config.session_expiry_s == 0,
        keepalive=config.keepalive_s,
        timeout=ANSWER_S,
        will=None if will is None else aiomqtt.Will(will.topic, will.payload, will.qos, will.retain),
        tls_context=tls_context(config) if where.tls else None,
    )


async def open_311(config: MqttConfig, intake: MessageIntake, clock: Clock, stats: SourceStats) -> Session311:
    """Connect, and wait until the broker accepts. Raises ConnectionEnded."""
    session = Session311(config, intake, clock, stats)
    await session.open()
    return session
