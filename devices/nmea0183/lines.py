"""NMEA 0183 on the wire: sentences, with UBX frames and noise between them.

    $ address , item , item ... * hh CR LF        `!` instead of `$` for AIS
    B5 62 | class | id | length u16 LE | payload | Fletcher checksum, 2 bytes      UBX

A sentence is cut out when its end has come: CR LF, LF, CR, the next `$`, or the end of the
stream. It is accepted when `*hh` (either case) is the exclusive or of all bytes between `$`
and `*`. Sentences without `*hh` exist in the wild; one is accepted when

* no sentence with a valid checksum has been seen in the stream,
* it ends in CR LF or, as in files and from programs, in LF without a hex digit behind it (a `*`
  with one bit flipped is LF, too), and the three characters before that could not be a `*hh`
  with one bit flipped,
* its address is in the table and every item can be read (the reader decides that).

A `$` with nothing behind it (`$$GPRMC,...`, a lone `$`) is noise: no sentence was begun. A sentence that has
no value in it is `Empty`.

A UBX frame whose checksum holds is one noise event: nothing in it is taken for a sentence.
Most streams are nothing but sentences with `*hh` and CR LF, one behind the other. Such a run is
cut out at once, at most 64 sentences, and takes a third of the time; all else goes one by one.

Limits: 1024 bytes a sentence (the standard says 82, receivers do not keep to it), 2048 bytes
a UBX frame. Bytes outside 20..7E hex end a sentence; it is refused and the search goes on
at that byte.

Source: NMEA 0183 as described by gpsd (BSD-2-Clause) and pynmeagps (BSD-3-Clause); UBX frame
from the u-blox M8 receiver description.
"""

import re
from string import hexdigits
from typing import Protocol

from devices.nmea0183.reasons import NothingSaid
from devices.spec.checksum import fletcher16, xor8
from devices.spec.events import Empty, Event, IntegrityError, Noise, SanityError

LONGEST = 1024
LONGEST_UBX = 2048

_RUN = re.compile(rb"(?:(?:\$|![ABS])[\x20\x22\x23\x25-\x29\x2b-\x7e]{1,1000}\*[0-9A-Fa-f]{2}\r\n){1,64}+")
_START = re.compile(rb"\$|![ABS]|\xb5\x62")
_BEGUN = re.compile(rb"[!\xb5]\Z")
_END = re.compile(rb"[^\x20-\x7e]|\$")
_CHECKED = re.compile(rb"[$!]([^*]+)\*([0-9A-Fa-f]{2})")
_DAMAGED = re.compile(rb"[+(.\":j][0-9A-Fa-f]{2}[-M]?\Z")
"""The `*` of `*hh` with one bit flipped, perhaps the CR behind it, too."""
_HEX_DIGITS = frozenset(digit.encode() for digit in hexdigits)
_HEX = {high + low: int(high + low, 16) for high in hexdigits for low in hexdigits}


class Reader(Protocol):
    def __call__(self, body: str, checked: bool, events: list[Event]) -> None:
        """Add the events of a sentence, `body` all between `$` and `*`.

        ValueError if it cannot be true, NothingSaid if it has no value.
        """
        ...


def running_xor(data: bytes) -> bytes:
    """Byte i is the exclusive or of the bytes 0 to i.

    The whole is one long number that is shifted by 1, 2, 4, ... bytes: for a run of sentences
    that is half the time of folding each, and a tenth of the time of a loop over the bytes.
    """
    size = len(data)
    number = int.from_bytes(data, "big")
    shift = 1
    while shift < size:
        number ^= number >> 8 * shift
        shift *= 2
    return number.to_bytes(size, "big")


