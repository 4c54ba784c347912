"""Typed values out of a table of data, every mistake noted with its key path instead of raised."""

import math
import re
from collections.abc import Mapping
from typing import NamedTuple, TypeGuard

from textfile import key_path, listed, nearest, shown

LONGEST_TEXT = 256
UNKNOWN = "unknown key, "


class Mistake(NamedTuple):
    """`path` leads from the table on to a key; `says` is what is wrong with what stands there.

    `value` is shown as TOML would write it, empty where the key is missing.
    """

    path: tuple[str | int, ...]
    value: str
    says: str

    @property
    def where(self) -> str:
        """The key path, indices from 0: `field[1].name`."""
        return key_path(self.path)

    @property
    def said(self) -> str:
        """What stands after the key path."""
        return f" = {self.value}: {self.says}" if self.value else f" is missing: {self.says}"

    @property
    def unknown(self) -> bool:
        """Whether it is the key that is wrong, not its value."""
        return self.says.startswith(UNKNOWN)

    def __str__(self) -> str:
        return self.where + self.said


class Rows:
    """One table. A value that is not what it should be is noted in `mistakes`, and a default is answered."""

    def __init__(
        self, raw: object, path: tuple[str | int, ...], keys: tuple[str, ...], mistakes: list[Mistake]
    ) -> None:
        self._path = path
        self._mistakes = mistakes
        self._meant: set[str] = set()  # keys of which only another spelling is there
        self.raw: Mapping[str, object] = raw if isinstance(raw, dict) else {}
        for key in self.raw:
            if key not in keys:
                meant = nearest(key, keys)
                hint = f'did you mean "{meant}"?' if meant else f"expected one of {', '.join(keys)}"
                self.mistake((key,), self.raw[key], hint, UNKNOWN)
                if meant:
                    self._meant.add(meant)

    def mistake(self, path: tuple[str | int, ...], value: object, expected: str, word: str = "expected ") -> None:
        self._mistakes.append(Mistake((*self._path, *path), shown(value), word + expected))

    def fail(self, key: str, expected: str) -> None:
        """Note what should stand at `key`; one mistake a key."""
        path = (*self._path, key)
        echo = key in self._meant and key not in self.raw
        if not echo and all(mistake.path != path for mistake in self._mistakes):
            value = shown(self.raw[key]) if key in self.raw else ""
            self._mistakes.append(Mistake(path, value, f"expected {expected}"))

    def has(self, key: str) -> bool:
        return key in self.raw

    def text(self, key: str, default: str) -> str:
        if key not in self.raw:
            return default
        value = self.raw[key]
        if not isinstance(value, str) or not value or len(value) > LONGEST_TEXT or not _writable(value):
            self.fail(key, f"a text of 1 to {LONGEST_TEXT} characters, without line ends and other controls")
            return default
        return value

    def matching(self, key: str, pattern: re.Pattern[str], words: str) -> str:
        """A text that must be there and match; empty where it does not."""
        value = self.raw.get(key)
        if isinstance(value, str) and len(value) <= LONGEST_TEXT // 2 and pattern.fullmatch(value):
            return value
        self.fail(key, words)
        return ""

    def choice(self, key: str, options: tuple[str, ...], default: str | None) -> str:
        """One of `options`; without a default it must be there."""
        if key not in self.raw and default is not None:
            return default
        value = self.raw.get(key)
        if isinstance(value, str) and value in options:
            return value
        self.fail(key, listed(options))
        return default or ""

    def number(self, key: str, default: float, low: float, high: float) -> float:
        if key not in self.raw:
            return default
        value = self.raw[key]
        if _is_number(value) and low <= value <= high:
            return float(value)
        self.fail(key, "a number" if math.isinf(high) else f"a number from {low:g} to {high:g}")
        return default

    def number_or_none(self, key: str) -> float | None:
        return self.number(key, 0.0, -math.inf, math.inf) if key in self.raw else None

    def whole(self, key: str, default: int, low: int, high: int) -> int:
        value = self.raw.get(key, default)
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        self.fail(key, f"a whole number from {low} to {high}")
        return default

    def flag(self, key: str, default: bool) -> bool:
        value = self.raw.get(key, default)
        if isinstance(value, bool):
            return value
        self.fail(key, "true or false")
        return default

    def texts(self, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """A list of texts, each once; one text alone is a list of one."""
        if key not in self.raw:
            return default
        value = self.raw[key]
        items = [value] if isinstance(value, str) else value
        if not isinstance(items, list) or not all(isinstance(item, str) and item and _writable(item) for item in items):
            self.fail(key, "a list of texts")
            return default
        if len(set(items)) != len(items):
            self.fail(key, "texts that differ")
        return tuple(items)

    def words(self, key: str) -> tuple[float | str, ...]:
        """A list of numbers and texts; one alone is a list of one."""
        value = self.raw.get(key, [])
        words: list[float | str] = []
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, str) or _is_number(item):
                words.append(item)
            else:
                self.fail(key, "a number, a text, or a list of them")
        return tuple(words)

    def table(self, key: str, keys: tuple[str, ...]) -> "Rows | None":
        """The table at `key`; None where there is none, and noted where something else is."""
        value = self.raw.get(key)
        if key in self.raw and not isinstance(value, dict):
            self.fail(key, "a table")
        return Rows(value, (*self._path, key), keys, self._mistakes) if isinstance(value, dict) else None

    def tables(self, key: str, keys: tuple[str, ...]) -> list["Rows"] | None:
        """The entries of `[[key]]`; what is none is noted. None where there is no list of them."""
        value = self.raw.get(key, [])
        if not isinstance(value, list):
            self.fail(key, f"one or more [[type.{key}]]")
            return None
        for at, item in enumerate(value):
            if not isinstance(item, dict):
                self.mistake((key, at), item, "a table")
        return [
            Rows(item, (*self._path, key, at), keys, self._mistakes)
            for at, item in enumerate(value)
            if isinstance(item, dict)
        ]


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < math.inf


def _writable(text: str) -> bool:
    return all(char == "\t" or char >= " " for char in text) and "\x7f" not in text
