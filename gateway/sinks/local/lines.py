"""Line protocol read back into columns, for stores that are not InfluxDB. Pure: no I/O.

    measurement,tag=value,... field=1.5,other=2i,ok=true,note="words" time_ns
    `--------- head ---------' `-------------- fields ---------------'

Strict: three parts, every name and value present, a decimal integer as time. A field is a
float, an integer (`i`), a boolean or a string, and stays what it first was in its measurement,
as InfluxDB has it. The whole point is refused where one field is wrong.

Escapes, as InfluxDB reads them: a backslash before `,` or space in a measurement, before `,`,
`=` or space in a name or tag value, before `"` or backslash in a string; any other backslash
stands for itself.

Two points of one series and time are one row: fields are merged, the last value stands.

Limits: names that differ only in case are refused, since columns do not tell them apart; so is
`time` as a name. SERIES_MAX heads are remembered. About 0.5 us a field and 2 us a point.

Source: InfluxDB line protocol reference, 1.8; escapes tried on 1.6.7.
"""

import re
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Kind = Literal["TAG", "DOUBLE", "BIGINT", "BOOLEAN", "VARCHAR"]
Scalar = float | int | bool | str

SERIES_MAX = 100_000
TIME_MAX = (1 << 63) - 2

_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_INTEGER = re.compile(r"-?[0-9]{1,19}")
_BOOLEANS = {
    **dict.fromkeys(("t", "T", "true", "True", "TRUE"), True),
    **dict.fromkeys(("f", "F", "false", "False", "FALSE"), False),
}
_MEASUREMENT = re.compile(r"(?:[^\\, ]|\\[, ]|\\(?![, ]))+")
_NAME = r"(?:[^\\,= ]|\\[,= ]|\\(?![,= ]))+"
_TAG = re.compile(f",({_NAME})=({_NAME})")
_FIELD = re.compile(rf'({_NAME})=(?:"((?:[^"\\]|\\.)*)"|([^," ]+))(?=[, ])')
_NAME_ESCAPE = re.compile(r"\\([,= ])")
_MEASUREMENT_ESCAPE = re.compile(r"\\([, ])")
_STRING_ESCAPE = re.compile(r'\\(["\\])')


class Refused(Exception):
    """The point cannot be stored; the text says why."""


class Head(NamedTuple):
    """`number` is the same for the same series, however its tags are ordered."""

    measurement: str
    tags: tuple[tuple[str, str], ...]
    number: int


class Schema:
    """The columns of one measurement: name to kind. `added` are those not yet in the store."""

    def __init__(self, columns: dict[str, Kind] | None = None) -> None:
        self.columns: dict[str, Kind] = {}
        self.added: list[str] = []
        self._folded = {"time": "time"}
        for name, kind in (columns or {}).items():
            self._set(name, kind)

    def check(self, name: str, kind: Kind) -> bool:
        """True where the column is there; Refused where it cannot be; False where it may be added."""
        known = self.columns.get(name)
        if known is kind or known == kind:
            return True
        if known is not None:
            if "TAG" in (known, kind):
                raise Refused(f'"{name}" is both a tag and a field')
            raise Refused(f'field type conflict: "{name}" is {_WORDS[kind]}, already exists as {_WORDS[known]}')
        other = self._folded.get(name.casefold())
        if other == "time":
            raise Refused('"time" is no name for a tag or field')
        if other is not None:
            raise Refused(f'"{name}" differs only in case from "{other}"')
        return False

    def add(self, name: str, kind: Kind) -> None:
        self._set(name, kind)
        self.added.append(name)

    def _set(self, name: str, kind: Kind) -> None:
        self.columns[name] = kind
        self._folded[name.casefold()] = name


_WORDS = {"TAG": "a tag", "DOUBLE": "float", "BIGINT": "integer", "BOOLEAN": "boolean", "VARCHAR": "string"}


@dataclass(slots=True)
class Column:
    """Values of one field, sparse: `values[n]` belongs to row `rows[n]`; later ones overrule."""

    rows: list[int] = field(default_factory=list)
    values: list[Scalar] = field(default_factory=list)


@dataclass(slots=True)
class Points:
    """The points of one measurement in a batch, a row for each series and time."""

    times: list[int] = field(default_factory=list)
    heads: list[Head] = field(default_factory=list)
    columns: dict[str, Column] = field(default_factory=dict)
    places: dict[tuple[int, int], int] = field(default_factory=dict)


