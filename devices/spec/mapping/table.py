"""The table that describes a device type, as TOML gives it, read into rows; every mistake with its key path.

    name = "lamp-node"              # lower letters, digits and -; also the measurement, with _ for -
    format = "json"                 # "json", "keys" (temp=21.5,hum=40) or "columns" (21.5;40)
    topic = "park/{thing}/state"    # MQTT; or `baud` and what else a serial line needs
    [[field]]
    name = "temperature_c"          # what it is stored as, ending in the unit's suffix
    from = "t"                      # path, key or column
    unit = "Cel"                    # UCUM, of the stored value

docs/configuration.md has every key. Nothing is stored or imported here: data in, rows out. Tables of other
formats (`OTHERS`) are read elsewhere, with `heading` and `field_row` for what is the same in all.
Limits: 256 fields, names of 64 characters (type) and 128 (field), texts of 256.
"""

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple, cast, get_args

from devices.spec.device import BAUD, Domain, SerialSettings
from devices.spec.errors import DescriptionError
from devices.spec.field import Kind
from devices.spec.mapping.path import parse
from devices.spec.mapping.reader import Mistake, Rows
from devices.spec.units import UNITS, near_unit

__all__ = [
    "DEFAULT_BAUD",
    "FIELD_KEYS",
    "OTHERS",
    "TYPE_KEYS",
    "FieldRow",
    "Heading",
    "MappingError",
    "Mistake",
    "TimeRow",
    "TypeRow",
    "field_row",
    "field_tables",
    "heading",
    "once",
    "read",
    "serial_settings",
]

Format = Literal["json", "keys", "columns"]
TimeUnit = Literal["s", "ms", "us", "ns", "rfc3339"]

OTHERS = ("modbus",)
"""Formats of tables that are no text, and not read here."""

TYPE_KEYS = (
    "name", "title", "domain", "source", "format", "topic", "baud", "bits", "parity", "stop", "every_s",
    "encoding", "separator", "assign", "decimal", "columns", "comment", "prefix", "check", "each",
    "thing", "time", "field",
)  # fmt: skip
FIELD_KEYS = (
    "name", "from", "unit", "kind", "description", "scale", "offset", "minimum", "maximum", "step", "absent",
    "states", "suffix", "required",
)  # fmt: skip
TIME_KEYS = ("from", "unit")
CHECKS = ("xor8", "sum8", "negated_sum8", "inverted_sum8")
DEFAULT_BAUD = 115200
MOST_FIELDS = 256
RESERVED = frozenset({"time", "thing"})
TYPE_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_FIELD_NAME = re.compile(r"[a-z][a-z0-9_]{0,127}")


