"""A port named by what is plugged in, and what is said of the ports that are there. Ptys behind a made-up sysfs."""

import asyncio
import fcntl
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.config import UsbPort
from gateway.sources.serial import listing as room
from gateway.sources.serial.listing import located, present
from tests.gateway.plugged import Machine, machine
from tests.gateway.ports import FRAME_08, FRAME_09, VALUES_08, VALUES_09, Running, plugged, running
from tests.gateway.virtual import VirtualClock

__all__ = ["machine"]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sysfs is Linux's")


async def drive(run: Running, condition: Callable[[], object]) -> None:
    """Let the source's own clock go on until `condition` holds."""
    clock = run.clock
    assert isinstance(clock, VirtualClock)
    deadline = asyncio.get_running_loop().time() + 10.0
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, f"{run.stats}, {run.intake.events}"
        await clock.advance(0.25)
        await asyncio.sleep(0.001)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("usb:serial=A50285BI", UsbPort(serial="A50285BI")),
        ("usb: maker = FTDI ; product = FT232R USB UART", UsbPort(maker="FTDI", product="FT232R USB UART")),
        ("usb:id=10C4:EA60;interface=0A", UsbPort(id="10c4:ea60", interface="0a")),
    ],
)
def test_a_name_says_what_has_to_agree(text: str, found: UsbPort) -> None:
    assert UsbPort.of(text) == found
    assert UsbPort.of(str(found)) == found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("usb:", "usb: and one or more of id, maker, product, serial, interface"),
        ("usb:A50285BI", "usb: and one or more of"),
        ("usb:colour=red", "usb: and one or more of"),
        ("usb:serial=", "usb: and one or more of"),
        ("usb:serial=A;serial=B", "serial once only"),
        ("usb:id=403:6001", "four hex digits each"),
        ("usb:interface=1", "two hex digits"),
    ],
)
def test_a_name_that_says_nothing_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        UsbPort.of(text)


async def test_a_device_that_comes_back_as_another_port_is_read_on(machine: Machine) -> None:
    async with running("usb:serial=A50285BI", VirtualClock()) as run:
        with plugged() as first:
            machine.plug("ttyUSB0", first.path)
            machine.plug("ttyUSB1", "/dev/null", serial="B1")
            await drive(run, lambda: run.stats.connects == 1)
            first.say(FRAME_09)
            await drive(run, lambda: run.intake.values == [VALUES_09])
            machine.unplug("ttyUSB0")
            first.unplug()
            await drive(run, lambda: run.stats.state.startswith("down"))
            with plugged() as second:
                machine.plug("ttyUSB7", second.path)
                await drive(run, lambda: run.stats.connects == 2)
                second.say(FRAME_08)
                await drive(run, lambda: run.intake.values == [VALUES_09, VALUES_08])


async def test_a_name_that_has_come_to_be_another_port_while_the_old_one_lives_is_followed(machine: Machine) -> None:
    async with running("usb:serial=A50285BI", VirtualClock()) as run:
        with plugged() as first, plugged() as second:
            machine.plug("ttyUSB0", first.path)
            await drive(run, lambda: run.stats.connects == 1)
            machine.unplug("ttyUSB0")
            machine.plug("ttyUSB1", second.path)
            await drive(run, lambda: run.stats.connects == 2)
            second.say(FRAME_08)
            await drive(run, lambda: run.intake.values == [VALUES_08])


async def test_nothing_plugged_in_is_said_and_waited_for(machine: Machine) -> None:
    async with running("usb:maker=FTDI;serial=A50285BI", VirtualClock()) as run:
        await drive(run, lambda: run.stats.state.startswith("down:"))
        assert run.stats.state == (
            "down: nothing plugged in is usb:maker=FTDI;serial=A50285BI; plug it in, or see what is there: "
            "parkgate serial ports; waiting for it"
        )
        with plugged() as pty:
            machine.plug("ttyUSB0", pty.path)
            await drive(run, lambda: run.stats.connects == 1)


async def test_of_two_that_are_meant_none_is_taken(machine: Machine) -> None:
    with plugged() as one, plugged() as two:
        machine.plug("ttyUSB0", one.path, serial="A1")
        machine.plug("ttyUSB1", two.path, serial="A2")
        async with running("usb:maker=FTDI", VirtualClock()) as run:
            await drive(run, lambda: run.stats.state.startswith("down:"))
            assert run.stats.state == (
                f"down: usb:maker=FTDI: 2 ports are that, {machine.dev}/ttyUSB0 and {machine.dev}/ttyUSB1: "
                "name the serial number or the interface, too"
            )
            assert run.stats.connects == 0


def test_an_adapter_with_several_ports_is_told_by_its_interface(machine: Machine) -> None:
    machine.plug("ttyUSB0", "/dev/null", interface="00")
    machine.plug("ttyUSB1", "/dev/null", interface="01")
    assert located("usb:serial=A50285BI;interface=01") == machine.dev / "ttyUSB1"


def test_what_is_there_is_said_with_its_words(machine: Machine) -> None:
    machine.plug("ttyUSB0", "/dev/null", by_id=None)
    machine.plug("ttyUSB1", "/dev/null", serial=None, maker="Silicon Labs", product="CP2102N", ids=("10c4", "ea60"))
    one, two = present()
    assert (one.name, one.path, one.driver) == (f"{machine.dev}/ttyUSB0", f"{machine.dev}/ttyUSB0", "ftdi_sio")
    assert one.usb == UsbPort("0403:6001", "FTDI", "FT232R USB UART", "A50285BI", "00")
    assert two.usb == UsbPort("10c4:ea60", "Silicon Labs", "CP2102N", None, "00")


def test_who_has_it_open_is_named(machine: Machine) -> None:
    with plugged() as pty:
        machine.plug("ttyUSB0", pty.path)
        assert present()[0].holders == ()
        with open(pty.path, "rb", buffering=0) as file:  # noqa: PTH123  # a terminal
            me = f"{Path('/proc/self/comm').read_text().strip()} (process {os.getpid()})"
            assert present()[0].holders == (me,)
            fcntl.flock(file, fcntl.LOCK_EX)
            assert present()[0].holders == (me,)


def test_who_has_locked_it_is_named_where_its_files_cannot_be_seen(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with plugged() as pty:
        machine.plug("ttyUSB0", pty.path)
        status = Path(pty.path).stat()
        proc = tmp_path / "proc"
        (proc / "812").mkdir(parents=True)
        (proc / "812" / "comm").write_text("modemd\n")
        where = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
        (proc / "locks").write_text(
            f"1: FLOCK  ADVISORY  WRITE 812 {where} 0 EOF\n2: -> FLOCK ADVISORY WRITE 9 x 0 EOF\n"
        )
        monkeypatch.setattr(room, "_PROC", proc)
        assert present()[0].holders == ("modemd (process 812)",)


def test_a_port_that_may_not_be_used_comes_with_what_to_do(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = tmp_path / "port"
    port.touch(0o600)
    machine.plug("ttyUSB0", port)
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)
    (only,) = present()
    assert only.refused.startswith("its mode is 600; a udev rule must give group ")
