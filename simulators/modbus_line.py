"""A line of Modbus RTU on which a master reads two meters.

Of unit 1 only the answers are heard, a register each: the audit count is in it. Now and then the master reads unit 2 as
well, question and answer, and asks it for what it does not have.
"""

from devices.modbus.modbus_rtu import UNIT, encode
from devices.spec.events import Reading, Value
from simulators.peer import Epoch, Frame, Instrument
from simulators.scene import Scene
from simulators.signals import NOWHERE, Spot

EVERY = 10
FIRST = 70


def _told(unit: str, message: str, **fields: Value) -> Reading:
    return Reading({"message": message, "function_code": 4, **fields}, tags={UNIT: unit})


def epoch(seed: int, _topic: str, _spot: Spot = NOWHERE) -> Epoch:
    """The voltage of unit 1 in tenths of a volt."""
    scene = Scene.of(seed)

    def at(moment: float) -> list[Reading]:
        return [_told("1", "answer", word_0=float(round(10 * scene.mains.voltage(moment, 1))))]

    return at


class Line(Instrument):
    """See the module."""

    def _frames(self, moments: list[float]) -> list[Frame]:
        beside = [frame for moment in moments if int(moment) % EVERY == 0 for frame in self._beside(moment)]
        return [*super()._frames(moments), *beside]

    def _beside(self, moment: float) -> list[Frame]:
        frequency = float(5000 + int(moment) // EVERY % 3)
        said = (
            _told("2", "question", address=FIRST, count=1),
            _told("2", "answer", word_0=frequency),
            _told("2", "question", address=FIRST + 1000, count=1),
            _told("2", "refusal", exception_code=2),
        )
        return [Frame(encode(reading)) for reading in said]
