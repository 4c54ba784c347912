"""What a port says, printed as it comes."""

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import typer

from gateway.cli.decode.inputs import clip
from gateway.cli.decode.shown import Printed
from gateway.cli.usage import UsageError
from gateway.state import LinkRefused, open_private

if TYPE_CHECKING:
    from devices.spec.device import Device, StreamDevice
    from devices.spec.events import Event
    from gateway.intake import BytesIntake
    from gateway.sources.serial import PolledSource, SerialSource
    from gateway.stats import SourceStats

LONGEST_FOR_S = 86400 * 366


class _Printing:
    """What a port brings, printed at once: a `BytesIntake`. `over` is set when nobody reads it any more."""

    def __init__(self, device: "StreamDevice", terminal: bool) -> None:
        self.over = asyncio.Event()
        self.error: BrokenPipeError | None = None
        self._device = device
        self._decoder = device.join()
        self._printed = Printed(device, None, 0, terminal=terminal, live=True)

    def bytes(self, data: bytes) -> int:
        from devices.spec.events import Reading

        events = self._decoder.feed(data)
        self._print(events)
        return sum(isinstance(event, Reading) for event in events)

    def closed(self) -> None:
        self._print(self._decoder.flush())
        self._decoder = self._device.join()

    def _print(self, events: "list[Event]") -> None:
        if self.error is not None:
            return
        try:
            self._printed.events(events)
        except BrokenPipeError as error:  # it would end the source like a fault of its own
            self.error = error
            self.over.set()


@dataclass(frozen=True, slots=True)
class Port:
    """What was asked for with `--port`. UsageError where it cannot be."""

    name: str
    baud: int | None
    parity: Any
    for_s: float | None
    record: Path | None

    def __post_init__(self) -> None:
        if not self.name.strip() or "\0" in self.name:
            raise UsageError("--port: expected a serial port, such as /dev/serial/by-id/usb-…")
        from devices.spec.device import BAUD

        slowest, fastest = BAUD
        if self.baud is not None and not slowest <= self.baud <= fastest:
            raise UsageError(f"--baud: expected a number from {slowest} to {fastest}, got {self.baud}")
        if self.parity not in (None, "N", "E", "O"):
            raise UsageError(f"--parity: expected N, E or O, got {clip(self.parity)}")
        if self.for_s is not None and not 0 < self.for_s <= LONGEST_FOR_S:
            raise UsageError(f"--for: expected seconds, more than 0, got {self.for_s:g}")


def listen(device: "Device", port: Port, terminal: bool) -> None:
    """Print what `port` says. What is wrong with the port goes to stderr, a line for each reason."""
    from devices.spec.device import StreamDevice

    if not isinstance(device, StreamDevice):
        raise UsageError(f"--port: {device.name} speaks MQTT, not serial; give a payload with --text or FILE")
    with opened(port) as file:
        run_on_port(_listening(device, port, file, terminal), port)


def run_on_port(main: Coroutine[Any, Any, None], port: Port, level: int = logging.INFO) -> None:
    """Run what reads `port`; what is wrong with the port is logged to stderr, from `level` on."""
    from gateway.cli.log import log_to_stderr
    from gateway.cli.loop import run_async

    log_to_stderr(logging.WARNING)
    logging.getLogger("parkgate.serial").setLevel(level)
    try:
        run_async(main)
    except BrokenPipeError:
        raise
    except OSError as error:
        if port.record is None:
            raise
        raise UsageError(f"--record: {port.record}: {error.strerror}") from error


@contextlib.contextmanager
def opened(port: Port) -> Iterator[TextIO | None]:
    """The file to record to. One that did not exist before: a recording is never overwritten.

    For this user only.
    """
    path = port.record
    if path is None:
        yield None
        return
    try:
        file = os.fdopen(open_private(path, os.O_WRONLY | os.O_EXCL), "w", encoding="ascii", buffering=1)
    except (FileExistsError, LinkRefused):
        raise UsageError(f"--record: {path} is there already; give another name") from None
    except OSError as error:
        raise UsageError(f"--record: {path}: {error.strerror}") from error
    with file:
        yield file


@contextlib.asynccontextmanager
async def reading(
    port: Port, baud: int | None, device: "StreamDevice", intake: "BytesIntake", record: TextIO | None
) -> "AsyncIterator[tuple[asyncio.Task[None], SourceStats]]":
    """The port, read into `intake` while this is open: the task that does it, and what is counted."""
    from gateway.clock import SystemClock
    from gateway.config import SerialConfig
    from gateway.sources.replay import Recorder
    from gateway.sources.serial import SerialSource
    from gateway.stats import SourceStats

    clock = SystemClock()
    into = intake if record is None else Recorder(intake, record, clock)
    config = SerialConfig(port.name, device.name, "", baud=baud, parity=port.parity)
    stats = SourceStats(f"serial:{port.name}")
    source = SerialSource(config, device, into, clock, stats)
    async with running(source) as task:
        yield task, stats


@contextlib.asynccontextmanager
async def running(source: "SerialSource | PolledSource") -> "AsyncIterator[asyncio.Task[None]]":
    """A source that reads while this is open: the task that does it."""
    task = asyncio.create_task(source.run(), name=f"source[{source.name}]")
    try:
        yield task
        source.stop_reading()
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await source.close()


async def _listening(device: "StreamDevice", port: Port, record: TextIO | None, terminal: bool) -> None:
    from gateway.cli.loop import on_signals

    printing = _Printing(device, terminal)
    on_signals(printing.over.set)
    over = asyncio.create_task(printing.over.wait())
    try:
        async with reading(port, port.baud, device, printing, record) as (task, stats):
            await asyncio.wait((task, over), timeout=port.for_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        over.cancel()
    printing.closed()
    if printing.error is not None:
        raise printing.error
    if not stats.connects:
        raise typer.Exit(1)  # why stands on stderr
