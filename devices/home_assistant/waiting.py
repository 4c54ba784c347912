"""What came before its announcement, and topics that nobody has announced.

A retained message that waits in vain is no error: it may be years old.

Limits: MOST_KEPT states and MOST_KEPT_BYTES of them, for WAIT_S; MOST_PASSED topics that are passed over.
"""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from devices.spec.events import Event, SanityError

MOST_KEPT = 1000
MOST_KEPT_BYTES = 4 << 20
MOST_PASSED = 1000
WAIT_S = 60.0

_WAIT_NS = round(WAIT_S * 1e9)


class Kept(NamedTuple):
    """A message that came before its announcement."""

    topic: str
    payload: bytes
    received_ns: int
    retained: bool


class Waiting:
    """What waits. `passed` are the topics of which a message has waited in vain."""

    __slots__ = ("_bytes", "_kept", "passed")

    def __init__(self) -> None:
        self._kept: deque[Kept] = deque()
        self._bytes = 0
        self.passed: dict[str, None] = {}

    def keep(self, kept: Kept) -> list[Event]:
        """Keep a message; what has to make room for it, or has waited too long, as errors."""
        self._kept.append(kept)
        self._bytes += len(kept.payload)
        refused: list[Event] = []
        while len(self._kept) > MOST_KEPT or self._bytes > MOST_KEPT_BYTES:
            refused += self._refuse(self._kept.popleft())
        return refused + self.late(kept.received_ns)

    def late(self, now_ns: int) -> list[Event]:
        """What has waited too long, as errors."""
        refused: list[Event] = []
        while self._kept and now_ns - self._kept[0].received_ns > _WAIT_NS:
            refused += self._refuse(self._kept.popleft())
        return refused

    def due(self, known: Callable[[str], bool]) -> list[Kept]:
        """The messages whose topics are known now, in the order in which they came."""
        if not self._kept:
            return []
        due = [kept for kept in self._kept if known(kept.topic)]
        if due:
            self._kept = deque(kept for kept in self._kept if not known(kept.topic))
            self._bytes = sum(len(kept.payload) for kept in self._kept)
        return due

    def flush(self) -> list[Event]:
        refused = [error for kept in self._kept for error in self._refuse(kept)]
        self._kept.clear()
        return refused

    def _refuse(self, kept: Kept) -> list[Event]:
        self._bytes -= len(kept.payload)
        if kept.retained:
            return []
        if len(self.passed) >= MOST_PASSED:
            del self.passed[next(iter(self.passed))]
        self.passed[kept.topic] = None
        return [SanityError(f"{kept.topic[:100]!r}: nobody has announced this topic", kept.payload)]
