"""Serial ports that come and go, on real ptys."""

import asyncio
import fcntl
import logging
import os
import random
from pathlib import Path

import pytest

from gateway.sources.serial.port import PortState
from tests.gateway.ports import (
    FRAME_08,
    FRAME_09,
    VALUES_08,
    VALUES_09,
    Pty,
    plugged,
    running,
)
from tests.gateway.virtual import VirtualClock


class Ceilings(random.Random):
    """Waits hardly at all and remembers how long it might have been."""

    def __init__(self) -> None:
        super().__init__(1)
        self.seen: list[float] = []

    def uniform(self, a: float, b: float) -> float:
        self.seen.append(b)
        return 0.001


async def test_bytes_arrive_however_they_are_cut() -> None:
    with plugged() as pty:
        async with running(pty.path) as run:
            await run.connected()
            assert run.source.state is PortState.SILENT
            assert run.stats.state == "open but silent: no bytes yet"
            pty.say(FRAME_09 + FRAME_08[:3])
            await run.until(lambda: len(run.intake.raw) == 13)
            assert run.intake.values == [VALUES_09]
            pty.say(FRAME_08[3:])
            await run.until(lambda: len(run.intake.values) == 2)
            assert run.intake.values == [VALUES_09, VALUES_08]
            assert run.intake.noise == b""
            assert run.stats.state == "up"
            assert run.source.state.name == "UP"
            assert run.stats.bytes_in == 20


async def test_a_partial_frame_is_never_timed_out() -> None:
    clock = VirtualClock()
    with plugged() as pty:
        async with running(pty.path, clock) as run:
            await run.connected()
            pty.say(FRAME_09[:6])
            await run.until(lambda: len(run.intake.raw) == 6)
            await clock.advance(7200.0)
            pty.say(FRAME_09[6:])
            await run.until(lambda: run.intake.values)
            assert run.intake.values == [VALUES_09]
            assert run.intake.noise == b""


async def test_replug_under_another_name_through_a_by_id_link(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    link = tmp_path / "usb-1a86_USB_Serial-if00"
    first = Pty(link)
    async with running(link) as run:
        await run.connected()
        first.say(FRAME_09 + FRAME_08[:7])
        await run.until(lambda: len(run.intake.raw) == 17)
        blocker = Pty()  # takes the name that the next pty would have had
        first.unplug(link)
        await run.until(lambda: run.intake.closings == 1)
        assert run.stats.state.startswith(f"down: {link} went away (unplugged?)")
        await run.until(lambda: f"no port {link}" in run.stats.state)
        with plugged(link) as second:
            assert second.path != blocker.path
            await run.connected(2)
            second.say(FRAME_08)
            await run.until(lambda: len(run.intake.values) == 2)
        blocker.unplug()
    assert run.intake.values == [VALUES_09, VALUES_08]
    assert run.intake.noise == FRAME_08[:7]
    assert run.intake.closings >= 1
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warnings[0] == f"serial:{link}: {link} went away (unplugged?); waiting for it"


async def test_missing_at_the_start_is_said_once_and_picked_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    link = tmp_path / "ttyUSB9"
    rng = Ceilings()
    async with running(link, rng=rng) as run:
        await run.until(lambda: len(rng.seen) > 5)
        assert run.source.state is PortState.MISSING
        assert run.stats.state.startswith(f"down: no port {link}; plug the device in or correct the name (")
        assert run.stats.connects == 0
        with plugged(link) as pty:
            await run.connected()
            pty.say(FRAME_09)
            await run.until(lambda: run.intake.values)
    assert rng.seen[:7] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0][: len(rng.seen)]
    assert len([record for record in caplog.records if "no port" in record.getMessage()]) == 1


async def test_a_port_that_appears_during_a_long_wait_is_opened_within_a_quarter_second(tmp_path: Path) -> None:
    class Longest(random.Random):
        def uniform(self, a: float, b: float) -> float:
            return b if b >= 5.0 else 0.0

    clock = VirtualClock()
    link = tmp_path / "lamp"
    async with running(link, clock, rng=Longest(1)) as run:
        await run.until(lambda: "no port" in run.stats.state)
        await clock.advance(60.0)
        await clock.sleepers(1)  # not in the middle of an attempt to open
        with plugged(link) as pty:
            await clock.advance(0.25)
            await run.connected()
            pty.say(FRAME_09)
            await run.until(lambda: run.intake.values)


async def test_waits_grow_until_a_good_frame_not_until_the_port_opens(tmp_path: Path) -> None:
    link = tmp_path / "flapping"
    rng = Ceilings()
    async with running(link, rng=rng) as run:
        await run.until(lambda: rng.seen)
        for connects in (1, 2):
            pty = Pty(link)
            await run.connected(connects)
            pty.unplug(link)
            await run.until(lambda: run.stats.state.startswith("down"))
        assert rng.seen[0] == 0.1
        assert rng.seen[1] == 0.2
        assert all(later >= earlier for earlier, later in zip(rng.seen, rng.seen[1:], strict=False))
        pty = Pty(link)
        await run.connected(3)
        pty.say(FRAME_09)
        await run.until(lambda: run.intake.values)
        before = len(rng.seen)
        pty.unplug(link)
        await run.until(lambda: len(rng.seen) > before)
        assert rng.seen[before] == 0.1


