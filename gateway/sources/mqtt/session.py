"""One MQTT 5 connection: CONNECT, keep alive, subscriptions, DISCONNECT.

    broker <--bytes--> Wire (asyncio transport, flow) <--packets--> Session (`Link`)

Keep alive: a PINGREQ every half of the keep alive time; nothing heard for the other half ends
the connection. Silence does not count while the intake has paused it.

Source: MQTT 5.0 (OASIS, 2019): 3.1 CONNECT, 3.1.2.10 keep alive, 4.13 errors.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from itertools import groupby
from typing import TypeVar

import mqtt5
from mqtt5 import DisconnectReasonCode as Reason
from mqtt5 import QoS

from gateway.clock import Clock
from gateway.config import MqttConfig
from gateway.intake import MessageIntake
from gateway.routes import topic_filter
from gateway.sources.mqtt.copies import Copies
from gateway.sources.mqtt.link import (
    ANSWER_S,
    GOODBYE_S,
    ConnectionEnded,
    TlsEnded,
    Wanted,
    address,
    connack_words,
    disconnect_words,
    first_of,
    log,
    suback_words,
    tls_of,
    unanswered,
    unreachable,
)
from gateway.sources.mqtt.receive import Malformed
from gateway.sources.mqtt.wire import Wire
from gateway.stats import SourceStats

FILTERS_PER_PACKET = 8  # what AWS IoT Core takes in one packet; others take more
TAKEN_OVER_WAIT_S = 10.0
"""Two gateways with one client id would otherwise throw each other out several times a second."""

_ALWAYS = mqtt5.RetainHandling.SEND_ALWAYS
_ONCE = mqtt5.RetainHandling.SEND_IF_SUBSCRIPTION_NOT_EXISTS
_T = TypeVar("_T")


class Session:
    """One connection from its CONNACK to its end; implements `Link`. Made by `open_session`."""

    def __init__(self, config: MqttConfig, intake: MessageIntake, clock: Clock, stats: SourceStats) -> None:
        self.session_present = False
        self.copies = Copies(topic_filter(each.topic) for each in config.subscriptions)
        self._numbered = True  # the broker takes subscription identifiers
        self._config = config
        self._clock = clock
        self._stats = stats
        self._keepalive_s = float(config.keepalive_s)
        self._greeting: asyncio.Future[mqtt5.ConnAckPacket] = asyncio.get_running_loop().create_future()
        self._asking: dict[int, tuple[asyncio.Future[list[int]], Sequence[str]]] = {}  # and the filters asked for
        self._packet_id = 0
        self._published: dict[int, str] = {}  # topics of QoS 1, until PUBACK
        self.wire = Wire(intake, self._control, config, clock, stats, self.copies)

    @property
    def last_message(self) -> float | None:
        return self.wire.last_message

    async def greet(self) -> None:
        """Send CONNECT and wait for a CONNACK that accepts it."""
        self.wire.send(connect_packet(self._config).write())
        try:
            greeting = await self._answer(self._greeting, "CONNECT")
        except ConnectionEnded as end:
            if isinstance(end, TlsEnded) or not self.wire.ended.done():
                raise
            raise unanswered(self._config, str(end)) from None
        code = int(greeting.reason_code)  # the codec's enumerations are not int, whatever its stub says
        if code:
            why = connack_words(code, self._config, greeting.reason_str)
            raise ConnectionEnded(why, at_fault=True)
        self.session_present = greeting.session_present
        self._numbered = greeting.subscription_id_available
        if greeting.server_keep_alive is not None and self._keepalive_s:
            self._keepalive_s = float(greeting.server_keep_alive)
        expiry = greeting.session_expiry_interval
        if expiry is not None and expiry < self._config.session_expiry_s and not self._stats.connects:
            log.warning("mqtt:%s: the broker keeps the session for %d s only", self._config.name, expiry)

    async def serve(self) -> None:
        """Ping until the connection has ended, then raise ConnectionEnded."""
        wire = self.wire
        expected: int | None = None
        while True:
            await first_of(self._clock, self._keepalive_s / 2 or None, wire.ended)
            if wire.ended.done():
                raise wire.ended.result()
            if expected == wire.heard and not wire.flow.paused:
                why = f"nothing heard for {self._keepalive_s / 2:g} s, not even an answer to PINGREQ"
                wire.end(ConnectionEnded(why), Reason.KEEP_ALIVE_TIMEOUT)
                raise wire.ended.result()
            expected = None if wire.flow.paused else wire.heard
            wire.ping()

    async def subscribe(self, wanted: Sequence[Wanted]) -> list[int]:
        """SUBSCRIBE, a few filters of one number a packet; the reason code of each filter."""
        # A retained message has been had if the session is still there. And the retain bit
        # is to mark what comes because of this subscription, not what is published now and
        # kept for others: the one may be an old value, the other is a new one.
        codes: list[int] = []
        for number, alike in groupby(wanted, lambda each: each.number if self._numbered else 0):
            filters = [
                mqtt5.TopicFilter(
                    each.filter,
                    max_qos=QoS(each.qos),
                    retain_as_published=False,
                    retain_handling=_ALWAYS if each.fetch else _ONCE,
                )
                for each in alike
            ]
            for start in range(0, len(filters), FILTERS_PER_PACKET):
                some = filters[start : start + FILTERS_PER_PACKET]
                packet = mqtt5.SubscribePacket(self._next_id(), some, subscription_id=number or None)
                codes += await self._ask(packet, [each.pattern for each in some], "SUBSCRIBE")
        return codes

    async def unsubscribe(self, filters: Sequence[str]) -> list[int]:
        """UNSUBSCRIBE, a few filters a packet; the reason code of each filter."""
        codes: list[int] = []
        for start in range(0, len(filters), FILTERS_PER_PACKET):
            some = list(filters[start : start + FILTERS_PER_PACKET])
            codes += await self._ask(mqtt5.UnsubscribePacket(self._next_id(), some), some, "UNSUBSCRIBE")
        return codes

    def _next_id(self) -> int:
        self._packet_id = self._packet_id % 65_535 + 1
        return self._packet_id

    async def _ask(
        self, packet: mqtt5.SubscribePacket | mqtt5.UnsubscribePacket, filters: Sequence[str], what: str
    ) -> list[int]:
        """Send it and wait for a reason code for each filter."""
        answer: asyncio.Future[list[int]] = asyncio.get_running_loop().create_future()
        self._asking[packet.packet_id] = answer, filters
        self.wire.send(packet.write())
        try:
            codes = await self._answer(answer, what)
        finally:
            self._asking.pop(packet.packet_id, None)
        if len(codes) != len(filters):
            why = f"malformed data from the broker: {len(codes)} answers to {len(filters)} filters of {what}"
            raise ConnectionEnded(why, at_fault=True)
        return codes

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool) -> None:
        packet_id = None
        if qos:
            packet_id = self._next_id()
            self._published[packet_id] = topic
        self.wire.send(mqtt5.PublishPacket(topic, payload, qos=QoS(qos), retain=retain, packet_id=packet_id).write())

    def stop_reading(self) -> None:
        self.wire.stop_reading()

    def end(self, end: ConnectionEnded) -> None:
        # mosquitto 2.0.11 publishes the will only if told to, not after an error as it should
        self.wire.end(end, Reason.DISCONNECT_WITH_WILL_MESSAGE if self._config.will else Reason.UNSPECIFIED_ERROR)

    async def close(self) -> None:
        """DISCONNECT, flush, wait for the broker to close; cut after GOODBYE_S.

        Where there is a will the broker is told to publish it: we are as absent as after a crash.
        """
        wire = self.wire
        parting = Reason.DISCONNECT_WITH_WILL_MESSAGE if self._config.will else Reason.NORMAL_DISCONNECTION
        wire.end(ConnectionEnded("closed"), parting)
        if wire.transport is not None:
            if wire.transport.can_write_eof():
                with contextlib.suppress(OSError):  # gone already; connection_lost will say so
                    wire.transport.write_eof()
            await first_of(self._clock, GOODBYE_S, wire.closed)
        self.abandon()

    def abandon(self) -> None:
        """Cut the connection at once."""
        if self.wire.transport is not None:
            self.wire.transport.abort()

    async def _answer(self, answer: "asyncio.Future[_T]", to: str) -> _T:
        """The broker's answer; ConnectionEnded if the connection ends, or it does not come in time."""
        await first_of(self._clock, ANSWER_S, answer, self.wire.ended)
        if answer.done():
            return answer.result()
        if self.wire.ended.done():
            raise self.wire.ended.result()
        raise ConnectionEnded(f"no answer to {to} within {ANSWER_S:g} s")

    def _control(self, packet: mqtt5.Packet) -> None:
        """Take a packet that is not a PUBLISH."""
        match packet:
            case mqtt5.PingRespPacket():
                self.wire.pong()
            case mqtt5.ConnAckPacket() if not self._greeting.done():
                self._greeting.set_result(packet)
            case mqtt5.SubAckPacket() | mqtt5.UnsubAckPacket() if packet.packet_id in self._asking:
                answer, filters = self._asking[packet.packet_id]
                codes = [int(code) for code in packet.reason_codes]
                if isinstance(packet, mqtt5.SubAckPacket):  # at once: the next message may have come with it
                    self.copies.grant(topic for topic, code in zip(filters, codes, strict=False) if code < 0x80)
                if not answer.done():
                    answer.set_result(codes)
            case mqtt5.PubAckPacket() if packet.packet_id in self._published:
                topic = self._published.pop(packet.packet_id)
                if int(packet.reason_code) >= 0x80:
                    why = suback_words(int(packet.reason_code))
                    log.warning("mqtt:%s: the broker did not take a message to %r: %s", self._config.name, topic, why)
            case mqtt5.DisconnectPacket():
                code = int(packet.reason_code)
                taken_over = code == int(Reason.SESSION_TAKEN_OVER)
                why = disconnect_words(code, self._config, packet.reason_str)
                self.wire.end(
                    ConnectionEnded(why, at_fault=taken_over, least_wait_s=TAKEN_OVER_WAIT_S if taken_over else 0.0)
                )
            case _:
                raise Malformed(Reason.PROTOCOL_ERROR, f"an unexpected {type(packet).__name__}")


