"""Lines of a fleet file: several devices that are asked on one port, on a pty and over TCP."""

import asyncio
from pathlib import Path

import pytest

from simulators.fleet import Fleet, FleetError, load
from tests.device_types import BUILT_IN
from tests.gateway.lines import CO2, METER, PROBE, asked, asking

FLEET = """
[fleet]
port_dir = "ports"

[[thing]]
name = "meter"
device = "sdm120"
count = 2
line = "bus"
unit = 4
link = "{link}"
faults = "seed=3 echo=50% noise=20%"

[[thing]]
name = "bed"
device = "soil-7in1"
line = "bus"
unit = 9
link = "{link}"

[[thing]]
name = "office"
device = "mhz19b"
link = "{link}"
"""


def fleet_of(folder: Path, text: str) -> Fleet:
    file = folder / "fleet.toml"
    file.write_text(text)
    config = load(file, BUILT_IN)
    return Fleet(config.things, broker=None, port_dir=config.port_dir)


@pytest.mark.parametrize("link", ["pty", "tcp"])
async def test_several_devices_answer_on_one_port(tmp_path: Path, link: str) -> None:
    fleet = fleet_of(tmp_path, FLEET.replace("{link}", link))
    assert [spec.unit for spec in fleet.specs] == [4, 5, 9, None]
    await fleet.open()
    task = asyncio.create_task(fleet.run())
    try:
        ports = {fleet.ports[name] for name in ("meter-01", "meter-02", "bed")}
        assert len(ports) == 1
        if link == "pty":
            assert ports == {str(tmp_path / "ports" / "bus")}
        bus = [asked(METER, 4, 0.3), asked(METER, 5, 0.3), asked(PROBE, 9, 0.3), asked(PROBE, 10, 5.0)]
        async with asking(ports.pop(), bus) as run, asking(fleet.ports["office"], [asked(CO2, 0, 0.3)]) as office:
            await run.until(lambda: all(len(run[index].readings) >= 4 for index in range(3)) and office[0].readings)
            assert run[3].readings == []
            assert {field.name for field in METER.fields} == run[0].readings[0].fields.keys()
            firsts = [run[index].readings[0].fields["voltage_v"] for index in (0, 1)]
            assert firsts[0] != firsts[1]
    finally:
        fleet.stop()
        await task
        await fleet.close()
    entries = fleet.ledger.things
    assert entries["meter-01"].sent.total() >= 4
    assert entries["meter-01"].noise > 0
    assert entries["bed"].spoiled.total() <= 1  # the one that was asked for last may not have got out


async def test_a_port_that_is_pulled_while_devices_are_asked_comes_back(tmp_path: Path) -> None:
    text = FLEET.replace("{link}", "pty").replace("echo=50% noise=20%", "unplug=25%")
    fleet = fleet_of(tmp_path, text)
    await fleet.open()
    task = asyncio.create_task(fleet.run())
    try:
        async with asking(fleet.ports["meter-01"], [asked(METER, 4, 0.2)]) as run:
            await run.until(lambda: run.stats.connects >= 3 and len(run[0].readings) >= 4, 30.0)
    finally:
        fleet.stop()
        await task
        await fleet.close()
    assert fleet.ledger.things["meter-01"].replugs >= 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (('unit = 9', 'unit = 5'), "expected a number of its own; meter-02 has"),
        (('unit = 4', 'unit = 247'), "needs more"),
        (('unit = 9\nlink = "{link}"', 'unit = 9\nlink = "tcp"'), "expected pty, as meter-01"),
        (('name = "office"', 'name = "bus"'), "expected a name that no line has; bus is one"),
        (('device = "mhz19b"', 'device = "mhz19b"\nline = "x"'), "has no unit number and is alone on its port"),
        (('device = "mhz19b"', 'device = "mhz19b"\nfaults = "stranger=1%"'), "no stranger"),
        (('device = "mhz19b"', 'device = "pms5003"\nfaults = "late=1%"'), "pms5003 is not asked, it talks by itself"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_line_is_told(tmp_path: Path, change: tuple[str, str], words: str) -> None:
    text = FLEET.replace(*change).replace("{link}", "pty")
    assert text != FLEET.replace("{link}", "pty")
    with pytest.raises(FleetError, match=words):
        fleet_of(tmp_path, text)
