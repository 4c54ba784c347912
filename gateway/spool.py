"""The spool: store-and-forward between sources and sinks, the only durable place of the gateway.

One SQLite file in WAL mode. `append` returns after the commit was synced to the disk; `read`
hands rows out in the order of their commits; `remove` forgets what a sink took.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

from gateway._spool_file import Room, Row, SpoolFile
from gateway.clock import Clock
from gateway.config import SpoolConfig
from gateway.intake import Batch, Intake, Lane, Quarantined

log = logging.getLogger("parkgate.spool")

T = TypeVar("T")

ROW_POINTS = 5000
ROW_SIZE = 4 << 20
"""A row holds at most so many lines and bytes (one longer line fills a row of its own)."""
BATCH_SIZE = 8 << 20
BELIEVABLE_NS = 1_700_000_000 * 1_000_000_000
"""Rows stamped before November 2023 come from a clock that was never set: their age says nothing."""


class SpoolError(Exception):
    """What the spool cannot do, in one line."""


class SpoolUnusable(SpoolError):
    """The spool cannot be opened: a person has to mend the path, the rights or the other process."""


class SpoolFull(SpoolError):
    """`max_bytes` leaves no room for the hold lane. Nothing was stored; try again when it has drained."""


class DiskFull(SpoolError):
    """The disk does not take the commit. Nothing was stored; try again."""


class Appended(NamedTuple):
    """`rows` are the sequence numbers given, first and last, or None; `dropped` counts points by thing."""

    rows: tuple[int, int] | None
    dropped: dict[str, int]


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

    def __init__(self, path: Path, config: SpoolConfig, clock: Clock) -> None:
        """Use `open`."""
        self.path = path
        self.notice: str | None = None
        self._config = config
        self._clock = clock
        self._wall, self._monotonic = clock.now_ns(), clock.monotonic()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="spool")
        self._file = SpoolFile(path, self._wall // 1000, config.quarantine_bytes)
        self._appended = asyncio.Event()
        self._state = "ok"

    @classmethod
    def open(cls, path: Path, config: SpoolConfig, clock: Clock) -> "Spool":
        path.parent.mkdir(parents=True, exist_ok=True)
        return cls(path, config, clock)

    async def append(self, intake: Intake) -> Appended:
        """Commit all of `intake`: when this returns it is on the disk. Raises SpoolFull or DiskFull."""
        try:
            appended = await self._on_thread(lambda: self._append(intake))
        except SpoolError as error:
            self._state = "full" if isinstance(error, SpoolFull) else f"disk full: {error}"
            raise
        self._state = "ok"
        return appended

    async def read(self, after: int, max_points: int) -> Batch | None:
        """Rows after row `after`, in order: one at least, together no more than `max_points`; None if none."""
        return await self._on_thread(lambda: self._read(after, max_points))

    async def remove(self, first: int, last: int, rejected: Sequence[Quarantined] = ()) -> None:
        """Forget rows `first`..`last`, delivered, and keep what the sink rejected. Raises DiskFull."""
        await self._on_thread(lambda: self._file.remove(first, last, rejected))

    def taken(self, session: str) -> dict[int, int]:
        """Packet identifier to CRC-32 of what was committed last under it, for one MQTT source."""
        ledger = self._file.ledgers.get(session)
        return {entry >> 32: entry & 0xFFFFFFFF for entry in ledger if entry} if ledger is not None else {}

    def depth(self) -> Depth:
        totals = self._file.totals
        age = max(0.0, (self._now_ns() - totals.oldest_ns) / 1e9) if totals.oldest_ns is not None else 0.0
        rows = totals.rows
        return Depth(
            rows.points,
            rows.bytes,
            rows.rows,
            totals.oldest_ns,
            age,
            self._config.max_bytes,
            totals.quarantined,
            totals.quarantine_bytes,
            self._state,
        )

    async def quarantine_rows(self, limit: int = 100) -> list[Quarantined]:
        """The newest quarantined items, newest first."""
        return await self._on_thread(lambda: self._file.quarantine_rows(limit))

    async def wait(self, after: int) -> None:
        """Return as soon as there is a row after row `after`."""
        while self._file.totals.newest <= after:
            self._appended.clear()
            await self._appended.wait()

    async def close(self) -> None:
        """Finish what is under way and close the file."""
        await self._on_thread(self._file.close)
        self._thread.shutdown()

    # -- on the thread ---------------------------------------------------------------------

    def _append(self, intake: Intake) -> Appended:
        now = self._now_ns()
        limit = self._config.max_bytes
        hold = list(_rows(Lane.HOLD, intake.lines, None))
        drop = list(_rows(Lane.DROP, intake.drop_lines, intake.drop_things))
        held = self._file.totals.lanes[Lane.HOLD].bytes + sum(row.charge for row in hold)
        if hold and held > limit:
            raise SpoolFull(f"{limit} bytes (max_bytes) are taken and the sink takes nothing")
        dropped: dict[str, int] = {}
        while drop and held + sum(row.charge for row in drop) > limit:
            for thing, points in (drop.pop(0).things or {}).items():
                dropped[thing] = dropped.get(thing, 0) + points
        rows = hold + drop
        room = Room(sum(row.charge for row in rows), limit, self._not_before(now))
        first = self._file.last_seq + 1
        for thing, points in self._file.append(rows, now, intake, room).items():
            dropped[thing] = dropped.get(thing, 0) + points
        return Appended((first, self._file.last_seq) if rows else None, dropped)

    def _read(self, after: int, max_points: int) -> Batch | None:
        rows = self._file.read(after, max_points, BATCH_SIZE)
        if not rows:
            return None
        points = sum(row[1] for row in rows)
        return Batch(rows[0][0], rows[-1][0], points, b"\n".join(row[3] for row in rows))

    # -- inside ----------------------------------------------------------------------------

    def _now_ns(self) -> int:
        """The time of day as it was at the start, carried on by the clock that does not step."""
        return self._wall + round((self._clock.monotonic() - self._monotonic) * 1e9)

    def _not_before(self, now: int) -> int:
        oldest = now - round(self._config.max_age_s * 1e9)
        return oldest if oldest > BELIEVABLE_NS else 0

    async def _on_thread(self, work: Callable[[], T]) -> T:
        """Run `work` on the spool's thread. A cancelled caller waits until it is done."""
        future = asyncio.get_running_loop().run_in_executor(self._thread, work)
        future.add_done_callback(lambda _: self._appended.set())
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            await asyncio.wait([future])
            raise


