"""Which level of the topic names is the thing.

    park/lamp-1/state, park/lamp-2/state      the level that differs: park/{thing}/state
    park/lamp-1/state                         one with a digit, or the one before the last: a guess
Pure.
"""

import re
from collections.abc import Sequence


def pattern_of(topics: Sequence[str]) -> tuple[str, str]:
    """A topic pattern that takes all of `topics`, which have one number of levels, and why the thing is where it is."""
    rows = [topic.split("/") for topic in dict.fromkeys(topics)]
    first = rows[0]
    differing = [at for at in range(len(first)) if len({row[at] for row in rows}) > 1]
    if len(differing) == 1:
        return _with_thing(first, differing[0]), f"level {differing[0] + 1} differs from topic to topic"
    if differing:
        at = max(differing, key=lambda at: len({row[at] for row in rows}))
        levels = ["+" if other in differing else level for other, level in enumerate(first)]
        return _with_thing(levels, at), f"level {at + 1} differs most from topic to topic"
    named = [at for at, level in enumerate(first) if re.search(r"[A-Za-z].*\d|[0-9a-fA-F]{6,}", level)]
    if named:
        return _with_thing(first, named[-1]), f"{first[named[-1]]!r} looks like a name; with one topic this is a guess"
    return "/".join(first), "no level looks like a name; the thing is named in the subscription"


def same_shape(topics: Sequence[str]) -> list[str]:
    """The topics with the number of levels that most of them have."""
    counts = [topic.count("/") for topic in topics]
    usual = max(counts, key=counts.count)
    return [topic for topic, count in zip(topics, counts, strict=True) if count == usual]


def _with_thing(levels: Sequence[str], at: int) -> str:
    return "/".join("{thing}" if other == at else level for other, level in enumerate(levels))
