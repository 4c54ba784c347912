"""What the spool gives up, or soon has to, and when: forecasts at the net rate of the last five minutes.

    max_bytes    charged bytes of rows, towards the quota
    disk         charged bytes of rows and quarantine, towards what is free on the disk and within the file beside
                 what the log may still take; or how fast that goes, if it goes faster: a row may take up to
                 MOST_OVERHEAD times its bytes (what others take is not the spool's, `watch` has it)
    max_age_s    a spool that fills may reach this first

Of the quarantine the oldest items go for newer ones once it is full: that is a problem in health
while it goes on, and for RECENT_S after it. Every disk that holds state is watched in `watch`.

Asked of the disk every SAMPLE_S (5 s) while the spool works, on the spool's thread: a disk that
hangs must not hold the loop.
"""

import math
from typing import Literal, NamedTuple

from gateway.clock import Clock
from gateway.config import SpoolConfig
from gateway.disk import say_size
from gateway.spool.rate import SAMPLE_S, FillRate
from gateway.spool.store import Store

RECENT_S = 60.0
MOST_OVERHEAD = 4


class Outlook(NamedTuple):
    """`seconds` until points are given up or the disk takes none, None while nothing fills; `by` what comes first."""

    seconds: float | None
    by: Literal["max_bytes", "max_age_s", "disk"]


class Filling:
    """Of one spool. `disk_full` is set while its disk refuses."""

    def __init__(self, store: Store, config: SpoolConfig, clock: Clock) -> None:
        self.disk_full = False
        self._store = store
        self._config = config
        self._clock = clock
        self._rows, self._growth, self._taken = FillRate(), FillRate(), FillRate()
        self._room = store.room()
        self._sampled = clock.monotonic()
        self._given_up, self._given_up_at = 0, -math.inf
        self._sample()

    def sample(self) -> bool:
        """After each work on the file. True where `look_at_disk` is due."""
        given_up = sum(self._store.file.totals.given_up.kinds.values())
        if given_up != self._given_up:
            self._given_up, self._given_up_at = given_up, self._clock.monotonic()
        if self._clock.monotonic() - self._sampled < SAMPLE_S:
            return False
        self._sample()
        return True

    def look_at_disk(self) -> None:
        """On the spool's thread."""
        self._room = self._store.room()

    def outlook(self) -> Outlook:
        """What comes first."""
        now, totals = self._clock.monotonic(), self._store.file.totals
        size, stored = totals.rows.bytes, totals.rows.bytes + totals.quarantine_bytes
        first = Outlook(None, "max_bytes")
        left = self._rows.seconds_left(now, size, self._config.max_bytes)
        if left is not None:
            first = Outlook(left, "max_bytes")
            if self._config.max_age_s < left:
                first = Outlook(self._config.max_age_s, "max_age_s")
        room = 0 if self.disk_full else self._room
        until = None if room is None else self._growth.seconds_left(now, stored, stored + room)
        if room is not None and until is not None:
            shrinks = self._taken.seconds_left(now, -room, 0)
            until = until if shrinks is None else max(min(until, shrinks), until / MOST_OVERHEAD)
        if until is not None and (first.seconds is None or until < first.seconds):
            first = Outlook(until, "disk")
        return first

    def problems(self) -> list[str]:
        """One line while the quarantine gives up what it kept."""
        if self._clock.monotonic() - self._given_up_at > RECENT_S:
            return []
        kinds, reason = self._store.file.totals.given_up
        counted = ", ".join(f"{kind} {count:,}" for kind, count in sorted(kinds.items(), key=lambda each: -each[1]))
        return [
            f"the quarantine is full (spool.quarantine_bytes, {say_size(self._config.quarantine_bytes)}): its oldest go"
            f" for newer ones, since the start: {counted}; lately mostly: {reason[:200]}"
        ]

    def _sample(self) -> None:
        self._sampled, totals = self._clock.monotonic(), self._store.file.totals
        self._rows.sample(self._sampled, totals.rows.bytes)
        self._growth.sample(self._sampled, totals.rows.bytes + totals.quarantine_bytes)
        if self._room is not None:
            self._taken.sample(self._sampled, -self._room)