def connect_packet(config: MqttConfig) -> mqtt5.ConnectPacket:
    """The CONNECT of a configuration. The session is kept, topic aliases are not offered."""
    will = (
        None
        if config.will is None
        else mqtt5.Will(
            config.will.topic,
            payload=config.will.payload.encode(),
            qos=QoS(config.will.qos),
            retain=config.will.retain,
        )
    )
    return mqtt5.ConnectPacket(
        config.client_id,
        username=config.username,
        password=None if config.password is None else config.password.encode(),
        clean_start=False,
        will=will,
        keep_alive=config.keepalive_s,
        session_expiry_interval=config.session_expiry_s,
        receive_max=config.receive_maximum,
        topic_alias_max=0,
    )


async def open_session(config: MqttConfig, intake: MessageIntake, clock: Clock, stats: SourceStats) -> Session:
    """Connect, and wait until the broker accepts. Raises ConnectionEnded."""
    where = address(config.url)
    context = tls_of(config)
    session = Session(config, intake, clock, stats)
    loop = asyncio.get_running_loop()
    connecting = asyncio.ensure_future(
        loop.create_connection(lambda: session.wire, where.host, where.port, ssl=context)
    )
    accepted = False
    try:
        await first_of(clock, ANSWER_S, connecting)
        if not connecting.done():
            raise ConnectionEnded(f"{where}: no answer within {ANSWER_S:g} s")
        connecting.result()
        await session.greet()
        accepted = True
    except OSError as error:
        raise unreachable(config, error) from error
    finally:
        connecting.cancel()
        if not accepted:
            session.abandon()
    return session
