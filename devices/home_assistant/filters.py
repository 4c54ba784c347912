"""Which topic filters bring the state topics of what was announced: few for many topics.

A topic that no filter takes yet gets a filter of its own. As soon as FOLD_AT topics differ in one level only, that
level becomes `+`; filters with a `+` are folded likewise:

    esp/a/sensor/temp/state, esp/a/sensor/hum/state, …     esp/a/sensor/+/state
    esp/a/sensor/+/state, esp/b/sensor/+/state, …          esp/+/sensor/+/state

The first level is never folded so. From SPREAD filters on, a new one takes all below the first level of its topic
(`esp/#`). What such filters bring of others is passed over. While a connection lasts filters are only added, for one
that nobody wants any more is given back on a later connection; `again` begins anew with all topics together, as few as
they come to.

Limits: MOST filters; topics beyond are not fetched, and named. 64 levels.
"""

from collections import Counter
from collections.abc import Iterable

FOLD_AT = 4
SPREAD = 200
MOST = 240


class Filters:
    """The filters of one subscription's connection. `full` are topics that got none."""

    __slots__ = ("_asked", "_counts", "_levels", "full")

    def __init__(self) -> None:
        self._asked: dict[str, None] = {}
        self._levels: list[list[str]] = []
        self._counts: Counter[tuple[str, ...]] = Counter()
        self.full: dict[str, None] = {}

    def again(self, topics: Iterable[str]) -> list[str]:
        """A new connection: the filters for all topics that are known."""
        self._asked, self._levels, self.full = {}, [], {}
        self._counts.clear()
        for topic in sorted(topics):
            self.add(topic)
        whole = self._levels
        kept = [levels for levels in whole if not any(_covers(other, levels) and other != levels for other in whole)]
        self._asked = {"/".join(levels): None for levels in kept}
        self._levels = kept
        return list(self._asked)

    def add(self, topic: str) -> list[str]:
        """What is to be fetched for a topic that may be new: a filter, or nothing."""
        levels = topic.split("/")[:64]
        if any(_covers(each, levels) for each in self._levels):
            return []
        found = self._fold(levels)
        if len(self._asked) >= SPREAD:
            found = [levels[0], "#"]
        if len(self._asked) >= MOST:
            self.full[topic] = None
            return []
        self._asked["/".join(found)] = None
        self._levels.append(found)
        return ["/".join(found)]

    def _fold(self, levels: list[str]) -> list[str]:
        """The levels with `+` where enough others differ there only."""
        for at in range(1, len(levels)):
            if levels[at] != "+":
                key = (*levels[:at], "+", *levels[at + 1 :])
                self._counts[key] += 1
                if self._counts[key] == FOLD_AT:
                    return self._fold(list(key))
        return levels


def _covers(pattern: list[str], levels: list[str]) -> bool:
    """Whether a filter takes a topic, or all of a filter."""
    if pattern[-1] == "#":
        return len(levels) >= len(pattern) - 1 and all(map(_same, pattern[:-1], levels))
    return len(pattern) == len(levels) and all(map(_same, pattern, levels))


def _same(own: str, level: str) -> bool:
    return own in ("+", level)
