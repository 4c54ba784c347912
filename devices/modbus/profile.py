"""A device type with a register map, out of a table: no Python for a meter that speaks Modbus RTU.

    name = "acme-level"          # a [[type]] of a configuration, a file of one, or profiles/acme-level.toml here
    format = "modbus"
    baud = 9600                  # and parity, stop, as the meter has them
    function = 3                 # 3 reads holding registers, 4 input registers
    gap = 4                      # registers that nobody wants are read along where that saves a question
    [[field]]
    name = "water_level_m"
    register = 0                 # as on the wire, from 0: 40001 of a manual is 0
    type = "u16"                 # u16 i16 u32 i32 u64 i64 f32 f64
    scale = 0.001                # value = raw * scale + offset
    unit = "m"
    absent = 0xFFFF              # raw numbers that mean "no value"

docs/configuration.md has every key. A whole number that is given no range has that of its registers, and a
step of its scale: what the meter can say, not what is likely.

Limits: 256 fields, 125 registers a question. Not here: coils, texts, numbers whose scale stands in another
register, decimals coded in fours of bits.
Source: Modbus application protocol V1.1b3 for the registers; each file of `profiles` names its own.
"""

import tomllib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from struct import calcsize
from typing import Literal, NamedTuple, cast, get_args

from devices.modbus import rtu
from devices.spec.device import PolledDevice
from devices.spec.errors import DescriptionError
from devices.spec.mapping import (
    FieldRow,
    MappingError,
    Mistake,
    Rows,
    audited,
    described,
    field_row,
    field_tables,
    heading,
    once,
    serial_settings,
)
from devices.spec.polled import Question, Timing
from devices.spec.register import CODES, NumberType, Register
from devices.spec.sequence import Sequence

FORMAT = "modbus"
TYPE_KEYS = (
    "name", "title", "domain", "source", "format", "baud", "parity", "stop", "every_s", "unit", "function", "type",
    "order", "byte_order", "gap", "most", "timeout_s", "silence_s", "late_s", "field",
)  # fmt: skip
FIELD_KEYS = (
    "name", "register", "type", "function", "order", "byte_order", "bit", "unit", "kind", "description", "scale",
    "offset", "minimum", "maximum", "step", "absent", "states", "required",
)  # fmt: skip
DEFAULT_BAUD = 9600
PROFILES = Path(__file__).with_name("profiles")
FLOATS = ("f32", "f64")

WordOrder = Literal["high", "low"]
ByteOrder = Literal["big", "little"]
Function = Literal[3, 4]


class Place(NamedTuple):
    """Where a field stands; of the type's own table what its fields have unless they say otherwise."""

    register: int
    type: NumberType
    function: Function
    order: WordOrder
    byte_order: ByteOrder
    bit: int | None


def built_in(name: str) -> PolledDevice:
    """The type of a file in `profiles`. DescriptionError where that is none."""
    try:
        table = tomllib.loads((PROFILES / f"{name}.toml").read_text(encoding="utf-8"))
        return device_type(table, f"profiles/{name}.toml")
    except (OSError, ValueError) as error:
        raise DescriptionError(f"device type {name}: its profile cannot be read: {error}") from error


def device_type(table: object, source: str = "the configuration") -> PolledDevice:
    """The device type of a table that stands in `source`. MappingError with every mistake in it."""
    mistakes: list[Mistake] = []
    rows = Rows(table, (), TYPE_KEYS, mistakes)
    head = heading(rows, source)
    rows.choice("format", (FORMAT,), None)
    serial = serial_settings(rows, DEFAULT_BAUD)
    unit = rows.whole("unit", 1, rtu.UNITS[0], rtu.UNITS[-1])
    most = rows.whole("most", rtu.MOST_REGISTERS, 1, rtu.MOST_REGISTERS)
    gap = rows.whole("gap", 0, 0, rtu.MOST_REGISTERS)
    timing = Timing(
        timeout_s=rows.number("timeout_s", rtu.TIMING.timeout_s, 0.001, 60.0),
        silence_s=rows.number("silence_s", rtu.TIMING.silence_s, 0.0, 10.0),
        late_s=rows.number("late_s", rtu.TIMING.late_s, 0.0, 60.0),
    )
    usual = _place(rows, USUAL)
    fields = [_field(row, usual) for row in field_tables(rows, FIELD_KEYS)]
    once(rows, [field for field, _ in fields])
    if not mistakes:
        _apart(rows, [place for _, place in fields], most)
    if mistakes:
        raise MappingError(tuple(mistakes))
    try:
        questions = _questions(fields, most, gap)
        return PolledDevice(
            name=head.name,
            title=head.title,
            domain=head.domain,
            source=head.source,
            expected_every_s=head.every_s,
            serial=serial,
            fields=tuple(described(field) for field, _ in fields),
            sequence=_sequence(questions),
            says_all=True,
            questions=questions,
            timing=timing,
            units=rtu.UNITS,
            unit=unit,
        )
    except DescriptionError as error:  # what the rows allow and the description does not
        raise MappingError((Mistake(("name",), f'"{head.name}"', str(error)),)) from error