class MappingError(DescriptionError):
    """A type table that cannot be used: every mistake in it, in the order of its keys."""

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        super().__init__("; ".join(str(mistake) for mistake in mistakes))
        self.mistakes = mistakes


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field: what it is stored as, and where and how it stands in the text.

    value = number * scale + offset. `absent` are the numbers and texts that mean "no value".
    `suffix` may stand behind the number, beside the spellings of the unit.
    """

    name: str
    place: str | int
    unit: str = "1"
    kind: Kind = "measure"
    description: str = ""
    scale: float = 1.0
    offset: float = 0.0
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    absent: tuple[float | str, ...] = ()
    states: tuple[str, ...] = ()
    suffix: str = ""
    required: bool = False


class TimeRow(NamedTuple):
    place: str | int
    unit: TimeUnit


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeRow:
    """One type. `topic` is None on a serial line, then `serial` says how the port is opened."""

    name: str
    format: Format
    fields: tuple[FieldRow, ...]
    title: str = ""
    domain: Domain = "park"
    source: str = ""
    topic: str | None = None
    serial: SerialSettings
    every_s: float = 10.0
    encoding: Literal["utf-8", "latin-1"] = "utf-8"
    separator: str = ""
    assign: str = "="
    decimal: Literal[".", ","] = "."
    columns: tuple[str, ...] = ()
    comment: tuple[str, ...] = ("#", "//")
    prefix: str = ""
    check: str | None = None
    each: str | None = None
    thing: str | int | None = None
    time: TimeRow | None = None


class Heading(NamedTuple):
    """What every type table says first."""

    name: str
    title: str
    domain: Domain
    source: str
    every_s: float


def heading(table: Rows, source: str) -> Heading:
    """The name of a type, what it is, and how often it speaks."""
    name = table.matching("name", TYPE_NAME, "lower letters and digits with - between, beginning with a letter")
    return Heading(
        name=name,
        title=table.text("title", name),
        domain=cast(Domain, table.choice("domain", get_args(Domain), "park")),
        source=table.text("source", source),
        every_s=table.number("every_s", 10.0, 0.001, 366 * 86400.0),
    )


def read(raw: object, source: str = "the configuration") -> TypeRow:
    """The row of a type table. MappingError with every mistake in it. `source` is where it stands, for people."""
    if not isinstance(raw, dict):
        raise MappingError((Mistake(("type",), repr(raw)[:60], "expected a table"),))
    mistakes: list[Mistake] = []
    table = Rows(raw, (), TYPE_KEYS, mistakes)
    head = heading(table, source)
    form = cast(Format, table.choice("format", (*get_args(Format), *OTHERS), None))
    topic = _topic(table) if table.has("topic") else None
    columns = table.texts("columns")
    fields = _fields(table, form, columns)
    row = TypeRow(
        **head._asdict(),
        format=form,
        fields=fields,
        topic=topic,
        serial=serial_settings(table),
        encoding=cast(Literal["utf-8", "latin-1"], table.choice("encoding", ("utf-8", "latin-1"), "utf-8")),
        separator=table.text("separator", {"keys": ",", "columns": ";"}.get(form, "")),
        assign=table.text("assign", "="),
        decimal=cast(Literal[".", ","], table.choice("decimal", (".", ","), ".")),
        columns=columns,
        comment=table.texts("comment", ("#", "//")),
        prefix=table.text("prefix", ""),
        check=table.choice("check", CHECKS, "") or None,
        each=table.text("each", "") or None,
        thing=_place(table, "thing", form, columns) if table.has("thing") else None,
        time=_time(table, form, columns),
    )
    _fits(table, row)
    if mistakes:
        raise MappingError(tuple(mistakes))
    return row


def serial_settings(table: Rows, baud: int = DEFAULT_BAUD) -> SerialSettings:
    """How the port is opened; `baud` where the table does not say it."""
    return SerialSettings(
        baud=table.whole("baud", baud, *BAUD),
        bits=table.whole("bits", 8, 7, 8),
        parity=cast(Literal["N", "E", "O"], table.choice("parity", ("N", "E", "O"), "N")),
        stop=table.whole("stop", 1, 1, 2),
    )


def _topic(table: Rows) -> str:
    topic = table.text("topic", "")
    levels = topic.split("/")
    if levels.count("{thing}") > 1 or any(
        ("#" in level and (level != "#" or at != len(levels) - 1))
        or ("+" in level and level != "+")
        or ("{thing}" in level and level != "{thing}")
        for at, level in enumerate(levels)
    ):
        table.fail("topic", 'an MQTT topic filter such as "park/{thing}/state"')
    return topic


def _fits(table: Rows, row: TypeRow) -> None:
    """What only shows with several keys in view."""
    if row.topic is None and not table.has("baud"):
        table.fail("baud", "the baud rate of a serial line, such as 115200, or topic for MQTT")
    for key in ("baud", "bits", "parity", "stop", "check"):
        if row.topic is not None and table.has(key):
            table.fail(key, "no such key beside topic: it is for serial lines")
    for key, forms in (
        ("separator", ("keys", "columns")), ("assign", ("keys",)), ("decimal", ("keys", "columns", "json")),
        ("columns", ("columns",)), ("comment", ("keys", "columns")), ("each", ("json",)),
    ):  # fmt: skip
        if table.has(key) and row.format and row.format not in forms:
            table.fail(key, f'no such key with format "{row.format}": it is for {" and ".join(forms)}')
    if row.each is not None:
        _path(table, "each", row.each)
    if row.decimal == "," and row.separator == ",":
        table.fail("separator", 'another separator than "," where decimal is ","')
    if row.format == "keys" and row.separator == row.assign:
        table.fail("assign", "another text than the separator")
    once(table, row.fields)


def once(table: Rows, fields: Iterable[FieldRow]) -> None:
    """Note names that several fields have."""
    names = set()
    for at, field in enumerate(fields):
        if field.name and field.name in names:
            table.mistake(("field", at, "name"), field.name, "a name used once")
        names.add(field.name)


def _fields(table: Rows, form: Format, columns: tuple[str, ...]) -> tuple[FieldRow, ...]:
    return tuple(
        field_row(row, lambda row, name: _place(row, "from", form, columns, name), Rows.words)
        for row in field_tables(table, FIELD_KEYS)
    )


def field_tables(table: Rows, keys: tuple[str, ...]) -> list[Rows]:
    """The [[type.field]] tables, one at least."""
    rows = table.tables("field", keys)
    if rows is not None and not rows:
        table.fail("field", "at least one [[type.field]]")
    if rows is not None and len(rows) > MOST_FIELDS:
        table.fail("field", f"at most {MOST_FIELDS} fields")
        rows = rows[:MOST_FIELDS]
    return rows or []


def field_row(
    row: Rows, place: Callable[[Rows, str], str | int], absent: Callable[[Rows, str], tuple[float | str, ...]]
) -> FieldRow:
    """One field; what is wrong with it is noted. `place` says where a field of that name stands, `absent` reads
    what means "no value" at a key."""
    kind = cast(Kind, row.choice("kind", get_args(Kind), "measure"))
    name = row.matching("name", _FIELD_NAME, "lower letters, digits and _, beginning with a letter")
    if name in RESERVED:
        row.fail("name", f"another name; {' and '.join(sorted(RESERVED))} are taken")
    unit = _unit(row, name)
    field = FieldRow(
        name=name,
        place=place(row, name),
        unit=unit,
        kind=kind,
        description=row.text("description", ""),
        scale=row.number("scale", 1.0, -math.inf, math.inf),
        offset=row.number("offset", 0.0, -math.inf, math.inf),
        minimum=row.number_or_none("minimum"),
        maximum=row.number_or_none("maximum"),
        step=row.number_or_none("step"),
        absent=absent(row, "absent"),
        states=row.texts("states"),
        suffix=row.text("suffix", ""),
        required=row.flag("required", False),
    )
    if field.scale == 0:
        row.fail("scale", "a number other than 0")
    if field.step is not None and field.step <= 0:
        row.fail("step", "a number above 0")
    if field.minimum is not None and field.maximum is not None and field.minimum >= field.maximum:
        row.fail("maximum", f"a number above minimum, {field.minimum:g}")
    if len(field.states) < 2 if kind == "state" else field.states:
        row.fail("states", 'the words that may come, two at least, with kind = "state"')
    for key in ("scale", "offset", "step", "minimum", "maximum", "suffix"):
        numbers = ("measure",) if key in ("scale", "offset", "step") else ("measure", "counter")
        if row.has(key) and kind not in numbers:
            row.fail(key, f'no such key with kind = "{kind}"')
    return field


def _unit(row: Rows, name: str) -> str:
    unit = row.text("unit", "1")
    known = UNITS.get(unit)
    if known is None:
        meant = near_unit(unit)
        row.fail("unit", f'a UCUM code; did you mean "{meant}"?' if meant else f"one of {', '.join(UNITS)}")
        return "1"
    if name and known.suffix and not name.endswith("_" + known.suffix):
        row.fail("name", f'a name ending in _{known.suffix}, as the unit is "{unit}"')
    return unit


def _place(row: Rows, key: str, form: Format, columns: tuple[str, ...], default: str | None = None) -> str | int:
    """Where a value stands: a path, a key, or a column by number from 1 on or by name."""
    if form == "columns":
        value = row.raw.get(key, default if default in columns else None)
        if isinstance(value, str) and value in columns:
            return value
        if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 4096:
            return value
        known = f" or one of {', '.join(columns)}" if columns else ", or a name that stands in columns"
        row.fail(key, f"a column: its number from 1 on{known}")
        return 1
    if key not in row.raw and default is not None:
        return default
    place = row.text(key, "")
    if form == "json":
        _path(row, key, place)
    elif not place.strip():
        row.fail(key, "a key")
    return place


def _path(row: Rows, key: str, text: str) -> None:
    try:
        parse(text)
    except ValueError as error:
        row.fail(key, str(error))


def _time(table: Rows, form: Format, columns: tuple[str, ...]) -> TimeRow | None:
    row = table.table("time", TIME_KEYS)
    if row is None:
        return None
    unit = row.choice("unit", get_args(TimeUnit), None)
    return TimeRow(_place(row, "from", form, columns), cast(TimeUnit, unit))
