"""What is known of one edge node: its births, its session, its place in the sequence; and what waits for a birth.

Limits: MOST_DEVICES devices of a node. Data that waits: MOST_KEPT messages and MOST_KEPT_BYTES of a subscription,
WAIT_S each.
"""

from collections import deque
from typing import NamedTuple

from devices.sparkplug_b.births import Birth
from devices.sparkplug_b.sequence import MODULO, missing
from devices.sparkplug_b.topic import Place
from devices.spec.events import Event, SanityError

MOST_DEVICES = 1000
MOST_KEPT = 1000
MOST_KEPT_BYTES = 4 << 20
WAIT_S = 60
ASK_AGAIN_S = (10, 20, 40, 80, 160, 320, 600)
"""Seconds until a node is asked once more to say its births again, whether it has answered or not: one that is never
as its births say must not be asked all the time. After PATIENT_S without need it begins anew."""
PATIENT_S = 3600

_S = 1_000_000_000


class SeqRefused(ValueError):
    """A message without its number, of a node that numbers them."""


class Node:
    """One edge node."""

    __slots__ = ("_asked", "_asked_ns", "_last", "_numbered", "bd_seq", "births", "ever_asked", "there")

    def __init__(self) -> None:
        self.births: dict[str, Birth] = {}  # "" is the node itself
        self.there: set[str] = set()  # devices that were born, or have said something
        self.bd_seq: int | None = None
        self.ever_asked = False
        self._last: int | None = None
        self._numbered = False
        self._asked = 0
        self._asked_ns = 0

    def born(self, bd_seq: int | None, seq: int | None, birth: Birth) -> None:
        """A new birth of the node: devices have to be born again."""
        self.births = {"": birth}
        self.bd_seq = bd_seq
        self._last = seq or 0
        self._numbered = bool(seq)

    def learnt(self, device: str, birth: Birth) -> None:
        """A birth that the broker had kept: what it defines, and nothing of the session."""
        self.births.setdefault(device, birth)

    def heard(self, device: str) -> None:
        """A device has said something: it is there, though its birth may have been missed."""
        if len(self.there) < MOST_DEVICES:
            self.there.add(device)

    def died(self) -> list[str]:
        """It is gone, and all its devices with it: those known, be it by a birth that the broker had kept."""
        gone = self.there.union(self.births)
        gone.discard("")
        self.there.clear()
        self.forget()
        return sorted(gone)

    def forget(self) -> None:
        """Nothing is sure any more: messages may have been missed."""
        self.births.clear()
        self._last = None

    def count(self, seq: int | None) -> int | None:
        """How many messages are missing before one of this number; None where it comes out of order.

        A number that is left out is a zero where a zero is due. SeqRefused where another one is.
        """
        last = self._last
        if seq is None:
            if self._numbered and last is not None and last != MODULO - 1:
                raise SeqRefused(f"seq is missing, expected {(last + 1) % MODULO}: the payload breaks off?")
            seq = 0 if self._numbered and last is not None else None
        if seq is None or not 0 <= seq < MODULO:
            return 0
        self._last = seq
        self._numbered = self._numbered or seq > 0
        return 0 if last is None else missing(last, seq)

    def to_ask(self, now_ns: int) -> bool:
        """Whether it is time to ask for births; counts as asked."""
        since_ns = now_ns - self._asked_ns
        if since_ns >= PATIENT_S * _S:
            self._asked = 0
        if self._asked and 0 <= since_ns < ASK_AGAIN_S[min(self._asked, len(ASK_AGAIN_S)) - 1] * _S:
            return False
        self._asked += 1
        self._asked_ns = now_ns
        self.ever_asked = True
        return True


class Kept(NamedTuple):
    """Data that came before its birth."""

    place: Place
    payload: bytes
    received_ns: int


class Waiting:
    """What waits for births, in the order in which it came."""

    __slots__ = ("_bytes", "_kept")

    def __init__(self) -> None:
        self._kept: deque[Kept] = deque()
        self._bytes = 0

    def keep(self, kept: Kept) -> list[Event]:
        """Keep one; those that have to make room for it, as errors."""
        self._kept.append(kept)
        self._bytes += len(kept.payload)
        refused: list[Event] = []
        while len(self._kept) > MOST_KEPT or self._bytes > MOST_KEPT_BYTES:
            refused.append(self._refuse(self._kept.popleft(), "too many wait for a birth"))
        return refused

    def take(self, place: Place) -> list[Kept]:
        """What waits for the birth of this node or device."""
        taken = [kept for kept in self._kept if _same(kept.place, place)]
        if taken:
            self._kept = deque(kept for kept in self._kept if not _same(kept.place, place))
            self._bytes = sum(len(kept.payload) for kept in self._kept)
        return taken

    def ended(self, place: Place, whole: bool) -> list[Event]:
        """A session is over that no birth has explained: what waits of the device, or of the `whole` node."""
        gone = [kept for kept in self._kept if _same(kept.place, place) or (whole and _one_node(kept.place, place))]
        for kept in gone:
            self._kept.remove(kept)
        return [self._refuse(kept, "it died before its birth said what it means") for kept in gone]

    def expired(self, now_ns: int) -> list[Event]:
        """What has waited too long, as errors."""
        refused: list[Event] = []
        while self._kept and not 0 <= now_ns - self._kept[0].received_ns <= WAIT_S * _S:
            refused.append(self._refuse(self._kept.popleft(), f"no birth has come for {WAIT_S} s"))
        return refused

    def flush(self) -> list[Event]:
        refused: list[Event] = [self._refuse(kept, "no birth has said what it means") for kept in self._kept]
        self._kept.clear()
        return refused

    def _refuse(self, kept: Kept, why: str) -> SanityError:
        self._bytes -= len(kept.payload)
        return SanityError(f"{kept.place.type} of {kept.place.thing[:100]!r}: {why}", kept.payload)


def _one_node(one: Place, other: Place) -> bool:
    return (one.prefix, one.group, one.node) == (other.prefix, other.group, other.node)


def _same(one: Place, other: Place) -> bool:
    return _one_node(one, other) and one.device == other.device
