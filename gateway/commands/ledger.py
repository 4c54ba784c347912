"""Who asked for what, when, and what became of it: one SQLite file beside the spool, for this user only.

A command is written here before anything is said to a device, and once more when it has ended. So its key is known
after a crash, and what was under way then is found at the next start: it is said to have timed out, and it is
never said again.

Bounds. Entries are kept for `keep_days`. There are at most MOST of them: room is made by the oldest that were never
sent, then by the oldest of all that are older than KEY_S; where there is none, nothing more is taken. So a key holds
for KEY_S at least, and for `keep_days` where there are not too many.

A damaged file is set aside and a new one begun; its keys are lost then, which is said in the log.

Everything here waits for the disk; the desk calls it off the event loop, one call at a time.
Source: sqlite.org, "Pragma statements" (synchronous, journal_mode).
"""

import json
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from gateway.commands.entry import Entry
from gateway.state import create_private, refuse_links

log = logging.getLogger("parkgate.commands")

MOST = 100_000
KEY_S = 86_400.0
"""How long a key holds in any case."""

BUSY_S = 5.0
LOST = "the gateway ended before the answer came; whether it was done is not known"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS command (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, thing TEXT NOT NULL, source TEXT NOT NULL,
    device TEXT NOT NULL, command TEXT NOT NULL, arguments TEXT NOT NULL, key TEXT, by TEXT NOT NULL, via TEXT NOT NULL,
    asked_ns INTEGER NOT NULL, state TEXT NOT NULL, why TEXT NOT NULL, sent INTEGER NOT NULL, ended_ns INTEGER
);
CREATE UNIQUE INDEX IF NOT EXISTS by_key ON command (key) WHERE key IS NOT NULL AND sent;
CREATE INDEX IF NOT EXISTS by_thing ON command (thing, number);
"""
_COLUMNS = "id, thing, source, device, command, arguments, key, by, via, asked_ns, state, why, sent, ended_ns, number"


class LedgerFull(Exception):
    """No more is taken; the text is for people."""


class LedgerUnusable(Exception):
    """The file cannot be used; one line for the person who started the gateway."""


class Ledger:
    """The file at `path`. Raises LedgerUnusable where it cannot be opened, `state.LinkRefused` where it is a link."""

    def __init__(self, path: Path, keep_days: float, now_ns: int, *, most: int = MOST) -> None:
        self._path = path
        self._keep_ns = round(keep_days * 86_400e9)
        self._most = most
        refuse_links((path,))
        try:
            self._db = self._open(now_ns)
        except (sqlite3.Error, OSError) as error:
            raise LedgerUnusable(f"cannot use {path}: {error}; expected a file of the gateway's own") from error
        self._count: int = self._db.execute("SELECT count(*) FROM command").fetchone()[0]

    def add(self, entry: Entry) -> None:
        """Write a new entry; `number` is set. It is on the disk when this returns. Raises LedgerFull, sqlite3.Error."""
        self._make_room(entry.asked_ns)
        with self._db:
            row = self._db.execute(
                f"INSERT INTO command ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
                (
                    entry.id, entry.thing, entry.source, entry.device, entry.command,
                    json.dumps(dict(entry.arguments)), entry.key, entry.by, entry.via, entry.asked_ns, entry.state,
                    entry.why, entry.sent, entry.ended_ns,
                ),
            )  # fmt: skip
        self._count += 1
        assert row.lastrowid is not None
        entry.number = row.lastrowid

    def change(self, entry: Entry) -> None:
        """Write down what has become of it."""
        with self._db:
            self._db.execute(
                "UPDATE command SET state = ?, why = ?, sent = ?, ended_ns = ? WHERE number = ?",
                (entry.state, entry.why, entry.sent, entry.ended_ns, entry.number),
            )

    def find(self, id_: str) -> Entry | None:
        return next(self._entries("id = ?", id_, limit=1), None)

    def by_key(self, key: str) -> Entry | None:
        """The command that was sent under a key."""
        return next(self._entries("key = ? AND sent", key, limit=1), None)

    def newest(self, limit: int, before: int | None = None, thing: str | None = None) -> list[Entry]:
        """Entries with a number below `before`, the newest first."""
        last = before if before is not None else 1 << 62
        if thing is None:
            return list(self._entries("number < ?", last, limit=limit))
        return list(self._entries("number < ? AND thing = ?", last, thing, limit=limit))

    def close(self) -> None:
        self._db.close()

    def _open(self, now_ns: int) -> sqlite3.Connection:
        create_private(self._path)
        try:
            return self._begin(now_ns)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
                raise
            aside = self._path.with_name(f"{self._path.name}.damaged-{now_ns // 1_000_000_000}")
            self._path.replace(aside)
            log.error("%s is damaged (%s): set aside as %s; its keys do not hold any more", self._path, error, aside)
            create_private(self._path)
            return self._begin(now_ns)

    def _begin(self, now_ns: int) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, timeout=BUSY_S, check_same_thread=False)
        try:
            db.execute("PRAGMA synchronous = FULL")
            (found,) = db.execute("PRAGMA quick_check(1)").fetchone()
            if found != "ok":
                raise sqlite3.DatabaseError(found)
            db.executescript(_SCHEMA)
            with db:
                db.execute(
                    "UPDATE command SET state = 'timed_out', why = ?, ended_ns = ? WHERE ended_ns IS NULL",
                    (LOST, now_ns),
                )
        except BaseException:
            db.close()
            raise
        return db

    def _make_room(self, now_ns: int) -> None:
        """Forget what is too old, and the oldest of too many."""
        with self._db:
            gone = self._db.execute("DELETE FROM command WHERE asked_ns < ?", (now_ns - self._keep_ns,)).rowcount
            self._count -= gone
            if self._count < self._most:
                return
            for which, bound in (("NOT sent", now_ns), ("ended_ns IS NOT NULL", now_ns - round(KEY_S * 1e9))):
                some = max(1, self._most // 100)
                self._count -= self._db.execute(
                    "DELETE FROM command WHERE number IN "
                    f"(SELECT number FROM command WHERE {which} AND asked_ns <= ? ORDER BY number LIMIT ?)",
                    (bound, some),
                ).rowcount
                if self._count < self._most:
                    return
        raise LedgerFull(f"{self._most} commands were given in the last day, and no more can be kept in {self._path}")

    def _entries(self, where: str, *values: object, limit: int) -> Iterator[Entry]:
        rows = self._db.execute(
            f"SELECT {_COLUMNS} FROM command WHERE {where} ORDER BY number DESC LIMIT ?", (*values, limit)
        )
        return map(_entry, rows.fetchall())


def _entry(row: tuple[object, ...]) -> Entry:
    values = list(row)
    values[5], values[12] = json.loads(str(values[5])), bool(values[12])
    entry = Entry(*values)  # type: ignore[arg-type]  # the columns are those of the fields, in their order
    if entry.ended:
        entry.over.set()
    return entry


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_S)) as db:
        yield db


def read(path: Path, limit: int, thing: str | None = None) -> list[Entry]:
    """The newest entries of a file, also while its gateway runs; nothing where there is none. Raises LedgerUnusable."""
    if not path.exists():
        return []
    where, values = ("thing = ?", (thing, limit)) if thing is not None else ("1", (limit,))
    try:
        with _reading(path) as db:
            rows = db.execute(f"SELECT {_COLUMNS} FROM command WHERE {where} ORDER BY number DESC LIMIT ?", values)
            return [_entry(row) for row in rows.fetchall()]
    except sqlite3.Error as error:
        raise LedgerUnusable(f"{path} cannot be read: {error}") from error
