"""Framers: they cut frames out of a stream of bytes. Bytes in, events out.

    noise | start | header with or without a length | payload | integrity check | trailer | ...

Rules, the same for every framer here:

* A frame reaches the reader (`read`) whole and checked, or not at all.
* On failure one byte is dropped and the search goes on, never the whole buffer: a frame that
  begins inside a broken one is found. The bytes up to that next beginning are the data of
  the `IntegrityError`.
* Every byte is part of exactly one event, except the bytes still waiting for the rest of
  their frame; those are fewer than one longest frame, and `flush` gives them as noise.
* The events do not depend on how the bytes were cut, but that noise may come in pieces.

Limits: what is kept between two calls is always shorter than the longest frame (four times
that is allowed); searching is `bytes.find` or one compiled pattern.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from struct import Struct
from typing import Literal

from devices.spec.errors import DescriptionError
from devices.spec.events import Event, IntegrityError, Noise


@dataclass(frozen=True, slots=True)
class Check:
    """The integrity check of a frame.

    `of` is computed over `frame[first:last]` and compared with the `width` bytes at `at`.
    `last` and `at` are counted from the end of the frame, so they are negative.
    """

    of: Callable[[bytes], int]
    first: int
    last: int
    at: int
    width: int = 1
    order: Literal["big", "little"] = "big"

    def sealed(self, body: bytes, trailer: bytes = b"") -> bytes:
        """`body` (everything before the check) with its check and `trailer` behind it."""
        return body + self.of(body[self.first :]).to_bytes(self.width, self.order) + trailer


@dataclass(frozen=True, slots=True)
class Length:
    """A length in the header: struct `code` at byte `at`; the frame has `extra` bytes more.

    `allowed` are the values that may stand there; any other means that this is no frame.
    """

    at: int
    code: str
    extra: int
    allowed: frozenset[int]


@dataclass(frozen=True, slots=True)
class Frame:
    """One kind of frame: how it begins, how long it is, what it is checked with.

    `read` makes the event out of a whole, checked frame.
    """

    start: bytes
    size: int | Length
    read: Callable[[bytes], Event]
    check: Check | None = None
    trailer: bytes = b""

    @property
    def longest(self) -> int:
        if isinstance(self.size, Length):
            return max(self.size.allowed) + self.size.extra
        return self.size


class BinaryFramer:
    """The decoder of a stream of binary frames, each beginning with one of several starts."""

    __slots__ = ("_frames", "_lengths", "_pattern", "_rest", "_single")

    def __init__(self, frames: tuple[Frame, ...]) -> None:
        self._frames = {frame.start: frame for frame in frames}
        if not frames or len(self._frames) != len(frames) or b"" in self._frames:
            raise DescriptionError("frames need starts that differ and are not empty")
        self._single = frames[0] if len(frames) == 1 else None
        self._pattern = re.compile(b"|".join(re.escape(frame.start) for frame in frames), re.DOTALL)
        self._lengths = {frame.start: Struct(frame.size.code) for frame in frames if isinstance(frame.size, Length)}
        self._rest = b""

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes; answer the events they complete, in the order of the bytes."""
        buffer = self._rest + data if self._rest else bytes(data)
        events: list[Event] = []
        position = 0
        while True:
            frame, start = self._find(buffer, position)
            if frame is None:
                start = len(buffer) - self._waiting(buffer, position, len(buffer))
            if start > position:
                events.append(Noise(buffer[position:start]))
                position = start
            if frame is None:
                break
            event, taken = self._take(frame, buffer, position)
            if event is None:
                break
            events.append(event)
            position += taken
        self._rest = buffer[position:]
        return events

    def flush(self) -> list[Event]:
        """The stream has ended: what waited for the rest of its frame is dropped byte by byte."""
        events: list[Event] = []
        while self._rest:
            rest, self._rest = self._rest, b""
            events += [Noise(rest[:1]), *self.feed(rest[1:])]
        return events

    def _find(self, buffer: bytes, position: int) -> tuple[Frame | None, int]:
        """The first start at or behind `position`."""
        if self._single is not None:
            start = buffer.find(self._single.start, position)
            return (self._single, start) if start >= 0 else (None, -1)
        found = self._pattern.search(buffer, position)
        if found is None:
            return None, -1
        return self._frames[found.group()], found.start()

    def _waiting(self, buffer: bytes, position: int, end: int) -> int:
        """How many bytes before `end` could be the first bytes of a start."""
        most = max(map(len, self._frames)) - 1
        for length in range(min(most, end - position), 0, -1):
            tail = buffer[end - length : end]
            if any(start.startswith(tail) for start in self._frames):
                return length
        return 0

    def _take(self, frame: Frame, buffer: bytes, start: int) -> tuple[Event | None, int]:
        """The event of the frame at `start` and how many bytes it takes; None: wait for more."""
        size = frame.size
        if isinstance(size, Length):
            reader = self._lengths[frame.start]
            header = size.at + reader.size
            if len(buffer) - start < header:
                return None, 0
            length = reader.unpack_from(buffer, start + size.at)[0]
            if length not in size.allowed:
                wanted = " or ".join(str(value) for value in sorted(size.allowed))
                return self._refuse(buffer, start, header, f"length {length}, expected {wanted}")
            whole = length + size.extra
        else:
            whole = size
        if len(buffer) - start < whole:
            return None, 0
        data = buffer[start : start + whole]
        if frame.trailer and not data.endswith(frame.trailer):
            found = data[-len(frame.trailer) :].hex()
            return self._refuse(buffer, start, whole, f"trailer {found}, expected {frame.trailer.hex()}")
        check = frame.check
        if check is not None:
            computed = check.of(data[check.first : check.last])
            stored = int.from_bytes(data[check.at : check.at + check.width or None], check.order)
            if computed != stored:
                return self._refuse(buffer, start, whole, f"checksum {stored:#x}, computed {computed:#x}")
        return frame.read(data), whole

    def _refuse(self, buffer: bytes, start: int, size: int, detail: str) -> tuple[Event, int]:
        """Drop the byte at `start` and all behind it that cannot begin a frame, within `size`."""
        window = buffer[start : start + size]
        _, found = self._find(window, 1)
        if found < 0:
            found = size - self._waiting(window, 1, size)
        return IntegrityError(detail, window[:found]), found


