"""The time of day is stepped under load: nothing is lost, and no two readings share a timestamp.

The gateway runs in the test's own process on a clock that the test steps; broker and store are
real. Messages carry no time, so every point gets the gateway's time of day, stepped as it is.
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
from tests.faults.ground import Stamped, config, stored_count, until
from tests.servers.influxd import Influxd
from tests.servers.mosquitto import Mosquitto

HOUR_S = 3600.0


class SteppedClock(SystemClock):
    """The system's clock, set by the test; `tick_ns` makes it as coarse as some systems' are."""

    def __init__(self, tick_ns: int = 1) -> None:
        self.tick_ns = tick_ns
        self.offset_ns = 0

    def now_ns(self) -> int:
        return (time.time_ns() + self.offset_ns) // self.tick_ns * self.tick_ns

    def step(self, seconds: float) -> None:
        self.offset_ns += round(seconds * 1e9)


def written(path: Path, text: str) -> Config:
    path.mkdir(exist_ok=True)
    file = path / "gateway.toml"
    file.write_text(f'[gateway]\nname = "test"\nstate_dir = "{path}"\nlisten = "127.0.0.1:0"\n{text}')
    return load(file, {})


@asynccontextmanager
async def running(path: Path, text: str, clock: SteppedClock) -> AsyncIterator[Gateway]:
    """A gateway in this process, subscribed; stopped in order at the end."""
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


async def stepped_through(
    fresh_mosquitto: Mosquitto, path: Path, text: str, clock: SteppedClock, steps: list[float], things: int
) -> int:
    """A load of messages without time, the clock stepped after every 300; how many were sent."""
    sent = 300 * (len(steps) + 1)
    async with running(path, text, clock) as gateway:
        publisher = Stamped(fresh_mosquitto.port, things=things)
        load_task = asyncio.create_task(publisher.run(sent, rate=1000.0))
        for number, seconds in enumerate(steps, 1):
            await publisher.reached(300 * number)
            clock.step(seconds)
        await load_task
        await until(lambda: gateway.stats.stages.decoded >= sent, f"{sent} readings decoded")
        await until(lambda: gateway.spool.depth().points == 0, "the spool is empty", 60.0)
    return sent


@pytest.mark.parametrize("steps", [[-HOUR_S, HOUR_S], [HOUR_S, -HOUR_S], [-1.0, -0.5, -1.5, 2.0]])
async def test_clock_stepped_back_and_forward(
    fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, tmp_path: Path, steps: list[float]
) -> None:
    """By an hour either way first, or by less than what counts as a step (2 s)."""
    text = config(fresh_influxd.url, fresh_mosquitto.port)
    sent = await stepped_through(fresh_mosquitto, tmp_path / "gateway", text, SteppedClock(), steps, 10)
    assert audit(stored_seqs(fresh_influxd.url), sent, 10) == (0, 0)
    assert stored_count(fresh_influxd.url) == sent


async def test_one_series_many_times_over_the_same_second(
    fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, tmp_path: Path
) -> None:
    """One thing, whose clock of 1/64 s ticks (older Windows) goes through the same seconds several times."""
    text = config(fresh_influxd.url, fresh_mosquitto.port)
    steps = [HOUR_S, -HOUR_S - 0.59375] * 3
    sent = await stepped_through(fresh_mosquitto, tmp_path / "gateway", text, SteppedClock(15_625_000), steps, 1)
    assert audit(stored_seqs(fresh_influxd.url), sent, 1) == (0, 0)
    rows = influx_query(fresh_influxd.url, 'SELECT "seq" FROM "senml"')[0]["values"]
    assert len({when for when, _ in rows}) == sent


async def test_started_an_hour_early_and_again_at_the_right_time(
    fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, tmp_path: Path
) -> None:
    """A machine without a battery-backed clock: the first run is an hour behind, its spool survives."""
    text = config(fresh_influxd.url, fresh_mosquitto.port)
    fresh_influxd.stop()
    async with running(tmp_path / "gateway", text, early := SteppedClock()) as gateway:
        early.step(-HOUR_S)
        await Stamped(fresh_mosquitto.port).run(300)
        await until(lambda: gateway.stats.stages.spooled >= 300, "300 readings spooled")
    fresh_influxd.start()
    async with running(tmp_path / "gateway", text, SteppedClock()) as gateway:
        await Stamped(fresh_mosquitto.port).run(300, first=300)
        await until(lambda: gateway.stats.stages.decoded >= 300, "300 readings more")
        await until(lambda: gateway.spool.depth().points == 0, "the spool is empty", 60.0)
    assert audit(stored_seqs(fresh_influxd.url), 600, 10) == (0, 0)
