"""An outage: points queue in the spool while InfluxDB is away, then drain beside live traffic.

The reach is a share of what the same influxd takes from a bare sender in the same run: batches
of the same lines, encoded beforehand, two requests in flight, nothing else to do.
"""

import asyncio
import time
from collections import deque
from typing import Any

import aiohttp

from bench.ingest import config, subscribed
from bench.parts import Worker, broker, gateway, require, scratch
from bench.store import Store
from tests.servers.influxd import Influxd
from tests.servers.process import free_port

BATCH = 5000
IN_FLIGHT = 2
START_NS = 1_790_000_000_000_000_000


def lines(count: int, things: int) -> list[bytes]:
    """Batches of the lines that the load's messages become."""
    found = []
    for first in range(0, count, BATCH):
        batch = [
            f"senml,thing=t{number % things} temperature_c={20 + number % things % 50 / 10},"
            f"humidity_pct={40 + number // things % 100 / 10},battery_v=3.6 {START_NS + number // things * 10_000_000}"
            for number in range(first, min(first + BATCH, count))
        ]
        found.append("\n".join(batch).encode())
    return found


async def _send_bare(url: str, batches: list[bytes]) -> float:
    todo = deque(batches)
    async with aiohttp.ClientSession() as session:

        async def sender() -> None:
            while todo:
                async with session.post(f"{url}/write?db=bare&precision=ns", data=todo.popleft()) as answer:
                    assert answer.status == 204, await answer.text()

        began = time.perf_counter()
        await asyncio.gather(*(sender() for _ in range(IN_FLIGHT)))
        return time.perf_counter() - began


def bare_rate(influxd: Influxd, count: int, things: int) -> float:
    """Points a second that influxd takes when nothing else is to be done."""
    influxd.query('CREATE DATABASE "bare"')
    batches = lines(count, things)
    return count / asyncio.run(_send_bare(influxd.url, batches))


def outage(points: int = 1_000_000, things: int = 1000, live_rate: float = 1000.0) -> dict[str, Any]:
    """Queue `points`, drain them beside `live_rate` messages a second."""
    require("mosquitto", "influxd")
    with scratch() as directory, broker(directory) as mosquitto:
        influxd = Influxd(directory / "influxd", free_port())
        influxd.start()
        bare = bare_rate(influxd, 500_000, things)
        influxd.stop()
        text = config(mosquitto.port, Store(influxd.url, "parkgate"), 1) + "\n[spool]\nmax_bytes = 4000000000\n"
        with gateway(directory / "gateway", text) as running:
            subscribed(running)
            queue = Worker("bench.publisher", port=mosquitto.port, count=points, things=things)
            queue.go()
            running.wait(lambda health: health["stages"]["spooled"] >= points, "everything to be queued")
            queue.done()
            queue.end()
            queued = running.health()["spool"]
            influxd.start()
            try:
                # the gateway's own retry may be up to 30 s away: time begins with the first batch taken
                running.wait(lambda health: health["spool"]["points"] < queued["points"], "the first batch", 60.0)
                return _drain(mosquitto.port, running, influxd, points, things, live_rate, bare)
            finally:
                influxd.stop()


def _drain(
    port: int, running: Any, influxd: Influxd, points: int, things: int, live_rate: float, bare: float
) -> dict[str, Any]:
    live = Worker("bench.publisher", port=port, first=points, count=int(live_rate * 120), things=things, rate=live_rate)
    began, before = time.perf_counter(), running.health()["stages"]["written"]
    live.go()
    running.wait(lambda health: health["spool"]["points"] <= 2 * BATCH, "the backlog to drain")
    seconds, written = time.perf_counter() - began, running.health()["stages"]["written"] - before
    peak = running.peak_mb
    live.end()
    running.wait(lambda health: health["spool"]["points"] == 0, "the spool to be empty")
    rate = written / seconds
    return {
        "queued": points,
        "bare_points_per_s": round(bare),
        "drain_points_per_s": round(rate),
        "ratio": round(rate / bare, 3),
        "rss_mb": peak,
        **Store(influxd.url, "parkgate").audit(points, things),
    }
