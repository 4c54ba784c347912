"""The ledger as the desk sees it: off the event loop, one call at a time; and what is told of each command.

Event: measurement `gateway_event`, tags gateway, thing, layer `command`; fields title, text.
"""

import asyncio
import logging
import sqlite3
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from gateway.commands.entry import Entry
from gateway.commands.ledger import Ledger, LedgerFull
from gateway.decode import Series
from gateway.pipeline import Pipeline

log = logging.getLogger("parkgate.commands")

_T = TypeVar("_T")


class NotWritten(Exception):
    """The ledger takes nothing; the text is for people."""


class Book:
    """One gateway's. `counts` are the commands by what became of them, and `too_often` those that were too many."""

    def __init__(self, ledger: Ledger, gateway: str, pipeline: Pipeline) -> None:
        self.counts: Counter[str] = Counter(accepted=0, done=0, refused=0, timed_out=0, too_often=0)
        self._ledger = ledger
        self._gateway = gateway
        self._pipeline = pipeline
        self._disk = ThreadPoolExecutor(1, "ledger")

    async def add(self, entry: Entry) -> None:
        """Write a new command down. It is on the disk when this returns. Raises NotWritten."""
        try:
            await self._wait(self._ledger.add, entry)
        except (LedgerFull, sqlite3.Error, OSError) as error:
            raise NotWritten(f"the ledger takes nothing: {error}") from error

    async def end(self, entry: Entry) -> None:
        """Write down what has become of it, and tell."""
        self.counts[entry.state] += 1
        try:
            await self._wait(self._ledger.change, entry)
        except (sqlite3.Error, OSError) as error:
            log.error("what became of command %s is not in the ledger: %s", entry.id, error)
        entry.over.set()
        self._say(entry)

    async def refuse(self, entry: Entry, why: str) -> None:
        """Write down what was not sent; that it cannot be is no reason to say something else."""
        entry.state, entry.why, entry.sent, entry.ended_ns = "refused", why, False, entry.asked_ns
        self.counts["refused"] += 1
        try:
            await self.add(entry)
        except NotWritten as error:
            log.warning("a refused command is not in the ledger: %s", error)

    async def find(self, id_: str) -> Entry | None:
        return await self._wait(self._ledger.find, id_)

    async def by_key(self, key: str) -> Entry | None:
        return await self._wait(self._ledger.by_key, key)

    async def newest(self, limit: int, before: int | None, thing: str | None) -> list[Entry]:
        """Entries with a number below `before`, the newest first."""
        return await self._wait(self._ledger.newest, limit, before, thing)

    async def close(self) -> None:
        await self._wait(self._ledger.close)
        self._disk.shutdown()

    def _say(self, entry: Entry) -> None:
        """One line in the log and one event point."""
        title = f"{entry.thing}: {entry.said} {entry.state.replace('_', ' ')}"
        text = f"asked for by {entry.by} ({entry.via}){f': {entry.why}' if entry.why else ''}"
        log.log(logging.INFO if entry.state in ("done", "accepted") else logging.WARNING, "%s; %s", title, text)
        series = Series("gateway_event", {"gateway": self._gateway, "thing": entry.thing, "layer": "command"})
        line = series.line({"title": title, "text": text}, None, self._pipeline.clock.now_ns())
        if line is not None:
            self._pipeline.drop("gateway", [line])

    async def _wait(self, what: Callable[..., _T], *values: object) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._disk, what, *values)
