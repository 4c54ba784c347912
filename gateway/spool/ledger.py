"""Which QoS 1 messages were committed: one slot per packet identifier and MQTT source.

In memory an array of 65,536 unsigned 64-bit entries a source (512 KiB), entry = packet
identifier << 32 | CRC-32, 0 where there is none (identifier 0 does not exist in MQTT).

On disk a log: each commit appends its entries as one blob a source (8 bytes a message). After
4 x 65,536 entries a source the log is replaced by the ledger itself, so it holds 2.5 MiB a source at
most, and a message costs 20 bytes of writing instead of an index update: 10 when it is taken, 10
when it is known not to come again.
"""

import sqlite3
import struct
import sys
from array import array
from collections.abc import Iterable, Mapping, Sequence

SLOTS = 1 << 16
LOGGED_SLOTS = 4 * SLOTS


class TakenLedger:
    def __init__(self, db: sqlite3.Connection) -> None:
        """Read the log. Raises sqlite3.Error."""
        self._db = db
        self._sources: dict[str, array[int]] = {}
        self._logged = 0
        for session, ids in db.execute("SELECT session, ids FROM taken ORDER BY id"):
            self._put(session, unpack_ids(ids))

    def of(self, session: str) -> dict[int, int]:
        """Packet identifier to checksum."""
        slots = self._sources.get(session)
        return {entry >> 32: entry & 0xFFFFFFFF for entry in slots if entry} if slots is not None else {}

    @property
    def long(self) -> bool:
        """Whether the log is due to be compacted."""
        return self._logged > LOGGED_SLOTS * max(1, len(self._sources))

    def write(self, taken: Mapping[str, Sequence[int]]) -> None:
        """Log `taken`, inside the caller's transaction."""
        for session, ids in taken.items():
            if ids:
                self._db.execute("INSERT INTO taken(session, ids) VALUES (?, ?)", (session, pack_ids(ids)))

    def remember(self, taken: Mapping[str, Sequence[int]]) -> None:
        """After the commit: take it over into memory."""
        for session, ids in taken.items():
            self._put(session, ids)

    def adopt(self, other: "TakenLedger") -> None:
        """Hold what `other` holds; `compact` writes it."""
        self._sources = other._sources

    def compact(self) -> None:
        """Replace the log by the ledger, inside the caller's transaction."""
        whole = [(session, pack_ids(entry for entry in slots if entry)) for session, slots in self._sources.items()]
        self._db.execute("DELETE FROM taken")
        self._db.executemany("INSERT INTO taken(session, ids) VALUES (?, ?)", whole)
        self._logged = sum(len(ids) // 8 for _, ids in whole)

    def _put(self, session: str, ids: Sequence[int]) -> None:
        slots = self._sources.get(session)
        if slots is None:
            slots = self._sources[session] = array("Q", bytes(8 * SLOTS))
        for entry in ids:
            slots[(entry >> 32) & 0xFFFF] = entry
        self._logged += len(ids)


def pack_ids(ids: Iterable[int]) -> bytes:
    """Little-endian unsigned 64-bit integers."""
    packed = array("Q", ids)
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()


def unpack_ids(data: bytes) -> tuple[int, ...]:
    """A cut-off last entry is left out."""
    whole = len(data) // 8
    return struct.unpack(f"<{whole}Q", data[: whole * 8])
