"""Rows: what an NMEA sentence is made of, item by item, compiled to the function that reads it.

A row drives the reading and the writing. The reading side is compiled once from the columns
into one function (as `dataclass` compiles its methods): a third of the time of asking each
column in turn. Of a row of a number and a state it is

    def read(items):
        _, item1, item2 = items if len(items) == 3 else settled(items, 2, 3)
        fields = {}
        if item1:
            value = float(item1)
            if not (value >= -7200.0 and value <= 7200.0):
                raise outside('rate_of_turn_deg_min', item1)
            fields['rate_of_turn_deg_min'] = value
        if item2:
            if item2 not in {'A', 'V'}:
                raise other_letter('status', item2, 'AV')
            fields['status'] = item2
        return fields, item2 in {'V'}

Only names and limits of the table are in it, each as the literal that `repr` gives.

It raises at the first item that cannot be read; the sentence then goes to salvage.py.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from devices.nmea0183.columns import Angle, Column, Fields, Stamp, Text
from devices.nmea0183.reasons import REASONS
from devices.spec.errors import EncodeError
from devices.spec.events import Value

VOID: dict[str, frozenset[Value]] = {
    "status": frozenset({"V"}),
    "mode": frozenset({"N", "V"}),
    "fix_quality": frozenset({0}),
    "nav_state": frozenset({"NF"}),
    "modes": frozenset("N" * number for number in range(1, 8)),
    "lock_status": frozenset({"V"}),
}
"""Fields that tell that there is no fix, and the values that do."""


Read = Callable[[list[str]], tuple[Fields, bool]]
Settle = Callable[[list[str], int, int], list[str]]


@dataclass(frozen=True, slots=True)
class Row:
    """One sentence: at least `least` items, written with at least `written`, known to `length`.

    `read(items)` gives the fields, without the time, and whether the sentence says that there
    is no fix; `items` is filled up with empty ones to the row's length by `settle`. ValueError with the
    reason where an item cannot be read. `clock` and `date` are the items of the time of day and
    of ddmmyy, `calendar` those of year, month and day; 0 and empty where there are none.
    """

    columns: tuple[Column, ...]
    least: int
    written: int
    length: int
    names: frozenset[str]
    clock: int
    date: int
    calendar: tuple[int, ...]
    read: Read
    settle: Settle
    placed: tuple[tuple[int, Column], ...]

    @classmethod
    def of(cls, least: int, *columns: Column, written: int = 0, settle: Settle | None = None) -> "Row":
        placed = _placed(columns)
        stamps = {column.name: at for at, column in placed if isinstance(column, Stamp)}
        length = 1 + sum(column.width for column in columns)
        return cls(
            columns,
            least,
            written or least,
            length,
            frozenset(column.field for column in columns) - {""},
            stamps.get("utc_time", 0),
            stamps.get("utc_date", 0),
            tuple(stamps[name] for name in ("year", "month", "day") if name in stamps),
            _compile(placed, least, length, settle or settled),
            settle or settled,
            tuple(placed),
        )

    def is_void(self, fields: Mapping[str, Value]) -> bool:
        """Whether the sentence says that there is no fix."""
        return any(name in self.names and fields.get(name) in values for name, values in VOID.items())

    def write(self, fields: Mapping[str, Value]) -> list[str]:
        """The items after the address; empty ones at the end that the row can do without are left out."""
        unknown = fields.keys() - self.names
        if unknown:
            raise EncodeError(f"{', '.join(sorted(unknown))}: not in this sentence")
        items = [item for column in self.columns for item in column.write(fields)]
        while len(items) > self.written and not items[-1]:
            items.pop()
        return items


def _placed(columns: tuple[Column, ...]) -> list[tuple[int, Column]]:
    """Each column with the item it begins at."""
    placed, at = [], 1
    for column in columns:
        placed.append((at, column))
        at += column.width
    return placed


def settled(items: list[str], least: int, length: int) -> list[str]:
    """The items of a sentence that has more of them than its row, or fewer: `items` is filled up."""
    have = len(items)
    if have < length:
        if have <= least:
            raise ValueError(f"{have - 1} items, expected at least {least}")
        items += [""] * (length - have)
        return items
    return items[:length]


def _compile(placed: list[tuple[int, Column]], least: int, length: int, settle: Settle) -> Read:
    names = ", ".join(["_", *(f"item{at}" for at in range(1, length))])
    lines = [f"{names} = items if len(items) == {length} else settled(items, {least}, {length})", "fields = {}"]
    known: dict[str, object] = {"settled": settle, **REASONS}
    void = []
    for at, column in placed:
        if column.field in VOID:
            value = f"item{at}" if isinstance(column, Text) else f"fields.get({column.field!r})"
            void.append(f"{value} in {{{', '.join(map(repr, sorted(VOID[column.field], key=str)))}}}")
        code = column.code(*(f"item{at + offset}" for offset in range(column.width)))
        if isinstance(column, Angle):
            other = at + 2 if column.letters == "NS" else at - 2
            code.insert(0, f"if not item{other}: raise half_position({column.name!r}, item{at})")
        if code:
            lines += [f"if item{at}:", *(f"    {line}" for line in code)]
        elif type(column).read is not Column.read:
            known[f"column{at}"] = column
            lines.append(f"column{at}.read(items, {at}, fields)")
    lines.append(f"return fields, {' or '.join(void) or False}")
    exec("\n    ".join(["def read(items):", *lines]), known)
    read: Read = known["read"]  # type: ignore[assignment]
    return read
