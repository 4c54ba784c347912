"""Of what nothing can be read: a port, a broker or a thing whose frames or messages all are refused.

    refused since the last good reading (or "nothing to report")  >= LEAST  --> a problem
    a good reading, or nothing refused any more for long enough              --> none

Counted is what fails its check or cannot be true (and what no subscription takes, what is too large,
what has no place among `max_things`). Noise is not: between two good frames it is ordinary, and a port
that brings nothing but noise says so in its state. Nothing here runs per message; things are
compared when the watchdog visits them, sources once a round.
"""

import math
from dataclasses import dataclass, field

from gateway.stats import Stats, TopicStats
from gateway.watch.thing import Thing

LEAST = 3
QUIET_S = 300.0
"""What was refused is over after this time without more, or after the thing's own limit if that is longer."""

NAMED = 3
"""Things named in one line; the rest is a number."""


@dataclass(slots=True)
class _Run:
    """What was refused in a row: how many, until when it is told without more, and what was wrong with the last."""

    count: int
    until: float
    why: str


@dataclass(slots=True)
class _Tally:
    """A source: how much it had refused when its last good reading came."""

    before: int
    run: _Run | None = None
    things: dict[tuple[str, str], _Run] = field(default_factory=dict)


class Refusals:
    """By source, and in it by device type and thing."""

    def __init__(self, stats: Stats) -> None:
        self._stats = stats
        self._sources: dict[str, _Tally] = {}

    def heard(self, thing: Thing) -> None:
        """The thing has said something that could be read."""
        tally = self._sources.get(thing.stats.source)
        if tally is not None:
            tally.before, tally.run = self._stats.source(thing.stats.source).refused, None
            tally.things.pop((thing.stats.device, thing.stats.thing), None)

    def failed(self, thing: Thing, now: float, limit_s: float) -> None:
        """Something of the thing was refused since it was last heard."""
        stats = thing.stats
        count = stats.sanity_errors - thing.sanity + stats.integrity_errors - thing.integrity
        tally = self._sources.get(stats.source)
        if count < LEAST or tally is None:
            return
        key = (stats.device, stats.thing)
        run = tally.things.get(key)
        if run is None or run.count != count:
            tally.things[key] = _Run(
                count, now + (max(QUIET_S, limit_s) if limit_s < math.inf else QUIET_S), stats.last_error
            )

    def round(self, now: float) -> None:
        """Look at every source."""
        for source in self._stats.sources.values():
            tally = self._sources.get(source.name)
            if tally is None:
                tally = self._sources[source.name] = _Tally(0)
            count = source.refused - tally.before
            if count >= LEAST and (tally.run is None or tally.run.count != count):
                tally.run = _Run(count, now + QUIET_S, source.last_refused)

    def problems(self, now: float, now_ns: int) -> list[str]:
        """One line for a source of which nothing is read; else one for each device type on it."""
        found = []
        topics = self._unread(now_ns)
        for name, tally in self._sources.items():
            for key in [key for key, run in tally.things.items() if now > run.until]:
                del tally.things[key]
            if tally.run is not None and now > tally.run.until:
                tally.run, tally.before = None, self._stats.source(name).refused
            if tally.run is not None:
                found.append(self._of_all(name, tally, tally.run, [row for row in topics if row.source == name]))
                continue
            of = {device: [thing for kind, thing in tally.things if kind == device] for device, _ in tally.things}
            for device, things in of.items():
                runs = [tally.things[device, thing] for thing in things]
                found.append(_line(name, sum(run.count for run in runs), things, runs[-1].why, device))
            for device in dict.fromkeys(row.device for row in topics if row.source == name):
                rows = [row for row in topics if (row.source, row.device) == (name, device)]
                count = sum(row.run for row in rows)
                found.append(_line(name, count, [row.topic for row in rows], rows[-1].reason, device))
        return found

    def _of_all(self, name: str, tally: _Tally, run: _Run, topics: list[TopicStats]) -> str:
        """What to say of a source: whose messages they are where that is so of all, else whose the last one was."""
        known = sum(each.count for each in tally.things.values()) + sum(row.run for row in topics)
        if known == run.count:
            things = [thing for _, thing in tally.things]
            return _line(name, run.count, things + [row.topic for row in topics], run.why)
        rows = self._stats.topics.values()
        said = [row for row in rows if row.source == name and row.run and row.reason == run.why]
        last = max(said, key=lambda row: row.last_seen_ns).topic if said else ""
        return _line(name, run.count, [], run.why, last=last)

    def _unread(self, now_ns: int) -> list[TopicStats]:
        """Topics of which the last messages all were refused, and lately."""
        return [
            row
            for row in self._stats.topics.values()
            if row.run >= LEAST and now_ns - row.last_seen_ns <= QUIET_S * 1e9
        ]

    def named(self) -> set[tuple[str, str]]:
        """Source and thing of which something is said here."""
        return {(name, thing) for name, tally in self._sources.items() for _, thing in tally.things}


def _line(source: str, count: int, things: list[str], why: str, device: str = "", last: str = "") -> str:
    what = "messages" if source.startswith("mqtt:") else "frames"
    names = [thing for thing in things if thing]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    of = f" of {', '.join(names[:NAMED])}{more}" if names else ""
    kind = f" as {device}" if device else ""
    whose = f"; the last, of {last}" if last and last not in why else ""
    return f"{source}: all of the last {count} {what}{of} could not be read{kind}{whose}: {why}"
