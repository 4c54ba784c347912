"""From lines or payloads of an unknown board to the `[[type]]` that reads them.

    samples -> shape (json, keys, columns) -> places -> Column each: name, unit, kind, and why
            -> the table of a type, as `[[type]]` has it

What is guessed is said in `notes`; a unit that is not known is a `Question` and stands as "1" until
somebody answers it. Pure. Limits: MOST_FIELDS places; further ones are left out and named.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from devices.spec.units import UNITS, spelled
from gateway.learn.keys import UNKNOWN, meaning_of
from gateway.learn.look import Guess

MOST_FIELDS = 100
STATES = 8
"""A text with so many different values at the most is a state in words; it is stored as text all the same."""

TIME_KEYS = frozenset({"time", "ts", "timestamp", "datetime", "date", "utc", "epoch", "tst", "unixtime", "measuredat"})
THING_KEYS = frozenset(
    {"id", "deviceid", "device", "sensor", "sensorid", "node", "nodeid", "devid", "deveui", "serial"}
)
RESERVED = frozenset({"time", "thing"})

_NUMBER = re.compile(r"\s*([-+]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][-+]?\d+)?)(\s*)([^\d\s].{0,11})?\s*")
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*")
_MISSING = frozenset({"", "nan", "null", "none", "n/a", "na", "-", "--"})

Place = str | int


@dataclass(slots=True)
class Column:
    """One place in the text and the values that stood there."""

    place: Place
    key: str
    values: list[object] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Question:
    """A field whose unit only a person can say; `index` is its place among the fields of the table."""

    index: int
    key: str
    quantity: str
    example: str
    why: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A type table that may still have questions open, and what was guessed for it."""

    table: dict[str, Any]
    notes: tuple[str, ...]
    questions: tuple[Question, ...]

    def answered(self, answers: Mapping[int, str]) -> "Proposal":
        """With units for some of the questions. ValueError for a unit that is none."""
        rows = [dict(row) for row in self.table["field"]]
        left = []
        for question in self.questions:
            if question.index not in answers:
                left.append(question)
                continue
            unit = spelled(answers[question.index])
            if unit is None:
                raise ValueError(f"{answers[question.index]!r} is no unit that is known; UCUM codes and symbols are")
            taken = {row["name"] for at, row in enumerate(rows) if at != question.index}
            row = rows[question.index]
            row.update(name=_free(_named(question.quantity, unit), taken), unit=unit)
        return Proposal({**self.table, "field": rows}, self.notes, tuple(left))


def propose(name: str, guess: Guess, texts: Sequence[str], link: Mapping[str, Any]) -> Proposal | None:
    """The type that reads `texts`, of the shape that `guess` says; None where nothing in them can be mapped.

    `link` are the keys of the table that say how it is reached: topic, or baud and parity.
    """
    shape = _SHAPES.get(guess.shape or "text")
    if shape is None:
        return None
    columns, how = shape(texts, guess)
    if not columns:
        return None
    return _table(name, columns, {**how, **link})


def _table(name: str, columns: Sequence[Column], how: dict[str, Any]) -> Proposal:
    rows: list[dict[str, Any]] = []
    notes: list[str] = []
    questions: list[Question] = []
    table: dict[str, Any] = {"name": name, **how}
    for column in columns:
        plain = re.sub(r"[^a-z0-9]", "", column.key.lower())
        if "time" not in table and plain in TIME_KEYS and (unit := _time_unit(column.values)) is not None:
            table["time"] = {"from": column.place, "unit": unit}
            notes.append(f"{column.key}: taken for the time of the reading, in {unit}")
            continue
        if "topic" in how and "thing" not in table and plain in THING_KEYS and "{thing}" not in how["topic"]:
            table["thing"] = column.place
            notes.append(f"{column.key}: taken for the name of the thing")
            continue
        if len(rows) >= MOST_FIELDS:
            notes.append(f"{column.key}: left out, there are {MOST_FIELDS} fields already")
            continue
        row, note, question = _row(column, {each["name"] for each in rows}, len(rows))
        rows.append(row)
        notes.append(note)
        if question is not None:
            questions.append(question)
    table["field"] = rows
    return Proposal(table, tuple(notes), tuple(questions))


