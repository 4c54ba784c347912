"""The spool's blocking side: room for both lanes, rows cut to size, and what happens when the disk or file fails.

All of it runs on the spool's one thread. `spool.py` holds the design.
"""

import errno
import logging
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

from gateway.config import SpoolConfig
from gateway.disk import space
from gateway.intake import Batch, Intake, Lane, Quarantined
from gateway.spool.aside import bound, say_aside, set_aside
from gateway.spool.file import SpoolFile
from gateway.spool.kept import newest_quarantined
from gateway.spool.open import (
    DiskFailed,
    DiskFull,
    Lock,
    Reserve,
    SpoolFull,
    SpoolUnusable,
    begin_file,
    disk_error,
    is_damage,
    keep_private,
    open_file,
)
from gateway.spool.rows import Room, Row, StoredRow, Totals
from gateway.state import FOLDER_MODE, LinkRefused

log = logging.getLogger("parkgate.spool")

T = TypeVar("T")

ROW_POINTS = 5000
ROW_SIZE = 4 << 20
"""A row holds at most so many lines and bytes (one longer line fills a row of its own)."""
BATCH_SIZE = 8 << 20
APPEND_SLACK = 1 << 15
"""Free pages that the file must have beyond the size of an append, before it may use the reserve."""
BELIEVABLE_NS = 1_700_000_000 * 1_000_000_000
"""A time before November 2023 comes from a clock that was never set: nothing is too old by it."""


class Appended(NamedTuple):
    """`rows` are the sequence numbers given, first and last, or None; `dropped` counts points by thing."""

    rows: tuple[int, int] | None
    dropped: dict[str, int]


@dataclass(slots=True)
class Damage:
    """What was found in the file that must be replaced; `aside` is its new name, once it has one."""

    why: str
    aside: Path | None = None


