"""Lines and payloads of one shape to the places in them, and to what a type says of that form.

    json      {"t":21.5,"env":{"h":40}}    a place is a path: t, env.h; of a list [0], [1]
    keys      temp=21.5,hum=40             a place is a key
    columns   21.5;40                      a place is a column: its name in the header line, else its number

Comments, and what a board says while it starts, are left aside: lines of another shape, and of keys those
that have none in common with lines that come again. Pure. Limits: paths of 16 steps.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from devices.spec.mapping import loads
from gateway.learn.keys import is_known
from gateway.learn.look import PAIR, Guess, without_comments
from gateway.learn.seal import sealed
from gateway.learn.values import decimal_of, is_value

MOST_STEPS = 16

Place = str | int


@dataclass(slots=True)
class Column:
    """One place in the text and the values that stood there. `named`: `key` is the board's own word for it."""

    place: Place
    key: str
    named: bool = True
    values: list[object] = field(default_factory=list)


class Places(NamedTuple):
    """`how` are the keys of a type table that say what its form is; `notes` what was left aside."""

    columns: list[Column]
    how: dict[str, Any]
    notes: list[str]


def places(texts: Sequence[str], guess: Guess, serial: bool) -> Places | None:
    """The places in `texts`, of the shape that `guess` says; None where there are none.

    `serial`: on a line, where a check may stand behind each text.
    """
    form = _FORMS.get(guess.shape or "text")
    if form is None:
        return None
    texts = without_comments(texts)
    check = sealed(texts) if serial else None
    found = form(texts if check is None else check.bare(texts), guess)
    if not found.columns:
        return None
    if check is not None:
        found.how["check"] = check.name
        found.notes.append(f"behind the {check.mark} stands a check: {check.name}")
    return found


def _json(texts: Sequence[str], _guess: Guess) -> Places:
    payloads = [payload for text in texts for payload in _payload(text)]
    each = next((found for payload in payloads if (found := _list_of_readings(payload, ""))), "")
    columns: dict[str, Column] = {}
    deep = False

    def add(value: object, root: str) -> None:
        nonlocal deep
        for steps, leaf in _leaves(value, ()):
            path = _path(steps, root)
            if len(steps) > MOST_STEPS or path is None:
                deep = True
            elif not (each and path.startswith((f"$.{each}[", f"${each}["))):
                named = any(isinstance(step, str) for step in steps)
                columns.setdefault(path, Column(path, _key(steps), named)).values.append(leaf)

    for payload in payloads:
        readings = payload
        if each:
            add(payload, "$")
            for step in each.split("."):
                readings = readings.get(step) if isinstance(readings, dict) else None
        if isinstance(readings, list) and (each or _objects(readings)):
            for reading in readings:
                add(reading, "")
        elif not each:
            add(readings, "")
    notes = [f"left out: what lies deeper than {MOST_STEPS} steps or has no name"] if deep else []
    kept = list(columns.values())
    return Places(kept, {"format": "json", **({"each": each} if each else {}), **_decimal(kept)}, notes)


def _payload(text: str) -> Iterator[object]:
    try:
        payload = loads(text.strip().removeprefix("\ufeff"))
    except ValueError:
        return
    if isinstance(payload, dict | list):
        yield payload


def _objects(entries: Sequence[object]) -> bool:
    return bool(entries) and all(isinstance(entry, dict) for entry in entries)


def _list_of_readings(value: object, path: str) -> str:
    """The path of the first list of objects inside of objects; empty where there is none."""
    if isinstance(value, dict) and path.count(".") < MOST_STEPS - 1:
        for name, inner in value.items():
            if re.fullmatch(r"[A-Za-z_][\w-]*", name) is None:
                continue
            at = f"{path}.{name}" if path else name
            if isinstance(inner, list) and _objects(inner):
                return at
            if found := _list_of_readings(inner, at):
                return found
    return ""


def _leaves(value: object, steps: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], object]]:
    """The steps to everything that is no object and no list, and what it is; one that lies too deep as it is."""
    if len(steps) <= MOST_STEPS and isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, (*steps, name))
    elif len(steps) <= MOST_STEPS and isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(inner, (*steps, index))
    elif steps:
        yield steps, value


def _path(steps: Sequence[str | int], root: str) -> str | None:
    """The path as the type language has it, behind `root`; None where there is none, for a name without a letter."""
    path = root
    for step in steps:
        if isinstance(step, int):
            path += f"[{step}]"
        elif re.fullmatch(r"[A-Za-z_][\w-]*", step):
            path += f".{step}" if path else step
        elif step:
            path += f"[{json.dumps(step, ensure_ascii=False)}]"
        else:
            return None
    return path


def _key(steps: Sequence[str | int]) -> str:
    """What people call the place: env_co2, values_1; value 1 where it has no name at all."""
    words = [str(step + 1) if isinstance(step, int) else step for step in steps]
    return "_".join(words) if any(isinstance(step, str) for step in steps) else f"value {' '.join(words)}"


