"""Every statement that touches the spool's rows; the columns are in `schema`.

Blocking, and to be called from one thread at a time; `spool.py` is the async outside and
holds the design. Rows are never changed after they were written.
"""

import json
import re
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from gateway.intake import Intake, Lane, Quarantined
from gateway.spool.kept import QuarantineTable
from gateway.spool.ledger import TakenLedger
from gateway.spool.rows import ROW_BYTES, Room, Row, StoredRow, Sums, Totals
from gateway.spool.schema import PAGE_BYTES, Damaged, checksum, connect
from gateway.spool.wal import WriteAheadLog

SEQ_STRIDE = 1 << 20

_THING = re.compile(rb"^(?:\\.|[^ \n\\])*?,thing=((?:\\.|[^\\, ])*)", re.MULTILINE)


class SpoolFile:
    """One open file. Every method that writes is one transaction: all of it or nothing."""

    def __init__(self, path: Path, first_seq: int, quarantine_limit: int) -> None:
        self.db = connect(path)
        self.totals = Totals()
        self.log = WriteAheadLog(self.db, path)
        self.quarantine = QuarantineTable(self.db, quarantine_limit)
        try:
            self._count()
            self.taken = TakenLedger(self.db)
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

    def check(self) -> None:
        """Look at every page. Raises Damaged with the first thing found."""
        found = self.db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise Damaged(" ".join(str(found).split()))

    def free_bytes(self) -> int:
        """Bytes of the file that hold nothing and are used before it grows."""
        pages: int = self.db.execute("PRAGMA freelist_count").fetchone()[0]
        return pages * PAGE_BYTES

    # -- writing ---------------------------------------------------------------------------

    def append(self, rows: Sequence[Row], at_ns: int, intake: Intake, room: Room) -> dict[str, int]:
        """Store `rows` and the intake's quarantine and ledger in one synced transaction.

        `room` is made first, in the same transaction; what was given up for it is returned,
        points by thing. Raises sqlite3.Error, and then nothing has changed.
        """
        if self.taken.long:
            self.compact_taken()
        after = self.totals.copy()
        seq = self._last
        records = []
        for row in rows:
            seq += 1
            things = json.dumps(row.things) if row.things is not None else None
            records.append(
                (
                    seq,
                    at_ns,
                    int(row.lane),
                    row.points,
                    checksum(seq, at_ns, row.lane, row.points, row.lines),
                    things,
                    row.lines,
                )
            )
        ceiling = self._ceiling if seq < self._ceiling else seq + SEQ_STRIDE
        with _Transaction(self.db):
            dropped = self._make(room, after)
            self.db.executemany("INSERT INTO row VALUES (?, ?, ?, ?, ?, ?, ?)", records)
            if ceiling != self._ceiling:
                self.db.execute("INSERT OR REPLACE INTO state VALUES ('ceiling', ?)", (ceiling,))
            self.quarantine.keep(intake.quarantined, after)
            self.taken.write(intake.taken)
        for row in rows:
            after.lanes[row.lane] = after.lanes[row.lane].plus(Sums(1, row.points, row.charge))
        if rows:
            after.newest = seq
            after.oldest_ns = at_ns if after.oldest_ns is None else after.oldest_ns
        self.totals, self._last, self._ceiling = after, seq, ceiling
        self.taken.remember(intake.taken)
        return dropped

    def remove(self, first: int, last: int, quarantined: Sequence[Quarantined] = ()) -> None:
        """Forget rows `first`..`last` and keep `quarantined`.

        Not synced: a removal that a power failure undoes is undone whole, and the batch is
        delivered once more.
        """
        after = self.totals.copy()
        self.db.execute("PRAGMA synchronous = NORMAL")
        try:
            with _Transaction(self.db):
                self._forget("row", "seq BETWEEN ? AND ?", (first, last), after)
                self.quarantine.keep(quarantined, after)
        finally:
            self.db.execute("PRAGMA synchronous = FULL")
        self.totals = after

    def compact_taken(self, adopted: TakenLedger | None = None) -> None:
        """Write the ledger whole in place of its log; first take over `adopted`, an earlier file's."""
        if adopted is not None:
            self.taken.adopt(adopted)
        with _Transaction(self.db):
            self.taken.compact()

    def expel(self, seq: int, item: Quarantined) -> None:
        """Move an unsound row into the quarantine and count afresh, since its columns cannot be trusted."""
        after = self.totals.copy()
        with _Transaction(self.db):
            self.db.execute("DELETE FROM row WHERE seq = ?", (seq,))
            self.quarantine.keep((item,), after)
            _ends(self.db, after)
        self.totals = after
        self._count()

    # -- reading ---------------------------------------------------------------------------

    def read(self, after: int, max_points: int, max_bytes: int) -> list[StoredRow]:
        """The rows after `after`: one at least, no more than fit."""
        last = points = size = 0
        found = self.db.execute(
            "SELECT seq, CAST(points AS INTEGER), coalesce(length(lines), 0) FROM row WHERE seq > ? ORDER BY seq",
            (after,),
        )
        for row_seq, row_points, row_size in found:
            points, size = points + row_points, size + row_size
            if last and (points > max_points or size > max_bytes):
                break
            last = row_seq
        found.close()
        if not last:
            return []
        select = "SELECT seq, at_ns, lane, points, crc, lines FROM row WHERE seq > ? AND seq <= ? ORDER BY seq"
        return [StoredRow(*row) for row in self.db.execute(select, (after, last))]

    # -- inside ----------------------------------------------------------------------------

    def _make(self, room: Room, after: Totals) -> dict[str, int]:
        """Give up what is too old, then the drop lane's oldest rows; the points by thing."""
        dropped: dict[str, int] = {}
        upto = 0
        if after.oldest_ns is not None and after.oldest_ns < room.not_before_ns:
            found = self.db.execute("SELECT seq, at_ns, points, things, lines FROM row ORDER BY seq LIMIT 1000")
            for seq, at_ns, points, text, lines in found:
                if at_ns >= room.not_before_ns:
                    break
                upto = seq
                _count_things(dropped, points, text, lines)
            found.close()
            self._forget("row", "seq <= ?", (upto,), after)
        over = after.rows.bytes + room.bytes - room.limit
        if over > 0 and after.lanes[Lane.DROP].rows:
            found = self.db.execute(
                "SELECT seq, points, things, length(lines), CASE WHEN things IS NULL THEN lines END"
                " FROM row INDEXED BY row_drop WHERE lane = 1 ORDER BY seq"
            )
            for seq, points, text, size, lines in found:
                upto = seq
                _count_things(dropped, points, text, lines)
                over -= size + ROW_BYTES
                if over <= 0:
                    break
            found.close()
            self._forget("row INDEXED BY row_drop", "lane = 1 AND seq <= ?", (upto,), after)
        return dropped

    def _forget(self, table: str, where: str, values: tuple[int, ...], after: Totals) -> None:
        for lane, sums in enumerate(_sums(self.db, table, where, values)):
            after.lanes[lane] = after.lanes[lane].minus(sums)
        self.db.execute(f"DELETE FROM {table} WHERE {where}", values)
        _ends(self.db, after)

    def _count(self) -> None:
        sound = "lane IN (0, 1) AND typeof(at_ns) = 'integer' AND typeof(points) = 'integer' AND typeof(lines) = 'blob'"
        if self.db.execute(f"SELECT count(*) FROM row WHERE NOT ({sound})").fetchone()[0]:
            raise Damaged("a row is not what was written")
        self.totals.lanes = _sums(self.db, "row", "true", ())
        self.totals.quarantined, self.totals.quarantine_bytes = self.quarantine.count()
        _ends(self.db, self.totals)

    def _start(self, first_seq: int) -> tuple[int, int]:
        """The last number given and the ceiling; the first append moves the ceiling on."""
        found = self.db.execute("SELECT value FROM state WHERE name = 'ceiling'").fetchone()
        start = max(found[0] if found else first_seq, self.totals.newest + 1)
        return start - 1, start


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


