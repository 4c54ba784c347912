"""A Sensirion SCD30: for FIRST_S after the first question, as after power on, it has measured nothing yet.

Asked for its values then, it answers zero throughout; whether there is a new one, that there is none.
Source: Sensirion SCD30 interface description 1.0, 1.4.4: a measurement every two seconds from the start on.
"""

from devices.modbus import rtu
from devices.spec.polled import Question
from simulators.faults import Wire
from simulators.line import TURNAROUND_S, Respondent, Said
from simulators.peer import Frame

FIRST_S = 2.0


class CarbonDioxide(Respondent):
    """See the module."""

    _since_s: float | None = None

    def answer(self, question: Question, now_s: float) -> Said:
        if self._since_s is None:
            self._since_s = now_s
        if now_s - self._since_s >= FIRST_S:
            return super().answer(question, now_s)
        size = question.size - 5
        said = rtu.sealed(bytes((self.unit, 3, size)) + bytes(size))
        return Said(now_s + TURNAROUND_S, self, Frame(said), Wire((said,), 1))
