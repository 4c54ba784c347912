"""Cutting MAVLink frames out of a stream, versions 1 and 2. Bytes in, events out.

    1:  FE len seq sys comp id                            payload  crc lo hi
    2:  FD len incompat compat seq sys comp id id id      payload  crc lo hi   [13 bytes of signature if incompat & 1]

The CRC (X.25, as MAVLink has it) is over all behind the start and before itself, and then the CRC_EXTRA of the
message, a byte that stands for its layout. So a frame of a message that is not in the tables cannot be checked.

What lies within a broken frame: usually the search goes on behind its first byte, for its length may be what is
broken, and then it has swallowed true frames. But some messages carry recordings, files and other links (LOG_DATA,
FILE_TRANSFER_PROTOCOL, TUNNEL: all that have CARRIED bytes or more in one array), and with them whole frames that
nobody says now. Where the next frame begins right behind a broken one of these, or nothing comes any more, its length
was right, and all of it is dropped (but where a good frame lies in it that is not whole in its payload). To tell, the
byte behind it is awaited.

A frame of an unknown message with another frame right behind it, and no good one in it, is noise that says its id;
else its first byte is noise. A version 1 frame whose length is not that of its message is none. A frame whose check
holds and that asks for what is not known (`incompat`) is noise that says so.

Limits: 280 bytes the longest frame; one byte more than that is kept between two calls at the most.
Source: mavlink.io, "Packet Serialization" and "Message Signing".
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from devices.mavlink.dialect import Message, Tables
from devices.spec.checksum import crc16_mcrf4xx
from devices.spec.events import Event, IntegrityError, Noise

ONE, TWO = 0xFE, 0xFD
SIGNED = 0x01
SIGNATURE = 13
LONGEST = 10 + 255 + 2 + SIGNATURE

_START = re.compile(b"[\xfd\xfe]")


class Frame(NamedTuple):
    """A whole frame whose check holds: `data`, whose header has so many bytes."""

    message: Message
    data: bytes
    header: int
    length: int

    @property
    def payload(self) -> bytes:
        return self.data[self.header : self.header + self.length]

    @property
    def signature(self) -> bytes:
        """Empty where there is none."""
        return self.data[self.header + self.length + 2 :]


class Framer:
    """The frames of one stream. `read` makes the events of each; `unknown` is told the message, the number and the
    sender of one that cannot be checked, but stands whole between others."""

    __slots__ = ("_read", "_rest", "_tables", "_unknown")

    def __init__(
        self, tables: Tables, read: Callable[[Frame], list[Event]], unknown: Callable[[int, int, int, int], None]
    ) -> None:
        self._tables = tables
        self._read = read
        self._unknown = unknown
        self._rest = b""

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes; answer the events they complete, in the order of the bytes."""
        events, self._rest = self._cut(self._rest + data if self._rest else bytes(data), last=False)
        return events

    def flush(self) -> list[Event]:
        """The stream has ended: what waited for its rest is told without it."""
        events, self._rest = self._cut(self._rest, last=True)
        return events

    def _cut(self, buffer: bytes, *, last: bool) -> tuple[list[Event], bytes]:
        events: list[Event] = []
        position = 0
        while found := _START.search(buffer, position):
            start = found.start()
            if start > position:
                events.append(Noise(buffer[position:start]))
                position = start
            said, size = self._frame(buffer, position, last)
            if not size:
                return events, buffer[position:]
            events += said
            position += size
        if position < len(buffer):
            events.append(Noise(buffer[position:]))
        return events, b""

    def _frame(self, buffer: bytes, at: int, last: bool) -> tuple[list[Event], int]:
        """What the frame at a start says, and its size; 0 where more has to come."""
        two = buffer[at] == TWO
        header = 10 if two else 6
        if len(buffer) < at + header:
            return _one(buffer, at) if last else _WAIT
        length = buffer[at + 1]
        incompat = buffer[at + 2] if two else 0
        number = int.from_bytes(buffer[at + 7 : at + 10], "little") if two else buffer[at + 5]
        message = self._tables.message(number)
        if not two and message is not None and length not in (message.base, message.size):
            return _one(buffer, at)
        check = at + header + length
        end = check + 2 + (SIGNATURE if incompat & SIGNED else 0)
        if len(buffer) < end:
            return _one(buffer, at) if last else _WAIT
        if message is not None:
            stored = buffer[check] | buffer[check + 1] << 8
            computed = crc16_mcrf4xx(buffer[at + 1 : check] + message.extra)
            if stored == computed:
                frame = Frame(message, buffer[at:end], header, length)
                return self._read(frame) if incompat & ~SIGNED == 0 else _refused(frame, incompat), end - at
            if incompat & ~SIGNED:
                return _one(buffer, at)
        whole = message is None or message.carries
        if whole and len(buffer) == end and not last:
            return _WAIT  # what stands behind it tells what it is
        whole = whole and (len(buffer) == end or buffer[end] in (ONE, TWO))
        data = buffer[at:end]
        if message is None:
            return self._strange(data, number, header) if whole and not self._holds(data, 0) else _one(buffer, at)
        whole = whole and not self._holds(data, length)
        inner = None if whole else _START.search(data, 1)
        size = inner.start() if inner else len(data)
        if size == 1:
            return _one(buffer, at)
        why = f"{message.name}: checksum {stored:#06x}, computed {computed:#06x}"
        return [IntegrityError(why, data[:size])], size

    def _holds(self, data: bytes, carried: int) -> bool:
        """Whether a good frame lies in `data`, behind its first byte: one that is not among the `carried` bytes of
        payload, behind which the check is."""
        for found in _START.finditer(data, 1):
            at = found.start()
            header = 10 if data[at] == TWO else 6
            if len(data) < at + header:
                continue
            check = at + header + data[at + 1]
            number = int.from_bytes(data[at + 7 : at + 10], "little") if header == 10 else data[at + 5]
            message = self._tables.message(number)
            own = 10 if data[0] == TWO else 6
            if message is None or len(data) < check + 2 or own <= at <= check + 2 <= own + carried:
                continue
            computed = crc16_mcrf4xx(data[at + 1 : check] + message.extra)
            if data[check : check + 2] == computed.to_bytes(2, "little"):
                return True
        return False

    def _strange(self, data: bytes, number: int, header: int) -> tuple[list[Event], int]:
        """A frame of a message that is not known, between others."""
        seq, system, component = data[header - 6 : header - 3] if header == 10 else data[2:5]
        self._unknown(number, seq, system, component)
        why = f"message {number} of {system}-{component} is in no dialect: it cannot be checked, nor read"
        return [Noise(data, why)], len(data)


_WAIT: tuple[list[Event], int] = [], 0


def _one(buffer: bytes, at: int) -> tuple[list[Event], int]:
    """A start of nothing."""
    return [Noise(buffer[at : at + 1])], 1


def _refused(frame: Frame, incompat: int) -> list[Event]:
    why = f"{frame.message.name} with incompatibility flags {incompat:#04x}, of which not all are known"
    return [Noise(frame.data, why)]
