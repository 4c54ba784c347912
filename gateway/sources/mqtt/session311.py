"""One MQTT 3.1.1 connection through aiomqtt 2 (on paho-mqtt 2), for brokers that speak no MQTT 5.

    broker <--> paho <--messages--> Wire311 (`Acknowledger`)
                     <--the rest--> aiomqtt <--> Session311 (`Link`)

Of aiomqtt this uses connecting, subscribing and disconnecting; the client inside
(`Client._client`, the only private name used here) is shared with `wire311.py`.

Limits: 3.1.1 has no receive maximum: how many messages are on their way unacknowledged is the
broker's setting (mosquitto: max_inflight_messages, 20), and 3.1.1 has no reasons. Payloads
above `max_payload` are received whole before they are refused. About 15,000 messages a second.

aiomqtt waits the whole time limit for a broker that has closed the connection instead of
answering, and keeps the reason to itself; so both are asked of paho: `on_disconnect`, and until
the CONNACK its log, where a TLS alert is told.

Source: MQTT 3.1.1 (OASIS, 2014); paho-mqtt 2.1 client.py; aiomqtt 2.3 client.py.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from typing import Any

import aiomqtt
import paho.mqtt.client as paho
from paho.mqtt.reasoncodes import ReasonCode

from gateway.clock import Clock
from gateway.config import MqttConfig
from gateway.intake import MessageIntake
from gateway.sources.mqtt.copies import Copies
from gateway.sources.mqtt.link import (
    ANSWER_S,
    GOODBYE_S,
    ConnectionEnded,
    Wanted,
    address,
    closed_words,
    connack_words,
    first_of,
    refused_by_tls,
    tls_of,
    unanswered,
    unreachable,
)
from gateway.sources.mqtt.wire311 import Wire311
from gateway.stats import SourceStats

_QUIET = logging.getLogger("parkgate.mqtt.paho")
_QUIET.addFilter(lambda record: record.exc_info is not None)
"""What paho tells at each try, in its own words, is said by the source in ours; its failures are not."""

NO_TOPIC = "parkgate/nothing"
"""A topic filter that is never subscribed to."""


class Session311:
    """One connection from its CONNACK to its end; implements `Link`."""

    def __init__(self, config: MqttConfig, intake: MessageIntake, clock: Clock, stats: SourceStats) -> None:
        self.session_present = False
        self.copies = Copies()  # never asked: 3.1.1 does not say what a message is sent for
        self._config = config
        self._clock = clock
        self._client = _client(config)
        self._paho: paho.Client = self._client._client
        self._wire = Wire311(self._paho, config, intake, clock, stats)
        self._accepted: Callable[..., None] | None = self._paho.on_connect
        self._paho.on_connect = self._on_connect

    @property
    def last_message(self) -> float | None:
        return self._wire.last_message

    async def open(self) -> None:
        """Connect and wait until the broker accepts. Raises ConnectionEnded."""
        greeting = _Greeting(self._paho)
        entering = asyncio.ensure_future(self._client.__aenter__())
        try:
            await first_of(self._clock, None, entering, greeting.cut_off)
            if not entering.done():
                raise refused_by_tls(self._config, greeting.complaint) or unanswered(
                    self._config, "the broker closed the connection"
                )
            entering.result()
        except aiomqtt.MqttCodeError as error:
            code = error.rc.value if isinstance(error.rc, ReasonCode) else int(error.rc or 0x80)
            raise ConnectionEnded(connack_words(code, self._config, None), at_fault=True) from error
        except aiomqtt.MqttError as error:
            if isinstance(error.__context__, OSError):  # aiomqtt keeps its text only
                raise unreachable(self._config, error.__context__) from error
            raise ConnectionEnded(f"{address(self._config.url)}: no answer within {ANSWER_S:g} s") from error
        finally:
            greeting.over()
            entering.cancel()

    async def serve(self) -> None:
        """Wait for the end of the connection (paho keeps it alive), then raise ConnectionEnded."""
        watching = asyncio.ensure_future(self._lost())
        try:
            await first_of(self._clock, None, watching, self._wire.ended)
        finally:
            watching.cancel()
        raise self._wire.ended.result() if self._wire.ended.done() else watching.result()

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

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool) -> None:
        self._paho.publish(topic, payload, qos, retain)

    def stop_reading(self) -> None:
        self._wire.stop_reading()

    def end(self, end: ConnectionEnded) -> None:
        self._wire.end(end)

    async def close(self) -> None:
        """DISCONNECT, once the broker has seen the last acknowledgements, and close.

        Closing with unread data would reset the connection, and the broker might never see them;
        so ask it something that changes nothing, and read (and drop) up to its answer. After a
        DISCONNECT the broker publishes no will (3.1.1 cannot ask for it); so it is published here.
        """
        self.end(ConnectionEnded("closed"))
        self._client.timeout = GOODBYE_S
        self._wire.drain()
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
            return ConnectionEnded(f"{closed_words(self._config)} ({error.__cause__ or error})")
        return ConnectionEnded(closed_words(self._config))

    def _on_connect(self, client: paho.Client, userdata: Any, flags: paho.ConnectFlags, *rest: Any) -> None:
        self.session_present = flags.session_present
        if self._accepted is not None:
            self._accepted(client, userdata, flags, *rest)


class _Greeting:
    """What paho tells between CONNECT and CONNACK: that the connection was `cut_off`, and its last `complaint`."""

    def __init__(self, client: paho.Client) -> None:
        self.cut_off: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.complaint = ""
        self._client = client
        self._told: Callable[..., None] | None = client.on_disconnect
        client.on_log = self._on_log
        client.on_disconnect = self._on_disconnect

    def over(self) -> None:
        """Leave paho as it was: its log has a line for each message."""
        self._client.on_log = None
        self._client.on_disconnect = self._told

    def _on_log(self, client: paho.Client, userdata: Any, level: int, words: str) -> None:  # noqa: ARG002
        if level == paho.MQTT_LOG_ERR:
            self.complaint = words

    def _on_disconnect(self, *about: Any) -> None:
        if not self.cut_off.done():
            self.cut_off.set_result(None)
        if self._told is not None:
            self._told(*about)


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
        tls_context=tls_of(config),
        logger=_QUIET,
    )


async def open_311(config: MqttConfig, intake: MessageIntake, clock: Clock, stats: SourceStats) -> Session311:
    """Connect, and wait until the broker accepts. Raises ConnectionEnded."""
    session = Session311(config, intake, clock, stats)
    await session.open()
    return session