class LineReader:
    """Reads batches against the schemas it was given and extends. Series are remembered by head."""

    def __init__(self, schemas: dict[str, Schema]) -> None:
        self.schemas = schemas
        self._folded = {name.casefold(): name for name in schemas}
        self._heads: dict[str, Head] = {}
        self._numbers: dict[tuple[str, tuple[tuple[str, str], ...]], int] = {}

    def read(self, lines: bytes) -> tuple[dict[str, Points], list[tuple[bytes, str]]]:
        """Points by measurement, and each refused line with the reason."""
        if len(self._heads) > SERIES_MAX:
            self._heads.clear()
            self._numbers.clear()
        points: dict[str, Points] = {}
        refused: list[tuple[bytes, str]] = []
        for raw in lines.split(b"\n"):
            if not raw:
                continue
            try:
                self._point(raw.decode(), points)
            except Refused as reason:
                refused.append((raw, str(reason)))
            except UnicodeDecodeError as error:
                refused.append((raw, f"not UTF-8 at byte {error.start}"))
        return points, refused

    def _point(self, line: str, points: dict[str, Points]) -> None:
        if "\\" in line or '"' in line:
            text, values, stamp = _split_escaped(line)
        else:
            text, values, stamp = _split_plain(line)
        if not _INTEGER.fullmatch(stamp) or not -TIME_MAX <= (time := int(stamp)) <= TIME_MAX:
            raise Refused(f'"{stamp[:40]}" is no time in nanoseconds')
        head = self._heads.get(text) or self._head(text)
        schema = self._schema(head.measurement)
        new: dict[str, Kind] = {}
        for name, _ in head.tags:
            if not schema.check(name, "TAG"):
                _note(new, name, "TAG")
        for name, (kind, _) in values.items():
            if not schema.check(name, kind):
                _note(new, name, kind)
        for name, kind in new.items():
            schema.add(name, kind)
        self.schemas.setdefault(head.measurement, schema)
        self._folded.setdefault(head.measurement.casefold(), head.measurement)
        table = points.get(head.measurement)
        if table is None:
            table = points[head.measurement] = Points()
        row = table.places.setdefault((head.number, time), len(table.times))
        if row == len(table.times):
            table.times.append(time)
            table.heads.append(head)
        for name, (_, value) in values.items():
            column = table.columns.get(name)
            if column is None:
                column = table.columns[name] = Column()
            column.rows.append(row)
            column.values.append(value)

    def _schema(self, measurement: str) -> Schema:
        found = self.schemas.get(measurement)
        if found is not None:
            return found
        other = self._folded.get(measurement.casefold())
        if other is not None:
            raise Refused(f'measurement "{measurement}" differs only in case from "{other}"')
        return Schema()

    def _head(self, text: str) -> Head:
        found = _MEASUREMENT.match(text)
        if found is None:
            raise Refused("no measurement")
        measurement = _MEASUREMENT_ESCAPE.sub(r"\1", found.group())
        tags: dict[str, str] = {}
        at = found.end()
        while at < len(text):
            tag = _TAG.match(text, at)
            if tag is None:
                raise Refused(f'expected ",tag=value" at "{text[at : at + 40]}"')
            name, value = (_NAME_ESCAPE.sub(r"\1", part) for part in tag.groups())
            if name in tags:
                raise Refused(f'tag "{name}" twice')
            tags[name] = value
            at = tag.end()
        ordered = tuple(sorted(tags.items()))
        number = self._numbers.setdefault((measurement, ordered), len(self._numbers))
        head = self._heads[text] = Head(measurement, ordered, number)
        return head


def _note(new: dict[str, Kind], name: str, kind: Kind) -> None:
    """A column this point would add; Refused where it adds another that differs only in case."""
    if name in new:
        raise Refused(f'"{name}" is both a tag and a field')
    if any(other.casefold() == name.casefold() for other in new):
        raise Refused(f'"{name}" occurs twice, in different case')
    new[name] = kind


_Values = dict[str, tuple[Kind, Scalar]]


def _split_plain(line: str) -> tuple[str, _Values, str]:
    parts = line.split(" ")
    if len(parts) != 3:
        raise Refused(f"{len(parts)} parts, expected measurement and tags, fields, time")
    values: _Values = {}
    for part in parts[1].split(","):
        name, _, raw = part.partition("=")
        if not name or not raw:
            raise Refused(f'field "{part[:40]}" is not name=value')
        values[name] = _value(raw)
    return parts[0], values, parts[2]


def _split_escaped(line: str) -> tuple[str, _Values, str]:
    head = _HEAD.match(line)
    if head is None:
        raise Refused("expected measurement and tags, fields, time")
    values: _Values = {}
    at = head.end()
    while True:
        part = _FIELD.match(line, at)
        if part is None:
            raise Refused(f'expected name=value and a time after it at "{line[at : at + 40]}"')
        name, string, raw = part.groups()
        value = _value(raw) if string is None else ("VARCHAR", _STRING_ESCAPE.sub(r"\1", string))
        values[_NAME_ESCAPE.sub(r"\1", name)] = value
        at = part.end() + 1
        if line[at - 1] == " ":
            return head.group(1), values, line[at:]


_HEAD = re.compile(r"((?:[^\\ ]|\\ |\\(?! ))+) ")


def _value(raw: str) -> tuple[Kind, Scalar]:
    if _NUMBER.fullmatch(raw):
        number = float(raw)
        if number - number != 0.0:
            raise Refused(f'"{raw[:40]}" is beyond a 64-bit float')
        return "DOUBLE", number
    if raw[-1] == "i" and _INTEGER.fullmatch(raw, 0, len(raw) - 1):
        whole = int(raw[:-1])
        if -(1 << 63) <= whole < 1 << 63:
            return "BIGINT", whole
        raise Refused(f'"{raw}" is beyond a 64-bit integer')
    truth = _BOOLEANS.get(raw)
    if truth is None:
        raise Refused(f'"{raw[:40]}" is no number, integer, boolean or string')
    return "BOOLEAN", truth
