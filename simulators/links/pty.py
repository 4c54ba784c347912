"""A simulated serial port.

A pty is a real terminal to whoever opens it, so a gateway reads it like any serial port. Linux
and macOS have them, Windows has not (`NoPty` says so). What a link promises is that it knows
what went out:

- A frame counts as written when its last byte is in the kernel. What the kernel does not take
  now (its buffer holds about 4 KiB) is kept and goes out first next time; until then no further
  frame is taken, so a reader that is away never blocks anybody.
- Nothing is sent while nobody listens. On a pty, opening is seen by the hang-up state going
  away, and the reader's discarding of old input when it has set the port up by packet mode
  (TIOCPKT, `man tty_ioctl`); a reader that discards nothing counts as listening after 0.5 s.
- While nobody has it open its settings are raw at SPEED: a terminal of Linux drops parity and 7 bits,
  and glibc calls that an error unless something else changes with it. So each opening finds what the
  first one found, whatever program it is.
- `unread` says how much the reader has not fetched yet, so that the port is not closed before that.

Unknown: the state of a frame whose link broke while it was being sent; its number goes to the next one.
"""

import asyncio
import contextlib
import os
import select
import struct
import sys
from collections.abc import Callable
from pathlib import Path

SETTLE_S = 0.5
MOST_COMMAND = 4096

if sys.platform != "win32":
    import fcntl
    import termios
    import tty

    SPEED = termios.B50  # one that nobody opens a port with
    FLUSHED = termios.TIOCPKT_FLUSHREAD


class NoPty(OSError):
    """This system has no pseudo terminals."""

    def __init__(self) -> None:
        super().__init__('simulated serial ports need a pty, which Windows has not; use link = "tcp" there')


class PtyLink:
    """One serial port, the device's side. `by_id` is a symlink that follows it through replugs.

    `on_bytes` gets what the reader wrote and gives what to answer.
    """

    def __init__(self, on_bytes: Callable[[bytes], bytes], by_id: Path | None = None) -> None:
        self._on_bytes = on_bytes
        self._by_id = by_id
        self._master: int | None = None
        self._slave = ""
        self._kept = b""
        self._opened_at: float | None = None
        self._settled = False
        self._reading = False

    @property
    def port(self) -> str:
        """What the reader opens; stays the same over a replug where there is a `by_id`."""
        return str(self._by_id) if self._by_id else self._slave

    @property
    def device(self) -> str:
        """The terminal behind it, another one after each replug."""
        return self._slave

    def plug(self) -> None:
        """Make the port; a symlink by the same name is replaced in one step."""
        if sys.platform == "win32":
            raise NoPty
        master, slave = os.openpty()
        self._slave = os.ttyname(slave)
        _reset(slave)
        os.set_blocking(master, False)
        fcntl.ioctl(master, termios.TIOCPKT, struct.pack("i", 1))
        os.close(slave)
        self._master = master
        if self._by_id:
            fresh = self._by_id.with_name(self._by_id.name + ".new")
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(self._slave)
            fresh.replace(self._by_id)

    def unplug(self, half: bytes = b"") -> None:
        """Close the port, after `half` a frame got out."""
        if self._master is None:
            return
        with contextlib.suppress(OSError):
            os.write(self._master, self._kept + half)
        self._deafen()
        if self._by_id:
            self._by_id.unlink(missing_ok=True)
        os.close(self._master)
        self._master, self._kept = None, b""

    close = unplug

    def listening(self) -> bool:
        """Whether somebody has the port open and is done setting it up."""
        if self._master is None or self._hung_up():
            self._readable()  # what the last reader left behind is not the next one's
            self._deafen()
            if self._master is not None:
                _reset(self._master)
            return False
        loop = asyncio.get_running_loop()
        if self._opened_at is None:
            self._opened_at = loop.time()
            tty.setraw(self._master, termios.TCSANOW)  # a flush would look like the reader's
        if not self._reading:
            self._reading = True
            loop.add_reader(self._master, self._readable)
        self._readable()
        if not self._settled and self._opened_at is not None:
            self._settled = loop.time() - self._opened_at >= SETTLE_S
        return self._settled

    def write(self, data: bytes) -> bool:
        """Send `data` as a whole, now or bit by bit; False when it cannot even be kept."""
        if self._master is None or not self.flush():
            return False
        self._kept = data
        self.flush()
        return True

    def flush(self) -> bool:
        """Whether everything given to `write` is in the kernel, after another try."""
        if self._kept and self._master is not None:
            with contextlib.suppress(BlockingIOError):
                self._kept = self._kept[os.write(self._master, self._kept) :]
        return not self._kept

    def unread(self) -> int:
        """Bytes that the reader has not fetched yet, or 0 where nobody has the port open."""
        if self._master is None or self._hung_up():
            return 0
        slave = os.open(self._slave, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            return len(self._kept) + int(struct.unpack("i", fcntl.ioctl(slave, termios.FIONREAD, b"\0\0\0\0"))[0])
        finally:
            os.close(slave)

    def _hung_up(self) -> bool:
        poll = select.poll()
        poll.register(self._master or 0, 0)
        return any(event & select.POLLHUP for _, event in poll.poll(0))

    def _readable(self) -> None:
        """Take what the reader wrote, and what packet mode says about it."""
        while self._master is not None:
            try:
                packet = os.read(self._master, MOST_COMMAND)
            except BlockingIOError:
                return
            except OSError:
                self._deafen()
                return
            if packet[:1] == b"\0":
                answer = self._on_bytes(packet[1:])
                if answer:
                    self.write(answer)
            elif packet and packet[0] & FLUSHED:
                self._settled = True
            elif not packet:
                self._deafen()
                return

    def _deafen(self) -> None:
        if self._reading and self._master is not None:
            asyncio.get_running_loop().remove_reader(self._master)
        self._reading, self._settled, self._opened_at, self._kept = False, False, None, b""


def _reset(terminal: int) -> None:
    """The settings that each reader finds."""
    tty.setraw(terminal, termios.TCSANOW)
    settings = termios.tcgetattr(terminal)
    settings[4] = settings[5] = SPEED
    termios.tcsetattr(terminal, termios.TCSANOW, settings)
