"""Devices that are asked, on the command line: decoded from bytes, asked on a port, described, checked."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.cli.main import main
from simulators.fleet import Fleet, ThingSpec
from tests.gateway.lines import CO2, METER, PROBE


@asynccontextmanager
async def line(folder: Path) -> AsyncIterator[Fleet]:
    """A meter (unit 4) and a probe on one port, a CO2 sensor on another."""
    specs = [
        ThingSpec("meter", METER, 1, line="bus", unit=4),
        ThingSpec("bed", PROBE, 2, line="bus", unit=9),
        ThingSpec("office", CO2, 3),
    ]
    fleet = Fleet(specs, broker=None, port_dir=folder)
    await fleet.open()
    task = asyncio.create_task(fleet.run())
    try:
        yield fleet
    finally:
        fleet.stop()
        await task
        await fleet.close()


async def parkgate(*arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of the command, in a process of its own."""
    command = [sys.executable, "-c", "from gateway.cli.main import run; run()", *arguments]
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
    out, err = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, out.decode(), err.decode()


def readings(out: str) -> list[dict[str, object]]:
    found = [json.loads(row) for row in out.splitlines()]
    assert all(event["event"] == "reading" for event in found), out
    return [event["fields"] for event in found]


async def test_a_device_is_asked_on_a_port_and_its_answers_are_printed(tmp_path: Path) -> None:
    async with line(tmp_path / "ports") as fleet:
        port = fleet.ports["meter"]
        assert port == fleet.ports["bed"]
        code, out, err = await parkgate(
            *("decode", "--device", "sdm120", "--port", port, "--unit", "4", "--baud", "9600"),
            *("--every", "0.5", "--for", "3", "--record", str(tmp_path / "meter.rec")),
        )
        assert code == 0, err
        found = readings(out)
        assert len(found) >= 3
        assert all(fields.keys() == {field.name for field in METER.fields} for fields in found)
        code, out, err = await parkgate(
            "decode", "--device", "soil-7in1", "--port", port, "--unit", "9", "--every", "0.5", "--for", "2"
        )
        assert (code, len(readings(out)) >= 2) == (0, True), err
        code, out, err = await parkgate(
            "decode", "--device", "mhz19b", "--port", fleet.ports["office"], "--every", "0.5", "--for", "2"
        )
        assert code == 0, err
        first, last = out.splitlines()[0], out.splitlines()[-1]
        assert json.loads(first)["detail"] == "starting: not a measurement yet"
        assert readings(last)[0].keys() == {"co2_ppm", "temperature_c"}
    again = await parkgate("decode", "--device", "sdm120", "--unit", "4", str(tmp_path / "meter.rec"))
    assert again[0] == 0
    played = readings(again[1])
    assert len(played) == 4 * (len(played) // 4) >= 8  # a recording has answers, not rounds
    assert {"energy_kwh", "reactive_energy_kvarh"} in [fields.keys() for fields in played]


async def test_who_does_not_answer_is_said(tmp_path: Path) -> None:
    async with line(tmp_path / "ports") as fleet:
        code, out, err = await parkgate(
            *("decode", "--device", "soil-7in1", "--port", fleet.ports["bed"], "--unit", "5"),
            *("--every", "1", "--for", "1.5"),
        )
        assert (code, out) == (1, "")
        assert "no answer from unit 5\n" in err


async def test_a_recording_is_played_to_a_gateway(tmp_path: Path) -> None:
    recording = tmp_path / "soil.rec"
    recording.write_text("# parkgate recording 1\n0.0 01030e03e801361f2c003f065a07cf07cf8857\n")
    text = '[[serial]]\nport = "replay:soil.rec"\ndevice = "soil-7in1"\nthing = "bed"\n'
    (tmp_path / "gateway.toml").write_text(f'[gateway]\nstate_dir = "state"\nlisten = "127.0.0.1:0"\n{text}')
    from gateway.app import Gateway
    from gateway.config import load
    from tests.gateway.mqtt_room import until

    gateway, stop = Gateway(load(tmp_path / "gateway.toml", {})), asyncio.Event()
    task = asyncio.create_task(gateway.run(stop))
    stats = gateway.stats.devices[f"serial:replay:{recording}", "bed"]
    await until(lambda: stats.readings == 1)
    stop.set()
    await task


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main([*arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    return err.removeprefix("parkgate: ").rstrip("\n")


def test_mistakes_are_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "decode", "-d", "sdm120", "--unit", "0", "--hex", "00") == (
        "--unit: expected a number from 1 to 247, got 0"
    )
    assert told(capsys, "decode", "-d", "mhz19b", "--unit", "1", "--hex", "00") == "--unit: mhz19b has no unit number"
    assert told(capsys, "decode", "-d", "pms5003", "--unit", "1", "--hex", "00") == "--unit: pms5003 has no unit number"
    assert told(capsys, "decode", "-d", "pms5003", "--every", "1", "--hex", "00") == (
        "--every: pms5003 talks by itself and is not asked"
    )
    assert told(capsys, "decode", "-d", "sdm120", "--every", "1", "--hex", "00") == "--every goes with --port PORT"
    assert told(capsys, "decode", "-d", "sdm120", "--every", "0", "--port", "/dev/x") == (
        "--every: expected seconds from 0.05 to 86400, got 0"
    )


def test_the_catalogue_says_what_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["devices", "sdm120"]) == 0
    out = capsys.readouterr().out
    assert "  unit number  1 .. 247, 1 as delivered\n" in out
    assert "  asked        function 4, registers 0..37: 81 bytes\n" in out
    assert main(["devices", "mhz19b", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["units"], found["unit"], found["timeout_s"]) == (None, None, 0.5)
    assert found["questions"] == [{"name": "command 86", "request_hex": "ff0186000000000079", "answer_bytes": 9}]


def test_check_says_what_is_asked_and_how_much_of_the_line_that_takes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "gateway.toml"
    head = '[gateway]\nstate_dir = "state"\n[[serial]]\nport = "/dev/ttyUSB0"\nbaud = 9600\n'
    one = '[[serial.thing]]\ndevice = "soil-7in1"\nthing = "bed-{0}"\nunit = {0}\nevery_s = {1}\n'
    file.write_text(head + one.format(1, 1) + one.format(2, 10))
    assert main(["check", str(file)]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[:3] == [
        "serial  /dev/ttyUSB0: 2 asked, 8% of the line's time",
        "        soil-7in1, thing bed-1, unit 1, asked every 1 s",
        "        soil-7in1, thing bed-2, unit 2, asked every 10 s",
    ]
    file.write_text(head + one.format(1, 0.05) + one.format(2, 10))
    assert main(["check", str(file)]) == 0
    assert "143% of the line's time: more than it can carry" in capsys.readouterr().out


def test_what_is_asked_needs_its_type(capsys: pytest.CaptureFixture[str]) -> None:
    words = "--unit and --every go with --device NAME, a type that is asked"
    assert told(capsys, "decode", "--port", "/dev/x", "--unit", "1") == words
    assert told(capsys, "decode", "--port", "/dev/x", "--every", "1") == words


@pytest.mark.parametrize("baud", ["7", "49", "4000001"])
def test_a_baud_rate_is_bounded_as_in_the_configuration(capsys: pytest.CaptureFixture[str], baud: str) -> None:
    assert told(capsys, "decode", "-d", "sdm120", "--port", "/dev/x", "--baud", baud) == (
        f"--baud: expected a number from 50 to 4000000, got {baud}"
    )


def test_an_answer_of_another_unit_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    answer = "020408449a51ec414d70a42885"  # CRC computed apart from this code
    assert main(["decode", "-d", "sdm120", "--hex", answer]) == 0
    out, err = capsys.readouterr()
    assert [json.loads(row) for row in out.splitlines()] == [
        {
            "event": "noise",
            "detail": "an answer of unit 2, not of unit 1",
            "bytes": 13,
            "hex": answer,
            "ascii": "...D.Q.AMp.(.",
        }
    ]
    assert err == "no answer of unit 1, but one of unit 2: give --unit 2?\n"
    assert main(["decode", "-d", "sdm120", "--unit", "2", "--hex", answer]) == 0
    out, err = capsys.readouterr()
    assert (json.loads(out)["event"], err) == ("reading", "")
