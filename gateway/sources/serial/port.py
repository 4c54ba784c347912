"""One serial port, kept open whatever happens to the cable; what its bytes mean is for its user.

What it holds to:
- A port that is missing, busy, forbidden or unplugged never ends its user. It says which in
  one line, once per reason, and tries again with full jitter, at most 5 s apart; while the
  port is missing its name is looked for every 0.25 s, so that a replug is picked up at once.
- The waits grow until a good frame has come, not until the port could be opened: a port that
  opens and fails at once is not hammered.
- A name such as /dev/serial/by-id/... may come back as another tty. While the port is open
  the name is resolved every 2 s; when it leads to a different port the old one is left.
- A name that says what is plugged in (`usb:serial=A50285BI`) is looked up among the ports that are there, each time
  anew: whatever tty it is now, it is the same device. Where several are what it says, none is taken.
- The port is never flushed after it has been opened (opening itself discards what the driver had
  kept from before).
- A read takes 16 KiB at most: above 128 KiB, as serialx would, each costs a mapping of memory.
- While bytes come fast (64 or more at a read) the port rests between reads and the kernel
  gathers: for REST_BYTES at the line's rate, half of what it holds, 200 ms at most. A slow
  device's bytes are handed over as they come.
- At most 1 MiB waits between the port and its user (a stalled event loop); then reading
  pauses and the kernel holds the rest (4 KiB on a tty).
- A pty of Linux has no parity and no 7 bits: its driver drops them, and glibc says EINVAL for what
  did not take, but only where nothing else changed, so from the second opening on. A pty is opened
  with 8 bits and no parity, whatever the device has on a real line.

States (`PortState`): missing, open but silent, first bytes, bytes but no frames, up.
Open exclusively (flock) on POSIX; share mode 0 on Windows. socket:// and rfc2217:// URLs have
no name to look for and simply reconnect.
Unknown here: whether the far side of a socket:// link still lives while it is silent; that is
for a watchdog to decide, through `reopen`.
Source of the transport: serialx 1.15 (native asyncio); termios(3), tty_ioctl(4), RFC 2217;
drivers/tty/pty.c of Linux (pty_set_termios), tcsetattr.c of glibc.
"""

import asyncio
import errno
import logging
import os
import random
import sys
from collections.abc import Awaitable, Callable
from enum import Enum
from functools import partial
from pathlib import Path
from typing import cast

import serialx
from serialx.descriptor_transport import DescriptorTransport

from devices.spec.device import SerialSettings
from gateway.backoff import backoff
from gateway.clock import Clock
from gateway.config import SerialConfig
from gateway.sources.serial.listing import is_usb, located
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
MOST_REST_S = 0.2
PTY_MAJORS = range(136, 144)
"""Device numbers of the ends of ptys that are opened like ports (Linux, devices.txt)."""

UNANSWERED = "open but silent: no answer yet"

log = logging.getLogger("parkgate.serial")


class PortState(Enum):
    """How far this port got; the value is the word for people."""

    MISSING = "down"
    SILENT = "open but silent"
    FIRST = "first bytes"
    NO_FRAMES = "bytes but no frames"
    UP = "up"


class Port(asyncio.Protocol):
    """One opening of the port: collects bytes until its user takes them.

    `woken` is set when bytes came or the port was lost; `frames` and `bytes_in` are for the user to count.
    """

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

    def write(self, data: bytes) -> None:
        """Send `data`; what is sent to a lost port is gone."""
        if self.transport is not None and not self.lost:
            self.transport.write(data)

    async def wait(self, clock: Clock, seconds: float) -> None:
        """Wait until bytes come or the port is lost, for `seconds` at the most."""
        if not self.woken.is_set():
            woken = asyncio.ensure_future(self.woken.wait())
            sleeping = asyncio.ensure_future(clock.sleep(seconds))
            try:
                await asyncio.wait((woken, sleeping), return_when=asyncio.FIRST_COMPLETED)
            finally:
                woken.cancel()
                sleeping.cancel()
        self.woken.clear()

    def _rested(self) -> None:
        self._resting = False
        self._resume()

    def _resume(self) -> None:
        if not (self._paused or self._resting or self.lost) and self.transport is not None:
            self.transport.resume_reading()