USUAL = Place(register=0, type="u16", function=3, order="high", byte_order="big", bit=None)


def _place(row: Rows, usual: Place) -> Place:
    """Where a field stands, but for its register."""
    return Place(
        register=0,
        type=cast(NumberType, row.choice("type", get_args(NumberType), usual.type)),
        function=cast(Function, row.whole("function", usual.function, 3, 4)),
        order=cast(WordOrder, row.choice("order", get_args(WordOrder), usual.order)),
        byte_order=cast(ByteOrder, row.choice("byte_order", get_args(ByteOrder), usual.byte_order)),
        bit=None,
    )


def _field(row: Rows, usual: Place) -> tuple[FieldRow, Place]:
    place = _place(row, usual)
    address = row.raw.get("register")
    if not isinstance(address, int) or isinstance(address, bool) or not 0 <= address <= 0xFFFF:
        row.fail("register", "a register from 0 to 65535 as on the wire: 40001 of a manual is 0, with function 3")
        address = 0
    place = place._replace(register=address)
    number = place.type
    bits = 8 * calcsize("=" + CODES[number])
    field = field_row(row, lambda *_: address, lambda row, key: tuple(_absent(row, key, number, bits)))
    if row.has("bit"):
        place = place._replace(bit=row.whole("bit", 0, 0, bits - 1))
        if field.kind != "flag" or number in FLOATS:
            row.fail("bit", 'no such key but with kind = "flag" and a whole number')
    if field.kind == "text":
        row.fail("kind", "measure, counter, state or flag: registers hold numbers")
    if field.kind == "counter" and number in FLOATS:
        row.fail("kind", f'"measure", as type is "{number}": a counter is a whole number')
    return _ranged(field, number, bits), place


def _absent(row: Rows, key: str, number: NumberType, bits: int) -> Iterable[float | str]:
    """The raw numbers that mean "no value"; of a signed number also as the bits it has in the register."""
    for word in row.words(key):
        if isinstance(word, str) or (number not in FLOATS and word != int(word)):
            row.fail(key, f"raw numbers of the type {number}")
        elif number in FLOATS:
            yield word
        else:
            signed = number.startswith("i")
            raw = int(word) - (1 << bits) if signed and 1 << bits - 1 <= word < 1 << bits else int(word)
            low, high = _range(number, bits)
            if not low <= raw <= high:
                row.fail(key, f"raw numbers of the type {number}, {low} to {high}")
            yield raw


def _range(number: NumberType, bits: int) -> tuple[int, int]:
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if number.startswith("i") else (0, (1 << bits) - 1)


def _ranged(field: FieldRow, number: NumberType, bits: int) -> FieldRow:
    """The field, with the range and the step that its registers give where the table says none."""
    if number in FLOATS or field.kind not in ("measure", "counter"):
        return field
    ends = [round(raw * field.scale + field.offset, 9) for raw in _range(number, bits)]
    return replace(
        field,
        minimum=min(ends) if field.minimum is None else field.minimum,
        maximum=max(ends) if field.maximum is None else field.maximum,
        step=abs(field.scale) if field.step is None else field.step,
    )


def _apart(rows: Rows, places: list[Place], most: int) -> None:
    """Note fields that share registers, unless they are flags of one number, and numbers that fit no question."""
    ends: dict[tuple[Function, int], int] = {}
    for at, place in enumerate(places):
        count = calcsize("=" + CODES[place.type]) // 2
        if count > most:
            rows.mistake(("field", at, "type"), place.type, f"a type of at most {most} registers, as most is {most}")
        if place.register + count > 0x10000:
            rows.mistake(("field", at, "register"), place.register, f"a register below {0x10001 - count}")
        for address in range(place.register, place.register + count):
            other = ends.setdefault((place.function, address), at)
            if other != at and not _flags_of_one(places[other], place):
                rows.mistake(("field", at, "register"), place.register, f"registers that field[{other}] does not have")
                break


def _flags_of_one(one: Place, other: Place) -> bool:
    both = one.bit is not None and other.bit is not None and one.bit != other.bit
    return both and one._replace(bit=None) == other._replace(bit=None)


def _questions(fields: list[tuple[FieldRow, Place]], most: int, gap: int) -> tuple[Question, ...]:
    questions: list[Question] = []
    for function in get_args(Function):
        registers = tuple(
            Register(
                address=place.register,
                field=described(field),
                type=place.type,
                scale=field.scale,
                offset=field.offset,
                order=place.order,
                absent=cast(tuple[int, ...], field.absent),
                byte_order=place.byte_order,
                bit=place.bit,
            )
            for field, place in fields
            if place.function == function
        )
        questions += rtu.questions(registers, function, most=most, gap=gap)
    return tuple(questions)


def _sequence(questions: tuple[Question, ...]) -> Sequence:
    """The count of simulations, in the first answer that has most room for it."""
    return max((audited(question.fields) for question in questions), key=lambda sequence: sequence.modulus)