class NmeaLines:
    """Cuts a stream into sentences for `read`; the rest of it is noise and errors."""

    __slots__ = ("_bare", "_checked", "_read", "_rest")

    def __init__(self, read: Reader) -> None:
        self._read = read
        self._rest = b""
        self._checked = False
        self._bare = False

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes; answer the events they complete, in the order of the bytes."""
        return self._scan(self._rest + data if self._rest else bytes(data), last=False)

    def flush(self) -> list[Event]:
        """The stream has ended: a checked sentence without line end counts, the rest is noise."""
        return self._scan(self._rest, last=True)

    def _scan(self, buffer: bytes, last: bool) -> list[Event]:
        events: list[Event] = []
        position = noise = 0
        end = len(buffer)
        while position < end:
            run = _RUN.match(buffer, position)
            if run is not None:
                if noise < position:
                    events.append(Noise(buffer[noise:position]))
                self._sentences(run[0], events)
                position = noise = run.end()
                continue
            found = _START.search(buffer, position)
            if found is None:
                waiting = None if last else _BEGUN.search(buffer, position)
                position = waiting.start() if waiting else end
                break
            if found.start() > position:
                position = found.start()
                continue
            taken = (
                self._ubx(buffer, position, last) if buffer[position] == 0xB5 else self._line(buffer, position, last)
            )
            if taken is None:
                break
            size, made = taken
            if made is not None:
                if noise < position:
                    events.append(Noise(buffer[noise:position]))
                events += made
                noise = position + size
            position += size
        if noise < position:
            events.append(Noise(buffer[noise:position]))
        self._rest = buffer[position:]
        return events

    def _sentences(self, run: bytes, events: list[Event]) -> None:
        """Read a run of sentences, all whole, with `*hh` and CR LF, that nothing is between."""
        sums = running_xor(run)
        read = self._read
        start = 0
        for line in run.decode("ascii").splitlines():
            star = start + len(line) - 3
            after = star + 5
            if sums[start] ^ sums[star - 1] != _HEX[line[-2:]]:
                events += self._sentence(run[start : star + 3], run[start:after], "")
            else:
                self._checked = True
                try:
                    read(line[1:-3], True, events)
                except NothingSaid as error:
                    events.append(Empty(str(error), run[start:after]))
                except ValueError as error:
                    events.append(SanityError(str(error), run[start:after]))
            start = after

    @staticmethod
    def _ubx(buffer: bytes, start: int, last: bool) -> tuple[int, list[Event] | None] | None:
        """Size and event of the UBX frame at `start`; one byte and None: there is none; None: wait."""
        have = len(buffer) - start
        if have < 6:
            return (1, None) if last else None
        size = 8 + int.from_bytes(buffer[start + 4 : start + 6], "little")
        if size > LONGEST_UBX:
            return 1, None
        if have < size:
            return (1, None) if last else None
        frame = buffer[start : start + size]
        if fletcher16(frame[2:-2]) != int.from_bytes(frame[-2:], "big"):
            return 1, None
        return size, [Noise(frame)]

    def _line(self, buffer: bytes, start: int, last: bool) -> tuple[int, list[Event] | None] | None:
        """Size and events of the sentence at `start`; None: wait for more."""
        ending = _END.search(buffer, start + 1, start + LONGEST)
        if ending is None:
            text = buffer[start : start + LONGEST]
            if len(text) == LONGEST:
                return LONGEST, [IntegrityError(f"no end of the sentence within {LONGEST} bytes", text)]
            return (len(text), self._sentence(text, text, "end of stream")) if last else None
        stop = after = ending.start()
        if not buffer[start + 1 : stop].strip(b" "):
            return stop - start, None
        text = buffer[start:stop]
        mark = buffer[stop]
        if mark == 0x0A:
            after = stop + 1
        elif mark == 0x0D:
            if stop + 1 == len(buffer) and not last:
                return None
            after = stop + (2 if buffer[stop + 1 : stop + 2] == b"\n" else 1)
        elif mark != 0x24:
            return stop - start, [IntegrityError(f"byte {mark:#04x} inside a sentence", text)]
        line = buffer[start:after]
        ended = line.endswith(b"\r\n")
        if mark == 0x0A and not self._checked and b"*" not in text:
            if after == len(buffer) and not last and not self._bare:
                return None
            ended = self._bare = self._bare or buffer[after : after + 1] not in _HEX_DIGITS
        return after - start, self._sentence(text, line, "" if after > stop else "next sentence", ended)

    def _sentence(self, text: bytes, line: bytes, cut: str, ended: bool = False) -> list[Event]:
        """The events of a whole sentence. `cut` says what ended it where that was no line end.

        `ended`: at a line end that can be trusted also where no checksum stands before it.
        """
        checked = _CHECKED.fullmatch(text)
        if checked is not None:
            computed = xor8(checked[1])
            if computed != int(checked[2], 16):
                return [IntegrityError(f"checksum {checked[2].decode()}, computed {computed:02X}", line)]
            self._checked = True
            return self._events(checked[1], line, True)
        if cut == "end of stream":
            return [Noise(line)]
        if cut:
            return [IntegrityError(f"cut off by the {cut}", line)]
        if self._checked or b"*" in text or not ended or _DAMAGED.search(text):
            return [IntegrityError("no checksum", line)]
        return self._events(text[1:], line, False)

    def _events(self, body: bytes, line: bytes, checked: bool) -> list[Event]:
        events: list[Event] = []
        try:
            self._read(body.decode("ascii"), checked, events)
        except NothingSaid as error:
            return [Empty(str(error), line)]
        except ValueError as error:
            if checked:
                return [SanityError(str(error), line)]
            return [IntegrityError(f"no checksum, and {error}", line)]
        return events
