"""A fleet on real ptys, sockets and a real broker: what the ledger says was sent is what arrives."""

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from uuid import uuid4

import aiomqtt
import pytest

from devices.spec.device import MessageDevice, StreamDevice
from devices.spec.events import Event, Noise, Reading
from devices.spec.sequence import audit
from gateway.clock import SystemClock
from gateway.config import SerialConfig
from gateway.sources.serial.source import SerialSource
from gateway.stats import SourceStats
from simulators.faults import Faults
from simulators.fleet.fleet import Fleet, FleetError, ThingSpec, park
from simulators.ledger import Entry
from tests.device_types import BY_NAME
from tests.servers.mosquitto import Mosquitto

Octets = bytes


async def until(condition: Callable[[], object], within_s: float = 20.0) -> None:
    deadline = asyncio.get_running_loop().time() + within_s
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, f"not within {within_s} s"
        await asyncio.sleep(0.005)


class Listener:
    """A serial source on one port of the fleet, and what it heard."""

    def __init__(self, name: str, device: StreamDevice, port: str) -> None:
        self.device = device
        self.events: list[Event] = []
        self._decoder = device.decoder()
        self.stats = SourceStats(name)
        config = SerialConfig(port, device.name, name)
        self.source = SerialSource(config, device, self, SystemClock(), self.stats)

    def bytes(self, data: Octets) -> int:
        events = self._decoder.feed(data)
        self.events += events
        return sum(isinstance(event, Reading) for event in events)

    def closed(self) -> None:
        self.events += self._decoder.flush()
        self._decoder = self.device.decoder()

    @property
    def readings(self) -> list[Reading]:
        return [event for event in self.events if isinstance(event, Reading)]

    async def heard(self, count: int) -> list[Reading]:
        """The readings, once there are `count` of them."""
        await until(lambda: len(self.readings) >= count)
        return self.readings

    def noise(self) -> int:
        return sum(len(event.data) for event in self.events if isinstance(event, Noise))


@asynccontextmanager
async def listening(fleet: Fleet) -> AsyncIterator[dict[str, Listener]]:
    """Serial sources on all ports of the fleet."""
    heard: dict[str, Listener] = {}
    for spec in fleet.specs:
        device = spec.type
        if isinstance(device, StreamDevice):
            heard[spec.name] = Listener(spec.name, device, fleet.ports[spec.name])
    tasks = [asyncio.create_task(one.source.run()) for one in heard.values()]
    try:
        yield heard
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        for one in heard.values():
            await one.source.close()


@asynccontextmanager
async def subscribed(port: int, *filters: str) -> AsyncIterator[list[tuple[str, bytes]]]:
    """Everything the broker hands out for `filters`, as (topic, payload)."""
    got: list[tuple[str, bytes]] = []

    async def collect(client: aiomqtt.Client) -> None:
        async for message in client.messages:
            got.append((str(message.topic), bytes(message.payload)))

    async with aiomqtt.Client("127.0.0.1", port) as client:
        for one in filters:
            await client.subscribe(one, qos=1)
        task = asyncio.create_task(collect(client))
        try:
            yield got
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, aiomqtt.MqttError):
                await task


def says(got: list[tuple[str, bytes]], word: str) -> bool:
    """Whether the last connection message has that word."""
    return bool(got) and json.loads(got[-1][1])["connectionState"] == word


def held_against(entry: Entry, readings: list[Reading]) -> list[tuple[int, int]]:
    """(lost, duplicates) of each series."""
    device = BY_NAME[entry.device]
    out = []
    for series, sent in entry.sent.items():
        numbers = [device.sequence.extract(one.fields) for one in readings if tuple(sorted(one.tags.items())) == series]
        result = audit(sent, [number for number in numbers if number is not None], entry.modulus)
        out.append((result.lost, result.duplicates))
    return out


