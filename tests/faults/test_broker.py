"""The broker is restarted under load, with and without persistence.

What mosquitto 2.0.11 keeps: with persistence, an orderly stop writes sessions and queues to
disk, and so does SIGUSR1 (`save`); killed, it loses what came since. Without persistence it
forgets sessions and queues in either case. What it has acknowledged to the publisher and then
forgotten is lost by the broker, and no gateway can know of it; so those tests say what is held:

    orderly stop, persistence     everything the publisher was told is taken
    killed, persistence           everything taken before the last `save`, and all since its restart
    no persistence                everything the gateway had committed, and all since its restart:
                                  the publisher sends again from the first message that was not

The publisher may send a message twice here, so messages carry their own times.
"""

import asyncio
from collections.abc import Callable

from tests.e2e.load import Publisher
from tests.faults.conftest import Start
from tests.faults.ground import Running, audited, config, stored_count, until
from tests.faults.proxy import TO_CLIENT, Proxy
from tests.servers.influxd import Influxd
from tests.servers.mosquitto import Mosquitto

RATE = 800.0


class Door(Publisher):
    """One thing that always says the same, without a time."""

    def message(self, number: int) -> tuple[str, bytes]:
        return "park/door", b'[{"n":"closed","vb":true}]'


async def test_restarted_in_order_with_persistence(
    fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, gateway: Start
) -> None:
    running = await gateway(config(fresh_influxd.url, fresh_mosquitto.port))
    publisher = Publisher(fresh_mosquitto.port)
    load = asyncio.create_task(publisher.run(1500, rate=RATE))
    for moment in (400, 900):
        await publisher.reached(moment)
        await asyncio.to_thread(fresh_mosquitto.restart)
    await load
    assert await audited(fresh_influxd.url, [running], 1500) == (0, 0)


async def test_restarted_in_order_while_the_gateway_is_away(
    fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, gateway: Start
) -> None:
    """The queue of the gateway's session goes to disk and comes back."""
    running = await gateway(config(fresh_influxd.url, fresh_mosquitto.port))
    publisher = Publisher(fresh_mosquitto.port)
    load = asyncio.create_task(publisher.run(1500, rate=RATE))
    await publisher.reached(300)
    await running.kill()
    await publisher.reached(800)
    await asyncio.to_thread(fresh_mosquitto.restart)
    await publisher.reached(1100)
    await running.start()
    await load
    assert await audited(fresh_influxd.url, [running], 1500) == (0, 0)


async def test_killed_after_a_save(fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, gateway: Start) -> None:
    """500 messages wait for the gateway in the broker; saved, they survive the broker's SIGKILL."""
    running = await gateway(config(fresh_influxd.url, fresh_mosquitto.port))
    await Publisher(fresh_mosquitto.port).run(300)
    await running.spooled(300)
    await running.kill()
    await Publisher(fresh_mosquitto.port).run(500, first=300)
    await asyncio.to_thread(fresh_mosquitto.save)
    await asyncio.to_thread(fresh_mosquitto.restart, hard=True)
    load = asyncio.create_task(Publisher(fresh_mosquitto.port).run(500, first=800, rate=RATE))
    await running.start()
    await load
    assert await audited(fresh_influxd.url, [running], 1300) == (0, 0)


async def in_the_store(running: Running, url: str) -> int:
    """With its broker gone, wait until all that the gateway has taken is stored; how many messages that is."""
    await running.says("mqtt:main")

    def committed() -> bool:
        stages = running.process.health()["stages"]
        return bool(stages["spooled"] >= stages["decoded"])

    await until(committed, "what was decoded is committed")
    await asyncio.to_thread(running.process.drained)
    return await asyncio.to_thread(stored_count, url)


async def test_killed_without_persistence(
    start_mosquitto: Callable[..., Mosquitto], fresh_influxd: Influxd, gateway: Start
) -> None:
    """Session and subscriptions are gone: the gateway subscribes anew, and data flows again."""
    broker = start_mosquitto()
    running = await gateway(config(fresh_influxd.url, broker.port))
    first = 0
    for _ in range(2):
        load = asyncio.create_task(Publisher(broker.port).run(3000, first=first, rate=RATE))
        await running.spooled(first + 400)
        await asyncio.to_thread(broker.kill)
        load.cancel()
        await asyncio.gather(load, return_exceptions=True)
        first = await in_the_store(running, fresh_influxd.url)
        await asyncio.to_thread(broker.start)
        await running.subscribed()
    await Publisher(broker.port).run(500, first=first, rate=RATE)
    assert await audited(fresh_influxd.url, [running], first + 500) == (0, 0)


async def test_stopped_in_order_without_persistence_when_nothing_waits(
    start_mosquitto: Callable[..., Mosquitto], fresh_influxd: Influxd, gateway: Start
) -> None:
    """What the gateway has committed needs no broker: acknowledgements that come too late harm nothing."""
    broker = start_mosquitto()
    running = await gateway(config(fresh_influxd.url, broker.port))
    await Publisher(broker.port).run(700, rate=RATE)
    await running.spooled(700)
    await asyncio.to_thread(broker.restart)
    await until(lambda: running.process.health()["status"] == "ok", "the gateway is subscribed again")
    await Publisher(broker.port).run(700, first=700, rate=RATE)
    assert await audited(fresh_influxd.url, [running], 1400) == (0, 0)


async def test_the_same_words_in_a_new_session(
    start_mosquitto: Callable[..., Mosquitto], fresh_influxd: Influxd, gateway: Start
) -> None:
    """A redelivery is known by packet identifier and words; after a forgotten session both may come again, anew.

    A door says "closed" 50 times. The broker forgets the session; 50 more "closed" carry the same
    identifiers, and are marked as redelivered because the connection broke before they arrived.
    """
    broker = start_mosquitto()
    async with Proxy(broker.port) as proxy:
        running = await gateway(config(fresh_influxd.url, proxy.port))
        await Door(broker.port).run(50)
        await running.spooled(50)
        await asyncio.to_thread(broker.restart)
        await proxy.connected(2)
        await running.subscribed()
        proxy.stall(TO_CLIENT)
        await Door(broker.port).run(50)
        proxy.cut()
        proxy.flow()
        await until(lambda: stored_count(fresh_influxd.url, "senml", "closed_flag") >= 100, "100 readings stored")
        assert stored_count(fresh_influxd.url, "senml", "closed_flag") == 100
        assert (await running.health())["stages"]["redelivered"] == 0
