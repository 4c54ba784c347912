"""What a topic name leads to, resolved once; and topics of which nothing was ever stored.

Bounds. A topic that has brought a thing with a place is remembered as long as the thing has it, at
most twice `max_things` of them. Of others the newest MAX_LOOSE are remembered, the rest is resolved
each time: a flood of made-up topics costs time, not memory, and pushes out no topic that is of use.
Of topics that brought nothing MAX_UNREAD are shown by broker; one that was not heard for
UNREAD_S makes room for another, further ones are a number.
"""

from zlib import crc32

from gateway.decode.names import clean_tag
from gateway.decode.point import Series
from gateway.decode.subscription import Subscription
from gateway.stats import DeviceStats, Stats, TopicStats

MAX_REMEMBERED_TOPIC = 512
"""Characters of a topic name that is resolved once; a longer one is resolved every time, and nothing is told to a
thing that has spoken on none but such."""

MAX_LOOSE = 1000
MAX_UNREAD = 100
UNREAD_S = 600.0
MAX_SHOWN = 200
"""Characters of a topic name or reason that are shown."""


class Route:
    """What one topic name leads to. `series` and `stats` are set once the thing is known.

    `thing` is what the topic names; `owner` that, or else what the configuration names. `blamed` is whose
    fault it is when nothing in the payload says: the owner, or the one thing that its payloads named.
    `retained` decodes what the broker had kept.
    """

    __slots__ = (
        "blamed",
        "checksum",
        "decode",
        "owner",
        "read",
        "retained",
        "series",
        "stats",
        "subscription",
        "thing",
        "topic",
    )

    def __init__(self, subscription: Subscription, thing: str, topic: str) -> None:
        self.subscription = subscription
        self.decode = subscription.decoder.decode
        self.retained = subscription.decoder.retained
        self.thing = clean_tag(thing)
        self.owner = self.thing or clean_tag(subscription.config.thing or "")
        self.blamed = self.owner
        self.topic = topic
        self.checksum = crc32(topic.encode("utf-8", "replace"))
        self.read = False  # something of it was stored
        self.series: Series | None = None
        self.stats: DeviceStats | None = None


class Topics:
    """The topic names of one broker. `routes` is for the hot path: those that are remembered."""

    def __init__(self, subscriptions: list[Subscription], most: int) -> None:
        self.routes: dict[str, Route] = {}
        self._subscriptions = subscriptions
        self._most = most
        self._loose: dict[str, None] = {}

    def find(self, topic: str) -> Route | None:
        """What a topic leads to; None where no subscription matches."""
        return self.routes.get(topic) or self.resolve(topic)

    def resolve(self, topic: str) -> Route | None:
        """What a topic that is not in `routes` leads to; None where no subscription matches.

        A subscription that the configuration gave the topic comes before one whose decoder has fetched it.
        """
        found = next(
            ((each, thing) for each in self._subscriptions if (thing := each.thing(topic)) is not None), None
        ) or next(((each, "") for each in self._subscriptions if each.fetched(topic)), None)
        if found is None:
            return None
        route = Route(*found, topic)
        if len(topic) <= MAX_REMEMBERED_TOPIC:
            if len(self._loose) >= MAX_LOOSE:
                oldest = next(iter(self._loose))
                del self._loose[oldest], self.routes[oldest]
            self._loose[topic] = None
            self.routes[topic] = route
        return route

    def owner(self, topic: str) -> Subscription | None:
        """The subscription that a topic leads to; nothing is remembered."""
        return next(
            (each for each in self._subscriptions if each.thing(topic) is not None or each.fetched(topic)), None
        )

    def hold(self, route: Route) -> bool:
        """Remember the route until `release`; False where it is not, or there are too many."""
        topic = route.topic
        if topic not in self._loose or len(self.routes) - len(self._loose) >= self._most:
            return False
        del self._loose[topic]
        return True

    def release(self, topics: list[str]) -> None:
        """The thing that these led to has lost its place."""
        for topic in topics:
            self.routes.pop(topic, None)


class Unread:
    """The topics of one broker of which nothing was ever stored, with counters, in `Stats.topics`."""

    def __init__(self, stats: Stats, source: str) -> None:
        self._stats = stats
        self._source = source
        self._count = 0

    def note(self, route: Route | None, topic: str, why: str, now_ns: int, *, fault: bool = True) -> None:
        """A message of which nothing was stored, and why. Without `fault` it had nothing to report, or was old."""
        topics, shown = self._stats.topics, topic[:MAX_SHOWN]
        row = topics.get((self._source, shown))
        if row is None:
            if self._count >= MAX_UNREAD and not self._make_room(now_ns):
                self._stats.more_topics += 1
                return
            device = "" if route is None else route.subscription.device.name
            thing = "" if route is None else route.blamed
            row = topics[(self._source, shown)] = TopicStats(self._source, device, thing, shown)
            self._count += 1
        row.messages += 1
        row.faults += fault
        row.run = row.run + 1 if fault else 0
        row.reason = why[:MAX_SHOWN]
        row.last_seen_ns = now_ns

    def read(self, route: Route, thing: str) -> None:
        """A reading of `thing` came: the topic is a thing's now."""
        if route.read:
            if route.blamed != thing:
                route.blamed = route.owner  # it is several things'
        else:
            route.read = True
            route.blamed = thing
            stats = self._stats.devices.get((self._source, thing))
            if (
                stats is not None
                and (not stats.topic or route.subscription.config.commands)
                and len(route.topic) <= MAX_REMEMBERED_TOPIC
            ):
                stats.topic = route.topic  # where it may be told something, if there is such a one
            if self._stats.topics.pop((self._source, route.topic[:MAX_SHOWN]), None) is not None:
                self._count -= 1

    def _make_room(self, now_ns: int) -> bool:
        """Forget a topic that was not heard for long."""
        ours = [row for row in self._stats.topics.values() if row.source == self._source]
        oldest = min(ours, key=lambda row: row.last_seen_ns)
        if now_ns - oldest.last_seen_ns < UNREAD_S * 1e9:
            return False
        del self._stats.topics[(self._source, oldest.topic)]
        self._count -= 1
        return True
