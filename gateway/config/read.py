"""Reading one table of the configuration: typed values out, or one line that says what is wrong.

A `Table` knows its file and its key path, so that every complaint names both. A complaint is
one line: `park.toml: serial[1].device = "pms503": expected …`. Array indices count from 0.
The values of secrets, of unknown keys that look like secrets, and of `${NAME}` are not shown.
"""

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

SECRET_KEYS = frozenset({"password", "token", "api_token"})
_SECRET_LIKE = re.compile(r"pass|pwd|token|secret|credential|auth|api_?key", re.IGNORECASE)
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_REFERENCE = re.compile(r"\$\$\{|\$\{([^}]*)\}?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_USER_INFO = re.compile(r"://.*@")
_SHOWN = 60


class ConfigError(ValueError):
    """The configuration cannot be used. `str()` is one line for the person who wrote it."""


def is_secret(key: str) -> bool:
    """Whether the value of a key of this name is never shown."""
    return key in SECRET_KEYS or _SECRET_LIKE.search(key) is not None


def one_line(text: str) -> str:
    """`text` with line ends and other control characters written as escapes."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def nearest(word: str, options: Iterable[str]) -> str | None:
    """The option that `word` was probably meant to be."""
    found = difflib.get_close_matches(word.lower(), list(options), n=1, cutoff=0.6)
    return found[0] if found else None


def listed(options: Iterable[str]) -> str:
    """`"a", "b" or "c"`."""
    quoted = [json.dumps(option) for option in options]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def join(path: str, key: str) -> str:
    """The key path of `key` below `path`, quoted where TOML would quote it."""
    shown = key if _BARE_KEY.fullmatch(key) else json.dumps(one_line(key), ensure_ascii=False)
    return f"{path}.{shown}" if path else shown


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


@dataclass(frozen=True, slots=True)
class Origin:
    """Where values come from: the file, for messages and relative paths, and the environment."""

    file: Path
    environ: Mapping[str, str]

    def fail(self, where: str, expected: str) -> NoReturn:
        raise ConfigError(f"{one_line(str(self.file))}: {where}: {expected}")


class Table:
    """One TOML table, whose keys must be among `keys`."""

    def __init__(self, origin: Origin, path: str, raw: object, keys: tuple[str, ...]) -> None:
        self.origin = origin
        self.path = path
        if not isinstance(raw, dict):
            origin.fail(f"{path} = {shown(raw)}", f"expected a table [{path}]")
        self.raw: dict[str, object] = raw
        for key in raw:
            if key not in keys:
                self._unknown(key, keys)

    def _unknown(self, key: str, keys: tuple[str, ...]) -> NoReturn:
        meant = nearest(key, keys)
        hidden = meant in SECRET_KEYS or _SECRET_LIKE.search(key)
        value = "(hidden)" if hidden else shown(self.raw[key])
        hint = f'did you mean "{meant}"?' if meant else f"expected one of {', '.join(keys)}"
        self.origin.fail(f"{join(self.path, key)} = {value}", f"unknown key, {hint}")

    def has(self, key: str) -> bool:
        return key in self.raw

    def fail(self, key: str, expected: str) -> NoReturn:
        """Complain about the value of `key`; `expected` says what should be there."""
        where = join(self.path, key)
        if key not in self.raw:
            self.origin.fail(f"{where} is missing", f"expected {expected}")
        value = self.raw[key]
        secret = key in SECRET_KEYS or _SECRET_LIKE.search(key)
        self.origin.fail(f"{where} = {'(hidden)' if secret else shown(value)}", f"expected {expected}")

    def text(self, key: str, expected: str, *, controls: bool = False, empty: bool = False) -> str:
        """A string with `${NAME}` replaced from the environment; `$${` stands for `${`."""
        value = self.raw.get(key)
        if not isinstance(value, str):
            self.fail(key, expected)
        value = self._expand(key, value)
        if not value and not empty:
            self.fail(key, f"{expected}, not an empty text")
        if not controls and any(ord(char) < 32 or ord(char) == 127 for char in value):
            self.fail(key, f"{expected}, without control characters")
        try:
            value.encode()
        except UnicodeEncodeError:
            self.fail(key, f"{expected}, in UTF-8")
        return value

    def text_or_none(self, key: str, expected: str) -> str | None:
        return self.text(key, expected) if key in self.raw else None

    def choice(self, key: str, default: str, options: tuple[str, ...]) -> str:
        if key not in self.raw:
            return default
        value = self.text(key, listed(options))
        if value not in options:
            self.fail(key, listed(options))
        return value

    def integer(self, key: str, default: int, low: int, high: int) -> int:
        value = self.raw.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.fail(key, f"a whole number from {low} to {high}")
        return value

    def number(self, key: str, default: float, low: float, high: float) -> float:
        value = self.raw.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            self.fail(key, f"a number from {low:g} to {high:g}")
        return float(value)

    def flag_or_none(self, key: str) -> bool | None:
        value = self.raw.get(key)
        if key in self.raw and not isinstance(value, bool):
            self.fail(key, "true or false")
        return value if isinstance(value, bool) else None

    def path_or(self, key: str, default: str | None, expected: str) -> Path | None:
        """A path; a relative one starts at the folder of the configuration file."""
        value = self.text(key, expected) if key in self.raw else default
        return None if value is None else self.origin.file.parent / Path(value).expanduser()

    def table(self, key: str, keys: tuple[str, ...]) -> "Table | None":
        return Table(self.origin, join(self.path, key), self.raw[key], keys) if key in self.raw else None

    def tables(self, key: str, keys: tuple[str, ...]) -> list["Table"]:
        """The entries of `[[key]]`, each with its index in the key path."""
        where = join(self.path, key)
        raw = self.raw.get(key, [])
        if not isinstance(raw, list):
            self.fail(key, f"one or more [[{where}]]")
        return [Table(self.origin, f"{where}[{index}]", item, keys) for index, item in enumerate(raw)]

    def _expand(self, key: str, value: str) -> str:
        def replace(found: re.Match[str]) -> str:
            name = found.group(1)
            if name is None:
                return "${"
            if not _NAME.fullmatch(name) or not found.group().endswith("}"):
                self.fail(key, "${NAME} with the name of an environment variable ($${ for a plain ${)")
            if name not in self.origin.environ:
                self.fail(key, f"the environment variable {name} to be set")
            return self.origin.environ[name]

        return _REFERENCE.sub(replace, value)
