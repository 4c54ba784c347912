"""A Honeywell HPMA115 that obeys: told to, it answers A5 A5; asleep it refuses to be read with 96 96.

    passive   measures, and says it only when read, in the short form
    active    a frame by itself every period
    sleep     says nothing; wake goes on in the mode it was in, first with masses of zero
    adjust    answered, and said again by `adjustment`; the values stay what they were

Source: Honeywell HPM Series data sheet 32322550, issue F, tables 4 and 6.
"""

from collections.abc import Mapping
from typing import Any

from devices.honeywell.family import NACK, SUM, compact
from devices.spec.command import StreamCommand
from devices.spec.events import Reading, Value
from simulators.peer import Frame, Sensor, Series


class Honeywell(Sensor):
    """See the module."""

    hears_asleep = frozenset({"sleep", "wake", "active", "passive", "adjust", "adjustment"})
    wakes_active = False

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.adjustment: Value = 100.0

    def obey(self, command: StreamCommand, arguments: Mapping[str, Value]) -> bytes:
        if self.asleep and command.name == "read":
            return NACK
        if command.name == "adjust":
            self.adjustment = arguments["adjustment_pct"]
        if command.name == "adjustment":
            return self.device.encode(Reading({"adjustment_pct": self.adjustment}))
        return super().obey(command, arguments)

    def warming(self, frame: bytes) -> bytes:
        return SUM.sealed(frame[:4] + bytes(len(frame) - 6))

    def _frame(self, reading: Reading, series: Series, number: int) -> Frame:
        frame = super()._frame(reading, series, number)
        return frame if self.active else frame._replace(data=compact(reading.fields))
