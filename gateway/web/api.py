"""`/api/v1/things` and `/api/v1/sources`: what there is, and how it stands. docs/api.md shows both.

It only reads the counters that are kept anyway; the last values of things are kept while asked for (`latest`).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from aiohttp import web

from gateway.clock import Clock
from gateway.config import Config, MqttConfig, SerialConfig
from gateway.stats import DeviceStats, Stats
from gateway.tee import Tee
from gateway.watch import Watchdog
from gateway.web.answer import error, json
from gateway.web.latest import Latest, Values
from textfile import is_secret

LISTED = 100
MOST_LISTED = 1000

_NUMBER = re.compile(r"[0-9]{1,9}")
_CHOICES = ("source", "thing", "device")
_QUERY = frozenset({*_CHOICES, "limit", "offset", "values"})


def when(time_ns: int) -> str:
    """RFC 3339, UTC, to the microsecond."""
    seconds, rest = divmod(time_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1000:06d}Z"


@dataclass(slots=True)
class Api:
    """Answers from one running gateway. `tee` is also what the event streams look at."""

    config: Config
    stats: Stats
    tee: Tee
    clock: Clock
    latest: Latest
    watchdog: Watchdog

    async def things(self, request: web.Request) -> web.Response:
        """`source`, `thing`, `device` choose; `offset` and `limit` page; `values=1` asks for the last values."""
        query = request.query
        for key in query:
            if key not in _QUERY:
                return error(400, f"unknown parameter {key[:50]!r}: expected one of {', '.join(sorted(_QUERY))}")
        limit, offset = query.get("limit", str(LISTED)), query.get("offset", "0")
        if not _NUMBER.fullmatch(limit) or not 1 <= int(limit) <= MOST_LISTED:
            return error(400, f"limit = {limit[:20]!r}: expected a whole number from 1 to {MOST_LISTED}")
        if not _NUMBER.fullmatch(offset):
            return error(400, f"offset = {offset[:20]!r}: expected a whole number, 0 or more")
        if query.get("values", "0") not in ("0", "1"):
            return error(400, f"values = {query['values'][:20]!r}: expected 0 or 1")
        first, most = int(offset), int(limit)
        values = self.latest.asked() if query.get("values") == "1" else None
        total, chosen = self._choose(query, first, most)
        now_ns = self.clock.now_ns()
        return json(
            {
                "total": total,
                "offset": first,
                "next": first + most if first + most < total else None,
                "things": [self._thing(stats, now_ns, values) for stats in chosen],
                "unread": self._unread(query),
            }
        )

    def _unread(self, query: Mapping[str, str]) -> list[dict[str, object]]:
        """The topics of which nothing was ever stored; a hundred by broker at most."""
        wanted = [(key, query[key]) for key in _CHOICES if key in query]
        return [
            {
                "source": row.source,
                "device": row.device,
                "thing": row.thing,
                "topic": row.topic,
                "messages": row.messages,
                "faults": row.faults,
                "reason": row.reason,
                "last_seen": when(row.last_seen_ns),
            }
            for row in self.stats.topics.values()
            if all(getattr(row, key) == text for key, text in wanted)
        ]

    def _choose(self, query: Mapping[str, str], first: int, most: int) -> tuple[int, list[DeviceStats]]:
        """How many there are of what was asked for, and the page of them, in order of first appearance."""
        devices = self.stats.devices
        wanted = [(key, query[key]) for key in _CHOICES if key in query]
        if not wanted:
            return len(devices), list(islice(devices.values(), first, first + most))
        found = [stats for stats in devices.values() if all(getattr(stats, key) == text for key, text in wanted)]
        return len(found), found[first : first + most]

    def _thing(
        self, stats: DeviceStats, now_ns: int, values: Mapping[tuple[str, str], Values] | None
    ) -> dict[str, object]:
        seen = stats.last_seen_ns
        shown: dict[str, object] = {
            "source": stats.source,
            "device": stats.device,
            "thing": stats.thing,
            "tags": dict(stats.tags),
            "location": stats.location,
            "last_seen": when(seen) if seen else None,
            "last_seen_s": round((now_ns - seen) / 1e9, 3) if seen else None,
            "expected_every_s": stats.expected_every_s if stats.expected_every_s < float("inf") else None,
            "silent": stats.silent,
            **stats.counts(),
            "last_error": self._wrong(stats) or None,
        }
        if values is not None:
            last = values.get((stats.source, stats.thing))
            shown["values"] = None if last is None else {"received": when(last.time_ns), "fields": last.fields}
        return shown

    def _wrong(self, stats: DeviceStats) -> str:
        """What was wrong last with what it said; of one that is silent also the watchdog's words."""
        words = self.watchdog.faults.words(stats.source, stats.thing) if stats.silent else ""
        if not words or stats.last_error in words:
            return words or stats.last_error
        return f"{words}; the last error: {stats.last_error}"

    async def sources(self, _request: web.Request) -> web.Response:
        """Every port and broker, with its settings; never a secret."""
        brokers = (self._source(f"mqtt:{each.name}", "mqtt", each) for each in self.config.mqtt)
        ports = (self._source(f"serial:{each.port}", "serial", each) for each in self.config.serial)
        return json({"sources": [*brokers, *ports]})

    def _source(self, name: str, kind: str, config: MqttConfig | SerialConfig) -> dict[str, object]:
        stats = self.stats.source(name)
        return {
            "source": name,
            "kind": kind,
            "state": stats.state,
            "connected": stats.connected,
            "connects": stats.connects,
            "bytes": stats.bytes_in,
            "malformed": stats.malformed,
            "refused": stats.refused,
            "last_refused": stats.last_refused or None,
            "last_error": stats.last_error or None,
            "settings": _plain(config),
        }


def _plain(value: object) -> object:
    """A setting as JSON can say it; what is secret is left out, and so is what is not set."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items() if not is_secret(str(key))}
    if is_dataclass(value):
        named = {item.name: getattr(value, item.name) for item in fields(value)}
        return _plain({key: item for key, item in named.items() if item not in (None, "", {}, ())})
    if isinstance(value, Iterable):
        return [_plain(item) for item in value]
    return type(value).__name__
