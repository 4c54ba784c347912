"""Which things have proved themselves: one small file for all brokers of a gateway.

    {"mqtt:<broker>": [["<device type>", "<thing>", <last seen, s since 1970>], ...], ...}

Read at the start, replaced as a whole when it changes and once an hour. Without the file nothing
breaks: places then go to whoever speaks first. About 60 bytes a thing.
"""

import json
import logging
import os
from collections.abc import Iterable
from pathlib import Path

from gateway.decode.things import LATELY_S, Known
from gateway.state import LinkRefused, open_private

log = logging.getLogger("parkgate.decode")

_NS = 1_000_000_000


class KnownThings:
    """The file at `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._whole: dict[str, list[list[object]]] = {}
        self._warned = False
        try:
            found = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError):
            return
        if isinstance(found, dict):
            self._whole = {str(source): rows for source, rows in found.items() if isinstance(rows, list)}

    def read(self, source: str, now_ns: int) -> list[Known]:
        """The things of a source that were heard lately."""
        found = []
        for row in self._whole.get(source, []):
            match row:
                case [str(device), str(thing), int(seen_s)] if now_ns - seen_s * _NS <= LATELY_S * _NS:
                    found.append(Known(device, thing, seen_s * _NS))
        return found

    def write(self, source: str, known: Iterable[Known]) -> None:
        """Replace what is known of a source."""
        self._whole[source] = [[each.device, each.thing, each.last_seen_ns // _NS] for each in known]
        new = self._path.with_suffix(".new")
        try:
            new.unlink(missing_ok=True)  # what a killed gateway left
            with os.fdopen(open_private(new, os.O_WRONLY | os.O_EXCL), "w", encoding="utf-8") as file:
                file.write(json.dumps(self._whole))
            new.replace(self._path)
            self._warned = False
        except (OSError, LinkRefused) as error:
            if not self._warned:
                why = getattr(error, "strerror", None) or error
                log.warning("cannot write %s: %s; after a restart places go to whoever speaks first", self._path, why)
            self._warned = True
