"""The transport of one MQTT 5 connection: bytes in, acknowledgements out, and when to read.

Flow: QoS 1 is held by the receive maximum, since acknowledgements follow commits (mosquitto
2.0.11 keeps to it until the first PUBACK only, see receive.py); `pause` stops reading;
and while the broker does not take our acknowledgements we do not read either, so the send
buffer is bounded too. The acknowledgements of one commit are one write. When to read is `Flow`'s.

A PINGRESP says that the broker has read what was sent before its PINGREQ: the intake is told
which messages will therefore not come again. At full rate a PINGREQ goes out for this alone.

Source: MQTT 5.0 (OASIS, 2019): 3.4 PUBACK, 3.12 PINGREQ, 4.3.2 QoS 1.
"""

import asyncio
import struct
from collections.abc import Callable
from typing import cast

import mqtt5
from mqtt5 import DisconnectReasonCode as Reason

from gateway.clock import Clock
from gateway.config import MqttConfig
from gateway.intake import MessageIntake
from gateway.sources.mqtt.copies import Copies
from gateway.sources.mqtt.flow import Flow, Heard, Hold
from gateway.sources.mqtt.link import ConnectionEnded, broken, closed_words
from gateway.sources.mqtt.receive import Malformed, Receiver
from gateway.stats import SourceStats

CONFIRM = 16_384
"""Acknowledgements after which a PINGREQ asks whether they were heard: a quarter of the identifiers."""

_PUBACK = 0x4002_0000  # type, remaining length 2, packet identifier; no reason code: success
_PING = mqtt5.PingReqPacket().write()


class Wire(asyncio.BufferedProtocol):
    """The transport's side: bytes in, acknowledgements out. An `Acknowledger`."""

    def __init__(
        self,
        intake: MessageIntake,
        control: Callable[[mqtt5.Packet], None],
        config: MqttConfig,
        clock: Clock,
        stats: SourceStats,
        copies: Copies | None = None,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[ConnectionEnded] = loop.create_future()
        self.closed: asyncio.Future[None] = loop.create_future()
        self.transport: asyncio.Transport | None = None
        self.heard = 0
        self.last_message: float | None = None
        self.flow = Flow()
        self._config = config
        self._unconfirmed = Heard()
        self._intake = intake
        self._clock = clock
        self._stats = stats
        self._receiver = Receiver(self, intake, control, config.max_payload, intake.topics, copies)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = self.flow.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = self.flow.transport = None
        if not self.closed.done():
            self.closed.set_result(None)
        if exc is None:
            self.end(ConnectionEnded(closed_words(self._config)))
        else:
            self.end(broken(self._config, exc, answered=self.heard > 0))

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002
        return self._receiver.space()

    def buffer_updated(self, nbytes: int) -> None:
        self.heard += 1
        self._stats.bytes_in += nbytes
        if self.flow.stopped or self.ended.done():
            return
        now = self._clock.monotonic()
        try:
            taken = self._receiver.take(nbytes)
        except Malformed as error:
            self._stats.malformed += 1
            self.end(ConnectionEnded(f"malformed data from the broker: {error}", at_fault=True), error.reason)
            taken = 0
        if taken:
            self.last_message = now
        self._intake.chunk_end(self)
        self.flow.took(taken, nbytes, now)

    def pause_writing(self) -> None:
        self.flow.hold(Hold.CHOKED)

    def resume_writing(self) -> None:
        self.flow.release(Hold.CHOKED)

    def pause(self) -> None:
        self.flow.hold(Hold.INTAKE)

    def resume(self) -> None:
        self.flow.release(Hold.INTAKE)

    def stop_reading(self) -> None:
        self.flow.hold(Hold.STOPPED)

    def acknowledge(self, packet_ids: list[int]) -> None:
        """Send PUBACKs, in this order, in one write."""
        self.send(struct.pack(f">{len(packet_ids)}I", *[_PUBACK | packet_id for packet_id in packet_ids]))
        if self._unconfirmed.sent(packet_ids) >= CONFIRM:
            self.ping()

    def ping(self) -> None:
        """Send PINGREQ; its answer says that the acknowledgements before it have been heard."""
        self._unconfirmed.pinged()
        self.send(_PING)

    def pong(self) -> None:
        """Take note of a PINGRESP."""
        heard = self._unconfirmed.answered()
        if heard is not None:
            self._intake.settled(self, heard)

    def send(self, data: bytes) -> None:
        """Write to the broker; nothing happens once the connection has ended."""
        if self.transport is not None and not self.ended.done():
            self.transport.write(data)

    def end(self, end: ConnectionEnded, tell: Reason | None = None) -> None:
        """End the connection for this reason and, if `tell` is given, say so to the broker.

        What still comes is read and dropped: closing with unread data would reset the connection,
        and the broker might never see the last acknowledgements. `Session.close` closes.
        """
        if self.ended.done():
            return
        if tell is not None:
            self.send(mqtt5.DisconnectPacket(reason_code=tell).write())
        self.ended.set_result(end)
        self.flow.over()
