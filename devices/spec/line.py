"""Lines of text cut out of a stream of bytes. Bytes in, events out.

    text ... CR LF      or LF, or CR alone (Macs, terminals): told apart by what comes

* `read` gets each line as text with its bytes, and answers what it means. `Noise(line)` is for
  what is no reading: comments, what a board says while it starts.
* Blank lines cost nothing: they belong to the line behind them. NUL bytes before a line (a break:
  a plug, a reset) are noise of their own, and the line behind them counts.
* What is no text is noise as a whole line: control characters other than tab and escape, bytes
  that are not UTF-8. A byte order mark before a line is taken off.
* A line without an end is bounded: its first `longest` bytes are noise, and so is the rest up to the end.
* With a `check` a line counts only where its check holds, also at the end of the stream where the
  line's end is missing; without one such a line is noise, for it may be half a line.
* `joined` is for a port that is opened while the device speaks: the first line may be the end of
  one. Where it cannot say from the text that the line is whole, the line is noise. A line behind a line
  end, and one whose check holds, is whole anyway.

The events do not depend on how the bytes were cut, but that noise may come in pieces. Of a stream
whose lines end in CR alone the first line is given when the second begins: LF could follow.

Limits: `longest` bytes a line, its end included (4096); no more than that is kept between two calls.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from devices.spec.events import Event, IntegrityError, Noise

LONGEST = 4096

Read = Callable[[str, bytes], Event | list[Event]]
"""What a line means: its text, without the end and the check, and its bytes, for the event that refuses it."""

_LINE = re.compile(rb"[\r\n]*([^\r\n]+)(\r\n?|\n)")
_LINE_BY_CR = re.compile(rb"[\r\n]*([^\r\n]+)([\r\n])")
_BEGUN = re.compile(rb"[\r\n]*\0*")
_NO_TEXT = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class LineCheck:
    """`mark` and hex digits behind the text, either case: `21.5;40*2F`.

    `of` is computed over the bytes from `first` (1 where a `$` does not count) up to the mark.
    """

    of: Callable[[bytes], int]
    mark: bytes = b"*"
    digits: int = 2
    first: int = 0

    def split(self, line: bytes) -> tuple[bytes, bytes] | None:
        """The text and the hex digits behind the mark; None where there is no mark."""
        text, mark, digits = line.rstrip(b" \t").rpartition(self.mark)
        return (text, digits) if mark else None

    def wrong(self, text: bytes, digits: bytes) -> str | None:
        """Why the check does not hold, or None."""
        computed = b"%0*X" % (self.digits, self.of(text[self.first :]))
        return None if digits.upper() == computed else f"checksum {_shown(digits)}, computed {computed.decode()}"

    def sealed(self, text: bytes) -> bytes:
        """`text` with the mark and the check behind it."""
        return b"%b%b%0*X" % (text, self.mark, self.digits, self.of(text[self.first :]))


class LineFramer:
    """The decoder of a stream of lines; `read` says what each means."""

    __slots__ = ("_by_cr", "_check", "_encoding", "_joined", "_longest", "_read", "_rest", "_skipping")

    def __init__(
        self,
        read: Read,
        *,
        longest: int = LONGEST,
        check: LineCheck | None = None,
        joined: Callable[[str], bool] | None = None,
        encoding: str = "utf-8",
    ) -> None:
        self._read = read
        self._longest = longest
        self._check = check
        self._joined = joined
        self._encoding = encoding
        self._rest = b""
        self._by_cr = False
        self._skipping = False

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes; answer the events they complete, in the order of the bytes."""
        buffer = self._rest + data if self._rest else bytes(data)
        events: list[Event] = []
        start = self._skipped(buffer, events) if self._skipping else 0
        while True:
            found = (_LINE_BY_CR if self._by_cr else _LINE).match(buffer, start)
            size = (found.end() if found else len(buffer)) - start
            if size > self._longest:
                events.append(Noise(buffer[start : start + self._longest]))
                self._skipping, self._joined = True, None
                start = self._skipped(buffer, events, start + self._longest)
                if self._skipping:
                    break
                continue
            if found is None:
                break
            if found[2] == b"\r" and not self._by_cr:
                if found.end() == len(buffer):
                    break
                self._by_cr = True
            self._line(buffer[start : found.end()], found[1], events)
            start = found.end()
        self._rest = buffer[start:]
        return events

    def flush(self) -> list[Event]:
        """The stream has ended: a line without its end counts where it has a check that holds."""
        rest, self._rest = self._rest, b""
        self._skipping = False
        events: list[Event] = []
        body = rest.strip(b"\r\n")
        if not rest:
            return events
        whole = rest.endswith(b"\r") or (self._check is not None and self._check.split(body) is not None)
        if body and whole:
            self._line(rest, body, events)
        else:
            events.append(Noise(rest))
        return events

    def _skipped(self, buffer: bytes, events: list[Event], start: int = 0) -> int:
        """Pass over the rest of a line that is too long; where it ends."""
        ends = [at + 1 for at in (buffer.find(b"\r", start), buffer.find(b"\n", start)) if at >= 0]
        end = min(ends, default=len(buffer))
        self._skipping = not ends
        if end > start:
            events.append(Noise(buffer[start:end]))
        return end

    def _line(self, line: bytes, body: bytes, events: list[Event]) -> None:
        """Add the events of one line, `body` what stands in it."""
        ended = line[0] in b"\r\n"
        if body[0] == 0:
            begun = _BEGUN.match(line)
            size = begun.end() if begun else 0
            body = body.lstrip(b"\0")
            if not body:
                self._joined = None
                events.append(Noise(line))
                return
            events.append(Noise(line[:size]))
            line = line[size:]
        joined, self._joined = self._joined, None
        if ended:
            joined = None
        if self._check is not None:
            found = self._check.split(body)
            if found is None:
                events.append(Noise(line))
                return
            why = self._check.wrong(*found)
            if why is not None:
                events.append(IntegrityError(why, line))
                return
            body, joined = found[0], None
        text = text_of(body, self._encoding)
        if text is None or (joined is not None and not joined(text)):
            events.append(Noise(line))
            return
        made = self._read(text, line)
        if isinstance(made, list):
            events += made
        else:
            events.append(made)


def text_of(body: bytes, encoding: str = "utf-8") -> str | None:
    """The text of a line without its end, or None where it is no text."""
    if _NO_TEXT.search(body):
        return None
    try:
        return body.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError:
        return None


def _shown(digits: bytes) -> str:
    return digits[:16].decode("ascii", "backslashreplace")
