"""SQLite's write-ahead log beside the spool file: how long it may grow before it is moved into the file."""

import sqlite3
from pathlib import Path

from gateway.spool.schema import LOG_PAGES, PAGE_BYTES

LOG_SHARE = 8  # the log takes no more than this part of what is free on the disk
LOG_LEAST_PAGES = 16


class WriteAheadLog:
    """The log of the spool at `path`, through its one writing connection."""

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        self._db = db
        self._path = path.with_name(path.name + "-wal")
        self._pages = LOG_PAGES

    def checkpoint(self) -> None:
        """Move the log into the file and cut the log to nothing."""
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    def bound(self, disk_free: int) -> int:
        """Move the log into the file before it takes a fair part of the disk; bytes that it may still grow by."""
        pages = max(LOG_LEAST_PAGES, min(LOG_PAGES, disk_free // LOG_SHARE // PAGE_BYTES))
        if pages != self._pages:
            self._db.execute(f"PRAGMA wal_autocheckpoint = {pages}")
            self._pages = pages
        try:
            size = self._path.stat().st_size
        except OSError:
            size = 0
        return max(0, pages * PAGE_BYTES - size)