class Store:
    """One open spool. Blocking; one thread at a time."""

    def __init__(self, path: Path, config: SpoolConfig, now_ns: int) -> None:
        """Raises SpoolUnusable."""
        self.path = path
        self._config = config
        self._log_stays = False
        self._damage: Damage | None = None
        try:
            path.parent.mkdir(FOLDER_MODE, parents=True, exist_ok=True)
            if path.exists() and not path.is_file():
                raise SpoolUnusable(f"spool {path} is not a file: move it away or choose another state_dir")
            keep_private(path)
            self._lock = Lock(path)
        except LinkRefused as error:
            raise SpoolUnusable(str(error)) from error
        except OSError as error:
            raise SpoolUnusable(_say(path, error)) from error
        self._reserve = Reserve(path)
        try:
            self.file, self.notice = self._open(now_ns)
        except (OSError, sqlite3.Error) as error:
            self._lock.release()
            raise SpoolUnusable(_say(path, error)) from error
        self._reserve.restore()
        bound(path, config.max_bytes)

    def close(self) -> None:
        self.file.close()
        self._lock.release()

    def append(self, intake: Intake, now_ns: int, *, alone: bool = False) -> Appended:
        """Raises SpoolFull, DiskFull. `alone`: not SpoolFull where no other row of the hold lane is there."""
        limit = self._config.max_bytes
        hold = cut(Lane.HOLD, intake.lines, None)
        drop = cut(Lane.DROP, intake.drop_lines, intake.drop_things)
        oldest = now_ns - round(self._config.max_age_s * 1e9)
        not_before = oldest if oldest > BELIEVABLE_NS else 0

        def commit() -> Appended:
            waiting = self.file.totals.lanes[Lane.HOLD]
            held = waiting.bytes + sum(row.charge for row in hold)
            if hold and held > limit and not (alone and not waiting.rows):
                raise SpoolFull(f"the {limit} bytes of {self.path} (spool.max_bytes) are taken")
            skip = 0
            while skip < len(drop) and held + sum(row.charge for row in drop[skip:]) > limit:
                skip += 1
            rows = hold + drop[skip:]
            first = self.file.last_seq + 1
            room = Room(sum(row.charge for row in rows), limit, not_before)
            dropped = self.file.append(rows, now_ns, intake, room)
            for row in drop[:skip]:
                for thing, points in (row.things or {}).items():
                    dropped[thing] = dropped.get(thing, 0) + points
            return Appended((first, self.file.last_seq) if rows else None, dropped)

        size = sum(row.charge for row in hold + drop) + sum(len(item.data) + 1024 for item in intake.quarantined)
        appended = self._guarded(commit, now_ns, size=size + sum(8 * len(ids) for ids in intake.taken.values()))
        if not self._reserve.whole:
            self._reserve.restore()
        return appended

    def read(self, after: int, max_points: int, now_ns: int) -> Batch | None:
        """Raises DiskFull only when an unsound row has to be moved and cannot, or the disk cannot be read."""

        def fetch() -> list[StoredRow]:
            while True:
                rows = self.file.read(after, max_points, BATCH_SIZE)
                unsound = [row for row in rows if not row.sound]
                for row in unsound:
                    self.file.expel(row.seq, _unsound(row, now_ns))
                    log.error("spool row %d is not what was written (CRC-32); it is in the quarantine", row.seq)
                if not unsound:
                    return rows

        try:
            rows = self._guarded(fetch, now_ns, forgetting=True)
        except DiskFull:
            if self._damage is None:
                raise
            return None  # the new file, when there is room for it, will be empty
        if not rows:
            return None
        points = sum(row.points for row in rows)
        return Batch(rows[0].seq, rows[-1].seq, points, b"\n".join([row.lines for row in rows]))

    def remove(self, first: int, last: int, rejected: Sequence[Quarantined], now_ns: int) -> None:
        """Raises DiskFull."""
        self._guarded(lambda: self.file.remove(first, last, rejected), now_ns, forgetting=True)

    def room(self) -> int | None:
        """Bytes that the disk and the file itself have for more, beside what the log may still take.

        None where the system does not say. On a small disk the log is kept short: it would take what rows need.
        """
        found = space(self.path.parent)
        if found is None:
            return None
        try:
            log_bytes = self.file.log.bound(found.free)
            return max(0, found.free + self.file.free_bytes() - log_bytes)
        except sqlite3.Error:  # a damaged file, or a closed one: what the disk has is right enough
            return found.free

    def quarantine_rows(self, limit: int, now_ns: int) -> list[Quarantined]:
        """The newest `limit` quarantined items, newest first. Raises DiskFull."""
        return self._guarded(lambda: newest_quarantined(self.file.db, limit), now_ns)

    def _open(self, now_ns: int) -> tuple[SpoolFile, str | None]:
        try:
            return open_file(self.path, now_ns, self._config)
        except sqlite3.Error as error:
            # A full disk at the start: the reserve of an earlier run makes room for SQLite's own files.
            if disk_error(self.path, error) is None or not self._reserve.release():
                raise
            return open_file(self.path, now_ns, self._config)

    def _guarded(self, work: Callable[[], T], now_ns: int, *, forgetting: bool = False, size: int | None = None) -> T:
        """Do `work`, once more after a damaged file was replaced or the disk was given some room.

        Only work that frees rows may have the reserve, and appends of `size` bytes that fit into
        pages which the file already has (the log then needs room for a moment, the file none).
        Others would use it up, and nothing could be removed any more.

        What goes wrong is a DiskFull: `work` has changed nothing and may be tried again.
        """
        try:
            if self._damage is not None:
                self._replace(self._damage, now_ns)
            try:
                return work()
            except sqlite3.Error as error:
                if is_damage(error):
                    self._damage = Damage(str(error))
                    self._replace(self._damage, now_ns)
                else:
                    if disk_error(self.path, error) is None:
                        raise
                    fits = size is not None and self.file.free_bytes() >= size + size // 8 + APPEND_SLACK
                    if (forgetting or fits) and self._reserve.release():
                        return self._on_reserve(work)
                    self._checkpoint()  # the log's own space may be enough
            return work()
        except (sqlite3.Error, OSError, MemoryError) as error:
            raise self._refusal(error) from error

    def _refusal(self, error: sqlite3.Error | OSError | MemoryError) -> DiskFull:
        """Why the spool can do nothing now, in its own words; it is tried again."""
        if isinstance(error, MemoryError):
            return DiskFailed(f"spool {self.path}: the system has no memory left for it")
        if isinstance(error, OSError):
            return (DiskFull if error.errno in (errno.ENOSPC, errno.EDQUOT) else DiskFailed)(_say(self.path, error))
        if is_damage(error) and self._damage is None:
            self._damage = Damage(str(error))
        name = getattr(error, "sqlite_errorname", type(error).__name__)
        return disk_error(self.path, error) or DiskFailed(f"{self.path} cannot be used: {error} ({name})")

    def _on_reserve(self, work: Callable[[], T]) -> T:
        """Do `work`, with the reserve given to the disk, and take the reserve back.

        Emptying the log into the file costs the disk nothing: the file grows by no more than
        the log shrinks.
        """
        try:
            self._checkpoint()
            return work()
        finally:
            self._checkpoint()
            self._reserve.retake()

    def _checkpoint(self) -> None:
        try:
            self.file.log.checkpoint()
        except sqlite3.Error as error:
            if not self._log_stays:  # a full disk is asked twice a second
                log.warning("spool %s: the log stays as it is (%s)", self.path, error)
            self._log_stays = True
        else:
            self._log_stays = False

    def _replace(self, damage: Damage, now_ns: int) -> None:
        """Go on in a new file, now that the present one is known to be damaged.

        What the disk refuses of it is due before the next work. The old file stays closed, and
        holds nothing that could be read or removed.
        """
        old = self.file
        old.close()
        old.totals = Totals()
        if damage.aside is None:
            damage.aside = set_aside(self.path, now_ns, self._config.max_bytes)
        first, limit = max(now_ns // 1000, old.last_seq + 1), self._config.quarantine_bytes
        try:
            self.file = begin_file(self.path, first, limit, old.taken)
        except sqlite3.Error as error:
            if is_damage(error):  # of a new file: what was there of it is set aside as well
                damage.aside = None
            if disk_error(self.path, error) is None or not self._reserve.release():
                raise
            try:
                self.file = begin_file(self.path, first, limit, old.taken)
            finally:
                self._reserve.retake()
        self._damage = None
        self.notice = say_aside(self.path, damage.aside or self.path, damage.why)
        log.error("%s", self.notice)


def cut(lane: Lane, lines: list[str], things: dict[str, int] | None) -> list[Row]:
    """Rows of at most ROW_POINTS lines and about ROW_SIZE bytes, in order.

    Each row of the drop lane gets its share of `things`, in their order, so that the shares
    add up to the whole.
    """
    if not lines:
        return []
    whole = "\n".join(lines).encode(errors="replace")
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
    return Row(lane, len(lines), "\n".join(lines).encode(errors="replace"), share)


def _unsound(row: StoredRow, now_ns: int) -> Quarantined:
    reason = f"spool row {row.seq} of {row.points} points did not come back as it was written (CRC-32)"
    data = row.lines if isinstance(row.lines, bytes) else str(row.lines).encode()
    return Quarantined(now_ns, "spool", "", "", "sink", "integrity", reason, data)


def _say(path: Path, error: OSError | sqlite3.Error) -> str:
    if isinstance(error, PermissionError):
        return f"spool {path}: permission denied: the gateway's user must be able to write in {path.parent}"
    if isinstance(error, NotADirectoryError | FileExistsError):
        return f"spool {path}: {error.filename or path.parent} is not a directory: choose another state_dir"
    if isinstance(error, OSError):
        return f"spool {path}: {error.strerror}"
    full = disk_error(path, error)
    return str(full) if full is not None else f"spool {path}: {error}"