def _row(column: Column, taken: set[str], index: int) -> tuple[dict[str, Any], str, Question | None]:
    """A field of the table, what was guessed for it, and the question that is open."""
    kind, written = _kind(column.values)
    meaning = meaning_of(column.key, written)
    if kind != "measure":
        name = _free(meaning.quantity, taken)
        return {"name": name, "from": column.place, "kind": kind}, f"{column.key}: {name}, a {kind}", None
    unit = meaning.unit or "1"
    name = _free(_named(meaning.quantity, unit), taken)
    row: dict[str, Any] = {"name": name, "from": column.place, "unit": unit}
    if written and unit == "1":
        row["suffix"] = written
    if meaning.unit == UNKNOWN:
        question = Question(index, column.key, meaning.quantity, str(column.values[0]), meaning.why)
        return row, f"{column.key}: {name}, unit not known ({meaning.why})", question
    return row, f"{column.key}: {name} in {UNITS[unit].symbol or unit} ({meaning.why})", None


def _named(quantity: str, unit: str) -> str:
    suffix = UNITS[unit].suffix
    return quantity if not suffix or quantity.endswith("_" + suffix) else f"{quantity}_{suffix}"


def _free(name: str, taken: set[str]) -> str:
    """`name`, or with a number before its unit where it is taken already."""
    name = f"{name}_value" if name in RESERVED else name
    if name not in taken:
        return name
    suffix = next((unit.suffix for unit in UNITS.values() if unit.suffix and name.endswith("_" + unit.suffix)), "")
    stem = name.removesuffix("_" + suffix) if suffix else name
    for number in range(2, len(taken) + 3):
        other = f"{stem}_{number}" + (f"_{suffix}" if suffix else "")
        if other not in taken:
            return other
    raise AssertionError("one of so many names is free")


def _kind(values: Iterable[object]) -> tuple[Literal["measure", "flag", "text"], str]:
    """What the values are, and the unit that is written behind the numbers, if one is."""
    kinds: Counter[Literal["measure", "flag", "text"]] = Counter()
    units: Counter[str] = Counter()
    for value in values:
        if isinstance(value, bool) or (isinstance(value, str) and value.strip().lower() in ("true", "false")):
            kinds["flag"] += 1
        elif isinstance(value, int | float):
            kinds["measure"] += 1
        elif isinstance(value, str) and value.strip().lower() not in _MISSING:
            number = _NUMBER.fullmatch(value)
            unit = (number[3] or "").strip() if number else ""
            known = number is not None and (not unit or bool(number[2]) or spelled(unit) is not None)
            kinds["measure" if known else "text"] += 1  # 21.5C and 3 apples are numbers, 1.2b is a version
            if known and unit:
                units[unit] += 1
    if not kinds:
        return "measure", ""
    kind: Literal["measure", "flag", "text"]
    kind = "text" if kinds["text"] else "measure" if kinds["measure"] else "flag"
    return kind, max(units, key=lambda unit: units[unit], default="")


def _time_unit(values: Iterable[object]) -> str | None:
    """How a time is written; None where the values are none."""
    for value in values:
        text = str(value).strip()
        if isinstance(value, str) and _RFC3339.fullmatch(text):
            return "rfc3339"
        try:
            number = float(text)
        except ValueError:
            return None
        for unit, low in (("ns", 1e17), ("us", 1e14), ("ms", 1e11), ("s", 1e8)):
            if number >= low:
                return unit
        return None
    return None


def _json(texts: Sequence[str], _guess: Guess) -> tuple[list[Column], dict[str, Any]]:
    columns: dict[str, Column] = {}
    payloads = []
    for text in texts:
        try:
            payloads.append(msgspec.json.decode(text.strip().removeprefix("\ufeff")))
        except msgspec.DecodeError:
            continue
    each = next((found for payload in payloads if (found := _list_of_readings(payload, ""))), "")
    for payload in payloads:
        readings: object = payload
        if each:
            for path, key, value in _leaves(payload, "$", ""):
                if not path.startswith((f"$.{each}[", f"${each}[")):
                    columns.setdefault(path, Column(path, key)).values.append(value)
            for step in each.split("."):
                readings = readings.get(step) if isinstance(readings, dict) else None
        for reading in readings if isinstance(readings, list) else [readings]:
            for path, key, value in _leaves(reading, "", ""):
                columns.setdefault(path, Column(path, key)).values.append(value)
    return list(columns.values()), {"format": "json", **({"each": each} if each else {})}


