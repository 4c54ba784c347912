"""Filters that were taken out of the configuration do not live on in the broker's session."""

import json
import logging
from collections.abc import Callable
from pathlib import Path

import mqtt5
import pytest

from gateway.sources.mqtt.filters import AskedFilters
from tests.gateway.mqtt_room import FalseBroker, Publisher, false_broker, running, until
from tests.servers.mosquitto import Mosquitto

Start = Callable[..., Mosquitto]
both = pytest.mark.parametrize("protocol", ["5", "3.1.1"])
SESSION_PRESENT = b"\x20\x03\x01\x00\x00"


async def resumed(broker: FalseBroker) -> mqtt5.UnsubscribePacket:
    """A session that is still there, its one subscription granted; what is then given back."""
    await broker.expect(mqtt5.ConnectPacket)
    await broker.say(SESSION_PRESENT)
    subscribe = await broker.expect(mqtt5.SubscribePacket)
    await broker.say(b"\x90\x04" + subscribe.packet_id.to_bytes(2, "big") + b"\x00\x01")
    back: mqtt5.UnsubscribePacket = await broker.expect(mqtt5.UnsubscribePacket)
    return back


def filters(path: Path) -> list[list[str]]:
    return list(json.loads(path.read_text()).values())


@both
async def test_a_filter_that_is_wanted_no_more_is_given_back(
    start_mosquitto: Start, tmp_path: Path, protocol: str
) -> None:
    broker, asked = start_mosquitto(), tmp_path / "subscriptions.json"
    wide = [f"old/{number}/#" for number in range(10)]  # more than fit into one packet
    async with running(broker.url, "new/#", *wide, protocol=protocol, asked=asked) as room:
        await room.up()
        assert filters(asked) == [["new/#", *wide]]
    async with running(broker.url, "new/#", protocol=protocol, asked=asked) as room:
        await until(lambda: filters(asked) == [["new/#"]])
        publisher = Publisher(broker.port)
        for number in range(10):
            publisher.send(f"old/{number}/lamp", b"unwanted")
        publisher.send("new/lamp", b"wanted")
        await room.got(1)
        assert room.intake.payloads == [b"wanted"]


async def test_without_a_session_there_is_nothing_to_give_back(tmp_path: Path) -> None:
    asked = tmp_path / "subscriptions.json"
    packets: list[mqtt5.Packet] = []

    async def script(broker: FalseBroker) -> None:
        await broker.welcome()
        packets.append(await broker.packet())

    async with false_broker(script) as url:
        AskedFilters(asked, f"mqtt:main gateway {url.removeprefix('mqtt://')}").write(["old/#"])
        async with running(url, "new/#", asked=asked) as room:
            await room.up()
            assert filters(asked) == [["new/#"]]
    assert isinstance(packets[0], mqtt5.DisconnectPacket)


async def test_what_the_broker_keeps_is_asked_for_again_next_time(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    asked = tmp_path / "subscriptions.json"

    async def script(broker: FalseBroker) -> None:
        back = await resumed(broker)
        assert back.patterns == ["old/1", "old/2"]
        await broker.say(b"\xb0\x05" + back.packet_id.to_bytes(2, "big") + b"\x00\x00\x87")
        await broker.packet()

    async with false_broker(script) as url:
        AskedFilters(asked, f"mqtt:main gateway {url.removeprefix('mqtt://')}").write(["old/1", "old/2"])
        async with running(url, "new/#", asked=asked) as room:
            await until(lambda: filters(asked) == [["new/#", "old/2"]])
            assert room.stats.connects == 1
    said = [record.message for record in caplog.records if "no more" in record.message]
    assert said == [
        "mqtt:main: unsubscribed from 'old/1', which the configuration has no more",
        "mqtt:main: the broker keeps the subscription to 'old/2', which the configuration has no more",
    ]


async def test_too_few_answers_are_malformed(tmp_path: Path) -> None:
    async def script(broker: FalseBroker) -> None:
        back = await resumed(broker)
        await broker.say(b"\xb0\x04" + back.packet_id.to_bytes(2, "big") + b"\x00\x00")
        await broker.packet()

    asked = tmp_path / "subscriptions.json"
    async with false_broker(script) as url:
        AskedFilters(asked, f"mqtt:main gateway {url.removeprefix('mqtt://')}").write(["old/1", "old/2"])
        async with running(url, "new/#", asked=asked) as room:
            await room.says("down: malformed data from the broker: 1 answers to 2 filters of UNSUBSCRIBE")


@pytest.mark.parametrize("text", ["", "[]", '{"a": 1}', "{", '{"other": ["x"]}'])
def test_a_file_that_says_nothing_is_no_obstacle(tmp_path: Path, text: str) -> None:
    path = tmp_path / "subscriptions.json"
    path.write_text(text)
    mine = AskedFilters(path, "mine")
    assert mine.read() == set()
    mine.write(["b", "a", "b"])
    assert json.loads(path.read_text())["mine"] == ["a", "b"]


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    AskedFilters(tmp_path / "missing" / "subscriptions.json", "mine").write(["a"])
    assert "subscriptions.json: No such file or directory; filters taken out later may stay subscribed" in caplog.text
