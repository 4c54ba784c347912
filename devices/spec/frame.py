"""Framers: they cut frames out of a stream of bytes. Bytes in, events out.

    noise | start | header with or without a length | payload | integrity check | trailer | ...

Rules, the same for every framer here:

* A frame reaches the reader (`read`) whole and checked, or not at all.
* A start that is repeated before a frame (`AA AA 01 ...`) belongs to no frame: it is noise.
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
    width: Literal[1, 2, 4] = 1
    order: Literal["big", "little"] = "big"

    @property
    def stored(self) -> Struct:
        """How the check is written."""
        return Struct((">" if self.order == "big" else "<") + {1: "B", 2: "H", 4: "I"}[self.width])

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

    `read` makes the event out of a whole, checked frame. Where a check has few bits, two broken frames may hold it
    together by chance: what is not `possible` is no frame, whatever its check says.
    """

    start: bytes
    size: int | Length
    read: Callable[[bytes], Event]
    check: Check | None = None
    trailer: bytes = b""
    possible: Callable[[bytes], bool] | None = None

    @property
    def longest(self) -> int:
        if isinstance(self.size, Length):
            return max(self.size.allowed) + self.size.extra
        return self.size


_Cut = Callable[[bytes, int], tuple[Event | str | None, int]]


def _cutter(frame: Frame) -> _Cut:
    """A function of the buffer and the place of a start: the event there and how many bytes it takes.

    Instead of an event it may give the reason why this is no frame, with the bytes among which
    that shows, or None where more bytes have to come. A closure, since what it looks up in
    `frame` for each frame would cost as much as its work.
    """
    size, check, trailer, read, possible = frame.size, frame.check, frame.trailer, frame.read, frame.possible
    whole = frame.longest
    at, header, wholes = 0, 0, dict[bytes, int]()
    if isinstance(size, Length):
        length_of = Struct(size.code)
        at, header = size.at, size.at + length_of.size
        wholes = {length_of.pack(length): length + size.extra for length in sorted(size.allowed)}
    if check is not None:
        of, first, last, place = check.of, check.first, check.last, check.at
        stored_in = check.stored.unpack_from

    def cut(buffer: bytes, start: int) -> tuple[Event | str | None, int]:
        end = start + whole
        if wholes:
            if len(buffer) < start + header:
                return None, 0
            length = wholes.get(buffer[start + at : start + header])
            if length is None:
                wanted = " or ".join(str(length_of.unpack(value)[0]) for value in wholes)
                return f"length {length_of.unpack_from(buffer, start + at)[0]}, expected {wanted}", header
            end = start + length
        if len(buffer) < end:
            return None, 0
        data = buffer[start:end]
        if trailer and not data.endswith(trailer):
            return f"trailer {data[-len(trailer) :].hex()}, expected {trailer.hex()}", end - start
        if check is not None:
            computed, stored = of(data[first:last]), stored_in(data, place)[0]
            if computed != stored:
                return f"checksum {stored:#x}, computed {computed:#x}", end - start
        if possible is not None and not possible(data):
            return "no frame can be so, though its check holds", end - start
        return read(data), end - start

    return cut


class BinaryFramer:
    """The decoder of a stream of binary frames, each beginning with one of several starts."""

    __slots__ = ("_begun", "_cut", "_cutters", "_pattern", "_rest", "_start")

    def __init__(self, frames: tuple[Frame, ...]) -> None:
        starts = [frame.start for frame in frames]
        if not frames or len(set(starts)) != len(frames) or b"" in starts:
            raise DescriptionError("frames need starts that differ and are not empty")
        self._cutters = {frame.start: _cutter(frame) for frame in frames}
        self._start, self._cut = next(iter(self._cutters.items()))
        self._pattern = re.compile(b"|".join(map(re.escape, starts)), re.DOTALL) if len(frames) > 1 else None
        self._begun = [{start[:size] for start in starts if size < len(start)} for size in range(max(map(len, starts)))]
        self._rest = b""

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes; answer the events they complete, in the order of the bytes."""
        buffer = self._rest + data if self._rest else bytes(data)
        events: list[Event] = []
        position = 0
        found, one = self._find, self._pattern is None
        cut: _Cut | None
        while True:
            if one:
                start = buffer.find(self._start, position)
                cut = self._cut if start >= 0 else None
            else:
                cut, start = found(buffer, position)
            if cut is None:
                start = len(buffer) - self._waiting(buffer, position)
            if start > position:
                events.append(Noise(buffer[position:start]))
                position = start
            if cut is None:
                break
            event, size = cut(buffer, position)
            if event is None:
                break
            if isinstance(event, str):
                event, size = self._refuse(buffer[position : position + size], event)
            events.append(event)
            position += size
        self._rest = buffer[position:]
        return events

    def flush(self) -> list[Event]:
        """The stream has ended: what waited for the rest of its frame is dropped byte by byte."""
        events: list[Event] = []
        while self._rest:
            rest, self._rest = self._rest, b""
            events += [Noise(rest[:1]), *self.feed(rest[1:])]
        return events

    def _find(self, buffer: bytes, position: int) -> tuple[_Cut | None, int]:
        """The first start at or behind `position`."""
        if self._pattern is None:
            start = buffer.find(self._start, position)
            return (self._cut, start) if start >= 0 else (None, -1)
        found = self._pattern.search(buffer, position)
        if found is None:
            return None, -1
        return self._cutters[found.group()], found.start()

    def _waiting(self, buffer: bytes, position: int) -> int:
        """How many bytes at the end could be the first bytes of a start."""
        for size in range(min(len(self._begun) - 1, len(buffer) - position), 0, -1):
            if buffer[-size:] in self._begun[size]:
                return size
        return 0

    def _refuse(self, window: bytes, why: str) -> tuple[Event, int]:
        """Drop the first byte of `window` and all behind it that cannot begin a frame."""
        _, found = self._find(window, 1)
        if found < 0:
            found = len(window) - self._waiting(window, 1)
        if window[:found] in self._cutters:
            return Noise(window[:found]), found  # a start, and nothing of its frame before the next one
        return IntegrityError(why, window[:found]), found


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
