"""How a sink stands, in words: its `state` for health, and the log, where nothing is said twice.

    state    up
             up, but refuses points: … · takes points on and off: … · <what happened lately>
             down: …  alarm: …          the batch is kept and tried again

What goes on or comes back is one `Spell`: said when it begins, counted while it lasts, and said once
more when it is over, which is QUIET_S after it happened last (three times the gap to the spell before
where it came back after less than MOST_QUIET_S: what happens every five minutes is one spell, not many).
A trouble ends the moment a batch is accepted; only where the same comes back within a spell is it "on
and off", and shown until it is over.

Words with other numbers in them are the same words. At most SAID_MAX different ones are said in a spell.
"""

import logging
import math
import re

from gateway.clock import Clock
from gateway.stats import SinkStats

log = logging.getLogger("parkgate.sinks")

QUIET_S = 30.0
MOST_QUIET_S = 3600.0
SAID_MAX = 8
NOTICE_S = 600.0
"""How long what happened and is over is shown."""

_SHOWN = 200
_NUMBER = re.compile(r"\d+")
_MEASUREMENT = re.compile(rb"(?:\\.|[^,\s\\])*")


class Spell:
    """Something that goes on or comes back, by the clock's monotonic seconds."""

    def __init__(self) -> None:
        self.count = 0
        self.began = 0.0
        self.said: set[tuple[object, ...]] = set()
        self._last = -math.inf
        self._quiet = QUIET_S

    def happened(self, now: float, times: int = 1) -> None:
        if not self.count:
            gap = now - self._last
            self._quiet = max(QUIET_S, min(3 * gap, MOST_QUIET_S)) if gap < MOST_QUIET_S else QUIET_S
            self.began = now
            self.said.clear()
        self.count += times
        self._last = now

    def new(self, *about: object) -> bool:
        """Whether this has not been said yet; then it is to be said now."""
        if about in self.said or len(self.said) >= SAID_MAX:
            return False
        self.said.add(about)
        return True

    def over(self, now: float) -> int:
        """How often it happened, once, when it is over; else 0."""
        if not self.count or now - self._last < self._quiet:
            return 0
        count, self.count = self.count, 0
        return count


class Standing:
    """One sink's. Called once a try or batch, never for a point that was taken."""

    def __init__(self, name: str, stats: SinkStats, clock: Clock) -> None:
        self._name = name
        self._stats = stats
        self._clock = clock
        self._trouble: str | None = None  # why the last try was kept
        self._tries = Spell()
        self._flapping = False  # the same trouble came back within this spell
        self._last_trouble = ""
        self._refusals = Spell()
        self._refusal = ""
        self._notice_until = 0.0

    @property
    def trouble(self) -> str | None:
        """Why nothing is taken now; None where it is, as far as is known."""
        return self._trouble

    def waiting(self) -> None:
        """The sink was asked at the start and has not answered yet."""
        if self._stats.state == "starting":
            self._stats.state = "starting: no answer yet"

    def troubled(self, reason: str, *, alarm: bool = False) -> None:
        """A batch is kept for this reason."""
        about = (alarm, _NUMBER.sub("#", reason))
        back = False
        if self._trouble is None:
            self._look()  # is what was before over? While it lasts, tries may be further apart than that
            back = self._tries.count > 0 and about in self._tries.said
        self._tries.happened(self._clock.monotonic())
        self._trouble = self._last_trouble = reason
        self._stats.state = f"{'alarm' if alarm else 'down'}: {reason}"
        level = logging.ERROR if alarm else logging.WARNING
        if self._tries.new(*about):
            log.log(level, "%s does not take points (they stay in the spool): %s", self._name, reason)
        elif back and not self._flapping:
            self._flapping = True
            log.log(level, "%s takes points on and off, now again none: %s", self._name, reason)

    def mended(self) -> None:
        """A batch has been accepted, or would be."""
        if self._trouble is not None and not self._flapping:
            log.info("%s takes points again", self._name)
        self._trouble = None
        self._look()

    def refused(self, points: list[tuple[bytes, str]]) -> None:
        """The sink refused these lines for good, with its words about each; the rest was taken."""
        if points:
            self._look()
            self._refusals.happened(self._clock.monotonic(), len(points))
            line, words = points[0]
            self._refusal = words
            measurement = _MEASUREMENT.match(line)
            if self._refusals.new(measurement and measurement.group(), _NUMBER.sub("#", words)[:_SHOWN]):
                shown = repr(line[:_SHOWN].decode("utf-8", "replace"))
                number = "1 point" if len(points) == 1 else f"{len(points)} points, first"
                log.warning("%s refused %s: %s: %s", self._name, number, words, shown)
        self._look()

    def _look(self) -> None:
        """See what is over, and show what is not."""
        now = self._clock.monotonic()
        if count := self._refusals.over(now):
            log.info("%s refuses no points any more, after %d", self._name, count)
        if self._trouble is None and self._tries.over(now) and self._flapping:
            self._flapping = False
            log.info("%s takes points without a break again", self._name)
        if self._stats.notice and not self._notice_until:
            self._notice_until = now + NOTICE_S
        elif self._stats.notice and now >= self._notice_until:
            self._stats.notice, self._notice_until = "", 0.0
        if self._trouble is None:
            but = "; ".join(self._but())
            self._stats.state = f"up, but {but}" if but else "up"

    def _but(self) -> list[str]:
        found = []
        if self._refusals.count:
            words = self._refusal if len(self._refusal) <= _SHOWN else self._refusal[: _SHOWN - 1] + "…"
            points = "1 point" if self._refusals.count == 1 else f"{self._refusals.count} points"
            found.append(f"it refused {points} for good, last: {words}")
        if self._flapping:
            found.append(f"on and off ({self._tries.count} tries in vain): {self._last_trouble}")
        if self._stats.notice:
            found.append(self._stats.notice)
        return found
