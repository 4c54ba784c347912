"""Audit numbers: a count that a simulated device hides in the values it sends.

A frame of bytes has no room for a message number, but the low bits of its values do
not matter. A device type names fields and how many of their low raw bits carry the
count; protocols with a counter of their own name that counter. The store is then audited
against what was sent by the values alone: nothing on the wire differs from a real device.

Where one stream carries several kinds of readings (NMEA sentences), `others` gives further
places for the count; the first whose fields are all in the reading is used. Each series
(thing and tags) is counted and audited by itself, or with `by_thing` each thing over all its series, as
where a protocol numbers whatever a sender says (MAVLink).

Limits: `audit` is exact as long as fewer than half of `modulus` readings are lost in a row
and no reading is stored more than half of `modulus` late.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from devices.spec.errors import DescriptionError, EncodeError
from devices.spec.events import Value
from devices.spec.field import Field


@dataclass(frozen=True, slots=True)
class Bits:
    """`bits` low bits of the raw value of `field` (value / step).

    With `minimum` and `maximum` the value stays between them: where the count would carry it
    outside, the bits above the count give way by one.
    """

    field: str
    bits: int
    step: float = 1.0
    minimum: float | None = None
    maximum: float | None = None

    @classmethod
    def of(cls, field: Field, bits: int) -> "Bits":
        """The low bits of `field`, within what it can say. DescriptionError where they do not fit."""
        if field.step is None or field.minimum is None or field.maximum is None:
            raise DescriptionError(f"field {field.name}: a count needs minimum, maximum and step")
        if field.maximum - field.minimum < 2 * (1 << bits) * field.step - field.step:
            raise DescriptionError(f"field {field.name}: no room for {bits} bits of count")
        return cls(field.name, bits, field.step, field.minimum, field.maximum)

    def present(self, fields: Mapping[str, Value | None]) -> bool:
        value = fields.get(self.field)
        return value is not None and not isinstance(value, str)

    def write(self, fields: dict[str, Value], number: int) -> None:
        old = fields.get(self.field, 0)
        if isinstance(old, str):
            raise EncodeError(f"{self.field}: {old!r} cannot carry a count")
        span = 1 << self.bits
        raw = round(old / self.step) & ~(span - 1) | number & (span - 1)
        if self.maximum is not None and raw > round(self.maximum / self.step):
            raw -= span
        if self.minimum is not None and raw < round(self.minimum / self.step):
            raw += span
        fields[self.field] = raw if isinstance(old, int) else round(raw * self.step, 9)

    def read(self, fields: Mapping[str, Value | None]) -> int:
        value = fields[self.field]
        if value is None or isinstance(value, str):
            raise EncodeError(f"{self.field}: {value!r} carries no count")
        return round(value / self.step) & ((1 << self.bits) - 1)


@dataclass(frozen=True, slots=True)
class ListBits:
    """Low bits of `key` of the first entries of a JSON list kept in the text field `field`.

    `each` bits of each of `entries` entries, which are whole numbers up to `maximum`.
    """

    field: str
    key: str
    each: int
    entries: int
    maximum: int

    @property
    def bits(self) -> int:
        return self.each * self.entries

    def present(self, fields: Mapping[str, Value | None]) -> bool:
        rows = self._rows(fields)
        return len(rows) >= self.entries and all(isinstance(row.get(self.key), int) for row in rows[: self.entries])

    def _rows(self, fields: Mapping[str, Value | None]) -> list[dict[str, Any]]:
        """The entries, none where the field is absent or no list of objects."""
        try:
            rows = json.loads(str(fields.get(self.field)))
        except ValueError:
            return []
        return rows if isinstance(rows, list) and all(isinstance(row, dict) for row in rows) else []

    def write(self, fields: dict[str, Value], number: int) -> None:
        if not self.present(fields):
            raise EncodeError(f"{self.field}: needs {self.entries} entries with {self.key!r} to carry a count")
        rows = self._rows(fields)
        mask = (1 << self.each) - 1
        for row in rows[: self.entries]:
            raw = int(row[self.key]) & ~mask | number & mask
            row[self.key] = raw - (mask + 1) if raw > self.maximum else raw
            number >>= self.each
        fields[self.field] = json.dumps(rows, separators=(",", ":"))

    def read(self, fields: Mapping[str, Value | None]) -> int:
        number = 0
        for index, row in enumerate(self._rows(fields)[: self.entries]):
            number |= (int(row[self.key]) & ((1 << self.each) - 1)) << index * self.each
        return number


Part = Bits | ListBits


@dataclass(frozen=True, slots=True)
class Sequence:
    """Where the count lives; least significant bits first. All places hold the same number of bits."""

    parts: tuple[Part, ...]
    others: tuple[tuple[Part, ...], ...] = ()
    by_thing: bool = False

    def __post_init__(self) -> None:
        if any(_width(parts) != _width(self.parts) for parts in self.others):
            raise DescriptionError("every place of an audit count needs the same number of bits")

    @property
    def modulus(self) -> int:
        return 1 << _width(self.parts)

    def embed(self, fields: dict[str, Value], number: int) -> dict[str, Value]:
        """Put `number` modulo `modulus` into a copy of `fields`."""
        out = dict(fields)
        number %= self.modulus
        for part in self._place(fields) or self.parts:
            part.write(out, number & ((1 << part.bits) - 1))
            number >>= part.bits
        return out

    def extract(self, fields: Mapping[str, Value | None]) -> int | None:
        """The count modulo `modulus`, or None where a carrying field is absent."""
        place = self._place(fields)
        if place is None:
            return None
        number = shift = 0
        for part in place:
            number |= part.read(fields) << shift
            shift += part.bits
        return number

    def _place(self, fields: Mapping[str, Value | None]) -> tuple[Part, ...] | None:
        for parts in (self.parts, *self.others):
            if all(part.present(fields) for part in parts):
                return parts
        return None


def _width(parts: tuple[Part, ...]) -> int:
    return sum(part.bits for part in parts)


@dataclass(frozen=True, slots=True)
class Audit:
    """What the store holds against what was sent."""

    sent: int
    stored: int
    lost: int
    duplicates: int


def audit(sent: int, stored: Iterable[int], modulus: int) -> Audit:
    """Compare stored counts (time order, modulo `modulus`) with the 0..sent-1 that were sent.

    Each stored count stands for the position nearest to the furthest one seen so far. A
    position found once is stored, found again a duplicate; one never found is lost.
    """
    seen = bytearray(sent)
    total = duplicates = 0
    expected = 0
    for number in stored:
        total += 1
        ahead = (number - expected) % modulus
        position = expected + ahead
        if ahead >= (modulus + 1) // 2 or position >= sent:
            position -= modulus
        if position < 0:
            position += modulus
        if not 0 <= position < sent or seen[position]:
            duplicates += 1
            continue
        seen[position] = 1
        expected = max(expected, position + 1)
    return Audit(sent, total, sent - sum(seen), duplicates)
