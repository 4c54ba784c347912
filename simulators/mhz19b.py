"""A Winsen MH-Z19B: for a second from the first question on (real ones take a minute) it answers that it starts.

Source: bytes 6 and 7 at the start, as ESPEasy P049 observes them.
"""

from devices.spec.polled import Question
from devices.winsen.family import starting
from simulators.faults import Wire
from simulators.line import TURNAROUND_S, Respondent, Said
from simulators.peer import Frame

STARTS_S = 1.0


class Winsen(Respondent):
    """See the module."""

    _since_s: float | None = None

    def answer(self, question: Question, now_s: float) -> Said:
        if self._since_s is None:
            self._since_s = now_s
        if now_s - self._since_s >= STARTS_S:
            return super().answer(question, now_s)
        said = starting()
        return Said(now_s + TURNAROUND_S, self, Frame(said), Wire((said,), 1))