async def test_every_kind_of_thing_arrives_as_the_ledger_says(mosquitto: Mosquitto) -> None:
    mark = uuid4().hex[:8]
    specs = []
    for spec in park(10, 5, BY_NAME):
        device = spec.type
        topic = f"{mark}/{spec.topic_name}" if isinstance(device, MessageDevice) else None
        fast = 0.03 if spec.device != "nmea0183" else 0.1
        specs.append(ThingSpec(spec.name, spec.type, spec.seed, fast, kind=spec.kind, topic=topic))
    fleet = Fleet(specs, broker=("127.0.0.1", mosquitto.port))
    await fleet.open()
    async with subscribed(mosquitto.port, f"{mark}/#") as got, listening(fleet) as heard:
        running = asyncio.create_task(fleet.run())
        await until(lambda: all(entry.sent.total() >= 20 for entry in fleet.ledger.things.values()))
        fleet.stop()
        await running
        await until(lambda: len(got) >= sum(e.sent.total() for n, e in fleet.ledger.things.items() if n not in heard))
        for spec in specs:
            entry, device = fleet.ledger.things[spec.name], spec.type
            if isinstance(device, MessageDevice):
                payloads = [payload for topic, payload in got if topic == spec.topic_name]
                events = [event for payload in payloads for event in device.decode(spec.topic_name, payload, 0)]
            else:
                events = [*await heard[spec.name].heard(entry.sent.total())]
                assert heard[spec.name].noise() == 0
            found = [event for event in events if isinstance(event, Reading)]
            assert set(held_against(entry, found)) == {(0, 0)}, spec.name
    await fleet.close()
    assert fleet.ledger.good == fleet.ledger.sent >= 200


async def test_serial_faults_and_replugs_cost_what_the_ledger_says() -> None:
    faults = Faults(seed=11, flip=0.05, partial=0.05, duplicate=0.05, noise=0.1, unplug=0.02)
    specs = [ThingSpec(name, BY_NAME[name], 3, 0.01, faults=faults) for name in ("pms5003", "sds011", "bci-oximeter")]
    fleet = Fleet(specs, broker=None)
    await fleet.open()
    async with listening(fleet) as heard:
        running = asyncio.create_task(fleet.run())
        await until(lambda: all(e.replugs >= 1 and e.sent.total() > 150 for e in fleet.ledger.things.values()), 60.0)
        fleet.stop()
        await running
        for spec in specs:
            entry, one = fleet.ledger.things[spec.name], heard[spec.name]
            expected = entry.good + entry.doubled.total()
            found = await one.heard(expected)
            assert len(found) == expected, spec.name
            assert held_against(entry, found) == [(entry.spoiled.total(), entry.doubled.total())]
            assert entry.spoiled.total() > 5
    await fleet.close()


async def test_nothing_is_said_to_nobody_and_a_reader_hears_the_count_from_its_start() -> None:
    fleet = Fleet([ThingSpec("lamp", BY_NAME["pms5003"], 1, 0.01)], broker=None)
    await fleet.open()
    running = asyncio.create_task(fleet.run())
    entry = fleet.ledger.things["lamp"]
    for _ in range(3):
        async with listening(fleet) as heard:
            before = entry.sent.total()
            first = (await heard["lamp"].heard(5))[0]
            assert BY_NAME["pms5003"].sequence.extract(first.fields) == before
            assert heard["lamp"].noise() == 0
    fleet.stop()
    await running
    await fleet.close()


