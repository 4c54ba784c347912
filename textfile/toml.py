"""A TOML file, opened: its top table, or what keeps it from being one.

A mistake of syntax ends the reading, so nothing is told of what stands behind it.
"""

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path

from textfile.mistakes import Mistaken, Mistakes, Origin
from textfile.places import Places
from textfile.table import Table
from textfile.text import NotText, end_of, read_text
from textfile.words import one_line

_AT = re.compile(r"(?s)(.*?) \(at (?:line (\d+), column (\d+)|end of document)\)")
_ESCAPE = re.compile(r'"[^"]*\\')


def open_toml(
    file: Path, environ: Mapping[str, str], keys: Sequence[str] | None, error: type[Mistaken], what: str = "TOML"
) -> Table:
    """The top table of `file`, with only `keys` in it (None: any). Raises `error`, one line, where there is no TOML.

    `what` is the kind of file that is expected, for the complaint.
    """
    document, places = _parsed(file, error, what)
    return Table(Origin(file, environ, Mistakes(file, places, error)), (), document, keys)


def _parsed(file: Path, error: type[Mistaken], what: str) -> tuple[dict[str, object], Places]:
    at = ""
    text = ""
    expected = "a TOML file"
    try:
        text = read_text(file)
        return tomllib.loads(text), Places(text)
    except OSError as exc:
        reason, expected = exc.strerror or "cannot be read", f"{what} that can be read"
    except RecursionError:
        reason = "nested too deeply"
    except NotText as exc:
        at, reason, expected = f":{exc.line}:{exc.column}", str(exc), "a TOML file, saved as UTF-8"
    except tomllib.TOMLDecodeError as exc:
        line, column, reason = _syntax(text, str(exc))
        at, expected = f":{line}:{column}", "a TOML file; what follows was not read"
    except ValueError as exc:  # numbers of too many digits, NUL in the path
        reason = str(exc)
    raise error(f"{one_line(str(file))}{at}: {one_line(reason)}: expected {expected}")


def _syntax(text: str, said: str) -> tuple[int, int, str]:
    """Line, column and reason of what tomllib says, with what a person may have meant."""
    found = _AT.fullmatch(said)
    if found is None:
        return 1, 1, said
    line, column = (int(found[2]), int(found[3])) if found[2] else end_of(text)
    written = text.split("\n")[line - 1]
    char = written[column - 1 : column]
    reason = found[1]
    if char and not char.isascii():
        reason += f', "{char}" ({unicodedata.name(char, "a character without a name").lower()}) cannot stand here'
    elif _ESCAPE.search(written):
        reason += r"; a Windows path stands in single quotes, as 'C:\folder'"
    return line, column, reason
