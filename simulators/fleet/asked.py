"""The port of a line with devices that are asked: hears the master, sends the answers when they are due."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping

from simulators.fleet.port import Wire, replug, written
from simulators.ledger import Entry
from simulators.line import Line, Said

LOOK_S = 0.05


class AskedPort:
    """One line on its port. `entries` are the ledger's, by the name of the thing."""

    def __init__(self, line: Line, entries: Mapping[str, Entry], now: Callable[[], float]) -> None:
        self._line = line
        self._entries = entries
        self._now = now
        self._woken = asyncio.Event()

    def receive(self, data: bytes) -> bytes:
        """What the master says; what comes back at once is the echo."""
        self._woken.set()
        return self._line.receive(data, self._now())

    async def speak(self, wire: Wire, stop: asyncio.Event) -> None:
        """Answer until `stop`."""
        while not stop.is_set():
            if not wire.listening():
                self._lost(self._line.forget())
            for said in self._line.take(self._now()):
                await self._say(said, wire, stop)
            due = self._line.due_s()
            wait = LOOK_S if due is None else min(LOOK_S, max(0.001, due - self._now()))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), wait)
            self._woken.clear()
        self._lost(self._line.forget())

    async def _say(self, said: Said, wire: Wire, stop: asyncio.Event) -> None:
        entry = self._entries[said.by.name]
        out = b"".join(said.wire.pieces)
        if not out or (wire.flush() and wire.write(out) and await written(wire, stop)):
            entry.count(said.frame, said.wire.copies, len(out))
            if entry.injector is not None and entry.injector.unplugs():
                await replug(wire, entry, entry.injector.half(said.frame.data))
        else:
            self._lost([said])

    def _lost(self, unsaid: list[Said]) -> None:
        """Answers that nobody waits for any more: their numbers are given out."""
        for said in unsaid:
            self._entries[said.by.name].count(said.frame, 0, 0)
