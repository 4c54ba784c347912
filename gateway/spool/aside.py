"""Damaged spool files that were set aside, and how many of them stay.

    spool.db.damaged-20260101T120000Z          a file that could not be used, as it was found
    spool.db.damaged-20260101T120000Z-wal      its log; a second one of that second ends in -2

Bounds: KEPT files, and together no more bytes than a spool may have (`spool.max_bytes`). The oldest
go first, said in the log; the newest stays whatever its size.
"""

import contextlib
import logging
import re
from datetime import UTC, datetime
from pathlib import Path

log = logging.getLogger("parkgate.spool")

KEPT = 5

_NAME = re.compile(r"\.damaged-(\d{8}T\d{6}Z)(?:-(\d+))?")


def set_aside(path: Path, now_ns: int, max_bytes: int) -> Path:
    """Rename the file and its log, so that SQLite still sees them as one; older ones may go. Raises OSError."""
    stamp = datetime.fromtimestamp(now_ns / 1e9, UTC).strftime("%Y%m%dT%H%M%SZ")
    aside = path.with_name(f"{path.name}.damaged-{stamp}")
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.damaged-{stamp}-{number}")
    log_file, aside_log = path.with_name(path.name + "-wal"), aside.with_name(aside.name + "-wal")
    if log_file.exists():  # first: beside no file, or a new one, SQLite would throw it away
        log_file.rename(aside_log)
    try:
        with contextlib.suppress(FileNotFoundError):  # removed meanwhile
            path.rename(aside)
    except OSError:
        with contextlib.suppress(OSError):  # tried again, they must still be found together
            aside_log.rename(log_file)
        raise
    path.with_name(path.name + "-shm").unlink(missing_ok=True)
    bound(path, max_bytes, newest=aside)
    return aside


def say_aside(path: Path, aside: Path, why: str) -> str:
    return (
        f"spool {path} was damaged ({why}); it is set aside as {aside.name} and a new one is begun. "
        f"What is readable: parkgate spool salvage {aside}"
    )


def asides(path: Path) -> list[Path]:
    """The damaged files that were set aside of the spool at `path`, the oldest first. Raises OSError."""
    found = []
    for file in path.parent.glob(path.name + ".damaged-*"):
        match = _NAME.fullmatch(file.name.removeprefix(path.name))
        if match:
            found.append((match[1], int(match[2] or 1), file))
    return [file for _, _, file in sorted(found)]


def with_logs(file: Path) -> list[Path]:
    """A file that was set aside and what SQLite has beside it."""
    return [file.with_name(file.name + ending) for ending in ("", "-wal", "-shm")]


def bound(path: Path, max_bytes: int, newest: Path | None = None) -> None:
    """Remove the oldest beyond KEPT files or `max_bytes`, but for `newest` (by default the last by name).

    What cannot be removed stays, and is said.
    """
    files = asides(path)
    newest = newest or (files[-1] if files else None)
    if newest in files:  # a clock that was set back may have named it like an old one
        files.remove(newest)
        files.append(newest)
    size, stay = 0, 0
    for file in reversed(files):
        size += sum(each.stat().st_size for each in with_logs(file) if each.is_file())
        if stay and (stay == KEPT or size > max_bytes):
            break
        stay += 1
    for file in files[: len(files) - stay]:
        try:
            for each in with_logs(file):
                each.unlink(missing_ok=True)
        except OSError as error:
            log.warning("cannot remove %s, a damaged spool of long ago: %s", file, error.strerror)
        else:
            log.warning(
                "removed %s: of damaged spools that were set aside, %d and %d bytes stay at most", file, KEPT, max_bytes
            )
