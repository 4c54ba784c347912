"""The promise, on real servers: what the broker has taken is in InfluxDB once, whatever dies."""

import asyncio
import json
import os
import pty
import signal
import termios
import tty
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.load import START_NS, Publisher
from tests.e2e.running import GatewayProcess, audit, influx_query, stored_seqs
from tests.servers.influxd import Influxd
from tests.servers.mosquitto import Mosquitto
from tests.servers.process import wait_until

THINGS = 10
Start = Callable[..., GatewayProcess]


def mqtt_to_influx(mosquitto: Mosquitto, influxd: Influxd) -> str:
    return f"""
[influxdb]
url = "{influxd.url}"
database = "parkgate"

[mqtt.main]
url = "mqtt://127.0.0.1:{mosquitto.port}"
client_id = "gateway"

[[mqtt.main.subscription]]
topic = "park/{{thing}}"
device = "senml"
"""


def holds(influxd: Influxd, readings: int) -> None:
    """Wait until InfluxDB holds so many readings of the load."""
    wait_until(
        lambda: sum(map(len, stored_seqs(influxd.url).values())) >= readings, f"{readings} readings in InfluxDB", 60.0
    )


def subscribed(gateway: GatewayProcess) -> None:
    wait_until(lambda: not any("mqtt" in problem for problem in gateway.health()["problems"]), "the gateway subscribed")


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


async def test_killed_while_2000_messages_flow(
    fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, gateway: Start
) -> None:
    running = gateway(mqtt_to_influx(fresh_mosquitto, fresh_influxd))
    subscribed(running)
    publisher = Publisher(fresh_mosquitto.port, things=THINGS)
    load = asyncio.create_task(publisher.run(2000, rate=2000))
    await publisher.reached(700)
    await asyncio.to_thread(running.kill)
    await publisher.reached(1200)
    await asyncio.to_thread(running.start)
    await load
    await asyncio.to_thread(holds, fresh_influxd, 2000)
    await asyncio.to_thread(running.drained)
    assert audit(stored_seqs(fresh_influxd.url), 2000, THINGS) == (0, 0)


async def test_influxdb_away_for_a_while(fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, gateway: Start) -> None:
    running = gateway(mqtt_to_influx(fresh_mosquitto, fresh_influxd))
    subscribed(running)
    publisher = Publisher(fresh_mosquitto.port, things=THINGS)
    await publisher.run(500)
    fresh_influxd.stop()
    await publisher.run(500, first=500)
    wait_until(lambda: running.health()["stages"]["spooled"] >= 1000, "1,000 readings spooled")
    wait_until(lambda: running.health()["status"] == "degraded", "the gateway says that InfluxDB is away")
    fresh_influxd.start()
    await publisher.run(500, first=1000)
    holds(fresh_influxd, 1500)
    assert audit(stored_seqs(fresh_influxd.url), 1500, THINGS) == (0, 0)


async def test_one_bad_point_costs_exactly_that_point(
    fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, gateway: Start
) -> None:
    fresh_influxd.query('CREATE DATABASE "parkgate"')
    write = f"{fresh_influxd.url}/write?db=parkgate&precision=ns"
    # the field is a text from now on, so a number in it is refused
    line = f'senml,thing=other mood="calm" {START_NS}'
    await asyncio.to_thread(lambda: urllib.request.urlopen(write, line.encode(), timeout=10.0).close())
    running = gateway(mqtt_to_influx(fresh_mosquitto, fresh_influxd))
    subscribed(running)
    publisher = Publisher(fresh_mosquitto.port, things=THINGS)

    def message(index: int, original: Callable[[int], tuple[str, bytes]] = publisher.message) -> tuple[str, bytes]:
        topic, payload = original(index)
        if index == 500:
            payload = json.dumps([*json.loads(payload), {"n": "mood", "v": 3.0}]).encode()
        return topic, payload

    publisher.message = message  # type: ignore[method-assign]
    await publisher.run(1000)
    holds(fresh_influxd, 999)
    wait_until(lambda: running.health()["stages"]["rejected"] == 1, "the server's refusal")
    running.drained()
    stored = stored_seqs(fresh_influxd.url)
    assert audit(stored, 1000, THINGS) == (1, 0)
    assert 50 not in stored["t0"]  # message 500 is the 50th of thing 0


