"""The spool is full, by quota or because the disk is, while InfluxDB is away; then both heal.

MQTT is held at the broker (nothing is acknowledged that is not on the disk), serial gives up
its oldest points and counts them, /healthz names the state, and when there is room again
everything goes on: every MQTT message is there once, every serial reading is stored or counted.
"""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.e2e.load import pace
from tests.faults.conftest import Start
from tests.faults.ground import Running, Stamped, audited, config, steady, stored_count, until
from tests.servers.influxd import Influxd
from tests.servers.mosquitto import Mosquitto

# A PMS5003 frame of avaldebe/PyPMS, tests/captured_data (MIT)
FRAME = bytes.fromhex("424d001c00000008000800000008000800d20046002d001e00000000970002c5")


@asynccontextmanager
async def air_sensor(every_s: float) -> AsyncIterator[str]:
    """A PMS5003 on a network serial port: its URL."""
    over = asyncio.Event()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while not over.is_set():
                writer.write(FRAME)
                await writer.drain()
                await pace(every_s)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"socket://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        over.set()
        server.close()


def serial(url: str) -> str:
    return f'[[serial]]\nport = "{url}"\ndevice = "pms5003"\nthing = "lamp-17"\n'


def counted(running: Running) -> tuple[int, int]:
    """(readings, dropped points) of the serial thing."""
    return running.metrics("readings_total", "lamp-17"), running.metrics("dropped_points_total", "lamp-17")


async def serial_audit(url: str, running: Running) -> int:
    """Serial readings that are neither stored nor counted as dropped, once the port is silent.

    Below zero where points were given up that were on their way to InfluxDB at that moment.
    """
    readings, dropped = await asyncio.to_thread(counted, running)
    await until(lambda: stored_count(url, "pms5003", "pm2_5_ug_m3") >= readings - dropped, "serial readings stored")
    assert dropped > 0
    return readings - dropped - await asyncio.to_thread(stored_count, url, "pms5003", "pm2_5_ug_m3")


async def test_quota_full_and_freed(fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, gateway: Start) -> None:
    fresh_influxd.query('CREATE DATABASE "parkgate"')
    async with air_sensor(0.01) as port:
        more = serial(port) + "[spool]\nmax_bytes = 65_536\n"
        running = await gateway(config(fresh_influxd.url, fresh_mosquitto.port, more=more))
        async with steady(fresh_mosquitto.port) as publisher:
            await until(lambda: stored_count(fresh_influxd.url) >= 100, "the load is in InfluxDB")
            await asyncio.to_thread(fresh_influxd.stop)
            await running.says("spool full: the 65536 bytes of")
            assert (await running.health())["status"] == "failing"
            await until(lambda: counted(running)[1] >= 20, "serial readings given up")
            held = (await running.health())["spool"]
            assert held["bytes"] <= 65_536
            await asyncio.to_thread(fresh_influxd.start)
            await running.quiet("spool full")
    assert await audited(fresh_influxd.url, [running], publisher.acknowledged) == (0, 0)
    assert await serial_audit(fresh_influxd.url, running) <= 0
    assert (await running.health())["spool"]["state"] == "ok"
    assert (await running.health())["status"] != "failing"


async def test_killed_while_the_quota_is_full(
    fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, gateway: Start
) -> None:
    """What is held is neither on the disk nor acknowledged: the broker sends it to the next process."""
    running = await gateway(config(fresh_influxd.url, fresh_mosquitto.port, more="[spool]\nmax_bytes = 65_536\n"))
    async with steady(fresh_mosquitto.port) as publisher:
        await until(lambda: stored_count(fresh_influxd.url) >= 100, "the load is in InfluxDB")
        await asyncio.to_thread(fresh_influxd.stop)
        await running.says("spool full")
        await running.kill()
        await running.start()
        await running.says("spool full")
        await asyncio.to_thread(fresh_influxd.start)
        await running.quiet("spool full")
    assert await audited(fresh_influxd.url, [running], publisher.acknowledged) == (0, 0)


