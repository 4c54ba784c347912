"""A GY-MCU680 board that obeys: it says what was selected, by itself or once a `read`; only frames are answers.

    select    what further frames have in them
    active    a measurement every period
    read      one measurement, and none by itself from now on
    save      what was selected stays; here nothing restarts

Switched on it says zeros first. Frames without the fields that carry the audit number are not counted.
Source: GY-MCU680V1 manual.
"""

from collections.abc import Mapping
from typing import Any

from devices.mcu680 import CHECK, FIELDS, chosen
from devices.spec.command import StreamCommand
from devices.spec.events import Reading, Value
from simulators.peer import Frame, Series, Warming


class Board(Warming):
    """See the module."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.says = {field.name for field in FIELDS}

    def warming(self, frame: bytes) -> bytes:
        return CHECK.sealed(frame[:4] + bytes(len(frame) - 5))

    def obey(self, command: StreamCommand, arguments: Mapping[str, Value]) -> bytes:
        match command.name:
            case "select":
                self.says = chosen(arguments) or self.says
            case "active":
                self.talking = True
            case "read":
                self.talking = False
                self.ask()
        return b""

    def _frame(self, reading: Reading, series: Series, number: int) -> Frame:
        if all(part.field in self.says for part in self.device.sequence.parts):
            reading.fields = self.device.sequence.embed(reading.fields, number)
            counted: int | None = number
        else:
            counted = None
        reading.fields = {name: value for name, value in reading.fields.items() if name in self.says}
        return Frame(self.device.encode(reading), series, counted, self.topic)
