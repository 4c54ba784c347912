"""One value as a board writes it, to the value that is stored, and back.

    21.5   "21.5"   21,5   21.5 C   +3e2   true   on   nan   null   -

* Missing is what says that there is nothing: JSON null, an empty text, `nan`, `null`, `none`, `nil`, `n/a`,
  `na`, `undefined`, one to three `-`, and what `absent` names. `inf` is not missing: it is a bad value.
* A number may have its unit behind it, in any spelling of the field's own unit, or its `suffix`. Another
  unit is a bad value: nothing is converted that the description does not say.
* The decimal sign is a point, or where `decimal` says so a comma; the other one is a bad value.
* Flags are true and false, 1 and 0, on and off, yes and no, either case.

A bad value is a ValueError that says what was expected. Limits: numbers of 64 characters, counters of 64 bits.
"""

import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Literal

from devices.spec.errors import EncodeError
from devices.spec.events import Value
from devices.spec.json_time import format_ns, parse_ns
from devices.spec.mapping.table import FieldRow, TimeUnit
from devices.spec.units import spellings

Take = Callable[[object], Value | None]
"""What stands in the text to the value; None where it is missing, ValueError where it is bad."""

Give = Callable[[Value], object]
"""The value to what stands in the text: a float, a whole number, a flag or a text. EncodeError where it cannot."""

DecimalSign = Literal[".", ","]

MISSING = frozenset({"", "nan", "-nan", "+nan", "null", "none", "nil", "n/a", "na", "undefined", "-", "--", "---"})
FLAGS = {"true": True, "on": True, "yes": True, "1": True, "false": False, "off": False, "no": False, "0": False}
LONGEST_NUMBER = 64
LONGEST_WORD = 16_384
EXPECTED_WHOLE = "expected a whole number of at most 64 bits"
_NUMBER = re.compile(r"([-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)\s*(.*)", re.DOTALL)
_SCALE = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}


def shown(raw: object) -> str:
    """A bad value for a message, shortened."""
    if isinstance(raw, str):
        return repr(raw[:40])
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, dict | list):
        return "an object" if isinstance(raw, dict) else "a list"
    return "a very long number" if isinstance(raw, int) and raw.bit_length() > 128 else str(raw)


def missing(text: str) -> bool:
    """Whether a text, without blanks around it, says that there is no value."""
    return text.lower() in MISSING


def number(text: str, decimal: DecimalSign, allowed: frozenset[str], whole: bool = False) -> float:
    """The number of a text, behind which one of `allowed` may stand; ValueError if there is none.

    `whole`: it must be a whole number, and is one to the last digit.
    """
    plain = text.replace("\u2212", "-") if len(text) <= LONGEST_NUMBER else ""
    if decimal == ",":
        plain = plain.replace(",", ".") if "." not in plain else ""
    found = _NUMBER.fullmatch(plain)
    if found is None:
        raise ValueError(f"expected a number, got {shown(text)}")
    unit = found[2].strip()
    if unit and unit not in allowed:
        if unit.startswith(","):
            raise ValueError(f'expected a decimal point, got {shown(text)}; decimal = "," reads it')
        raise ValueError(f"{unit[:20]!r} is not the unit of the field, got {shown(text)}")
    return _whole(found[1]) if whole else float(found[1])


def _whole(digits: str) -> float:
    """A number of which no digit is lost: an int where it is whole and could be of 64 bits."""
    rounded = float(digits)
    if not 1 <= abs(rounded) <= 2.0**64:
        return rounded
    exact = Decimal(digits)
    if exact != int(exact):
        raise ValueError(f"{EXPECTED_WHOLE}, got {digits}")
    return int(exact)


def taker(row: FieldRow, decimal: DecimalSign) -> Take:
    """How the field is read."""
    if row.kind == "flag":
        return _absent_or(row, _flag)
    if row.kind == "text":
        return _absent_or(row, _word)
    if row.kind == "state":
        return _absent_or(row, _state(row.states))
    return _number_taker(row, decimal)


def giver(row: FieldRow, decimal: DecimalSign) -> Give:
    """How the field is written. EncodeError for what would not come back."""
    take = taker(row, decimal)

    def give(value: Value) -> object:
        raw: object = value
        if row.kind in ("measure", "counter"):
            if isinstance(value, str | bool) or not math.isfinite(value):
                raise EncodeError(f"{row.name}: {value!r} is not a number")
            raw = plain((value - row.offset) / row.scale) if row.kind == "measure" else value
        try:
            back = take(raw)
        except ValueError as error:
            raise EncodeError(f"{row.name}: {error}") from error
        if back is None or (row.kind not in ("measure", "counter") and back != value):
            raise EncodeError(f"{row.name}: {value!r} would not come back")
        return raw

    return give


