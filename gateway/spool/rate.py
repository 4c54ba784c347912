"""How fast the spool, or a disk, fills, and how long it lasts at that rate.

Samples of (monotonic seconds, bytes) at least SAMPLE_S apart over the last `window_s`; the rate is
the difference of the newest and the oldest. Under `min_span_s` nothing is said.
"""

from collections import deque

SAMPLE_S = 5.0
WINDOW_S = 300.0
MIN_SPAN_S = 10.0


class FillRate:
    """Bounded: `window_s` / SAMPLE_S + 2 samples."""

    def __init__(self, window_s: float = WINDOW_S, min_span_s: float = MIN_SPAN_S) -> None:
        self._window_s, self._min_span_s = window_s, min_span_s
        self._samples: deque[tuple[float, int]] = deque()

    def sample(self, now: float, size: int) -> None:
        if self._samples and now - self._samples[-1][0] < SAMPLE_S:
            return
        self._samples.append((now, size))
        while now - self._samples[0][0] > self._window_s:
            self._samples.popleft()

    def seconds_left(self, now: float, size: int, limit: int) -> float | None:
        """Seconds until `limit` bytes; 0.0 when it is reached; None while it does not fill or nothing is known."""
        if size >= limit:
            return 0.0
        self.sample(now, size)
        then, before = self._samples[0]
        if now - then < self._min_span_s or size <= before:
            return None
        return (limit - size) * (now - then) / (size - before)


def say_forecast(seconds: float | None, by: str = "max_bytes") -> str:
    """For people: "at today's rate the spool lasts 9 h 20 min", or until when the disk has room for it."""
    if seconds is None:
        return "the spool is not filling, or for less than 10 s"
    if by == "disk":
        return "the disk is full" if seconds <= 0.0 else f"at today's rate the disk is full in {say_duration(seconds)}"
    if seconds <= 0.0:
        return "the spool is full"
    return f"at today's rate the spool lasts {say_duration(seconds)}"


def say_duration(seconds: float) -> str:
    """Two units at most: "45 s", "12 min", "9 h 20 min", "3 d 4 h"; "over a year" beyond."""
    if seconds < 60:
        return f"{int(seconds)} s"
    minutes = int(seconds // 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    if days > 365:
        return "over a year"
    return f"{days} d {hours} h" if hours else f"{days} d"
