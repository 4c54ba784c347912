"""What is left of an NMEA sentence in which an item cannot be read.

The compiled reader of a row (row.py) raises at the first such item. The sentence then comes here and
is read column by column, five times as slow: an item that cannot be read is left out, with what means
nothing without it, and is named. What says whether there is a fix at all, and the place of a sentence
that is about the place, refuse the sentence: without them the rest of it means nothing.

What the sentence declares void is not judged: status V with 36000.0000 for a latitude is no fix, and
nothing is wrong with it.

Two mistakes that receivers make are corrected: mode and status that changed places (N,V at the end
of a GLL), and the side of the magnetic variation left out, so that the mode stands in its place.
"""

from functools import lru_cache

from devices.nmea0183.columns import Column, Fields, Text
from devices.nmea0183.fields import MODES
from devices.nmea0183.reasons import REASONS, HalfPosition, NothingSaid
from devices.nmea0183.row import VOID, Read, Row

REQUIRED = frozenset({"status", "fix_quality", "latitude_deg", "longitude_deg"})
PAIRS = (("latitude_deg", "longitude_deg"), ("waypoint_latitude_deg", "waypoint_longitude_deg"))


def salvage(row: Row, items: list[str]) -> tuple[Fields, bool, tuple[str, ...]]:
    """The fields, whether there is no fix, and what is wrong with each value that was left out.

    ValueError where an item that is required cannot be read, or there are too few of them; NothingSaid
    where there is nothing in any.
    """
    if not any(items[1:]):
        raise NothingSaid("no values")
    items = row.settle(items, row.least, row.length)
    _put_right(row, items)
    fields: Fields = {}
    wrong: dict[str, list[str]] = {}
    refused = ""
    for at, column in row.placed:
        try:
            faults = _read(column, items, at, fields)
        except ValueError as error:
            faults = [_words(error, column, items[at])]
            if column.field in REQUIRED and not isinstance(error, HalfPosition):
                refused = refused or faults[0]
            for name in column.tells_of:
                fields.pop(name, None)
        if faults:
            wrong[column.field or column.tells_of[0]] = faults
        elif column.tells_of and items[at] == "V":
            for name in column.tells_of:
                wrong.pop(name, None)
    if any(_says_void(at, column, items, fields) for at, column in row.placed):
        return fields, True, ()
    if refused:
        raise ValueError(refused)
    for pair in PAIRS:
        for name, other in (pair, pair[::-1]):
            if name in fields and other not in fields:
                half = fields.pop(name)
                if other not in wrong:
                    wrong[name] = [f"{name}: {half} alone is no position"]
    return fields, False, tuple(words for faults in wrong.values() for words in faults)


def _put_right(row: Row, items: list[str]) -> None:
    """Exchange mode and status that changed places; give the mode that stands for a side its own."""
    places = {column.field: at for at, column in row.placed}
    status, mode = places.get("status", 0), places.get("mode", 0)
    if status and mode and items[mode] in {"A", "V"} and items[status] in set(MODES) - {"A"}:
        items[status], items[mode] = items[mode], items[status]
    side = places.get("magnetic_variation_deg", -1) + 1
    if side and mode == side + 1 and not items[mode] and items[side] in set(MODES) - {"E"}:
        items[mode], items[side] = items[side], ""


def _read(column: Column, items: list[str], at: int, fields: Fields) -> list[str]:
    """Read one column; the words about what its list has besides. ValueError where it cannot be read."""
    compiled = _compiled(column)
    if compiled is None:
        return column.salvage(items, at, fields)
    if items[at]:
        fields.update(compiled(items[at : at + column.width])[0])
        if isinstance(column, Text) and items[at] == "V":
            for name in column.tells_of:
                fields.pop(name, None)
    return []


@lru_cache(maxsize=512)
def _compiled(column: Column) -> Read | None:
    """The function that reads the items of one column, None where it has `read` of its own."""
    names = [f"item{number}" for number in range(column.width)]
    code = column.code(*names)
    if not code:
        return None
    lines = ["def read(items):", f"{', '.join(names)}, = items", "fields = {}", *code, "return fields, False"]
    made: dict[str, object] = {}
    exec("\n    ".join(lines), dict(REASONS), made)
    read: Read = made["read"]  # type: ignore[assignment]
    return read


def _words(error: ValueError, column: Column, text: str) -> str:
    """The reason, with the field it is about: those of `float` and `int` do not name it."""
    words = str(error)
    name = column.field or column.tells_of[0]
    return words if words.startswith(name) else f"{name}: {text!r} is not a number"


def _says_void(at: int, column: Column, items: list[str], fields: Fields) -> bool:
    if column.field not in VOID:
        return False
    value = items[at] if isinstance(column, Text) else fields.get(column.field)
    return value in VOID[column.field]
