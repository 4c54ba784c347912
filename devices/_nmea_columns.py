"""Columns: the kinds of items an NMEA sentence is made of. Each reads and writes.

A sentence is a row of columns; a column covers one or two of its comma-separated items.
`read(items, at, fields)` puts what stands there into `fields`, nothing where the items are
empty, and raises ValueError with the reason where they cannot be read. `write(fields)` gives
the items back, empty where the field is absent.

Numbers are plain decimals; `nan`, `inf` and exponents are refused. Angles come as ddmm.mmmm:
degrees and minutes in one number, rounded to 1e-9 degrees (0.1 mm) when read.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from devices.spec.errors import EncodeError
from devices.spec.events import Value

NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)", re.ASCII)
ANGLE = re.compile(r"(\d*?)(\d{1,2}(?:\.\d*)?)", re.ASCII)
TIME = re.compile(r"([01]\d|2[0-3])([0-5]\d)([0-5]\d|60)(?:\.(\d*))?", re.ASCII)

Fields = dict[str, Value]


def number(text: str) -> float:
    """A plain decimal number; ValueError for anything else that float() would take."""
    if NUMBER.fullmatch(text) is None:
        raise ValueError(f"{text!r} is not a number")
    return float(text)


def plain(value: Value | None, name: str) -> float:
    """A field's value as a finite number; EncodeError otherwise."""
    if value is None or isinstance(value, str) or not math.isfinite(value):
        raise EncodeError(f"{name}: {value!r} is not a number")
    return float(value)


@dataclass(frozen=True, slots=True)
class Column:
    """One kind of item. `names` are the fields it can give; `width` the items it covers."""

    @property
    def names(self) -> tuple[str, ...]:
        return ()

    @property
    def width(self) -> int:
        return 1

    def read(self, items: list[str], at: int, fields: Fields) -> None:
        """Read over: reserved items."""

    def write(self, fields: Mapping[str, Value]) -> tuple[str, ...]:  # noqa: ARG002
        return ("",) * self.width


SKIP = Column()


@dataclass(frozen=True, slots=True)
class Fixed(Column):
    """A letter that is always the same, a unit for instance; empty is taken too."""

    letter: str

    def read(self, items: list[str], at: int, fields: Fields) -> None:  # noqa: ARG002
        if items[at] and items[at] != self.letter:
            raise ValueError(f"unit {items[at]!r}, expected {self.letter!r}")

    def write(self, fields: Mapping[str, Value]) -> tuple[str, ...]:  # noqa: ARG002
        return (self.letter,)


@dataclass(frozen=True, slots=True)
class Number(Column):
    """A decimal number, `decimals` of them written, with at least `digits` before the point.

    With `unit` the next item is that letter (or empty); any other is refused, since the
    number would then mean something else. `always` writes the letter also without a number.
    """

    name: str
    decimals: int = 1
    digits: int = 1
    unit: str = ""
    always: bool = False
    scale: float = 1.0

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,)

    @property
    def width(self) -> int:
        return 2 if self.unit else 1

    def read(self, items: list[str], at: int, fields: Fields) -> None:
        text = items[at]
        if not text:
            return
        if self.unit:
            unit = items[at + 1]
            if unit and unit != self.unit:
                raise ValueError(f"{self.name}: unit {unit!r}, expected {self.unit!r}")
        value = number(text)
        fields[self.name] = value if self.scale == 1.0 else round(value * self.scale, 9)

    def write(self, fields: Mapping[str, Value]) -> tuple[str, ...]:
        if self.name not in fields:
            return ("", self.unit if self.always else "") if self.unit else ("",)
        value = plain(fields[self.name], self.name) / self.scale
        whole = self.digits + (self.decimals + 1 if self.decimals else 0) + (value < 0)
        text = f"{value:0{whole}.{self.decimals}f}"
        return (text, self.unit) if self.unit else (text,)


@dataclass(frozen=True, slots=True)
class Whole(Column):
    """A whole number, kept as such, written with at least `digits`; `base` 16 for one hex digit."""

    name: str
    digits: int = 1
    base: int = 10

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,)

    def read(self, items: list[str], at: int, fields: Fields) -> None:
        text = items[at]
        if text:
            fields[self.name] = int(text, self.base)

    def write(self, fields: Mapping[str, Value]) -> tuple[str, ...]:
        if self.name not in fields:
            return ("",)
        value = round(plain(fields[self.name], self.name))
        return (f"{value:0{self.digits}{'X' if self.base == 16 else 'd'}}",)


@dataclass(frozen=True, slots=True)
class Text(Column):
    """A word, kept as it came. With `letters` it is one of them; another is refused."""

    name: str
    letters: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,)

    def read(self, items: list[str], at: int, fields: Fields) -> None:
        text = items[at]
        if not text:
            return
        if self.letters and (len(text) != 1 or text not in self.letters):
            raise ValueError(f"{self.name}: {text!r}, expected one of {', '.join(self.letters)}")
        fields[self.name] = text

    def write(self, fields: Mapping[str, Value]) -> tuple[str, ...]:
        text = str(fields.get(self.name, ""))
        if self.letters and text and (len(text) != 1 or text not in self.letters):
            raise EncodeError(f"{self.name}: {text!r}, expected one of {', '.join(self.letters)}")
        if not (text.isascii() and (text.isprintable() or not text)) or any(mark in text for mark in ",*$!\\^~"):
            raise EncodeError(f"{self.name}: {text!r} has a character that a sentence cannot carry")
        return (text,)


