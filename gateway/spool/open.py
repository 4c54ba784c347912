"""Opening a spool file, or saying in one line why not; the lock; the reserve.

Beside `spool.db` (with SQLite's own `-wal` and `-shm`) there may be

    spool.db.lock                              held (flock) by the process that writes the spool
    spool.db.reserve                           8 MiB that are given back when the disk is full; less on a small one
    spool.db.damaged-20260101T120000Z          a file that could not be used (`aside`)

All of them are for the gateway's own user only, and none may be a symbolic link (`gateway.state`).

The reserve exists because forgetting what was delivered needs room too: on a full disk SQLite
can neither write its log nor move the log into the file.
"""

import contextlib
import errno
import os
import sqlite3
import sys
from pathlib import Path

from gateway.config import SpoolConfig
from gateway.spool.aside import asides, say_aside, set_aside, with_logs
from gateway.spool.file import SpoolFile
from gateway.spool.ledger import TakenLedger
from gateway.spool.schema import Damaged, read_only
from gateway.state import LinkRefused, open_private, private_files, refuse_links

RESERVE_BYTES = 8 << 20
LEAST_RESERVE_BYTES = 1 << 16
MARGIN_BYTES = 1 << 18
"""Left free when the reserve is taken back: room for the log of a few removals."""
CHECKED_BYTES = 256 << 20
"""Files up to this size are checked page by page at the start (0.1 s, if they are cached), larger ones by row."""

_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class SpoolError(Exception):
    """What the spool cannot do, in one line."""


class SpoolUnusable(SpoolError):
    """The spool cannot be opened: a person has to mend the path, the rights or the other process."""


class SpoolFull(SpoolError):
    """`max_bytes` leaves no room for the hold lane. Nothing was stored; try again when it has drained."""


class DiskFull(SpoolError):
    """The disk has no room. Nothing was stored or forgotten; try again."""

    word = "disk full"


class DiskFailed(DiskFull):
    """The disk refuses for another reason (input/output error, read-only). Otherwise as DiskFull."""

    word = "disk fails"


def is_damage(error: sqlite3.Error) -> bool:
    return isinstance(error, Damaged) or _code(error) in _DAMAGE


def disk_error(path: Path, error: sqlite3.Error) -> DiskFull | None:
    """The disk's trouble as the spool's own error; None where `error` is something else."""
    code = _code(error)
    if code == sqlite3.SQLITE_FULL:
        return DiskFull(f"{path.parent} has no space left: free some, the spool goes on by itself")
    if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_BUSY):
        return DiskFailed(f"{path} cannot be written: {error} ({getattr(error, 'sqlite_errorname', 'unknown')})")
    return None


def _code(error: sqlite3.Error) -> int:
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF


class Lock:
    """That no two processes write one spool. Released by `release` or the end of the process."""

    def __init__(self, path: Path) -> None:
        """Raises SpoolUnusable when another process has it, OSError when the file cannot be made."""
        self._fd = open_private(path.with_name(path.name + ".lock"), os.O_RDWR)
        if sys.platform == "win32":
            return  # no flock: two gateways on one spool are not noticed there
        import fcntl

        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._fd)
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
            raise SpoolUnusable(
                f"spool {path} is in use by another process: stop that gateway, or give this one its own state_dir"
            ) from error

    def release(self) -> None:
        os.close(self._fd)


