"""The spool's blocking side: room for both lanes, rows cut to size, and what happens when the disk or file fails.

All of it runs on the spool's one thread. `gateway.spool` holds the design page.
"""

import logging
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from gateway._spool_file import Room, Row, SpoolFile, StoredRow
from gateway._spool_open import (
    DiskFull,
    Lock,
    Reserve,
    SpoolFull,
    SpoolUnusable,
    disk_error,
    is_damage,
    open_file,
    replace_file,
)
from gateway.config import SpoolConfig
from gateway.intake import Batch, Intake, Lane, Quarantined

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


class Store:
    """One open spool. Blocking; one thread at a time."""

    def __init__(self, path: Path, config: SpoolConfig, now_ns: int) -> None:
        """Raises SpoolUnusable."""
        self.path = path
        self._config = config
        self._log_stays = False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists() and not path.is_file():
                raise SpoolUnusable(f"spool {path} is not a file: move it away or choose another state_dir")
            self._lock = Lock(path)
        except OSError as error:
            raise SpoolUnusable(_say(path, error)) from error
        self._reserve = Reserve(path)
        try:
            self.file, self.notice = self._open(now_ns)
        except (OSError, sqlite3.Error) as error:
            self._lock.release()
            raise SpoolUnusable(_say(path, error)) from error
        self._reserve.restore()

    def close(self) -> None:
        self.file.close()
        self._lock.release()

    def append(self, intake: Intake, now_ns: int) -> Appended:
        """Raises SpoolFull, DiskFull."""
        limit = self._config.max_bytes
        hold = cut(Lane.HOLD, intake.lines, None)
        drop = cut(Lane.DROP, intake.drop_lines, intake.drop_things)
        oldest = now_ns - round(self._config.max_age_s * 1e9)
        not_before = oldest if oldest > BELIEVABLE_NS else 0

        def commit() -> Appended:
            held = self.file.totals.lanes[Lane.HOLD].bytes + sum(row.charge for row in hold)
            if hold and held > limit:
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
        """Raises DiskFull only when an unsound row has to be moved and cannot."""

        def fetch() -> list[StoredRow]:
            while True:
                rows = self.file.read(after, max_points, BATCH_SIZE)
                unsound = [row for row in rows if not row.sound]
                for row in unsound:
                    self.file.expel(row.seq, _unsound(row, now_ns))
                    log.error("spool row %d is not what was written (CRC-32); it is in the quarantine", row.seq)
                if not unsound:
                    return rows

        rows = self._guarded(fetch, now_ns, forgetting=True)
        if not rows:
            return None
        points = sum(row.points for row in rows)
        return Batch(rows[0].seq, rows[-1].seq, points, b"\n".join([row.lines for row in rows]))

    def remove(self, first: int, last: int, rejected: Sequence[Quarantined], now_ns: int) -> None:
        """Raises DiskFull."""
        self._guarded(lambda: self.file.remove(first, last, rejected), now_ns, forgetting=True)

    def _open(self, now_ns: int) -> tuple[SpoolFile, str | None]:
        try:
            return open_file(self.path, now_ns, self._config.quarantine_bytes)
        except sqlite3.Error as error:
            # A full disk at the start: the reserve of an earlier run makes room for SQLite's own files.
            if disk_error(self.path, error) is None or not self._reserve.release():
                raise
            return open_file(self.path, now_ns, self._config.quarantine_bytes)

    def _guarded(self, work: Callable[[], T], now_ns: int, *, forgetting: bool = False, size: int | None = None) -> T:
        """Do `work`, once more after a damaged file was replaced or the disk was given some room.

        Only work that frees rows may have the reserve, and appends of `size` bytes that fit into
        pages which the file already has (the log then needs room for a moment, the file none).
        Others would eat it and nothing could ever be forgotten again.
        """
        try:
            return work()
        except sqlite3.Error as error:
            if is_damage(error):
                self._replace(error, now_ns)
            else:
                full = disk_error(self.path, error)
                if full is None:
                    raise
                fits = size is not None and self.file.free_bytes() >= size + size // 8 + APPEND_SLACK
                if (forgetting or fits) and self._reserve.release():
                    return self._on_reserve(work)
                self._checkpoint()  # the log's own space may be enough
        try:
            return work()
        except sqlite3.Error as error:
            raise disk_error(self.path, error) or error from error

    def _on_reserve(self, work: Callable[[], T]) -> T:
        """Do `work`, with the reserve given to the disk, and take the reserve back.

        Emptying the log into the file costs the disk nothing: the file grows by no more than
        the log shrinks.
        """
        try:
            self._checkpoint()
            return work()
        except sqlite3.Error as error:
            raise disk_error(self.path, error) or error from error
        finally:
            self._checkpoint()
            self._reserve.retake()

    def _checkpoint(self) -> None:
        try:
            self.file.checkpoint()
        except sqlite3.Error as error:
            if not self._log_stays:  # a full disk is asked twice a second
                log.warning("spool %s: the log stays as it is (%s)", self.path, error)
            self._log_stays = True
        else:
            self._log_stays = False

    def _replace(self, error: sqlite3.Error, now_ns: int) -> None:
        """Go on in a new file when the present one turns out to be damaged."""
        old = self.file
        old.close()
        try:
            self.file, self.notice = replace_file(self.path, now_ns, self._config.quarantine_bytes, str(error), old)
        except sqlite3.Error as failed:
            raise disk_error(self.path, failed) or failed from error
        except OSError as failed:
            raise DiskFull(_say(self.path, failed)) from error
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
