"""An outage: points queue in the spool while InfluxDB is away, then drain beside live traffic.

The reach is a share of what the same influxd takes from a bare sender in the same run: batches
of the same lines, encoded beforehand, two requests in flight, nothing else to do.

Backlog and live messages are numbered through, and what InfluxDB holds in the end is audited
message by message (audit.py): `lost` and `duplicates` are over both, `wrong_values` are points
whose values belong to another message, `last_wrong` series that do not end with the last message
sent. The order of writing cannot be read from InfluxDB afterwards. While the backlog drains, some
series are looked at every LOOK_EVERY polls: `order_gaps` of the `order_looks` saw a later point
of a series without an earlier one. Two requests are in flight and either may be stored first, so
a gap is no fault as long as it closes; that all have closed is what `lost` 0 says.

With few points (below 100,000 or so) the drain is over before it is measured: the ratio then
means nothing.
"""

import asyncio
import time
from collections import deque
from typing import Any, NamedTuple

import aiohttp

from bench.audit import START_NS, STEP_NS, gaps, held, last_wrong
from bench.errors import BenchError
from bench.ingest import config, subscribed
from bench.parts import PATIENCE_S, POLL_S, Gateway, Worker, broker, gateway, require, scratch
from bench.publisher import humidity, temperature
from bench.store import Store
from tests.servers.influxd import Influxd
from tests.servers.process import free_port

BATCH = 5000
IN_FLIGHT = 2
LIVE_S = 120.0
"""How long live messages can go on; the backlog should be gone well before."""

LOOKED_AT = ["t0", "t1"]
LOOK_EVERY = 5
"""Few series, and not at every poll: a look takes influxd some 10 ms from what is measured."""


def lines(count: int, things: int) -> list[bytes]:
    """Batches of the lines that the load's messages become."""
    found = []
    for first in range(0, count, BATCH):
        batch = [
            f"senml,thing=t{number % things} temperature_c={temperature(number % things)},"
            f"humidity_pct={humidity(number // things)},battery_v=3.6 {START_NS + number // things * STEP_NS}"
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
    """Queue `points`, drain them beside `live_rate` messages a second, audit both."""
    require("mosquitto", "influxd")
    with scratch() as directory, broker(directory) as mosquitto:
        influxd = Influxd(directory / "influxd", free_port())
        influxd.start()
        bare = bare_rate(influxd, points // 2, things)
        influxd.stop()
        store = Store(influxd.url, "parkgate")
        text = config(mosquitto.port, store, 1) + "\n[spool]\nmax_bytes = 4000000000\n"
        with gateway(directory / "gateway", text) as running:
            subscribed(running)
            _queue(running, mosquitto.port, points, things)
            queued = running.health()["spool"]
            live = Worker(
                "bench.publisher",
                port=mosquitto.port, first=points, count=int(live_rate * LIVE_S), things=things, rate=live_rate,
            )  # fmt: skip
            influxd.start()
            try:
                # the gateway's own retry may be up to 30 s away: time begins with the first batch taken
                running.wait(lambda health: health["spool"]["points"] < queued["points"], "the first batch", 60.0)
                drained = _drain(running, live, store)
                return _figures(points, things, bare, drained, store)
            finally:
                live.end()
                influxd.stop()


class Drained(NamedTuple):
    """How a backlog went; `looks` are queries under way, `gaps` how many of them saw one."""

    rate: float
    peak_mb: float
    live: int
    looks: int
    gaps: int


def _queue(running: Gateway, port: int, points: int, things: int) -> None:
    queue = Worker("bench.publisher", port=port, count=points, things=things)
    queue.go()
    running.wait(lambda health: health["stages"]["spooled"] >= points, "everything to be queued")
    queue.done()
    queue.end()


def _drain(running: Gateway, live: Worker, store: Store) -> Drained:
    """Let the backlog go beside live messages, look at some series meanwhile, end when the spool is empty."""
    began, before = time.perf_counter(), running.health()["stages"]["written"]
    live.go()
    looks: list[int] = []
    polls = 0
    while True:
        health = running.health()
        if health["spool"]["points"] <= 2 * BATCH:
            break
        if time.perf_counter() - began > PATIENCE_S:
            raise BenchError(f"the backlog did not drain within {PATIENCE_S:g} s")
        if polls % LOOK_EVERY == 0:
            looks.append(gaps(store, LOOKED_AT))
        polls += 1
        time.sleep(POLL_S)
    rate = (health["stages"]["written"] - before) / (time.perf_counter() - began)
    peak = running.peak_mb
    live.stop()
    _, sent = live.done()
    running.wait(lambda health: health["spool"]["points"] == 0, "the spool to be empty")
    return Drained(rate, peak, int(sent), len(looks), sum(found > 0 for found in looks))


def _figures(points: int, things: int, bare: float, drained: Drained, store: Store) -> dict[str, Any]:
    count = points + drained.live
    found = held(store, count, things)
    backlog, live = found.part(0, points), found.part(points, count)
    return {
        "queued": points,
        "bare_points_per_s": round(bare),
        "drain_points_per_s": round(drained.rate),
        "ratio": round(drained.rate / bare, 3),
        "rss_mb": drained.peak_mb,
        "sent": count,
        "stored": backlog["stored"] + live["stored"] + found.strangers,
        "lost": backlog["lost"] + live["lost"],
        "duplicates": backlog["duplicates"] + live["duplicates"] + found.strangers,
        "live_sent": drained.live,
        "live_stored": live["stored"],
        "wrong_values": found.wrong,
        "last_wrong": last_wrong(store, count, things),
        "order_looks": drained.looks,
        "order_gaps": drained.gaps,
    }
