"""The gateway's own state as points, written by way of the spool like any reading.

    gateway         tag gateway;                          counters by stage, spool depth, latency
    gateway_device  tags gateway, source, device, thing;  counters of one thing
    things          tags thing, device and the thing's;   latitude_deg, longitude_deg, online

A round is written every PERIOD_S; things take turns, at most THINGS_A_ROUND in one round.
"""

from collections.abc import Iterator

from gateway.decode import Series
from gateway.stats import DeviceStats
from gateway.web.health import Health, age_s

PERIOD_S = 10.0
THINGS_A_ROUND = 1000


class OwnPoints:
    """One gateway's rounds; `turn` is where the next one begins among the things."""

    def __init__(self, health: Health) -> None:
        self._health = health
        self._turn = 0

    def lines(self) -> list[str]:
        """One round of points."""
        now_ns = self._health.clock.now_ns()
        stages = self._health.stats.stages
        depth, forecast = self._health.spool.depth(), self._health.spool.forecast()
        fields: dict[str, float | int | bool | str] = {key: getattr(stages, key) for key in stages.__slots__}
        fields["spool_points"], fields["spool_bytes"] = depth.points, depth.bytes
        fields["spool_oldest_s"] = age_s(depth.oldest_ns, now_ns) or 0.0
        if forecast is not None:
            fields["spool_forecast_s"] = float(forecast)
        latencies = [sink.last_write_s for sink in self._health.stats.sinks.values() if sink.batches]
        if latencies:
            fields["write_latency_s"] = max(latencies)
        fields["things_online"] = self._health.things_online()
        own = Series("gateway", {"gateway": self._health.name}).line(fields, None, now_ns)
        found = [] if own is None else [own]
        for stats in self._round():
            found += self._thing_lines(stats, now_ns)
        return found

    def _round(self) -> list[DeviceStats]:
        """The things whose turn it is."""
        devices = list(self._health.stats.devices.values())
        if self._turn >= len(devices):
            self._turn = 0
        chosen = devices[self._turn : self._turn + THINGS_A_ROUND]
        self._turn += len(chosen)
        return chosen

    def _thing_lines(self, stats: DeviceStats, now_ns: int) -> Iterator[str]:
        tags = {"gateway": self._health.name, "source": stats.source, "device": stats.device, "thing": stats.thing}
        fields: dict[str, float | int | bool | str] = {**stats.counts()}
        if stats.last_seen_ns:
            fields["last_seen_age_s"] = (now_ns - stats.last_seen_ns) / 1e9
        line = Series("gateway_device", {**stats.tags, **tags}).line(fields, None, now_ns)
        if line is not None:
            yield line
        place: dict[str, float | int | bool | str] = {"online": self._health.online(stats)}
        if stats.location is not None:
            place["latitude_deg"], place["longitude_deg"] = stats.location
        line = Series("things", {**stats.tags, "thing": stats.thing, "device": stats.device}).line(place, None, now_ns)
        if line is not None:
            yield line
