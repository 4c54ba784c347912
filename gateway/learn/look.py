"""What bytes of an unknown device look like: text or not, in lines or not, of a known type or not.

    sample -> Look: share printable, lines, `Guess`es
              a built-in type whose frames are in it    looks like pms5003 (12 frames, 98 % of the bytes)
              lines of JSON, of key=value, of columns   looks like JSON with keys t, h
              neither                                   21 % printable: another speed?

A type whose frames bring but texts, or nothing, does not explain them: every line with a checksum is a
sentence of NMEA 0183. But a sensor of frames that just warms up does: FEWEST_EMPTY. Of a type without a check a
frame that says it has no value is its own all the same, for it was told by all of its text. Pure.
Limits: of a sample the last MOST_SAMPLE bytes are looked at.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Literal, NamedTuple

from devices.spec.device import Device, StreamDevice
from devices.spec.events import Empty, Event, Noise, Reading
from devices.spec.mapping import loads
from gateway.learn.seal import sealed
from gateway.learn.values import is_value

MOST_SAMPLE = 1 << 14
PRINTABLE = 0.95
"""Share of printable bytes from which on a sample is text."""

ENOUGH = 0.6
"""Share of a sample that a type without an integrity check has to explain."""

FEWEST_EMPTY = 3
"""Frames that say nothing yet, with a check that holds, of which a type is known that brings no values so far."""

SURE_OF_JSON = 3
"""A line of JSON weighs as much as so many others, which may look like keys or columns by chance."""

MOST_KEYS = 12

LATIN_MOST = 0.25
"""Share of letters beyond ASCII up to which what is not UTF-8 is text in Latin-1."""

Shape = Literal["json", "keys", "columns", "text"]
Encoding = Literal["utf-8", "latin-1"]

_LINE_END = re.compile(rb"[\r\n]+")
PAIR = re.compile(r"(?:^|(?<=[\s,;|&$!]))([^\W\d][\w.\-]{0,60})\s*([=:])(?!//)\s*")
_NUMBER = re.compile(r"[-+]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][-+]?\d+)?")
_COMMENTS = ("#", "//")
_COLOUR = re.compile(rb"\x1b\[[0-9;]*[A-Za-z]")
"""What colours a line at a terminal; a type leaves it out, too."""

SEPARATORS = (";", "\t", ",", "|", " ")


@dataclass(frozen=True, slots=True)
class Guess:
    """`words` for people; `device` where it looks like a type of the catalogue, else `shape`. `count` are the
    frames of the type, or the lines with the same places."""

    words: str
    device: str | None = None
    shape: Shape | None = None
    separator: str = ""
    count: int = 0


@dataclass(frozen=True, slots=True)
class Look:
    """A sample looked at. `printable` is a share of its bytes, 0 to 1; `lines` are those of text, in
    `encoding`, and `whole` the bytes from the first of them to the last."""

    size: int
    printable: float
    lines: tuple[str, ...]
    guesses: tuple[Guess, ...]
    encoding: Encoding
    whole: bytes
    sample: bytes

    @property
    def readable(self) -> bool:
        """Whether it makes sense: a known type, or text in lines."""
        return bool(self.guesses)


def look(sample: bytes, devices: Iterable[Device]) -> Look:
    """What `sample` looks like."""
    sample = sample[-MOST_SAMPLE:]
    share = printable(sample)
    whole = whole_lines(sample) if share >= PRINTABLE else b""
    encoding, lines = texts(line for line in _LINE_END.split(whole) if line.strip())
    guesses = [*_types(sample, devices), *([shape_of(lines)] if lines else [])]
    return Look(len(sample), share, tuple(lines), tuple(guesses), encoding, whole, sample)


def printable(sample: bytes) -> float:
    """The share of characters that text has; letters of any script are text in UTF-8, and a few in Latin-1."""
    text = sample.decode("utf-8", "replace")
    if not text:
        return 0.0
    good = sum((letter.isprintable() and letter != "\ufffd") or letter in "\t\r\n\x1b" for letter in text)
    if good < len(text) and sum(byte > 0x7F for byte in sample) <= LATIN_MOST * len(sample):
        good = max(good, sum(byte >= 0xA0 or 0x20 <= byte < 0x7F or byte in b"\t\r\n\x1b" for byte in sample))
    return min(1.0, good / len(text))


def whole_lines(sample: bytes) -> bytes:
    """What stands between the first line end and the last: the first line is mostly cut off by opening."""
    ends = [found.end() for found in _LINE_END.finditer(sample)]
    if len(ends) < 2:
        return sample[: ends[0]] if ends else b""
    return sample[ends[0] : ends[-1]]


def texts(lines: Iterable[bytes]) -> tuple[Encoding, list[str]]:
    """Lines without colours, and what they are written in: Latin-1 where most of those beyond ASCII are no UTF-8."""
    kept = [_COLOUR.sub(b"", line) for line in lines]
    beyond = [line for line in kept if not line.isascii()]
    latin = [line for line in beyond if "\ufffd" in line.decode("utf-8", "replace")]
    if 2 * len(latin) > len(beyond) and all(byte < 0x80 or byte >= 0xA0 for line in latin for byte in line):
        return "latin-1", [line.decode("latin-1") for line in kept]
    return "utf-8", [line.decode("utf-8-sig", "replace") for line in kept]


def without_comments(texts: Sequence[str]) -> list[str]:
    """The texts that a type language takes for no comment."""
    return [text for text in texts if not text.lstrip().startswith(_COMMENTS)]


class _Shaped(NamedTuple):
    """A line: `same` is what lines with the same places have in common."""

    guess: Guess
    same: tuple[object, ...]


def shape_of(lines: Iterable[str]) -> Guess:
    """What lines of text are made of: the shape that comes most often with the same places.

    What a board says while it starts is of many shapes, each of them once.
    """
    kept = without_comments(list(lines))
    seal = sealed(kept)
    shaped = [_shape(line) for line in (kept if seal is None else seal.bare(kept))]
    counts = Counter(each.same for each in shaped)
    shapes = Counter(each.same[0] for each in shaped)

    def weight(each: _Shaped) -> tuple[bool, int, int]:
        kind = each.same[0]
        sure = SURE_OF_JSON if kind == "json" else 1
        return kind != "text", sure * counts[each.same], sure * shapes[kind]

    found = max(shaped, key=weight, default=_Shaped(Guess("printable lines", shape="text"), ("text",)))
    return replace(found.guess, count=counts[found.same])


def _shape(line: str) -> _Shaped:
    text = line.strip()
    if text[:1] in ("{", "["):
        try:
            return _json(loads(text))
        except ValueError:
            return _Shaped(Guess("printable lines", shape="text"), ("text",))
    names = [found[1] for found in PAIR.finditer(text)]
    if names and len(names) >= max(1, len(_NUMBER.findall(PAIR.sub(" ", text))) // 2):
        return _Shaped(Guess(f"looks like key=value with {_keys(names)}", shape="keys"), ("keys", *sorted(names)))
    for separator in SEPARATORS:
        cells = [cell.strip() for cell in text.split(separator) if cell.strip() or separator != " "]
        numbers = sum(_NUMBER.match(cell) is not None for cell in cells)
        others = sum(is_value(cell) for cell in cells if _NUMBER.match(cell) is None)
        if numbers and (numbers + others) * 2 >= len(cells) and (len(cells) > 1 or separator == " "):
            what = "one number a line" if len(cells) == 1 else f"{len(cells)} columns between {separator!r}"
            guess = Guess(f"looks like {what}", shape="columns", separator=separator)
            return _Shaped(guess, ("columns", separator, len(cells)))
    return _Shaped(Guess("printable lines", shape="text"), ("text",))


def _json(value: object) -> _Shaped:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        value = value[0]
    if isinstance(value, dict):
        return _Shaped(Guess(f"looks like JSON with {_keys(value)}", shape="json"), ("json", *sorted(value)))
    count = len(value) if isinstance(value, list) else 0
    what = f"a list of {count} value{'s' if count != 1 else ''}"
    return _Shaped(Guess(f"looks like JSON with {what}", shape="json"), ("json", count))


def _keys(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - MOST_KEYS} more" if len(listed) > MOST_KEYS else ""
    return ("keys " if len(listed) != 1 else "key ") + ", ".join(listed[:MOST_KEYS]) + more


def _types(sample: bytes, devices: Iterable[Device]) -> Iterator[Guess]:
    """The types whose frames are in the sample, the one that explains most of it first."""
    found = []
    for device in devices:
        if not isinstance(device, StreamDevice):
            continue
        decoder = device.decoder()
        events = decoder.feed(sample) + decoder.flush()
        frames = sum(isinstance(event, Reading | Empty) for event in events)
        noise = _noise(events)
        # between lines stand comments, and what a board says while it starts
        wrong = sum(
            not isinstance(event, (Reading, Empty, Noise) if device.line_end else (Reading, Empty)) for event in events
        )
        share = 1 - noise / len(sample) if sample else 0.0
        values = _values(events, device)
        empty = 0 if device.checked else sum(isinstance(event, Empty) for event in events)
        brought = sum(map(bool, values)) + empty
        starts = not values and device.checked and not device.line_end and share >= ENOUGH  # it warms up, say
        frames = (frames if frames >= FEWEST_EMPTY else 0) if starts else min(frames, brought)
        if frames and (frames >= wrong if device.checked else frames >= 3 and frames > 4 * wrong and share >= ENOUGH):
            found.append((share, frames, sum(values), device))
    found.sort(key=lambda one: (-one[0], -one[1], -one[2]))
    for share, frames, _, device in found:
        many = "1 frame" if frames == 1 else f"{frames} frames"
        yield Guess(f"looks like {device.name} ({many}, {share:.0%} of the bytes)", device=device.name, count=frames)


def few(sample: bytes, devices: Iterable[Device]) -> list[tuple[Device, int]]:
    """The types that read the lines of a text that is too short to be sure, with how many frames each finds.

    What stands before the first frame may be noise: a line that is cut off, what a device says while it starts. Bytes
    that are no text are nobody's.
    """
    if printable(sample) < PRINTABLE:
        return []
    found: list[tuple[Device, int]] = []
    for device in devices:
        if isinstance(device, StreamDevice):
            frames = _read_all(device, sample)
            if frames:
                found.append((device, frames))
    return found


def _read_all(device: StreamDevice, text: bytes) -> int:
    """How many frames a type finds in a text that it has nothing against, and of which, from the first frame on, it
    explains ENOUGH; or 0."""
    decoder = device.decoder()
    events = decoder.feed(text) + decoder.flush()
    before = list(takewhile(lambda event: isinstance(event, Noise), events))
    events, rest = events[len(before) :], len(text) - _noise(before)
    if _noise(events) > (1 - ENOUGH) * rest or not all(isinstance(event, Reading | Empty | Noise) for event in events):
        return 0
    empty = 0 if device.checked else sum(isinstance(event, Empty) for event in events)
    return sum(map(bool, _values(events, device))) + empty


def _noise(events: Iterable[Event]) -> int:
    """How many bytes are noise."""
    return sum(len(event.data) for event in events if isinstance(event, Noise))


def _values(events: Iterable[Event], device: StreamDevice) -> list[int]:
    """How many values each reading brings that are no texts; of a type that has but texts, how many texts."""
    texts = {field.name for field in device.fields if field.kind == "text"}
    if len(texts) == len(device.fields):
        texts = set()
    return [sum(name not in texts for name in event.fields) for event in events if isinstance(event, Reading)]
