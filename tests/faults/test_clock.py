"""The time of day is stepped under load: nothing is lost, and no two readings share a timestamp.

Messages carry no time, so every point gets the gateway's time of day, stepped as it is. An hour
either way is stepped under a gateway process (`timeofday`); clocks of coarse ticks that come
past the same moment again are a gateway's in the test's own process, since no library makes those.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.app import Gateway
from gateway.clock import SystemClock
from gateway.config import Config, load
from tests.e2e.running import audit, influx_query, stored_seqs
from tests.faults.conftest import Start
from tests.faults.ground import Stamped, audited, config, steady, stored_count, until
from tests.faults.timeofday import TimeOfDay
from tests.servers.influxd import Influxd
from tests.servers.mosquitto import Mosquitto

HOUR_S = 3600
HALF_HOUR_NS = 1_800_000_000_000


def stamped_near(url: str, when_ns: int) -> int:
    """Points of the load whose time is within half an hour of `when_ns`."""
    span = f"time >= {when_ns - HALF_HOUR_NS} AND time < {when_ns + HALF_HOUR_NS}"
    series = influx_query(url, f'SELECT COUNT("seq") FROM "senml" WHERE {span}')
    return int(series[0]["values"][0][1]) if series else 0


async def more_stamped(url: str, offset_s: int, count: int = 300) -> None:
    """Wait until so many more points of the load bear times that far from this machine's."""
    when_ns = time.time_ns() + offset_s * 1_000_000_000
    goal = stamped_near(url, when_ns) + count
    await until(lambda: stamped_near(url, when_ns) >= goal, f"{count} points stamped {offset_s:+d} s")


@pytest.mark.parametrize("first", [HOUR_S, -HOUR_S], ids=["forward, then back", "back, then forward"])
async def test_stepped_by_an_hour_while_it_runs(
    fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, gateway: Start, time_of_day: TimeOfDay, first: int
) -> None:
    url = fresh_influxd.url
    running = await gateway(config(url, fresh_mosquitto.port), env=time_of_day.env)
    async with steady(fresh_mosquitto.port) as publisher:
        await more_stamped(url, 0)
        time_of_day.step(first)
        await more_stamped(url, first)
        time_of_day.step(-first)
        await more_stamped(url, 0)
        await until(lambda: running.process.health()["status"] == "ok", "nothing is the matter")
    assert await audited(url, [running], publisher.acknowledged) == (0, 0)


async def test_started_an_hour_early_and_again_at_the_right_time(
    fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, gateway: Start, time_of_day: TimeOfDay
) -> None:
    """A machine without a battery-backed clock: the first run is an hour behind, its spool survives."""
    url = fresh_influxd.url
    time_of_day.step(-HOUR_S)
    running = await gateway(config(url, fresh_mosquitto.port), env=time_of_day.env)
    async with steady(fresh_mosquitto.port) as publisher:
        await more_stamped(url, -HOUR_S, 100)
        await asyncio.to_thread(fresh_influxd.stop)
        await running.spooled(publisher.acknowledged + 300)
        await running.kill()
        time_of_day.step(HOUR_S)
        await asyncio.to_thread(fresh_influxd.start)
        await running.start()
        await more_stamped(url, 0)
        await until(lambda: running.process.health()["status"] == "ok", "nothing is the matter")
    assert await audited(url, [running], publisher.acknowledged) == (0, 0)
    assert (
        stamped_near(url, time.time_ns() - HOUR_S * 1_000_000_000) >= 300
    )  # some spooled points are the gateway's own


class SteppedClock(SystemClock):
    """The system's clock, set by the test, as coarse as some systems' are: 1/64 s (older Windows)."""

    TICK_NS = 15_625_000

    def __init__(self) -> None:
        self.offset_ns = 0

    def now_ns(self) -> int:
        return (time.time_ns() + self.offset_ns) // self.TICK_NS * self.TICK_NS

    def step(self, seconds: float) -> None:
        self.offset_ns += round(seconds * 1e9)


def written(path: Path, text: str) -> Config:
    path.mkdir(exist_ok=True)
    file = path / "gateway.toml"
    file.write_text(f'[gateway]\nname = "test"\nstate_dir = "{path}"\nlisten = "127.0.0.1:0"\n{text}')
    return load(file, {})


@asynccontextmanager
async def in_this_process(path: Path, text: str, clock: SteppedClock) -> AsyncIterator[Gateway]:
    """A gateway on a clock of the test's, subscribed; stopped in order at the end."""
    gateway = Gateway(written(path, text), clock=clock)
    stop = asyncio.Event()
    task = asyncio.create_task(gateway.run(stop))
    source = gateway.stats.source("mqtt:main")
    await until(lambda: source.state == "up", "the gateway is subscribed")
    try:
        yield gateway
    finally:
        stop.set()
        await task


@pytest.mark.parametrize(
    "steps",
    [[HOUR_S, -HOUR_S - 0.59375] * 3, [-1.0, -0.5, -1.5, 2.0]],
    ids=["the same second again and again", "less than what counts as a step"],
)
async def test_one_series_on_a_clock_of_coarse_ticks(
    fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, tmp_path: Path, steps: list[float]
) -> None:
    """One thing, the clock stepped after every 300 messages: each has a time of its own."""
    sent = 300 * (len(steps) + 1)
    clock = SteppedClock()
    text = config(fresh_influxd.url, fresh_mosquitto.port)
    async with in_this_process(tmp_path / "gateway", text, clock) as gateway:
        publisher = Stamped(fresh_mosquitto.port, things=1)
        load_task = asyncio.create_task(publisher.run(sent, rate=1000.0))
        for number, seconds in enumerate(steps, 1):
            await publisher.reached(300 * number)
            clock.step(seconds)
        await load_task
        await until(lambda: stored_count(fresh_influxd.url) >= sent, f"{sent} readings in InfluxDB", 60.0)
        await until(lambda: gateway.spool.depth().points == 0, "the spool is empty", 60.0)
    assert audit(stored_seqs(fresh_influxd.url), sent, 1) == (0, 0)
    rows = influx_query(fresh_influxd.url, 'SELECT "seq" FROM "senml"')[0]["values"]
    assert len({when for when, _ in rows}) == sent
