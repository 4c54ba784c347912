"""From lines or payloads of an unknown board to the `[[type]]` that reads them.

    samples -> shape (json, keys, columns) -> places (`forms`) -> for each a name, unit, kind, and why
            -> the table of a type, as `[[type]]` has it

What is guessed is said in `notes`; a unit that is not known is a `Question` and stands as "1" until
somebody answers it. Pure. Limits: MOST_FIELDS places; further ones are left out and named.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from devices.spec.units import UNITS, spelled
from gateway.learn.forms import Column, Places, places
from gateway.learn.keys import UNKNOWN, meaning_of
from gateway.learn.look import Guess
from gateway.learn.values import Decimal, TimeUnit, kind_of, numbers, said, time_unit

MOST_FIELDS = 100
LONGEST_NAME = 100

TIME_KEYS = frozenset({"time", "ts", "timestamp", "datetime", "date", "utc", "epoch", "tst", "unixtime", "measuredat"})
THING_KEYS = frozenset(
    {"id", "deviceid", "device", "sensor", "sensorid", "node", "nodeid", "devid", "deveui", "serial"}
)
RESERVED = frozenset({"time", "thing"})
BARE = frozenset({"value", "val", "v", "reading", "data", "payload", "measurement", "result", "raw"})
"""Keys that say of a value only that it is one."""


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


def is_bare(place: str | int) -> bool:
    """Whether a value that stands there has no name of its own."""
    return isinstance(place, int) or place.lower() in BARE


def propose(
    name: str, guess: Guess, texts: Sequence[str], link: Mapping[str, Any], called: str = ""
) -> Proposal | None:
    """The type that reads `texts`, of the shape that `guess` says; None where nothing in them can be mapped.

    `link` are the keys of the table that say how it is reached: topic, or baud and parity, and the encoding. `called`
    is what values are called that have no name of their own.
    """
    found = places(texts, guess, serial="topic" not in link)
    if found is None:
        return None
    if called:
        _call(found, called)
    proposal = _table(name, found, link)
    return proposal if proposal.table["field"] else None


def _call(found: Places, called: str) -> None:
    """Call the values that have no name of their own, the time aside, after `called`."""
    time = _time(found.columns, found.how.get("decimal", "."))
    bare = [column for column in found.columns if is_bare(column.place) and (time is None or column is not time[0])]
    for number, column in enumerate(bare, 1):
        column.key = called if len(bare) == 1 else f"{called} {number}"


def _table(name: str, found: Places, link: Mapping[str, Any]) -> Proposal:
    rows: list[dict[str, Any]] = []
    notes = list(found.notes)
    questions: list[Question] = []
    table: dict[str, Any] = {"name": name, **found.how, **link}
    time = _time(found.columns, found.how.get("decimal", "."))
    for column in found.columns:
        plain = _plain(column.key)
        if time is not None and column is time[0]:
            table["time"] = {"from": column.place, "unit": time[1]}
            notes.append(f"{column.key}: taken for the time of the reading, in {time[1]}")
            continue
        if "topic" in link and "thing" not in table and plain in THING_KEYS and "{thing}" not in link["topic"]:
            table["thing"] = column.place
            notes.append(f"{column.key}: taken for the name of the thing")
            continue
        if kind_of(column.values)[0] is None:
            notes.append(f"{column.key}: left out, no value of it came")
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


def _plain(key: str) -> str:
    return re.sub(r"[^a-z0-9]", "", key.lower())


def _time(columns: Sequence[Column], decimal: Decimal) -> tuple[Column, TimeUnit] | None:
    """The place of the time, and how it is written: what a key says, else a first column without a name, else
    numbers that are not likely for what their key says, and are of this century."""
    for column in columns:
        if _plain(column.key) in TIME_KEYS and (unit := time_unit(column.values, decimal)) is not None:
            return column, unit
    for column in columns:
        if column is columns[0] and not column.named:
            doubtful = True
        else:
            meaning = meaning_of(column.key)
            doubtful = _plain(column.key) == "t" or (
                bool(meaning.likely) and meaning.held_against(list(numbers(column.values))).unit == UNKNOWN
            )
        if doubtful and (unit := time_unit(column.values, decimal, sure=True)) is not None:
            return column, unit
    return None


def _row(column: Column, taken: set[str], index: int) -> tuple[dict[str, Any], str, Question | None]:
    """A field of the table, what was guessed for it, and the question that is open."""
    kind, written = kind_of(column.values)
    meaning = meaning_of(column.key, written)
    if kind != "measure":
        name = _free(meaning.quantity, taken)
        return {"name": name, "from": column.place, "kind": kind}, f"{column.key}: {name}, a {kind}", None
    values = list(numbers(column.values))
    meaning = meaning.held_against([value for value in values if value] or values)
    unit = meaning.unit or "1"
    name = _free(_named(meaning.quantity, unit), taken)
    row: dict[str, Any] = {"name": name, "from": column.place, "unit": unit}
    if written and unit == "1":
        row["suffix"] = written
    if meaning.unit == UNKNOWN:
        question = Question(index, column.key, meaning.quantity, str(said(column.values)[0]), meaning.why)
        return row, f"{column.key}: {name}, unit not known ({meaning.why})", question
    return row, f"{column.key}: {name} in {UNITS[unit].symbol or unit} ({meaning.why})", None


def _named(quantity: str, unit: str) -> str:
    suffix = UNITS[unit].suffix
    quantity = quantity[:LONGEST_NAME]
    return quantity if not suffix or quantity.endswith("_" + suffix) else f"{quantity}_{suffix}"


def _free(name: str, taken: set[str]) -> str:
    """`name`, or with a number before its unit where it is taken already."""
    name = f"{name}_value" if name in RESERVED else name[: LONGEST_NAME + 20]
    if name not in taken:
        return name
    suffix = next((unit.suffix for unit in UNITS.values() if unit.suffix and name.endswith("_" + unit.suffix)), "")
    stem = name.removesuffix("_" + suffix) if suffix else name
    for number in range(2, len(taken) + 3):
        other = f"{stem}_{number}" + (f"_{suffix}" if suffix else "")
        if other not in taken:
            return other
    raise AssertionError("one of so many names is free")
