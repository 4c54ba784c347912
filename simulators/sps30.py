"""A Sensirion SPS30: idle until it is told to measure, as after power on; then a measurement every second.

    idle          refuses to be read: state 43
    told to       done; told again: state 43
    first second  all zero
    then          what it measured, once each second; asked sooner, nothing

Told to restart, it is idle again. Only measurements carry the audit number, and only they get faults.
Source: Sensirion SPS30 data sheet (March 2020), 4.1 and 5.3.
"""

from devices.sensirion import shdlc
from devices.sensirion.sps30 import FLOATS, READ, START
from devices.spec.command import PolledCommand, Step
from devices.spec.events import Value
from devices.spec.polled import Question
from simulators.faults import Wire
from simulators.line import TURNAROUND_S, Respondent, Said
from simulators.peer import Frame

EVERY_S = 1.0


class Particles(Respondent):
    """See the module."""

    _since_s: float | None = None
    _read_s = float("-inf")

    def answer(self, question: Question, now_s: float) -> Said:
        said = self._start(now_s) if question.starts else self._unable(now_s)
        if said is not None:
            return Said(now_s + TURNAROUND_S, self, Frame(said), Wire((said,), 1))
        self._read_s = now_s
        return super().answer(question, now_s)

    def obey(self, command: PolledCommand, step: Step, arguments: dict[str, Value], now_s: float) -> Said | None:
        if command.name == "restart":
            self._since_s = None
        return super().obey(command, step, arguments, now_s)

    def _start(self, now_s: float) -> bytes:
        if self._since_s is not None:
            return shdlc.answer(START, state=shdlc.NOT_NOW)
        self._since_s = now_s
        return shdlc.answer(START)

    def _unable(self, now_s: float) -> bytes | None:
        """What it says where it has measured nothing, or nothing new."""
        if self._since_s is None:
            return shdlc.answer(READ, state=shdlc.NOT_NOW)
        if now_s - self._since_s < EVERY_S:
            return shdlc.answer(READ, bytes(FLOATS.size))
        return shdlc.answer(READ) if now_s - self._read_s < EVERY_S else None
