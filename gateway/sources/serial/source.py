"""One serial port: bytes in, handed over as they come, whatever happens to the cable.

What it holds to:
- Nothing is decoded, dropped or timed out here. A partial frame stays with the decoder until
  its rest arrives or the port is lost; the port is never flushed after it has been opened
  (opening itself discards what the driver had kept from before).
- A port that is missing, busy, forbidden or unplugged never ends the source. It says which in
  one line, once per reason, and tries again with full jitter, at most 5 s apart; while the
  port is missing its name is looked for every 0.25 s, so that a replug is picked up at once.
- The waits grow until a good frame has come, not until the port could be opened: a port that
  opens and fails at once is not hammered.
- A name such as /dev/serial/by-id/... may come back as another tty. While the port is open
  the name is resolved every 2 s; when it leads to a different port the old one is left.
- A read takes 16 KiB at most: above 128 KiB, as serialx would, each costs a mapping of memory.
- While bytes come fast (64 or more at a read) the port rests between reads and the kernel
  gathers: for REST_BYTES at the line's rate, half of what it holds, 100 ms at most. A slow
  device's bytes are handed over as they come.
- At most 1 MiB waits between the port and the decoder (a stalled event loop); then reading
  pauses and the kernel holds the rest (4 KiB on a tty).

States (`PortState`): missing, open but silent, bytes but no frames, up.
Open exclusively (flock) on POSIX; share mode 0 on Windows. socket:// and rfc2217:// URLs have
no name to look for and simply reconnect.
Unknown here: whether the far side of a socket:// link still lives while it is silent; that is
for a watchdog to decide, through `reopen`.
Source of the transport: serialx 1.15 (native asyncio); termios(3), tty_ioctl(4), RFC 2217.
"""

import asyncio
import errno
import logging
import random
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import cast

import serialx
from serialx.descriptor_transport import DescriptorTransport

from devices.spec.device import StreamDevice
from gateway.backoff import backoff
from gateway.clock import Clock
from gateway.config import SerialConfig
from gateway.intake import BytesIntake
from gateway.sources.serial.trouble import PORT_ERRORS, is_url, missing, trouble
from gateway.stats import SourceStats

FIRST_WAIT_S = 0.1
MOST_WAIT_S = 5.0
LOOK_S = 0.25
WATCH_S = 2.0
MOST_BUFFERED = 1 << 20
MOST_READ = 1 << 14
FAST_BYTES = 64
REST_BYTES = 2048
MOST_REST_S = 0.1

log = logging.getLogger("parkgate.serial")


class PortState(Enum):
    """How far this port got; the value is the word for people."""

    MISSING = "down"
    SILENT = "open but silent"
    NO_FRAMES = "bytes but no frames"
    UP = "up"


class _Port(asyncio.Protocol):
    """One opening of the port: collects bytes until the source takes them."""

    def __init__(self, baud: int) -> None:
        self.rest_s = min(MOST_REST_S, REST_BYTES * 10 / baud)
        self.transport: serialx.BaseSerialTransport | None = None
        self.woken = asyncio.Event()
        self.lost = False
        self.error: Exception | None = None
        self.frames = 0
        self.bytes_in = 0
        self._buffer = bytearray()
        self._paused = False
        self._resting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("serialx.BaseSerialTransport", transport)
        if isinstance(transport, DescriptorTransport):
            transport.max_size = MOST_READ

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self.woken.set()
        if self.transport is None:
            return
        if len(self._buffer) > MOST_BUFFERED:
            self._paused = True
            self.transport.pause_reading()
        elif len(data) >= FAST_BYTES and isinstance(self.transport, DescriptorTransport):
            self._resting = True
            self.transport.pause_reading()
            asyncio.get_running_loop().call_later(self.rest_s, self._rested)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        self.error = exc
        self.woken.set()

    def take(self) -> bytes:
        """Everything received since the last call; reading goes on where it was paused."""
        data = bytes(self._buffer)
        self._buffer.clear()
        if self._paused:
            self._paused = False
            self._resume()
        return data

    def _rested(self) -> None:
        self._resting = False
        self._resume()

    def _resume(self) -> None:
        if not (self._paused or self._resting or self.lost) and self.transport is not None:
            self.transport.resume_reading()


