"""The disks that hold state: how full they are, and how soon they will be.

    every LOOK_S, off the event loop: how much is free? --> log and health, once, and once when it is over

A disk is nearly full by `gateway.disk`. It fills when for SURE_S it would have been full within SOON_S at the
rate of the last RATE_S, whoever takes the space: the spool, the local store, another program. One large file
makes a rate for RATE_S only. Folders on one disk are one. In the log it is over after CALM_S.
"""

import asyncio
import logging
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from gateway.clock import Clock
from gateway.disk import Space, existing, space
from gateway.spool import FillRate, say_duration

log = logging.getLogger("parkgate.watch")

LOOK_S = 5.0
SOON_S = 3600.0
RATE_S = 60.0
SURE_S = 75.0
CALM_S = 60.0

Word = Literal["ok", "filling", "nearly full", "full"]
_RANKS: dict[Word, int] = {"ok": 0, "filling": 1, "nearly full": 2, "full": 3}


@dataclass(slots=True)
class WatchedDisk:
    """One disk, by the first folder on it. `seconds` until it is full; None while it does not fill."""

    folder: Path
    space: Space
    seconds: float | None = None
    said: Word = "ok"
    bad_at: float = 0.0
    filling: bool = False
    calm_at: float = -math.inf
    rate: FillRate = field(default_factory=lambda: FillRate(RATE_S, RATE_S / 2))

    @property
    def word(self) -> Word:
        return "filling" if self.filling and self.space.word == "ok" else self.space.word

    def __str__(self) -> str:
        word = self.word if self.word != "filling" else "filling up"
        soon = f", full in {say_duration(self.seconds)} at today's rate" if self.seconds else ""
        return f"the disk of {self.folder} is {word}: {self.space}{soon}"


class DiskWatch:
    """`run` looks every LOOK_S; `look` does so once."""

    def __init__(self, folders: Iterable[Path], clock: Clock) -> None:
        """Blocking: looks for the first time."""
        self._clock = clock
        self.disks: list[WatchedDisk] = []
        known: set[int] = set()
        for folder in folders:
            found, device = space(folder), existing(folder).stat().st_dev
            if found is not None and device not in known:
                known.add(device)
                self.disks.append(WatchedDisk(folder, found))
        self._judge()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self._clock.sleep(LOOK_S)
            await self.look()

    async def look(self) -> None:
        """Ask each disk, in a thread."""
        for disk in self.disks:
            found = await asyncio.to_thread(space, disk.folder)
            disk.space = found or disk.space
        self._judge()

    def problems(self) -> list[str]:
        """One line for each disk that is full, nearly full or soon will be."""
        return [str(disk) for disk in self.disks if disk.word != "ok"]

    def _judge(self) -> None:
        now = self._clock.monotonic()
        for disk in self.disks:
            used, size = disk.space.size - disk.space.free, disk.space.size
            disk.seconds = disk.rate.seconds_left(now, used, size)
            if disk.seconds is None or disk.seconds >= SOON_S:
                disk.calm_at = now
            disk.filling = now - disk.calm_at >= SURE_S
            word = disk.word
            if _RANKS[word] > _RANKS[disk.said]:
                log.warning("%s", str(disk))
                disk.said = word
            if word != "ok":
                disk.bad_at = now
            elif disk.said != "ok" and now - disk.bad_at >= CALM_S:
                log.info("the disk of %s has room again: %s", disk.folder, disk.space)
                disk.said = "ok"
