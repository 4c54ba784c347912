"""Telegrams of a P1 port cut out of a stream of bytes, and checked.

    /KFM5KAIFA-METER CR LF      a slash, three letters, a digit, the name of the meter
    CR LF
    1-0:1.8.1(001581.123*kWh) CR LF ...
    !6796 CR LF                 CRC-16/ARC over all from the slash to the exclamation mark, in capital hex digits

* Some meters write the check without leading zeros (`!B9F`); it is a number, and taken as one.
* Versions 2 and 3 have no check: `!` alone ends the telegram, and no byte has its highest bit set. A telegram that
  has what came with version 4 (a version, a time of its own) has a check, so that one whose check was lost is not
  taken for an old one.
* A telegram that begins within another ends that one: the cable was unplugged.
* Text that an editor has saved has lost its CR: where there is none at all, the check is that of the text with them.

Limits: 8192 bytes; telegrams have up to 2 KB, with the longest message of a grid operator 4 KB.
Source: DSMR P1 companion standard 2.2, 3.0, 4.2.2 and 5.0.2 (6.2); Fluvius e-MUCS P1 1.7.1; the unpadded check in
telegrams of dsmr_parser's tests (MIT).
"""

import re
from collections.abc import Callable

from devices.spec.checksum import crc16_arc
from devices.spec.events import Event, IntegrityError, Noise

LONGEST = 8192
_START = re.compile(rb"/[A-Za-z]{3}[0-9]")
_BEGUN = re.compile(rb"/(?:[A-Za-z]{1,3})?\Z")
_END = re.compile(rb"!([0-9A-F]{0,4})\r?\n")
_ENDING = re.compile(rb"![0-9A-F]{0,4}\r?\Z")
_LAST = re.compile(rb"\A/[^!]*!([0-9A-F]{0,4})\r?\Z")
_CHECKED = re.compile(rb"\n(?:\d-\d:0\.2\.8|0-0:96\.1\.4|0-0:1\.0\.0)\(")

Read = Callable[[bytes, bool], list[Event]]
"""What a whole telegram says, and whether it was checked."""


class Telegrams:
    """The decoder of a P1 port; `read` says what each telegram means."""

    __slots__ = ("_read", "_rest")

    def __init__(self, read: Read) -> None:
        self._read = read
        self._rest = b""

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes, however they were cut; answer the events they complete."""
        buffer = self._rest + data if self._rest else bytes(data)
        events: list[Event] = []
        position = 0
        while True:
            found = _START.search(buffer, position)
            if found is None:
                begun = _BEGUN.search(buffer, position)
                start = begun.start() if begun else len(buffer)
            else:
                start = found.start()
            if start > position:
                events.append(Noise(buffer[position:start]))
                position = start
            if found is None:
                break
            size = self._telegram(buffer, position, events)
            if not size:
                break
            position += size
        self._rest = buffer[position:]
        return events

    def flush(self) -> list[Event]:
        """The stream has ended: a telegram that lacks only its line end counts where its check holds, and where it has
        none; what else waited for its rest is dropped byte by byte."""
        last = _LAST.search(self._rest)
        if last is not None and wrong(self._rest, last[1]) is None:
            data, self._rest = self._rest, b""
            return self._read(data, bool(last[1]))
        events: list[Event] = []
        while self._rest:
            rest, self._rest = self._rest, b""
            events += [Noise(rest[:1]), *self.feed(rest[1:])]
        return events

    def _telegram(self, buffer: bytes, start: int, events: list[Event]) -> int:
        """Add the events of the telegram that begins at `start`; its size, 0 while more has to come."""
        window = buffer[start : start + LONGEST]
        mark = window.find(b"!")
        other = _START.search(window, 1, len(window) if mark < 0 else mark)
        end = _END.match(window, mark) if mark >= 0 else None
        if other is not None:
            events.append(IntegrityError("cut off: another telegram begins", window[: other.start()]))
            return other.start()
        if end is not None:
            data = window[: end.end()]
            why = wrong(data, end[1])
            if why:
                events.append(IntegrityError(why, data))
            else:
                events += self._read(data, bool(end[1]))
            return len(data)
        if mark >= 0 and not _ENDING.match(window, mark):
            events.append(IntegrityError("expected a check and a line end behind the !", window[: mark + 1]))
            return mark + 1
        if len(buffer) - start <= LONGEST:
            return 0
        events.append(IntegrityError(f"no end within {LONGEST} bytes", window))
        return LONGEST


def wrong(telegram: bytes, digits: bytes) -> str | None:
    """Why the check of a telegram does not hold, or None."""
    body = telegram[: telegram.rindex(b"!") + 1]
    if not digits and not body.isascii():
        return "a byte of 8 bits in a telegram without a check, which has 7"
    if not digits:
        return "no check, which a telegram with a version or a time has" if _CHECKED.search(body) else None
    computed = crc16_arc(body)
    if computed != int(digits, 16) and b"\r" not in body:
        computed = crc16_arc(body.replace(b"\n", b"\r\n"))
    return None if computed == int(digits, 16) else f"checksum {digits.decode()}, computed {computed:04X}"


def sealed(body: str) -> bytes:
    """The telegram of a text that ends in `!`."""
    data = body.encode("ascii")
    return b"%b%04X\r\n" % (data, crc16_arc(data))
