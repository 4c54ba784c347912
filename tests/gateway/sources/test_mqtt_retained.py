"""Old values with a new time: what the broker had kept, or sends again, from mosquitto into a real spool.

Retained messages are old; redelivered ones were taken before, unless the session is a new one.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import mqtt5
import pytest

from devices.spec.device import MessageDevice
from gateway.clock import SystemClock
from gateway.config import MqttConfig, SpoolConfig, SubscriptionConfig
from gateway.decode.broker import BrokerIntake
from gateway.decode.subscription import Subscription
from gateway.pipeline import Pipeline
from gateway.sources.mqtt.source import MqttSource, make_mqtt_source
from gateway.spool.spool import Spool
from gateway.stats import Stats
from tests.device_types import BY_NAME
from tests.gateway.mqtt_room import CONNACK, FalseBroker, HastyClock, Publisher, false_broker, until
from tests.servers.mosquitto import Mosquitto

Start = Callable[..., Mosquitto]
both = pytest.mark.parametrize("protocol", ["5", "3.1.1"])

OLD = b'[{"n":"temperature","u":"Cel","v":21.5}]'
TIMED = b'[{"bn":"x:","bt":1767225600,"n":"temperature","u":"Cel","v":7.5}]'
TIMED_LINE = "senml,thing=timed temperature_c=7.5 1767225600000000000"
"""2026-01-01 00:00:00 UTC."""


class House:
    """Source, intake, pipeline and spool of one gateway, as `app` puts them together."""

    def __init__(self, directory: Path, url: str, **settings: object) -> None:
        clock, self.stats = SystemClock(), Stats()
        wanted = SubscriptionConfig("park/{thing}/senml", "senml")
        config = MqttConfig("main", url, "gateway", (wanted,), **settings)  # type: ignore[arg-type]
        device = BY_NAME["senml"]
        assert isinstance(device, MessageDevice)
        self.spool = Spool.open(directory / "spool.db", SpoolConfig(), clock)
        self.pipeline = Pipeline(self.spool, clock, self.stats)
        self.intake = BrokerIntake(self.pipeline, config, [Subscription(wanted, device)], "mqtt:main")
        stats = self.stats.source("mqtt:main")
        self.source: MqttSource = make_mqtt_source(config, self.intake, HastyClock(), stats, self.intake.connected)

    async def up(self, connects: int = 1) -> None:
        stats = self.stats.sources["mqtt:main"]
        await until(lambda: self.source.subscribed and stats.connects >= connects, f"{connects} connects")

    async def received(self, count: int) -> None:
        await until(lambda: self.stats.stages.received >= count, f"{count} messages, not {self.stats.stages}")

    async def lines(self) -> list[str]:
        """What is in the spool, once all that was decoded is."""
        stages = self.stats.stages
        await until(lambda: stages.spooled == stages.decoded, "the commit")
        batch = await self.spool.read(0, 1_000_000)
        return [] if batch is None else batch.lines.decode().split("\n")


@contextlib.asynccontextmanager
async def house(directory: Path, url: str, **settings: object) -> AsyncIterator[House]:
    """One that runs; stopped in order, all that came committed and acknowledged."""
    here = House(directory, url, **settings)
    running = [asyncio.create_task(here.source.run()), asyncio.create_task(here.pipeline.run())]
    try:
        yield here
    finally:
        here.source.stop_reading()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await here.pipeline.finish()
        await here.source.close()
        await here.spool.close()


async def mark(publisher: Publisher, here: House) -> None:
    """Everything that the broker sent before this has come."""
    publisher.send("park/mark/senml", b'[{"n":"temperature","u":"Cel","v":1}]')
    await until(lambda: ("mqtt:main", "mark") in here.stats.devices, "the mark")


@both
async def test_an_old_value_never_gets_a_new_time(start_mosquitto: Start, tmp_path: Path, protocol: str) -> None:
    broker = start_mosquitto()
    publisher = Publisher(broker.port)
    publisher.send("park/old/senml", OLD, retain=True)
    publisher.send("park/timed/senml", TIMED, retain=True)
    async with house(tmp_path, broker.url, protocol=protocol) as here:
        await here.up()
        await here.received(2)
        for connects in (2, 3, 4):
            here.source.reconnect("once more")
            await here.up(connects)
        here.source.resubscribe()
        await mark(publisher, here)
        # MQTT 5: once a session; 3.1.1: for every SUBSCRIBE
        await until(lambda: here.stats.stages.retained == {"5": 1, "3.1.1": 5}[protocol], "every retained copy")
    Publisher(broker.port, "gateway").close()  # a clean start: the session is gone
    async with house(tmp_path, broker.url, protocol=protocol) as here:
        await here.up()
        await mark(publisher, here)
        assert here.stats.stages.retained == 1
        lines = await here.lines()
    assert [line for line in lines if "thing=old" in line] == []
    assert {line for line in lines if "thing=timed" in line} == {TIMED_LINE}
    assert len([line for line in lines if "thing=mark" in line]) == 2
    assert here.stats.stages.redelivered == 0, "retained messages are acknowledged"


async def test_a_timed_value_is_stored_once_in_a_session(start_mosquitto: Start, tmp_path: Path) -> None:
    broker = start_mosquitto()
    publisher = Publisher(broker.port)
    publisher.send("park/timed/senml", TIMED, retain=True)
    async with house(tmp_path, broker.url) as here:
        await here.received(1)
        for connects in (2, 3):
            here.source.reconnect("once more")
            await here.up(connects)
        here.source.resubscribe()
        await mark(publisher, here)
        assert [line for line in await here.lines() if "thing=timed" in line] == [TIMED_LINE]


@both
@pytest.mark.parametrize("qos", [0, 1])
async def test_what_is_published_now_is_stored_though_it_is_retained(
    start_mosquitto: Start, tmp_path: Path, protocol: str, qos: int
) -> None:
    """The retain bit of a message on its way to a subscriber who is there says nothing of its age."""
    broker = start_mosquitto()
    publisher = Publisher(broker.port)
    async with house(tmp_path, broker.url, protocol=protocol) as here:
        await here.up()
        publisher.send("park/now/senml", OLD, OLD, qos=qos, retain=True)
        await until(lambda: here.stats.stages.decoded == 2, "both")
        assert here.stats.stages.retained == 0
    if qos:
        publisher.send("park/away/senml", OLD, retain=True)  # waits in the session: not old either
        async with house(tmp_path, broker.url, protocol=protocol) as here:
            await until(lambda: here.stats.stages.decoded >= 1, "what waited")
            assert len([line for line in await here.lines() if "thing=away" in line]) == 1


PUBLISH = mqtt5.PublishPacket("park/lamp/senml", OLD, qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=5).write()
AGAIN = bytes([PUBLISH[0] | 0x08]) + PUBLISH[1:]
SAME_SESSION = b"\x20\x03\x01\x00\x00"


@pytest.mark.parametrize(("greeting", "stored"), [(SAME_SESSION, 1), (CONNACK, 2)])
async def test_a_redelivery_is_one_only_within_its_session(tmp_path: Path, greeting: bytes, stored: int) -> None:
    """The same words under the same packet identifier, marked as sent again: after a broker that
    has lost its sessions came back, it is another message."""
    acknowledged: list[int] = []

    async def script(broker: FalseBroker) -> None:
        await broker.expect(mqtt5.ConnectPacket)
        await broker.say(CONNACK if broker.number == 1 else greeting)
        asked = await broker.expect(mqtt5.SubscribePacket)
        await broker.say(mqtt5.SubAckPacket(asked.packet_id, [mqtt5.SubAckReasonCode(1)]).write())
        await broker.say(PUBLISH if broker.number == 1 else AGAIN)
        acknowledged.append((await broker.expect(mqtt5.PubAckPacket)).packet_id)
        if broker.number == 2:
            await broker.expect(mqtt5.DisconnectPacket)

    async with false_broker(script) as url, house(tmp_path, url) as here:
        await until(lambda: acknowledged == [5, 5], "both acknowledgements")
        assert len(await here.lines()) == stored
        assert here.stats.stages.redelivered == 2 - stored


async def test_another_broker_under_the_same_name_begins_without_memories(tmp_path: Path) -> None:
    async def script(broker: FalseBroker) -> None:
        await broker.welcome()
        await broker.say(AGAIN)
        assert (await broker.expect(mqtt5.PubAckPacket)).packet_id == 5
        await broker.expect(mqtt5.DisconnectPacket)

    for stored in (1, 2):
        async with false_broker(script) as url, house(tmp_path, url) as here:
            await until(lambda here=here: here.stats.stages.spooled == 1, "the message")  # type: ignore[misc]
            assert len(await here.lines()) == stored
            assert here.stats.stages.redelivered == 0