class Reserve:
    """Disk space kept back for a full disk."""

    def __init__(self, path: Path) -> None:
        """Of the spool at `path`; `restore` takes it."""
        self._path = path.with_name(path.name + ".reserve")
        self._had = 0

    @property
    def whole(self) -> bool:
        return self._size() >= RESERVE_BYTES

    def release(self) -> bool:
        """Give it to the disk; False when there was none."""
        self._had = self._size()
        try:
            self._path.unlink()
        except OSError:
            return False
        return True

    def restore(self) -> None:
        """Take it again where the disk has room for it: no more than a quarter of what is free."""
        size = min(RESERVE_BYTES, self._free() // 4)
        if size >= LEAST_RESERVE_BYTES and self._size() < size:
            self._take(size)

    def retake(self) -> None:
        """Take back what was just released, or as much of it as is still there."""
        size = min(self._had, self._free() - min(MARGIN_BYTES, self._had // 4))
        if size > 0:
            self._take(size)

    def _take(self, size: int) -> None:
        if not hasattr(os, "posix_fallocate"):
            return
        try:
            fd = open_private(self._path, os.O_WRONLY)
            try:
                os.posix_fallocate(fd, 0, size)
            finally:
                os.close(fd)
        except (OSError, LinkRefused):
            self.release()

    def _size(self) -> int:
        try:
            return self._path.stat().st_size
        except OSError:
            return 0

    def _free(self) -> int:
        if not hasattr(os, "statvfs"):
            return 0
        try:
            free = os.statvfs(self._path.parent)
        except OSError:
            return 0
        return free.f_bavail * free.f_frsize


def files_of(path: Path) -> list[Path]:
    """What there may be of the spool at `path`: its file, SQLite's beside it, lock and reserve."""
    return [path.with_name(path.name + ending) for ending in ("", "-wal", "-shm", "-journal", ".lock", ".reserve")]


def keep_private(path: Path) -> None:
    """Close a spool's files to others. Before it is opened. Raises OSError, LinkRefused."""
    damaged = [each for file in asides(path) for each in with_logs(file)]
    refuse_links(files_of(path))
    private_files(files_of(path) + damaged)


def open_file(path: Path, now_ns: int, limits: SpoolConfig) -> tuple[SpoolFile, str | None]:
    """The file, and what a person should know about it. Raises SpoolUnusable, sqlite3.Error (disk)."""
    fresh = not path.exists()
    try:
        opened = SpoolFile(path, now_ns // 1000, limits.quarantine_bytes)
    except sqlite3.Error as error:
        if not is_damage(error):
            raise
        return replace_file(path, now_ns, limits, str(error))
    try:
        if 0 < size_on_disk(path) <= CHECKED_BYTES:
            opened.check()
    except sqlite3.Error as error:
        opened.close()
        if not is_damage(error):
            raise
        return replace_file(path, now_ns, limits, str(error), opened)
    if fresh:
        sync_directory(path.parent)
    return opened, None


def replace_file(
    path: Path, now_ns: int, limits: SpoolConfig, why: str, old: SpoolFile | None = None
) -> tuple[SpoolFile, str]:
    """Set the closed, damaged file aside and begin a new one, with the numbers and ledgers of `old`.

    Without `old` they are read from the damaged file, where that is possible.
    """
    aside = set_aside(path, now_ns, limits.max_bytes)
    number, taken = (old.last_seq + 1, old.taken) if old is not None else _remembered(aside)
    new = begin_file(path, max(now_ns // 1000, number), limits.quarantine_bytes, taken)
    return new, say_aside(path, aside, why)


def begin_file(path: Path, first_seq: int, quarantine_limit: int, taken: TakenLedger | None) -> SpoolFile:
    """A new file that goes on with the ledger of an earlier one.

    Raises sqlite3.Error and OSError, and may then be called again.
    """
    opened = SpoolFile(path, first_seq, quarantine_limit)
    try:
        if taken is not None:
            opened.compact_taken(taken)
        sync_directory(path.parent)
    except (OSError, sqlite3.Error):
        opened.close()
        raise
    return opened


def _remembered(aside: Path) -> tuple[int, TakenLedger | None]:
    """The next row number and the ledger of a damaged file, as far as SQLite still finds them."""
    number, taken = 0, None
    with contextlib.suppress(sqlite3.Error), contextlib.closing(read_only(aside)) as db:
        found = db.execute("SELECT value FROM state WHERE name = 'ceiling'").fetchone()
        number = found[0] if found and isinstance(found[0], int) else 0
        taken = TakenLedger(db)
    return number, taken


def size_on_disk(path: Path) -> int:
    """Bytes of the file and its log."""
    files = (path, path.with_name(path.name + "-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


def sync_directory(directory: Path) -> None:
    """Make a new name in `directory` last. Windows has no such call and needs none."""
    if sys.platform == "win32":
        return
    fd = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
