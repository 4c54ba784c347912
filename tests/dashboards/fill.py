"""Fill a database with what a running gateway would have written, for the queries to find."""

import math
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator

from devices.registry import DEVICES
from devices.spec.device import DeviceType
from devices.spec.events import Value
from devices.spec.field import Field
from gateway.point import Series
from tests.servers.influxd import Influxd

MINUTES = 30
STEP_S = 10
PARK = (22.4270, 114.2110)
STAGES = ["received", "decoded", "spooled", "written", "rejected", "dropped", "redelivered", "quarantined"]


def fill(influxd: Influxd, database: str) -> tuple[int, int]:
    """Half an hour of every device type, of things and of the gateway itself, ending now.

    Answers the first and last time in nanoseconds. Two things a type: one in the zone "lake",
    one that has no zone at all.
    """
    influxd.query(f'CREATE DATABASE "{database}"')
    last = time.time_ns() // 1_000_000_000 * 1_000_000_000
    times = [last - step * STEP_S * 1_000_000_000 for step in range(MINUTES * 60 // STEP_S, -1, -1)]
    lines = [line for device in DEVICES for line in _device_lines(device, times)]
    lines += _gateway_lines(times)
    for at in range(0, len(lines), 5000):
        _write(influxd, database, lines[at : at + 5000])
    return times[0], times[-1]


def _write(influxd: Influxd, database: str, lines: list[str]) -> None:
    query = urllib.parse.urlencode({"db": database, "precision": "ns"})
    request = urllib.request.Request(f"{influxd.url}/write?{query}", "\n".join(lines).encode())
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60.0) as answer:
        assert answer.status == 204


def _things(device: DeviceType) -> list[dict[str, str]]:
    return [{"thing": f"{device.name}-1", "zone": "lake"}, {"thing": f"{device.name}-2"}]


def _device_lines(device: DeviceType, times: list[int]) -> Iterator[str]:
    for tags in _things(device):
        series = Series(device.measurement, tags)
        for at, stamp in enumerate(times):
            line = series.line({field.name: _value(field, at) for field in device.fields}, stamp, stamp)
            assert line is not None
            yield line


def _value(field: Field, at: int) -> Value:
    """A value the field can have, different from one step to the next."""
    if field.kind == "flag":
        return at % 7 == 0
    if field.kind == "state":
        return field.states[at // 10 % len(field.states)] if field.states else "unknown"
    if field.kind == "text":
        return f"text {at}"
    if field.kind == "counter":
        return at
    wave = (1 + math.sin(at / 9)) / 2
    if field.name in ("latitude_deg", "longitude_deg"):
        return PARK[field.name == "longitude_deg"] + wave / 1000
    low = 0.0 if field.minimum is None else field.minimum
    high = low + 100.0 if field.maximum is None else field.maximum
    return float(low + wave * (high - low))


def _gateway_lines(times: list[int]) -> Iterator[str]:
    own = Series("gateway", {"gateway": "park-east"})
    event = Series("gateway_event", {"gateway": "park-east", "thing": "pms5003-1", "layer": "port"})
    rows = [(device, tags) for device in DEVICES for tags in _things(device)]
    for at, stamp in enumerate(times):
        fields: dict[str, Value] = {stage: at * (9 - place) for place, stage in enumerate(STAGES)}
        fields |= {"spool_points": at % 5, "spool_bytes": at % 5 * 900, "things_online": len(rows)}
        fields |= {"spool_oldest_s": 0.5, "spool_forecast_s": 90_000.0, "write_latency_s": 0.01}
        yield from _line(own, fields, stamp)
        if at % 60 == 0:
            yield from _line(event, {"title": "Port is silent", "text": "unplugged"}, stamp)
        for device, tags in rows:
            yield from _thing_lines(device, tags, at, stamp)


def _thing_lines(device: DeviceType, tags: dict[str, str], at: int, stamp: int) -> Iterator[str]:
    counters: dict[str, Value] = {"readings": at, "noise_bytes": at // 3, "integrity_errors": at // 50}
    counters |= {"sanity_errors": at // 60, "clock_errors": 0, "dropped": 0, "last_seen_age_s": 1.5}
    own = tags | {"gateway": "park-east", "source": f"{device.link}:test", "device": device.name}
    yield from _line(Series("gateway_device", own), counters, stamp)
    if at % 6 == 0:
        place: dict[str, Value] = {"online": True, "latitude_deg": PARK[0], "longitude_deg": PARK[1]}
        yield from _line(Series("things", tags | {"device": device.name}), place, stamp)


def _line(series: Series, fields: dict[str, Value], stamp: int) -> Iterator[str]:
    line = series.line(fields, stamp, stamp)
    assert line is not None
    yield line
