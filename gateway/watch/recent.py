"""What was given up, or refused by the store for good, within the last WINDOW_S, from counters that are kept anyway.

A sample once a round; a problem lasts until the window has passed over it.
"""

from collections import deque
from typing import NamedTuple

from gateway.stats import StageStats

WINDOW_S = 60.0


class _Sample(NamedTuple):
    at: float
    dropped: int
    rejected: int


class Recent:
    def __init__(self) -> None:
        self._samples: deque[_Sample] = deque()

    def round(self, stages: StageStats, now: float) -> None:
        self._samples.append(_Sample(now, stages.dropped, stages.rejected))
        while self._samples[0].at < now - WINDOW_S:
            self._samples.popleft()

    def problems(self) -> list[str]:
        """One line for each kind of loss that goes on."""
        if not self._samples:
            return []
        first, last = self._samples[0], self._samples[-1]
        dropped, rejected = last.dropped - first.dropped, last.rejected - first.rejected
        found = []
        if dropped:
            why = "the spool or its disk is full, or they were older than max_age_s"
            found.append(f"{_points(dropped)} given up within the last minute: {why}")
        if rejected:
            see = "see `parkgate spool quarantine`"
            found.append(f"{_points(rejected)} refused for good by the store within the last minute; {see}")
        return found


def _points(count: int) -> str:
    return "1 point was" if count == 1 else f"{count} points were"
