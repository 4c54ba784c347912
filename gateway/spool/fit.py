"""Whether what the configuration allows the spool fits on its disk.

    may take    max_bytes + quarantine_bytes + log (8 MiB) + reserve (8 MiB)
    has         what is free, and what the spool's files take already

A file is 1.0 to 1.3 times the bytes that are charged, so what is said not to fit surely does not;
what is advised is divided by 1.3.
"""

from pathlib import Path

from gateway.config import SpoolConfig
from gateway.disk import say_size, space
from gateway.spool.open import RESERVE_BYTES, files_of

BESIDE_BYTES = RESERVE_BYTES + (8 << 20)
LEAST_BYTES = 1 << 17
"""Below this there is nothing to advise but another disk."""


def does_not_fit(path: Path, config: SpoolConfig) -> str | None:
    """One line for people, where the disk of the spool at `path` will be full before the spool is."""
    found = space(path.parent)
    if found is None:
        return None
    has = found.free + _taken(path)
    if config.max_bytes + config.quarantine_bytes + BESIDE_BYTES <= has:
        return None
    most = int((has - BESIDE_BYTES) / 1.3)
    advice = "another disk" if most < LEAST_BYTES else f"at most {say_size(most)} for both, or another disk"
    return (
        f"spool.max_bytes ({say_size(config.max_bytes)}) and"
        f" spool.quarantine_bytes ({say_size(config.quarantine_bytes)})"
        f" do not fit on the disk of {path.parent} ({found}), which is full first: expected {advice}"
    )


def _taken(path: Path) -> int:
    """Bytes of the spool's files; 0 where only the gateway's own user may know."""
    try:
        return sum(file.stat().st_size for file in files_of(path) if file.is_file())
    except PermissionError:
        return 0