async def test_a_reader_that_does_not_read_blocks_nobody() -> None:
    specs = [ThingSpec("stuck", BY_NAME["lamp-checked"], 1, 0.001), ThingSpec("read", BY_NAME["lamp-checked"], 2, 0.01)]
    fleet = Fleet(specs, broker=None)
    await fleet.open()
    stuck = os.open(fleet.ports["stuck"], os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        running = asyncio.create_task(fleet.run())
        await until(lambda: fleet.ledger.things["stuck"].sent.total() >= 100)
        one = Listener("read", specs[1].type, fleet.ports["read"])  # type: ignore[arg-type]
        reading = asyncio.create_task(one.source.run())
        await until(lambda: fleet.ledger.things["read"].sent.total() >= 20)
        asked = time.monotonic()
        fleet.stop()
        await running
        assert time.monotonic() - asked < 5.0
        reading.cancel()
        await asyncio.wait((reading,))
        await one.source.close()
        sent = fleet.ledger.things["stuck"].bytes_out
        got = bytearray()
        while len(got) < sent:
            got += os.read(stuck, 65536)
        assert len(got) - sent < 32  # whole frames are counted, a last one may be cut
    finally:
        os.close(stuck)
        await fleet.close()


async def test_a_thing_behind_tcp() -> None:
    fleet = Fleet([ThingSpec("far", BY_NAME["sds011"], 1, 0.01, link="tcp")], broker=None)
    await fleet.open()
    assert fleet.ports["far"].startswith("socket://127.0.0.1:")
    async with listening(fleet) as heard:
        running = asyncio.create_task(fleet.run())
        entry = fleet.ledger.things["far"]
        await until(lambda: entry.sent.total() >= 30)
        fleet.stop()
        await running
        assert len(await heard["far"].heard(entry.sent.total())) == entry.sent.total()
    await fleet.close()


async def test_tcp_ports_are_opened_on_the_address_of_the_fleet() -> None:
    fleet = Fleet([ThingSpec("far", BY_NAME["sds011"], 1, 0.01, link="tcp")], broker=None, listen="127.0.0.2")
    await fleet.open()
    try:
        assert fleet.ports["far"].startswith("socket://127.0.0.2:")
    finally:
        await fleet.close()


async def test_commands_over_a_pty_are_answered() -> None:
    fleet = Fleet([ThingSpec("lamp", BY_NAME["pms5003"], 1, 3600.0)], broker=None)
    await fleet.open()
    running = asyncio.create_task(fleet.run())
    port = os.open(fleet.ports["lamp"], os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    got = bytearray()

    def answered() -> bool:
        with contextlib.suppress(BlockingIOError):
            got.extend(os.read(port, 100))
        return len(got) >= 8

    try:
        await asyncio.sleep(0)
        os.write(port, bytes.fromhex("424de100000170"))
        await until(answered)
        assert got.hex() == "424d0004e1000174"
    finally:
        os.close(port)
        fleet.stop()
        await running
        await fleet.close()


async def test_a_broker_that_is_away_is_waited_for(start_mosquitto: Callable[..., Mosquitto]) -> None:
    broker = start_mosquitto()
    broker.stop()
    fleet = Fleet([ThingSpec("post", BY_NAME["senml"], 1, 0.05, kind="noise")], broker=("127.0.0.1", broker.port))
    running = asyncio.create_task(fleet.run())
    await until(lambda: fleet.trouble)
    assert fleet.trouble.startswith(f"broker 127.0.0.1:{broker.port}: ")
    assert fleet.ledger.sent == 0
    broker.start()
    async with subscribed(broker.port, "park/#") as got:
        await until(lambda: fleet.ledger.sent >= 5)
        fleet.stop()
        await running
        await until(lambda: len(got) >= fleet.ledger.sent)


async def test_stopping_without_a_broker_is_quick() -> None:
    fleet = Fleet([ThingSpec("post", BY_NAME["senml"], 1, 0.05, kind="noise")], broker=("127.0.0.1", 9))
    running = asyncio.create_task(fleet.run())
    await until(lambda: fleet.trouble)
    fleet.stop()
    await asyncio.wait_for(running, 3.0)
    assert fleet.ledger.sent == 0


async def test_nodes_say_their_births_again_to_a_broker_that_has_forgotten_them(
    start_mosquitto: Callable[..., Mosquitto],
) -> None:
    """Both over one connection, before their readings."""
    broker = start_mosquitto()
    nodes = [ThingSpec(name, BY_NAME["acme-nodes"], period_s=0.05) for name in ("n1", "n2")]
    fleet = Fleet(nodes, broker=("127.0.0.1", broker.port))
    running = asyncio.create_task(fleet.run())
    for _ in ("first", "restarted without persistence"):
        async with aiomqtt.Client("127.0.0.1", broker.port) as client:
            await client.subscribe("acme/+/birth")
            born = {}
            async with asyncio.timeout(20):
                async for message in client.messages:
                    born[str(message.topic)] = message.payload
                    if len(born) == 2:
                        break
        birth = b'{"21": ["water_temperature_c", 0.01]}'
        assert born == {"acme/n1/birth": birth, "acme/n2/birth": birth}
        broker.restart()
    fleet.stop()
    await running


async def test_being_cancelled_counts_what_was_sent(mosquitto: Mosquitto) -> None:
    mark = uuid4().hex[:8]
    spec = ThingSpec("post", BY_NAME["senml"], 1, 0.002, kind="noise", topic=f"{mark}/post")
    fleet = Fleet([spec], broker=("127.0.0.1", mosquitto.port))
    async with subscribed(mosquitto.port, f"{mark}/#") as got:
        running = asyncio.create_task(fleet.run())
        await until(lambda: fleet.ledger.sent >= 50)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await until(lambda: len(got) >= fleet.ledger.sent)
        assert len(got) == fleet.ledger.sent


async def test_a_pulse_wave_goes_out_frame_by_frame(tmp_path: Path) -> None:
    """At a moment at which there is a finger in the clip."""
    ahead = 1_767_326_400.0 - time.time()
    clip = ThingSpec("clip", BY_NAME["bci-oximeter"], 1, period_s=1 / 60)
    fleet = Fleet([clip], broker=None, port_dir=tmp_path, now=lambda: time.time() + ahead)
    await fleet.open()
    port = os.open(fleet.ports["clip"], os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
    reads: list[int] = []
    asyncio.get_running_loop().add_reader(port, lambda: reads.append(len(os.read(port, 4096))))
    try:
        await fleet.run(1.5)
    finally:
        asyncio.get_running_loop().remove_reader(port)
        os.close(port)
        await fleet.close()
    assert sum(reads) == 5 * fleet.ledger.sent > 150
    assert sorted(reads)[len(reads) // 2] == 5, reads  # three at a time would be 15


async def test_a_thing_on_mqtt_needs_a_broker() -> None:
    with pytest.raises(FleetError, match="thing post: senml speaks MQTT and the fleet has no broker"):
        Fleet([ThingSpec("post", BY_NAME["senml"], 1)], broker=None)


async def test_simulate_says_online_and_offline_and_leaves_a_last_will(
    fresh_mosquitto: Mosquitto, tmp_path: Path
) -> None:
    file = tmp_path / "fleet.toml"
    file.write_text(
        f'[fleet]\nbroker = "{fresh_mosquitto.url}"\n'
        '[[thing]]\nname = "r1"\ndevice = "vda5050"\nperiod_s = 0.1\n'
        '[[thing]]\nname = "lamp"\ndevice = "pms5003"\n'
    )
    command = [sys.executable, "-c", "from gateway.cli.main import run; run()", "simulate", "--config", str(file)]
    for end, word in ((signal.SIGINT, "OFFLINE"), (signal.SIGKILL, "CONNECTIONBROKEN")):
        async with subscribed(fresh_mosquitto.port, "uagv/v2/parkgate/r1/connection") as got:
            process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
            try:
                await until(partial(says, got, "ONLINE"))
            finally:
                process.send_signal(end)
                out, err = await process.communicate()
            await until(partial(says, got, word))
        async with subscribed(fresh_mosquitto.port, "uagv/v2/parkgate/r1/connection") as kept:
            await until(partial(says, kept, word))
        assert b"Traceback" not in err
        assert b"lamp             pms5003       every 1 s  /" in out
        last = b"lamp             sent 0, spoiled 0, doubled 0, noise 0, unplugged 0\n"
        assert out.endswith(last) == (end == signal.SIGINT)
