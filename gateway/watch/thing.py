"""One thing under watch: when it spoke, how often it does, and which layer its silence is in.

Nothing here runs per message. The watchdog comes by about once a second and compares two
counters that are kept anyway (`signs`, `last_seen_ns`):

    visit ... visit ... visit ... visit          gap = last reading seen at this visit
              reading 7   reading 8, 9               - last reading seen at the visit before
                    `---- gap ----'

Expected interval: configured > learned > the device type's own. The learned one follows the
gaps in bounded steps (at most x1.2 up, x0.98 down), so it settles near the longest usual gap
and one outage moves it little. It counts once there were LEARN_AFTER gaps and they span the
device type's own interval: a burst at power-up teaches nothing. Several readings in one
payload are one gap, and no gap is shorter than the distance of two visits (1 s up to 5,000
things). A thing that fell silent and came back by itself doubles its interval at once.

Times are those of `clock.monotonic`; a step of the time of day makes nothing overdue.
About 320 bytes a thing.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

from gateway.stats import DeviceStats

LEARN_AFTER = 8
STEP_UP = 1.2
STEP_DOWN = 0.98
STEP_WIDE = 2.0
"""Step of the first gaps, and of one that ended a silence."""

DUE = 1.5
"""A reading is due after this many intervals; it is overdue only at the limit."""

VISIT_S = 1.0
"""What a visit may be late."""


class Layer(StrEnum):
    """Where the way of a reading is interrupted; the value is the tag `layer` of an event."""

    CONNECTION = "connection"
    SUBSCRIPTION = "subscription"
    FLOW = "flow"  # connected and subscribed, and nothing comes
    PORT = "port"
    FRAMING = "framing"
    INTEGRITY = "integrity"
    SANITY = "sanity"
    DEVICE = "device"


@dataclass(slots=True)
class Fault:
    """A silence that has been said. `since` is the last sign of life, `told` when it was said."""

    layer: Layer
    since: float
    told: float
    text: str


class Healing:
    """When to try what next: pauses that double from `first_s` to MOST_PAUSE_S.

    They start over only when data flowed for longer than the last pause, so that a fault that
    comes and goes does not bring attempts one after the other.
    """

    __slots__ = ("again_at", "ended", "first_s", "next_at", "pause_s", "steps")

    MOST_PAUSE_S = 3600.0

    def __init__(self, first_s: float) -> None:
        self.first_s = first_s
        self.pause_s = 0.0
        self.again_at = 0.0
        self.next_at = math.inf
        self.ended = -math.inf
        self.steps = 0

    def begin(self, now: float, since: float) -> None:
        """A fault is found whose last sign of life was at `since`; the first attempt is due at once,
        or when the last pause is over."""
        if since - self.ended > self.pause_s:
            self.pause_s, self.steps, self.again_at = 0.0, 0, now
        self.next_at = max(now, self.again_at)

    def due(self, now: float) -> bool:
        return now >= self.next_at

    def tried(self, now: float, least_s: float) -> None:
        """An attempt was made; the next one at the earliest after `least_s`."""
        self.steps += 1
        self.pause_s = min(max(self.first_s, least_s, 2 * self.pause_s), self.MOST_PAUSE_S)
        self.next_at = self.again_at = now + self.pause_s

    def end(self, now: float) -> None:
        self.ended = now
        self.next_at = math.inf


class Thing:
    """What is remembered of one thing between two visits. `heard` and `due_at` are -inf before the
    first reading; nothing can be wrong with a thing before `due_at`."""

    __slots__ = (
        "due_at",
        "expected_s",
        "fault",
        "gaps",
        "heard",
        "integrity",
        "interval_s",
        "noise",
        "readings",
        "sanity",
        "span_s",
        "stats",
        "unanswered",
        "visited",
    )

    def __init__(self, stats: DeviceStats, visited: float) -> None:
        self.stats = stats
        self.expected_s = stats.expected_every_s
        self.fault: Fault | None = None
        self.visited = visited
        self.heard = self.due_at = -math.inf
        self.readings = 0
        self.gaps = 0
        self.span_s = 0.0
        self.interval_s = 0.0
        self.noise = self.integrity = self.sanity = self.unanswered = 0

    def spoke(self, now: float, now_ns: int, floor: float) -> None:
        """There were readings since the last visit. A gap that began before `floor` (a new
        connection, a pause of the gateway itself) teaches nothing."""
        stats = self.stats
        age = (now_ns - stats.last_seen_ns) / 1e9
        heard = now - age if 0.0 <= age <= now - self.visited else now  # else the clock was set
        if self.heard >= floor and heard > self.heard and stats.learns:
            self._learn(heard - self.heard)
        self.heard = heard
        self.due_at = heard + DUE * self.expected_s + VISIT_S
        self.readings = stats.signs
        self.noise, self.integrity, self.sanity = stats.noise_bytes, stats.integrity_errors, stats.sanity_errors
        self.unanswered = stats.unanswered

    def _learn(self, gap: float) -> None:
        stats = self.stats
        if not self.gaps:
            self.interval_s = gap
        else:
            early = self.gaps < LEARN_AFTER
            up = STEP_WIDE if early or stats.silent else STEP_UP
            down = 1 / STEP_WIDE if early else STEP_DOWN
            self.interval_s *= min(max(gap / self.interval_s, down), up)
        if self.gaps < LEARN_AFTER:
            self.gaps += 1
        if self.span_s < math.inf:
            self.span_s += gap
            if self.gaps < LEARN_AFTER or self.span_s < stats.expected_every_s:
                self.expected_s = max(stats.expected_every_s, self.interval_s)
                return
            self.span_s = math.inf
        self.expected_s = stats.expected_every_s = self.interval_s

    @property
    def misread(self) -> bool:
        """Whether messages came since the last reading that could not be decoded, and it was not said yet."""
        said = self.fault is not None and self.fault.layer is Layer.SANITY
        return self.stats.sanity_errors > self.sanity and not said
