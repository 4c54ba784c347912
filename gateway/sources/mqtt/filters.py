"""Which topic filters a broker's session may hold: one small file for all brokers of a gateway.

    {"<session>": ["<topic filter>", ...], ...}     JSON, replaced as a whole

A broker keeps the subscriptions of a session as long as it keeps the session, also those that
the configuration has no more. So what will be asked for is written down before it is asked for,
and what is no longer wanted can be given back (UNSUBSCRIBE). Without the file nothing breaks:
messages of forgotten subscriptions then end in the quarantine.
"""

import json
import logging
from collections.abc import Iterable
from pathlib import Path

log = logging.getLogger("parkgate.mqtt")


class AskedFilters:
    """The filters of one session in the file at `path`."""

    def __init__(self, path: Path, session: str) -> None:
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
            new.write_text(json.dumps(whole, indent=1), "utf-8")
            new.replace(self._path)
        except OSError as error:
            log.warning("cannot write %s: %s; filters taken out later may stay subscribed", self._path, error.strerror)

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
