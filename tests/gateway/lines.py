"""The far end of a polled line, told byte for byte what to answer: on a real pty."""

import asyncio
import contextlib
import os
import tty
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from devices.spec.device import PolledDevice
from devices.spec.events import Event, Reading, SanityError
from devices.spec.polled import together
from gateway.clock import Clock, SystemClock
from gateway.config import SerialConfig
from gateway.sources.serial import Asked, PolledSource
from gateway.stats import SourceStats
from tests.device_types import BY_NAME

Octets = bytes


def polled(name: str) -> PolledDevice:
    device = BY_NAME[name]
    assert isinstance(device, PolledDevice)
    return device


METER, PROBE, CO2 = polled("sdm120"), polled("soil-7in1"), polled("mhz19b")


class Bus:
    """A pty whose master end is read in the event loop. `heard` are the requests, with the loop's time."""

    def __init__(self) -> None:
        self.master, slave = os.openpty()
        tty.setraw(slave)
        self.path = os.ttyname(slave)
        self._slave = slave  # kept open, so that nothing is lost between two openings
        os.set_blocking(self.master, False)
        self.heard: list[tuple[float, Octets]] = []
        self.answer: Callable[[Octets], None] = lambda _request: None
        asyncio.get_running_loop().add_reader(self.master, self._readable)

    def say(self, data: Octets, after_s: float = 0.0) -> None:
        """Send `data`, now or later."""
        if after_s:
            asyncio.get_running_loop().call_later(after_s, self.say, data)
        elif self.master >= 0:
            os.write(self.master, data)

    def times(self, request: Octets) -> list[float]:
        return [time for time, data in self.heard if data == request]

    def close(self) -> None:
        if self.master >= 0:
            asyncio.get_running_loop().remove_reader(self.master)
            os.close(self.master)
            os.close(self._slave)
            self.master = -1

    def _readable(self) -> None:
        with contextlib.suppress(BlockingIOError, OSError):
            data = os.read(self.master, 4096)
            self.heard.append((asyncio.get_running_loop().time(), data))
            self.answer(data)


class Answers:
    """An `AnswerIntake` that keeps everything."""

    def __init__(self) -> None:
        self.bad: list[Event] = []
        self.raw = b""
        self.readings: list[Reading] = []
        self.silences = 0
        self.rounds = 0
        self._answers: list[Reading] = []

    def events(self, events: list[Event], data: Octets) -> None:
        self._answers += [event for event in events if isinstance(event, Reading)]
        self.bad += [event for event in events if not isinstance(event, Reading)]
        self.raw += data

    def failed(self, fault: Exception, data: Octets) -> None:
        self.bad.append(SanityError(repr(fault), data))

    def unanswered(self) -> None:
        self.silences += 1

    def over(self) -> None:
        self.rounds += 1
        if self._answers:
            self.readings.append(together(self._answers))
        self._answers = []


def asked(device: PolledDevice, unit: int, every_s: float = 0.2, timeout_s: float = 0.5) -> Asked:
    return Asked(device=device, unit=unit, every_s=every_s, timeout_s=timeout_s, intake=Answers())


class Asking:
    """A polled source with its task."""

    def __init__(self, port: str, things: list[Asked], clock: Clock | None = None) -> None:
        self.things = things
        self.stats = SourceStats(f"serial:{port}")
        config = SerialConfig(port, "", "", baud=115_200)
        self.source = PolledSource(config, things, clock or SystemClock(), self.stats)
        self.task = asyncio.create_task(self.source.run(), name="source under test")

    def __getitem__(self, index: int) -> Answers:
        intake = self.things[index].intake
        assert isinstance(intake, Answers)
        return intake

    async def until(self, condition: Callable[[], object], within_s: float = 15.0) -> None:
        deadline = asyncio.get_running_loop().time() + within_s
        while not condition():
            if self.task.done():
                self.task.result()
                raise AssertionError("the source ended by itself")
            if asyncio.get_running_loop().time() > deadline:
                told = [(one.readings, one.bad, one.silences) for one in map(self.__getitem__, range(len(self.things)))]
                raise AssertionError(f"not within {within_s} s; {self.stats}, {told}")
            await asyncio.sleep(0.002)


@asynccontextmanager
async def asking(port: str, things: list[Asked], clock: Clock | None = None) -> AsyncIterator[Asking]:
    run = Asking(port, things, clock)
    try:
        yield run
    finally:
        run.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await run.task
        await run.source.close()


@asynccontextmanager
async def bus() -> AsyncIterator[Bus]:
    one = Bus()
    try:
        yield one
    finally:
        one.close()
