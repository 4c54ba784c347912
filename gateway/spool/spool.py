"""The spool: store-and-forward between sources and sinks, the only durable place of the gateway.

Promise: when `append` returns, the points are on the disk; they come out in the order of their
commits, and stay until a sink has taken them.

Constraints. One writing process (flock), one event loop; all disk work on one thread of its
own, so a slow disk never holds the loop. Bounds, all by config: `max_bytes` (1 GiB) of lines
and 64 bytes a row; `max_age_s` (7 days); `quarantine_bytes` (64 MiB). Memory: counters, 512 KiB
a MQTT source, the batches under way (8 MiB each at most), 4 MiB of page cache. On disk the file is
1.0 to 1.3 times its charged bytes, twice in the worst case (every commit 2.1 KB); it does not shrink, its
free pages are used again. Beside it the log (4 MiB; 8 MiB and one commit at most) and the reserve (8 MiB);
on a small disk a quarter of what is free for the reserve and an eighth for the log. A commit of 500 lines of
107 bytes costs 0.25 ms of processor and one fsync; an SD card with a 10 ms fsync still takes 100 commits/s,
of any size.

Layout. One SQLite file in WAL mode, pages of 4096 bytes; a row is one lane's lines of one
commit, joined by line ends, at most 5,000 lines and 4 MiB (`schema` has the columns).
Row numbers rise and are never given twice, not even after a restart with an empty spool or with a
new file: sinks may remember the last one they took. A stored ceiling sees to it, raised by 2**20 at
a time; a new file begins at the microseconds since 1970.

Write. `append` is one transaction: room is made, then rows, quarantine and the ledger of
acknowledged messages go into the log, then the log is synced (synchronous=FULL: one fsync a commit).
Every 1000 pages SQLite moves the log into the file (two fsyncs more) and begins it again; sooner where
1000 pages are more than an eighth of what is free on the disk (16 pages at least).
When full, the drop lane gives up its oldest rows, counted by thing; if the hold lane alone would
not fit, nothing is stored (SpoolFull) and the broker keeps the messages. Rows past `max_age_s`
are given up in either lane, counted by thing. Age is measured on a clock that does not step, from the time
of day at the start; a time of day before November 2023 makes nothing old.

Read. Rows after a given row, whole, in order; each is checked against its CRC-32, and one that
is not what was written goes to the quarantine, never to a sink.

Delete. One transaction a batch, with what the sink rejected. It is not synced: whether it
holds after a power failure does not matter, a batch may be delivered twice.

Recovery, for a process killed or a power failure
    before the log is synced    the commit is not there, whole; the broker sends the messages again
    after, before the ack       it is there; sent again, the messages are found in the ledger
    while the log is moved      the log is still whole and is moved again at the next start
    before a removal            the batch is delivered again: the same points with the same time
    after a removal             killed: it is gone; power failure: it may be back, whole
    setting a damaged file aside    log first, then file; the next start sets aside what is left

For its own user only: folders it makes are 0700, files 0600, those of an earlier version are closed at
the start; a symbolic link in place of one of its files is refused (`gateway.state`).

Damage. A file that SQLite or the row check refuses, at the start or while running, is renamed
`spool.db.damaged-<time>` and a new one is begun; `notice` says so, and `parkgate spool salvage`
copies back what can be read. Of such files 5 stay, and together `max_bytes`; the newest always. Where the
disk has no room for a new one, that is as a full disk is: the messages stay at the broker until there is.
Files up to 256 MiB are checked page by page at the start.

Disk full (DiskFull, `depth().state`). Nothing acknowledged is lost and nothing half stored: the hold
lane waits at the broker, which then loses what exceeds its own queue (mosquitto: 1000 messages a
client unless configured); serial points wait in memory up to the pipeline's bound, then the oldest are lost and
counted. Delivery goes on: removals get the reserve to work in, and freed pages take new commits.

Unknown. A disk that acknowledges a sync and forgets it loses the commits since; network file
systems whose locks do not hold (NFS, SMB) are not supported.

Source: SQLite documentation, "Write-Ahead Logging", "Atomic Commit", "PRAGMA synchronous".
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

from gateway.clock import Clock
from gateway.config import SpoolConfig
from gateway.intake import Batch, Intake, Quarantined
from gateway.spool.filling import Filling
from gateway.spool.open import DiskFailed, DiskFull, SpoolError, SpoolFull, SpoolUnusable
from gateway.spool.rate import say_duration, say_forecast
from gateway.spool.store import ROW_POINTS, Appended, Store

__all__ = [
    "ROW_POINTS",
    "Appended",
    "Depth",
    "DiskFailed",
    "DiskFull",
    "Spool",
    "SpoolError",
    "SpoolFull",
    "SpoolUnusable",
    "say_duration",
    "say_forecast",
]

T = TypeVar("T")


class Depth(NamedTuple):
    """What waits in the spool. `bytes` is charged: the lines and 64 for each row.

    `state` is "ok", "full" (the hold lane was refused), "disk full: …" or "disk fails: …"; `oldest_ns` is the
    time the oldest row was committed; `oldest_age_s` is measured on a clock that does not step.
    `given_up` quarantined items have gone for newer ones since the start.
    """

    points: int
    bytes: int
    rows: int
    oldest_ns: int | None
    oldest_age_s: float
    max_bytes: int
    quarantined: int
    quarantine_bytes: int
    state: str
    given_up: int = 0


class Spool:
    """Open with `Spool.open`; one per process and file. All methods belong to one event loop."""

    def __init__(self, store: Store, config: SpoolConfig, clock: Clock, started_ns: int) -> None:
        """Use `open`."""
        self._store = store
        self._config = config
        self._clock = clock
        self._started_ns, self._started = started_ns, clock.monotonic()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="spool")
        self._changed = asyncio.Event()
        self.path = store.path
        self.filling = Filling(store, config, clock)
        self._state = "ok"

    @classmethod
    def open(cls, path: Path, config: SpoolConfig, clock: Clock) -> "Spool":
        """Open or make the file; blocking. A damaged one is set aside and `notice` says so. Raises SpoolUnusable."""
        now = clock.now_ns()
        return cls(Store(path, config, now), config, clock, now)

    @property
    def notice(self) -> str | None:
        """One line for people when a damaged file was set aside, at the start or since."""
        return self._store.notice

    async def append(self, intake: Intake, *, alone: bool = False) -> Appended:
        """Commit all of `intake`: when this returns it is on the disk. Raises SpoolFull or DiskFull.

        With `alone` also where it is above `max_bytes`, if no other broker's points are there.
        """
        try:
            appended = await self._on_thread(lambda: self._store.append(intake, self._now_ns(), alone=alone))
        except SpoolFull:
            self._state = "full"
            raise
        except DiskFull as error:
            self._state = f"{error.word}: {error}"
            self.filling.disk_full = not isinstance(error, DiskFailed)
            raise
        self._state = "ok"
        self.filling.disk_full = False
        return appended

    async def read(self, after: int, max_points: int) -> Batch | None:
        """Rows after row `after`, in order: one at least, together no more than `max_points`; None if none."""
        return await self._on_thread(lambda: self._store.read(after, max_points, self._now_ns()))

    async def remove(self, first: int, last: int, rejected: Sequence[Quarantined] = ()) -> None:
        """Forget rows `first`..`last`, delivered, and keep what the sink rejected. Raises DiskFull."""
        await self._on_thread(lambda: self._store.remove(first, last, rejected, self._now_ns()))

    def taken(self, session: str) -> dict[int, int]:
        """Packet identifier to CRC-32 of what was committed last under it, for one MQTT source."""
        return self._store.file.taken.of(session)

    def depth(self) -> Depth:
        """From counters in memory; cheap."""
        totals = self._store.file.totals
        rows, oldest = totals.rows, totals.oldest_ns
        return Depth(
            points=rows.points,
            bytes=rows.bytes,
            rows=rows.rows,
            oldest_ns=oldest,
            oldest_age_s=max(0.0, (self._now_ns() - oldest) / 1e9) if oldest is not None else 0.0,
            max_bytes=self._config.max_bytes,
            quarantined=totals.quarantined,
            quarantine_bytes=totals.quarantine_bytes,
            state=self._state,
            given_up=sum(totals.given_up.kinds.values()),
        )

    def forecast(self) -> float | None:
        """Seconds until points are given up, or the disk takes none; None while the spool does not fill.

        `filling.outlook()` also says which.
        """
        return self.filling.outlook().seconds

    async def quarantine_rows(self, limit: int = 100) -> list[Quarantined]:
        """The newest quarantined items, newest first."""
        return await self._on_thread(lambda: self._store.quarantine_rows(limit, self._now_ns()))

    async def wait(self, after: int) -> None:
        """Return as soon as there is a row after row `after`."""
        while self._store.file.totals.newest <= after:
            self._changed.clear()
            await self._changed.wait()

    async def close(self) -> None:
        """Finish what is under way, close the file and let go of the lock."""
        await self._on_thread(self._store.close)
        self._thread.shutdown()

    def _now_ns(self) -> int:
        """The time of day at the start, carried on by the clock that does not step.

        So a clock that is set while the gateway runs makes no row suddenly too old.
        """
        return self._started_ns + round((self._clock.monotonic() - self._started) * 1e9)

    async def _on_thread(self, work: Callable[[], T]) -> T:
        """Run `work` on the spool's thread. A cancelled caller waits until it is done."""
        future = asyncio.get_running_loop().run_in_executor(self._thread, work)
        future.add_done_callback(self._after)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            await asyncio.wait([future])
            raise

    def _after(self, _: asyncio.Future[T]) -> None:
        self._changed.set()
        if self.filling.sample():
            self._thread.submit(self.filling.look_at_disk)
