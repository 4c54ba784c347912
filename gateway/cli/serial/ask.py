"""What answers on a port when it is asked: each type its harmless questions, once."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from devices.spec.device import PolledDevice, SerialSettings
from devices.spec.events import Empty, Event, Reading
from gateway.cli.decode import Port, running
from gateway.cli.serial.found import Fit

EVERY_S = 3600.0
"""Longer than all questions take: each type has one round."""


class _Counting:
    """An `AnswerIntake` that counts what one type is answered. `done` is set after its round."""

    def __init__(self) -> None:
        self.done = asyncio.Event()
        self.values: set[str] = set()
        self.answers = 0

    def events(self, events: list[Event], data: bytes) -> None:
        del data
        for event in events:
            if isinstance(event, Reading):
                self.values |= event.fields.keys()
            self.answers += isinstance(event, Reading | Empty)

    def failed(self, fault: Exception, data: bytes) -> None:
        del fault, data

    def unanswered(self) -> None:
        pass

    def over(self) -> None:
        self.done.set()


def harmless(device: PolledDevice) -> PolledDevice | None:
    """The type with only those of its questions that change nothing; None where there are none."""
    questions = tuple(question for question in device.questions if question.harmless)
    names = {field.name for question in questions for field in question.fields}
    fields = tuple(field for field in device.fields if field.name in names)
    return replace(device, questions=questions, fields=fields) if fields else None


async def answers(
    port: Port, settings: SerialSettings, devices: Sequence[PolledDevice], unit: int | None
) -> tuple[list[Fit], bytes]:
    """The types that are answered at a framing, and all that came."""
    from gateway.clock import SystemClock
    from gateway.config import SerialConfig
    from gateway.sources.serial import Asked, PolledSource
    from gateway.stats import SourceStats

    things: list[tuple[Asked, _Counting, PolledDevice]] = []
    for whole in devices:
        device = harmless(whole)
        if device is None:
            continue
        number = (unit if unit is not None else device.unit) if device.units else 0
        intake, timeout_s = _Counting(), device.timing.timeout_s
        asked = Asked(device=device, unit=number, every_s=EVERY_S, timeout_s=timeout_s, intake=intake)
        things.append((asked, intake, whole))
    if not things:
        return [], b""
    heard: list[bytes] = []
    config = SerialConfig(port.name, "", "", baud=settings.baud, parity=settings.parity)
    stats = SourceStats(f"serial:{port.name}")
    source = PolledSource(config, [thing for thing, _, _ in things], SystemClock(), stats, raw=heard.append)
    async with running(source):
        for _, intake, _ in things:
            await intake.done.wait()
    fits = [
        Fit(
            device=device.name,
            settings=settings,
            own=device.serial,
            share=len(intake.values) / len(thing.device.fields),
            frames=intake.answers,
            values=len(intake.values),
            sure=device.checked,
            unit=thing.unit,
        )
        for thing, intake, device in things
        if intake.answers
    ]
    return fits, b"".join(heard)
