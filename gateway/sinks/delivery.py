"""Carries batches from the spool to a sink, for ever, and takes out of the spool what arrived.

    spool.read -> [batch] -> [batch][batch] -> sink.write -> accept: spool.remove (rejected -> quarantine)
                  ready      oldest first,                   keep: wait, then the same batch again
                             at most in_flight

Sinks pull: nothing is pushed into a sink, and a sink that takes nothing costs `in_flight` + 1
batches of memory while the spool grows on disk. The one that is ready goes out the moment a
request has been answered, while the answered one is still being taken out of the spool.

Batches are formed by time as much as by number: a full batch goes at once; less waits `linger_s`
for more, then all that is there goes. So a backlog goes out in full batches and a trickle in one
small batch every `linger_s`.

Order. Batches are removed strictly in spool order, so what is left after a crash is always one
tail, sent again. Two requests may overtake each other on the way, which changes nothing: a
series never uses a timestamp twice, and the server keeps points by series and timestamp, so no
two batches write the same cell. A batch that is sent again writes the same values as before. A
message that was redelivered by its broker carries the same reading with the same timestamp.

A batch that is kept is tried again without end: full jitter up to 30 s, or the server's own
Retry-After if that is longer. Each batch under way waits for itself; the first that is accepted
proves the sink good and ends the others' waits. What is wrong is said by `standing.py`, once and not per try.

Until there is a batch nothing would be known of a store that cannot be reached: so at the start it is
asked (`probe`), again and again until it answers well or a batch has been tried.

Nothing is lost: stopping in the middle of a write leaves the batch in the spool.
"""

import asyncio
import logging
import re
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, NamedTuple, Protocol

from gateway.backoff import backoff
from gateway.clock import Clock
from gateway.intake import Accept, Batch, Keep, Quarantined, Sink
from gateway.sinks.standing import Standing
from gateway.spool import Depth, SpoolError
from gateway.stats import Stats
from gateway.tee import Fate, Tee

log = logging.getLogger("parkgate.sinks")

BATCH_POINTS = 5000
LINGER_S = 0.05
PATIENCE_S = 1.0
"""A store that has not answered for so long after the start is said to be silent."""


Probe = Callable[[], Awaitable[Keep | None]]


class Backlog(Protocol):
    """What delivery needs of the spool."""

    async def read(self, after: int, max_points: int) -> Batch | None:
        """The oldest rows after row `after`, up to `max_points` points; None at the end. Raises SpoolError
        while the disk refuses."""
        ...

    async def wait(self, after: int) -> None:
        """Return once there is a row after row `after`."""
        ...

    async def remove(self, first: int, last: int, rejected: list[Quarantined]) -> None:
        """Forget delivered rows and keep what was rejected. Raises SpoolError while the disk takes nothing."""
        ...

    def depth(self) -> Depth: ...


class _Sending(NamedTuple):
    batch: Batch
    task: asyncio.Task[list[tuple[bytes, str]]]