def plain(value: float) -> float | int:
    """A number as a board writes it: 12 digits, and without a point where it is whole."""
    rounded = float(f"{value:.12g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1e12 else rounded


def time_taker(unit: TimeUnit, decimal: DecimalSign) -> Callable[[object], int | None]:
    """Nanoseconds since 1970 of what stands in the text; None where it is missing, ValueError where it is bad."""

    def take(raw: object) -> int | None:
        if isinstance(raw, str):
            raw = raw.strip()
            if missing(raw):
                return None
        elif raw is None or (isinstance(raw, float) and math.isnan(raw)):
            return None
        if unit == "rfc3339":
            if not isinstance(raw, str):
                raise ValueError(f"expected a date and time like 2024-05-01T12:00:00Z, got {shown(raw)}")
            return parse_ns(raw)
        if isinstance(raw, str):
            digits = raw.removeprefix("+")
            plain = digits.isascii() and digits.isdigit() and len(digits) < 20
            count: float = int(digits) if plain else number(raw, decimal, frozenset())
        elif isinstance(raw, bool) or not isinstance(raw, int | float):
            raise ValueError(f"expected a number, got {shown(raw)}")
        else:
            count = raw
        if not 0 <= count < 2**63 // _SCALE[unit]:
            raise ValueError(f"expected {unit} since 1970, got {shown(raw)}")
        if isinstance(count, int):
            return count * _SCALE[unit]
        return round(count * (_SCALE[unit] // 1000)) * 1000 if _SCALE[unit] >= 1000 else round(count)

    return take


def time_given(time_ns: int, unit: TimeUnit) -> object:
    """A time as a board writes it; whole milliseconds where it counts seconds."""
    if unit == "rfc3339":
        return format_ns(time_ns)
    if unit == "s":
        milliseconds = round(time_ns / 1_000_000)
        return milliseconds // 1000 if milliseconds % 1000 == 0 else milliseconds / 1000
    return time_ns // _SCALE[unit]


def _number_taker(row: FieldRow, decimal: DecimalSign) -> Take:
    absent = frozenset(row.absent)
    allowed = (spellings(row.unit) if row.unit != "1" else frozenset()) | ({row.suffix} if row.suffix else frozenset())
    low = -math.inf if row.minimum is None else row.minimum
    high = math.inf if row.maximum is None else row.maximum
    scaled, counter = _scaling(row), row.kind == "counter"

    def take(raw: object) -> Value | None:
        if raw.__class__ is float or raw.__class__ is int:
            found: float = raw
            if found != found:
                return None
        elif raw.__class__ is str:
            text = raw.strip()
            if text.lower() in MISSING or text in absent:
                return None
            found = number(text, decimal, allowed, counter)
        elif raw is None:
            return None
        else:
            raise ValueError(f"expected a number, got {shown(raw)}")
        if found in absent:
            return None
        if counter:
            if found != found // 1 or not -(2**63) <= found < 2**63:
                raise ValueError(f"{EXPECTED_WHOLE}, got {shown(raw)}")
            value: float = int(found)
        else:
            try:
                value = scaled(found)
            except OverflowError:
                value = math.inf
        if not low <= value <= high or value in (math.inf, -math.inf):
            raise ValueError(_outside(value, row))
        return value

    return take


def _outside(value: float, row: FieldRow) -> str:
    if math.isinf(value):
        return "expected a number that can be stored, got one too large"
    if row.maximum is None:
        return f"{value:g} is below {row.minimum:g}"
    if row.minimum is None:
        return f"{value:g} is above {row.maximum:g}"
    return f"{value:g} is outside {row.minimum:g}..{row.maximum:g}"


def _scaling(row: FieldRow) -> Callable[[float], float]:
    scale, offset = row.scale, row.offset
    if scale == 1 and offset == 0:
        return float
    divisor = round(1 / scale) if abs(scale) < 1 else 0
    if divisor and math.isclose(divisor * scale, 1, rel_tol=1e-12):
        return lambda number: number / divisor + offset  # 3 * 0.1 is 0.30000000000000004, 3 / 10 is 0.3
    return lambda number: number * scale + offset


def _absent_or(row: FieldRow, take: Take) -> Take:
    absent = frozenset(row.absent)

    def taken(raw: object) -> Value | None:
        if isinstance(raw, str):
            raw = raw.strip()
            if missing(raw):
                return None
        if raw is None or (not isinstance(raw, bool | dict | list) and raw in absent):  # False is not the number 0
            return None
        return take(raw)

    return taken


def _flag(raw: object) -> bool:
    if isinstance(raw, bool):
        return raw
    word = raw.lower() if isinstance(raw, str) else "1" if raw == 1 else "0" if raw == 0 else ""
    if word not in FLAGS:
        raise ValueError(f"expected true or false, got {shown(raw)}")
    return FLAGS[word]


def _word(raw: object) -> str:
    if isinstance(raw, dict | list):
        raise ValueError(f"expected a text, got {shown(raw)}")
    text = {True: "true", False: "false"}[raw] if isinstance(raw, bool) else str(raw)
    if len(text) > LONGEST_WORD:
        raise ValueError(f"expected a text of at most {LONGEST_WORD} characters, got {len(text)}")
    return text


def _state(states: tuple[str, ...]) -> Take:
    def take(raw: object) -> str:
        text = _word(raw)
        if text not in states:
            raise ValueError(f"expected {' or '.join(states)}, got {shown(raw)}")
        return text

    return take