def _rows(lane: Lane, lines: list[str], things: dict[str, int] | None) -> list[Row]:
    """Cut lines into rows of at most ROW_POINTS lines and about ROW_SIZE bytes.

    Each row of the drop lane gets its share of `things`, in their order, so that the shares
    add up to the whole.
    """
    if not lines:
        return []
    whole = "\n".join(lines).encode()
    if len(lines) <= ROW_POINTS and len(whole) <= ROW_SIZE:
        return [Row(lane, len(lines), whole, things)]
    rows: list[Row] = []
    left = dict(things) if things is not None else None
    start = size = 0
    for index, line in enumerate(lines):
        if index > start and (index - start == ROW_POINTS or size + len(line) > ROW_SIZE):
            rows.append(_row(lane, lines[start:index], left))
            start, size = index, 0
        size += len(line) + 1
    rows.append(_row(lane, lines[start:], left))
    return rows


def _row(lane: Lane, lines: list[str], left: dict[str, int] | None) -> Row:
    share: dict[str, int] | None = None
    if left is not None:
        share, wanted = {}, len(lines)
        for thing in list(left):
            share[thing] = min(left[thing], wanted)
            wanted -= share[thing]
            left[thing] -= share[thing]
            if not left[thing]:
                del left[thing]
            if not wanted:
                break
    return Row(lane, len(lines), "\n".join(lines).encode(), share)
