"""What a device that is asked answers on a port, printed as it comes: a reading for each round of questions."""

import asyncio
import sys
from typing import TYPE_CHECKING, TextIO

import typer

from gateway.cli.decode.listen import Port, opened, run_on_port, running
from gateway.cli.decode.shown import Printed
from gateway.cli.usage import UsageError

if TYPE_CHECKING:
    from devices.spec.device import PolledDevice
    from devices.spec.events import Event, Reading

LEAST_S, MOST_S = 0.05, 86400.0
MOST_TRIED = 512
"""Bytes that are looked through for the answer of another unit."""


class _Printing:
    """An `AnswerIntake`. `ended` is set when nobody reads what is printed any more."""

    def __init__(self, device: "PolledDevice", unit: int, terminal: bool) -> None:
        self.ended = asyncio.Event()
        self.error: BrokenPipeError | None = None
        self._printed = Printed(device, None, 0, terminal=terminal, live=True)
        self._readings: list[Reading] = []
        self._who = f"unit {unit}" if device.units else f"the {device.name}"

    def events(self, events: "list[Event]", data: bytes) -> None:
        """Print what is no reading; `data` is in it, or in the recording."""
        del data
        from devices.spec.events import Reading

        self._readings += [event for event in events if isinstance(event, Reading)]
        self._print([event for event in events if not isinstance(event, Reading)])

    def failed(self, fault: Exception, data: bytes) -> None:
        from devices.spec.events import SanityError

        self._print([SanityError(f"decoder failed: {fault!r}"[:200], data)])

    def unanswered(self) -> None:
        print(f"no answer from {self._who}", file=sys.stderr, flush=True)

    def over(self) -> None:
        from devices.spec.polled import together

        if self._readings:
            self._print([together(self._readings)])
        self._readings = []

    def _print(self, events: "list[Event]") -> None:
        if self.error is not None or not events:
            return
        try:
            self._printed.events(events)
        except BrokenPipeError as error:  # it would end the source like a fault of its own
            self.error = error
            self.ended.set()


class _Unread:
    """A `BytesIntake` behind a recorder: the bytes are decoded elsewhere."""

    def bytes(self, _data: bytes) -> int:
        return 0

    def closed(self) -> None:
        pass


def other_unit(device: "PolledDevice", unit: int, data: bytes) -> int | None:
    """The first unit but `unit` that has answered in `data`; None where there is none."""
    from devices.spec.events import IntegrityError, Noise

    for other in device.units:
        if other != unit:
            decoder = device.decoder(other)
            events = decoder.feed(data) + decoder.flush()
            if not all(isinstance(event, Noise | IntegrityError) for event in events):
                return other
    return None


def ask(device: "PolledDevice", port: Port, unit: int | None, every_s: float | None, terminal: bool) -> None:
    """Ask `unit` (None: the number it is delivered with) on `port` again and again, and print what it answers."""
    if every_s is not None and not LEAST_S <= every_s <= MOST_S:
        raise UsageError(f"--every: expected seconds from {LEAST_S:g} to {MOST_S:g}, got {every_s:g}")
    every = device.expected_every_s if every_s is None else every_s
    with opened(port) as file:
        run_on_port(_asking(device, port, device.unit if unit is None else unit, every, file, terminal), port)


async def _asking(
    device: "PolledDevice", port: Port, unit: int, every_s: float, record: TextIO | None, terminal: bool
) -> None:
    from gateway.cli.loop import on_signals
    from gateway.clock import SystemClock
    from gateway.config import SerialConfig
    from gateway.sources.replay import Recorder
    from gateway.sources.serial import Asked, PolledSource
    from gateway.stats import SourceStats

    printing, clock = _Printing(device, unit, terminal), SystemClock()
    on_signals(printing.ended.set)
    thing = Asked(device=device, unit=unit, every_s=every_s, timeout_s=device.timing.timeout_s, intake=printing)
    config = SerialConfig(port.name, device.name, "", baud=port.baud, parity=port.parity)
    stats = SourceStats(f"serial:{port.name}")
    raw = None if record is None else Recorder(_Unread(), record, clock).bytes
    source = PolledSource(config, [thing], clock, stats, raw=raw)
    ended = asyncio.create_task(printing.ended.wait())
    try:
        async with running(source) as task:
            await asyncio.wait((task, ended), timeout=port.for_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        ended.cancel()
    if printing.error is not None:
        raise printing.error
    if not stats.connects or source.last_bytes_monotonic is None:
        raise typer.Exit(1)  # why stands on stderr: no port, or no answer ever
