"""Silence on real servers: the gateway finds it, heals it, and stores what happened."""

import asyncio
import contextlib
import os
import pty
import termios
import tty
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.forgetful import Relay, relay
from tests.e2e.load import Publisher, pace
from tests.e2e.running import GatewayProcess, audit, influx_query, stored_seqs
from tests.servers.influxd import Influxd
from tests.servers.mosquitto import Mosquitto
from tests.servers.process import wait_until

Start = Callable[[str], GatewayProcess]

WATCHDOG = "[watchdog]\nfactor = 2\nmin_silence_s = 2\npause_s = 2\n"


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Start]:
    """Start a gateway process with a config; ended with the test."""
    started: list[GatewayProcess] = []

    def start(config: str) -> GatewayProcess:
        process = GatewayProcess(tmp_path / f"gateway-{len(started)}", config)
        started.append(process)
        process.start()
        return process

    yield start
    for process in started:
        process.stop()


def store(influxd: Influxd) -> str:
    influxd.query('CREATE DATABASE "parkgate"')  # so that it can be asked before the first point
    return f'{WATCHDOG}\n[influxdb]\nurl = "{influxd.url}"\ndatabase = "parkgate"\n'


def through(relay: Relay, influxd: Influxd) -> str:
    return f"""{store(influxd)}
[mqtt.main]
url = "mqtt://127.0.0.1:{relay.port}"
client_id = "gateway"

[[mqtt.main.subscription]]
topic = "park/{{thing}}"
device = "senml"
expected_every_s = 1
"""


async def until(condition: Callable[[], bool], what: str, seconds: float = 40.0) -> None:
    await asyncio.to_thread(wait_until, condition, what, seconds)


def readings(gateway: GatewayProcess) -> int:
    return sum(device["readings"] for device in gateway.health()["devices"])


def events(influxd: Influxd) -> list[tuple[str, str, str]]:
    """Thing, layer and title of what is stored, oldest first."""
    series = influx_query(influxd.url, 'SELECT "title", "thing", "layer" FROM "gateway_event"')
    return [(thing, layer, title) for row in series for _, title, thing, layer in row["values"]]


@contextlib.asynccontextmanager
async def speaking(publisher: Publisher) -> AsyncIterator[None]:
    """Its things speak all the time, ten messages a second in all."""
    load = asyncio.create_task(publisher.run(1_000_000, rate=10))
    try:
        yield
    finally:
        load.cancel()
        await asyncio.gather(load, return_exceptions=True)


async def test_a_subscription_that_the_broker_forgot_is_asked_for_again(
    fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, gateway: Start
) -> None:
    async with relay(fresh_mosquitto.port) as between:
        running = await asyncio.to_thread(gateway, through(between, fresh_influxd))
        async with speaking(Publisher(fresh_mosquitto.port, things=2)):
            await until(lambda: readings(running) >= 10, "data flows")
            between.forget("park/+")
            await until(lambda: between.subscribes == 2, "the gateway subscribes again")
            before = readings(running)
            await until(lambda: readings(running) >= before + 10, "data flows again")
            await until(
                lambda: [layer for _, layer, _ in events(fresh_influxd)] == ["flow", "flow"], "both events are stored"
            )
        assert between.connections == 1
        assert events(fresh_influxd) == [
            ("mqtt:main", "flow", "mqtt:main is silent"),
            ("mqtt:main", "flow", "mqtt:main: data flows again"),
        ]


async def test_a_connection_that_brings_nothing_is_made_anew_and_nothing_is_lost(
    fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, gateway: Start
) -> None:
    publisher = Publisher(fresh_mosquitto.port, things=2)
    async with relay(fresh_mosquitto.port) as between:
        running = await asyncio.to_thread(gateway, through(between, fresh_influxd))
        async with speaking(publisher):
            await until(lambda: readings(running) >= 10, "data flows")
            between.withhold()
            await until(lambda: between.connections == 2, "the gateway connects anew")
            await until(lambda: between.subscribes == 3, "at first, on the silent connection, on the new one")
            before = readings(running)
            await until(lambda: readings(running) >= before + 10, "data flows again")
        assert between.withheld > 0
        await until(lambda: len(events(fresh_influxd)) == 2, "both events are stored")
        sent = publisher.acknowledged
        await until(lambda: audit(stored_seqs(fresh_influxd.url), sent, 2)[0] == 0, f"all {sent} are stored")
        assert audit(stored_seqs(fresh_influxd.url), sent, 2) == (0, 0)


async def test_a_device_that_is_off_costs_the_others_nothing(
    fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, gateway: Start
) -> None:
    publisher = Publisher(fresh_mosquitto.port, things=2)
    async with relay(fresh_mosquitto.port) as between:
        running = await asyncio.to_thread(gateway, through(between, fresh_influxd))
        async with speaking(publisher):
            await until(lambda: len(running.health()["devices"]) == 2, "both things are known")
            publisher.things = 1  # t1 is switched off
            await until(lambda: len(events(fresh_influxd)) == 1, "it is missed")
            problems = running.health()["problems"]
            assert problems[-1].startswith("t1 [device]: no reading for ")
            before = readings(running)
            await until(lambda: readings(running) >= before + 50, "the other one goes on for five seconds")
        assert events(fresh_influxd) == [("t1", "device", "t1 is silent")]
        assert (between.connections, between.subscribes) == (1, 1)


# PMS5003 frame of avaldebe/PyPMS, tests/captured_data (MIT)
FRAME = bytes.fromhex("424d001c00000008000800000008000800d20046002d001e00000000970002c5")
FLIPPED = FRAME[:10] + b"\xff" + FRAME[11:]


async def test_the_layers_of_a_serial_port(fresh_influxd: Influxd, gateway: Start) -> None:
    master, slave = pty.openpty()
    tty.setraw(master, termios.TCSANOW)
    port = os.ttyname(slave)
    config = f'{store(fresh_influxd)}\n[[serial]]\nport = "{port}"\ndevice = "pms5003"\nthing = "lamp-17"\n'
    running = await asyncio.to_thread(gateway, config)

    async def says(data: bytes) -> None:
        while True:
            os.write(master, data)
            await pace(0.2)

    async def seen(data: bytes, layer: str, title: str) -> None:
        """The port brings this until the event is stored."""
        talk = asyncio.create_task(says(data))
        try:
            await until(lambda: ("lamp-17", layer, title) in events(fresh_influxd), f"{layer}: {title}")
        finally:
            talk.cancel()

    await seen(b"", "device", "lamp-17 is silent")
    await seen(FLIPPED, "integrity", "lamp-17 is silent")
    await seen(b"\x00\x55\xaa" * 11, "framing", "lamp-17 is silent")
    await seen(FRAME, "framing", "lamp-17: speaks again")
    assert running.health()["devices"][0]["readings"] > 0
    text = running.process.log.read_text()
    assert "the port is open and no byte ever came" in text
    assert "opening the port again" in text
    for end in (master, slave):
        os.close(end)
