"""`parkgate serial`: the ports that are there, and each simulated serial type found among all, on real ptys."""

import asyncio
import json
import os
import random
import sys
import threading
from pathlib import Path

import pytest

from devices.spec.device import PolledDevice, SerialSettings
from gateway.cli.decode import Port
from gateway.cli.main import main
from gateway.cli.serial import detect
from gateway.cli.serial.detect import fitting, framings, look_around, undecided
from gateway.cli.serial.found import Found, Search
from gateway.learn import few
from simulators.fleet.fleet import Fleet, ThingSpec
from tests.device_types import BY_NAME, DEVICES
from tests.gateway.plugged import Machine, machine
from tests.gateway.ports import Pty, plugged

__all__ = ["machine"]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs ptys")

SERIAL = [device for device in DEVICES if device.link == "serial"]
SDS011 = bytes.fromhex("aac00900090058d943ab")


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulated things speak often here, and nobody waits long."""
    monkeypatch.setattr(detect, "LISTEN_S", 1.0)
    monkeypatch.setattr(detect, "TRY_S", 1.0)


def wanted(port: str, unit: int | None = None, ask: bool = True) -> Search:
    return Search(Port(port, None, None, None, None), BY_NAME, unit, ask, 1.0)


async def found_on(ports: dict[str, str]) -> dict[str, Found]:
    """What is found on each of `ports`, all at once."""
    found = {name: Found(port) for name, port in ports.items()}
    async with asyncio.TaskGroup() as group:
        for name, port in ports.items():
            group.create_task(look_around(wanted(port), found[name]))
    return found


async def test_each_simulated_serial_type_is_found_among_all(tmp_path: Path) -> None:
    things = [ThingSpec(device.name, device, 7 + index, period_s=0.15) for index, device in enumerate(SERIAL)]
    fleet = Fleet(things, broker=None, port_dir=tmp_path)
    await fleet.open()
    running = asyncio.create_task(fleet.run(120.0))
    try:
        found = await found_on(dict(fleet.ports))
    finally:
        fleet.stop()
        await running
        await fleet.close()
    missed = {
        name: [fit.said for fit in each.fits]
        for name, each in found.items()
        if name not in {fit.device for fit in each.best}
    }
    assert missed == {}
    assert len(found) == len(SERIAL)
    told = {name: sorted(fit.device for fit in each.best) for name, each in found.items()}
    assert told["nmea0183"] == ["nmea0183"]
    assert told["sds198"] == ["sds198"]


def saying(pty: Pty, data: bytes, stop: threading.Event) -> threading.Thread:
    """Say `data` over and over, from a thread, until told to stop or nobody reads."""

    def say() -> None:
        os.set_blocking(pty.master, False)
        while not stop.wait(0.02):
            try:
                os.write(pty.master, data)
            except BlockingIOError:
                continue
            except OSError:
                return

    thread = threading.Thread(target=say, daemon=True)
    thread.start()
    return thread


def run_on(data: bytes, arguments: list[str]) -> int:
    """`parkgate serial detect` on a port that says `data` all the time; its exit code."""
    stop = threading.Event()
    with plugged() as pty:
        thread = saying(pty, data, stop)
        try:
            return main(["serial", "detect", pty.path, "--for", "1", *arguments])
        finally:
            stop.set()
            thread.join()


def test_what_is_found_is_toml_to_paste(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_on(SDS011, []) == 0
    out, err = capsys.readouterr()
    assert out.startswith('[[serial]]\nport = "/dev/')
    assert 'device = "sds011"' in out
    assert out.endswith('thing = "sds011-1"\n')
    assert "at 9600 baud, 8N1: sds011 (" in err


def test_noise_is_nothing_recognisable(capsys: pytest.CaptureFixture[str]) -> None:
    noise = random.Random(5).randbytes(4096)
    assert run_on(noise, ["--no-ask"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "nothing recognisable" in err
    assert "bytes came, at 9600 baud, 8N1 for example: " in err


@pytest.mark.parametrize("seed", range(20))
def test_no_noise_is_taken_for_a_type(seed: int) -> None:
    rng = random.Random(seed)
    kinds = {
        "random": rng.randbytes(2048),
        "zeros": bytes(2048),
        "ones": b"\xff" * 2048,
        "wrong speed": bytes(rng.choice((0x00, 0xF8, 0xFF, 0x80, 0xE0, 0x78)) for _ in range(2048)),
        "seven bits": bytes(rng.randrange(128) for _ in range(2048)),
    }
    for kind, sample in kinds.items():
        for settings in [None, *framings(BY_NAME)]:
            found = Found("p")
            found.add(fitting(sample, BY_NAME, settings))
            assert found.best == [], f"{kind} at {settings}"


def test_a_board_that_is_not_known_is_for_learn(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_on(b"temp=21.5,hum=40\r\n", ["--no-ask"]) == 1
    err = capsys.readouterr().err
    assert "looks like key=value with keys temp, hum: `parkgate learn --port /dev/" in err


OXIMETER = b"SPO2=097 HR=072\r\n"
NO_FINGER = b"SPO2=--- HR=---\r\n"


async def test_a_line_a_second_is_listened_to_until_it_is_sure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(detect, "TRY_S", 0.1)
    fleet = Fleet([ThingSpec("pulse", BY_NAME["nonin-palmsat"], 3, period_s=0.3)], broker=None, port_dir=tmp_path)
    await fleet.open()
    running = asyncio.create_task(fleet.run(60.0))
    found = Found(fleet.ports["pulse"])
    try:
        await look_around(Search(Port(fleet.ports["pulse"], None, None, None, None), BY_NAME, None, True, 30.0), found)
    finally:
        fleet.stop()
        await running
        await fleet.close()
    assert [fit.device for fit in found.best] == ["nonin-palmsat"]
    assert "so far: listening on, for 29.9 s at most" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("sample", "more"),
    [
        (OXIMETER, True),
        (OXIMETER * 2, True),
        (b"=097 HR=072\r\n" + OXIMETER + NO_FINGER, True),
        (b"NONIN PALMSAT  REAL-TIME DATA\r\n01/02/26 12:00:00\r\n" + OXIMETER, True),
        (OXIMETER * 3, False),
        (NO_FINGER * 3, False),
        (b"=097 HR=072\r\n" + NO_FINGER * 2 + OXIMETER, False),
        (b"temp=21.5,hum=40\r\n" * 2, True),
        (b"temp=21.5,hum=40\r\n" * 5, False),
        (b"temp=", True),
        (bytes(31), True),
        (bytes(32), False),
        (SDS011, False),
    ],
)
def test_what_is_too_little_to_tell_is_listened_to(sample: bytes, more: bool) -> None:
    assert undecided(sample, wanted("socket://127.0.0.1:1")) is more


def test_lines_without_a_value_are_the_types_own() -> None:
    (fit,) = fitting(NO_FINGER * 4, BY_NAME, None)
    assert (fit.device, fit.frames, fit.sure) == ("nonin-palmsat", 4, True)


def test_too_few_lines_of_a_known_type_are_not_for_learn() -> None:
    found = Found("p", settings=SerialSettings(baud=9600), sample=OXIMETER * 2)
    found.shapes = ["looks like key=value with keys SPO2, HR"]
    found.few = few(found.sample, BY_NAME.values())
    assert found.words()[-1] == ("nonin-palmsat may be it (2 frames, too few to be sure): listen longer, --for 30")
    assert found.fields()["few"] == ["nonin-palmsat"]
    assert found.best == []


def test_silence_says_what_was_tried(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.cli.serial.command.usable", lambda _config: {"sdm120": BY_NAME["sdm120"]})
    with plugged() as pty:
        assert main(["serial", "detect", pty.path, "--for", "1"]) == 1
    err = capsys.readouterr().err
    assert (
        "nothing is said: asking what speaks only then (types: 1, framings: 1), about 4 s where nobody answers" in err
    )
    assert "no byte came within 1 s" in err
    assert "no answer from sdm120; another unit number? --unit N" in err


def test_a_port_that_is_not_there_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["serial", "detect", str(tmp_path / "none"), "--json"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"parkgate: no port {tmp_path / 'none'}; plug the device in or correct the name (")
    assert err.endswith("); `parkgate serial ports` lists those that are there\n")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["/dev/x", "--for", "0"], "--for: expected seconds from 1 to 3600, got 0"),
        (["/dev/x", "--unit", "300"], "--unit: expected a number from 0 to 255, got 300"),
        (["replay:a.rec"], "a recording is no port"),
        ([" "], "expected a serial port"),
    ],
)
def test_misuse_is_one_line(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serial", "detect", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_a_sensor_that_warms_up_is_known_by_its_frames_of_zeros() -> None:
    zeros = bytes.fromhex("424d001c" + "00" * 26 + "00ab")
    fits = fitting(b"\x00" + 3 * zeros, {name: BY_NAME[name] for name in ("pms5003", "sds011")}, None)
    assert [(fit.device, fit.frames) for fit in fits] == [("pms5003", 3)]
    assert fitting(2 * zeros, {"pms5003": BY_NAME["pms5003"]}, None) == []


async def test_a_sensor_that_is_silent_until_it_is_asked_for_a_frame_is_found(tmp_path: Path) -> None:
    fleet = Fleet([ThingSpec("dust", BY_NAME["sds011"], 3)], broker=None, port_dir=tmp_path)
    for at in (0.0, 5.0):  # it was switched on long ago, and has warmed up
        fleet._peers["dust"].tick(at)
    fleet._peers["dust"].talking = False
    await fleet.open()
    running = asyncio.create_task(fleet.run(60.0))
    found = Found(fleet.ports["dust"])
    devices = {name: BY_NAME[name] for name in ("sdm120", "pms5003", "sds011", "sds198")}
    try:
        await look_around(Search(Port(fleet.ports["dust"], None, None, None, None), devices, None, True, 1.0), found)
    finally:
        fleet.stop()
        await running
        await fleet.close()
    assert [fit.device for fit in found.best] == ["sds011"]


async def test_another_unit_number_is_asked_where_it_is_given(tmp_path: Path) -> None:
    device = BY_NAME["sdm120"]
    assert isinstance(device, PolledDevice)
    fleet = Fleet([ThingSpec("meter", device, 3, unit=17)], broker=None, port_dir=tmp_path)
    await fleet.open()
    running = asyncio.create_task(fleet.run(60.0))
    found = Found(fleet.ports["meter"])
    try:
        await look_around(wanted(fleet.ports["meter"], unit=17), found)
    finally:
        fleet.stop()
        await running
        await fleet.close()
    assert found.best[0].device == "sdm120"
    assert "unit = 17\n" in found.toml()


@pytest.mark.skipif(sys.platform != "linux", reason="sysfs is Linux's")
def test_the_ports_that_are_there_are_listed(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serial", "ports"]) == 0
    assert "no serial port is there" in capsys.readouterr().out
    port_file = machine.root / "port"
    port_file.touch()
    machine.plug("ttyUSB0", port_file)
    assert main(["serial", "ports"]) == 0
    assert capsys.readouterr().out == (
        f"{machine.dev}/ttyUSB0\n"
        "    FTDI FT232R USB UART, serial number A50285BI, id 0403:6001, interface 00\n"
        "    driver ftdi_sio\n"
        '    port = "usb:serial=A50285BI;interface=00"  names it wherever it is plugged in\n'
    )
    assert main(["serial", "ports", "--json"]) == 0
    (port,) = json.loads(capsys.readouterr().out)
    assert port["usb"]["serial"] == "A50285BI"
    assert port["holders"] == []
