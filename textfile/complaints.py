"""What is wrong with the keys of one table, in the words that every file's mistakes are told in.

The values of secrets, of unknown keys that look like secrets, and of `${NAME}` are not shown.
"""

import re
from collections.abc import Mapping, Sequence

from textfile.mistakes import Mistakes
from textfile.places import Steps
from textfile.words import nearest, shown

SECRET_KEYS = frozenset({"password", "token", "api_token"})
_SECRET_LIKE = re.compile(r"pass|pwd|token|secret|credential|auth|api_?key", re.IGNORECASE)


def is_secret(key: str) -> bool:
    """Whether the value of a key of this name is never shown."""
    return key in SECRET_KEYS or _SECRET_LIKE.search(key) is not None


class Complaints:
    """The complaints about the table at `steps`; `keys` are those that have one."""

    def __init__(self, mistakes: Mistakes, steps: Steps, raw: Mapping[str, object]) -> None:
        self.keys: set[str] = set()
        self._meant: set[str] = set()  # keys of which only another spelling is there
        self._mistakes = mistakes
        self._steps = steps
        self._raw = raw

    def value(self, key: str, expected: str) -> None:
        """The value of `key` is not as `expected`, or is missing."""
        self.keys.add(key)
        if key in self._raw:
            self._mistakes.add((*self._steps, key), f"{self._said(key)}: expected {expected}")
        elif key not in self._meant:
            self._mistakes.add((*self._steps, key), f" is missing: expected {expected}")

    def item(self, key: str, index: int, expected: str) -> None:
        """One item of the list at `key` is not as `expected`."""
        self.keys.add(key)
        raw = self._raw[key]
        assert isinstance(raw, list)
        self._mistakes.add((*self._steps, key, index), f" = {shown(raw[index])}: expected {expected}")

    def unknown(self, key: str, keys: Sequence[str]) -> None:
        """`key` is none of `keys`."""
        meant = nearest(key, keys)
        hint = f'did you mean "{meant}"?' if meant else f"expected one of {', '.join(keys)}"
        self.keys.add(key)
        if meant:
            self._meant.add(meant)
        said = " = (hidden)" if meant in SECRET_KEYS else self._said(key)
        self._mistakes.add((*self._steps, key), f"{said}: unknown key, {hint}", at_key=True)

    def _said(self, key: str) -> str:
        return f" = {'(hidden)' if is_secret(key) else shown(self._raw[key])}"
