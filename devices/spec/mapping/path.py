"""Paths into JSON: `temperature`, `env.temp`, `readings[0].value`, `["a.b"].c`, `$.device.id`.

Names stand between points; a name with a point, a bracket or a blank in it stands in `["…"]`. `[0]` is the
first entry of a list. `$` is the whole payload, also where readings are the entries of a list
in it (`each`); without it a path begins at the reading. `.` is the reading itself, where it is a plain value.

Limits: 16 steps.
"""

import json
import re
from collections.abc import Callable
from typing import NamedTuple

MOST_STEPS = 16
_STEP = re.compile(r"""\.?([^.\[\]\s"$]+)|\[(\d{1,4})\]|\[("(?:[^"\\]|\\.)+")\]""")

Getter = Callable[[object, object], object]
"""The value at a path in a reading and the whole payload; None where there is none."""


class Path(NamedTuple):
    """`steps` are names and indices; `whole` where they begin at the payload."""

    steps: tuple[str | int, ...]
    whole: bool = False


def parse(text: str) -> Path:
    """The path of a text; ValueError with what should stand there."""
    if text == ".":
        return Path(())
    whole = text == "$" or text.startswith(("$.", "$["))
    rest = text[1:] if whole else text
    steps: list[str | int] = []
    at = 0
    while at < len(rest):
        found = _STEP.match(rest, at)
        if found is None or (at == 0 and rest[0] == "." and not whole) or (at > 0 and found[1] and rest[at] != "."):
            break
        steps.append(found[1] or (int(found[2]) if found[2] else _quoted(found[3])))
        at = found.end()
    if at < len(rest) or not (steps or whole) or len(steps) > MOST_STEPS:
        raise ValueError('a path such as "temperature", "env.temp", "values[0]" or "$.device.id"')
    return Path(tuple(steps), whole)


def _quoted(text: str) -> str:
    """The name between quotation marks, in which JSON's escapes stand."""
    try:
        return str(json.loads(text))
    except ValueError:
        raise ValueError('in ["…"] a name as JSON writes it: \\" for a quotation mark, \\\\ for a backslash') from None


def getter(path: Path) -> Getter:
    """A function that follows the path."""
    steps = path.steps
    if not path.whole and len(steps) == 1 and isinstance(steps[0], str):
        name = steps[0]
        return lambda reading, _payload: reading.get(name) if isinstance(reading, dict) else None

    def get(reading: object, payload: object) -> object:
        node = payload if path.whole else reading
        for step in steps:
            if isinstance(step, str):
                if not isinstance(node, dict):
                    return None
                node = node.get(step)
            else:
                if not isinstance(node, list) or step >= len(node):
                    return None
                node = node[step]
        return node

    return get


def put(root: object, steps: tuple[str | int, ...], value: object) -> object:
    """`root` with `value` at the end of `steps`; made where it is not there, lists filled up with null."""
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    if isinstance(step, str):
        table = root if isinstance(root, dict) else {}
        table[step] = put(table.get(step), rest, value)
        return table
    entries = root if isinstance(root, list) else []
    entries += [None] * (step + 1 - len(entries))
    entries[step] = put(entries[step], rest, value)
    return entries
