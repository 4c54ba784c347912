"""A tee: what passes through the gateway, for whoever looks (a console, a recorder, a forwarder).

    source --bytes--> decode --points--> spool --batches--> sink
                         |                 |                 |
                       Passed      Stored, Fate            Fate ----> each looker's own queue

Without a looker `lookers` is empty, and that is all that a message, a read, a commit or a batch asks.
With one, a piece that came (a message; what one read of a port brought) is one `Passed`: its raw
bytes, the events they became, how many points are on their way into the spool and what was kept
from it, with the reason. The commit that holds the points is one `Stored`, by the pieces' numbers.
What happens without a piece at hand is a `Fate`.

Limits. A looker's queue holds `most` entries and about `most_bytes`; what comes while it is full is
not kept for it and told in its place by one `Missed`: so a recorder has everything, or knows where
and how much it has not. Nobody waits for a looker. Of one piece KEPT reasons are told, the rest is a number.
Numbers rise by one for each piece that passed while anybody looked; they begin at 1 with the process.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

from devices.spec.events import Event

KEPT = 20
ENTRY_BYTES = 300
"""What an entry, or an event in it, is taken to hold beside its raw bytes."""


class Kept(NamedTuple):
    """Why a piece, or a part of it, did not become a point.

    `kind` is "noise", "integrity", "sanity" (quarantined with the next commit), "unkept" (they came
    faster than the quarantine is written), "redelivered" (stored before), "retained" (an old message
    that does not say when it was true) or "more".
    """

    kind: str
    why: str


class Passed(NamedTuple):
    """One piece as it came. `device`, `things` and `topic` are empty where nothing names them."""

    number: int
    time_ns: int
    source: str
    device: str
    things: tuple[str, ...]
    topic: str
    data: bytes
    events: Sequence[Event]
    points: int
    kept: tuple[Kept, ...]


class Ticket(NamedTuple):
    """What travels with an intake for one piece: `points` lines, the first of them line `start`."""

    number: int
    source: str
    things: tuple[str, ...]
    points: int
    start: int


class Stored(NamedTuple):
    """One commit: from now on these pieces' points are on the disk."""

    time_ns: int
    tickets: tuple[Ticket, ...]


class Fate(NamedTuple):
    """What happened to points or bytes that are no longer known by their piece.

    held         the spool takes nothing: what has come waits, unacknowledged; `why`
    flowing      the spool takes data again
    dropped      `points` of `thing` were given up; `why`
    rejected     the sink `source` refused one point of `thing` for good: `data` is the line, `why` its words
    written      the sink `source` has taken a batch of `points`
    quarantined  bytes were kept of which no piece was told; `why`
    """

    what: Literal["held", "flowing", "dropped", "rejected", "written", "quarantined"]
    time_ns: int
    source: str = ""
    thing: str = ""
    points: int = 0
    why: str = ""
    data: bytes = b""


class Missed(NamedTuple):
    """So many entries came here while the looker's queue was full."""

    entries: int


Seen = Passed | Stored | Fate
Told = Seen | Missed


class Onlooker(Protocol):
    def see(self, seen: Seen) -> None:
        """Take note; called on the event loop, in order. Nothing may be awaited and nothing raised."""
        ...


