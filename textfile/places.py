"""Where each key of a TOML text stands, which tomllib does not say.

    places = Places(text)                     # a text that tomllib takes
    places.value(("serial", 1, "port"))       # Place(line=9, column=8)
    places.key(("serial", 1, "port"))         # Place(line=9, column=1)

The text is known to be TOML, so this scanner judges nothing: it only finds the keys, the ends of the values and the
items of arrays. A table stands where its header begins; a table that has none ([mqtt.main] makes mqtt, a.b = 1 makes
a) where it is first named. Lines and columns count from 1, columns in characters, a tab being one.
Source: TOML 1.0.0.
"""

import re
import tomllib
from bisect import bisect_right
from typing import NamedTuple

Steps = tuple[str | int, ...]
"""A key path: names, and indices from 0 where there are several."""

_GAP = re.compile(r"(?:[ \t\r\n,]|#[^\n]*)*")
_BLANK = re.compile(r"[ \t]*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"""{1,3}|' r"'''.*?'''{1,3}|" r'"(?:[^"\\\n]|\\.)*"|' r"'[^'\n]*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}#\n]*")


class Place(NamedTuple):
    line: int
    column: int


class Places:
    """The places of all keys and values of one TOML text."""

    def __init__(self, text: str) -> None:
        scanner = _Scanner(text)
        scanner.document()
        self._keys = scanner.keys
        self._values = scanner.values
        self._lines = [0, *(found.end() for found in re.finditer("\n", text))]

    def key(self, steps: Steps) -> Place:
        """Where the key stands; that of the table around it where there is no such key."""
        return self._place(self._keys, steps)

    def value(self, steps: Steps) -> Place:
        """Where the value begins; that of the table around it where there is no such key."""
        return self._place(self._values, steps)

    def all(self) -> set[Steps]:
        """The key paths that were found."""
        return set(self._values)

    def _place(self, found: dict[Steps, int], steps: Steps) -> Place:
        while steps and steps not in found:
            steps = steps[:-1]
        at = found.get(steps, 0)
        line = bisect_right(self._lines, at)
        return Place(line, at - self._lines[line - 1] + 1)


class _Scanner:
    """One pass over the text; `keys` and `values` are offsets by key path."""

    def __init__(self, text: str) -> None:
        self.keys: dict[Steps, int] = {}
        self.values: dict[Steps, int] = {}
        self._text = text
        self._at = 0
        self._counts: dict[Steps, int] = {}  # of the [[tables]] so far

    def document(self) -> None:
        table: Steps = ()
        self._skip(_GAP)
        while self._at < len(self._text):
            table = self._header() if self._text[self._at] == "[" else self._pair(table)
            self._skip(_GAP)

    def _header(self) -> Steps:
        start = self._at
        many = self._text.startswith("[[", start)
        self._at += 2 if many else 1
        *outer, (name, at) = self._dotted()
        self._at += 2 if many else 1
        steps: Steps = ()
        for part, where in outer:
            steps = self._named((*steps, part), where, start)
            if steps in self._counts:
                steps = (*steps, self._counts[steps] - 1)
        steps = (*steps, name)
        if many:
            self._named(steps, at, start)
            self._counts[steps] = self._counts.get(steps, 0) + 1
            steps = (*steps, self._counts[steps] - 1)
        self.keys[steps] = at
        self.values[steps] = start
        return steps

    def _pair(self, table: Steps) -> Steps:
        """`key = value` within `table`; answers the table."""
        parts = self._dotted()
        self._at += 1  # =
        self._skip(_BLANK)
        steps = table
        for name, at in parts:
            steps = self._named((*steps, name), at, at)
        self._value(steps)
        return table

    def _named(self, steps: Steps, key: int, value: int) -> Steps:
        self.keys.setdefault(steps, key)
        self.values.setdefault(steps, value)
        return steps

    def _dotted(self) -> list[tuple[str, int]]:
        """A dotted key: its parts and where they stand."""
        parts: list[tuple[str, int]] = []
        while True:
            self._skip(_BLANK)
            at = self._at
            if self._text[at] in "\"'":
                self._skip(_STRING)
                parts.append((tomllib.loads(f"key = {self._text[at : self._at]}")["key"], at))
            else:
                self._skip(_BARE)
                parts.append((self._text[at : self._at], at))
            self._skip(_BLANK)
            if self._text[self._at] != ".":
                return parts
            self._at += 1

    def _value(self, steps: Steps) -> None:
        self.values[steps] = self._at
        char = self._text[self._at]
        if char not in "[{":
            self._skip(_STRING if char in "\"'" else _SCALAR)
            return
        end = "]" if char == "[" else "}"
        index = 0
        self._at += 1
        self._skip(_GAP)
        while self._text[self._at] != end:
            if char == "[":
                self.keys[(*steps, index)] = self._at
                self._value((*steps, index))
                index += 1
            else:
                self._pair(steps)
            self._skip(_GAP)
        self._at += 1

    def _skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self._text, self._at)
        assert found is not None, f"no TOML at offset {self._at}"
        self._at = found.end()
