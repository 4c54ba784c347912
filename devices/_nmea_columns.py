"""Columns: the kinds of items an NMEA sentence is made of. Each reads and writes.

A sentence is a row of columns; a column covers one or two of its comma-separated items, and
knows the field it is. For reading, a row asks each column once for a function: `single` for
one item, `pair` for two; a column that is neither has `read`. They are called with items that
are not empty, and raise ValueError with the reason where these cannot be read. For writing,
`write(fields)` gives the items back, empty where the field is absent.

Numbers outside minimum..maximum of their field are refused, and so are `nan` and `inf`.
Angles come as ddmm.mmmm: degrees and minutes in one number, rounded to 1e-9 degrees (0.1 mm).
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from devices._nmea_fields import LIMITS
from devices.spec.errors import EncodeError
from devices.spec.events import Value

PLAIN = re.compile(r"-?\d+(\.\d*)?", re.ASCII)

Fields = dict[str, Value]
Single = Callable[[str], Value]
Pair = Callable[[str, str], Value | None]


def decimal(name: str, scale: float = 1.0) -> Callable[[str], float]:
    """A function that reads the number of field `name`."""
    low, high = LIMITS[name]

    def read(text: str) -> float:
        value = float(text)
        if scale != 1.0:
            value = round(value * scale, 9)
        if low <= value <= high:
            return value
        raise ValueError(f"{name} {text} is outside {low}..{high}")

    return read


def plain(value: Value | None, name: str) -> float:
    """A field's value as a finite number; EncodeError otherwise."""
    if value is None or isinstance(value, str) or not math.isfinite(value):
        raise EncodeError(f"{name}: {value!r} is not a number")
    return float(value)


@dataclass(frozen=True, slots=True)
class Column:
    """One kind of item; `width` items. The base is an item that is reserved: read over."""

    @property
    def field(self) -> str:
        """The field it is, or nothing."""
        return ""

    @property
    def width(self) -> int:
        return 1

    def single(self) -> Single | None:
        """What reads the one item, if that is all it takes."""
        return None

    def pair(self) -> Pair | None:
        """What reads the two items; None from it: no value."""
        return None

    def read(self, items: list[str], at: int, fields: Fields) -> None:
        """What reads the items otherwise."""

    def write(self, fields: Mapping[str, Value]) -> tuple[str, ...]:  # noqa: ARG002
        return ("",) * self.width


SKIP = Column()


@dataclass(frozen=True, slots=True)
class Named(Column):
    """A column that is the field `name`."""

    name: str

    @property
    def field(self) -> str:
        return self.name


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
class Number(Named):
    """A decimal number, `decimals` of them written, with at least `digits` before the point.

    With `unit` the next item is that letter (or empty); any other is refused, since the
    number would then mean something else. `always` writes the letter also without a number.
    """

    decimals: int = 1
    digits: int = 1
    unit: str = ""
    always: bool = False
    scale: float = 1.0

    @property
    def width(self) -> int:
        return 2 if self.unit else 1

    def single(self) -> Single | None:
        return None if self.unit else decimal(self.name, self.scale)

    def pair(self) -> Pair | None:
        if not self.unit:
            return None
        name, expected, value = self.name, self.unit, decimal(self.name, self.scale)

        def read(text: str, unit: str) -> Value:
            if unit and unit != expected:
                raise ValueError(f"{name}: unit {unit!r}, expected {expected!r}")
            return value(text)

        return read

    def write(self, fields: Mapping[str, Value]) -> tuple[str, ...]:
        if self.name not in fields:
            return ("", self.unit if self.always else "") if self.unit else ("",)
        value = plain(fields[self.name], self.name) / self.scale
        whole = self.digits + (self.decimals + 1 if self.decimals else 0) + (value < 0)
        text = f"{value:0{whole}.{self.decimals}f}"
        return (text, self.unit) if self.unit else (text,)


@dataclass(frozen=True, slots=True)
class Whole(Named):
    """A whole number, kept as such, written with at least `digits`; `base` 16 for one hex digit."""

    digits: int = 1
    base: int = 10

    def single(self) -> Single:
        name, base, (low, high) = self.name, self.base, LIMITS[self.name]

        def read(text: str) -> Value:
            value = int(text, base)
            if low <= value <= high:
                return value
            raise ValueError(f"{name} {text} is outside {low}..{high}")

        return read

    def write(self, fields: Mapping[str, Value]) -> tuple[str, ...]:
        if self.name not in fields:
            return ("",)
        value = round(plain(fields[self.name], self.name))
        return (f"{value:0{self.digits}{'X' if self.base == 16 else 'd'}}",)


