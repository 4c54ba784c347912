"""What decoders ask of their broker: retained messages to come again, messages to be published."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import mqtt5
import pytest

from devices.spec.events import Fetch, Publish
from gateway.config import MqttConfig, SubscriptionConfig
from gateway.intake import MOST_ASKS, Asks
from gateway.sources.mqtt.filters import AskedFilters
from gateway.sources.mqtt.source import make_mqtt_source
from tests.gateway.mqtt_room import (
    CONNACK,
    FalseBroker,
    HastyClock,
    Memory,
    Publisher,
    SpokenStats,
    false_broker,
    until,
)
from tests.servers.mosquitto import Mosquitto

Start = Callable[..., Mosquitto]
both = pytest.mark.parametrize("protocol", ["5", "3.1.1"])


class House:
    """A source whose intake asks for `first` on each connection."""

    def __init__(
        self,
        url: str,
        protocol: str,
        *first: Fetch | Publish,
        asked: AskedFilters | None = None,
        topic: str = "z/#",
        client: str = "gateway",
    ) -> None:
        self.asks, self.memory, self.stats = Asks(), Memory(), SpokenStats("mqtt:main")
        self.sessions: list[bool] = []
        config = MqttConfig("main", url, client, (SubscriptionConfig(topic, "senml"),), protocol=protocol)  # type: ignore[arg-type]

        def connected(new_session: bool) -> None:
            self.sessions.append(new_session)
            for ask in first:
                self.asks.put(ask, 0)

        self.source = make_mqtt_source(config, self.memory, HastyClock(), self.stats, connected, asked, self.asks)

    async def up(self, connects: int = 1) -> None:
        await until(lambda: self.source.subscribed and self.stats.connects >= connects, self.stats.state)


@contextlib.asynccontextmanager
async def running(house: House) -> AsyncIterator[House]:
    task = asyncio.create_task(house.source.run())
    try:
        yield house
    finally:
        house.source.stop_reading()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await house.source.close()


@both
async def test_a_retained_topic_comes_again_on_every_connection(start_mosquitto: Start, protocol: str) -> None:
    """Also into a session that has had it: the memory of the process may be gone."""
    broker = start_mosquitto()
    Publisher(broker.port).send("z/bridge/devices", b"[]", retain=True)
    for number in (1, 2):
        async with running(House(broker.url, protocol, Fetch("z/bridge/devices"))) as house:
            await until(lambda house=house: b"[]" in house.memory.payloads, f"the list, start {number}")  # type: ignore[misc]
            await house.up()
            house.memory.messages.clear()
            house.source.reconnect("once more")
            await house.up(2)
            await until(lambda house=house: b"[]" in house.memory.payloads, "the list after a reconnect")  # type: ignore[misc]
            assert all(message.retained for message in house.memory.messages)
            assert house.sessions == [number == 1, False]


@both
async def test_a_topic_outside_the_subscriptions_is_fetched_while_connected(
    start_mosquitto: Start, protocol: str
) -> None:
    broker = start_mosquitto()
    Publisher(broker.port).send("elsewhere/births", b"born", retain=True)
    async with running(House(broker.url, protocol)) as house:
        await house.up()
        assert house.memory.messages == []
        house.asks.put(Fetch("elsewhere/#"), 0)
        await until(lambda: house.memory.payloads == [b"born"], "the birth")


@both
@pytest.mark.parametrize("qos", [0, 1])
async def test_what_is_asked_for_is_published(start_mosquitto: Start, protocol: str, qos: int) -> None:
    broker = start_mosquitto()
    node = Publisher(broker.port)
    node.subscribe("node/cmd")
    async with running(House(broker.url, protocol)) as house:
        await house.up()
        house.asks.put(Publish("node/cmd", b"rebirth", qos), 0)
        packet = await asyncio.to_thread(node.next_packet)
        assert isinstance(packet, mqtt5.PublishPacket)
        assert (packet.topic, bytes(packet.payload), packet.retain) == ("node/cmd", b"rebirth", False)
        Publisher(broker.port).send("z/after", b"1")  # an answer to our QoS 1 has not ended the connection
        await until(lambda: b"1" in house.memory.payloads, "what comes after it")
        assert house.stats.connects == 1


async def test_a_topic_that_may_not_be_fetched_is_said() -> None:
    filters: list[str] = []

    async def script(broker: FalseBroker) -> None:
        await broker.expect(mqtt5.ConnectPacket)
        await broker.say(CONNACK)
        for code in (mqtt5.SubAckReasonCode.NOT_AUTHORIZED, mqtt5.SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE):
            asked = await broker.expect(mqtt5.SubscribePacket)
            filters.extend(each.pattern for each in asked.topic_filters)
            await broker.say(mqtt5.SubAckPacket(asked.packet_id, [code]).write())
        await broker.expect(mqtt5.DisconnectPacket)

    said = "up, but 1 of 2 subscriptions refused: 'secret/#' not authorized; asking again"
    async with false_broker(script) as url, running(House(url, "5", Fetch("secret/#"))) as house:
        await until(lambda: house.stats.state == said, "the state")
        assert house.source.refused == {"secret/#": "not authorized"}
    assert filters == ["secret/#", "z/#"], "what explains comes before what is explained"


async def test_a_filter_that_no_decoder_asks_for_any_more_is_given_back(start_mosquitto: Start, tmp_path) -> None:  # type: ignore[no-untyped-def]
    broker = start_mosquitto()
    asked = AskedFilters(tmp_path / "subscriptions.json", "main")
    async with running(House(broker.url, "5", Fetch("x/births"), asked=asked)) as house:
        await house.up()
    assert asked.read() == {"x/births", "z/#"}
    async with running(House(broker.url, "5", asked=asked)) as house:
        await house.up()
        await until(lambda: asked.read() == {"z/#"}, "given back")


async def test_a_broker_without_subscription_identifiers_is_sent_none() -> None:
    numbers: list[int | None] = []

    async def script(broker: FalseBroker) -> None:
        await broker.expect(mqtt5.ConnectPacket)
        await broker.say(mqtt5.ConnAckPacket(subscription_id_available=False).write())
        for _ in range(2):
            asked = await broker.expect(mqtt5.SubscribePacket)
            numbers.append(asked.subscription_id)
            code = mqtt5.SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE
            await broker.say(mqtt5.SubAckPacket(asked.packet_id, [code]).write())
        await broker.expect(mqtt5.DisconnectPacket)

    async with false_broker(script) as url, running(House(url, "5", Fetch("z/births"))) as house:
        await house.up()
    assert numbers == [None, None]


def test_asks_are_bounded_and_the_same_one_waits_once() -> None:
    asks = Asks()
    for _ in range(3):
        asks.put(Fetch("a"), 0)
    for number in range(2 * MOST_ASKS):
        asks.put(Publish(f"node/{number}", b""), 0)
    assert asks.dropped == MOST_ASKS + 1
    assert asks.fetches() == ["a"]


def test_the_same_ask_is_taken_again_after_ten_seconds_or_with_a_new_connection() -> None:
    asks = Asks()
    asks.put(Fetch("a"), 0)
    assert asks.fetches() == ["a"]
    asks.put(Fetch("a"), 9_999_999_999)
    assert asks.fetches() == []
    asks.put(Fetch("a"), 10_000_000_000)
    assert asks.fetches() == ["a"]
    asks.ended()
    asks.put(Fetch("a"), 10_000_000_001)
    assert asks.fetches() == ["a"]


async def test_what_a_connection_did_not_get_to_publish_waits_for_the_next_one() -> None:
    asks = Asks()
    asks.put(Publish("node/1", b""), 0)
    assert await asks.publish() == Publish("node/1", b"")
    asks.put(Publish("node/2", b""), 1)
    asks.put(Fetch("a"), 2)
    asks.ended()
    asks.put(Publish("node/2", b""), 3)  # it waits already
    asks.put(Publish("node/1", b""), 4)  # that was another connection
    assert asks.fetches() == []
    assert [await asks.publish(), await asks.publish()] == [Publish("node/2", b""), Publish("node/1", b"")]
    asks.put(Publish("node/2", b""), 9_999_999_999)
    asks.put(Publish("node/3", b""), 9_999_999_999)
    assert await asks.publish() == Publish("node/3", b""), "the same once in ten seconds"
