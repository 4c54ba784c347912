"""Register maps: numbers at 16-bit addresses, read in groups. One map both reads and writes values.

    address  0      2             6         number of registers by type
             | f32  | not asked   | f32 |   u16 i16: 1   u32 i32 f32: 2   u64 i64 f64: 4
             `------ one group --------´

    value = raw * scale + offset     raw in `absent`, or a float that is no number: no value

Registers are big-endian inside, or little-endian where a device swaps them (`byte_order`). Numbers of more
than one have their high word first (`order` "high") or last ("low"). A flag may be one `bit` of a number;
several flags then share its registers. A scale below 1 with a whole reciprocal divides, so that 658 at
0.1 is 65.8 exactly; an f32 becomes the shortest decimal number that is that f32 (230.2, not 230.1999969482422).

A value outside its field's range is left out and named where the field is optional; it refuses the
whole group where it is required.

Limits: 2 to 125 registers a group are Modbus's; many devices take fewer.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from operator import or_
from struct import Struct
from struct import error as StructError
from typing import Literal, NamedTuple

from devices.spec.errors import DescriptionError, EncodeError
from devices.spec.events import Reading, SanityError, Value
from devices.spec.field import Field

NumberType = Literal["u16", "i16", "u32", "i32", "u64", "i64", "f32", "f64"]
CODES: Mapping[NumberType, str] = {
    "u16": "H", "i16": "h", "u32": "I", "i32": "i", "u64": "Q", "i64": "q", "f32": "f", "f64": "d",
}  # fmt: skip
_F32 = Struct(">f")


@dataclass(frozen=True, slots=True)
class Register:
    """One number: `field` at `address` (from 0, as on the wire).

    `absent` are the raw values that mean "no value"; the first is written where the field is not there.
    A field of kind "state" is the word that stands at the place of the number in its `states`. A flag is `bit`
    of the number, counted from 0 for the lowest, or whether the number is other than 0.
    """

    address: int
    field: Field
    type: NumberType = "u16"
    scale: float = 1.0
    offset: float = 0.0
    order: Literal["high", "low"] = "high"
    absent: tuple[int, ...] = ()
    byte_order: Literal["big", "little"] = "big"
    bit: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.address <= self.address + self.count - 1 <= 0xFFFF:
            raise DescriptionError(f"register {self.field.name}: address {self.address} is not within 0..65535")
        if not math.isfinite(self.scale) or self.scale == 0 or not math.isfinite(self.offset):
            raise DescriptionError(f"register {self.field.name}: scale {self.scale} with offset {self.offset}")
        if self.field.kind == "text":
            raise DescriptionError(f"register {self.field.name}: a number cannot be a text")
        if self.bit is not None and (self.field.kind != "flag" or not 0 <= self.bit < 16 * self.count):
            raise DescriptionError(
                f"register {self.field.name}: bit {self.bit} of {self.type}, for a {self.field.kind}"
            )
        if self.bit is not None and self.type in ("f32", "f64"):
            raise DescriptionError(f"register {self.field.name}: a bit of {self.type}")

    @property
    def struct(self) -> Struct:
        return Struct(">" + CODES[self.type])

    @property
    def count(self) -> int:
        """Registers that the number takes."""
        return self.struct.size // 2

    def read(self, data: bytes) -> Value | None:
        """The value in the bytes of its registers; None where the device has none."""
        raw = self.struct.unpack(self._turned(data))[0]
        if raw in self.absent or not math.isfinite(raw):
            return None
        kind = self.field.kind
        if kind == "flag":
            return bool(raw if self.bit is None else raw >> self.bit & 1)
        if kind == "state":
            return self.field.states[int(raw)] if 0 <= raw < len(self.field.states) else f"unknown {raw:g}"
        value = self._scaled(raw)
        return round(value) if kind == "counter" else value

    def write(self, value: Value | None) -> bytes:
        """The bytes of its registers that say `value`. EncodeError where they cannot."""
        name = self.field.name
        if value is None:
            if self.type in ("f32", "f64"):
                return self._turned(self.struct.pack(math.nan))
            if not self.absent:
                raise EncodeError(f"{name} is missing")
            return self._turned(self.struct.pack(self.absent[0]))
        if isinstance(value, str):
            if value not in self.field.states:
                raise EncodeError(f"{name}: {value!r} is not one of its states")
            value = self.field.states.index(value)
        if self.bit is not None:
            return self._turned(self._bit(bool(value)))
        wrong = self.outside(value)
        if wrong or not math.isfinite(value):
            raise EncodeError(wrong or f"{name}: {value} is not a number")
        raw = float(value) - self.offset
        raw = raw * self._divisor if self._divisor else raw / self.scale
        try:
            data = self.struct.pack(raw if self.type in ("f32", "f64") else round(raw))
        except (StructError, OverflowError) as error:
            raise EncodeError(f"{name}: {value} does not fit {self.type}") from error
        if round(raw) in self.absent and self.type not in ("f32", "f64"):
            raise EncodeError(f"{name}: {value} is what the device sends for 'no value'")
        return self._turned(data)

    def _bit(self, value: bool) -> bytes:
        assert self.bit is not None
        return (value << self.bit).to_bytes(2 * self.count, "big")

    def outside(self, value: Value) -> str:
        """What is wrong with a value that the device cannot say, or nothing."""
        field = self.field
        if isinstance(value, str):
            return "" if value in field.states else f"{field.name}: {value}, not one of its states"
        low = -math.inf if field.minimum is None else field.minimum
        high = math.inf if field.maximum is None else field.maximum
        return "" if low <= value <= high else f"{field.name}: {value} is outside {low:.12g}..{high:.12g}"

    @property
    def _divisor(self) -> int:
        """What to divide by, where that is exact; else 0."""
        whole = round(1 / self.scale) if abs(self.scale) < 1 else 0
        return whole if whole and math.isclose(whole * self.scale, 1, rel_tol=1e-9) else 0

    def _scaled(self, raw: float) -> float:
        value = shortest(raw) if self.type == "f32" else float(raw)
        value = value / self._divisor if self._divisor else value * self.scale
        return value + self.offset if self.offset else value

    def _turned(self, data: bytes) -> bytes:
        """The words and their bytes in the order of the wire, or back."""
        if self.byte_order == "little":
            data = b"".join(data[at : at + 2][::-1] for at in range(0, len(data), 2))
        if self.order == "high":
            return data
        return b"".join(data[at : at + 2] for at in range(len(data) - 2, -1, -2))


class Group(NamedTuple):
    """Registers that are asked for in one question: `length` of them from `first` on, gaps included."""

    first: int
    length: int
    registers: tuple[Register, ...]

    def parse(self, data: bytes) -> Reading | SanityError:
        """What the bytes of all its registers say."""
        fields: dict[str, Value] = {}
        errors: list[str] = []
        for register in self.registers:
            start = 2 * (register.address - self.first)
            value = register.read(data[start : start + 2 * register.count])
            wrong = "" if value is None else register.outside(value)
            if value is not None and not wrong:
                fields[register.field.name] = value
            elif not register.field.optional:
                return SanityError(wrong or f"{register.field.name} has no value", data)
            elif wrong:
                errors.append(wrong)
        return Reading(fields, field_errors=tuple(errors))

    def pack(self, fields: Mapping[str, Value]) -> bytes:
        """The bytes of all its registers; those that are no field are 0. EncodeError for what they cannot say."""
        unknown = fields.keys() - {register.field.name for register in self.registers}
        if unknown:
            raise EncodeError(f"{', '.join(sorted(unknown))}: not in registers {self.first}..{self.last}")
        out = bytearray(2 * self.length)
        for register in self.registers:
            start, size = 2 * (register.address - self.first), 2 * register.count
            said = register.write(fields.get(register.field.name))
            if register.bit is not None:  # the other bits of the number are others' flags
                said = bytes(map(or_, out[start : start + size], said))
            out[start : start + size] = said
        return bytes(out)

    @property
    def last(self) -> int:
        return self.first + self.length - 1


def grouped(registers: tuple[Register, ...], most: int, gap: int) -> tuple[Group, ...]:
    """The fewest questions: each of at most `most` registers, with at most `gap` unasked ones in a row between.

    DescriptionError where registers overlap, or one does not fit a question.
    """
    groups: list[Group] = []
    for register in sorted(registers, key=lambda register: register.address):
        end = register.address + register.count
        if register.count > most:
            raise DescriptionError(
                f"register {register.field.name}: {register.count} registers, at most {most} a question"
            )
        last = groups[-1] if groups else None
        if last is not None and _beside(last.registers[-1], register):
            groups[-1] = Group(last.first, last.length, (*last.registers, register))
            continue
        if last is not None and register.address <= last.last:
            raise DescriptionError(f"register {register.field.name}: address {register.address} is within another's")
        if last is not None and register.address - last.last - 1 <= gap and end - last.first <= most:
            groups[-1] = Group(last.first, end - last.first, (*last.registers, register))
        else:
            groups.append(Group(register.address, register.count, (register,)))
    return tuple(groups)


def _beside(one: Register, other: Register) -> bool:
    """Whether both are bits of one number."""
    same = (one.address, one.type, one.order, one.byte_order) == (
        other.address, other.type, other.order, other.byte_order,
    )  # fmt: skip
    return same and one.bit is not None and other.bit is not None and one.bit != other.bit


def shortest(number: float) -> float:
    """The shortest decimal number that is this f32."""
    short = float(f"{number:.7g}")
    if _F32.unpack(_F32.pack(short))[0] == number:
        return short
    short = float(f"{number:.8g}")
    return short if _F32.unpack(_F32.pack(short))[0] == number else float(f"{number:.9g}")
