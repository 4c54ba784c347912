"""How much room a disk has, and when that is too little.

`low`: less than LOW_BYTES is free, or less than a fiftieth of the disk (of a disk above 50 GB: 1 GB). Below
FULL_BYTES it is full. Asking costs 6 us and no access to the disk, but a disk that hangs may hang the
call: it is asked rarely, and never on the event loop.

Unknown: quotas of a user or a project, which the system call leaves out; the write that fails says them.
"""

import shutil
from pathlib import Path
from typing import Literal, NamedTuple

LOW_BYTES = 16_000_000
LOW_SHARE = 50
LOW_MOST = 1_000_000_000
FULL_BYTES = 1 << 18


class Space(NamedTuple):
    """Bytes that this user may still write, and bytes of the whole disk."""

    free: int
    size: int

    @property
    def low(self) -> bool:
        return self.free < max(LOW_BYTES, min(self.size // LOW_SHARE, LOW_MOST))

    @property
    def word(self) -> Literal["ok", "nearly full", "full"]:
        """For people and for programs."""
        return "full" if self.free < FULL_BYTES else "nearly full" if self.low else "ok"

    def __str__(self) -> str:
        return f"{say_size(self.free)} free of {say_size(self.size)}"


def space(folder: Path) -> Space | None:
    """Of the disk that holds `folder`, or would once it is made; None where the system does not say."""
    try:
        found = shutil.disk_usage(existing(folder))
    except OSError:
        return None
    return Space(found.free, found.total)


def existing(folder: Path) -> Path:
    """The folder, or the nearest above it that is there and that this user may look at."""
    for place in (folder, *folder.absolute().parents):
        try:
            place.stat()
        except OSError:
            continue
        return place
    return folder


def say_size(size: float) -> str:
    """ "512 B", "1.9 MB", "1.1 GB"."""
    for unit in ("B", "KB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
