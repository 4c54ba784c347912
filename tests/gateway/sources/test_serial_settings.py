"""Settings of a line that a port does not have: a pty opens again and again, and no name is blamed for them."""

import asyncio
import errno
import termios
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from devices.spec.device import SerialSettings, StreamDevice
from gateway.sources.serial.trouble import trouble
from simulators.fleet import Fleet, ThingSpec
from tests.device_types import BY_NAME
from tests.gateway.ports import DEVICE, FRAME_09, VALUES_09, plugged, running

SETTINGS = [
    SerialSettings(9600, parity="O"),
    SerialSettings(9600, parity="E"),
    SerialSettings(9600, bits=7, parity="E"),
    SerialSettings(9600, bits=7, parity="O", stop=2),
    SerialSettings(9600, bits=7),
    SerialSettings(9600, stop=2),
    SerialSettings(31_250),
    SerialSettings(74_880, parity="O"),
    SerialSettings(250_000, bits=7, parity="E"),
    SerialSettings(50),
    SerialSettings(4_000_000),
]


def words(settings: SerialSettings) -> str:
    return f"{settings.baud} {settings.bits}{settings.parity}{settings.stop}"


def opened_at(port: str, set_up: bool = False) -> int:
    """The speed that a program finds which opens the port; it may then set it up with odd parity."""
    with Path(port).open("rb", buffering=0) as file:
        settings = termios.tcgetattr(file)
        found = settings[4]
        if set_up:
            settings[2] |= termios.PARENB | termios.PARODD
            settings[4] = settings[5] = termios.B4800
            termios.tcsetattr(file, termios.TCSANOW, settings)
    assert isinstance(found, int)
    return found


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("not within 10 s")


@pytest.mark.parametrize("settings", SETTINGS, ids=words)
async def test_a_pty_opens_again_with_settings_that_it_does_not_have(settings: SerialSettings) -> None:
    device = replace(DEVICE, serial=settings)
    with plugged() as pty:
        for _ in range(3):
            async with running(pty.path, device=device) as run:
                await run.connected()
                pty.say(FRAME_09)
                await run.until(lambda run=run: run.intake.values)
                assert run.intake.values == [VALUES_09]
                assert run.stats.connects == 1


async def test_a_pty_opens_again_through_a_symlink_and_within_one_source(tmp_path: Path) -> None:
    link = tmp_path / "usb-finger-clip"
    with plugged(link) as pty:
        async with running(link, device=replace(DEVICE, serial=SerialSettings(9600, parity="O"))) as run:
            for times in (1, 2, 3):
                await run.connected(times)
                pty.say(FRAME_09)
                await run.until(lambda times=times: len(run.intake.values) == times)
                run.source.reopen("again")


async def test_a_double_with_odd_parity_is_heard_each_time_it_is_opened(tmp_path: Path) -> None:
    oximeter = BY_NAME["bci-oximeter"]
    assert isinstance(oximeter, StreamDevice)
    assert (oximeter.serial.bits, oximeter.serial.parity) == (8, "O")
    fleet = Fleet([ThingSpec("visitor", oximeter, period_s=0.05)], broker=None, port_dir=tmp_path)
    await fleet.open()
    task = asyncio.create_task(fleet.run())
    try:
        for _ in range(3):
            async with running(fleet.ports["visitor"], device=oximeter) as run:
                await run.until(lambda run=run: len(run.intake.raw) >= 10)
                assert not run.stats.state.startswith("down")
    finally:
        fleet.stop()
        await task
        await fleet.close()


async def test_a_double_takes_odd_parity_from_any_program_again_and_again(tmp_path: Path) -> None:
    fleet = Fleet([ThingSpec("visitor", BY_NAME["bci-oximeter"])], broker=None, port_dir=tmp_path)
    await fleet.open()
    task = asyncio.create_task(fleet.run())
    try:
        for _ in range(3):
            assert opened_at(fleet.ports["visitor"], set_up=True) == termios.B50
            await until(lambda: opened_at(fleet.ports["visitor"]) == termios.B50)
    finally:
        fleet.stop()
        await task
        await fleet.close()


async def test_a_port_that_does_not_take_its_settings_is_not_called_a_wrong_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")

    with plugged() as pty:
        monkeypatch.setattr("serialx.platforms.serial_posix.tcsetattr", refuse)
        async with running(pty.path, device=replace(DEVICE, serial=SerialSettings(19_200, parity="O"))) as run:
            await run.until(lambda: run.stats.state.startswith("down"))
            assert run.stats.state == (
                f"down: {pty.path} does not take 19200 baud, 8O1 (Invalid argument); "
                "correct baud or parity, or use an adapter that has them"
            )
            assert "name" not in run.stats.state


def test_a_terminal_whose_driver_does_not_know_a_speed_is_still_a_port() -> None:
    with plugged() as pty:
        assert trouble(pty.path, OSError(errno.ENOTTY, ""), "31250 baud, 8N1") == (
            f"{pty.path} does not take 31250 baud, 8N1 (Inappropriate ioctl for device); "
            "correct baud or parity, or use an adapter that has them"
        )


def test_what_is_no_port_and_what_has_not_the_settings_are_told_apart(tmp_path: Path) -> None:
    assert trouble("/dev/ttyS0", OSError(errno.EINVAL, ""), "2400 baud, 7E1") == (
        "/dev/ttyS0 does not take 2400 baud, 7E1 (Invalid argument); "
        "correct baud or parity, or use an adapter that has them"
    )
    assert trouble("/dev/null", OSError(errno.ENOTTY, ""), "2400 baud, 7E1") == (
        "/dev/null is not a serial port (Inappropriate ioctl for device); correct the name"
    )


def test_the_fault_of_ptys_is_still_what_it_was() -> None:
    """If this fails the kernel or glibc has changed, and `port.py` need not treat ptys apart."""
    with plugged() as pty, Path(pty.path).open("rb", buffering=0) as slave:
        settings = termios.tcgetattr(slave)
        settings[2] |= termios.PARENB | termios.PARODD
        settings[4] = settings[5] = termios.B2400
        termios.tcsetattr(slave, termios.TCSANOW, settings)
        assert not termios.tcgetattr(slave)[2] & termios.PARENB
        with pytest.raises(termios.error, match="Invalid argument"):
            termios.tcsetattr(slave, termios.TCSANOW, settings)
