"""The three forms of text: what a line or a payload holds, and how a reading is written.

    json      {"t":21.5,"env":{"h":40}}      values by path; a list is a reading each
    keys      temp=21.5,hum=40               values by key
    columns   21.5;40                        values by column, with or without a header line

A form answers with the places in which values stand (`Getter`s), the readings of a text, and the
text of a reading. A text that is none of this form is `None` (a comment, a boot line), one that
is damaged a ValueError.

Limits: JSON as msgspec takes it, and beside it `nan` and `inf` as C and Python print them.
"""

import json
import re
from collections.abc import Iterable
from typing import Any, TypeGuard

from msgspec import DecodeError
from msgspec import json as msgjson

from devices.spec.errors import EncodeError
from devices.spec.mapping.path import Getter, getter, parse, put
from devices.spec.mapping.table import TypeRow

_LOOSE = re.compile(r'"(?:[^"\\]|\\.?)*(?:"|\Z)|(?P<word>-?\b(?:nan|inf(?:inity)?)\b)', re.IGNORECASE | re.DOTALL)
"""Texts, which stay as they are, and the words that are no JSON."""

Place = str | int
Readings = list[tuple[object, object]]
"""Each a reading and the whole payload: what a Getter takes."""


class Json:
    """Readings in JSON: an object, the entries of a list, or of the list at `each`."""

    def __init__(self, row: TypeRow) -> None:
        self._each = parse(row.each) if row.each else None
        self._path = row.each
        self._entries = getter(self._each) if self._each else None
        places = [parse(str(field.place)) for field in row.fields]
        self._listed = any(isinstance(path.steps[0], int) for path in places if path.steps and not path.whole)
        self._bare = any(not path.steps for path in places)
        self._nothing: object = None if self._bare else {}
        self._prefix = row.prefix

    def place(self, place: Place) -> Getter:
        return getter(parse(str(place)))

    def is_whole(self, line: str) -> bool:
        """Whether a line begins as one of these does."""
        return line.startswith(self._prefix) if self._prefix else line.lstrip()[:1] in ("{", "[")

    def begin(self) -> None:
        """A new stream or payload: nothing is remembered."""

    def readings(self, text: str, alone: bool) -> Readings | None:
        """The readings of a text; `alone`: it is a whole payload, so that nothing else can be in it."""
        if not text.startswith(self._prefix):
            return None
        body = text[len(self._prefix) :].strip()
        if not alone and body[:1] not in ("{", "["):
            return None
        payload = loads(body)
        if self._entries is not None:
            entries = self._entries(payload, payload)
            if entries == [] or (entries is None and isinstance(payload, dict)):
                return [(self._nothing, payload)]  # what stands beside the list is said all the same
            if entries is None and payload is None:
                return []
            if not isinstance(entries, list):
                raise ValueError(f"expected a list of readings at {self._path}")
            return [(entry, payload) for entry in entries]
        if isinstance(payload, list) and not self._listed:
            return [(entry, payload) for entry in payload]
        return [] if payload is None else [(payload, payload)]

    def unfit(self, reading: object) -> str | None:
        """What is wrong with the shape of a reading, or None."""
        if isinstance(reading, dict) or self._bare or self._listed:
            return None
        return f"expected an object, got {_kind(reading)}"

    def written(self, values: Iterable[tuple[Place, object]]) -> str:
        """The text of one reading."""
        payload: object = None
        reading: object = None
        for place, value in values:
            path = parse(str(place))
            if path.whole:
                payload = put(payload, path.steps, value)
            else:
                reading = put(reading, path.steps, value)
        if self._each is not None:
            payload = put(payload, self._each.steps, [reading])
        elif payload is None:
            payload = reading
        elif isinstance(payload, dict) and isinstance(reading, dict):
            payload = _merged(payload, reading)
        return self._prefix + msgjson.encode(payload).decode()


def _kind(value: object) -> str:
    return "a list" if isinstance(value, list) else json.dumps(value, ensure_ascii=False)[:40]


