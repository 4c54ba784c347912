"""What could not be decoded or was refused, in its table of the spool file: bounded in bytes, the oldest goes first.

Of one item 64 KiB of data are kept; the reason says how many there were.
"""

import sqlite3
from collections.abc import Sequence

from gateway.intake import Quarantined
from gateway.spool.rows import ROW_BYTES, Totals

KEPT_BYTES = 1 << 16  # of one item

_COLUMNS = "time_ns, source, device, thing, stage, kind, reason, data"


class QuarantineTable:
    """The table, which holds no more than `limit` charged bytes."""

    def __init__(self, db: sqlite3.Connection, limit: int) -> None:
        self._db = db
        self._limit = limit

    def count(self) -> tuple[int, int]:
        """Items, and the bytes charged for them."""
        count, size = self._db.execute("SELECT count(*), coalesce(sum(length(data)), 0) FROM quarantine").fetchone()
        return count, size + count * ROW_BYTES

    def keep(self, items: Sequence[Quarantined], after: Totals) -> None:
        """Add `items` inside the caller's transaction; older ones go where they do not fit. `after` follows."""
        if not items:
            return
        kept = [_bounded(item) for item in items]
        self._db.executemany(f"INSERT INTO quarantine({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", kept)
        after.quarantined += len(kept)
        after.quarantine_bytes += sum(len(item.data) + ROW_BYTES for item in kept)
        if after.quarantine_bytes <= self._limit:
            return
        found = self._db.execute("SELECT id, length(data) FROM quarantine ORDER BY id")
        upto = 0
        for upto, size in found:  # noqa: B007 - the last one counts
            after.quarantined -= 1
            after.quarantine_bytes -= size + ROW_BYTES
            if after.quarantine_bytes <= self._limit:
                break
        found.close()
        gone = self._db.execute(
            "SELECT kind, reason, count(*) FROM quarantine WHERE id <= ? GROUP BY kind, reason ORDER BY 3 DESC", (upto,)
        ).fetchall()
        after.given_up = after.given_up.plus(gone)
        self._db.execute("DELETE FROM quarantine WHERE id <= ?", (upto,))


def newest_quarantined(db: sqlite3.Connection, limit: int) -> list[Quarantined]:
    """The newest `limit` items that `db` holds, newest first; `db` may be a connection that only reads."""
    found = db.execute(f"SELECT {_COLUMNS} FROM quarantine ORDER BY id DESC LIMIT ?", (limit,))
    return [Quarantined(*row) for row in found]


def _bounded(item: Quarantined) -> Quarantined:
    time_ns, *texts, data = item
    if not all(text.isascii() for text in texts):  # half a surrogate pair would fail the commit, for ever
        item = Quarantined._make((time_ns, *(text.encode(errors="replace").decode() for text in texts), data))
    if len(item.data) <= KEPT_BYTES:
        return item
    reason = f"{item.reason} (first {KEPT_BYTES} of {len(item.data)} bytes kept)"
    return item._replace(reason=reason, data=item.data[:KEPT_BYTES])
