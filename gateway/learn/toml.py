"""What `learn` proposes, as the text of a configuration."""

import json
from collections.abc import Iterable, Mapping
from typing import Any


def table_text(header: str, table: Mapping[str, Any]) -> str:
    """`[[header]]` and its keys; a list of tables is `[[header.key]]` behind them, other tables stand inline."""
    lines = [f"[[{header}]]"]
    inner: list[str] = []
    for key, value in table.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            inner += [table_text(f"{header}.{key}", row) for row in value]
        else:
            lines.append(f"{key} = {value_text(value)}")
    return "\n".join(lines) + "\n" + "".join("\n" + text for text in inner)


def value_text(value: object) -> str:
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {value_text(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, Iterable):
        return "[" + ", ".join(map(value_text, value)) + "]"
    raise TypeError(f"no TOML for {value!r}")