class Delivery:
    """One sink's loop. `run` ends by cancellation or after `finish`."""

    def __init__(
        self,
        spool: Backlog,
        sink: Sink,
        stats: Stats,
        clock: Clock,
        *,
        batch_points: int = BATCH_POINTS,
        in_flight: int = 2,
        linger_s: float = LINGER_S,
        tee: Tee | None = None,
        probe: Probe | None = None,
    ) -> None:
        """`probe` asks the sink whether a batch would be taken: None, or what stands in the way."""
        if batch_points < 1 or in_flight < 1:
            raise ValueError(f"batch_points {batch_points} and in_flight {in_flight} must be at least 1")
        self._spool = spool
        self._sink = sink
        self._stages = stats.stages
        self._stats = stats.sink(sink.name)
        self._clock = clock
        self._tee = tee or Tee()
        self._batch_points = batch_points
        self._in_flight = in_flight
        self._places = asyncio.Semaphore(in_flight)
        self._linger_s = linger_s
        self._closing = asyncio.Event()
        self._proved = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._sending: deque[_Sending] = deque()
        self._after = 0  # the last row read
        self._removed = 0  # the last row taken out of the spool
        self._due = 0  # points that have lingered and may go in a batch that is not full
        self._probe = probe
        self._standing = Standing(sink.name, self._stats, clock)

    async def run(self) -> None:
        """Deliver until cancelled, or until the spool is empty once `finish` was called."""
        self._running = asyncio.current_task()
        self._after, self._due = self._removed, 0
        looking = asyncio.create_task(self._look(), name=f"probe[{self._sink.name}]")
        try:
            while True:
                await self._fill()
                if self._sending:
                    await self._settle_oldest()
                elif self._closing.is_set():
                    return
                else:
                    await self._wait_for_rows()
        finally:
            self._running = None
            looking.cancel()
            await asyncio.wait({looking})
            await self._abandon()

    async def finish(self, timeout_s: float) -> None:
        """Deliver what the spool holds now, for `timeout_s` at most; the rest stays in it.

        Call it when nothing is appended any more. `run` returns, whether it is under way or not.
        """
        self._closing.set()
        points = self._spool.depth().points
        if points:
            trouble = self._standing.trouble
            how = "" if trouble is None else f"; it takes none at present: {trouble}"
            waiting = "the point" if points == 1 else f"the {points} points"
            said = "%s has %g s to take %s in the spool, the rest stays there for the next start%s"
            log.info(said, self._sink.name, timeout_s, waiting, how)
        ending = self._running or asyncio.ensure_future(self.run())
        timeout = asyncio.ensure_future(self._clock.sleep(timeout_s))
        await asyncio.wait({ending, timeout}, return_when=asyncio.FIRST_COMPLETED)
        timeout.cancel()
        if not ending.done():
            ending.cancel()
            await asyncio.wait({ending})

    async def _look(self) -> None:
        """Ask the sink until it would take a batch, unless a batch is tried before."""
        waits = backoff()
        while self._probe is not None and not self._tried():
            asking = asyncio.ensure_future(self._probe())
            try:
                patience = asyncio.ensure_future(self._clock.sleep(PATIENCE_S))
                await asyncio.wait({asking, patience}, return_when=asyncio.FIRST_COMPLETED)
                patience.cancel()
                if not asking.done():
                    self._standing.waiting()
                obstacle = await asking
            finally:
                asking.cancel()
                await asyncio.wait({asking})
            if self._tried():
                return
            if obstacle is None:
                self._standing.mended()
                return
            self._standing.troubled(obstacle.reason, alarm=obstacle.alarm)
            await self._clock.sleep(max(next(waits), obstacle.retry_after_s or 0.0))

    def _tried(self) -> bool:
        """Whether a batch has been tried, which says more than a probe."""
        return self._stats.batches + self._stats.retries > 0

    async def _fill(self) -> None:
        """Put batches on their way while there are rows and room, however long the disk refuses."""
        waits = backoff()
        while len(self._sending) <= self._in_flight:
            if not (self._due > 0 or self._unread() >= self._batch_points or self._closing.is_set()):
                return
            try:
                batch = await self._spool.read(self._after, self._batch_points)
            except SpoolError as error:
                self._standing.troubled(f"the spool cannot be read: {error}", alarm=True)
                if self._sending:  # what they free may help
                    return
                await self._clock.sleep(next(waits))
                continue
            if batch is None:
                self._due = 0
                return
            self._after = batch.last
            self._due -= batch.points
            name = f"deliver[{self._sink.name}:{batch.first}-{batch.last}]"
            self._sending.append(_Sending(batch, asyncio.create_task(self._deliver(batch), name=name)))

    def _unread(self) -> int:
        """Points in the spool that are not on their way, about: rows may age out under way."""
        return self._spool.depth().points - sum(sending.batch.points for sending in self._sending)

    async def _wait_for_rows(self) -> None:
        """Until there are new rows and they have had `linger_s` to become more; or until `finish`."""
        await self._unless_closing(self._spool.wait(self._after))
        if self._unread() < self._batch_points:
            await self._unless_closing(self._clock.sleep(self._linger_s))
        self._due = max(self._unread(), 1)

    async def _settle_oldest(self) -> None:
        """Wait for the oldest batch to be accepted and take it out of the spool."""
        batch, task = self._sending[0]
        refused = await task
        now = self._clock.now_ns()
        rejected = [_quarantined(now, self._sink.name, line, words) for line, words in refused]
        await self._remove(batch, rejected)
        self._sending.popleft()
        self._removed = batch.last
        self._stages.written += batch.points - len(refused)
        self._stages.rejected += len(refused)
        self._stages.quarantined += len(refused)
        if self._tee.lookers:
            self._tee.tell(Fate("written", now, self._sink.name, points=batch.points - len(refused)))
            for each in rejected:
                self._tee.tell(Fate("rejected", now, self._sink.name, each.thing, 1, each.reason, each.data))
        self._standing.refused(refused)

    async def _remove(self, batch: Batch, rejected: list[Quarantined]) -> None:
        """Take the batch out of the spool, however long its disk refuses."""
        waits = backoff()
        while True:
            try:
                await self._spool.remove(batch.first, batch.last, rejected)
            except SpoolError as error:
                self._standing.troubled(f"written, but not taken out of the spool: {error}", alarm=True)
                await self._clock.sleep(next(waits))
            else:
                self._standing.mended()
                return

    async def _deliver(self, batch: Batch) -> list[tuple[bytes, str]]:
        """Write until accepted; what the sink refused for good."""
        waits = backoff()
        while True:
            async with self._places:
                began = self._clock.monotonic()
                outcome = await self._sink.write(batch)
            if isinstance(outcome, Accept):
                took = self._clock.monotonic() - began
                self._stats.batches += 1
                self._stats.write_s += took
                self._stats.last_write_s = took
                self._standing.mended()
                self._proved.set()
                return outcome.rejected
            self._stats.retries += 1
            self._standing.troubled(outcome.reason, alarm=outcome.alarm)
            await self._pause(next(waits), outcome.retry_after_s or 0.0)

    async def _pause(self, wait_s: float, asked_s: float) -> None:
        """Wait before the next try: as long as the server asked for, and then until `wait_s` is over
        or another batch has been accepted meanwhile."""
        self._proved.clear()
        if self._closing.is_set():
            await self._clock.sleep(max(wait_s, asked_s))
            return
        if asked_s > 0.0:
            await self._unless_closing(self._clock.sleep(asked_s))
        if wait_s > asked_s:
            await self._unless_closing(self._clock.sleep(wait_s - asked_s), self._proved.wait())

    async def _unless_closing(self, *waits: Coroutine[Any, Any, object]) -> None:
        """Await the first of `waits`, or give it up as soon as `finish` is called."""
        tasks = [asyncio.ensure_future(wait) for wait in (*waits, self._closing.wait())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()

    async def _abandon(self) -> None:
        """Give up what is under way; it is still in the spool."""
        tasks = [sending.task for sending in self._sending]
        self._sending.clear()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


_THING = re.compile(rb",thing=((?:\\.|[^,\s\\])*)")
_MEASUREMENT = re.compile(rb"((?:\\.|[^,\s\\])*)")


def _quarantined(now_ns: int, sink: str, line: bytes, words: str) -> Quarantined:
    """A refused line as the quarantine keeps it; `device` is its measurement."""
    thing, measurement = _THING.search(line), _MEASUREMENT.match(line)
    return Quarantined(
        time_ns=now_ns,
        source=sink,
        device=_unescaped(measurement.group(1)) if measurement else "",
        thing=_unescaped(thing.group(1)) if thing else "",
        stage="sink",
        kind="rejected",
        reason=words,
        data=line,
    )


def _unescaped(raw: bytes) -> str:
    return re.sub(r"\\(.)", r"\1", raw.decode("utf-8", "replace"))
