"""`parkgate decode --port P` without a device type: what comes, at which speed, and what it looks like.

Where no speed is given the one at which the bytes make sense is found (`speed`). Where they make sense
at none they are shown as bytes.
"""

import asyncio
import contextlib
import logging
import shlex
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TextIO

import typer

from gateway.cli.decode.listen import Port, opened, run_on_port
from gateway.cli.decode.shown import bytes_shown, lines, one_line
from gateway.cli.decode.speed import at_the_right_speed

if TYPE_CHECKING:
    from devices.spec.device import Device
    from gateway.learn import Look

LOOK_BYTES = 64
"""After so many further bytes the sample is looked at again."""

LONGEST_LINE = 4096

Data = bytes
"""`bytes` is a method of what takes them."""


class Watched:
    """What a port brings, kept and looked at: a `BytesIntake`. Prints once it has been told to."""

    def __init__(self, port: str, devices: "Mapping[str, Device]", terminal: bool) -> None:
        self._port = port
        self.over = asyncio.Event()
        self.looked = asyncio.Event()
        self.error: BrokenPipeError | None = None
        self.look: Look | None = None
        self.baud: int | None = None
        self.opened = False
        self._devices = devices
        self._lines = lines(live=True) if terminal else None
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
        known = [guess.device for guess in guesses if guess.device is not None]
        hints = [_alike(known)]
        if any(guess.shape in ("json", "keys", "columns") for guess in guesses) and not (known or self._few()):
            hints.append(f"`parkgate learn --port {shlex.quote(self._port)}` makes a device type of it")
        for hint in filter(None, hints):
            print(hint, file=sys.stderr, flush=True)

    def _few(self) -> bool:
        """Whether a known type reads the lines, of which there are too few yet to be sure."""
        from gateway.learn import few

        return bool(few(self._sample, self._devices.values()))

    def _data(self, data: Data) -> None:
        from gateway.learn import PRINTABLE

        if self.look is None or not self.look.lines:
            if self.look is not None and self.look.printable >= PRINTABLE and data.strip():
                self._say({"event": "text", "bytes": len(data), "text": data.decode("utf-8", "replace")})
            elif data:
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


def _alike(devices: list[str]) -> str:
    """What to say where several types fit."""
    if len(devices) < 2:
        return ""
    return f"{', '.join(devices[:-1])} and {devices[-1]}: their frames are the same, only you can tell which it is"


def watch(port: Port, terminal: bool, devices: "Mapping[str, Device]") -> None:
    """Print what `port` says, and which of `devices` it looks like."""
    with opened(port) as file:
        run_on_port(_watching(port, file, terminal, devices), port, logging.WARNING)


async def _watching(port: Port, record: TextIO | None, terminal: bool, devices: "Mapping[str, Device]") -> None:
    from gateway.cli.loop import on_signals

    watched = Watched(port.name, devices, terminal)
    on_signals(watched.over.set)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(port.for_s):
            await at_the_right_speed(port, watched, record)
    watched.end()
    if watched.error is not None:
        raise watched.error
    if watched.look is None:
        if watched.opened:  # else why not stands on stderr
            asked = "some devices speak only when they are asked: --device NAME --unit N"
            print(f"nothing came; {asked}", file=sys.stderr)
        raise typer.Exit(1)
