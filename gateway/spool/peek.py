"""A look into a spool from outside, also while a gateway writes it. Nothing is changed.

The forecast here knows only the rows that wait: it takes the rate at which they came in and
supposes that none is delivered. The running gateway's own (`/healthz`) knows the net rate.
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from gateway.disk import Space, space
from gateway.intake import Quarantined
from gateway.spool.aside import asides
from gateway.spool.kept import newest_quarantined
from gateway.spool.open import Lock, SpoolUnusable, files_of, is_damage
from gateway.spool.rows import ROW_BYTES
from gateway.spool.schema import PAGE_BYTES, read_only
from gateway.state import LinkRefused, refuse_links

MIN_SPAN_S = 10.0


class Look(NamedTuple):
    """`bytes` is charged as in `Depth`; `room` is what may still come before quota or disk are full, and
    `lasts_s` how long that is (None where the rows span under 10 s). `disk` is None where the system does not say."""

    points: int
    rows: int
    bytes: int
    oldest_ns: int | None
    lasts_s: float | None
    quarantined: int
    quarantine_bytes: int
    in_use: bool
    damaged: list[Path]
    room: int
    disk: Space | None


def look(path: Path, max_bytes: int) -> Look:
    """What waits in the spool at `path`. Raises SpoolUnusable."""
    with _reading(path) as db:
        rows, points, size, oldest, newest = db.execute(
            "SELECT count(*), coalesce(sum(points), 0), coalesce(sum(length(lines)), 0), min(at_ns), max(at_ns)"
            " FROM row"
        ).fetchone()
        unused = db.execute("PRAGMA freelist_count").fetchone()[0] * PAGE_BYTES
        kept, kept_bytes = db.execute("SELECT count(*), coalesce(sum(length(data)), 0) FROM quarantine").fetchone()
    charged = size + rows * ROW_BYTES
    span = (newest - oldest) / 1e9 if rows else 0.0
    disk = space(path.parent)
    room = max(0, max_bytes - charged)
    if disk is not None:
        room = min(room, disk.free + unused)
    lasts = room * span / charged if span >= MIN_SPAN_S else None
    quarantine_bytes = kept_bytes + kept * ROW_BYTES
    return Look(points, rows, charged, oldest, lasts, kept, quarantine_bytes, _in_use(path), asides(path), room, disk)


def quarantine(path: Path, limit: int) -> list[Quarantined]:
    """The newest quarantined items, newest first. Raises SpoolUnusable."""
    with _reading(path) as db:
        return newest_quarantined(db, limit)


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        refuse_links(files_of(path))
        if not path.is_file():
            raise SpoolUnusable(f"there is no spool at {path}: the gateway makes it when it first runs")
        if not os.access(path, os.R_OK):
            raise PermissionError
    except LinkRefused as error:
        raise SpoolUnusable(str(error)) from error
    except PermissionError as error:
        raise SpoolUnusable(
            f"spool {path}: permission denied: it is for the gateway's own user only, run this as that user"
        ) from error
    try:
        with contextlib.closing(read_only(path)) as db:
            yield db
    except sqlite3.Error as error:
        if is_damage(error):
            raise SpoolUnusable(
                f"spool {path} is damaged ({error}): the gateway sets it aside when it starts; "
                f"what is readable: parkgate spool salvage {path} --to found.lp"
            ) from error
        raise SpoolUnusable(f"spool {path} cannot be read: {error}") from error


def _in_use(path: Path) -> bool:
    if not path.with_name(path.name + ".lock").exists():
        return False
    try:
        Lock(path).release()
    except SpoolUnusable:
        return True
    except OSError:
        return False
    return False
