"""What had to be given up: counted by thing and by kind, told to lookers, said in health while it lasts.

    points       serial ones that the spool gave up for newer ones, or that memory has no room for
    quarantined  items that came faster than they can be written

Limits: MAX_PENDING serial lines wait in memory, MAX_QUARANTINED items. A loss is a problem in health
for RECENT_S after the last one of its kind.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping

from gateway.clock import Clock
from gateway.intake import Intake
from gateway.stats import Stats
from gateway.tee import Fate, Tee

MAX_PENDING = 20_000
"""Lines and quarantined items that may wait for a commit before their source is paused."""

MAX_QUARANTINED = 60_000
"""Quarantined items that may wait: MAX_PENDING, and what one more receive buffer (256 KiB) holds of
the smallest messages, since a connection stops only behind that. Further ones are only counted."""

RECENT_S = 60.0

_OWN = ("gateway", "things,")
_THING = re.compile(r",thing=((?:\\.|[^,\s\\])*)")


class Losses:
    """One for each gateway. Counts go into `stats`, what happens to `tee`."""

    def __init__(self, stats: Stats, clock: Clock, tee: Tee) -> None:
        self._stats = stats
        self._clock = clock
        self._tee = tee
        self._unkept: Counter[str] = Counter()
        self._unkept_at = -math.inf

    def points(self, dropped: Mapping[str, int], why: str) -> None:
        """Points given up, by thing."""
        for thing, points in dropped.items():
            self._stats.stages.dropped += points
            self._tee.tell(Fate("dropped", self._clock.now_ns(), "", thing, points, why))
            for stats in self._stats.devices.values():
                if stats.thing == thing:
                    stats.dropped += points
                    break

    def oldest_serial(self, intake: Intake) -> None:
        """Nothing can be committed and memory is bounded: forget the oldest quarter, counted by thing."""
        gone = Counter(map(_thing_of, intake.drop_lines[: MAX_PENDING // 4]))
        intake.forget_drop_lines(MAX_PENDING // 4)
        for thing, points in gone.items():
            intake.drop_things[thing] = max(0, intake.drop_things.get(thing, 0) - points)
        self.points(gone, "nothing can be stored and memory is bounded")

    def unkept(self, kind: str) -> None:
        """An item that the quarantine does not keep."""
        self._stats.stages.unkept += 1
        self._unkept[kind] += 1
        self._unkept_at = self._clock.monotonic()

    def oldest_quarantined(self, intake: Intake) -> None:
        """Forget the oldest items beyond MAX_QUARANTINED."""
        for item in intake.quarantined[:-MAX_QUARANTINED]:
            self.unkept(item.kind)
        del intake.quarantined[:-MAX_QUARANTINED]

    def problems(self) -> list[str]:
        """One line while quarantined items are being lost."""
        if self._clock.monotonic() - self._unkept_at > RECENT_S:
            return []
        kinds = ", ".join(f"{kind} {count:,}" for kind, count in self._unkept.most_common())
        return [f"what is refused comes faster than the quarantine is written: not kept since the start: {kinds}"]


def _thing_of(line: str) -> str:
    """Whose a line is, as the pipeline was told: a thing's, or the gateway's own."""
    match = None if line.startswith(_OWN) else _THING.search(line)
    return re.sub(r"\\(.)", r"\1", match[1]) if match else "gateway"
