"""What is wrong with one file: all that can be told apart, in the order of the file.

    park.toml:9:10: serial[1].device = "pms503": expected a device type that speaks serial, did you mean "pms5003"?

Of one key path only the first mistake counts: what is said after it is its echo. A missing key is told where its
table begins, an unknown one where it stands, a wrong value where the value begins.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from textfile.places import Place, Places, Steps
from textfile.words import key_path, one_line


class Mistaken(ValueError):
    """A file cannot be used. `str()` is one line for each mistake, for the person who wrote it."""


class Mistakes:
    """The mistakes of `file`, which `check` raises as one `error`, a line each."""

    def __init__(self, file: Path, places: Places, error: type[Mistaken]) -> None:
        self._file = one_line(str(file))
        self._places = places
        self._error = error
        self._found: dict[Steps, tuple[Place, str]] = {}
        self._others: list[Mistakes | Mistaken] = []

    def add(self, steps: Steps, said: str, *, at_key: bool = False) -> None:
        """`said` is what stands after the key path: ` = 3: expected …`, ` is missing: expected …`."""
        place = self._places.key(steps) if at_key else self._places.value(steps)
        path = key_path(steps)
        self._found.setdefault(steps, (place, f"{path}{said}" if path else said))

    def about(self, steps: Steps) -> bool:
        """Whether anything is wrong there, or within."""
        return any(found[: len(steps)] == steps for found in self._found)

    def behind(self, other: "Mistakes | Mistaken") -> None:
        """What is wrong with another file, that this one names, is told behind its own."""
        self._others.append(other)

    def check(self) -> None:
        """Raise `error` if there was a mistake."""
        told = self.lines()
        if told:
            raise self._error("\n".join(told))

    def lines(self) -> list[str]:
        """A line for each mistake."""
        told = sorted(self._found.values(), key=lambda found: found[0])
        own = [f"{self._file}:{place.line}:{place.column}: {said}" for place, said in told]
        for other in self._others:
            own += lines_of(other)
        return own


def lines_of(wrong: Mistakes | Mistaken) -> list[str]:
    """A line for each mistake of a file."""
    return str(wrong).splitlines() if isinstance(wrong, Mistaken) else wrong.lines()


@dataclass(frozen=True, slots=True)
class Origin:
    """Where values come from: the file, for relative paths, and the environment; and where mistakes go."""

    file: Path
    environ: Mapping[str, str]
    mistakes: Mistakes
