"""Which copy of a message is taken where subscriptions overlap, so that each message is taken once.

What a decoder fetches is subscribed to beside what the configuration wants, and both may take one
topic. In MQTT 5 mosquitto then sends a copy for each subscription; other brokers send one for all.
So subscriptions have identifiers, and a message names those that it is sent for:

    1           what the configuration wants
    2, 3, ...   fetched filters, one each
    1000        shared subscriptions of the configuration

A message that is published now is taken by the first granted subscription that matches its topic, in
this order; copies that do not name it are spare. What the broker had kept is taken for each fetched
filter, since it was asked for; the configuration's copy is spare where a granted one matches.

A message without identifiers is taken: nothing that is fetched, or a broker that knows none. So is
everything over MQTT 3.1.1, which has none; mosquitto sends one copy there.

Limits: the first match of 10,000 topic names is remembered. Of what was published while the gateway
was away: what came for a fetched filter alone is passed over if the configuration has since been made
to take it, and what came for two fetched filters and none of the configuration is taken twice.

Source: MQTT 5.0 (OASIS, 2019), 3.3.4 (overlapping subscriptions), 3.8.2.1.2 subscription identifier.
"""

import re
from collections.abc import Iterable

from gateway.routes import matcher

CONFIGURED = 1
FETCHED = 2
SHARED = 1000

MOST_TOPICS = 10_000

Match = tuple[int, re.Pattern[str]]


class Copies:
    """The subscriptions of one connection. Where nothing is fetched nothing is `overlapping`, and nobody asks."""

    def __init__(self, configured: Iterable[str] = ()) -> None:
        """What has waited at the broker comes before anything is asked for: it came for `configured` filters,
        and for what the gateway that had this session before has fetched."""
        self._first: dict[tuple[str, bool], int] = {}
        own = list(configured)
        self.stand(own, {}, set(own))
        self.overlapping = bool(own)

    def stand(self, configured: Iterable[str], fetched: dict[str, int], granted: set[str]) -> None:
        """What is wanted: the configuration's filters, and fetched ones with their numbers.

        `granted` are those that the session has, of the fetched ones those granted on this connection.
        """
        self._own = [each for each in configured if not each.startswith("$share/")]
        self._fetched = fetched
        self._granted = set(granted)
        self.overlapping = bool(fetched)
        self._match()

    def grant(self, filters: Iterable[str]) -> None:
        """The broker has granted these: copies of what it sends from here on come for them, too."""
        self._granted.update(filters)
        self._match()

    def _match(self) -> None:
        numbered = [(number, matcher(each)) for each, number in self._fetched.items() if each in self._granted]
        own = [(each, matcher(each)) for each in self._own]
        self._live: list[Match] = [(CONFIGURED, match) for each, match in own if each in self._granted]
        self._live += numbered
        self._kept: list[Match] = [(0, match) for each, match in own if each in self._fetched]  # brings it itself
        self._kept += numbered
        self._first.clear()

    def spare(self, topic: str, numbers: list[int], retained: bool) -> bool:
        """Whether another copy of this message comes, and that one is to be taken."""
        if not numbers:
            return False
        first = self._first.get((topic, retained))
        if first is None:
            if len(self._first) >= MOST_TOPICS:
                self._first.clear()
            matches = self._kept if retained else self._live
            first = next((number for number, match in matches if match.match(topic)), 0)
            self._first[topic, retained] = first
        if retained:
            return first > 0 and max(numbers) == CONFIGURED
        return first > 0 and first not in numbers
