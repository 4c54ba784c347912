"""What a fleet has really sent, thing by thing, so that a store can be audited against it.

The audit numbers of a series (thing and tags) are 0, 1, 2, ... without a gap; `sent` is how many
there are. Of these, `spoiled` were damaged on purpose and cannot arrive, `doubled` were sent
twice on purpose. So a store must hold `sent - spoiled` readings of the series once, and
`doubled` of them twice.

Limits: the numbers of the last 10,000 spoiled readings of a thing are kept, all are counted.
"""

from collections import Counter, deque
from dataclasses import dataclass, field

from simulators.faults import Injector
from simulators.peer import Frame, Series

SPOILED_KEPT = 10_000


@dataclass(slots=True)
class Entry:
    """One thing. Keys are its series; a thing without tags has one, the empty series."""

    thing: str
    device: str
    modulus: int
    sent: Counter[Series] = field(default_factory=Counter)
    spoiled: Counter[Series] = field(default_factory=Counter)
    doubled: Counter[Series] = field(default_factory=Counter)
    spoiled_numbers: deque[tuple[Series, int]] = field(default_factory=lambda: deque(maxlen=SPOILED_KEPT))
    bytes_out: int = 0
    replugs: int = 0
    injector: Injector | None = None

    def count(self, frame: Frame, copies: int, size: int) -> None:
        """`frame` went out as a whole in `size` bytes, with `copies` undamaged copies in it."""
        self.bytes_out += size
        if frame.number is None:
            return
        self.sent[frame.series] = frame.number + 1
        if copies == 0:
            self.spoiled[frame.series] += 1
            self.spoiled_numbers.append((frame.series, frame.number))
        elif copies > 1:
            self.doubled[frame.series] += copies - 1

    def stored(self, series: Series) -> tuple[str, dict[str, str]]:
        """Under which thing and tags a store holds a series."""
        tags = dict(series)
        among = tags.pop("thing", "")
        return f"{self.thing}-{among}" if among else self.thing, tags

    @property
    def good(self) -> int:
        """Readings that a store must hold."""
        return self.sent.total() - self.spoiled.total()

    @property
    def noise(self) -> int:
        """How often noise was put before a frame."""
        return self.injector.counts["noise"] if self.injector is not None else 0


@dataclass(slots=True)
class Ledger:
    """All things of a fleet by name."""

    things: dict[str, Entry] = field(default_factory=dict)

    @property
    def sent(self) -> int:
        return sum(entry.sent.total() for entry in self.things.values())

    @property
    def spoiled(self) -> int:
        return sum(entry.spoiled.total() for entry in self.things.values())

    @property
    def doubled(self) -> int:
        return sum(entry.doubled.total() for entry in self.things.values())

    @property
    def good(self) -> int:
        return self.sent - self.spoiled

    def rows(self) -> list[dict[str, object]]:
        """One row a series, ready for JSON: thing, device, tags, modulus, sent, spoiled, doubled."""
        return [
            {
                "thing": entry.stored(series)[0],
                "device": entry.device,
                "tags": entry.stored(series)[1],
                "modulus": entry.modulus,
                "sent": sent,
                "spoiled": entry.spoiled[series],
                "doubled": entry.doubled[series],
            }
            for entry in self.things.values()
            for series, sent in sorted(entry.sent.items())
        ]
