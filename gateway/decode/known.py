"""Which things have proved themselves: one small file for all brokers of a gateway.

    {"mqtt:<broker>": [["<device type>", "<thing>", <last seen, s since 1970>], ...], ...}

Read at the start, replaced as a whole when it has changed (a minute later at most) and once an hour. Without
the file nothing breaks: places then go to whoever speaks first. About 60 bytes a thing.
"""

import json
import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from gateway.decode.things import LATELY_S, Known
from gateway.state import LinkRefused, open_private

log = logging.getLogger("parkgate.decode")

_NS = 1_000_000_000

PIECE = 1000
"""Things that are written at once."""


class KnownThings:
    """The file at `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._others: dict[str, list[Known]] = {}  # of sources that nobody has asked for
        self._warned = False
        try:
            found = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError):
            return
        if isinstance(found, dict):
            self._others = {str(source): _rows(rows) for source, rows in found.items() if isinstance(rows, list)}

    def read(self, source: str, now_ns: int) -> list[Known]:
        """The things of a source that were heard lately. From now on they are the caller's to write."""
        known = self._others.pop(source, [])
        return [each for each in known if now_ns - each.last_seen_ns <= LATELY_S * _NS]

    def write(self, known: Mapping[str, list[Known]]) -> None:
        """Replace what is known of these sources."""
        new = self._path.with_suffix(".new")
        try:
            new.unlink(missing_ok=True)  # what a killed gateway left
            with os.fdopen(open_private(new, os.O_WRONLY | os.O_EXCL), "w", encoding="utf-8") as file:
                file.writelines(self._text(known))
            new.replace(self._path)
            self._warned = False
        except (OSError, LinkRefused) as error:
            if not self._warned:
                why = getattr(error, "strerror", None) or error
                log.warning("cannot write %s: %s; after a restart places go to whoever speaks first", self._path, why)
            self._warned = True

    def _text(self, known: Mapping[str, list[Known]]) -> Iterator[str]:
        """The file in pieces: as one text, that of 100,000 things takes 30 MB to make."""
        yield "{"
        for number, (source, rows) in enumerate([*self._others.items(), *known.items()]):
            yield f"{', ' if number else ''}{json.dumps(source)}: ["
            for start in range(0, len(rows), PIECE):
                piece = [(device, thing, seen_ns // _NS) for device, thing, seen_ns in rows[start : start + PIECE]]
                yield f"{', ' if start else ''}{json.dumps(piece)[1:-1]}"
            yield "]"
        yield "}"


def _rows(rows: list[object]) -> list[Known]:
    found = []
    for row in rows:
        match row:
            case [str(device), str(thing), int(seen_s)]:
                found.append(Known(device, thing, seen_s * _NS))
    return found
