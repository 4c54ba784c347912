"""What a port says, printed as it comes."""

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import typer

from gateway.cli.decode.inputs import clip
from gateway.cli.decode.shown import Printed
from gateway.cli.usage import UsageError

if TYPE_CHECKING:
    from devices.spec.device import Device, StreamDevice
    from devices.spec.events import Event

LONGEST_FOR_S = 86400 * 366


class _Printing:
    """What a port brings, printed at once: a `BytesIntake`. `over` is set when nobody reads it any more."""

    def __init__(self, device: "StreamDevice") -> None:
        self.over = asyncio.Event()
        self.error: BrokenPipeError | None = None
        self._device = device
        self._decoder = device.decoder()
        self._printed = Printed(device, None, 0)

    def bytes(self, data: bytes) -> int:
        from devices.spec.events import Reading

        events = self._decoder.feed(data)
        self._print(events)
        return sum(isinstance(event, Reading) for event in events)

    def closed(self) -> None:
        self._print(self._decoder.flush())
        self._decoder = self._device.decoder()

    def _print(self, events: "list[Event]") -> None:
        if self.error is not None:
            return
        try:
            self._printed.events(events)
        except BrokenPipeError as error:  # it would end the source like a fault of its own
            self.error = error
            self.over.set()


def listen(
    device: "Device", port: str, baud: int | None, parity: str | None, for_s: float | None, record: Path | None
) -> None:
    """Print what `port` says. What is wrong with the port goes to stderr, a line for each reason."""
    from devices.spec.device import StreamDevice
    from gateway.cli.log import log_to_stderr
    from gateway.cli.loop import run_async

    if not isinstance(device, StreamDevice):
        raise UsageError(f"--port: {device.name} speaks MQTT, not serial; give a payload with --text or FILE")
    if not port.strip() or "\0" in port:
        raise UsageError("--port: expected a serial port, such as /dev/serial/by-id/usb-…")
    if baud is not None and not 1 <= baud <= 10_000_000:
        raise UsageError(f"--baud: expected a number from 1 to 10000000, got {baud}")
    if parity not in (None, "N", "E", "O"):
        raise UsageError(f"--parity: expected N, E or O, got {clip(parity or '')}")
    if for_s is not None and not 0 < for_s <= LONGEST_FOR_S:
        raise UsageError(f"--for: expected seconds, more than 0, got {for_s:g}")
    log_to_stderr(logging.WARNING)
    logging.getLogger("parkgate.serial").setLevel(logging.INFO)
    with _recording(record) as file:
        try:
            run_async(_listening(device, port, baud, parity, for_s, file))
        except BrokenPipeError:
            raise
        except OSError as error:
            if file is None:
                raise
            raise UsageError(f"--record: {record}: {error.strerror}") from error


@contextlib.contextmanager
def _recording(path: Path | None) -> Iterator[TextIO | None]:
    """A file that did not exist before: what a device once said cannot be had again."""
    if path is None:
        yield None
        return
    try:
        file = path.open("x", encoding="ascii", buffering=1)
    except FileExistsError:
        raise UsageError(f"--record: {path} is there already; give another name") from None
    except OSError as error:
        raise UsageError(f"--record: {path}: {error.strerror}") from error
    with file:
        yield file


async def _listening(
    device: "StreamDevice", port: str, baud: int | None, parity: Any, for_s: float | None, record: TextIO | None
) -> None:
    from gateway.cli.loop import on_signals
    from gateway.clock import SystemClock
    from gateway.config import SerialConfig
    from gateway.sources.replay import Recorder
    from gateway.sources.serial import SerialSource
    from gateway.stats import SourceStats

    printing = _Printing(device)
    intake = printing if record is None else Recorder(printing, record, SystemClock())
    on_signals(printing.over.set)
    config = SerialConfig(port, device.name, "", baud=baud, parity=parity)
    stats = SourceStats(f"serial:{port}")
    source = SerialSource(config, device, intake, SystemClock(), stats)
    reading = asyncio.create_task(source.run(), name=f"source[{source.name}]")
    over = asyncio.create_task(printing.over.wait())
    try:
        await asyncio.wait((reading, over), timeout=for_s, return_when=asyncio.FIRST_COMPLETED)
        source.stop_reading()
    finally:
        over.cancel()
        reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reading
        await source.close()
    printing.closed()
    if printing.error is not None:
        raise printing.error
    if not stats.connects:
        raise typer.Exit(1)  # why stands on stderr
