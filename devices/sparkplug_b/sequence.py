"""The numbers of a node's messages: 0 to 255, and from 0 again. What is missing between two of them.

    254 255 0 1     nothing is missing            21 23     one is
    255 1           one is (or a zero that a sender left out, as proto3 does)

A step of more than half the circle goes backwards: out of order, or a new session. No message is dropped for its
number: after 256 messages the same one comes again.

Source: Eclipse Sparkplug 3.0.0, section 6.4.4 (seq).
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import NamedTuple

MODULO = 256


class Counted(NamedTuple):
    """What a row of numbers says. `increments` are the steps between neighbours and how often each came."""

    messages: int
    unique: int
    gaps: int
    missing: int
    backwards: int
    increments: Mapping[int, int]


def missing(last: int, seq: int) -> int | None:
    """How many messages are missing between two; None where the second comes no later than the first."""
    step = (seq - last) % MODULO
    return step - 1 if 0 < step <= MODULO // 2 else None


def count(numbers: Iterable[int]) -> Counted:
    """The gaps in a row of numbers in the order in which they came."""
    row = list(numbers)
    steps = Counter((after - before) % MODULO for before, after in pairwise(row))
    between = [missing(before, after) for before, after in pairwise(row)]
    lost = [number for number in between if number]
    return Counted(len(row), len(set(row)), len(lost), sum(lost), between.count(None), dict(sorted(steps.items())))
