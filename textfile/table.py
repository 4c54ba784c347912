"""Reading one table of a TOML file: typed values out, and complaints about what is wrong with them.

A method that finds nothing usable complains and answers what stands for it (the default, None, or an empty text), so
that reading goes on and the file's other mistakes are told too. Whoever looks at several keys together asks `wrong`
first: what follows from a mistake is no mistake.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from textfile.complaints import Complaints
from textfile.environ import expanded
from textfile.mistakes import Origin
from textfile.places import Steps
from textfile.words import key_path, listed

_DRIVE = re.compile(r"[A-Za-z]:")


class Table:
    """One TOML table, whose keys must be among `keys` (None: any)."""

    def __init__(self, origin: Origin, steps: Steps, raw: dict[str, object], keys: Sequence[str] | None) -> None:
        self.origin = origin
        self.steps = steps
        self.raw = raw
        self._complaints = Complaints(origin.mistakes, steps, raw)
        if keys is not None:
            for key in raw:
                if key not in keys:
                    self._complaints.unknown(key, keys)

    @property
    def path(self) -> str:
        """The key path of the table, as `serial[1]`."""
        return key_path(self.steps)

    def has(self, key: str) -> bool:
        return key in self.raw

    def wrong(self, *keys: str) -> bool:
        """Whether a complaint was made about one of `keys`."""
        return not self._complaints.keys.isdisjoint(keys)

    def fail(self, key: str, expected: str) -> None:
        """Complain about the value of `key`; `expected` says what should be there."""
        self._complaints.value(key, expected)

    def text(self, key: str, expected: str, *, controls: bool = False, empty: bool = False) -> str:
        """A string with `${NAME}` replaced from the environment; `$${` stands for `${`. Empty if it is wrong."""
        value = self.raw.get(key)
        if not isinstance(value, str):
            self.fail(key, expected)
            return ""
        value, wanted = expanded(value, self.origin.environ)
        for each in wanted:
            self.fail(key, each)
        if not value and not empty:
            self.fail(key, f"{expected}, not an empty text")
        if not controls and any(ord(char) < 32 or ord(char) == 127 for char in value):
            hint = r"; a Windows path stands in single quotes, as 'C:\folder'" if _DRIVE.match(value) else ""
            self.fail(key, f"{expected}, without control characters{hint}")
        try:
            value.encode()
        except UnicodeEncodeError:
            self.fail(key, f"{expected}, in UTF-8")
        return "" if self.wrong(key) else value

    def text_or_none(self, key: str, expected: str) -> str | None:
        return self.text(key, expected) or None if key in self.raw else None

    def choice(self, key: str, default: str, options: Sequence[str]) -> str:
        if key not in self.raw:
            return default
        value = self.text(key, listed(options))
        if value in options:
            return value
        self.fail(key, listed(options))
        return default

    def integer(self, key: str, default: int, low: int, high: int) -> int:
        value = self.raw.get(key, default)
        if not isinstance(value, bool) and isinstance(value, int) and low <= value <= high:
            return value
        self.fail(key, f"a whole number from {low} to {high}")
        return default

    def number(self, key: str, default: float, low: float, high: float) -> float:
        value = self.raw.get(key, default)
        if not isinstance(value, bool) and isinstance(value, int | float) and low <= value <= high:
            return float(value)
        self.fail(key, f"a number from {low:g} to {high:g}")
        return default

    def flag_or_none(self, key: str) -> bool | None:
        value = self.raw.get(key)
        if isinstance(value, bool):
            return value
        if key in self.raw:
            self.fail(key, "true or false")
        return None

    def path_or(self, key: str, default: str | None, expected: str) -> Path | None:
        """A path; a relative one starts at the folder of the file."""
        value = self.text(key, expected) if key in self.raw else default
        return None if value is None else self.beside(key, value)

    def beside(self, key: str, path: str) -> Path:
        """`path`, from the folder of the file if it is relative, from a home if it begins with ~."""
        try:
            return self.origin.file.parent / Path(path).expanduser()
        except RuntimeError:
            self.fail(key, "a path below a home that is there")
            return self.origin.file.parent

    def table(self, key: str, keys: Sequence[str] | None) -> "Table | None":
        """The table [key]; None where there is none, or what is there is no table."""
        if key not in self.raw:
            return None
        raw = self.raw[key]
        if isinstance(raw, dict):
            return Table(self.origin, (*self.steps, key), raw, keys)
        self.fail(key, f"a table [{key_path((*self.steps, key))}]")
        return None

    def tables(self, key: str, keys: Sequence[str] | None) -> list["Table"]:
        """The entries of `[[key]]`, each with its index in the key path."""
        steps = (*self.steps, key)
        raw = self.raw.get(key, [])
        if not isinstance(raw, list):
            self.fail(key, f"one or more [[{key_path(steps)}]]")
            return []
        found: list[Table] = []
        for index, item in enumerate(raw):
            if isinstance(item, dict):
                found.append(Table(self.origin, (*steps, index), item, keys))
            else:
                self._complaints.item(key, index, f"a table [{key_path((*steps, index))}]")
        return found