class Tee:
    """One for each gateway. `lookers` is what the way of a reading asks before it tells anything."""

    __slots__ = ("_kept", "_more", "_number", "lookers")

    def __init__(self) -> None:
        self.lookers: tuple[Onlooker, ...] = ()
        self._number = 0
        self._kept: list[tuple[str, Kept]] = []
        self._more = 0

    def add(self, looker: Onlooker) -> None:
        self.lookers = (*self.lookers, looker)

    def remove(self, looker: Onlooker) -> None:
        self.lookers = tuple(each for each in self.lookers if each is not looker)
        if not self.lookers:
            self._kept.clear()
            self._more = 0

    def keep(self, source: str, kind: str, why: str) -> None:
        """Something of the piece under way is kept from the spool; told with the piece, which `passed` ends."""
        if len(self._kept) < KEPT:
            self._kept.append((source, Kept(kind, why)))
        else:
            self._more += 1

    def passed(
        self,
        time_ns: int,
        source: str,
        device: str,
        things: tuple[str, ...],
        topic: str,
        data: bytes,
        events: Sequence[Event],
        points: int,
        *kept: Kept,
    ) -> int:
        """Tell of one piece, after all that was kept of it; its number."""
        for owner, stray in self._kept:
            if owner == source:
                kept += (stray,)
            else:
                self.tell(Fate("quarantined", time_ns, owner, why=stray.why))
        if self._more:
            kept += (Kept("more", f"and {self._more} more"),)
        self._kept.clear()
        self._more = 0
        self._number += 1
        self.tell(Passed(self._number, time_ns, source, device, things, topic, data, events, points, kept))
        return self._number

    def tell(self, seen: Seen) -> None:
        for looker in self.lookers:
            looker.see(seen)


class Looker:
    """A queue of what passes, from now until `close`; only of one source or thing where that is given.

    What is told by thing alone (dropped, rejected) is not told to who asked for one source, a sink's name being none,
    and batches, which hold everybody's points, only to who asked for everything.
    """

    def __init__(
        self,
        tee: Tee,
        *,
        source: str | None = None,
        thing: str | None = None,
        most: int = 1000,
        most_bytes: int = 4 << 20,
    ) -> None:
        self.missed = 0
        self._tee = tee
        self._source = source
        self._thing = thing
        self._most = most
        self._most_bytes = most_bytes
        self._queue: deque[Told] = deque()
        self._bytes = 0
        self._first = 0  # number of the first piece that passed while this looked
        self._woken = asyncio.Event()
        tee.add(self)

    def see(self, seen: Seen) -> None:
        if isinstance(seen, Passed):
            self._first = self._first or seen.number
        wanted = self._wanted(seen)
        if wanted is None:
            return
        size = _size(wanted)
        if len(self._queue) >= self._most or (self._queue and self._bytes + size > self._most_bytes):
            self.missed += 1
            last = self._queue[-1]
            if isinstance(last, Missed):
                self._queue[-1] = Missed(last.entries + 1)
            else:
                self._queue.append(Missed(1))
        else:
            self._queue.append(wanted)
            self._bytes += size
        self._woken.set()

    async def take(self) -> list[Told]:
        """All that waits, oldest first; waits for something where nothing does."""
        while not self._queue:
            self._woken.clear()
            await self._woken.wait()
        taken = list(self._queue)
        self._queue.clear()
        self._bytes = 0
        return taken

    def close(self) -> None:
        self._tee.remove(self)

    def _wanted(self, seen: Seen) -> Seen | None:
        """What of it was asked for."""
        if isinstance(seen, Passed):
            return seen if self._is_for(seen.source, seen.things) else None
        if isinstance(seen, Stored):
            tickets = tuple(
                each
                for each in seen.tickets
                if 0 < self._first <= each.number and self._is_for(each.source, each.things)
            )
            return Stored(seen.time_ns, tickets) if tickets else None
        if seen.what in ("held", "flowing"):
            return seen
        if seen.what in ("written", "dropped", "rejected") and self._source is not None:
            return None  # of a sink, or of a thing alone
        return seen if self._is_for(seen.source, (seen.thing,)) else None

    def _is_for(self, source: str, things: tuple[str, ...]) -> bool:
        return (self._source is None or source == self._source) and (self._thing is None or self._thing in things)


def _size(seen: Seen) -> int:
    if isinstance(seen, Passed):
        return ENTRY_BYTES * (1 + len(seen.events)) + len(seen.data)
    return ENTRY_BYTES * (len(seen.tickets) if isinstance(seen, Stored) else 1)
