"""A running gateway says of itself what is true: over real sockets, a real port and a real broker."""

import asyncio
import json
import os
import pty
import termios
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

import aiohttp
import paho.mqtt.publish as mqtt_publish
import pytest

from tests.e2e.load import pace
from tests.e2e.running import GatewayProcess, answer
from tests.servers.mosquitto import Mosquitto

# PMS5003 frame of avaldebe/PyPMS, tests/captured_data (MIT)
FRAME = bytes.fromhex("424d001c00000008000800000008000800d20046002d001e00000000970002c5")
AIR = '[{"n":"temperature","u":"Cel","v":21.5}]'
WHY = "expected a JSON or CBOR array of records"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str], GatewayProcess]]:
    """Start a gateway process that writes to a local store; ended with the test."""
    started: list[GatewayProcess] = []

    def begin(config: str) -> GatewayProcess:
        started.append(GatewayProcess(tmp_path, config))
        started[-1].start()
        return started[-1]

    yield begin
    for process in started:
        process.stop()


async def until(condition: Callable[[], bool], what: str) -> None:
    """The gateway is asked until it is so, for 40 s at most."""
    for _ in range(400):
        if await asyncio.to_thread(condition):
            return
        await pace(0.1)
    raise AssertionError(f"not seen: {what}")


def broker(port: int) -> str:
    return f"""
[mqtt.main]
url = "mqtt://127.0.0.1:{port}"
client_id = "gateway"

[[mqtt.main.subscription]]
topic = "park/{{thing}}/air"
device = "senml"
"""


async def test_a_broker_whose_messages_all_fail_is_named_until_one_is_read(
    fresh_mosquitto: Mosquitto, start: Callable[[str], GatewayProcess]
) -> None:
    running = await asyncio.to_thread(start, broker(fresh_mosquitto.port))
    await until(lambda: running.health()["problems"] == [], "it is connected")
    ready = f"http://127.0.0.1:{running.port}/readyz"
    assert answer(ready) == {"ready": True, "reasons": []}

    async def say(payload: str, times: int) -> None:
        for _ in range(times):
            await asyncio.to_thread(
                mqtt_publish.single, "park/lamp-4/air", payload, 1, hostname="127.0.0.1", port=fresh_mosquitto.port
            )

    await say('{"t":21.5}', 5)
    words = f"mqtt:main: all of the last 5 messages of park/lamp-4/air could not be read: {WHY}"
    await until(lambda: running.health()["problems"] == [words], words)
    assert running.health()["status"] == "degraded"
    await say(AIR, 1)
    await until(lambda: running.health()["problems"] == [], "it is over")
    await asyncio.to_thread(fresh_mosquitto.stop)
    await until(lambda: answer(ready)["ready"] is False, "without its broker it takes nothing")
    assert answer(f"http://127.0.0.1:{running.port}/livez")["alive"] is True


async def test_a_port_with_noise_alone_and_what_passes_on_it(start: Callable[[str], GatewayProcess]) -> None:
    master, slave = pty.openpty()
    tty.setraw(master, termios.TCSANOW)
    port = os.ttyname(slave)
    running = await asyncio.to_thread(start, f'[[serial]]\nport = "{port}"\ndevice = "pms5003"\nthing = "lamp-17"\n')
    name = f"serial:{port}"
    await until(lambda: running.health()["problems"] == [f"{name}: open but silent: no bytes yet"], "it is open")
    url = f"http://127.0.0.1:{running.port}"
    async with aiohttp.ClientSession() as client, client.get(f"{url}/api/v1/events?thing=lamp-17") as events:
        await events.content.readuntil(b"\n\n")
        os.write(master, b"\x00" * 342)
        words = (
            f"{name}: bytes but no frames: 342 bytes so far; is there a pms5003 on it, at 9600 baud, 8N1? "
            "try another baud, parity or device"
        )
        await until(lambda: running.health()["problems"] == [words], words)
        os.write(master, FRAME)
        await until(lambda: running.health()["problems"] == [], "it is up")
        seen: list[str] = []
        async with asyncio.timeout(40):
            while seen[-1:] != ["stored"]:
                lines = (await events.content.readuntil(b"\n\n")).decode().splitlines()
                named = dict(line.split(": ", 1) for line in lines if line)
                seen.append(named.get("event", ""))
                last = json.loads(named["data"]) if "data" in named else {}
        assert seen[0] == "passed"
        assert [piece["points"] for piece in last["pieces"]] == [1]
    things = answer(f"{url}/api/v1/things?thing=lamp-17")["things"]
    assert [(each["readings"], each["noise_bytes"]) for each in things] == [(1, 342)]
    for end in (master, slave):
        os.close(end)
