"""Which topic filters a broker's session may hold: one small file for all brokers of a gateway.

    {"<session>": ["<topic filter>", ...], ...}     JSON, replaced as a whole

A broker keeps the subscriptions of a session as long as it keeps the session, also those that
the configuration has no more. So what will be asked for is written down before it is asked for,
and what is no longer wanted can be given back (UNSUBSCRIBE). Without the file nothing breaks:
messages of forgotten subscriptions then end in the quarantine. The file is for this user only.
"""

import json
import logging
import os
from collections.abc import Iterable
from pathlib import Path

from gateway.state import LinkRefused, open_private, private_files

log = logging.getLogger("parkgate.mqtt")


class AskedFilters:
    """The filters of one session in the file at `path`."""

    def __init__(self, path: Path, session: str) -> None:
        private_files((path,))
        self._path = path
        self._session = session

    def read(self) -> set[str]:
        """What this session may hold; empty where nothing is known."""
        return set(self._whole().get(self._session, []))

    def write(self, filters: Iterable[str]) -> None:
        """Write down what this session may hold from now on."""
        whole = self._whole()
        wanted = sorted(set(filters))
        if whole.get(self._session) == wanted:
            return
        whole[self._session] = wanted
        new = self._path.with_suffix(".new")
        try:
            new.unlink(missing_ok=True)  # what a killed gateway left
            with os.fdopen(open_private(new, os.O_WRONLY | os.O_EXCL), "w", encoding="utf-8") as file:
                file.write(json.dumps(whole, indent=1))
            new.replace(self._path)
        except (OSError, LinkRefused) as error:
            why = getattr(error, "strerror", None) or error
            log.warning("cannot write %s: %s; filters taken out later may stay subscribed", self._path, why)

    def _whole(self) -> dict[str, list[str]]:
        try:
            found = json.loads(self._path.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        if not isinstance(found, dict):
            return {}
        return {
            session: [str(each) for each in filters] for session, filters in found.items() if isinstance(filters, list)
        }
