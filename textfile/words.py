"""The words of a complaint: values, options and key paths as a person wrote them, on one line."""

import difflib
import json
import re
from collections.abc import Iterable, Mapping

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_USER_INFO = re.compile(r"://.*@")
_SHOWN = 60

LEAST_PART = 3
"""Letters of a word that is looked for within others: fewer are in too many."""


def one_line(text: str) -> str:
    """`text` with line ends and other control characters written as escapes."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def nearest(word: str, options: Iterable[str]) -> str | None:
    """The option that `word` was probably meant to be: the shortest that begins with it, or holds it, or is like it."""
    known, low = list(options), word.lower()
    if len(low) >= LEAST_PART:
        begun = [option for option in known if option.lower().startswith(low)]
        part = begun or [option for option in known if low in option.lower()]
        if part:
            return min(part, key=len)
    found = difflib.get_close_matches(low, known, n=1, cutoff=0.6)
    return found[0] if found else None


def listed(options: Iterable[str]) -> str:
    """`"a", "b" or "c"`."""
    quoted = [json.dumps(option) for option in options]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def key_path(steps: Iterable[str | int]) -> str:
    """`serial[1].tags."two words"`: quoted where TOML would quote."""
    path = ""
    for step in steps:
        if isinstance(step, int):
            path += f"[{step}]"
            continue
        name = step if _BARE_KEY.fullmatch(step) else json.dumps(one_line(step), ensure_ascii=False)
        path += f".{name}" if path else name
    return path


def shown(value: object) -> str:
    """A value as TOML writes it, on one line, shortened, without the user part of a URL."""
    if isinstance(value, Mapping):
        return "{…}" if value else "{}"
    if isinstance(value, list) and any(isinstance(item, list | Mapping) for item in value):
        return "[…]"
    if isinstance(value, list):
        text = "[" + ", ".join(shown(item) for item in value[:8]) + (", …]" if len(value) > 8 else "]")
    elif isinstance(value, str):
        text = json.dumps(_USER_INFO.sub("://…@", value[:4096]), ensure_ascii=False)
    elif isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, int) and value.bit_length() > 256:
        text = "a very long number"
    else:
        text = str(value)
    text = one_line(text)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