def _list_of_readings(value: object, path: str) -> str:
    """The path of the first list of objects inside of objects; empty where there is none."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if re.fullmatch(r"[A-Za-z_][\w-]*", name) is None:
                continue
            at = f"{path}.{name}" if path else name
            if isinstance(inner, list) and inner and all(isinstance(entry, dict) for entry in inner):
                return at
            if found := _list_of_readings(inner, at):
                return found
    return ""


def _leaves(value: object, path: str, key: str) -> Iterator[tuple[str, str, object]]:
    """Path, key for people, and value of everything that is no object and no list."""
    if isinstance(value, dict):
        for name, inner in value.items():
            step = name if re.fullmatch(r"[A-Za-z_][\w-]*", name) else f'["{name}"]'
            joined = f"{path}.{step}" if path and not step.startswith("[") else path + step
            yield from _leaves(inner, joined, f"{key}_{name}" if key else name)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{index}]", f"{key}_{index + 1}")
    elif path:
        yield path, key, value


_PAIR = re.compile(r"([A-Za-z_][\w.\-]*)\s*([=:])\s*")


def _keys(texts: Sequence[str], _guess: Guess) -> tuple[list[Column], dict[str, Any]]:
    columns: dict[str, Column] = {}
    separators: Counter[str] = Counter()
    assigns: Counter[str] = Counter()
    for text in texts:
        found = list(_PAIR.finditer(text))
        for pair, following in zip(found, [*found[1:], None], strict=True):
            assigns[pair[2]] += 1
            raw = text[pair.end() : following.start() if following else len(text)]
            value = raw.rstrip(" \t,;|&")
            if following is not None:
                between = raw[len(value) :].strip()
                separators[between[:1] or " "] += 1
            columns.setdefault(pair[1], Column(pair[1], pair[1])).values.append(value.strip())
    separator = max(separators, key=lambda one: separators[one], default=",")
    how: dict[str, Any] = {"format": "keys"}
    if separator != ",":
        how["separator"] = separator
    assign = max(assigns, key=lambda one: assigns[one], default="=")
    if assign != "=":
        how["assign"] = assign
    return list(columns.values()), {**how, **_decimal(columns.values(), separator)}


def _columns(texts: Sequence[str], guess: Guess) -> tuple[list[Column], dict[str, Any]]:
    separator = guess.separator
    rows = [_cells(text, separator) for text in texts]
    widths = Counter(len(row) for row in rows if _mostly_numbers(row))
    if not widths:
        return [], {}
    width = widths.most_common(1)[0][0]
    header = next((row for row in rows if len(row) == width and not any(_NUMBER.fullmatch(cell) for cell in row)), None)
    places: list[Place] = (
        list(header) if header and len(set(header)) == width and all(header) else list(range(1, width + 1))
    )
    columns = [Column(place, place if isinstance(place, str) else f"value {place}") for place in places]
    for row in rows:
        if len(row) == width and row != header:
            for column, cell in zip(columns, row, strict=True):
                column.values.append(cell)
    how: dict[str, Any] = {"format": "columns"}
    if separator != ";":
        how["separator"] = separator
    if places and isinstance(places[0], str):
        how["columns"] = places
    return columns, {**how, **_decimal(columns, separator)}


def _cells(text: str, separator: str) -> list[str]:
    if separator == " ":
        return text.split()
    return [cell.strip() for cell in text.strip().split(separator)]


def _mostly_numbers(row: Sequence[str]) -> bool:
    return 2 * sum(_NUMBER.fullmatch(cell) is not None for cell in row) >= len(row) > 0


def _decimal(columns: Iterable[Column], separator: str) -> dict[str, str]:
    """A decimal comma, where values have one and it cannot be what stands between them."""
    if separator == ",":
        return {}
    texts = [value for column in columns for value in column.values if isinstance(value, str)]
    comma = sum(re.match(r"[-+]?\d+,\d", text) is not None for text in texts)
    point = sum(re.match(r"[-+]?\d+\.\d", text) is not None for text in texts)
    return {"decimal": ","} if comma > point else {}


_SHAPES = {"json": _json, "keys": _keys, "columns": _columns}