class Link:
    """Keeps `config.port` open until `run` is cancelled.

    With `asks` it is no silence that nothing comes by itself: whoever asks says so (`unanswered`).
    Baud and parity come from the config where it gives them, else from `settings`, the device type's.
    `last_bytes_monotonic` is when the last bytes came (seconds of `clock.monotonic`), or None before
    the first.
    """

    def __init__(
        self,
        config: SerialConfig,
        settings: SerialSettings,
        clock: Clock,
        stats: SourceStats,
        rng: random.Random | None = None,
        *,
        asks: bool = False,
    ) -> None:
        self.name = f"serial:{config.port}"
        self.state = PortState.MISSING
        self.stopped = False
        self.last_bytes_monotonic: float | None = None
        self.baud = config.baud or settings.baud
        self.port: Port | None = None
        self._name = config.port
        self._parity = config.parity or settings.parity
        self._settings = settings
        self._clock = clock
        self._stats = stats
        self._waits = partial(backoff, FIRST_WAIT_S, MOST_WAIT_S, rng)
        self._asks = asks
        self._reason: str | None = None
        self._said: set[str] = set()

    async def run(self, use: Callable[[Port], Awaitable[None]], closed: Callable[[], None]) -> None:
        """Open, `use` until the port is lost, say `closed`, open again; ends only by being cancelled."""
        waits = self._waits()
        while not self.stopped:
            try:
                port = await self._open()
            except PORT_ERRORS as error:
                self._down(trouble(self._name, error, self.framing))
                await self._wait(next(waits), look=missing(error))
                continue
            await self._hold(port, use)
            if self.stopped:
                break
            closed()
            self.port = None
            lost = port.error or OSError(errno.EIO, "closed")
            self._down(self._reason or trouble(self._name, lost, self.framing))
            self._reason = None
            if port.frames:
                waits = self._waits()
            await self._wait(next(waits), look=True)
        await asyncio.Event().wait()

    def take(self, port: Port) -> bytes:
        """What has come, counted; nothing once stopped."""
        data = port.take()
        if not data or self.stopped:
            return b""
        self._stats.bytes_in += len(data)
        self.last_bytes_monotonic = self._clock.monotonic()
        port.bytes_in += len(data)
        return data

    def reopen(self, reason: str) -> None:
        """Close the port and open it again; for whoever finds that it has gone dead."""
        if self.port is not None and self.port.transport is not None:
            self._reason = reason
            self.port.transport.abort()

    async def close(self) -> None:
        """Let go of the port; returns when the operating system has it back."""
        port, self.port = self.port, None
        self.stopped = True
        if port is not None and port.transport is not None:
            port.transport.abort()
            await port.transport.wait_closed()

    def become(self, state: PortState, text: str) -> None:
        """The port is open, and got as far as `state`; `text` is for people. Logged is another state than before,
        not each new number in the words of the same."""
        before, self.state = self.state, state
        self._stats.state = text
        if state is before or state is PortState.FIRST:
            return
        if state is PortState.NO_FRAMES:
            self._warn(text)
            return
        if state is PortState.UP:
            self._said.clear()
        log.info("%s: %s", self.name, text)

    def unanswered(self) -> None:
        """Nothing has come in answer to a question; said once, until the port has been up."""
        if UNANSWERED not in self._said:
            self._said.add(UNANSWERED)
            log.info("%s: %s", self.name, UNANSWERED)

    @property
    def framing(self) -> str:
        """How it is opened, for people: 9600 baud, 8N1."""
        return f"{self.baud} baud, {self._settings.bits}{self._parity}{self._settings.stop}"

    async def _open(self) -> Port:
        port = Port(self.baud)
        path = str(located(self._name)) if is_usb(self._name) else self._name
        plain = _is_pty(path)
        await serialx.create_serial_connection(
            asyncio.get_running_loop(),
            lambda: port,
            path,
            baudrate=self.baud,
            parity=serialx.Parity.NONE if plain else serialx.Parity(self._parity),
            stopbits=serialx.StopBits(self._settings.stop),
            byte_size=8 if plain else self._settings.bits,
            exclusive=True,
        )
        return port

    async def _hold(self, port: Port, use: Callable[[Port], Awaitable[None]]) -> None:
        """One opening, until it is lost."""
        self.port = port
        self._stats.connects += 1
        if self._asks:
            self.state, self._stats.state = PortState.SILENT, UNANSWERED
        else:
            self.become(PortState.SILENT, "open but silent: no bytes yet")
        try:
            async with asyncio.TaskGroup() as group:
                watch = group.create_task(self._watch(port, self._resolved()), name=f"watch[{self.name}]")
                await use(port)
                watch.cancel()
        finally:
            if not port.lost and port.transport is not None:
                port.transport.abort()

    async def _watch(self, port: Port, opened: Path | None) -> None:
        """Leave the port when its name has come to mean another one."""
        while opened is not None and not port.lost:
            await self._clock.sleep(WATCH_S)
            now = self._resolved()
            if now is not None and now != opened:
                self.reopen(f"{self._name} is now {now}, was {opened}; opening it again")
                return

    def _resolved(self) -> Path | None:
        """Where the port's name leads, or None where there is no such name."""
        if is_url(self._name):
            return None
        try:
            return (located(self._name) if is_usb(self._name) else Path(self._name)).resolve(strict=True)
        except OSError:
            return None

    async def _wait(self, seconds: float, look: bool) -> None:
        """Wait before the next try. With `look`, a port that appears meanwhile ends the wait."""
        if not look or is_url(self._name) or self._resolved() is not None:
            await self._clock.sleep(seconds)
            return
        while seconds > 0.0:
            await self._clock.sleep(min(seconds, LOOK_S))
            seconds -= LOOK_S
            if self._resolved() is not None:
                return

    def _down(self, text: str) -> None:
        self.state = PortState.MISSING
        self._stats.state = f"down: {text}"
        self._warn(text)

    def _warn(self, text: str) -> None:
        """Each thing once, until the port has been up again."""
        if text not in self._said:
            self._said.add(text)
            log.warning("%s: %s", self.name, text)


