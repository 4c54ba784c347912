"""What the will's topic says, by a real mosquitto: online while connected, offline after any end."""

import asyncio
import signal
import sys
import textwrap
from collections.abc import Callable

import mqtt5
import pytest

from gateway.config import WillConfig
from tests.gateway.mqtt_room import HastyClock, Publisher, running
from tests.servers.mosquitto import Mosquitto

Start = Callable[..., Mosquitto]
both = pytest.mark.parametrize("protocol", ["5", "3.1.1"])
TOPIC = "gateways/east/status"


async def heard(watcher: Publisher) -> tuple[str, bytes, bool]:
    """The next message: topic, payload, and whether the broker had kept it."""
    packet = await asyncio.to_thread(watcher.next_packet)
    assert isinstance(packet, mqtt5.PublishPacket)
    return packet.topic, packet.payload, packet.retain


def kept(broker: Mosquitto) -> list[bytes]:
    """What a newcomer finds on the topic: nothing or one payload. The mark comes behind it."""
    newcomer = Publisher(broker.port)
    newcomer.listen(TOPIC, "mark")
    newcomer.send("mark", b"", qos=0)
    found = []
    while isinstance(packet := newcomer.next_packet(), mqtt5.PublishPacket) and packet.topic != "mark":
        assert packet.retain
        found.append(packet.payload)
    newcomer.close()
    return found


@both
async def test_the_topic_says_how_the_gateway_stands(start_mosquitto: Start, protocol: str) -> None:
    broker = start_mosquitto()
    watcher = Publisher(broker.port, "watcher")
    watcher.listen("gateways/+/status")
    async with running(broker.url, "a/#", protocol=protocol, will=WillConfig(TOPIC), clock=HastyClock()) as room:
        await room.up()
        assert await heard(watcher) == (TOPIC, b"online", True)
        assert await asyncio.to_thread(kept, broker) == [b"online"]
        room.source.reconnect("a test wants it")
        assert await heard(watcher) == (TOPIC, b"offline", True)
        assert await heard(watcher) == (TOPIC, b"online", True)
        await room.up()
        assert await asyncio.to_thread(kept, broker) == [b"online"]
    assert await heard(watcher) == (TOPIC, b"offline", True)
    assert await asyncio.to_thread(kept, broker) == [b"offline"]


@both
async def test_a_killed_gateway_is_offline_and_back_online(start_mosquitto: Start, protocol: str) -> None:
    broker = start_mosquitto()
    watcher = Publisher(broker.port, "watcher")
    watcher.listen("gateways/+/status")
    program = f"""
        import asyncio
        from gateway.config import WillConfig
        from tests.gateway.mqtt_room import running

        async def main():
            will = WillConfig({TOPIC!r}, "gone", birth="here")
            async with running({broker.url!r}, "a/#", protocol={protocol!r}, will=will) as room:
                await room.up()
                print("up", flush=True)
                await asyncio.Event().wait()

        asyncio.run(main())
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", textwrap.dedent(program), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"up\n"
    assert await heard(watcher) == (TOPIC, b"here", True)
    process.send_signal(signal.SIGKILL)
    await process.wait()
    assert await heard(watcher) == (TOPIC, b"gone", True)
    assert await asyncio.to_thread(kept, broker) == [b"gone"]
    will = WillConfig(TOPIC, "gone", birth="here")
    async with running(broker.url, "a/#", protocol=protocol, will=will) as room:
        await room.up()
        assert await heard(watcher) == (TOPIC, b"here", True)
        assert await asyncio.to_thread(kept, broker) == [b"here"]


@both
async def test_nothing_is_kept_where_the_will_is_not(start_mosquitto: Start, protocol: str) -> None:
    broker = start_mosquitto()
    watcher = Publisher(broker.port, "watcher")
    watcher.listen("#")
    will = WillConfig(TOPIC, qos=0, retain=False)
    async with running(broker.url, "a/#", protocol=protocol, will=will) as room:
        await room.up()
        assert await heard(watcher) == (TOPIC, b"online", False)
    assert await heard(watcher) == (TOPIC, b"offline", False)
    assert await asyncio.to_thread(kept, broker) == []


@both
async def test_without_a_will_nothing_is_said(start_mosquitto: Start, protocol: str) -> None:
    broker = start_mosquitto()
    watcher = Publisher(broker.port, "watcher")
    watcher.listen("#")
    async with running(broker.url, "a/#", protocol=protocol) as room:
        await room.up()
    Publisher(broker.port).send("end", b"mark")
    assert await heard(watcher) == ("end", b"mark", False)
