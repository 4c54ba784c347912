"""Audit numbers: a count that a simulated device hides in the values it sends.

A frame of bytes has no room for a message number, but its values have low bits that no
physics decides. A device type names fields and how many of their low raw bits carry the
count; protocols with a counter of their own name that counter. The store is then audited
against what was sent by the values alone: nothing on the wire differs from a real device.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from devices.spec.events import Value


@dataclass(frozen=True, slots=True)
class Bits:
    """`bits` low bits of the raw value of `field` (value / step)."""

    field: str
    bits: int
    step: float = 1.0


@dataclass(frozen=True, slots=True)
class Sequence:
    """Where the count lives; least significant bits first."""

    parts: tuple[Bits, ...]

    @property
    def modulus(self) -> int:
        return int(1 << sum(part.bits for part in self.parts))

    def embed(self, fields: dict[str, Value], number: int) -> dict[str, Value]:
        """Put `number` modulo `modulus` into a copy of `fields`."""
        out = dict(fields)
        number %= self.modulus
        for part in self.parts:
            mask = (1 << part.bits) - 1
            old = out.get(part.field, 0)
            raw = round(float(old) / part.step) & ~mask | number & mask
            out[part.field] = raw if isinstance(old, int) else round(raw * part.step, 9)
            number >>= part.bits
        return out

    def extract(self, fields: Mapping[str, Value | None]) -> int | None:
        """The count modulo `modulus`, or None where a carrying field is absent."""
        number = shift = 0
        for part in self.parts:
            value = fields.get(part.field)
            if value is None or isinstance(value, str):
                return None
            number |= (round(float(value) / part.step) & ((1 << part.bits) - 1)) << shift
            shift += part.bits
        return number


@dataclass(frozen=True, slots=True)
class Audit:
    """What the store holds against what was sent."""

    sent: int
    stored: int
    lost: int
    duplicates: int


def audit(sent: int, stored: Iterable[int], modulus: int) -> Audit:
    """Align stored counts (time order) with 0..sent-1 modulo `modulus`.

    A stored count that steps forward by d means d-1 lost; one that does not step is a
    duplicate. A run of exactly `modulus` losses is caught by the total.
    """
    total = duplicates = matched = 0
    expected = 0
    for number in stored:
        total += 1
        ahead = (number - expected) % modulus
        behind = modulus - ahead
        if expected + ahead >= sent or (behind <= min(expected, modulus // 2) and ahead > modulus // 2):
            duplicates += 1
            continue
        expected += ahead + 1
        matched += 1
    return Audit(sent, total, sent - matched, duplicates)
