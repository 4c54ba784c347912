"""What was given up within the last WINDOW_S, from a counter that is kept anyway.

A sample once a round; the problem lasts until the window has passed over it.
"""

from collections import deque

WINDOW_S = 60.0


class Recent:
    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque()

    def round(self, dropped: int, now: float) -> None:
        """Take down how many points were given up so far."""
        self._samples.append((now, dropped))
        while len(self._samples) > 1 and self._samples[1][0] <= now - WINDOW_S:
            self._samples.popleft()

    def problems(self) -> list[str]:
        """One line while points are being given up."""
        count = self._samples[-1][1] - self._samples[0][1] if self._samples else 0
        if not count:
            return []
        points = "1 point was" if count == 1 else f"{count} points were"
        why = "the spool or its disk is full, or they were older than max_age_s"
        return [f"{points} given up within the last minute: {why}"]
