"""A device that says nothing before it is spoken to, on a real pty."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from devices.spec.events import Reading
from simulators.things import ThingSpec, peer
from tests.gateway.ports import DEVICE, FRAME_08, FRAME_09, VALUES_09, Pty, Remembering, Running, plugged
from tests.gateway.virtual import VirtualClock

OPENING = b"\x80\x94\x01\x07"
SILENT = replace(DEVICE, opening=OPENING, expected_every_s=2.0)


def heard(pty: Pty) -> bytes:
    """What has been written to the device since the last look."""
    os.set_blocking(pty.master, False)
    try:
        return os.read(pty.master, 1024)
    except BlockingIOError:
        return b""


@asynccontextmanager
async def running(port: str, clock: VirtualClock, *, expected_s: float = 2.0) -> AsyncIterator[Running]:
    run = Running(port, clock, Remembering(), replace(SILENT, expected_every_s=expected_s))
    try:
        yield run
    finally:
        run.task.cancel()
        await asyncio.gather(run.task, return_exceptions=True)
        await run.source.close()


async def test_it_is_spoken_to_when_the_port_is_open() -> None:
    with plugged() as pty:
        async with running(pty.path, VirtualClock()) as run:
            await run.connected()
            found = b""

            def opened() -> bool:
                nonlocal found
                found += heard(pty)
                return found == OPENING

            await run.until(opened)
            pty.say(FRAME_09)
            await run.until(lambda: run.intake.values == [VALUES_09])


async def test_and_again_when_nothing_good_has_come_for_three_intervals() -> None:
    clock = VirtualClock()
    with plugged() as pty:
        async with running(pty.path, clock) as run:
            await run.connected()
            await run.until(lambda: heard(pty) == OPENING)
            pty.say(FRAME_09)
            await run.until(lambda: len(run.intake.values) == 1)
            await clock.advance(6.0)
            assert heard(pty) == b""  # a frame came in these six seconds
            pty.say(b"bl-start\r\n")
            await run.until(lambda: len(run.intake.raw) == 20)
            await clock.advance(5.9)
            assert heard(pty) == b""
            await clock.advance(0.1)
            await run.until(lambda: heard(pty) == OPENING)
            await clock.advance(6.0)
            await run.until(lambda: heard(pty) == OPENING)
            pty.say(FRAME_08)
            await run.until(lambda: len(run.intake.values) == 2)
            await clock.advance(6.0)
            assert heard(pty) == b""


async def test_a_fast_device_is_given_five_seconds() -> None:
    clock = VirtualClock()
    with plugged() as pty:
        async with running(pty.path, clock, expected_s=0.015) as run:
            await run.connected()
            await run.until(lambda: heard(pty) == OPENING)
            await clock.advance(4.9)
            assert heard(pty) == b""
            await clock.advance(0.1)
            await run.until(lambda: heard(pty) == OPENING)


async def test_one_that_falls_silent_is_told_as_often_as_it_wants_though_it_speaks() -> None:
    clock = VirtualClock()
    with plugged() as pty:
        run = Running(pty.path, clock, Remembering(), replace(SILENT, expected_every_s=0.015, opening_every_s=15.0))
        try:
            await run.connected()
            await run.until(lambda: heard(pty) == OPENING)
            for count in (1, 2):
                pty.say(FRAME_09)
                await run.until(lambda count=count: len(run.intake.values) == count)
                await clock.advance(14.9)
                assert heard(pty) == b""
                await clock.advance(0.1)
                await run.until(lambda: heard(pty) == OPENING)
        finally:
            run.task.cancel()
            await asyncio.gather(run.task, return_exceptions=True)
            await run.source.close()


async def test_an_unplugged_one_is_spoken_to_again_where_it_comes_back() -> None:
    clock = VirtualClock()
    with plugged() as first:
        async with running(first.path, clock) as run:
            await run.connected()
            await run.until(lambda: heard(first) == OPENING)
            run.source.reopen("as a watchdog does")
            await run.until(lambda: run.intake.closings == 1)
            await clock.advance(0.1)
            await run.connected(2)
            await run.until(lambda: heard(first) == OPENING)
            assert not run.task.done()


def test_its_double_is_silent_until_it_is_spoken_to() -> None:
    double = peer(ThingSpec("clip", SILENT, period_s=1.0))
    assert double.due_s() is None
    assert double.tick(1000.0) == double.tick(2000.0) == []
    assert double.receive(OPENING[:2]) == b""
    assert double.receive(OPENING[2:]) == b""
    double.tick(3000.0)
    *_, frame = double.tick(3005.0)  # a sensor of air, which warms up first
    (event,) = SILENT.decoder().feed(frame.data)
    assert isinstance(event, Reading)