@dataclass(frozen=True, slots=True)
class Text(Named):
    """A word, kept as it came. With `letters` it is one of them; another is refused."""

    letters: str = ""

    def single(self) -> Single:
        if not self.letters:
            return str
        name, allowed, letters = self.name, frozenset(self.letters), self.letters

        def read(text: str) -> Value:
            if text in allowed:
                return text
            raise ValueError(f"{name}: {text!r}, expected one of {', '.join(letters)}")

        return read

    def write(self, fields: Mapping[str, Value]) -> tuple[str, ...]:
        text = str(fields.get(self.name, ""))
        if self.letters and text and (len(text) != 1 or text not in self.letters):
            raise EncodeError(f"{self.name}: {text!r}, expected one of {', '.join(self.letters)}")
        if not (text.isascii() and (text.isprintable() or not text)) or any(mark in text for mark in ",*$!\\^~"):
            raise EncodeError(f"{self.name}: {text!r} has a character that a sentence cannot carry")
        return (text,)


@dataclass(frozen=True, slots=True)
class Angle(Named):
    """Latitude or longitude: ddmm.mmmm and a letter, the second letter for negative ones."""

    letters: str
    limit: int

    @property
    def width(self) -> int:
        return 2

    def pair(self) -> Pair:
        name, limit, positive, negative = self.name, self.limit, self.letters[0], self.letters[1]
        most = 100.0 * limit

        def read(text: str, side: str) -> Value | None:
            value = float(text)
            if not 0.0 <= value <= most:
                raise ValueError(f"{name}: {text} is not ddmm.mmmm up to {limit} degrees")
            degrees = int(value) // 100
            minutes = value - 100 * degrees
            if minutes >= 60.0:
                raise ValueError(f"{name}: {text} has 60 minutes or more")
            angle = degrees + minutes / 60.0
            nano = int(angle * 1e9 + 0.5)
            if side == positive:
                return nano / 1e9
            if side == negative:
                return -nano / 1e9
            if side:
                raise ValueError(f"{name}: side {side!r}, expected {positive} or {negative}")
            return None

        return read

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
class Sided(Named):
    """A number and the letter of its side; numbers of the second side are negative."""

    letters: str
    decimals: int = 1
    digits: int = 1

    @property
    def width(self) -> int:
        return 2

    def pair(self) -> Pair:
        name, value, positive, negative = self.name, decimal(self.name), self.letters[0], self.letters[1]

        def read(text: str, side: str) -> Value | None:
            if side == positive:
                return value(text)
            if side == negative:
                return -value(text)
            if side:
                raise ValueError(f"{name}: side {side!r}, expected {positive} or {negative}")
            return None

        return read

    def write(self, fields: Mapping[str, Value]) -> tuple[str, ...]:
        if self.name not in fields:
            return ("", "")
        value = plain(fields[self.name], self.name)
        text = f"{abs(value):0{self.digits + self.decimals + 1}.{self.decimals}f}"
        return (text, self.letters[1] if value < 0 else self.letters[0])


@dataclass(frozen=True, slots=True)
class Stamp(Named):
    """Time of day (`utc_time`), date (`utc_date`) or a part of it: the stream makes a time of them."""

    digits: int = 0

    def write(self, fields: Mapping[str, Value]) -> tuple[str, ...]:
        value = fields.get(self.name, "")
        return (f"{value:0{self.digits}d}" if self.digits and isinstance(value, int) else str(value),)


@dataclass(frozen=True, slots=True)
class Listing(Named):
    """`count` items that are one list, stored as JSON text; 0 for all that are left.

    Numbers where `numbers`, else words. With `gaps` empty items stand as null, so that each
    keeps its place; otherwise they are left out.
    """

    count: int = 0
    numbers: bool = True
    gaps: bool = False
    digits: int = 1

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
                values.append(_shortest(text) if self.numbers else text)
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


def _shortest(text: str) -> float:
    """The number, a whole one without its `.0`: JSON text reads better."""
    if PLAIN.fullmatch(text) is None:
        raise ValueError(f"{text!r} is not a number")
    return float(text) if "." in text else int(text)
