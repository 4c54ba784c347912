"""A serial port whose device talks by itself: bytes in, handed over as they come.

Nothing is decoded, dropped or timed out here. A partial frame stays with the decoder until its
rest arrives or the port is lost. How the port is kept open: port.py.

A device that says nothing before it is spoken to has an `opening`. It is written when the port has been
opened, and again whenever no whole frame has come for AGAIN_S, or three of the type's intervals if that is
longer: the device may have been switched on later, or have fallen asleep. One that falls silent some time after it
was spoken to says how often it wants to hear it (`opening_every_s`), and hears it though it speaks.
"""

import asyncio
import random

from devices.spec.device import StreamDevice
from gateway.clock import Clock
from gateway.config import SerialConfig
from gateway.intake import BytesIntake
from gateway.sources.serial.port import Link, Port, PortState, see_state
from gateway.stats import SourceStats

AGAIN_S = 5.0
"""The shortest time without a whole frame after which the opening is written again."""


class SerialSource:
    """Reads `config.port` into `intake` until its `run` is cancelled."""

    def __init__(
        self,
        config: SerialConfig,
        device: StreamDevice,
        intake: BytesIntake,
        clock: Clock,
        stats: SourceStats,
        rng: random.Random | None = None,
    ) -> None:
        self._link = Link(config, device.serial, clock, stats, rng)
        self._device = device
        self._intake = intake
        self._clock = clock

    @property
    def name(self) -> str:
        return self._link.name

    @property
    def state(self) -> PortState:
        return self._link.state

    @property
    def last_bytes_monotonic(self) -> float | None:
        return self._link.last_bytes_monotonic

    @property
    def is_open(self) -> bool:
        return self._link.state is not PortState.MISSING

    async def run(self) -> None:
        """Open, read, open again; ends only by being cancelled."""
        await self._link.run(self._read, self._intake.closed)

    def stop_reading(self) -> None:
        """Hand over what has been read, then read no more. `run` stays until cancelled."""
        port = self._link.port
        if port is not None:
            if port.transport is not None and not port.lost:
                port.transport.pause_reading()
            self._take(port)
        self._link.stopped = True

    def say(self, data: bytes) -> bool:
        """Write `data` to the device; False where the port is not open."""
        port = self._link.port
        if port is None or port.lost or port.transport is None or self._link.stopped:
            return False
        port.write(data)
        return True

    def reopen(self, reason: str) -> None:
        """Close the port and open it again; for whoever finds that it has gone dead."""
        self._link.reopen(reason)

    async def close(self) -> None:
        """Let go of the port; returns when the operating system has it back."""
        await self._link.close()

    async def _read(self, port: Port) -> None:
        """Hand over this opening's bytes until it is lost."""
        if not self._device.opening:
            await self._hear(port)
            return
        async with asyncio.TaskGroup() as group:
            talk = group.create_task(self._speak(port), name=f"opening[{self.name}]")
            await self._hear(port)
            talk.cancel()

    async def _speak(self, port: Port) -> None:
        """Say the device's opening, again and again while nothing good comes, or as often as it wants to hear it."""
        often_s = self._device.opening_every_s
        pause_s = max(AGAIN_S, 3.0 * self._device.expected_every_s) if often_s is None else often_s
        heard = port.frames
        while True:
            if often_s is not None or port.frames == heard:
                port.write(self._device.opening)
            heard = port.frames
            await self._clock.sleep(pause_s)

    async def _hear(self, port: Port) -> None:
        while not port.lost:
            await port.woken.wait()
            port.woken.clear()
            self._take(port)

    def _take(self, port: Port) -> None:
        link = self._link
        data = link.take(port)
        if not data:
            return
        port.frames += self._intake.bytes(data)
        if link.state is not PortState.UP:
            try_ = f"is there a {self._device.name} on it, at {link.framing}? try another baud, parity or device"
            see_state(link, port, "frame", self._device.longest_frame, try_)