async def test_the_name_leads_to_another_port_while_the_old_one_is_still_open(tmp_path: Path) -> None:
    clock = VirtualClock()
    link = tmp_path / "by-id"
    old = Pty(link)
    async with running(link, clock) as run:
        await run.connected()
        with plugged(link) as new:
            await clock.advance(2.0)
            await run.until(lambda: run.intake.closings == 1)
            assert run.stats.state == f"down: {link} is now {new.path}, was {old.path}; opening it again"
            await clock.advance(0.1)
            await run.connected(2)
            new.say(FRAME_09)
            await run.until(lambda: run.intake.values)
    old.unplug()


async def test_a_busy_port_is_said_and_taken_when_it_is_free() -> None:
    with plugged() as pty:
        other = os.open(pty.path, os.O_RDWR | os.O_NOCTTY)
        fcntl.flock(other, fcntl.LOCK_EX)
        async with running(pty.path) as run:
            await run.until(lambda: run.stats.state.startswith("down"))
            assert run.stats.state == (
                f"down: {pty.path} is in use by another program; find it with `fuser -v {pty.path}` and stop it"
            )
            os.close(other)
            await run.connected()
            pty.say(FRAME_09)
            await run.until(lambda: run.intake.values)


async def test_the_port_is_held_exclusively_and_let_go_at_the_end() -> None:
    with plugged() as pty:
        other = os.open(pty.path, os.O_RDWR | os.O_NOCTTY)
        async with running(pty.path) as run:
            await run.connected()
            with pytest.raises(BlockingIOError):
                fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(other)


async def test_bytes_without_frames_are_told_from_silence() -> None:
    with plugged() as pty:
        async with running(pty.path) as run:
            await run.connected()
            pty.say(b"\x00\xff\xf8" * 20)
            await run.until(lambda: run.source.state is PortState.NO_FRAMES)
            assert run.stats.state == (
                "bytes but no frames: 60 bytes so far; is there a sds011 on it, at 9600 baud, 8N1? "
                "try another baud, parity or device"
            )
            pty.say(b"\x00\xff\xf8" * 20)
            await run.until(lambda: "120 bytes so far" in run.stats.state)
            pty.say(FRAME_09)
            await run.until(lambda: run.source.state is PortState.UP)


async def test_the_first_bytes_are_not_called_silence(caplog: pytest.LogCaptureFixture) -> None:
    """A frame may be much longer than what has come: neither silence nor a fault, and it says how much came."""
    caplog.set_level(logging.INFO, "parkgate.serial")
    with plugged() as pty:
        async with running(pty.path) as run:
            await run.connected()
            for _ in range(3):
                pty.say(b"\x00\xff")
            await run.until(lambda: "6 so far" in run.stats.state)
            assert run.stats.state == "first bytes: 6 so far, and no whole frame among them yet"
            pty.say(b"\x00\xff\xf8" * 20)
            await run.until(lambda: run.source.state is PortState.NO_FRAMES)
            pty.say(b"\x00\xff\xf8" * 20)
            await run.until(lambda: "126 bytes so far" in run.stats.state)
            assert [record.getMessage().split(": ")[1] for record in caplog.records] == [
                "open but silent",
                "bytes but no frames",
            ]


async def test_stop_reading_hands_over_what_is_there_and_no_more() -> None:
    with plugged() as pty:
        async with running(pty.path) as run:
            await run.connected()
            pty.say(FRAME_09)
            await run.until(lambda: run.intake.values)
            run.source.stop_reading()
            pty.say(FRAME_08)
            for _ in range(50):
                await asyncio.sleep(0)
            assert run.intake.values == [VALUES_09]
            assert run.intake.closings == 0


async def test_reopen_for_a_watchdog() -> None:
    clock = VirtualClock()
    with plugged() as pty:
        async with running(pty.path, clock) as run:
            await run.connected()
            assert run.source.last_bytes_monotonic is None
            clock.pass_by(5.0)
            pty.say(FRAME_09 + FRAME_08[:4])
            await run.until(lambda: len(run.intake.raw) == 14)
            assert run.source.last_bytes_monotonic == 5.0
            run.source.reopen("silent for 30 s; opening it again")
            await run.until(lambda: run.intake.closings == 1)
            assert run.stats.state == "down: silent for 30 s; opening it again"
            await clock.advance(0.1)
            await run.connected(2)
            pty.say(FRAME_08)
            await run.until(lambda: len(run.intake.values) == 2)
            assert run.intake.noise == FRAME_08[:4]


async def test_a_file_that_is_no_port_is_said(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a port")
    async with running(path) as run:
        await run.until(lambda: run.stats.state.startswith("down"))
        assert run.stats.state == (
            f"down: {path} is not a serial port (Inappropriate ioctl for device); correct the name"
        )
