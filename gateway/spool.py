"""The spool: store-and-forward between sources and sinks, the only durable place of the gateway.

One SQLite file in WAL mode. `append` returns after the commit was synced to the disk; `read`
hands rows out in the order of their commits; `remove` forgets what a sink took.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

from gateway._spool_open import DiskFailed, DiskFull, SpoolError, SpoolFull, SpoolUnusable
from gateway._spool_rate import FillRate, say_duration, say_forecast
from gateway._spool_store import ROW_POINTS, Appended, Store
from gateway.clock import Clock
from gateway.config import SpoolConfig
from gateway.intake import Batch, Intake, Quarantined

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

    `state` is "ok", "full" (the hold lane was refused) or "disk full: …"; `oldest_ns` is the
    time the oldest row was committed; `oldest_age_s` is measured on a clock that does not step.
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
        self._rate = FillRate()
        self._rate.sample(self._started, store.file.totals.rows.bytes)
        self._state = "ok"

    @classmethod
    def open(cls, path: Path, config: SpoolConfig, clock: Clock) -> "Spool":
        """Open or make the file; blocking. A damaged one is set aside and `notice` says so. Raises SpoolUnusable."""
        now = clock.now_ns()
        return cls(Store(path, config, now), config, clock, now)

    @property
    def path(self) -> Path:
        return self._store.path

    @property
    def notice(self) -> str | None:
        """One line for people when a damaged file was set aside, at the start or since."""
        return self._store.notice

    async def append(self, intake: Intake) -> Appended:
        """Commit all of `intake`: when this returns it is on the disk. Raises SpoolFull or DiskFull."""
        try:
            appended = await self._on_thread(lambda: self._store.append(intake, self._now_ns()))
        except SpoolFull:
            self._state = "full"
            raise
        except DiskFull as error:
            self._state = f"disk full: {error}"
            raise
        self._state = "ok"
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
        )

    def forecast(self) -> float | None:
        """Seconds until `max_bytes` at the net rate of the last five minutes; None while it does not fill."""
        size = self._store.file.totals.rows.bytes
        return self._rate.seconds_left(self._clock.monotonic(), size, self._config.max_bytes)

    async def quarantine_rows(self, limit: int = 100) -> list[Quarantined]:
        """The newest quarantined items, newest first."""
        return await self._on_thread(lambda: self._store.file.quarantine_rows(limit))

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
        self._rate.sample(self._clock.monotonic(), self._store.file.totals.rows.bytes)
