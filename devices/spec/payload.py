"""Payload tables: one table both reads a frame's values and writes them.

An `Item` is a whole number in the frame (a struct code) that is a field after scaling, or a
constant. A `BitItem` is made of bits that may lie scattered over several bytes. What a
table reads, it writes back to the same bytes.

    value = (raw + offset) / divisor     raw in `absent`: the device has no value, the field is absent

The reading side is compiled once from the table into one function, a dict display over the
unpacked numbers (as `namedtuple` and `dataclass` compile theirs): half the time of building
the dict by zip and map.

`event` judges the values: what the device cannot say (the frame has room for it) is left out where the
field is optional, and refuses the frame where it is required.

Where every field is a whole number of at most 16 bits over a divisor, a table also writes the text
of its fields (`Reading.text`), looking each value up by its raw number: 65,536 texts for each divisor,
made when the first frame is read (4 MB).

Limits: `parse` makes no object per value beyond the values and the dict. `pack` refuses
(EncodeError) what the frame cannot say: unknown fields, values outside minimum..maximum.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from struct import Struct, calcsize
from typing import Literal

from devices.spec.errors import DescriptionError, EncodeError
from devices.spec.events import Reading, SanityError, Value
from devices.spec.field import Field


@dataclass(frozen=True, slots=True)
class Item:
    """One number in the frame. Without a `field` it is read over and written as `fill`.

    `absent` are the raw values that mean "no value"; the first of them is written for a
    field that is not there.
    """

    code: str
    field: Field | None = None
    divisor: int = 1
    absent: tuple[int, ...] = ()
    fill: int = 0
    offset: int = 0


@dataclass(frozen=True, slots=True)
class BitItem:
    """A field made of bits. `pieces` are (byte, shift, width), the most significant first.

    Bytes are counted from the beginning of the table.
    """

    field: Field
    pieces: tuple[tuple[int, int, int], ...]
    divisor: float = 1
    absent: tuple[int, ...] = ()
    offset: int = 0

    @property
    def width(self) -> int:
        return sum(width for _, _, width in self.pieces)


def raw_value(
    field: Field, divisor: float, absent: tuple[int, ...], fields: Mapping[str, Value], offset: int = 0
) -> int:
    """The whole number that stands for `field` in a frame; EncodeError if there is none."""
    value = fields.get(field.name)
    if value is None:
        if absent:
            return absent[0]
        raise EncodeError(f"{field.name} is missing")
    if isinstance(value, str) or not math.isfinite(value):
        raise EncodeError(f"{field.name}: {value!r} is not a number")
    low = -math.inf if field.minimum is None else field.minimum
    high = math.inf if field.maximum is None else field.maximum
    raw = round(value * divisor) - offset
    if not low <= (raw + offset) / divisor <= high:
        raise EncodeError(f"{field.name}: {value} is outside {field.minimum}..{field.maximum}")
    if raw in absent:
        raise EncodeError(f"{field.name}: {value} is what the device sends for 'no value'")
    return raw


Both = tuple[dict[str, Value], str | None]
"""The fields of a frame, and their text where the table writes it."""


class Payload:
    """A table of items at a fixed place in a frame, `order` "<" or ">" for the byte order."""

    __slots__ = (
        "_absent",
        "_bits",
        "_compiled",
        "_fields",
        "_items",
        "_narrow",
        "_offset",
        "_reader",
        "_tabled",
        "_writer",
        "both",
        "names",
        "parse",
    )

    def __init__(
        self, order: Literal["<", ">"], offset: int, items: tuple[Item, ...], bits: tuple[BitItem, ...] = ()
    ) -> None:
        codes = [item.code if item.field else f"{calcsize(order + item.code)}x" for item in items]
        self._reader = Struct(order + "".join(codes))
        self._writer = Struct(order + "".join(item.code for item in items))
        self._offset = offset
        self._items = items
        self._bits = bits
        fields = [(item, item.field) for item in items if item.field is not None]
        self._compiled = _compile(fields, self._reader, offset)
        self._tabled = (
            bool(fields) and not bits and all(i.code in "bBhH" and not i.absent and not i.offset for i, _ in fields)
        )
        self._absent = tuple((i, f.name, item.absent) for i, (item, f) in enumerate(fields) if item.absent)
        self.parse = self._parse if self._absent or bits else self._compiled
        """The fields of a whole frame. A field without a value is not in the dict."""
        self.both: Callable[[bytes], Both] = self._first
        """The same, and the text of the fields where the table writes it; for `event`."""
        self._fields = fields
        self.names = frozenset(field.name for _, field in fields) | {bit.field.name for bit in bits}
        entries: list[tuple[Item | BitItem, Field]] = [*fields, *((bit, bit.field) for bit in bits)]
        self._narrow = tuple(
            (field.name, field.minimum, field.maximum, field.optional)
            for entry, field in entries
            if field.kind != "flag" and field.minimum is not None and field.maximum is not None
            if not _fills(entry, field, field.minimum, field.maximum)
        )

    @property
    def size(self) -> int:
        """Bytes of the frame that the table covers."""
        return self._writer.size

    def _first(self, frame: bytes) -> Both:
        """The tables of texts are made for a type that is really there."""
        if self._tabled:
            self.both = _compile_both(self._fields, self._reader, self._offset)
        else:
            self.both = lambda frame: (self.parse(frame), None)
        return self.both(frame)

    def _parse(self, frame: bytes) -> dict[str, Value]:
        fields = self._compiled(frame)
        if self._absent:
            raws = self._reader.unpack_from(frame, self._offset)
            for index, name, absent in self._absent:
                if raws[index] in absent:
                    del fields[name]
        if self._bits:
            self._parse_bits(frame, fields)
        return fields

    def _parse_bits(self, frame: bytes, fields: dict[str, Value]) -> None:
        for bit in self._bits:
            raw = 0
            for byte, shift, width in bit.pieces:
                raw = raw << width | frame[self._offset + byte] >> shift & (1 << width) - 1
            if raw in bit.absent:
                continue
            kind = bit.field.kind
            number = raw + bit.offset
            fields[bit.field.name] = (
                bool(raw) if kind == "flag" else number if kind == "counter" else number / bit.divisor
            )

    def outside(self, fields: Mapping[str, Value]) -> str | None:
        """Which value is one that the device cannot say (the frame has room for it), or None."""
        for name, low, high, _ in self._narrow:
            value = fields.get(name)
            if value is not None and not isinstance(value, str) and not low <= value <= high:
                return f"{name}: {value} is outside {low}..{high}"
        return None

    def event(self, frame: bytes, fields: dict[str, Value], text: str | None = None) -> Reading | SanityError:
        """What `frame` says, by its `fields` and `text`: an optional value that cannot be is left out and named."""
        wrong: list[str] = []
        for name, low, high, optional in self._narrow:
            value = fields.get(name)
            if value is not None and not isinstance(value, str) and not low <= value <= high:
                words = f"{name}: {value} is outside {low}..{high}"
                if not optional:
                    return SanityError(words, frame)
                del fields[name]
                wrong.append(words)
        if wrong:
            return Reading(fields, field_errors=tuple(wrong))
        return Reading(fields, None, None, {}, (), False, text)

    def pack(self, fields: Mapping[str, Value]) -> bytes:
        """The bytes of the table. EncodeError for a field it does not have or cannot say."""
        unknown = fields.keys() - self.names
        if unknown:
            raise EncodeError(f"{', '.join(sorted(unknown))}: not in this frame")
        raws = [
            item.fill if item.field is None else raw_value(item.field, item.divisor, item.absent, fields, item.offset)
            for item in self._items
        ]
        out = bytearray(self._writer.pack(*raws))
        for bit in self._bits:
            raw = raw_value(bit.field, bit.divisor, bit.absent, fields, bit.offset)
            for byte, shift, width in reversed(bit.pieces):
                out[byte] |= (raw & (1 << width) - 1) << shift
                raw >>= width
        return bytes(out)


def _compile(fields: list[tuple[Item, Field]], reader: Struct, offset: int) -> Callable[[bytes], dict[str, Value]]:
    """A function of a frame that gives the dict of the fields."""
    made: dict[str, Callable[[bytes], dict[str, Value]]] = {}
    source = f"def parse(frame):\n    {_unpacking(fields, offset)}\n    return {{{_values(fields)}}}"
    exec(source, {"__builtins__": {}, "unpack": reader.unpack_from}, made)
    return made["parse"]


@cache
def _texts(divisor: int, signed: bool) -> list[str]:
    """The text of raw / divisor for each raw number of 16 bits; negative ones are found from the end."""
    raws = (*range(1 << 15), *range(-(1 << 15), 0)) if signed else range(1 << 16)
    return [repr(raw / divisor) for raw in raws]


def _compile_both(fields: list[tuple[Item, Field]], reader: Struct, offset: int) -> Callable[[bytes], Both]:
    """A function of a frame that gives its fields and their text, from one look at the raw numbers."""
    known: dict[str, object] = {"__builtins__": {}, "unpack": reader.unpack_from}
    parts = []
    for index, (item, field) in enumerate(fields):
        if field.kind == "counter":
            parts.append(f"{field.name}={{raw{index}}}i")
        elif item.divisor == 1:
            parts.append(f"{field.name}={{raw{index}}}.0")
        else:
            known[f"texts{index}"] = _texts(item.divisor, item.code.islower())
            parts.append(f"{field.name}={{texts{index}[raw{index}]}}")
    made: dict[str, Callable[[bytes], Both]] = {}
    source = f"{_unpacking(fields, offset)}\n    return {{{_values(fields)}}}, f'{','.join(parts)}'"
    exec(f"def both(frame):\n    {source}", known, made)
    return made["both"]


def _unpacking(fields: list[tuple[Item, Field]], offset: int) -> str:
    raws = "".join(f"raw{index}, " for index in range(len(fields)))
    return f"{raws} = unpack(frame, {offset})" if raws else "pass"


def _values(fields: list[tuple[Item, Field]]) -> str:
    return ", ".join(
        f"{field.name!r}: {_shifted(index, item)}" + ("" if field.kind == "counter" else f" / {item.divisor:d}")
        for index, (item, field) in enumerate(fields)
    )


def _shifted(index: int, item: Item) -> str:
    return f"(raw{index} + {item.offset:d})" if item.offset else f"raw{index}"


def _fills(entry: Item | BitItem, field: Field, minimum: float, maximum: float) -> bool:
    """Whether minimum..maximum is all that the raw number can say.

    DescriptionError where the table and the field disagree on the scale or the range.
    """
    if field.step is None or not math.isclose(field.step * entry.divisor, 1):
        raise DescriptionError(f"field {field.name}: step {field.step} is not one raw step (1/{entry.divisor})")
    if isinstance(entry, BitItem):
        low, high = 0, (1 << entry.width) - 1
    else:
        bits = 8 * calcsize("=" + entry.code)
        low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if entry.code.islower() else (0, (1 << bits) - 1)
    least, most = round(minimum * entry.divisor) - entry.offset, round(maximum * entry.divisor) - entry.offset
    if least < low or most > high:
        raise DescriptionError(f"field {field.name}: {minimum}..{maximum} does not fit the frame")
    return (least, most) == (low, high)
