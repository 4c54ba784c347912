"""A real influxd that is away, slow, stalled or cut off in the middle, under load: all is there once."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.faults.conftest import Start
from tests.faults.ground import audited, config, steady
from tests.faults.proxy import TO_CLIENT, TO_SERVER, Proxy, Way
from tests.servers.influxd import Influxd
from tests.servers.mosquitto import Mosquitto


@pytest.fixture
async def store(fresh_influxd: Influxd) -> AsyncIterator[Proxy]:
    """The way to a real influxd that has the database already."""
    fresh_influxd.query('CREATE DATABASE "parkgate"')
    async with Proxy(fresh_influxd.port) as proxy:
        yield proxy


def by_way_of(store: Proxy, broker: Mosquitto) -> str:
    return config(f"http://127.0.0.1:{store.port}", broker.port, influx="timeout_s = 1")


async def test_influxd_killed_and_started_again(
    fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, gateway: Start
) -> None:
    running = await gateway(config(fresh_influxd.url, fresh_mosquitto.port))
    async with steady(fresh_mosquitto.port) as publisher:
        await publisher.reached(300)
        await asyncio.to_thread(fresh_influxd.kill)
        await running.says("influxdb: down")
        await asyncio.to_thread(fresh_influxd.start)
        await running.quiet("influxdb: ")
    assert await audited(fresh_influxd.url, [running], publisher.acknowledged) == (0, 0)


async def test_influxd_frozen(fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, gateway: Start) -> None:
    """The server takes connections and says nothing."""
    running = await gateway(config(fresh_influxd.url, fresh_mosquitto.port, influx="timeout_s = 1"))
    async with steady(fresh_mosquitto.port) as publisher:
        await publisher.reached(300)
        fresh_influxd.process.pause()
        await running.says("no answer within 1 s")
        fresh_influxd.process.unpause()
        await running.quiet("influxdb: ")
    assert await audited(fresh_influxd.url, [running], publisher.acknowledged) == (0, 0)


async def test_stalled_in_the_middle_of_a_response(
    store: Proxy, fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, gateway: Start
) -> None:
    """The points are stored, the answer stops after 40 bytes; they are written again, and are there once."""
    running = await gateway(by_way_of(store, fresh_mosquitto))
    async with steady(fresh_mosquitto.port) as publisher:
        await publisher.reached(300)
        await store.stall_after(TO_CLIENT, 40).wait()
        await running.says("no answer within 1 s")
        store.flow()
        await running.quiet("influxdb: ")
    assert await audited(fresh_influxd.url, [running], publisher.acknowledged) == (0, 0)


@pytest.mark.parametrize("way", [TO_CLIENT, TO_SERVER])
async def test_cut_in_the_middle(
    store: Proxy, fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, gateway: Start, way: Way
) -> None:
    """Five times reset within a response (40 bytes) or within a request (5,000 bytes)."""
    running = await gateway(by_way_of(store, fresh_mosquitto))
    async with steady(fresh_mosquitto.port) as publisher:
        for _ in range(5):
            await store.cut_after(way, 40 if way is TO_CLIENT else 5000).wait()
        await running.quiet("influxdb: ")
    assert await audited(fresh_influxd.url, [running], publisher.acknowledged) == (0, 0)


async def test_slow(store: Proxy, fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, gateway: Start) -> None:
    """Every chunk takes 0.3 s, then answers come 30 bytes at a time: slow is not down."""
    running = await gateway(by_way_of(store, fresh_mosquitto))
    async with steady(fresh_mosquitto.port) as publisher:
        store.delay(0.3)
        await publisher.reached(900)
        store.flow()
        store.trickle(4000, 0.01)
        await publisher.reached(1800)
    store.flow()
    assert await audited(fresh_influxd.url, [running], publisher.acknowledged) == (0, 0)


async def test_too_slow(store: Proxy, fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, gateway: Start) -> None:
    """Answers that always come after the time-out: every batch is stored and sent again, and is there once."""
    running = await gateway(by_way_of(store, fresh_mosquitto))
    async with steady(fresh_mosquitto.port) as publisher:
        await publisher.reached(300)
        store.delay(0.6)
        await running.says("no answer within 1 s")
        await publisher.reached(publisher.acknowledged + 500)
        store.flow()
        await running.quiet("influxdb: ")
    assert await audited(fresh_influxd.url, [running], publisher.acknowledged) == (0, 0)
