"""What is still readable in a damaged spool file.

First SQLite itself, read-only, from the lowest row up and, where that fails, from the highest
row down. What lies between, or everything where SQLite refuses the file, is looked for in the
bare pages (`pages`). Rows whose CRC-32 does not fit are counted and left out.

Limits: pages that are gone are gone; without a readable table the bare pages may give rows
back that were delivered before (writing them again changes nothing in InfluxDB). The
quarantine and the ledger of acknowledged messages are not salvaged.
"""

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from gateway.config import SpoolConfig
from gateway.intake import Intake, Lane
from gateway.spool.open import SpoolUnusable
from gateway.spool.pages import open_pages
from gateway.spool.rows import Room, Row, StoredRow
from gateway.spool.schema import read_only
from gateway.spool.store import Store
from gateway.state import LinkRefused, open_private

_COLUMNS = "seq, at_ns, lane, points, crc, lines"


class SalvageReport(NamedTuple):
    """`carved` of the `rows` were found in bare pages only; `unsound` rows were left out."""

    rows: int
    points: int
    carved: int
    unsound: int
    whole: bool


def salvage(damaged: Path, into: Path, now_ns: int) -> SalvageReport:
    """Copy every readable row of `damaged`, in order, into the spool `into` or the text file `into` (.lp).

    `damaged` is not changed. A spool must not be in use; `max_bytes` does not bound what is
    added to it here. Raises SpoolUnusable.
    """
    if not damaged.is_file():
        raise SpoolUnusable(f"{damaged} is not a file: expected a spool file that was set aside")
    if into.resolve() == damaged.resolve():
        raise SpoolUnusable(f"{damaged} cannot be salvaged into itself")
    reader = _Reader(damaged)
    rows = points = 0
    with _writer(into, now_ns) as write:
        for row in reader.rows():
            write(row)
            rows, points = rows + 1, points + row.points
    return SalvageReport(rows, points, reader.carved, reader.unsound, reader.whole)


class _Reader:
    def __init__(self, path: Path) -> None:
        self._path = path
        self.carved = self.unsound = 0
        self.whole = True

    def rows(self) -> Iterator[StoredRow]:
        """Sound rows in the order of their numbers."""
        low = -(1 << 63)
        for row in self._sql("SELECT {} FROM row ORDER BY seq"):
            low = max(low, row.seq)
            yield from self._sound(row)
        if self.whole:
            return
        top = self._lowest_from_above(low)
        yield from self._carve(low, top)
        for row in self._sql(f"SELECT {{}} FROM row WHERE seq >= {top} ORDER BY seq"):
            yield from self._sound(row)

    def _sound(self, row: StoredRow) -> Iterator[StoredRow]:
        if row.sound:
            yield row
        else:
            self.unsound += 1

    def _sql(self, select: str) -> Iterator[StoredRow]:
        """Rows until SQLite fails, which leaves `whole` False."""
        try:
            with contextlib.closing(_opened(self._path)) as db:
                for row in db.execute(select.format(_COLUMNS)):
                    yield StoredRow(*row)
        except sqlite3.Error:
            self.whole = False

    def _lowest_from_above(self, low: int) -> int:
        """The lowest row that SQLite reaches, lines and all, from the highest row down to `low`."""
        lowest = (1 << 63) - 1
        try:
            with contextlib.closing(_opened(self._path)) as db:
                for row in db.execute("SELECT seq, lines FROM row WHERE seq > ? ORDER BY seq DESC", (low,)):
                    lowest = row[0]
        except sqlite3.Error:
            pass
        return lowest

    def _carve(self, above: int, below: int) -> Iterator[StoredRow]:
        pages, files = open_pages(self._path)
        with contextlib.ExitStack() as stack:
            for file in files:
                stack.enter_context(file)
            last = above
            for place in sorted(place for place in pages.places() if above < place.seq < below):
                row = pages.row(place) if place.seq != last else None
                if row is not None:
                    last, self.carved = row.seq, self.carved + 1
                    yield row


def _opened(path: Path) -> sqlite3.Connection:
    db = read_only(path)
    db.text_factory = bytes
    return db


@contextlib.contextmanager
def _writer(into: Path, now_ns: int) -> Iterator[Callable[[StoredRow], None]]:
    if into.suffix == ".lp":
        try:
            file = os.fdopen(open_private(into, os.O_WRONLY | os.O_EXCL), "wb")
        except LinkRefused as error:
            raise SpoolUnusable(str(error)) from error
        except OSError as error:
            raise SpoolUnusable(f"{into}: {error.strerror}") from error
        with file:
            yield lambda row: _text(file.write, row)
        return
    store = Store(into, SpoolConfig(), now_ns)
    try:
        room = Room(0, 1 << 62, 0)
        yield lambda row: _keep(store, row, room)
    finally:
        store.close()


def _text(write: Callable[[bytes], int], row: StoredRow) -> None:
    write(row.lines + b"\n")


def _keep(store: Store, row: StoredRow, room: Room) -> None:
    store.file.append([Row(Lane(row.lane), row.points, row.lines)], row.at_ns, Intake(), room)
