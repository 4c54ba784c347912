"""The SQLite file under the spool: what a row is, and every statement that touches the disk.

Blocking, and to be called from one thread at a time; `gateway.spool` is the async outside and
holds the design page. Rows are never changed after they were written.

    row         seq, at_ns, lane, points, crc, things, lines   one lane of one commit
    taken       id, session, ids                               one session of one commit
    quarantine  id, time_ns, source, device, thing, stage, kind, reason, data
    state       name, value                                    "ceiling": the next start's first seq

`crc` is the CRC-32 (zlib) of `lines`; `things` is JSON {thing: points} in the drop lane, else
NULL; `ids` are little-endian unsigned 64-bit integers as `Intake.taken` has them.
"""

import json
import re
import sqlite3
import struct
import sys
import zlib
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from gateway.intake import Intake, Lane, Quarantined

PAGE_BYTES = 4096
ROW_BYTES = 64  # charged per row beside its lines: header, index and slack
SEQ_STRIDE = 1 << 20
KEPT_BYTES = 1 << 16  # of one quarantined item
LEDGER_IDS = 1 << 16  # packet identifiers are 16 bits

_THING = re.compile(rb"^(?:\\.|[^ \n\\])*?,thing=((?:\\.|[^\\, ])*)", re.MULTILINE)
_PRAGMAS = (
    f"PRAGMA page_size = {PAGE_BYTES}",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA fullfsync = 1",  # macOS: through the drive's cache; nothing elsewhere
    "PRAGMA checkpoint_fullfsync = 1",
    "PRAGMA secure_delete = 0",  # Debian's default zeroes every freed page: four times the cost
    "PRAGMA wal_autocheckpoint = 1000",
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


class Row(NamedTuple):
    """One lane of one commit, still without a sequence number."""

    lane: Lane
    points: int
    lines: bytes
    things: dict[str, int] | None = None

    @property
    def charge(self) -> int:
        return len(self.lines) + ROW_BYTES


class Sums(NamedTuple):
    """Rows, points and charged bytes of some rows."""

    rows: int
    points: int
    bytes: int

    def plus(self, other: "Sums") -> "Sums":
        return Sums(self.rows + other.rows, self.points + other.points, self.bytes + other.bytes)

    def minus(self, other: "Sums") -> "Sums":
        return Sums(self.rows - other.rows, self.points - other.points, self.bytes - other.bytes)


NOTHING = Sums(0, 0, 0)


class Room(NamedTuple):
    """What an append needs: `bytes` more within `limit`, and nothing kept from before `not_before_ns`."""

    bytes: int
    limit: int
    not_before_ns: int


@dataclass(slots=True)
class Totals:
    """What the file holds, kept beside it in memory and set only after a commit."""

    lanes: list[Sums] = field(default_factory=lambda: [NOTHING, NOTHING])
    quarantined: int = 0
    quarantine_bytes: int = 0
    newest: int = 0  # seq of the newest row, 0 when there is none
    oldest_ns: int | None = None

    @property
    def rows(self) -> Sums:
        return self.lanes[0].plus(self.lanes[1])

    def copy(self) -> "Totals":
        return Totals(list(self.lanes), self.quarantined, self.quarantine_bytes, self.newest, self.oldest_ns)


def connect(path: Path) -> sqlite3.Connection:
    """The connection of the one writer. Raises sqlite3.Error."""
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
    try:
        for pragma in _PRAGMAS:
            db.execute(pragma)
        db.executescript(_SCHEMA)
    except sqlite3.Error:
        db.close()
        raise
    return db


def pack_ids(ids: Iterable[int]) -> bytes:
    packed = array("Q", ids)
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()


def unpack_ids(data: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(data) // 8}Q", data[: len(data) // 8 * 8])


class SpoolFile:
    """One open file. Every method that writes is one transaction: all of it or nothing."""

    def __init__(self, path: Path, first_seq: int, quarantine_limit: int) -> None:
        self.db = connect(path)
        self.totals = Totals()
        self.ledgers: dict[str, array[int]] = {}
        self._quarantine_limit = quarantine_limit
        self._logged = 0
        try:
            self._count()
            self._load_taken()
            self._last, self._ceiling = self._start(first_seq)
        except sqlite3.Error:
            self.db.close()
            raise

    @property
    def last_seq(self) -> int:
        """The sequence number given most recently."""
        return self._last

    def close(self) -> None:
        self.db.close()

    # -- writing ---------------------------------------------------------------------------

    def append(self, rows: Sequence[Row], at_ns: int, intake: Intake, room: Room) -> dict[str, int]:
        """Store `rows` and the intake's quarantine and ledger in one synced transaction.

        `room` is made first, in the same transaction; what was given up for it is returned,
        points by thing. Raises sqlite3.Error, and then nothing has changed.
        """
        after = self.totals.copy()
        seq = self._last
        records = []
        for row in rows:
            seq += 1
            things = json.dumps(row.things) if row.things is not None else None
            records.append((seq, at_ns, int(row.lane), row.points, zlib.crc32(row.lines), things, row.lines))
        ceiling = self._ceiling if seq < self._ceiling else seq + SEQ_STRIDE
        with self._transaction():
            dropped = self._make(room, after)
            self.db.executemany("INSERT INTO row VALUES (?, ?, ?, ?, ?, ?, ?)", records)
            if ceiling != self._ceiling:
                self.db.execute("INSERT OR REPLACE INTO state VALUES ('ceiling', ?)", (ceiling,))
            self._keep(intake.quarantined, after)
            for session, ids in intake.taken.items():
                if ids:
                    self.db.execute("INSERT INTO taken(session, ids) VALUES (?, ?)", (session, pack_ids(ids)))
        for row in rows:
            after.lanes[row.lane] = after.lanes[row.lane].plus(Sums(1, row.points, row.charge))
        if rows:
            after.newest = seq
            after.oldest_ns = at_ns if after.oldest_ns is None else after.oldest_ns
        self.totals, self._last, self._ceiling = after, seq, ceiling
        for session, ids in intake.taken.items():
            self._remember(session, ids)
        if self._logged > 4 * LEDGER_IDS * max(1, len(self.ledgers)):
            self._compact_taken()
        return dropped

    def remove(self, first: int, last: int, quarantined: Sequence[Quarantined] = ()) -> None:
        """Forget rows `first`..`last` and keep `quarantined`.

        Not synced: a removal that a power failure undoes is undone whole, and the batch is
        delivered once more.
        """
        after = self.totals.copy()
        self.db.execute("PRAGMA synchronous = NORMAL")
        try:
            with self._transaction():
                self._forget("row", "seq BETWEEN ? AND ?", (first, last), after)
                self._keep(quarantined, after)
        finally:
            self.db.execute("PRAGMA synchronous = FULL")
        self.totals = after

    # -- reading ---------------------------------------------------------------------------

    def read(self, after: int, max_points: int, max_bytes: int) -> list[tuple[int, int, int, bytes]]:
        """(seq, points, crc, lines) of the rows after `after`: one at least, no more than fit."""
        last = points = size = 0
        found = self.db.execute("SELECT seq, points, length(lines) FROM row WHERE seq > ? ORDER BY seq", (after,))
        for row_seq, row_points, row_size in found:
            points, size = points + row_points, size + row_size
            if last and (points > max_points or size > max_bytes):
                break
            last = row_seq
        found.close()
        if not last:
            return []
        select = "SELECT seq, points, crc, lines FROM row WHERE seq > ? AND seq <= ? ORDER BY seq"
        return self.db.execute(select, (after, last)).fetchall()

    def quarantine_rows(self, limit: int) -> list[Quarantined]:
        """The newest `limit` quarantined items, newest first."""
        columns = "time_ns, source, device, thing, stage, kind, reason, data"
        found = self.db.execute(f"SELECT {columns} FROM quarantine ORDER BY id DESC LIMIT ?", (limit,))
        return [Quarantined(*row) for row in found]

    # -- inside ----------------------------------------------------------------------------

    def _transaction(self) -> "_Transaction":
        return _Transaction(self.db)

    def _make(self, room: Room, after: Totals) -> dict[str, int]:
        """Give up what is too old, then the drop lane's oldest rows; the points by thing."""
        dropped: dict[str, int] = {}
        upto = 0
        if after.oldest_ns is not None and after.oldest_ns < room.not_before_ns:
            found = self.db.execute("SELECT seq, at_ns, lane, points, things, lines FROM row ORDER BY seq LIMIT 1000")
            for seq, at_ns, lane, points, text, lines in found:
                if at_ns >= room.not_before_ns:
                    break
                upto = seq
                _count_things(dropped, lane, points, text, lines)
            found.close()
            self._forget("row", "seq <= ?", (upto,), after)
        over = after.rows.bytes + room.bytes - room.limit
        if over > 0 and after.lanes[Lane.DROP].rows:
            found = self.db.execute(
                "SELECT seq, points, things, length(lines) FROM row INDEXED BY row_drop WHERE lane = 1 ORDER BY seq"
            )
            for seq, points, text, size in found:
                upto = seq
                _count_things(dropped, Lane.DROP, points, text, b"")
                over -= size + ROW_BYTES
                if over <= 0:
                    break
            found.close()
            self._forget("row INDEXED BY row_drop", "lane = 1 AND seq <= ?", (upto,), after)
        return dropped

    def _forget(self, table: str, where: str, values: tuple[int, ...], after: Totals) -> None:
        counted = f"SELECT lane, count(*), sum(points), sum(length(lines)) FROM {table} WHERE {where} GROUP BY lane"
        for lane, rows, points, size in self.db.execute(counted, values).fetchall():
            after.lanes[lane] = after.lanes[lane].minus(Sums(rows, points, size + rows * ROW_BYTES))
        self.db.execute(f"DELETE FROM {table} WHERE {where}", values)
        self._ends(after)

    def _ends(self, after: Totals) -> None:
        oldest = self.db.execute("SELECT at_ns FROM row ORDER BY seq LIMIT 1").fetchone()
        after.oldest_ns = oldest[0] if oldest else None
        after.newest = self.db.execute("SELECT coalesce(max(seq), 0) FROM row").fetchone()[0]

    def _keep(self, quarantined: Sequence[Quarantined], after: Totals) -> None:
        if not quarantined:
            return
        kept = [_bounded(item) for item in quarantined]
        self.db.executemany(
            "INSERT INTO quarantine(time_ns, source, device, thing, stage, kind, reason, data)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            kept,
        )
        after.quarantined += len(kept)
        after.quarantine_bytes += sum(len(item.data) + ROW_BYTES for item in kept)
        if after.quarantine_bytes <= self._quarantine_limit:
            return
        found = self.db.execute("SELECT id, length(data) FROM quarantine ORDER BY id")
        upto = 0
        for upto, size in found:  # noqa: B007 - the last one counts
            after.quarantined -= 1
            after.quarantine_bytes -= size + ROW_BYTES
            if after.quarantine_bytes <= self._quarantine_limit:
                break
        found.close()
        self.db.execute("DELETE FROM quarantine WHERE id <= ?", (upto,))

    def _count(self) -> None:
        sums = "SELECT lane, count(*), sum(points), sum(length(lines)) FROM row GROUP BY lane"
        for lane, rows, points, size in self.db.execute(sums).fetchall():
            self.totals.lanes[lane] = Sums(rows, points, size + rows * ROW_BYTES)
        count, size = self.db.execute("SELECT count(*), coalesce(sum(length(data)), 0) FROM quarantine").fetchone()
        self.totals.quarantined, self.totals.quarantine_bytes = count, size + count * ROW_BYTES
        self._ends(self.totals)

    def _start(self, first_seq: int) -> tuple[int, int]:
        found = self.db.execute("SELECT value FROM state WHERE name = 'ceiling'").fetchone()
        start = max(found[0] if found else 0, first_seq if not found else 0, self.totals.newest + 1)
        ceiling = start + SEQ_STRIDE
        with self._transaction():
            self.db.execute("INSERT OR REPLACE INTO state VALUES ('ceiling', ?)", (ceiling,))
        return start - 1, ceiling

    def _load_taken(self) -> None:
        for session, ids in self.db.execute("SELECT session, ids FROM taken ORDER BY id"):
            self._remember(session, unpack_ids(ids))

    def _remember(self, session: str, ids: Sequence[int]) -> None:
        ledger = self.ledgers.get(session)
        if ledger is None:
            ledger = self.ledgers[session] = array("Q", bytes(8 * LEDGER_IDS))
        for entry in ids:
            ledger[(entry >> 32) & 0xFFFF] = entry
        self._logged += len(ids)

    def _compact_taken(self) -> None:
        """Write each ledger once and forget the log that led to it."""
        upto = self.db.execute("SELECT coalesce(max(id), 0) FROM taken").fetchone()[0]
        whole = [(session, pack_ids(entry for entry in ledger if entry)) for session, ledger in self.ledgers.items()]
        with self._transaction():
            self.db.executemany("INSERT INTO taken(session, ids) VALUES (?, ?)", whole)
            self.db.execute("DELETE FROM taken WHERE id <= ?", (upto,))
        self._logged = sum(len(ids) // 8 for _, ids in whole)


class _Transaction:
    """BEGIN IMMEDIATE … COMMIT; whatever goes wrong is rolled back whole."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._db.execute("COMMIT")
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")


def _bounded(item: Quarantined) -> Quarantined:
    if len(item.data) <= KEPT_BYTES:
        return item
    reason = f"{item.reason} (first {KEPT_BYTES} of {len(item.data)} bytes kept)"
    return item._replace(reason=reason, data=item.data[:KEPT_BYTES])


def _count_things(counts: dict[str, int], lane: int, points: int, things: str | None, lines: bytes) -> None:
    """Add one row's points by thing: as the intake counted them, else by the tag in its lines."""
    if lane == Lane.DROP:
        found: dict[str, int] = json.loads(things or "{}")
    else:
        found = {}
        for match in _THING.finditer(lines):
            name = re.sub(rb"\\(.)", rb"\1", match[1]).decode(errors="replace")
            found[name] = found.get(name, 0) + 1
    unnamed = points - sum(found.values())
    if unnamed > 0:
        found[""] = found.get("", 0) + unnamed
    for thing, count in found.items():
        counts[thing] = counts.get(thing, 0) + count
