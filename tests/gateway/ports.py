"""Ends of wires for the tests of serial sources: a pty that can be unplugged, an intake that remembers.

Frames are captures of an SDS011 (avaldebe/PyPMS, tests/captured_data, MIT).
"""

import asyncio
import contextlib
import os
import tty
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from devices.spec.device import StreamDevice
from devices.spec.events import Event, Noise, Reading
from gateway.clock import Clock, SystemClock
from gateway.config import SerialConfig
from gateway.sources.serial.source import SerialSource
from gateway.stats import SourceStats
from tests.device_types import BY_NAME

FRAME_09 = bytes.fromhex("aac00900090058d943ab")
FRAME_08 = bytes.fromhex("aac00800080058d941ab")
VALUES_09 = {"pm2_5_ug_m3": 0.9, "pm10_ug_m3": 0.9, "device_id": "58D9"}
VALUES_08 = {"pm2_5_ug_m3": 0.8, "pm10_ug_m3": 0.8, "device_id": "58D9"}

SDS011 = BY_NAME["sds011"]
assert isinstance(SDS011, StreamDevice)
DEVICE: StreamDevice = SDS011

Octets = bytes


class Remembering:
    """A `BytesIntake` that decodes SDS011 frames and keeps the events."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.raw = b""
        self.closings = 0
        self._decoder = DEVICE.decoder()

    def bytes(self, data: bytes) -> int:
        self.raw += data
        events = self._decoder.feed(data)
        self.events += events
        return sum(isinstance(event, Reading) for event in events)

    def closed(self) -> None:
        self.closings += 1
        self.events += self._decoder.flush()
        self._decoder = DEVICE.decoder()

    @property
    def values(self) -> list[dict[str, object]]:
        return [dict(event.fields) for event in self.events if isinstance(event, Reading)]

    @property
    def noise(self) -> Octets:
        return b"".join(event.data for event in self.events if isinstance(event, Noise))


class Pty:
    """A serial port whose device end is here. `link` is a symlink to it, as udev makes them."""

    def __init__(self, link: Path | None = None) -> None:
        self.master, slave = os.openpty()
        tty.setraw(slave)
        self.path = os.ttyname(slave)
        os.close(slave)
        if link is not None:
            fresh = link.with_name(link.name + ".new")
            fresh.symlink_to(self.path)
            fresh.replace(link)

    def say(self, data: bytes) -> None:
        assert os.write(self.master, data) == len(data)

    def unplug(self, link: Path | None = None) -> None:
        if link is not None:
            link.unlink()
        if self.master >= 0:
            os.close(self.master)
            self.master = -1


@contextlib.contextmanager
def plugged(link: Path | None = None) -> Iterator[Pty]:
    pty = Pty(link)
    try:
        yield pty
    finally:
        pty.unplug()


class Running:
    """A source with its task, and everything a test looks at."""

    def __init__(
        self, port: str, clock: Clock, intake: Remembering, device: StreamDevice = DEVICE, **settings: object
    ) -> None:
        self.intake = intake
        self.clock = clock
        self.stats = SourceStats(f"serial:{port}")
        config = SerialConfig(port, "sds011", "kiosk-1")
        self.source = SerialSource(config, device, intake, clock, self.stats, **settings)  # type: ignore[arg-type]
        self.task = asyncio.create_task(self.source.run(), name="source under test")

    async def until(self, condition: Callable[[], object], within_s: float = 10.0) -> None:
        """Wait for a condition; a source that has ended, or the deadline, fails the test."""
        deadline = asyncio.get_running_loop().time() + within_s
        while not condition():
            if self.task.done():
                self.task.result()
                raise AssertionError("the source ended by itself")
            if asyncio.get_running_loop().time() > deadline:
                raise AssertionError(f"not within {within_s} s; {self.stats}, {self.intake.events}")
            await asyncio.sleep(0.002)

    async def connected(self, times: int = 1) -> None:
        await self.until(lambda: self.stats.connects >= times and not self.stats.state.startswith("down"))


@asynccontextmanager
async def running(port: str | Path, clock: Clock | None = None, **settings: object) -> AsyncIterator[Running]:
    run = Running(str(port), clock or SystemClock(), Remembering(), **settings)
    try:
        yield run
    finally:
        run.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await run.task
        await run.source.close()
