"""Three things on one polled line, with the real gateway into a store: one of them dead, or all of them with faults."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest

from devices.spec.sequence import audit
from gateway.app import Gateway
from gateway.config import load
from simulators.faults import Faults
from simulators.fleet import Fleet, ThingSpec
from tests.gateway.lines import METER, PROBE
from tests.gateway.mqtt_room import until

CONFIG = """
[gateway]
state_dir = "state"
listen = "127.0.0.1:0"

[watchdog]
factor = 2
min_silence_s = 2

[[serial]]
port = "ports/bus"
baud = 9600
"""


def thing(name: str, device: str, unit: int, every_s: float = 1.0, timeout_s: float = 0.5) -> str:
    return (
        f'[[serial.thing]]\ndevice = "{device}"\nthing = "{name}"\nunit = {unit}\nevery_s = {every_s}\n'
        f'timeout_s = {timeout_s}\ntags = {{ zone = "lake" }}\n'
    )


@contextlib.asynccontextmanager
async def running(folder: Path, specs: list[ThingSpec], config: str) -> AsyncIterator[tuple[Gateway, Fleet]]:
    """The fleet on one pty, and the gateway that asks it; both are ended in order."""
    fleet = Fleet(specs, broker=None, port_dir=folder / "ports")
    await fleet.open()
    file = folder / "gateway.toml"
    file.write_text(config)
    gateway, stop = Gateway(load(file, {})), asyncio.Event()
    speaking = asyncio.create_task(fleet.run())
    task = asyncio.create_task(gateway.run(stop))
    try:
        yield gateway, fleet
    finally:
        stop.set()
        await task
        fleet.stop()
        await speaking
        await fleet.close()


def stored(folder: Path, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(folder / "state" / "parkgate.duckdb"), read_only=True) as store:
        return store.execute(query).fetchall()


async def test_one_of_three_is_dead_and_the_others_are_stored_on_time(tmp_path: Path) -> None:
    specs = [
        ThingSpec("meter-1", METER, 1, line="bus", unit=1),
        ThingSpec("bed-1", PROBE, 3, line="bus", unit=3),
    ]
    config = (
        CONFIG
        + thing("meter-1", "sdm120", 1)
        + thing("meter-2", "sdm120", 2, timeout_s=0.2)
        + thing("bed-1", "soil-7in1", 3)
    )
    async with running(tmp_path, specs, config) as (gateway, _):
        stats = {name: gateway.stats.devices["serial:" + str(tmp_path / "ports" / "bus"), name] for name in (
            "meter-1", "meter-2", "bed-1")}  # fmt: skip
        spoke = ("meter-1", "bed-1")
        await until(
            lambda: all(stats[name].readings >= 8 for name in spoke) and stats["meter-2"].silent, str(stats), 40.0
        )
        assert not stats["meter-1"].silent
        assert not stats["bed-1"].silent
        assert stats["meter-2"].readings == 0
        assert 0 < stats["meter-2"].unanswered < 8  # asked more rarely than the others
        (problem,) = [line for line in gateway.health.problems() if "meter-2" in line]
        assert problem.startswith("meter-2 [device]: no reading yet")
        assert "no answer; is it powered and wired (A and B swapped?)" in problem
        assert gateway.stats.source("serial:" + str(tmp_path / "ports" / "bus")).connects == 1  # not opened again
        assert gateway.watchdog.healed["reopen"] == 0
    for table, name in (("sdm120", "meter-1"), ("soil_7in1", "bed-1")):
        query = f"select epoch_ns(time) from {table} where thing = '{name}' and zone = 'lake' order by time"
        times = [int(str(row[0])) for row in stored(tmp_path, query)]
        gaps = [(later - earlier) / 1e9 for earlier, later in pairwise(times)]
        assert len(gaps) >= 7
        # every second; late by the dead one's timeout at the most, and what a busy machine adds
        assert all(1.0 - 0.2 - 0.25 < gap < 1.0 + 0.2 + 0.25 for gap in gaps), (name, gaps)
        assert sum(gaps) / len(gaps) == pytest.approx(1.0, abs=0.06)
    assert stored(tmp_path, "select count(*) from sdm120 where thing = 'meter-2'") == [(0,)]


async def test_with_faults_on_the_line_each_thing_has_what_it_said_itself(tmp_path: Path) -> None:
    faults = "flip=6% partial=5% duplicate=5% noise=8% missing=6% late=12% stranger=6% echo=40%"
    specs = [
        ThingSpec(f"bed-{unit}", PROBE, unit, line="bus", unit=unit, faults=Faults.parse(f"seed={unit} {faults}"))
        for unit in (1, 2, 3)
    ]
    config = CONFIG + "".join(thing(f"bed-{unit}", "soil-7in1", unit, 0.3, 0.4) for unit in (1, 2, 3))
    async with running(tmp_path, specs, config) as (gateway, fleet):
        entries = [fleet.ledger.things[f"bed-{unit}"] for unit in (1, 2, 3)]
        await until(lambda: all(entry.good >= 12 and entry.spoiled.total() >= 4 for entry in entries), "", 60.0)
        late = [entry.injector.counts["late"] for entry in entries if entry.injector is not None]
        assert sum(late) > 0
        port = "serial:" + str(tmp_path / "ports" / "bus")
        assert sum(gateway.stats.devices[port, f"bed-{unit}"].unanswered for unit in (1, 2, 3)) > 4
        assert not any("bed" in line for line in gateway.health.problems() if "[device]" in line)
    for entry in entries:
        rows = stored(tmp_path, f"select * from soil_7in1 where thing = '{entry.thing}' order by time")
        names = [row[0] for row in stored(tmp_path, "describe soil_7in1")]
        counts = [PROBE.sequence.extract(dict(zip(names, row, strict=True))) for row in rows]
        found = [count for count in counts if count is not None]
        result = audit(entry.sent.total(), found, entry.modulus)
        assert result.duplicates == 0
        assert entry.good - 1 <= result.stored <= entry.good  # the last may not have been taken before the stop