def _merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Both tables in one; where both have a table under a name, the two merged."""
    out = dict(one)
    for key, value in other.items():
        mine = out.get(key)
        out[key] = _merged(mine, value) if isinstance(mine, dict) and isinstance(value, dict) else value
    return out


def is_json(text: bytes) -> bool:
    """Whether a text is JSON, whole."""
    try:
        loads(text.decode("utf-8", "replace"))
    except ValueError:
        return False
    return True


def loads(text: str) -> object:
    """JSON, also with `nan` (null) and `inf` (a text) in it; ValueError if it is none."""
    try:
        return msgjson.decode(text)
    except RecursionError:
        raise ValueError("expected JSON that is not nested so deeply") from None
    except DecodeError as error:  # msgspec's word for a number like 1e400, too
        why = str(error).removeprefix("JSON is malformed: ")
    try:
        return json.loads(_LOOSE.sub(_tamed, text))
    except (ValueError, RecursionError):
        raise ValueError(f"expected JSON: {why}, got {text[:40]!r}") from None


def _tamed(found: re.Match[str]) -> str:
    word = found["word"]
    if word is None:
        return found[0]
    return "null" if "nan" in word.lower() else f'"{word}"'


_AFTER_COMMA = re.compile(r"\d+\s*[;| ]")
"""The end of a number with a decimal comma and another separator, where a key is expected: `21,5;hum=40`."""


class Keys:
    """Readings as pairs of key and value. A key that is not mapped is left alone."""

    def __init__(self, row: TypeRow) -> None:
        self._assign = row.assign
        self._separator = row.separator
        self._prefix = row.prefix
        self._comment = row.comment
        places = [field.place for field in row.fields]
        self._known = frozenset(
            str(place) for place in (*places, row.thing, row.time.place if row.time else None) if place
        )
        assign = re.escape(row.assign)
        self._between = re.compile(rf" (?=[^ {assign}]+ ?{assign})") if row.separator == " " else None

    def place(self, place: Place) -> Getter:
        key = str(place)
        return lambda reading, _payload: reading.get(key) if isinstance(reading, dict) else None

    def is_whole(self, line: str) -> bool:
        """Whether a line begins as one of these does: with a key that is not the end of another."""
        if self._prefix:
            return line.startswith(self._prefix)
        first = line.partition(self._assign)[0].strip()
        return first in self._known and not any(key != first and key.endswith(first) for key in self._known)

    def begin(self) -> None:
        """A new stream or payload: nothing is remembered."""

    def readings(self, text: str, alone: bool) -> Readings | None:
        """The reading of a line; None where no key that is mapped stands in it."""
        del alone
        if text.startswith(self._comment) or not text.startswith(self._prefix):
            return None
        body = text[len(self._prefix) :].strip()
        pieces = self._between.split(" ".join(body.split())) if self._between else body.split(self._separator)
        found: dict[str, str] = {}
        broken = twice = ""
        for at, piece in enumerate(pieces):
            key, assign, value = piece.partition(self._assign)
            key = key.strip()
            if at == 0 and key not in self._known:
                key = key.split()[-1] if key.split() else ""  # "reading 7: temp=21.5"
            if not assign or (self._separator == "," and _AFTER_COMMA.match(key)):
                broken = broken or piece.strip()  # an empty one is a separator at the end
            elif key in found:
                twice = twice or key
            else:
                found[key] = value.strip()
        if self._known.isdisjoint(found):
            return None
        if broken or twice in self._known:
            raise ValueError(
                f"{twice} stands there twice" if twice else f"expected key{self._assign}value, got {broken[:40]!r}"
            )
        return [(found, found)]

    def written(self, values: Iterable[tuple[Place, object]]) -> str:
        pairs = [f"{place}{self._assign}{value}" for place, value in values]
        if any(self._separator in pair for pair in pairs):
            raise EncodeError(f"a text holds the separator {self._separator!r}")
        return self._prefix + self._separator.join(pairs)


class Columns:
    """Readings as columns, counted from 1; names stand in the order of `columns` until a header line says another."""

    def __init__(self, row: TypeRow) -> None:
        self._names = row.columns
        self._separator = row.separator
        self._blank = row.separator == " "
        self._prefix = row.prefix
        self._comment = row.comment
        places = [*(field.place for field in row.fields), *((row.time.place,) if row.time else ())]
        self._places = [*places, row.thing] if row.thing is not None else places
        self._wanted = frozenset(place for place in self._places if isinstance(place, str))
        self._order = list(range(len(self._names)))
        self._most = 0
        self.begin()

    def begin(self) -> None:
        """A new stream or payload: no header line was seen yet."""
        self._ordered(range(len(self._names)))

    def _ordered(self, order: Iterable[int]) -> None:
        self._order[:] = order
        self._most = max(map(self._at, self._places), default=0) + 1

    def _at(self, place: Place) -> int:
        return self._order[self._names.index(place)] if isinstance(place, str) else place - 1

    def place(self, place: Place) -> Getter:
        if isinstance(place, int):
            column = place - 1
            return lambda reading, _payload: reading[column] if _is_row(reading, column) else None
        order, name = self._order, self._names.index(place)
        return lambda reading, _payload: reading[order[name]] if _is_row(reading, order[name]) else None

    def is_whole(self, line: str) -> bool:
        """Whether the text says that a line begins at its beginning: `1.5;40` could be the end of `21.5;40`."""
        return bool(self._prefix) and line.startswith(self._prefix)

    def readings(self, text: str, alone: bool) -> Readings | None:
        """The reading of a line; None for a comment and a header line."""
        del alone
        if text.startswith(self._comment) or not text.startswith(self._prefix):
            return None
        cells = self._cells(text[len(self._prefix) :])
        if self._wanted and self._wanted <= set(cells):
            self._ordered(cells.index(name) if name in cells else len(cells) for name in self._names)
            return None
        return [(cells, cells)]

    def unfit(self, reading: object) -> str | None:
        """What is wrong with the number of columns, or None."""
        if isinstance(reading, list) and len(reading) < self._most:
            return f"{len(reading)} column{'s' if len(reading) > 1 else ''}, expected {self._most} at least"
        return None

    def _cells(self, body: str) -> list[str]:
        cells = body.split() if self._blank else body.split(self._separator)
        return [cell[1:-1] if len(cell) > 1 and cell[0] == cell[-1] == '"' else cell for cell in map(str.strip, cells)]

    def written(self, values: Iterable[tuple[Place, object]]) -> str:
        """The line of one reading, its columns in the declared order."""
        self.begin()
        cells = ["-" if self._blank else ""] * max(self._most, len(self._names))
        for place, value in values:
            cells[self._at(place)] = str(value)
        if any(self._separator in cell for cell in cells):
            raise EncodeError(f"a text holds the separator {self._separator!r}")
        return self._prefix + self._separator.join(cells)


def _is_row(reading: object, column: int) -> TypeGuard[list[str]]:
    return isinstance(reading, list) and column < len(reading)


Form = Json | Keys | Columns


def form_of(row: TypeRow) -> Form:
    if row.format == "json":
        return Json(row)
    return Keys(row) if row.format == "keys" else Columns(row)
