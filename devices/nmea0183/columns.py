"""Columns: the kinds of items an NMEA sentence is made of. Each reads and writes.

A sentence is a row of columns; a column covers one or two of its comma-separated items, and
knows the field it is. For writing, `write(fields)` gives the items back, empty where the
field is absent.

For reading, a row is compiled to one function (row.py). `code(items)` are the lines of
Python a column adds to it, `items` the names of the variables that hold its items (str). They
run where the first item is not empty, put the value into `fields`, and raise ValueError with
the reason where it cannot be read: a function of reasons.py makes that. A column that is rare
has `read` instead, and is called. What becomes of the rest of the sentence then, the row decides.

Numbers outside minimum..maximum of their field cannot be read, nor `nan` and `inf`.
Angles come as ddmm.mmmm: degrees and minutes in one number, rounded to 1e-9 degrees (0.1 mm).
Minutes of 60.0000 are what a receiver makes by rounding: the next degree. Of a number that says
nothing without its letter (side, unit), nothing is kept where the letter is missing.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from devices.nmea0183.fields import KNOT, LIMITS
from devices.nmea0183.reasons import other_unit
from devices.spec.errors import EncodeError
from devices.spec.events import Value

WHOLE_FROM_HERE = 1.5 * 2**52
"""No float as large has decimals: added and taken away, it rounds to the nearest whole number
(for less than 2**51, half to even), in a third of the time of `int(x + 0.5)`."""
TO_JSON = json.JSONEncoder(separators=(",", ":")).encode
"""One encoder for all: `json.dumps` makes one a call."""
PLAIN = re.compile(r"-?\d+(\.\d*)?", re.ASCII)

Fields = dict[str, Value]


def within(name: str, text: str, kind: type[float] = float) -> list[str]:
    """Code that refuses a `value` of this kind outside minimum..maximum; `nan` is.

    Two comparisons with numbers of the same kind: Python is quicker at these than at a chain.
    """
    low, high = map(kind, LIMITS[name])
    return [f"if not (value >= {low!r} and value <= {high!r}):", f"    raise outside({name!r}, {text})"]


def plain(value: Value | None, name: str) -> float:
    """A field's value as a finite number; EncodeError otherwise."""
    if value is None or isinstance(value, str) or not math.isfinite(value):
        raise EncodeError(f"{name}: {value!r} is not a number")
    return float(value)


@dataclass(frozen=True, slots=True)
class Column:
    """One kind of item; `width` items. The base is a reserved item: it is skipped."""

    @property
    def field(self) -> str:
        """The field it is, or nothing."""
        return ""

    @property
    def width(self) -> int:
        return 1

    @property
    def tells_of(self) -> tuple[str, ...]:
        """The fields before it that mean nothing where it cannot be read."""
        return ()

    def code(self, *items: str) -> list[str]:  # noqa: ARG002
        """The lines of Python that read the items."""
        return []

    def read(self, items: list[str], at: int, fields: Fields) -> None:
        """Reads what `code` does not, also where the items are empty."""

    def salvage(self, items: list[str], at: int, fields: Fields) -> list[str]:
        """`read` that keeps what can be read, and says what is wrong with the rest."""
        self.read(items, at, fields)
        return []

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
    of: str

    @property
    def tells_of(self) -> tuple[str, ...]:
        return (self.of,)

    def read(self, items: list[str], at: int, fields: Fields) -> None:  # noqa: ARG002
        if items[at] and items[at] != self.letter:
            raise other_unit(self.of, items[at], self.letter)

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

    def code(self, *items: str) -> list[str]:
        name, text = self.name, items[0]
        number = f"float({text})" if self.scale == 1.0 else f"round(float({text}) * {self.scale!r}, 9)"
        lines = [f"value = {number}", *within(name, text), f"fields[{name!r}] = value"]
        if self.unit:
            refused = f"    raise other_unit({name!r}, {items[1]}, {self.unit!r})"
            return [f"if {items[1]} and {items[1]} != {self.unit!r}:", refused, *lines]
        return lines

    def write(self, fields: Mapping[str, Value]) -> tuple[str, ...]:
        if self.name not in fields:
            return ("", self.unit if self.always else "") if self.unit else ("",)
        value = plain(fields[self.name], self.name) / self.scale
        whole = self.digits + (self.decimals + 1 if self.decimals else 0) + (value < 0)
        text = f"{value:0{whole}.{self.decimals}f}"
        return (text, self.unit) if self.unit else (text,)


@dataclass(frozen=True, slots=True)
class Knots(Number):
    """Speed over ground in knots; `speed_m_s` is made of it, rounded to mm/s."""

    def code(self, *items: str) -> list[str]:
        return [*Number.code(self, *items), f"fields['speed_m_s'] = int(value * {1000 * KNOT!r} + 0.5) / 1000.0"]


