"""Who has a place: the things of one broker (series, to be exact), at most `max_things`.

A place costs memory here and a series in the store for ever, and names are made up by whoever
publishes. So:

- While there are places, whoever speaks gets one.
- A thing that the configuration names has its place, whatever else speaks. So has one that has
  proved itself: it spoke at least TRIES times over at least TRIAL_S, the last time within LATELY_S.
  Who that is is kept in the state folder (`known`), so that it holds over a restart, too: places of
  known things that have not spoken yet are not given to others.
- When all places are taken, further names are refused: their payloads go to the quarantine, whole.
  One that proves itself all the same takes the place of a name that has not, and was not heard for
  TRIAL_S: the one that is longest silent, or of a known one that was not heard for LATELY_S.

So a publisher of made-up names, each said once or twice, gets what places were free and no more; a
new sensor that comes while it goes on has its place after a minute, in which what it said lies in
the quarantine. One that repeats each of its names for minutes cannot be told from many sensors: it
takes places that nobody has proved, and none of those that were there before.

Bounds: MAX_TRIALS names on trial, twice (heard once; heard again). Names that come faster than that
many between two messages of a newcomer hide it until they stop.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from devices.spec.zone import ZONE
from gateway.config import MqttConfig
from gateway.decode.names import clean_tag
from gateway.decode.point import Series
from gateway.decode.subscription import Subscription
from gateway.stats import Crowd, DeviceStats, Stats, device_stats

log = logging.getLogger("parkgate.decode")

TRIES = 3
TRIAL_S = 60.0
LATELY_S = 7 * 86_400.0
MAX_TRIALS = 20_000
LOOK_AGAIN_S = 10.0
"""How often all places are looked through for one that can be given away."""

TELL_S = 3600.0
CHANGED_S = 60.0
"""How often it is told who is known, and how often at most where that has changed: writing them all down
costs 3 us a thing."""

CROWDED_S = 60.0
"""A broker is said to be full until so long after the last refusal."""

_NS = 1_000_000_000
_TRIAL_NS = round(TRIAL_S * _NS)
_LATELY_NS = round(LATELY_S * _NS)

Key = tuple[str, str, tuple[tuple[str, str], ...]]
"""Device type, thing, tags in order."""


class Known(NamedTuple):
    """A thing that has proved itself, and when it was last heard."""

    device: str
    thing: str
    last_seen_ns: int


class Seat:
    """One place: a series and the counters of its thing. `topics` lead to it past `Things.find`, and are
    remembered for it."""

    __slots__ = ("configured", "count", "first_ns", "key", "last_ns", "proven", "series", "stats", "topics")

    def __init__(self, key: Key, series: Series, stats: DeviceStats, now_ns: int) -> None:
        self.key = key
        self.series = series
        self.stats = stats
        self.first_ns = self.last_ns = now_ns
        self.count = 0  # readings that came by way of `Things.find`
        self.proven = self.configured = False
        self.topics: list[str] = []

    @property
    def heard_ns(self) -> int:
        return max(self.last_ns, self.stats.last_seen_ns) if self.topics else self.last_ns

    def prove(self) -> bool:
        """Whether it has spoken often enough, for long enough."""
        if not self.proven:
            readings = max(self.count, self.stats.readings) if self.topics else self.count
            self.proven = readings >= TRIES and self.heard_ns - self.first_ns >= _TRIAL_NS
        return self.proven


class _Trials:
    """Names without a place: when each was first heard, and how often. Those heard once make room first."""

    def __init__(self) -> None:
        self._once: dict[int, int] = {}
        self._again: dict[int, tuple[int, int]] = {}

    def passed(self, key: Key, now_ns: int) -> bool:
        """Note that the name was heard; whether it has now been often enough, for long enough."""
        mark = hash(key)
        first_ns, count = self._again.get(mark) or (self._once.pop(mark, 0), 1)
        if not first_ns:
            if len(self._once) >= MAX_TRIALS:
                del self._once[next(iter(self._once))]
            self._once[mark] = now_ns
            return False
        if mark not in self._again and len(self._again) >= MAX_TRIALS:
            del self._again[next(iter(self._again))]
        self._again[mark] = (first_ns, count + 1)
        return count + 1 >= TRIES and now_ns - first_ns >= _TRIAL_NS

    def end(self, key: Key) -> None:
        self._again.pop(hash(key), None)


class Things:
    """The places of one broker. `known` are the things that had proved themselves before the start."""

    def __init__(
        self,
        stats: Stats,
        config: MqttConfig,
        source: str,
        release: Callable[[list[str]], None],
        known: Iterable[Known] = (),
    ) -> None:
        """`release` is told the topics of a place that is taken away."""
        self._stats = stats
        self._release = release
        self._source = source
        self._most = config.max_things
        self._seats: dict[Key, Seat] = {}
        self._configured = {(each.device, clean_tag(each.thing)) for each in config.subscriptions if each.thing}
        heard = sorted(known, key=lambda each: -each.last_seen_ns)[: self._most]
        self._awaited = {(each.device, each.thing): each.last_seen_ns for each in heard}
        self._awaited |= dict.fromkeys(self._configured, 0)
        self._trials = _Trials()
        self._idle: list[Seat] = []
        self._look_at_ns = 0
        self._changed = False
        self._told_ns = 0

    def find(self, subscription: Subscription, thing: str, tags: Mapping[str, str], now_ns: int) -> Seat | None:
        """The place of a series; made on first sight, None where it has none."""
        device, more = subscription.device, subscription.config.tags
        words = {name: clean_tag(value) for name, value in tags.items()} | more if tags else more
        key = (device.name, thing, tuple(sorted(words.items())))
        seat = self._seats.get(key)
        if seat is None:
            if not self._may_sit(key, now_ns):
                return None
            seat = self._sit(subscription, key, {**words, "thing": thing}, now_ns)
        seat.count += 1
        seat.last_ns = now_ns
        return seat

    def settle(self, now_ns: int) -> bool:
        """Look who has proved itself and whether the crowd is over; whether it is time to write down who is known."""
        for seat in self._seats.values():
            if not seat.proven and seat.prove():
                self._changed = True
        crowd = self._stats.crowds.get(self._source)
        if crowd is not None and now_ns - crowd.last_ns > CROWDED_S * _NS:
            log.info("%s: nobody else asks for a place any more; %s", self._source, crowd.words)
            del self._stats.crowds[self._source]
        if now_ns - self._told_ns < (CHANGED_S if self._changed else TELL_S) * _NS:
            return False
        self._changed, self._told_ns = False, now_ns
        return True

    def known(self) -> list[Known]:
        """The things that keep their places: those that have proved themselves, and those not yet heard again."""
        found = []
        several: dict[tuple[str, str], int] = {}  # things with more than one place
        for seat in self._seats.values():
            if seat.configured or not seat.prove():
                continue
            device, thing, _ = seat.key
            if seat.stats.seats == 1:
                found.append(Known(device, thing, seat.heard_ns))
            else:
                several[device, thing] = max(seat.heard_ns, several.get((device, thing), 0))
        awaited = {name: last_ns for name, last_ns in self._awaited.items() if name not in self._configured}
        found += [Known(*name, last_ns) for name, last_ns in {**awaited, **several}.items()]
        return found

    def _may_sit(self, key: Key, now_ns: int) -> bool:
        if key[:2] in self._awaited or len(self._seats) + len(self._awaited) < self._most:
            return True
        if self._trials.passed(key, now_ns):
            idle = self._idle_seat(now_ns)
            if idle is not None:
                self._part(idle)
                self._trials.end(key)
                return True
        self._refuse(now_ns)
        return False

    def _sit(self, subscription: Subscription, key: Key, tags: Mapping[str, str], now_ns: int) -> Seat:
        device, thing, _ = key
        stats = self._stats.devices.get((self._source, thing))
        if stats is None:
            stats = device_stats(self._source, subscription.device, thing, subscription.config)
            self._stats.devices[(self._source, thing)] = stats
        stats.seats += 1
        if ZONE in tags:  # as the payload gives it, where the configuration does not
            stats.tags = {**stats.tags, ZONE: tags[ZONE]}
        series = Series(subscription.device.measurement, tags, counts=stats)
        seat = self._seats[key] = Seat(key, series, stats, now_ns)
        seat.configured = (device, thing) in self._configured
        seat.proven = self._awaited.pop((device, thing), None) is not None
        return seat

    def _idle_seat(self, now_ns: int) -> Seat | None:
        """The place that is given away next: nobody has proved it, or who has is long gone."""
        if not self._idle and now_ns >= self._look_at_ns:
            self._look_at_ns = now_ns + round(LOOK_AGAIN_S * _NS)
            self._idle = sorted(
                (seat for seat in self._seats.values() if _idle(seat, now_ns)), key=lambda seat: -seat.heard_ns
            )
        while self._idle:
            seat = self._idle.pop()
            if _idle(seat, now_ns) and self._seats.get(seat.key) is seat:
                return seat
        return None

    def _part(self, seat: Seat) -> None:
        """Take a place away; the counters go with the thing's last one."""
        del self._seats[seat.key]
        self._changed = self._changed or seat.proven
        seat.stats.seats -= 1
        self._release(seat.topics)
        if not seat.stats.seats:
            self._stats.part(self._source, seat.stats.thing)

    def _refuse(self, now_ns: int) -> None:
        crowd = self._stats.crowds.get(self._source)
        if crowd is None:
            crowd = self._stats.crowds[self._source] = Crowd(self._source, self._most)
            log.warning(
                "%s: all %d places (max_things) are taken; further things go to the quarantine",
                self._source,
                self._most,
            )
        crowd.refused += 1
        crowd.last_ns = now_ns


def _idle(seat: Seat, now_ns: int) -> bool:
    return not seat.configured and now_ns - seat.heard_ns > (_LATELY_NS if seat.prove() else _TRIAL_NS)