def _keys(texts: Sequence[str], _guess: Guess) -> Places:
    lines = [pairs for text in texts if (pairs := list(PAIR.finditer(text)))]
    counts = Counter(key for pairs in lines for key in {pair[1] for pair in pairs})
    again = {key for key, count in counts.items() if count > 1}
    columns: dict[str, Column] = {}
    separators: Counter[str] = Counter()
    assigns: Counter[str] = Counter()
    aside = []
    for pairs in lines:
        if again and again.isdisjoint(pair[1] for pair in pairs):
            aside += [pair[1] for pair in pairs]
            continue
        text = pairs[0].string
        for at, pair in enumerate(pairs):
            assigns[pair[2]] += 1
            last = at + 1 == len(pairs)
            raw = text[pair.end() : len(text) if last else pairs[at + 1].start(1)]
            value = raw.rstrip(" \t,;|&")
            if not last:
                between = raw[len(value) :].strip()
                separators[between[:1] or " "] += 1
            columns.setdefault(pair[1], Column(pair[1], pair[1])).values.append(value.strip())
    found = list(columns.values())
    decimal = _decimal(found)
    # of one pair a line nothing stands between pairs, and a comma is the decimal one
    usual = "," if separators or not decimal else ";"
    separator = max(separators, key=lambda one: separators[one], default=usual)
    how: dict[str, Any] = {"format": "keys"}
    if separator != ",":
        how["separator"] = separator
    assign = max(assigns, key=lambda one: assigns[one], default="=")
    if assign != "=":
        how["assign"] = assign
    if mark := _mark(pairs[0].string for pairs in lines):
        how["prefix"] = mark
    notes = [f"left aside, as they stand in one line alone: {', '.join(aside[:5])}"] if aside else []
    return Places(found, {**how, **(decimal if separator != "," else {})}, notes)


def _mark(texts: Iterable[str]) -> str:
    """The `$` or `!` with which all of the texts begin, if one does."""
    begins = {text.lstrip()[:1] for text in texts}
    return begins.pop() if len(begins) == 1 and begins <= {"$", "!"} else ""


def _columns(texts: Sequence[str], guess: Guess) -> Places:
    separator = guess.separator
    rows = [_cells(text, separator) for text in texts]
    data = [row for row in rows if _mostly_values(row)]
    if not data:
        return Places([], {}, [])
    width = Counter(map(len, data)).most_common(1)[0][0]
    data = [row for row in data if len(row) == width]
    header = _header(rows, data[0], separator)
    first = data[0][0]
    prefix = ""
    if first[:1] in ("$", "!") and width > 1 and separator != " " and all(row[0] == first for row in data):
        prefix, width, header = f"{first}{separator}", width - 1, None
        data = [row[1:] for row in data]
    columns = [
        Column(name, name) if header else Column(number, f"value {number}", named=False)
        for number, name in enumerate(header or [""] * width, 1)
    ]
    for row in data:
        for column, cell in zip(columns, row, strict=True):
            column.values.append(cell)
    how: dict[str, Any] = {"format": "columns"}
    if separator != ";":
        how["separator"] = separator
    if prefix:
        how["prefix"] = prefix
    if header:
        how["columns"] = header
    return Places(columns, {**how, **(_decimal(columns) if separator != "," else {})}, [])


def _cells(text: str, separator: str) -> list[str]:
    cells = text.split() if separator == " " else [cell.strip() for cell in text.strip().split(separator)]
    return [cell[1:-1] if len(cell) > 1 and cell[0] == cell[-1] == '"' else cell for cell in cells]


def _header(rows: Sequence[list[str]], first: Sequence[str], separator: str) -> list[str] | None:
    """The names of the columns: of the lines that could be them the last before the first data, with a name that
    is known if there is one; what a board says while it starts stands before."""
    could = [row for row in rows if len(row) == len(first) and _is_header(row, separator)]
    before = rows[: rows.index(list(first))]
    best = max(enumerate(could), key=lambda at: (any(map(is_known, at[1])), at[1] in before, at[0]), default=None)
    return best[1] if best is not None else None


def _is_header(row: Sequence[str], separator: str) -> bool:
    """Whether the cells are the names of columns: all words, none twice; between blanks one has to be known."""
    words = len(set(row)) == len(row) and not any(map(is_value, row))
    return words and (separator != " " or any(map(is_known, row)))


def _mostly_values(row: Sequence[str]) -> bool:
    return 2 * sum(map(is_value, row)) >= len(row) > 0 and any(row)


def _decimal(columns: Iterable[Column]) -> dict[str, str]:
    """A decimal comma, where values have one."""
    return {"decimal": ","} if decimal_of(value for column in columns for value in column.values) == "," else {}


_FORMS: Mapping[str, Callable[[Sequence[str], Guess], Places]] = {"json": _json, "keys": _keys, "columns": _columns}