class PatternFramer:
    """The decoder of a stream whose frames are told by certain bits of each byte.

    `classes` gives, byte by byte, the values that may stand there (a regular expression for
    one byte each). `read` makes the event out of the frame. There is no integrity check:
    a byte that fits by chance can pass, and `read` should refuse what cannot be true.
    """

    __slots__ = ("_pattern", "_read", "_rest", "_waiting")

    def __init__(self, classes: tuple[bytes, ...], read: Callable[[bytes], Event]) -> None:
        self._pattern = re.compile(b"".join(classes), re.DOTALL)
        begun = b""
        for entry in reversed(classes[:-1]):
            begun = entry + (b"(?:" + begun + b")?" if begun else b"")
        self._waiting = re.compile(begun + rb"\Z", re.DOTALL)
        self._read = read
        self._rest = b""

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes; answer the events they complete, in the order of the bytes."""
        buffer = self._rest + data if self._rest else bytes(data)
        events: list[Event] = []
        position = 0
        for found in self._pattern.finditer(buffer):
            if found.start() > position:
                events.append(Noise(buffer[position : found.start()]))
            events.append(self._read(found.group()))
            position = found.end()
        waiting = self._waiting.search(buffer, position)
        end = waiting.start() if waiting else len(buffer)
        if end > position:
            events.append(Noise(buffer[position:end]))
        self._rest = buffer[end:]
        return events

    def flush(self) -> list[Event]:
        """The stream has ended: what waited for the rest of its frame is noise."""
        rest, self._rest = self._rest, b""
        return [Noise(rest)] if rest else []