async def test_sigterm_ends_in_order(fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, gateway: Start) -> None:
    running = gateway(mqtt_to_influx(fresh_mosquitto, fresh_influxd))
    subscribed(running)
    await Publisher(fresh_mosquitto.port, things=THINGS).run(300)
    wait_until(lambda: running.health()["stages"]["spooled"] >= 300, "300 readings spooled")
    child = running.process._child
    assert child is not None
    child.send_signal(signal.SIGTERM)
    assert child.wait(15.0) == 0
    assert audit(stored_seqs(fresh_influxd.url), 300, THINGS) == (0, 0)
    assert "0 points wait in the spool" in running.process.log_tail()


class Cable:
    """A pty in the place of a USB adapter, behind a by-id link."""

    def __init__(self, link: Path) -> None:
        self.link = link
        self.master = -1

    def plug(self) -> None:
        self.master, slave = pty.openpty()
        tty.setraw(self.master, termios.TCSANOW)
        target = os.ttyname(slave)
        os.close(slave)
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(target)

    def unplug(self) -> None:
        os.close(self.master)
        self.link.unlink()

    def write(self, data: bytes) -> None:
        os.write(self.master, data)


# PMS5003 frames of avaldebe/PyPMS, tests/captured_data (MIT): PM2.5 8, 7 and 6 ug/m3
FRAMES = [
    bytes.fromhex("424d001c00000008000800000008000800d20046002d001e00000000970002c5"),
    bytes.fromhex("424d001c00000007000700000007000700d20046002d001e00000000970002c1"),
    bytes.fromhex("424d001c00000006000600000006000600b4003c001d0015000000009700027c"),
]


async def test_unplugged_and_plugged_in_under_another_name(
    tmp_path: Path, fresh_influxd: Influxd, gateway: Start
) -> None:
    cable = Cable(tmp_path / "usb-1a86_USB_Serial-if00")
    running = gateway(f"""
[influxdb]
url = "{fresh_influxd.url}"
database = "parkgate"

[[serial]]
port = "{cable.link}"
device = "pms5003"
thing = "lamp-17"
location = [22.4270, 114.2110]
tags = {{ zone = "lake" }}
""")

    def readings() -> Any:
        found = [device["readings"] for device in running.health()["devices"] if device["thing"] == "lamp-17"]
        return found[0] if found else 0

    def missing() -> bool:
        return any("down: " in problem for problem in running.health()["problems"])

    wait_until(missing, "the port is said to be missing")
    cable.plug()
    wait_until(lambda: not missing(), "the port is open")
    cable.write(FRAMES[0])
    wait_until(lambda: readings() == 1, "the first frame is decoded")
    cable.write(FRAMES[1][:20])
    first = cable.link.readlink()
    cable.unplug()
    wait_until(missing, "the port is missed")
    other = pty.openpty()  # takes the name that was freed
    cable.plug()
    assert cable.link.readlink() != first
    wait_until(lambda: not missing(), "the port is open again")
    cable.write(FRAMES[1][20:] + FRAMES[2])
    wait_until(lambda: readings() == 2, "the frame after the replug is decoded")
    query = 'SELECT "pm2_5_ug_m3" FROM "pms5003" GROUP BY "thing", "zone"'

    def stored() -> list[Any]:
        return [value for row in influx_query(fresh_influxd.url, query) for _, value in row["values"]]

    wait_until(lambda: len(stored()) == 2, "both are in InfluxDB")
    series = influx_query(fresh_influxd.url, query)
    assert [row["tags"] for row in series] == [{"thing": "lamp-17", "zone": "lake"}]
    assert stored() == [8.0, 6.0]
    for end in (*other, cable.master):
        os.close(end)
