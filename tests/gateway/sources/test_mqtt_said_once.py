"""What an MQTT source says is said once while it lasts, not at each try."""

import logging
from pathlib import Path

import mqtt5
import pytest

from tests.gateway.mqtt_room import CONNACK, FalseBroker, HastyClock, false_broker, running, until

BUSY = b"\x20\x03\x00\x89\x00"


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


async def test_a_subscription_granted_with_qos_0_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    asked = 0

    async def script(broker: FalseBroker) -> None:
        nonlocal asked
        await broker.expect(mqtt5.ConnectPacket)
        await broker.say(CONNACK)
        while True:
            packet = await broker.expect(mqtt5.SubscribePacket)
            granted = [mqtt5.SubAckReasonCode.GRANTED_QOS_AT_MOST_ONCE]
            await broker.say(mqtt5.SubAckPacket(packet.packet_id, granted).write())
            asked += 1

    async with false_broker(script) as url, running(url, "a/#", clock=HastyClock()) as room:
        await room.up()
        for count in (2, 3, 4):
            room.source.resubscribe()
            await until(lambda count=count: asked == count)  # type: ignore[misc]
        room.source.reconnect("once more")
        await until(lambda: asked == 5)
        await room.up()
    low = "mqtt:main: 'a/#' granted with QoS 0 only: messages can be lost"
    assert [words for words in warnings(caplog) if "QoS" in words] == [low]


async def test_changing_reasons_of_one_outage_are_said_once_each(caplog: pytest.LogCaptureFixture) -> None:
    async def script(broker: FalseBroker) -> None:
        await broker.expect(mqtt5.ConnectPacket)
        if broker.number <= 8:
            await broker.say(BUSY if broker.number % 2 else b"")
            return
        await broker.say(CONNACK)
        packet = await broker.expect(mqtt5.SubscribePacket)
        granted = [mqtt5.SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE]
        await broker.say(mqtt5.SubAckPacket(packet.packet_id, granted).write())
        await broker.packet()

    async with false_broker(script) as url, running(url, "a/#", clock=HastyClock()) as room:
        await until(lambda: room.source.subscribed, "subscribed", 30.0)
        # the state shows each as it comes
        assert sum("the broker says that it is busy" in state for state in room.stats.said) == 4
    downs = [words.partition(";")[0] for words in warnings(caplog) if ": down: " in words]
    assert downs == [
        "mqtt:main: down: refused: the broker says that it is busy",
        "mqtt:main: down: CONNECT was not answered: the broker closed the connection without a word",
    ]


async def test_refused_subscriptions_are_said_once_while_they_are_asked_for_again(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    asked = 0

    async def script(broker: FalseBroker) -> None:
        nonlocal asked
        await broker.expect(mqtt5.ConnectPacket)
        await broker.say(CONNACK)
        while True:
            packet = await broker.expect(mqtt5.SubscribePacket)
            codes = [mqtt5.SubAckReasonCode.NOT_AUTHORIZED] * len(packet.topic_filters)
            await broker.say(mqtt5.SubAckPacket(packet.packet_id, codes).write())
            asked += 1

    asked_file = tmp_path / "subscriptions.json"
    async with false_broker(script) as url, running(url, "a/#", clock=HastyClock(), asked=asked_file):
        await until(lambda: asked >= 5, "asked five times", 30.0)
    assert warnings(caplog) == [
        "mqtt:main: up, but 1 of 1 subscriptions refused: 'a/#' not authorized; asking again",
    ]