@dataclass(frozen=True, slots=True)
class Angle(Column):
    """Latitude or longitude: ddmm.mmmm and a letter, the second letter for negative ones."""

    name: str
    letters: str
    limit: int

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,)

    @property
    def width(self) -> int:
        return 2

    def read(self, items: list[str], at: int, fields: Fields) -> None:
        text = items[at]
        side = items[at + 1]
        if not text or not side:
            return
        found = ANGLE.fullmatch(text)
        if found is None or len(side) != 1 or side not in self.letters:
            raise ValueError(f"{self.name}: {text},{side} is not ddmm.mmmm and one of {', '.join(self.letters)}")
        minutes = float(found[2])
        angle = int(found[1] or 0) + minutes / 60.0
        if minutes >= 60.0 or angle > self.limit:
            raise ValueError(f"{self.name}: {text} is no angle up to {self.limit} degrees")
        fields[self.name] = round(angle if side == self.letters[0] else -angle, 9)

    def write(self, fields: Mapping[str, Value]) -> tuple[str, ...]:
        if self.name not in fields:
            return ("", "")
        value = plain(fields[self.name], self.name)
        if abs(value) > self.limit:
            raise EncodeError(f"{self.name}: {value} is outside -{self.limit}..{self.limit}")
        raw = round(abs(value) * 6_000_000)
        degrees, minutes = divmod(raw, 6_000_000)
        digits = 2 if self.limit == 90 else 3
        text = f"{degrees:0{digits}d}{minutes // 100_000:02d}.{minutes % 100_000:05d}"
        return (text, self.letters[1] if value < 0 else self.letters[0])


@dataclass(frozen=True, slots=True)
class Sided(Column):
    """A number and the letter of its side; numbers of the second side are negative."""

    name: str
    letters: str
    decimals: int = 1
    digits: int = 1

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,)

    @property
    def width(self) -> int:
        return 2

    def read(self, items: list[str], at: int, fields: Fields) -> None:
        text = items[at]
        side = items[at + 1]
        if side and (side not in self.letters or len(side) != 1):
            raise ValueError(f"{self.name}: side {side!r}, expected {' or '.join(self.letters)}")
        if text and side:
            fields[self.name] = number(text) if side == self.letters[0] else -number(text)

    def write(self, fields: Mapping[str, Value]) -> tuple[str, ...]:
        if self.name not in fields:
            return ("", "")
        value = plain(fields[self.name], self.name)
        text = f"{abs(value):0{self.digits + self.decimals + 1}.{self.decimals}f}"
        return (text, self.letters[1] if value < 0 else self.letters[0])


@dataclass(frozen=True, slots=True)
class Clock(Column):
    """The UTC time of day, hhmmss.ss. `read` keeps the text; the stream makes a time of it."""

    @property
    def names(self) -> tuple[str, ...]:
        return ("utc_time",)

    def read(self, items: list[str], at: int, fields: Fields) -> None:
        text = items[at]
        if not text:
            return
        if TIME.fullmatch(text) is None:
            raise ValueError(f"time {text!r} is not hhmmss.ss")
        fields["utc_time"] = text

    def write(self, fields: Mapping[str, Value]) -> tuple[str, ...]:
        return (str(fields.get("utc_time", "")),)


@dataclass(frozen=True, slots=True)
class Date(Column):
    """The UTC date, ddmmyy. `read` keeps the text; the stream makes a date of it."""

    @property
    def names(self) -> tuple[str, ...]:
        return ("utc_date",)

    def read(self, items: list[str], at: int, fields: Fields) -> None:
        text = items[at]
        if not text:
            return
        if len(text) != 6 or not text.isdecimal():
            raise ValueError(f"date {text!r} is not ddmmyy")
        fields["utc_date"] = text

    def write(self, fields: Mapping[str, Value]) -> tuple[str, ...]:
        return (str(fields.get("utc_date", "")),)


@dataclass(frozen=True, slots=True)
class Listing(Column):
    """`count` items that are one list, stored as JSON text; 0 for all that are left.

    Numbers where `numbers`, else words. With `gaps` empty items stand as null, so that each
    keeps its place; otherwise they are left out.
    """

    name: str
    count: int = 0
    numbers: bool = True
    gaps: bool = False
    digits: int = 1

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,)

    @property
    def width(self) -> int:
        return self.count

    def read(self, items: list[str], at: int, fields: Fields) -> None:
        found = items[at : at + self.count] if self.count else items[at:]
        if not any(found):
            return
        values: list[float | str | None] = []
        for text in found:
            if text:
                values.append(_shortest(number(text)) if self.numbers else text)
            elif self.gaps:
                values.append(None)
        while values and values[-1] is None:
            values.pop()
        fields[self.name] = json.dumps(values, separators=(",", ":"))

    def write(self, fields: Mapping[str, Value]) -> tuple[str, ...]:
        values = json.loads(str(fields.get(self.name, "[]")))
        if self.count and len(values) > self.count:
            raise EncodeError(f"{self.name}: {len(values)} entries, at most {self.count}")
        words = ["" if value is None else f"{value:0{self.digits}}" if self.numbers else value for value in values]
        return (*words, *[""] * (self.count - len(words)))


def _shortest(value: float) -> float:
    """A whole number without its `.0`, as JSON text reads better."""
    return int(value) if value == int(value) else value
