"""Received bytes of one MQTT 5 connection, cut into packets and handed over. The hot path.

    [ receive buffer ] --> mqtt5.read --> intake.message() ... intake.oversize() / control()

Sans I/O. The receive buffer is allocated once (256 KiB) and grows only for a packet that is
larger, up to `max_payload` + 68 KiB (a topic name of 65,535 bytes, properties). A PUBLISH
above that is not refused: its first bytes are kept, the rest is passed over as it arrives,
and the intake is told. No Maximum Packet Size is announced, since a broker then discards in
silence; mosquitto 2.0.11 also loses one place of the receive maximum for each message that it
discards so, until nothing flows any more.

The codec raises IndexError for an incomplete packet, ValueError for a malformed one, and
PanicException (a BaseException that cannot be imported) for strings that are not UTF-8.
Whatever the bytes, what leaves here is `Malformed` or nothing.

A broker that sends more than the receive maximum is not cut off for it: mosquitto 2.0.11 does
so (each PUBACK releases up to a whole receive maximum of what waits). What bounds memory is
the intake, which pauses the connection.

Source: MQTT 5.0 (OASIS, 2019): 2.1.4 remaining length, 3.3 PUBLISH, 3.3.4 receive maximum.
"""

from collections.abc import Callable, Container
from sys import getsizeof

import mqtt5
from mqtt5 import DisconnectReasonCode as Reason
from mqtt5 import PublishPacket

from gateway.intake import Acknowledger, MessageIntake
from gateway.sources.mqtt.copies import Copies

BUFFER_BYTES = 1 << 18
OVERHEAD_BYTES = 65_535 + 4096  # the longest topic name, some properties
HEAD_BYTES = 4096
"""What is kept of a payload that is too large."""

KNOWN_TOPICS = 10_000
KNOWN_BYTES = 1 << 24
"""Topic names remembered as sound, and their memory; forgotten all at once beyond that."""


class Malformed(Exception):
    """What the broker sent breaks the protocol; `reason` is what to tell it."""

    def __init__(self, reason: Reason, why: str) -> None:
        super().__init__(why)
        self.reason = reason


def packet_length(view: memoryview) -> int | None:
    """Bytes in the packet that begins here, fixed header included; None if not yet known."""
    length = 0
    for index in range(1, min(len(view), 5)):
        byte = view[index]
        length |= (byte & 0x7F) << 7 * (index - 1)
        if byte < 0x80:
            return 1 + index + length
    if len(view) >= 5:
        raise Malformed(Reason.MALFORMED_PACKET, "a remaining length of more than four bytes")
    return None


class _Oversize:
    """A PUBLISH being passed over: its beginning, and how many bytes are still to come."""

    def __init__(self, view: memoryview, size: int) -> None:
        body = next(index for index in range(1, 5) if view[index] < 0x80) + 1
        qos = view[0] >> 1 & 3
        end = body + 2 + int.from_bytes(view[body : body + 2], "big")
        if end + 2 > len(view):
            raise Malformed(Reason.MALFORMED_PACKET, "a PUBLISH that its topic name does not fit into")
        try:
            self.topic = str(view[body + 2 : end], "utf-8")
        except UnicodeDecodeError:
            raise Malformed(Reason.MALFORMED_PACKET, "a topic name that is not UTF-8") from None
        self.packet_id = int.from_bytes(view[end : end + 2], "big") if qos else None
        if qos > 1 or self.packet_id == 0:
            raise Malformed(Reason.QOS_NOT_SUPPORTED, "a PUBLISH of QoS 2, or without packet identifier")
        self.duplicate = bool(view[0] & 0x08)
        self.size = size
        self.left = size - len(view)
        self.head = bytes(view[end + (2 if qos else 0) :][:HEAD_BYTES])


