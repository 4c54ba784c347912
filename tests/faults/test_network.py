"""The network between broker and gateway: cut in mid-packet, stalled, slow, half closed. Nothing is lost.

All of it under a steady QoS 1 load of messages that the gateway stamps.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from tests.faults.conftest import Start
from tests.faults.ground import Running, Stamped, audited, config
from tests.faults.proxy import TO_CLIENT, TO_SERVER, Proxy, Way
from tests.servers.influxd import Influxd
from tests.servers.mosquitto import Mosquitto

RATE = 800.0
Behind = Callable[..., Awaitable[tuple[Proxy, Running]]]


@pytest.fixture
async def behind(fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, gateway: Start) -> AsyncIterator[Behind]:
    """A gateway whose broker is behind a proxy; `behind("keepalive_s = 5")` adds lines of `[mqtt.main]`."""
    opened: list[Proxy] = []

    async def start(mqtt: str = "") -> tuple[Proxy, Running]:
        proxy = await Proxy(fresh_mosquitto.port).__aenter__()
        opened.append(proxy)
        return proxy, await gateway(config(fresh_influxd.url, proxy.port, mqtt=mqtt))

    yield start
    for proxy in opened:
        await proxy.__aexit__()


@asynccontextmanager
async def load(port: int, count: int, rate: float | None = RATE) -> AsyncIterator[Stamped]:
    """A publisher at work; it is through with its `count` messages when the block ends."""
    publisher = Stamped(port)
    async with asyncio.timeout(100), asyncio.TaskGroup() as group:
        group.create_task(publisher.run(count, rate=rate))
        yield publisher


@pytest.mark.parametrize("way", [TO_CLIENT, TO_SERVER])
async def test_cut_in_mid_packet(behind: Behind, fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, way: Way) -> None:
    """Reset after a drawn number of bytes: within a PUBLISH, or within an acknowledgement."""
    proxy, running = await behind()
    draw = random.Random(7)
    async with load(fresh_mosquitto.port, 1200):
        for times in (1, 2):
            await proxy.connected(times)
            await running.subscribed()
            await proxy.cut_after(way, draw.randrange(101, 2000)).wait()
    assert await audited(fresh_influxd.url, [running], 1200) == (0, 0)
    assert proxy.accepted == 3


async def test_stalled_network_is_found_by_keep_alive(
    behind: Behind, fresh_mosquitto: Mosquitto, fresh_influxd: Influxd
) -> None:
    """No FIN, no RST: bytes just stop. The gateway finds it itself and says so."""
    proxy, running = await behind("keepalive_s = 2")
    async with load(fresh_mosquitto.port, 1500) as publisher:
        await publisher.reached(300)
        await proxy.stall_after(TO_CLIENT, 1).wait()
        await running.says("nothing heard for 1 s, not even an answer to PINGREQ")
        proxy.cut()
        proxy.flow()
        await running.subscribed()
    assert await audited(fresh_influxd.url, [running], 1500) == (0, 0)


async def test_acknowledgements_stalled_for_a_while(
    behind: Behind, fresh_mosquitto: Mosquitto, fresh_influxd: Influxd
) -> None:
    """Receive maximum holds the broker; nothing is sent twice once they pass."""
    proxy, running = await behind("receive_maximum = 100")
    async with load(fresh_mosquitto.port, 1000) as publisher:
        await publisher.reached(200)
        proxy.stall(TO_SERVER)
        await publisher.reached(800)
        proxy.flow()
    assert await audited(fresh_influxd.url, [running], 1000) == (0, 0)
    assert (await running.health())["stages"]["redelivered"] == 0
    assert proxy.accepted == 1


async def test_trickle_of_seven_bytes(behind: Behind, fresh_mosquitto: Mosquitto, fresh_influxd: Influxd) -> None:
    """Every packet arrives in many reads."""
    proxy, running = await behind()
    proxy.trickle(7, 0.0)
    async with load(fresh_mosquitto.port, 1000):
        pass
    assert await audited(fresh_influxd.url, [running], 1000) == (0, 0)
    assert proxy.accepted == 1


async def test_a_slow_line(behind: Behind, fresh_mosquitto: Mosquitto, fresh_influxd: Influxd) -> None:
    """0.1 s on every chunk each way, and 100 bytes every 1 ms; it is slow, not lost."""
    proxy, running = await behind()
    proxy.delay(0.1)
    async with load(fresh_mosquitto.port, 600) as publisher:
        await publisher.reached(300)
        proxy.trickle(100, 0.001)
    proxy.flow()
    assert await audited(fresh_influxd.url, [running], 600) == (0, 0)
    assert proxy.accepted == 1


@pytest.mark.parametrize("way", [TO_CLIENT, TO_SERVER])
async def test_half_closed(behind: Behind, fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, way: Way) -> None:
    proxy, running = await behind()
    async with load(fresh_mosquitto.port, 1000) as publisher:
        await publisher.reached(300)
        proxy.half_close(way)
        await publisher.reached(700)
    assert await audited(fresh_influxd.url, [running], 1000) == (0, 0)
    assert proxy.accepted == 2


async def test_broker_out_of_reach(behind: Behind, fresh_mosquitto: Mosquitto, fresh_influxd: Influxd) -> None:
    """Every connection is reset while the broker goes on taking messages for the gateway's session."""
    proxy, running = await behind()
    async with load(fresh_mosquitto.port, 1500) as publisher:
        await publisher.reached(300)
        proxy.refuse()
        proxy.cut()
        await publisher.reached(1200)
        await running.says("mqtt:main")
        proxy.accept()
    assert await audited(fresh_influxd.url, [running], 1500) == (0, 0)


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("seed", [1, 2])
async def test_every_fault_of_a_network_in_one_load(
    behind: Behind, fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, seed: int
) -> None:
    """Eight faults in an order drawn from the seed, the next one once the gateway is back."""
    proxy, running = await behind("keepalive_s = 2")
    draw = random.Random(seed)
    faults = [TO_CLIENT, TO_SERVER, "stall", "trickle", "delay", "half", "refuse", "cut"]
    draw.shuffle(faults)
    print(f"seed {seed}: {faults}")
    stop = asyncio.Event()
    publisher = Stamped(fresh_mosquitto.port)
    sent = 0

    async def publish() -> None:
        nonlocal sent
        while not stop.is_set():
            await publisher.run(500, first=sent, rate=RATE)
            sent += 500

    async with asyncio.timeout(300), asyncio.TaskGroup() as group:
        group.create_task(publish())
        for fault in faults:
            await running.subscribed()
            connections = proxy.accepted
            match fault:
                case Way():
                    await proxy.cut_after(fault, draw.randrange(1, 5000)).wait()
                    await proxy.connected(connections + 1)
                case "stall":
                    proxy.stall()
                    await running.says("nothing heard")
                    proxy.cut()
                    proxy.flow()
                case "trickle" | "delay":
                    proxy.trickle(11, 0.0) if fault == "trickle" else proxy.delay(0.02)
                    await publisher.reached(publisher.acknowledged + 500)
                    proxy.flow()
                case "half":
                    proxy.half_close(draw.choice([TO_CLIENT, TO_SERVER]))
                    await proxy.connected(connections + 1)
                case _:
                    if fault == "refuse":
                        proxy.refuse()
                    proxy.cut()
                    await proxy.connected(connections + 1)
                    proxy.accept()
        stop.set()
    assert await audited(fresh_influxd.url, [running], sent) == (0, 0)
