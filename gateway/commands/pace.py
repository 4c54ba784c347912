"""How often something may happen: so many times in any `seconds`."""

from collections import deque

from gateway.clock import Clock


class Pace:
    """By name. What nobody has asked for in its time is forgotten."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._times: dict[str, deque[float]] = {}

    def wait_s(self, name: str, most: int, seconds: float) -> float:
        """0 where it may happen once more, and it is counted; else in how many seconds it may."""
        now = self._clock.monotonic()
        times = self._times.setdefault(name, deque())
        while times and now - times[0] >= seconds:
            times.popleft()
        if len(times) >= most:
            return seconds - (now - times[0])
        times.append(now)
        return 0.0
