"""How the gateway is: what is wrong now, whether it takes data, and the whole report as JSON.

What is wrong is asked of those who know it (sources, sinks, spool, pipeline, watchdog) each time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from gateway.clock import Clock
from gateway.commands import CommandRoom
from gateway.pipeline import Pipeline
from gateway.spool import Spool, say_forecast
from gateway.stats import DeviceStats, Stats
from gateway.watch import DiskWatch, Watchdog


class CodecCounts(Protocol):
    """What one codec has done."""

    @property
    def name(self) -> str: ...
    @property
    def decoded(self) -> int: ...
    @property
    def refused(self) -> int: ...
    @property
    def warnings(self) -> int: ...
    @property
    def aside(self) -> bool: ...


class CodecsView(Protocol):
    """How the codecs do."""

    def problems(self) -> list[str]: ...
    def counts(self) -> Sequence[CodecCounts]: ...


LISTED = 1000
"""Things that the report lists one by one, at most."""


@dataclass(slots=True)
class Health:
    """Reads the counters of one running gateway; changes nothing."""

    name: str
    version: str
    stats: Stats
    spool: Spool
    pipeline: Pipeline
    watchdog: Watchdog
    clock: Clock
    started: float
    disks: DiskWatch
    codecs: CodecsView | None = None
    commands: CommandRoom | None = None
    counted: int = 0
    count_again: float = 0.0

    def online(self, stats: DeviceStats) -> bool:
        """Heard, and not silent by the watchdog's word."""
        return stats.last_seen_ns > 0 and not stats.silent

    def things_online(self) -> int:
        """Counted afresh once a second at most, and more rarely where there are very many."""
        now = self.clock.monotonic()
        devices = self.stats.devices
        if now >= self.count_again:
            self.counted = sum(map(self.online, devices.values()))
            self.count_again = now + max(1.0, len(devices) / 10_000)
        return self.counted

    def problems(self) -> list[str]:
        """One line for each thing that is wrong now."""
        found = [] if self.pipeline.state == "ok" else [self.pipeline.state]
        found += [f"{source.name}: {source.state}" for source in self.stats.sources.values() if source.state != "up"]
        found += [
            f"{sink.name}: {sink.state}" for sink in self.stats.sinks.values() if sink.state not in ("up", "starting")
        ]
        found += self.disks.problems() + self.spool.filling.problems() + self.pipeline.losses.problems()
        if self.spool.notice:
            found.append(self.spool.notice)
        found += [f"{crowd.source}: {crowd.words}" for crowd in self.stats.crowds.values()]
        if self.codecs is not None:
            found += self.codecs.problems()
        if self.commands is not None:
            found += self.commands.problems()
        return found + self.watchdog.problems()

    def unready(self) -> list[str]:
        """Why no data is taken now; empty where it is: the spool takes it, and one source at least is connected."""
        found = [] if self.pipeline.state == "ok" else [self.pipeline.state]
        sources = self.stats.sources.values()
        if sources and not any(source.connected for source in sources):
            found += [f"{source.name}: {source.state}" for source in sources]
        return found

    def report(self, devices: bool = True) -> dict[str, object]:
        """What `/healthz` answers. `status` is ok, degraded, or failing (nothing is taken).

        With `devices` the first LISTED things are listed one by one.
        """
        depth, problems = self.spool.depth(), self.problems()
        forecast, by = self.spool.filling.outlook()
        now_ns = self.clock.now_ns()
        status = "failing" if self.pipeline.state != "ok" else "degraded" if problems else "ok"
        return {
            "status": status,
            "name": self.name,
            "version": self.version,
            "uptime_s": round(self.clock.monotonic() - self.started, 1),
            "problems": problems,
            "things": {"seen": len(self.stats.devices), "online": self.things_online()},
            "stages": {key: getattr(self.stats.stages, key) for key in self.stats.stages.__slots__},
            "spool": {
                "state": depth.state,
                "points": depth.points,
                "bytes": depth.bytes,
                "oldest_s": age_s(depth.oldest_ns, now_ns),
                "forecast_s": None if forecast is None else round(forecast),
                "forecast": say_forecast(forecast, by),
            },
            "quarantine": {
                "items": depth.quarantined,
                "bytes": depth.quarantine_bytes,
                "given_up": depth.given_up,
            },
            "disks": [
                {
                    "folder": str(disk.folder),
                    "state": disk.word,
                    "free_bytes": disk.space.free,
                    "size_bytes": disk.space.size,
                    "full_in_s": None if disk.seconds is None else round(disk.seconds),
                }
                for disk in self.disks.disks
            ],
            **({} if self.codecs is None else {"codecs": [_codec(each) for each in self.codecs.counts()]}),
            **({"devices": self._listed(now_ns)} if devices else {}),
        }

    def _listed(self, now_ns: int) -> list[dict[str, object]]:
        unread: list[dict[str, object]] = [
            {
                "source": row.source,
                "device": row.device,
                "thing": row.thing,
                "topic": row.topic,
                "last_seen_s": age_s(row.last_seen_ns, now_ns),
                "messages": row.messages,
                "readings": 0,
                "faults": row.faults,
                "reason": row.reason,
            }
            for row in self.stats.topics.values()
        ]
        return unread + [
            {
                "source": stats.source,
                "device": stats.device,
                "thing": stats.thing,
                "last_seen_s": age_s(stats.last_seen_ns or None, now_ns),
                **stats.counts(),
            }
            for stats in islice(self.stats.devices.values(), LISTED)
        ]


def _codec(counts: CodecCounts) -> dict[str, object]:
    return {
        "file": counts.name,
        "decoded": counts.decoded,
        "refused": counts.refused,
        "warnings": counts.warnings,
        "set_aside": counts.aside,
    }


def age_s(since_ns: int | None, now_ns: int) -> float | None:
    """Seconds since, to the millisecond."""
    return None if since_ns is None else round((now_ns - since_ns) / 1e9, 3)