def _sums(db: sqlite3.Connection, table: str, where: str, values: tuple[int, ...]) -> list[Sums]:
    """By lane. Not by GROUP BY: its sorter would read every row's lines."""
    columns = ", ".join(
        f"coalesce(sum(lane = {lane}), 0), coalesce(sum((lane = {lane}) * points), 0),"
        f" coalesce(sum((lane = {lane}) * length(lines)), 0)"
        for lane in (0, 1)
    )
    found = db.execute(f"SELECT {columns} FROM {table} WHERE {where}", values).fetchone()
    return [Sums(rows, points, size + rows * ROW_BYTES) for rows, points, size in (found[0:3], found[3:6])]


def _ends(db: sqlite3.Connection, after: Totals) -> None:
    oldest = db.execute("SELECT at_ns FROM row ORDER BY seq LIMIT 1").fetchone()
    after.oldest_ns = oldest[0] if oldest else None
    after.newest = db.execute("SELECT coalesce(max(seq), 0) FROM row").fetchone()[0]


def _count_things(counts: dict[str, int], points: int, things: str | None, lines: bytes | None) -> None:
    """Add one row's points by thing: as the intake counted them, else by the tag in its lines."""
    if things is not None:
        found = _things(things)
    else:
        found = {}
        for match in _THING.finditer(lines or b""):
            name = re.sub(rb"\\(.)", rb"\1", match[1]).decode(errors="replace")
            found[name] = found.get(name, 0) + 1
    unnamed = points - sum(found.values())
    if unnamed > 0:
        found[""] = found.get("", 0) + unnamed
    for thing, count in found.items():
        counts[thing] = counts.get(thing, 0) + count


def _things(text: str | None) -> dict[str, int]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    return {str(thing): count for thing, count in found.items() if isinstance(count, int)}
