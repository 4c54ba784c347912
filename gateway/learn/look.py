"""What bytes of an unknown device look like: text or not, in lines or not, of a known type or not.

    sample -> Look: share printable, lines, `Guess`es
              a built-in type whose frames are in it    looks like pms5003 (12 frames, 98 % of the bytes)
              lines of JSON, of key=value, of columns   looks like JSON with keys t, h
              neither                                   21 % printable: another speed?

Pure. Limits: of a sample the last MOST_SAMPLE bytes are looked at.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import msgspec

from devices.spec.device import Device, StreamDevice
from devices.spec.events import Empty, Noise, Reading

MOST_SAMPLE = 1 << 14
PRINTABLE = 0.95
"""Share of printable bytes from which on a sample is text."""

ENOUGH = 0.6
"""Share of a sample that a type without an integrity check has to explain."""

MOST_KEYS = 12

Shape = Literal["json", "keys", "columns", "text"]

_LINE_END = re.compile(rb"[\r\n]+")
_PAIR = re.compile(r"(?:^|[\s,;|&])([A-Za-z_][\w.\-]{0,30})\s*[=:]\s*(?=[-+.\w\"'])")
_NUMBER = re.compile(r"[-+]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][-+]?\d+)?")
SEPARATORS = (";", "\t", ",", "|", " ")


@dataclass(frozen=True, slots=True)
class Guess:
    """`words` for people; `device` where it looks like a type of the catalogue, else `shape`."""

    words: str
    device: str | None = None
    shape: Shape | None = None
    separator: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """A sample looked at. `printable` is a share of its bytes, 0 to 1; `lines` are those of text."""

    size: int
    printable: float
    lines: tuple[str, ...]
    guesses: tuple[Guess, ...]

    @property
    def readable(self) -> bool:
        """Whether it makes sense: a known type, or text in lines."""
        return bool(self.guesses)


def look(sample: bytes, devices: Iterable[Device]) -> Look:
    """What `sample` looks like."""
    sample = sample[-MOST_SAMPLE:]
    share = printable(sample)
    lines = tuple(whole_lines(sample)) if share >= PRINTABLE else ()
    guesses = [*_types(sample, devices), *([shape_of(lines)] if lines else [])]
    return Look(len(sample), share, lines, tuple(guesses))


def printable(sample: bytes) -> float:
    """The share of characters that text has; letters of any script are text in UTF-8."""
    text = sample.decode("utf-8", "replace")
    good = sum((letter.isprintable() and letter != "\ufffd") or letter in "\t\r\n" for letter in text)
    return good / len(text) if text else 0.0


def whole_lines(sample: bytes) -> Iterator[str]:
    """The lines between the first line end and the last: the first is mostly cut off by opening."""
    parts = _LINE_END.split(sample)
    for part in parts[1:-1] if len(parts) > 2 else parts[:1] if len(parts) == 2 else []:
        if part.strip():
            yield part.decode("utf-8", "replace")


def shape_of(lines: Iterable[str]) -> Guess:
    """What lines of text are made of: the shape of most of them."""
    shapes = [_shape(line) for line in lines]
    return max(shapes, key=lambda shape: (shapes.count(shape), shape.shape != "text"))


def _shape(line: str) -> Guess:
    text = line.strip()
    if text[:1] in "{[":
        try:
            value = msgspec.json.decode(text)
        except msgspec.DecodeError:
            value = None
        if isinstance(value, list) and value:
            value = value[0]
        if isinstance(value, dict):
            return Guess(f"looks like JSON with {_keys(value)}", shape="json")
    names = _PAIR.findall(text)
    if names and len(names) >= max(1, len(_NUMBER.findall(_PAIR.sub(" ", text))) // 2):
        return Guess(f"looks like key=value with {_keys(names)}", shape="keys")
    for separator in SEPARATORS:
        cells = [cell.strip() for cell in text.split(separator) if cell.strip() or separator != " "]
        numbers = sum(_NUMBER.match(cell) is not None for cell in cells)
        if numbers and numbers * 2 >= len(cells) and (len(cells) > 1 or separator == " "):
            what = "one number a line" if len(cells) == 1 else f"{len(cells)} columns between {separator!r}"
            return Guess(f"looks like {what}", shape="columns", separator=separator)
    return Guess("printable lines", shape="text")


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
        noise = sum(len(event.data) for event in events if isinstance(event, Noise))
        wrong = len(events) - frames
        share = 1 - noise / len(sample) if sample else 0.0
        if frames and (frames >= wrong if device.checked else frames >= 3 and frames > 4 * wrong and share >= ENOUGH):
            found.append((share, frames, device))
    found.sort(key=lambda one: (-one[0], -one[1]))
    for share, frames, device in found:
        count = "1 frame" if frames == 1 else f"{frames} frames"
        yield Guess(f"looks like {device.name} ({count}, {share:.0%} of the bytes)", device=device.name)