class Receiver:
    """The receive buffer of one connection. `control` gets every packet that is not a PUBLISH.

    Read into `space()`, then call `take` with the number of bytes read.
    """

    def __init__(
        self,
        connection: Acknowledger,
        intake: MessageIntake,
        control: Callable[[mqtt5.Packet], None],
        max_payload: int,
        met: Container[str] = frozenset(),
        copies: Copies | None = None,
    ) -> None:
        """`met` are topic names that have come before: they need not be looked at again.

        `copies` says which messages come again for another subscription.
        """
        self._connection = connection
        self._intake = intake
        self._control = control
        self._max_payload = max_payload
        self._buffer = bytearray(BUFFER_BYTES)
        self._view = memoryview(self._buffer)
        self._end = 0
        self._oversize: _Oversize | None = None
        self._met = met
        self._copies = copies or Copies()
        self._known: set[str] = set()
        self._known_bytes = 0

    def space(self) -> memoryview:
        """Where the next bytes go; never empty."""
        return self._view[self._end :]

    def take(self, nbytes: int) -> int:
        """Hand over every packet that is complete with these `nbytes`; the number of messages."""
        view, buffer, end = self._view, self._buffer, self._end + nbytes
        read, message, met, known = mqtt5.read, self._intake.message, self._met, self._known
        connection, large, copies = self._connection, self._max_payload, self._copies
        pos = taken = 0
        if self._oversize is not None:
            pos = self._pass_over(self._oversize, end)
            taken = int(self._oversize is None)
        while pos < end:
            try:
                packet, size = read(view[pos:end])
            except IndexError:
                break
            except ValueError as error:
                raise Malformed(Reason.MALFORMED_PACKET, str(error)) from None
            except BaseException as error:
                if type(error).__module__ == "pyo3_runtime":
                    raise Malformed(Reason.MALFORMED_PACKET, "a string that is not UTF-8") from None
                raise
            head = buffer[pos]
            pos += size
            if not isinstance(packet, PublishPacket):
                self._control(packet)
                continue
            topic, payload = packet.topic, packet.payload
            if topic not in met and topic not in known:
                self._learn(topic)
            packet_id = None
            if head & 0x06:
                packet_id = packet.packet_id
                if not packet_id or head & 0x04:
                    raise Malformed(Reason.QOS_NOT_SUPPORTED, "a PUBLISH of QoS 2, or without packet identifier")
            taken += 1
            if copies.overlapping and copies.spare(topic, packet.subscription_ids, head & 1 != 0):
                if packet_id is not None:
                    self._intake.spare(connection, packet_id)
                continue
            if size > large and len(payload) > large:
                kept = bytes(payload[:HEAD_BYTES])
                self._intake.oversize(connection, topic, kept, len(payload), packet_id, head & 8 != 0)
            else:
                message(connection, topic, payload, packet_id, head & 8 != 0, head & 1 != 0)
        if pos < end:
            self._keep(pos, end)
        else:
            self._end = 0
        return taken

    def _learn(self, topic: str) -> None:
        """See that a topic name new to this connection is one."""
        if not topic:
            raise Malformed(Reason.TOPIC_ALIAS_INVALID, "a PUBLISH without topic name; topic aliases were not offered")
        if "+" in topic or "#" in topic or "\0" in topic:
            raise Malformed(Reason.TOPIC_NAME_INVALID, f"a topic name with a wildcard or NUL: {topic[:100]!r}")
        size = getsizeof(topic)
        self._known_bytes += size
        if len(self._known) >= KNOWN_TOPICS or self._known_bytes > KNOWN_BYTES:
            self._known.clear()
            self._known_bytes = size
        self._known.add(topic)

    def _pass_over(self, oversize: _Oversize, end: int) -> int:
        """Let bytes of a large PUBLISH go by; the number of bytes that were its own."""
        step = min(oversize.left, end)
        oversize.left -= step
        if not oversize.left:
            self._oversize = None
            self._learn(oversize.topic)
            self._intake.oversize(
                self._connection,
                oversize.topic,
                oversize.head,
                oversize.size,
                oversize.packet_id,
                oversize.duplicate,
            )
        return step

    def _keep(self, start: int, end: int) -> None:
        """Keep an incomplete packet, buffer[start:end], for the bytes to come."""
        left = end - start
        part = self._view[start:end]
        size = packet_length(part)
        if size is not None:
            if size <= left:
                raise Malformed(Reason.MALFORMED_PACKET, "a packet whose parts do not fit into it")
            if size > self._max_payload + OVERHEAD_BYTES:
                if part[0] & 0xF0 != 0x30:
                    raise Malformed(Reason.PACKET_TOO_LARGE, f"a packet of {size} bytes that is not a PUBLISH")
                if left >= OVERHEAD_BYTES + HEAD_BYTES:
                    self._oversize = _Oversize(part, size)
                    self._end = 0
                    return
            elif size > len(self._buffer):
                grown = bytearray(size)
                grown[:left] = part
                self._buffer, self._view, self._end = grown, memoryview(grown), left
                return
        if start:
            self._view[:left] = part
        self._end = left
