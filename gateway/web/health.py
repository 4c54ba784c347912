"""The gateway's own state, three ways: points, Prometheus text, and JSON for people and probes.

Measurements written (all by way of the spool, like any reading):

    gateway         tag gateway;                          counters by stage, spool depth, latency
    gateway_device  tags gateway, source, device, thing;  counters of one thing
    things          tags thing, device and the thing's;   latitude_deg, longitude_deg, online

A round is written every PERIOD_S; things take turns, at most THINGS_A_ROUND in one round.
Source of the text format: Prometheus exposition format 0.0.4.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from gateway.clock import Clock
from gateway.decode import Series
from gateway.pipeline import Pipeline
from gateway.spool import Spool, say_forecast
from gateway.stats import DeviceStats, Stats
from gateway.watch import Watchdog

PERIOD_S = 10.0
THINGS_A_ROUND = 1000


@dataclass(slots=True)
class Health:
    """Reads the counters of one running gateway; changes nothing but its own place in the round."""

    name: str
    version: str
    stats: Stats
    spool: Spool
    pipeline: Pipeline
    watchdog: Watchdog
    clock: Clock
    started: float
    turn: int = 0
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
        found += self.pipeline.losses.problems()
        if self.spool.notice:
            found.append(self.spool.notice)
        found += [f"{crowd.source}: {crowd.words}" for crowd in self.stats.crowds.values()]
        return found + self.watchdog.problems()

    def report(self, devices: bool = True) -> dict[str, object]:
        """What `/healthz` answers. `status` is ok, degraded, or failing (nothing is taken).

        With `devices` the first THINGS_A_ROUND things are listed one by one.
        """
        depth, forecast, problems = self.spool.depth(), self.spool.forecast(), self.problems()
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
                "oldest_s": self._age_s(depth.oldest_ns, now_ns),
                "forecast_s": None if forecast is None else round(forecast),
                "forecast": say_forecast(forecast),
            },
            **({"devices": self._listed(now_ns)} if devices else {}),
        }

    def _listed(self, now_ns: int) -> list[dict[str, object]]:
        unread: list[dict[str, object]] = [
            {
                "source": row.source,
                "device": row.device,
                "thing": row.thing,
                "topic": row.topic,
                "last_seen_s": self._age_s(row.last_seen_ns, now_ns),
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
                "last_seen_s": self._age_s(stats.last_seen_ns or None, now_ns),
                "readings": stats.readings,
                "empty": stats.empty,
                "field_errors": stats.field_errors,
                "noise_bytes": stats.noise_bytes,
                "integrity_errors": stats.integrity_errors,
                "sanity_errors": stats.sanity_errors,
            }
            for stats in islice(self.stats.devices.values(), THINGS_A_ROUND)
        ]

    @staticmethod
    def _age_s(since_ns: int | None, now_ns: int) -> float | None:
        return None if since_ns is None else round((now_ns - since_ns) / 1e9, 3)

    def lines(self) -> list[str]:
        """One round of points."""
        now_ns = self.clock.now_ns()
        stages = self.stats.stages
        depth, forecast = self.spool.depth(), self.spool.forecast()
        fields: dict[str, float | int | bool | str] = {key: getattr(stages, key) for key in stages.__slots__}
        fields["spool_points"], fields["spool_bytes"] = depth.points, depth.bytes
        fields["spool_oldest_s"] = self._age_s(depth.oldest_ns, now_ns) or 0.0
        if forecast is not None:
            fields["spool_forecast_s"] = float(forecast)
        latencies = [sink.last_write_s for sink in self.stats.sinks.values() if sink.batches]
        if latencies:
            fields["write_latency_s"] = max(latencies)
        fields["things_online"] = self.things_online()
        own = Series("gateway", {"gateway": self.name}).line(fields, None, now_ns)
        found = [] if own is None else [own]
        for stats in self._round():
            found += self._thing_lines(stats, now_ns)
        return found

    def _round(self) -> list[DeviceStats]:
        """The things whose turn it is."""
        devices = list(self.stats.devices.values())
        if self.turn >= len(devices):
            self.turn = 0
        chosen = devices[self.turn : self.turn + THINGS_A_ROUND]
        self.turn += len(chosen)
        return chosen

    def _thing_lines(self, stats: DeviceStats, now_ns: int) -> Iterator[str]:
        tags = {"gateway": self.name, "source": stats.source, "device": stats.device, "thing": stats.thing}
        fields: dict[str, float | int | bool | str] = {
            "readings": stats.readings,
            "empty": stats.empty,
            "field_errors": stats.field_errors,
            "noise_bytes": stats.noise_bytes,
            "integrity_errors": stats.integrity_errors,
            "sanity_errors": stats.sanity_errors,
            "clock_errors": stats.clock_errors,
            "dropped": stats.dropped,
        }
        if stats.last_seen_ns:
            fields["last_seen_age_s"] = (now_ns - stats.last_seen_ns) / 1e9
        line = Series("gateway_device", {**stats.tags, **tags}).line(fields, None, now_ns)
        if line is not None:
            yield line
        place: dict[str, float | int | bool | str] = {"online": self.online(stats)}
        if stats.location is not None:
            place["latitude_deg"], place["longitude_deg"] = stats.location
        line = Series("things", {**stats.tags, "thing": stats.thing, "device": stats.device}).line(place, None, now_ns)
        if line is not None:
            yield line

    def metrics(self) -> str:
        """What `/metrics` answers."""
        depth, forecast = self.spool.depth(), self.spool.forecast()
        stages = self.stats.stages
        rows: list[tuple[str, str, str, list[tuple[dict[str, str], float]]]] = [
            ("points_total", "counter", "Messages and points by stage.",
             [({"stage": key}, getattr(stages, key)) for key in stages.__slots__]),
            ("spool_points", "gauge", "Points waiting in the spool.", [({}, depth.points)]),
            ("spool_bytes", "gauge", "Bytes waiting in the spool.", [({}, depth.bytes)]),
            ("spool_oldest_seconds", "gauge", "Age of the oldest point in the spool.",
             [({}, self._age_s(depth.oldest_ns, self.clock.now_ns()) or 0.0)]),
            ("spool_forecast_seconds", "gauge", "Time until the spool is full at the present rate.",
             [] if forecast is None else [({}, forecast)]),
            ("source_up", "gauge", "1 where the port or broker connection is up.",
             [({"source": source.name}, source.state == "up") for source in self.stats.sources.values()]),
            ("source_connects_total", "counter", "Times the port or broker was opened.",
             [({"source": source.name}, source.connects) for source in self.stats.sources.values()]),
            ("sink_up", "gauge", "1 where the last batch was accepted.",
             [({"sink": sink.name}, sink.state == "up") for sink in self.stats.sinks.values()]),
            ("sink_batches_total", "counter", "Batches accepted.",
             [({"sink": sink.name}, sink.batches) for sink in self.stats.sinks.values()]),
            ("sink_retries_total", "counter", "Batches that had to be kept and tried again.",
             [({"sink": sink.name}, sink.retries) for sink in self.stats.sinks.values()]),
            ("sink_write_seconds_total", "counter", "Time spent in accepted writes.",
             [({"sink": sink.name}, sink.write_s) for sink in self.stats.sinks.values()]),
            ("silent_things", "gauge", "Things that were not heard for too long.", [({}, self.watchdog.silent)]),
            ("silence_faults", "gauge", "Silences being reported, by the layer that is silent.",
             [({"layer": layer}, count) for layer, count in self.watchdog.by_layer().items()]),
            ("silence_events_total", "counter", "Silences and returns that were said.",
             [({}, self.watchdog.faults.events)]),
            ("heals_total", "counter", "Attempts to heal a silent source.",
             [({"action": action}, count) for action, count in self.watchdog.healed.items()]),
        ]  # fmt: skip
        things = [
            ({"source": stats.source, "device": stats.device, "thing": stats.thing}, stats)
            for stats in self.stats.devices.values()
        ]
        for name, attribute, text in (
            ("readings_total", "readings", "Readings decoded."),
            ("empty_total", "empty", "Frames and payloads with nothing to report."),
            ("field_errors_total", "field_errors", "Values of optional fields left out of their readings."),
            ("noise_bytes_total", "noise_bytes", "Bytes outside any frame."),
            ("integrity_errors_total", "integrity_errors", "Frames whose checksum did not hold."),
            ("sanity_errors_total", "sanity_errors", "Frames and payloads that cannot be true."),
            ("dropped_points_total", "dropped", "Points given up because the spool was full."),
        ):
            rows.append((name, "counter", text, [(labels, getattr(stats, attribute)) for labels, stats in things]))
        topics = [
            ({"source": row.source, "topic": row.topic, "device": row.device, "thing": row.thing}, float(row.messages))
            for row in self.stats.topics.values()
        ]
        if topics:
            words = "Messages on topics of which nothing was ever stored."
            rows.append(("unread_messages_total", "counter", words, topics))
        seen = [(labels, stats.last_seen_ns / 1e9) for labels, stats in things if stats.last_seen_ns]
        rows.append(("last_seen_timestamp_seconds", "gauge", "When the thing was last heard.", seen))
        return "".join(_family(*row) for row in rows)


def _family(name: str, kind: str, text: str, samples: list[tuple[dict[str, str], float]]) -> str:
    name = "parkgate_" + name
    out = [f"# HELP {name} {text}\n# TYPE {name} {kind}\n"]
    for labels, value in samples:
        words = ",".join(f'{key}="{_label(text)}"' for key, text in labels.items())
        out.append(f"{name}{{{words}}} {float(value)!r}\n" if words else f"{name} {float(value)!r}\n")
    return "".join(out)


def _label(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