@dataclass(frozen=True, slots=True)
class Whole(Named):
    """A whole number, kept as such, written with at least `digits`.

    `base` 16 for one hex digit: of longer items, which some SiRF receivers send in its place
    (a fourth dilution of precision in GSA), nothing is kept.
    """

    digits: int = 1
    base: int = 10

    def code(self, *items: str) -> list[str]:
        if self.base == 16:
            return [f"if len({items[0]}) == 1:", f"    fields[{self.name!r}] = int({items[0]}, 16)"]
        return [f"value = int({items[0]})", *within(self.name, items[0], int), f"fields[{self.name!r}] = value"]

    def write(self, fields: Mapping[str, Value]) -> tuple[str, ...]:
        if self.name not in fields:
            return ("",)
        value = round(plain(fields[self.name], self.name))
        return (f"{value:0{self.digits}{'X' if self.base == 16 else 'd'}}",)


@dataclass(frozen=True, slots=True)
class Text(Named):
    """A word, kept as it came. With `letters` it is one of them.

    `of` are fields before it: they mean nothing without it, and V declares them void.
    """

    letters: str = ""
    of: tuple[str, ...] = ()

    @property
    def tells_of(self) -> tuple[str, ...]:
        return self.of

    def code(self, *items: str) -> list[str]:
        kept = f"fields[{self.name!r}] = {items[0]}"
        if not self.letters:
            return [kept]
        allowed = ", ".join(map(repr, self.letters))
        refused = f"    raise other_letter({self.name!r}, {items[0]}, {self.letters!r})"
        lines = [f"if {items[0]} not in {{{allowed}}}:", refused, kept]
        if self.of and "V" in self.letters:
            lines += [f"if {items[0]} == 'V':", *(f"    fields.pop({name!r}, None)" for name in self.of)]
        return lines

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

    def code(self, *items: str) -> list[str]:
        """The degrees come out of a float, never below zero: 0.0 - value is no negative zero."""
        (text, side), name = items, self.name
        return [
            f"value = float({text})",
            "degrees = value // 100.0",
            "minutes = value - 100.0 * degrees",
            f"if not (value >= 0.0 and value <= {100.0 * self.limit!r} and minutes <= 60.0):",
            f"    raise no_angle({name!r}, {text}, {self.limit})",
            f"value = ((degrees + minutes / 60.0) * 1e9 + {WHOLE_FROM_HERE!r} - {WHOLE_FROM_HERE!r}) / 1e9",
            f"if {side} == {self.letters[0]!r}:",
            f"    fields[{name!r}] = value",
            f"elif {side} == {self.letters[1]!r}:",
            f"    fields[{name!r}] = 0.0 - value",
            f"elif {side}:",
            f"    raise other_side({name!r}, {side}, {self.letters!r})",
            "else:",
            f"    raise no_letter({name!r}, {text}, {self.letters!r})",
        ]

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

    def code(self, *items: str) -> list[str]:
        (text, side), name = items, self.name
        return [
            f"if {side} not in {{{self.letters[0]!r}, {self.letters[1]!r}}}:",
            f"    raise other_side({name!r}, {side}, {self.letters!r})",
            f"value = float({text})",
            *within(name, text),
            f"fields[{name!r}] = value if {side} == {self.letters[0]!r} else -value",
        ]

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
        wrong = self.salvage(items, at, fields)
        if wrong:
            raise ValueError(wrong[0])

    def salvage(self, items: list[str], at: int, fields: Fields) -> list[str]:
        found = items[at : at + self.count] if self.count else items[at:]
        if not any(found):
            return []
        wrong: list[str] = []
        values: list[float | str | None] = []
        for text in found:
            if text and (not self.numbers or PLAIN.fullmatch(text) is not None):
                values.append(_shortest(text) if self.numbers else text)
                continue
            if text:
                wrong.append(f"{self.name}: {text!r} is not a number")
            if self.gaps:
                values.append(None)
        while values and values[-1] is None:
            values.pop()
        if values:
            fields[self.name] = TO_JSON(values)
        return wrong

    def write(self, fields: Mapping[str, Value]) -> tuple[str, ...]:
        values = json.loads(str(fields.get(self.name, "[]")))
        if self.count and len(values) > self.count:
            raise EncodeError(f"{self.name}: {len(values)} entries, at most {self.count}")
        words = ["" if value is None else f"{value:0{self.digits}}" if self.numbers else value for value in values]
        return (*words, *[""] * (self.count - len(words)))


def _shortest(text: str) -> float:
    """The number for JSON text, a whole one without its `.0`."""
    return float(text) if "." in text else int(text)