def _is_pty(name: str) -> bool:
    """Whether the port is a pty of Linux. One that is not there, or cannot be looked at, is none."""
    if sys.platform != "linux" or is_url(name):
        return False
    try:
        return os.major(os.stat(name).st_rdev) in PTY_MAJORS  # noqa: PTH116  # Path refuses NUL with a ValueError
    except (OSError, ValueError):
        return False


def has_framing(name: str) -> bool:
    """Whether baud and parity mean something at this port: not at a pty, nor at this end of a network."""
    return not (is_url(name) or _is_pty(name))


def wake(link: Link) -> None:
    """Have its user look again, as if bytes had come."""
    if link.port is not None:
        link.port.woken.set()


def usable(link: Link, port: Port) -> bool:
    """Whether there is still something to be had of this opening."""
    return not (port.lost or link.stopped)


def see_state(link: Link, port: Port, what: str, longest: int, try_: str) -> None:
    """How far the port got, by what came: "frame" or "answer" is `what` should come, of `longest` bytes at the most.

    `try_` is what to do where there should have been one.
    """
    if port.frames:
        link.become(PortState.UP, "up")
    elif port.bytes_in <= 4 * longest:
        link.become(PortState.FIRST, f"first bytes: {port.bytes_in} so far, and no whole {what} among them yet")
    else:
        link.become(PortState.NO_FRAMES, f"bytes but no {what}s: {port.bytes_in} bytes so far; {try_}")
