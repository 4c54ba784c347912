"""The only door to time. Every wait and every time of day comes through here.

Tests put a `VirtualClock` of their own in its place (tests/gateway/virtual.py).
"""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    def now_ns(self) -> int:
        """Nanoseconds since 1970 UTC: the result time of what is received now."""
        ...

    def monotonic(self) -> float:
        """Seconds that never step, for measuring and for deadlines."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    def now_ns(self) -> int:
        return time.time_ns()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
