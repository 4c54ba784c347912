"""Values of Sparkplug B's data types, and the fields that they become.

| data type | field |
|---|---|
| Int8..Int64, UInt8..UInt64, Float, Double | a number: name, unit |
| Boolean | `<name>_flag` |
| String, Text, UUID; DateTime (as 2024-01-01T00:00:00.123Z) | `<name>_text` |
| Bytes, File | `<name>_hex_text`, up to MOST_BYTES |
| arrays | an element each: `<name>_0`, `<name>_1`, up to MOST_ELEMENTS |
| DataSet | a cell each: `<name>_<row>_<column>`, up to MOST_ELEMENTS rows |
| Template (an instance) | a member each: `<name>_<member>` |

Whole numbers have no sign on the wire: those of a signed type are two's complement, of the width of the type or
sign-extended to 32 or 64 bits. Numbers become floats, so whole numbers beyond 2^53 lose their last digits. Arrays are
packed little-endian; booleans eight in a byte, the highest bit first, behind their count; texts end in a zero byte.
NaN says that there is no value.

Limits: 64-bit times; MAX_VALUES fields a reading (devices.spec.names).

Source: Eclipse Sparkplug 3.0.0, sections 6.4.16 "Google Protocol Buffer schema" and "Data types".
"""

import math
import struct
from collections.abc import Iterable

from devices.sparkplug_b.payload import Raw, Table, Template
from devices.sparkplug_b.schema import NAMES, TYPES
from devices.spec.json_time import format_ns
from devices.spec.names import MAX_TEXT, Values, flag_name, number_name, snake, text_name

MOST_ELEMENTS = 64
MOST_BYTES = 1024

_SIGNED = {TYPES["Int8"]: 8, TYPES["Int16"]: 16, TYPES["Int32"]: 32, TYPES["Int64"]: 64}
_UNSIGNED = {TYPES["UInt8"]: 8, TYPES["UInt16"]: 16, TYPES["UInt32"]: 32, TYPES["UInt64"]: 64}
_FLOATS = frozenset((TYPES["Float"], TYPES["Double"]))
_TEXTS = frozenset((TYPES["String"], TYPES["Text"], TYPES["UUID"]))
_BOOLEAN, _DATE_TIME = TYPES["Boolean"], TYPES["DateTime"]
_BYTES = frozenset((TYPES["Bytes"], TYPES["File"]))
_PACKED = {
    TYPES[f"{name}Array"]: (code, TYPES[name])
    for name, code in (
        ("Int8", "b"), ("Int16", "h"), ("Int32", "i"), ("Int64", "q"), ("UInt8", "B"), ("UInt16", "H"),
        ("UInt32", "I"), ("UInt64", "Q"), ("Float", "f"), ("Double", "d"), ("DateTime", "Q"),
    )
}  # fmt: skip
_BOOLEANS, _STRINGS = TYPES["BooleanArray"], TYPES["StringArray"]


class ValueRefused(ValueError):
    """A value that is none of its data type."""


def put(values: Values, stem: str, datatype: int, raw: Raw, unit: str = "") -> None:
    """Put a value into `values` under names that begin with `stem`; what is wrong with it into its errors."""
    try:
        if isinstance(raw.value, Table):
            _put_table(values, stem, raw.value)
        elif isinstance(raw.value, Template):
            _put_template(values, stem, raw.value)
        elif raw.kind == "list" or datatype >= TYPES["Int8Array"]:
            _put_elements(values, stem, datatype, raw, unit)
        else:
            _put_scalar(values, stem, scalar(datatype, raw), unit)
    except ValueRefused as refused:
        values.wrong(f"{stem[:60]}: {refused}")


def _put_scalar(values: Values, stem: str, value: float | bool | str | bytes | None, unit: str = "") -> None:
    if value is None:
        return
    if isinstance(value, bool):
        values.put(flag_name(stem), value)
    elif isinstance(value, str):
        values.put(text_name(stem), value)
    elif isinstance(value, bytes):
        if len(value) > MOST_BYTES:
            raise ValueRefused(f"{len(value)} bytes, at most {MOST_BYTES} are stored")
        values.put(text_name(f"{stem}_hex"), value.hex())
    else:
        values.put(number_name(stem, unit), value)


def scalar(datatype: int, raw: Raw) -> float | bool | str | bytes | None:
    """A single value; None where it says that there is none. ValueRefused where it is none of its type."""
    value = raw.value
    if datatype in _SIGNED or datatype in _UNSIGNED:
        return float(whole(datatype, raw))
    if datatype in _FLOATS:
        return _number(raw)
    if datatype == _BOOLEAN and (raw.kind == "bool" or value in (0, 1)):
        return bool(value)
    if datatype == _DATE_TIME and raw.kind in ("int", "signed"):
        return _moment(value)
    if (datatype in _TEXTS or datatype == _DATE_TIME) and raw.kind == "text":
        return str(value)[:MAX_TEXT]
    if datatype in _BYTES and raw.kind == "bytes":
        return bytes(value)
    if datatype == 0:
        return _untyped(raw)
    raise ValueRefused(f"expected {NAMES.get(datatype, datatype)}, got {_shown(raw)}")


