"""What the spool's rows are in memory, and what is counted of them; the columns are in `schema`."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.intake import Lane
from gateway.spool.schema import checksum

ROW_BYTES = 64  # charged per row beside its lines: header, index and slack


class Row(NamedTuple):
    """One lane of one commit, still without a sequence number."""

    lane: Lane
    points: int
    lines: bytes
    things: dict[str, int] | None = None

    @property
    def charge(self) -> int:
        return len(self.lines) + ROW_BYTES


class StoredRow(NamedTuple):
    """A row as the file gives it."""

    seq: int
    at_ns: int
    lane: int
    points: int
    crc: int
    lines: bytes

    @property
    def sound(self) -> bool:
        """Whether it is what was written. On a damaged page the columns may be of any type."""
        try:
            return self.crc == checksum(self.seq, self.at_ns, self.lane, self.points, self.lines)
        except (TypeError, struct.error):
            return False


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


class GivenUp(NamedTuple):
    """Quarantined items that went for newer ones since the start, by kind; the last ones' commonest reason."""

    kinds: Mapping[str, int]
    reason: str

    def plus(self, found: Sequence[tuple[str, str, int]]) -> "GivenUp":
        """`found`: kind, reason and number of items, the commonest first."""
        kinds = dict(self.kinds)
        for kind, _, count in found:
            kinds[kind] = kinds.get(kind, 0) + count
        return GivenUp(kinds, found[0][1] if found else self.reason)


NONE_GIVEN_UP = GivenUp({}, "")


@dataclass(slots=True)
class Totals:
    """What the file holds, kept beside it in memory and set only after a commit."""

    lanes: list[Sums] = field(default_factory=lambda: [NOTHING, NOTHING])
    quarantined: int = 0
    quarantine_bytes: int = 0
    newest: int = 0  # seq of the newest row, 0 when there is none
    oldest_ns: int | None = None
    given_up: GivenUp = NONE_GIVEN_UP

    @property
    def rows(self) -> Sums:
        return self.lanes[0].plus(self.lanes[1])

    def copy(self) -> "Totals":
        return Totals(
            list(self.lanes), self.quarantined, self.quarantine_bytes, self.newest, self.oldest_ns, self.given_up
        )