def _mounted(disk: Path, size: str) -> Iterator[Path]:
    """A disk that is really no larger, as the state folder of the first gateway."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounting a small tmpfs needs root on Linux; the quota above stands in for it")
    disk.mkdir(parents=True)
    options = f"size={size},mode=700"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip(f"mounting a small tmpfs is not allowed here: {mounted.stderr.decode().strip()}")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    yield from _mounted(tmp_path / "gateway-0" / "state", "40m")


@pytest.fixture
def nine_megabytes(tmp_path: Path) -> Iterator[Path]:
    yield from _mounted(tmp_path / "gateway-0" / "state", "9m")


def take_the_rest(disk: Path) -> Path:
    """As another program would; the file that took it."""
    taken = disk / "other"
    with taken.open("wb", buffering=0) as other, contextlib.suppress(OSError):
        while True:
            other.write(bytes(65_536))
    return taken


async def test_disk_full_and_freed(
    small_disk: Path, fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, gateway: Start
) -> None:
    fresh_influxd.query('CREATE DATABASE "parkgate"')
    running = await gateway(config(fresh_influxd.url, fresh_mosquitto.port))
    await Stamped(fresh_mosquitto.port).run(200)
    await running.spooled(200)
    await asyncio.to_thread(fresh_influxd.stop)
    other = await asyncio.to_thread(take_the_rest, small_disk)
    publisher = Stamped(fresh_mosquitto.port)
    load = asyncio.create_task(publisher.run(20_000, first=200))
    await running.says("has no space left: free some, the spool goes on by itself")
    assert (await running.health())["status"] == "failing"
    await load
    other.unlink()
    await running.quiet("no space left")
    await asyncio.to_thread(fresh_influxd.start)
    assert await audited(fresh_influxd.url, [running], 20_200) == (0, 0)


async def test_disk_stays_full_while_influxdb_is_back(
    small_disk: Path, fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, gateway: Start
) -> None:
    """Delivery frees the spool's own pages: with the reserve it goes on, and nobody has to free anything."""
    fresh_influxd.query('CREATE DATABASE "parkgate"')
    running = await gateway(config(fresh_influxd.url, fresh_mosquitto.port))
    await asyncio.to_thread(fresh_influxd.stop)
    await Stamped(fresh_mosquitto.port).run(8000)
    await running.spooled(8000)
    await asyncio.to_thread(take_the_rest, small_disk)
    await Stamped(fresh_mosquitto.port).run(14_000, first=8000)
    await running.says("no space left")
    await asyncio.to_thread(fresh_influxd.start)
    assert await audited(fresh_influxd.url, [running], 22_000) == (0, 0)


async def test_nine_megabytes_are_named_before_they_are_full_and_delivery_goes_on(
    nine_megabytes: Path, fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, gateway: Start
) -> None:
    """The default quota is a hundred times the disk: what is said goes by the disk, and nothing is lost on it."""
    fresh_influxd.query('CREATE DATABASE "parkgate"')
    (nine_megabytes / "other").write_bytes(bytes(7_000_000))
    running = await gateway(config(fresh_influxd.url, fresh_mosquitto.port))
    await running.says("nearly full: ")
    assert (await running.health())["status"] == "degraded"
    await asyncio.to_thread(fresh_influxd.stop)
    load = asyncio.create_task(Stamped(fresh_mosquitto.port).run(30_000))
    await running.says("has no space left: free some, the spool goes on by itself")
    health = await running.health()
    assert (health["status"], health["spool"]["forecast"]) == ("failing", "the disk is full")
    await load
    await asyncio.to_thread(fresh_influxd.start)
    assert await audited(fresh_influxd.url, [running], 30_000) == (0, 0)
    assert (await running.health())["spool"]["state"] == "ok"
