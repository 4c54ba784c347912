"""The words in which a characteristic's value is described: one table reads it and writes it.

    flags, 0 to 2 bytes | part | part | ...             all numbers little-endian

A part is there where `flags & mask == value` of its `when` holds; (0, 0) is always. Two parts that exclude each other
are the two units of a quantity, or its short and its long form. A part that has nothing to say is written as its
special value, where it has one, and left out with its flag where it may be.

What is no value (a special number, NaN, a date that is not known) is absent; what the device says is beyond its range,
and what cannot be, is left out of the reading and named. Bytes behind the last part are refused,
but where reserved flags are set: they then belong to a later version of the characteristic.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from devices.spec.errors import EncodeError
from devices.spec.events import Value
from devices.spec.field import Field
from devices.spec.medfloat import FLOAT, SFLOAT, MedFloat, Special

When = tuple[int, int]
ALWAYS: When = (0, 0)
_SILENT = (Special.NAN, Special.NRES, Special.RESERVED)


class ValueRefused(ValueError):
    """Bytes that are no value of the characteristic; the text says why."""


@dataclass(slots=True)
class Found:
    """What has been read of a value so far: fields; what cannot be; what the device says is beyond its range.

    `aside` are fields that go with others: they are no value by themselves.
    """

    fields: dict[str, Value] = field(default_factory=dict)
    aside: dict[str, Value] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    beyond: list[str] = field(default_factory=list)
    time_ns: int | None = None

    def put(self, quantity: Field, value: Value) -> None:
        wrong = None if isinstance(value, str | bool) else quantity.outside(value)
        if wrong is None:
            self.fields[quantity.name] = value
        else:
            self.errors.append(wrong)


class Part(Protocol):
    """A piece of a value. `size` is in bytes, None for all that is left."""

    @property
    def when(self) -> When: ...

    @property
    def size(self) -> int | None: ...

    @property
    def fields(self) -> tuple[Field, ...]: ...

    def read(self, data: bytes, flags: int, found: Found) -> None:
        """Take the bytes of the part."""
        ...

    def flags(self, fields: Mapping[str, Value], time_ns: int | None) -> int | None:
        """The flags that the part sets, None where it has nothing to say."""
        ...

    def write(self, fields: Mapping[str, Value], time_ns: int | None) -> bytes:
        """Its bytes, also where it has nothing to say. EncodeError where it cannot say that."""
        ...


@dataclass(frozen=True, slots=True)
class Number:
    """A whole number over a divisor. `absent` are raw values that mean none, `over` the one that means "or more".

    Of two forms of one field the long one has `least`: the smallest raw value that it is written for.
    """

    quantity: Field
    size: int
    divisor: int = 1
    signed: bool = False
    absent: tuple[int, ...] = ()
    over: int | None = None
    when: When = ALWAYS
    least: int = 0

    @property
    def fields(self) -> tuple[Field, ...]:
        return (self.quantity,)

    def read(self, data: bytes, _flags: int, found: Found) -> None:
        raw = int.from_bytes(data, "little", signed=self.signed)
        if raw == self.over:
            found.beyond.append(f"{self.quantity.name}: the device says {raw / self.divisor:g} or more")
        elif raw not in self.absent:
            found.put(self.quantity, raw if self.quantity.kind == "counter" else raw / self.divisor)

    def flags(self, fields: Mapping[str, Value], _time_ns: int | None) -> int | None:
        if self.quantity.name not in fields:
            return None
        raw = self._raw(fields)
        fits = self.signed or self.least <= raw < 1 << 8 * self.size
        return self.when[1] if fits else None

    def write(self, fields: Mapping[str, Value], _time_ns: int | None) -> bytes:
        raw = self._raw(fields)
        try:
            return raw.to_bytes(self.size, "little", signed=self.signed)
        except OverflowError:
            raise EncodeError(f"{self.quantity.name}: {raw / self.divisor:g} is beyond {self.size} bytes") from None

    def _raw(self, fields: Mapping[str, Value]) -> int:
        value = fields.get(self.quantity.name)
        if value is None:
            if self.absent:
                return self.absent[0]
            raise EncodeError(f"{self.quantity.name} is missing")
        if isinstance(value, str):
            raise EncodeError(f"{self.quantity.name}: {value!r} is not a number")
        wrong = self.quantity.outside(value)
        raw = round(value * self.divisor)
        if wrong or raw in self.absent or raw == self.over:
            raise EncodeError(wrong or f"{self.quantity.name}: {value} is what the device sends for 'no value'")
        return raw


@dataclass(frozen=True, slots=True)
class Med:
    """A float of IEEE 11073, times 10^`shift`."""

    quantity: Field
    kind: MedFloat = SFLOAT
    shift: int = 0
    when: When = ALWAYS

    @property
    def size(self) -> int:
        return self.kind.size

    @property
    def fields(self) -> tuple[Field, ...]:
        return (self.quantity,)

    def read(self, data: bytes, _flags: int, found: Found) -> None:
        value = self.kind.unpack(data, self.shift)
        if not isinstance(value, Special):
            found.put(self.quantity, value)
        elif value not in _SILENT:
            found.beyond.append(f"{self.quantity.name}: {value.value}")

    def flags(self, fields: Mapping[str, Value], _time_ns: int | None) -> int | None:
        return self.when[1] if self.quantity.name in fields else None

    def write(self, fields: Mapping[str, Value], _time_ns: int | None) -> bytes:
        value = fields.get(self.quantity.name, Special.NAN)
        if isinstance(value, Special):
            return self.kind.pack(value)
        wrong = f"{value!r} is not a number" if isinstance(value, str) else self.quantity.outside(value)
        if wrong or isinstance(value, str):
            raise EncodeError(f"{self.quantity.name}: {wrong}")
        return self.kind.pack(float(value), shift=self.shift)


def temperature(quantity: Field, when: When) -> Med:
    """A FLOAT of 4 bytes."""
    return Med(quantity, FLOAT, when=when)


@dataclass(frozen=True, slots=True)
class Intervals:
    """All that is left: times between beats, u16, 1/1024 s. `mean` is their mean, `each` a JSON list of them, in s."""

    mean: Field
    each: Field
    when: When
    size: None = None

    @property
    def fields(self) -> tuple[Field, ...]:
        return (self.mean, self.each)

    def read(self, data: bytes, _flags: int, found: Found) -> None:
        if not data or len(data) % 2:
            raise ValueRefused(f"expected intervals of 2 bytes each at its end, got {len(data)} bytes")
        raws = [data[at] | data[at + 1] << 8 for at in range(0, len(data), 2)]
        found.put(self.mean, sum(raws) / len(raws) / 1024)
        found.fields[self.each.name] = json.dumps([raw / 1024 for raw in raws], separators=(",", ":"))

    def flags(self, fields: Mapping[str, Value], _time_ns: int | None) -> int | None:
        return self.when[1] if self.mean.name in fields or self.each.name in fields else None

    def write(self, fields: Mapping[str, Value], _time_ns: int | None) -> bytes:
        try:
            intervals = json.loads(str(fields.get(self.each.name, f"[{fields.get(self.mean.name)}]")))
            return b"".join(round(interval * 1024).to_bytes(2, "little") for interval in intervals)
        except (ValueError, TypeError, OverflowError):
            raise EncodeError(f"{self.each.name}: expected a JSON list of seconds below 64") from None


@dataclass(frozen=True, slots=True)
class Fill:
    """Bytes that say nothing."""

    data: bytes
    when: When = ALWAYS
    fields: tuple[Field, ...] = ()

    @property
    def size(self) -> int:
        return len(self.data)

    def read(self, _data: bytes, _flags: int, _found: Found) -> None:
        """Nothing to take."""

    def flags(self, _fields: Mapping[str, Value], _time_ns: int | None) -> int | None:
        return None

    def write(self, _fields: Mapping[str, Value], _time_ns: int | None) -> bytes:
        return self.data
