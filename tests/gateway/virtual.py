"""A clock that stands still until a test moves it.

clock = VirtualClock()
task = asyncio.create_task(something(clock))
await clock.sleepers(1)      # it has reached its `clock.sleep`
await clock.advance(30.0)    # every sleep that ends in these 30 s has ended, in order
"""

import asyncio
import heapq
from itertools import count

SETTLE_TURNS = 20
"""Turns of the event loop given to those who were woken, before the next one is."""


class VirtualClock:
    """A `gateway.clock.Clock`. Time starts at `start_ns` (2026-01-01 00:00:00 UTC) and at 0.0 monotonic."""

    def __init__(self, start_ns: int = 1_767_225_600_000_000_000) -> None:
        self._wall_ns = start_ns
        self._elapsed_ns = 0
        self._order = count()
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._arrived = asyncio.Event()

    def now_ns(self) -> int:
        return self._wall_ns + self._elapsed_ns

    def monotonic(self) -> float:
        return self._elapsed_ns / 1e9

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._elapsed_ns + round(seconds * 1e9), next(self._order), future))
        self._arrived.set()
        await future

    def step(self, seconds: float) -> None:
        """Set the time of day, as NTP or a person would; nobody wakes."""
        self._wall_ns += round(seconds * 1e9)

    def pass_by(self, seconds: float) -> None:
        """Let time pass without waking anybody, for code that does not sleep."""
        self._elapsed_ns += round(seconds * 1e9)

    async def advance(self, seconds: float) -> None:
        """Let time pass; sleepers wake one by one at their own time, those of one time in order of arrival.

        Whoever sleeps again before the end is woken again.
        """
        end = self._elapsed_ns + round(seconds * 1e9)
        await self._settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            deadline, _, future = heapq.heappop(self._sleepers)
            self._elapsed_ns = max(self._elapsed_ns, deadline)
            if not future.done():
                future.set_result(None)
                await self._settle()
        self._elapsed_ns = end

    async def sleepers(self, wanted: int, within_s: float = 10.0) -> None:
        """Return when `wanted` sleeps are under way; TimeoutError after `within_s` real seconds."""
        async with asyncio.timeout(within_s):
            while sum(not future.done() for _, _, future in self._sleepers) < wanted:
                self._arrived.clear()
                await self._arrived.wait()

    async def _settle(self) -> None:
        for _ in range(SETTLE_TURNS):
            await asyncio.sleep(0)