class SerialSource:
    """Reads `config.port` into `intake` until its `run` is cancelled.

    `last_bytes_monotonic` is when the last bytes came (seconds of `clock.monotonic`), or None
    before the first. Baud and parity come from the config where it gives them, else from the
    device type.
    """

    def __init__(
        self,
        config: SerialConfig,
        device: StreamDevice,
        intake: BytesIntake,
        clock: Clock,
        stats: SourceStats,
        rng: random.Random | None = None,
    ) -> None:
        self.name = f"serial:{config.port}"
        self.state = PortState.MISSING
        self.last_bytes_monotonic: float | None = None
        self._config = config
        self._device = device
        self._intake = intake
        self._clock = clock
        self._stats = stats
        self._rng = rng
        self._port: _Port | None = None
        self._reason: str | None = None
        self._said: set[str] = set()
        self._stopped = False

    @property
    def is_open(self) -> bool:
        return self.state is not PortState.MISSING

    async def run(self) -> None:
        """Open, read, open again; ends only by being cancelled."""
        waits = self._waits()
        while not self._stopped:
            try:
                port = await self._open()
            except PORT_ERRORS as error:
                self._down(trouble(self._config.port, error))
                await self._wait(next(waits), look=missing(error))
                continue
            await self._read(port)
            if self._stopped:
                break
            if port.frames:
                waits = self._waits()
            await self._wait(next(waits), look=True)
        await asyncio.Event().wait()

    def stop_reading(self) -> None:
        """Hand over what has been read, then read no more. `run` stays until cancelled."""
        if self._port is not None:
            if self._port.transport is not None and not self._port.lost:
                self._port.transport.pause_reading()
            self._take(self._port)
        self._stopped = True

    def reopen(self, reason: str) -> None:
        """Close the port and open it again; for whoever finds that it has gone dead."""
        if self._port is not None and self._port.transport is not None:
            self._reason = reason
            self._port.transport.abort()

    async def close(self) -> None:
        """Let go of the port; returns when the operating system has it back."""
        port, self._port = self._port, None
        self._stopped = True
        if port is not None and port.transport is not None:
            port.transport.abort()
            await port.transport.wait_closed()

    def _waits(self) -> Iterator[float]:
        return backoff(FIRST_WAIT_S, MOST_WAIT_S, self._rng)

    async def _open(self) -> _Port:
        settings = self._device.serial
        baud = self._config.baud or settings.baud
        port = _Port(baud)
        await serialx.create_serial_connection(
            asyncio.get_running_loop(),
            lambda: port,
            self._config.port,
            baudrate=baud,
            parity=serialx.Parity(self._config.parity or settings.parity),
            stopbits=serialx.StopBits(settings.stop),
            byte_size=settings.bits,
            exclusive=True,
        )
        return port

    async def _read(self, port: _Port) -> None:
        """Hand over this opening's bytes until it is lost; then the decoder starts anew."""
        self._port = port
        self._stats.connects += 1
        self._become(PortState.SILENT, "open but silent: no bytes yet")
        try:
            async with asyncio.TaskGroup() as group:
                watch = group.create_task(self._watch(port, self._resolved()), name=f"watch[{self.name}]")
                while not port.lost:
                    await port.woken.wait()
                    port.woken.clear()
                    if not self._stopped:
                        self._take(port)
                watch.cancel()
        finally:
            if not port.lost and port.transport is not None:
                port.transport.abort()
        if self._stopped:
            return
        self._intake.closed()
        self._port = None
        error = port.error or OSError(errno.EIO, "closed")
        self._down(self._reason or trouble(self._config.port, error))
        self._reason = None

    def _take(self, port: _Port) -> None:
        data = port.take()
        if not data or self._stopped:
            return
        self._stats.bytes_in += len(data)
        self.last_bytes_monotonic = self._clock.monotonic()
        port.bytes_in += len(data)
        port.frames += self._intake.bytes(data)
        if self.state is PortState.UP:
            return
        if port.frames:
            self._become(PortState.UP, "up")
        elif port.bytes_in > 4 * self._device.longest_frame:
            self._become(
                PortState.NO_FRAMES,
                f"bytes but no frames: is there a {self._device.name} on it, at "
                f"{self._config.baud or self._device.serial.baud} baud?",
            )

    async def _watch(self, port: _Port, opened: Path | None) -> None:
        """Leave the port when its name has come to mean another one."""
        while opened is not None and not port.lost:
            await self._clock.sleep(WATCH_S)
            now = self._resolved()
            if now is not None and now != opened:
                self.reopen(f"{self._config.port} is now {now}, was {opened}; opening it again")
                return

    def _resolved(self) -> Path | None:
        """Where the port's name leads, or None where there is no such name."""
        if is_url(self._config.port):
            return None
        try:
            return Path(self._config.port).resolve(strict=True)
        except OSError:
            return None

    async def _wait(self, seconds: float, look: bool) -> None:
        """Wait before the next try. With `look`, a port that appears meanwhile ends the wait."""
        if not look or is_url(self._config.port) or self._resolved() is not None:
            await self._clock.sleep(seconds)
            return
        while seconds > 0.0:
            await self._clock.sleep(min(seconds, LOOK_S))
            seconds -= LOOK_S
            if self._resolved() is not None:
                return

    def _become(self, state: PortState, text: str) -> None:
        self.state = state
        self._stats.state = text
        if state is PortState.NO_FRAMES:
            self._warn(text)
            return
        if state is PortState.UP:
            self._said.clear()
        log.info("%s: %s", self.name, text)

    def _down(self, text: str) -> None:
        self.state = PortState.MISSING
        self._stats.state = f"down: {text}"
        self._warn(text)

    def _warn(self, text: str) -> None:
        """Each thing once, until the port has been up again."""
        if text not in self._said:
            self._said.add(text)
            log.warning("%s: %s", self.name, text)
