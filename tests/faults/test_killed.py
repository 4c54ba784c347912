"""The gateway process is killed: what its broker has taken is in InfluxDB once.

The messages carry no time of their own, so a message stored twice would be two points.
"""

import asyncio
import random

import pytest

from tests.e2e.load import pace
from tests.faults.conftest import Start
from tests.faults.ground import Running, Stamped, audited, config
from tests.faults.proxy import TO_SERVER, Proxy
from tests.servers.influxd import Influxd
from tests.servers.mosquitto import Mosquitto


async def kill_often(running: Running, publisher: Stamped, *, times: int, sent: int, rate: float, seed: int) -> None:
    """SIGKILL at `times` moments of one load, drawn from `seed` and printed, for a run that fails."""
    draw = random.Random(seed)
    load = asyncio.create_task(publisher.run(sent, rate=rate))
    for moment in sorted(draw.randrange(50, sent - 50) for _ in range(times)):
        extra_s = draw.uniform(0.0, 0.05)
        print(f"seed {seed}: SIGKILL {extra_s:.4f} s after message {moment}")
        await publisher.reached(moment)
        await pace(extra_s)
        await running.kill()
        await running.start()
    await load


async def test_killed_three_times_in_one_load(
    fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, gateway: Start
) -> None:
    running = await gateway(config(fresh_influxd.url, fresh_mosquitto.port))
    await kill_often(running, Stamped(fresh_mosquitto.port), times=3, sent=1500, rate=600, seed=1)
    assert await audited(fresh_influxd.url, [running], 1500) == (0, 0)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", [20_261, 20_262])
async def test_killed_twenty_times_in_one_load(
    fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, gateway: Start, seed: int
) -> None:
    running = await gateway(config(fresh_influxd.url, fresh_mosquitto.port))
    await kill_often(running, Stamped(fresh_mosquitto.port), times=20, sent=20_000, rate=800, seed=seed)
    assert await audited(fresh_influxd.url, [running], 20_000) == (0, 0)


async def test_committed_but_not_acknowledged_when_killed(
    fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, gateway: Start
) -> None:
    """The acknowledgements are held on the network, so every message is sent again after the kill."""
    async with Proxy(fresh_mosquitto.port) as proxy:
        running = await gateway(config(fresh_influxd.url, proxy.port))
        proxy.stall(TO_SERVER)
        await Stamped(fresh_mosquitto.port).run(300)
        await running.spooled(300)
        await running.kill()
        proxy.cut()
        proxy.flow()
        await running.start()
        await running.subscribed()
        await Stamped(fresh_mosquitto.port).run(1, first=300)
        assert await audited(fresh_influxd.url, [running], 301) == (0, 0)
        assert (await running.health())["stages"]["redelivered"] == 300


async def test_a_reconnect_within_one_commit(
    fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, gateway: Start
) -> None:
    """The same without a kill: the connection breaks before the acknowledgements are through."""
    async with Proxy(fresh_mosquitto.port) as proxy:
        running = await gateway(config(fresh_influxd.url, proxy.port))
        proxy.stall(TO_SERVER)
        await Stamped(fresh_mosquitto.port).run(300)
        await running.spooled(300)
        proxy.cut()
        proxy.flow()
        await Stamped(fresh_mosquitto.port).run(300, first=300)
        assert await audited(fresh_influxd.url, [running], 600) == (0, 0)
        assert (await running.health())["stages"]["redelivered"] == 300
