"""The columns of the spool's SQLite file and how it is opened.

    row         seq, at_ns, lane, points, crc, things, lines   one lane of one commit
    taken       id, session, ids                               one session of one commit
    quarantine  id, time_ns, source, device, thing, stage, kind, reason, data
    state       name, value                                    "ceiling": the next start's first seq

`crc` is the CRC-32 (zlib) of seq, at_ns, lane and points (as `<qqqq`) and then `lines`.
`things` is JSON {thing: points} in the drop lane, else NULL. `ids` are in `ledger`.
`lines` stands last, so that counting rows never reads the pages that hold them.
"""

import contextlib
import sqlite3
import struct
import zlib
from pathlib import Path

from gateway.state import create_private

PAGE_BYTES = 4096
LOG_PAGES = 1000
"""The log is moved into the file when it has so many; earlier on a small disk."""

_PRAGMAS = (
    f"PRAGMA page_size = {PAGE_BYTES}",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA fullfsync = 1",  # macOS: through the drive's cache; nothing elsewhere
    "PRAGMA checkpoint_fullfsync = 1",
    "PRAGMA secure_delete = 0",  # Debian's default zeroes every freed page: four times the cost
    f"PRAGMA wal_autocheckpoint = {LOG_PAGES}",
    f"PRAGMA journal_size_limit = {8 << 20}",
    "PRAGMA cache_size = -4096",
    "PRAGMA trusted_schema = 0",
)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS row(
    seq INTEGER PRIMARY KEY, at_ns INTEGER, lane INTEGER, points INTEGER, crc INTEGER, things TEXT, lines BLOB);
CREATE INDEX IF NOT EXISTS row_drop ON row(seq) WHERE lane = 1;
CREATE TABLE IF NOT EXISTS taken(id INTEGER PRIMARY KEY, session TEXT, ids BLOB);
CREATE TABLE IF NOT EXISTS quarantine(
    id INTEGER PRIMARY KEY, time_ns INTEGER, source TEXT, device TEXT, thing TEXT,
    stage TEXT, kind TEXT, reason TEXT, data BLOB);
CREATE TABLE IF NOT EXISTS state(name TEXT PRIMARY KEY, value INTEGER);
"""


class Damaged(sqlite3.DatabaseError):
    """The file is a database, and what it holds is not what was written."""


def connect(path: Path) -> sqlite3.Connection:
    """The connection of the one writer. Raises sqlite3.Error."""
    with contextlib.suppress(OSError):  # SQLite then says why in the words that are known
        create_private(path)  # what SQLite makes beside the file has the file's mode
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
    try:
        for pragma in _PRAGMAS:
            db.execute(pragma)
        db.executescript(_SCHEMA)
        db.text_factory = lambda raw: raw.decode(errors="replace")
    except sqlite3.Error:
        db.close()
        raise
    return db


def checksum(seq: int, at_ns: int, lane: int, points: int, lines: bytes) -> int:
    return zlib.crc32(lines, zlib.crc32(struct.pack("<qqqq", seq, at_ns, lane, points)))


def read_only(path: Path) -> sqlite3.Connection:
    """A connection that changes nothing. Without a log beside the file SQLite makes none either."""
    log = path.with_name(path.name + "-wal")
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro{'' if log.exists() else '&immutable=1'}", uri=True)
