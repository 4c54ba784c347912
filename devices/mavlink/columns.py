"""The columns of a MAVLink message: each takes its raw values out of a payload and gives them back.

    payload --struct--> raw values --take--> fields          fields --give--> raw values --struct--> payload

A column has a place among the raw values (`at`, counted as the struct unpacks them). What a raw value says that
means "none" (FFFF, -1, NaN) is absent; what lies outside the range of its field is left out and named. `give` takes
the fields that it has used out of `left`, so that what nobody has used can be told.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from devices.spec.errors import EncodeError
from devices.spec.events import Value
from devices.spec.field import Field
from devices.spec.register import shortest

Raws = list[Any]
"""The values of a payload as its struct packs them."""


class Column(Protocol):
    """Part of a message."""

    def take(self, raws: tuple[Any, ...], fields: dict[str, Value], wrong: list[str]) -> None:
        """Put what the raw values say into `fields`, and words about what is left out into `wrong`."""
        ...

    def give(self, raws: Raws, left: dict[str, Value]) -> None:
        """The inverse. EncodeError for what cannot be said."""
        ...


@dataclass(slots=True)
class Number:
    """A quantity: value = raw * times / over. `low`..`high` is what is believed; `real` is a float on the wire."""

    at: int
    name: str
    times: int = 1
    over: int = 1
    absent: frozenset[float] = frozenset()
    low: float = -math.inf
    high: float = math.inf
    real: bool = False
    whole: bool = False
    narrow: bool = False

    def take(self, raws: tuple[Any, ...], fields: dict[str, Value], wrong: list[str]) -> None:
        raw = raws[self.at]
        if raw in self.absent or raw - raw != 0:  # the latter for what is no number, and infinities
            return
        if self.whole:
            value = raw
        elif self.narrow:
            value = shortest(raw)
            if self.times != self.over:
                value = value * self.times / self.over
        else:
            value = raw * self.times / self.over
        if self.low <= value <= self.high:
            fields[self.name] = value
        else:
            wrong.append(f"{self.name}: {value:.7g} is outside {self.low:g}..{self.high:g}")

    def give(self, raws: Raws, left: dict[str, Value]) -> None:
        value = left.pop(self.name, None)
        if value is None:
            raws[self.at] = min(self.absent, default=math.nan if self.real else 0)
            return
        if isinstance(value, str) or not self.low <= value <= self.high:
            raise EncodeError(f"{self.name}: {value!r:.40} is outside {self.low:g}..{self.high:g}")
        raw = value * self.over / self.times
        raws[self.at] = float(raw) if self.real else value if self.whole else round(raw)
        if raws[self.at] in self.absent:
            raise EncodeError(f"{self.name}: {value} is what a message says for 'no value'")


Take = Callable[[tuple[Any, ...], dict[str, Value], list[str]], None]


def compiled(columns: list[Number]) -> Take:
    """The `take` of several numbers as one function: a third of the time of calling theirs."""
    room: dict[str, Any] = {"__builtins__": {}, "shortest": shortest}
    source = ["def take(raws, fields, wrong):"]
    for index, column in enumerate(columns):
        room[f"slow{index}"] = column.take
        tests = [f"raw != {value!r}" for value in sorted(column.absent)]
        tests += ["raw - raw == 0"] if column.real else []
        value = "shortest(raw)" if column.narrow else "raw"
        if column.times != 1:
            value += f" * {column.times}"
        if not column.whole and (column.over != 1 or not column.real):
            value += f" / {column.over}"
        source.append(f"    raw = raws[{column.at}]")
        source.append(f"    if {' and '.join(tests) or 'True'}:")
        if column.low == -math.inf and column.high == math.inf:
            source.append(f"        fields[{column.name!r}] = {value}")
            continue
        source.append(f"        value = {value}")
        source.append(f"        if {column.low!r} <= value <= {column.high!r}:")
        source.append(f"            fields[{column.name!r}] = value")
        source.append("        else:")
        source.append(f"            slow{index}(raws, fields, wrong)")
    made: dict[str, Take] = {}
    exec("\n".join([*source, "    return"]), room, made)
    return made["take"]


@dataclass(slots=True)
class Word:
    """A number that stands for a word of an enumeration."""

    at: int
    name: str
    words: Mapping[int, str]
    absent: frozenset[int] = frozenset()
    numbers: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.numbers = {word: number for number, word in self.words.items()}

    def take(self, raws: tuple[Any, ...], fields: dict[str, Value], wrong: list[str]) -> None:
        raw = raws[self.at]
        if raw in self.absent:
            return
        word = self.words.get(raw)
        if word is not None:
            fields[self.name] = word
        else:
            wrong.append(f"{self.name}: {raw} is none of its words")

    def give(self, raws: Raws, left: dict[str, Value]) -> None:
        word = left.pop(self.name, None)
        if word is None:
            raws[self.at] = min(self.absent, default=0)
        elif word in self.numbers:
            raws[self.at] = self.numbers[str(word)]
        else:
            raise EncodeError(f"{self.name}: {word!r:.60} is none of its words")


@dataclass(slots=True)
class Named:
    """What an open message says of an enumeration: the number, and its word as a text if it has one."""

    number: Number
    name: str
    words: Mapping[int, str]

    def take(self, raws: tuple[Any, ...], fields: dict[str, Value], wrong: list[str]) -> None:
        self.number.take(raws, fields, wrong)
        word = self.words.get(raws[self.number.at])
        if word is not None and self.number.name in fields:
            fields[self.name] = word

    def give(self, raws: Raws, left: dict[str, Value]) -> None:
        left.pop(self.name, None)
        self.number.give(raws, left)


@dataclass(slots=True)
class Letters:
    """A text that ends at the first NUL."""

    at: int
    name: str
    size: int

    def take(self, raws: tuple[Any, ...], fields: dict[str, Value], wrong: list[str]) -> None:
        del wrong
        text = letters(raws[self.at])
        if text:
            fields[self.name] = text

    def give(self, raws: Raws, left: dict[str, Value]) -> None:
        data = str(left.pop(self.name, "")).encode()
        if len(data) > self.size or b"\0" in data:
            raise EncodeError(f"{self.name}: expected a text of up to {self.size} bytes without NUL")
        raws[self.at] = data or b"\0"


@dataclass(slots=True)
class Several:
    """An array of numbers: `columns`, one each."""

    columns: tuple[Number, ...]

    def take(self, raws: tuple[Any, ...], fields: dict[str, Value], wrong: list[str]) -> None:
        for column in self.columns:
            column.take(raws, fields, wrong)

    def give(self, raws: Raws, left: dict[str, Value]) -> None:
        for column in self.columns:
            column.give(raws, left)


@dataclass(slots=True)
class Block:
    """A long array, as one text: bytes in hex, other numbers as a list in JSON (null for what is no number)."""

    at: int
    name: str
    count: int
    octets: bool

    def take(self, raws: tuple[Any, ...], fields: dict[str, Value], wrong: list[str]) -> None:
        del wrong
        values = raws[self.at : self.at + self.count]
        if self.octets:
            fields[self.name] = bytes(values).hex()
        else:
            fields[self.name] = json.dumps(
                [value if value - value == 0 else None for value in values], separators=(",", ":")
            )

    def give(self, raws: Raws, left: dict[str, Value]) -> None:
        text = str(left.pop(self.name, ""))
        try:
            values = list(bytes.fromhex(text)) if self.octets else json.loads(text or "[]")
        except ValueError as error:
            raise EncodeError(f"{self.name}: {error}") from None
        if not isinstance(values, list) or len(values) > self.count:
            raise EncodeError(f"{self.name}: expected a list of up to {self.count}")
        for index, value in enumerate(values + [0] * (self.count - len(values))):
            raws[self.at + index] = math.nan if value is None else value


@dataclass(slots=True)
class Flags:
    """A number whose bits are flags of their own: `name` is the number, `bits` are the flags that are told."""

    number: Number
    bits: tuple[tuple[int, str], ...]

    def take(self, raws: tuple[Any, ...], fields: dict[str, Value], wrong: list[str]) -> None:
        self.number.take(raws, fields, wrong)
        raw = raws[self.number.at]
        for bit, name in self.bits:
            fields[name] = bool(raw & bit)

    def give(self, raws: Raws, left: dict[str, Value]) -> None:
        told = {bit: left.pop(name) for bit, name in self.bits if name in left}
        if self.number.name not in left:
            raws[self.number.at] = sum(bit for bit, flag in told.items() if flag)
            return
        self.number.give(raws, left)
        for bit, flag in told.items():
            if bool(raws[self.number.at] & bit) != flag:
                raise EncodeError(f"{self.number.name}: {raws[self.number.at]} and its flags contradict each other")


@dataclass(slots=True)
class Own:
    """A column that two functions make, for what no other can say."""

    take: Take
    give: Callable[[Raws, dict[str, Value]], None]


def letters(data: bytes) -> str:
    """The text of a char array: up to the first NUL; what is no UTF-8 is replaced."""
    return data.partition(b"\0")[0].decode("utf-8", "replace").rstrip()


def measured(at: int, listed: Field, over: int = 1, times: int = 1, absent: tuple[float, ...] = (), *,
             real: bool = False) -> Number:  # fmt: skip
    """The column of a field that is described."""
    low = -math.inf if listed.minimum is None else listed.minimum
    high = math.inf if listed.maximum is None else listed.maximum
    return Number(at, listed.name, times, over, frozenset(absent), low, high, real, listed.kind == "counter", real)