def _untyped(raw: Raw) -> float | bool | str | bytes | None:
    """A value whose type nobody has named: as it was written."""
    if raw.kind in ("int", "signed", "number"):
        return _number(raw)
    if raw.kind in ("bool", "bytes"):
        found: bool | bytes = raw.value
        return found
    if raw.kind == "text":
        return str(raw.value)[:MAX_TEXT]
    raise ValueRefused(f"expected a value, got {_shown(raw)}")


def whole(datatype: int, raw: Raw) -> int:
    """A whole number of its type. ValueRefused where the type has no such number."""
    value = raw.value
    if raw.kind == "text" and isinstance(value, str) and value.lstrip("-").isdecimal() and len(value) <= 20:
        value = int(value)  # JSON has numbers of 64 bits as texts
    elif raw.kind == "number" and float(value).is_integer():
        value = int(value)
    elif raw.kind not in ("int", "signed"):
        raise ValueRefused(f"expected {NAMES[datatype]}, got {_shown(raw)}")
    bits = _SIGNED.get(datatype)
    if bits is None:
        low, high = 0, (1 << _UNSIGNED[datatype]) - 1
    else:
        low, high = -(1 << bits - 1), (1 << bits - 1) - 1
        if raw.kind == "int" and value > high:  # two's complement of this width, or of the wire's
            value -= next((1 << width for width in (bits, 32, 64) if value < 1 << width), 0)
    if not low <= value <= high:
        raise ValueRefused(f"{raw.value} is outside {low}..{high} of {NAMES[datatype]}")
    return int(value)


def _number(raw: Raw) -> float | None:
    if raw.kind not in ("int", "signed", "number"):
        raise ValueRefused(f"expected a number, got {_shown(raw)}")
    try:
        number = float(raw.value)
    except OverflowError:
        number = math.inf
    if math.isinf(number):
        raise ValueRefused("infinite")
    return None if math.isnan(number) else number


def _moment(milliseconds: int) -> str:
    try:
        return format_ns(milliseconds * 1_000_000, 3)
    except ValueError:
        raise ValueRefused(f"{milliseconds} ms since 1970 is no date") from None


def _shown(raw: Raw) -> str:
    return f"{raw.kind} {raw.value!r:.40}"


def _put_elements(values: Values, stem: str, datatype: int, raw: Raw, unit: str) -> None:
    found = list(_elements(datatype, raw))
    if len(found) > MOST_ELEMENTS:
        values.wrong(f"{stem[:60]}: {len(found)} elements, the first {MOST_ELEMENTS} are stored")
    for index, value in enumerate(found[:MOST_ELEMENTS]):
        _put_scalar(values, f"{stem}_{index}", value, unit)


def _elements(datatype: int, raw: Raw) -> Iterable[float | bool | str | bytes | None]:
    if raw.kind == "list":
        inner = _PACKED[datatype][1] if datatype in _PACKED else 0
        return [None if each is None else scalar(inner, each) for each in raw.value]
    if raw.kind != "bytes":
        raise ValueRefused(f"expected {NAMES.get(datatype, datatype)}, got {_shown(raw)}")
    data: bytes = raw.value
    if datatype == _BOOLEANS:
        return _booleans(data)
    if datatype == _STRINGS:
        if data and not data.endswith(b"\0"):
            raise ValueRefused("a text without an end")
        return [each.decode("utf-8", "replace")[:MAX_TEXT] for each in data.split(b"\0")[:-1]]
    code, inner = _PACKED[datatype]
    size = struct.calcsize("<" + code)
    if len(data) % size:
        raise ValueRefused(f"{len(data)} bytes are no array of {size} bytes each")
    numbers = struct.unpack(f"<{len(data) // size}{code}", data)
    return [scalar(inner, Raw("number" if code in "fd" else "signed", each)) for each in numbers]


def _booleans(data: bytes) -> list[bool]:
    count = int.from_bytes(data[:4], "little")
    if len(data) < 4 or count > 8 * (len(data) - 4):
        raise ValueRefused(f"{len(data)} bytes are no array of {count} booleans")
    return [bool(data[4 + index // 8] >> 7 - index % 8 & 1) for index in range(count)]


def _put_table(values: Values, stem: str, table: Table) -> None:
    if len(table.rows) > MOST_ELEMENTS:
        values.wrong(f"{stem[:60]}: {len(table.rows)} rows, the first {MOST_ELEMENTS} are stored")
    for number, row in enumerate(table.rows[:MOST_ELEMENTS]):
        for at, cell in enumerate(row):
            if cell is not None:
                column = table.columns[at] if at < len(table.columns) else str(at)
                datatype = table.types[at] if at < len(table.types) else 0
                put(values, f"{stem}_{number}_{snake(column)}", datatype, cell)


def _put_template(values: Values, stem: str, template: Template) -> None:
    if template.definition:
        return
    for member in template.metrics:
        if member.raw is not None and not member.void:
            name = snake(member.name) if member.name else f"alias_{member.alias}"
            put(values, f"{stem}_{name}", member.datatype, member.raw, member.unit)
