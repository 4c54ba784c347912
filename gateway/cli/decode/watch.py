"""`parkgate decode --port P` without a device type: what comes, at which speed, and what it looks like.

Where no speed is given, each of SPEEDS is listened to until TRY_BYTES have come or TRY_S have passed
since the first byte, and the first at which the bytes make sense is kept: text in lines, or frames of
a known type. Where they make sense at none, the one with the most text is shown, as bytes.
"""

import asyncio
import contextlib
import logging
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TextIO

import typer

from devices.spec.device import SerialSettings, StreamDevice
from devices.spec.events import Event, Noise
from devices.spec.sequence import Sequence
from gateway.cli.decode.lines import Lines
from gateway.cli.decode.listen import Port, opened, reading, run_on_port
from gateway.cli.decode.shown import bytes_shown, one_line

if TYPE_CHECKING:
    from devices.spec.device import Device
    from gateway.learn import Look

SPEEDS = (9600, 115_200, 57_600, 38_400, 19_200, 4800, 2400, 230_400)
TRY_BYTES = 1024
TRY_S = 2.5
LOOK_BYTES = 64
"""After so many further bytes the sample is looked at again."""

LONGEST_LINE = 4096

Data = bytes
"""`bytes` is a method of what takes them."""


class _Unread:
    """A decoder for which every byte is noise."""

    def feed(self, data: bytes) -> list[Event]:
        return [Noise(data)]

    def flush(self) -> list[Event]:
        return []


ANYTHING = StreamDevice(
    name="anything",
    title="Whatever a port says",
    domain="park",
    source="none",
    fields=(),
    expected_every_s=1.0,
    sequence=Sequence(()),
    serial=SerialSettings(baud=9600),
    decoder=_Unread,
    encode=lambda _reading: b"",
)
"""What the port is opened as; the bytes are taken before any decoder."""


class Watched:
    """What a port brings, kept and looked at: a `BytesIntake`. Prints once it has been told to."""

    def __init__(self, devices: "Mapping[str, Device]", terminal: bool) -> None:
        self.over = asyncio.Event()
        self.looked = asyncio.Event()
        self.error: BrokenPipeError | None = None
        self.look: Look | None = None
        self._devices = devices
        self._lines = Lines(live=True) if terminal else None
        self._sample = b""
        self._since_look = 0
        self._rest = b""
        self._printing = False
        self._said: frozenset[str | None] = frozenset()

    def bytes(self, data: bytes) -> int:
        """Take what was read. Whatever it is, it is what was asked for."""
        from gateway.learn import MOST_SAMPLE, look

        self._sample = (self._sample + data)[-MOST_SAMPLE:]
        self._since_look += len(data)
        if self._since_look >= LOOK_BYTES or self.look is None:
            self._since_look = 0
            self.look = look(self._sample, self._devices.values())
            self.looked.set()
        if self._printing:
            self._print(data)
        return 1

    def closed(self) -> None:
        """The port went away, or it is over: an unfinished line is shown as it is."""
        if self._printing and self._rest:
            self._print(b"\n")

    def forget(self) -> None:
        """Another speed: what came before meant nothing."""
        self._sample, self.look, self._since_look = b"", None, 0
        self.looked.clear()

    def start(self) -> None:
        """Print from now on, beginning with what has been kept."""
        self._printing = True
        self._print(self._sample)

    def end(self) -> None:
        """It is over: what has not been shown yet is."""
        if not self._printing and self.look is not None:
            self.start()
        self.closed()

    def _print(self, data: Data) -> None:
        if self.error is not None:
            return
        try:
            self._guesses()
            self._data(data)
            sys.stdout.flush()
        except BrokenPipeError as error:  # it would end the source like a fault of its own
            self.error = error
            self.over.set()

    def _guesses(self) -> None:
        """Say what it looks like, again where it has come to look like something else."""
        guesses = self.look.guesses if self.look is not None else ()
        found = frozenset(guess.device or guess.shape for guess in guesses)
        if found <= self._said:
            return
        self._said = found
        for guess in guesses:
            if self._lines is not None:
                self._lines.note(guess.words)
            else:
                self._say({"event": "guess", "words": guess.words, "device": guess.device, "shape": guess.shape})

    def _data(self, data: Data) -> None:
        if self.look is None or not self.look.lines:
            if data:
                self._say({"event": "bytes", "bytes": len(data), **bytes_shown(data)})
            return
        *lines, self._rest = (self._rest + data).replace(b"\r", b"\n").split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            lines.append(self._rest)
            self._rest = b""
        for line in lines:
            if line.strip():
                self._say({"event": "text", "bytes": len(line), "text": line.decode("utf-8", "replace")})

    def _say(self, values: dict[str, Any]) -> None:
        if self._lines is None:
            sys.stdout.write(one_line(values) + "\n")
        else:
            self._lines.say(values, None, None)


def watch(port: Port, terminal: bool) -> None:
    """Print what `port` says, and what it looks like."""
    with opened(port) as file:
        run_on_port(_watching(port, file, terminal), port, logging.WARNING)


async def _watching(port: Port, record: TextIO | None, terminal: bool) -> None:
    from devices.catalogue import installed
    from gateway.cli.loop import on_signals

    watched = Watched(installed(), terminal)
    on_signals(watched.over.set)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(port.for_s):
            await at_the_right_speed(port, watched, record)
    watched.end()
    if watched.error is not None:
        raise watched.error
    if watched.look is None:
        print("nothing came", file=sys.stderr)
        raise typer.Exit(1)


async def at_the_right_speed(port: Port, watched: Watched, record: TextIO | None) -> None:
    """Find the speed at which the bytes make sense, then print until it is over."""
    speeds = (port.baud,) if port.baud is not None or "://" in port.name else SPEEDS
    shares: dict[int | None, float] = {}
    for speed in speeds:
        async with reading(port, speed, ANYTHING, watched, record):
            look = await _first_look(watched)
            if look is None:
                return
            at = "" if speed is None else f"at {speed} baud: "
            print(f"{at}{look.size} bytes, {look.printable:.0%} text", file=sys.stderr)
            if look.guesses:
                watched.start()
                await watched.over.wait()
                return
        shares[speed] = look.printable
        watched.forget()
    best = max(shares, key=lambda speed: shares[speed])
    print(
        "it makes no sense at any speed tried; shown as bytes. Another speed (--baud) or parity (--parity), "
        "a line that is inverted or has no common ground, or a binary type that is not known here?",
        file=sys.stderr,
    )
    async with reading(port, best, ANYTHING, watched, record):
        watched.start()
        await watched.over.wait()


async def _first_look(watched: Watched) -> "Look | None":
    """The look at what has come, once it makes sense or is enough; None where it is over before."""
    over = asyncio.ensure_future(watched.over.wait())
    loop = asyncio.get_running_loop()
    deadline: float | None = None
    try:
        while True:
            looked = asyncio.ensure_future(watched.looked.wait())
            left = None if deadline is None else max(0.0, deadline - loop.time())
            await asyncio.wait((looked, over), timeout=left, return_when=asyncio.FIRST_COMPLETED)
            looked.cancel()
            if over.done():
                return None
            watched.looked.clear()
            look = watched.look
            if look is None:
                continue
            deadline = deadline or loop.time() + TRY_S
            if look.guesses or look.size >= TRY_BYTES or loop.time() >= deadline:
                return look
    finally:
        over.cancel()
