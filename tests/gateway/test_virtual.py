"""The tests' own clock keeps its promises."""

import asyncio

from gateway.clock import Clock
from tests.gateway.virtual import VirtualClock


async def test_sleepers_wake_in_the_order_of_their_deadlines() -> None:
    clock = VirtualClock()
    log: list[tuple[str, float]] = []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        log.append((name, clock.monotonic()))

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(sleeper("late", 3.0))
        tasks.create_task(sleeper("early", 1.0))
        tasks.create_task(sleeper("early too", 1.0))
        await clock.sleepers(3)
        await clock.advance(0.5)
        assert log == []
        await clock.advance(5.0)
    assert log == [("early", 1.0), ("early too", 1.0), ("late", 3.0)]
    assert clock.monotonic() == 5.5


async def test_a_loop_of_sleeps_turns_as_often_as_it_would() -> None:
    clock: Clock = VirtualClock()
    assert isinstance(clock, VirtualClock)
    times: list[float] = []

    async def loop() -> None:
        while True:
            await clock.sleep(10.0)
            times.append(clock.monotonic())

    task = asyncio.create_task(loop())
    await clock.advance(35.0)
    task.cancel()
    assert times == [10.0, 20.0, 30.0]


async def test_a_step_moves_the_time_of_day_and_wakes_nobody() -> None:
    clock = VirtualClock()
    task = asyncio.create_task(clock.sleep(5.0))
    await clock.sleepers(1)
    clock.step(-3600.0)
    assert clock.now_ns() == 1_767_222_000_000_000_000
    assert clock.monotonic() == 0.0
    assert not task.done()
    await clock.advance(5.0)
    assert task.done()
