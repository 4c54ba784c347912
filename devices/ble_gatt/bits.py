"""Bits in a characteristic's value: flags, states of several bits, and words of many bits as one text."""

from collections.abc import Mapping
from dataclasses import dataclass

from devices.ble_gatt.parts import ALWAYS, Found, When
from devices.spec.errors import EncodeError
from devices.spec.events import Value
from devices.spec.field import Field

Entry = tuple[int, int, Field, tuple[str, ...]]
"""A field in a word of bits: shift, width, the field, and its states by number ("" for one that is reserved)."""


@dataclass(frozen=True, slots=True)
class Bits:
    """A word of bits: flags, and states of several bits."""

    size: int
    entries: tuple[Entry, ...]
    when: When = ALWAYS

    @property
    def fields(self) -> tuple[Field, ...]:
        return tuple(entry[2] for entry in self.entries)

    def read(self, data: bytes, _flags: int, found: Found) -> None:
        word = int.from_bytes(data, "little")
        for shift, width, quantity, states in self.entries:
            number = word >> shift & (1 << width) - 1
            if not states:
                found.fields[quantity.name] = bool(number)
            elif number < len(states) and states[number]:
                if states[number] in quantity.states:
                    found.fields[quantity.name] = states[number]
            else:
                found.errors.append(f"{quantity.name}: {number} is reserved")

    def flags(self, fields: Mapping[str, Value], _time_ns: int | None) -> int | None:
        return self.when[1] if any(entry[2].name in fields for entry in self.entries) else None

    def write(self, fields: Mapping[str, Value], _time_ns: int | None) -> bytes:
        word = 0
        for shift, _, quantity, states in self.entries:
            value = fields.get(quantity.name)
            if not states:
                word |= bool(value) << shift
            elif value is None:
                silent = [number for number, state in enumerate(states) if state and state not in quantity.states]
                if not silent:
                    raise EncodeError(f"{quantity.name} is missing")
                word |= silent[0] << shift
            elif value not in quantity.states:
                raise EncodeError(f"{quantity.name}: {value!r} is none of {', '.join(quantity.states)}")
            else:
                word |= states.index(str(value)) << shift
        return word.to_bytes(self.size, "little")


@dataclass(frozen=True, slots=True)
class Words:
    """A word of many bits as one text: the names of those that are set, by number; `none` where none is."""

    quantity: Field
    size: int
    names: tuple[str, ...]
    when: When = ALWAYS

    @property
    def fields(self) -> tuple[Field, ...]:
        return (self.quantity,)

    def read(self, data: bytes, _flags: int, found: Found) -> None:
        word = int.from_bytes(data, "little")
        said = [self._name(bit) for bit in range(8 * self.size) if word >> bit & 1]
        found.fields[self.quantity.name] = " ".join(said) or "none"

    def flags(self, fields: Mapping[str, Value], _time_ns: int | None) -> int | None:
        return self.when[1] if self.quantity.name in fields else None

    def write(self, fields: Mapping[str, Value], _time_ns: int | None) -> bytes:
        bits = {self._name(bit): bit for bit in range(8 * self.size)}
        said = [word for word in str(fields.get(self.quantity.name, "none")).split() if word != "none"]
        unknown = [word for word in said if word not in bits]
        if unknown:
            raise EncodeError(f"{self.quantity.name}: {unknown[0]!r} is not one that it says")
        return sum(1 << bits[word] for word in set(said)).to_bytes(self.size, "little")

    def _name(self, bit: int) -> str:
        return (self.names[bit] if bit < len(self.names) else "") or f"bit_{bit}"


@dataclass(frozen=True, slots=True)
class InFlags:
    """A word that the flags alone say, where `when` holds. One that is `aside` is no value without others."""

    quantity: Field
    word: str
    when: When
    aside: bool = True
    size: int = 0

    @property
    def fields(self) -> tuple[Field, ...]:
        return (self.quantity,)

    def read(self, _data: bytes, _flags: int, found: Found) -> None:
        (found.aside if self.aside else found.fields)[self.quantity.name] = self.word

    def flags(self, fields: Mapping[str, Value], _time_ns: int | None) -> int | None:
        value = fields.get(self.quantity.name)
        if value is not None and value not in self.quantity.states:
            raise EncodeError(f"{self.quantity.name}: {value!r} is none of {', '.join(self.quantity.states)}")
        return self.when[1] if value == self.word else None

    def write(self, _fields: Mapping[str, Value], _time_ns: int | None) -> bytes:
        return b""
