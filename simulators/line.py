"""A line with simulated devices that answer when they are asked: several on one RS-485 pair, or one alone.

Sans-I/O: `receive` takes what the master says and gives back what the adapter echoes at once, `take`
gives the answers that are due. All encoding is the device type's own description.

    request of unit 3 --> every device hears it, unit 3 answers TURNAROUND_S later
    a request that no device here has: nobody answers

The audit number is in the answer that has the fields which carry it, and moves on with each such
answer, whether it gets out or not: one that does not is spoiled. A late answer comes at a seeded
time between the timeout and the end of `late_s`; a stranger is the answer with the next unit number.

A command of the type is answered step by step, without faults; what a device was told last it remembers.

Limits: at most 256 unread bytes are kept, at most 16 answers wait.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from devices.spec.command import PolledCommand, Step, To
from devices.spec.device import PolledDevice
from devices.spec.errors import EncodeError
from devices.spec.events import Reading, Value
from devices.spec.polled import Question
from simulators.faults import Injector, Wire
from simulators.peer import Epoch, Frame, Series
from simulators.signals import unit as chance

TURNAROUND_S = 0.02
MOST_UNREAD = 256
MOST_WAITING = 16


class Respondent:
    """One simulated device on a line. `unit` is its number, of no meaning for a type without."""

    def __init__(self, name: str, device: PolledDevice, epoch: Epoch, unit: int, seed: int = 0) -> None:
        self.name = name
        self.device = device
        self.unit = unit
        self.sent: Counter[Series] = Counter()
        self.injector: Injector | None = None
        """No strangers for a type without unit numbers."""
        self.requests = tuple(question.request(unit) for question in device.questions)
        self.told: dict[str, dict[str, Value]] = {}
        """What it was told last, by command: the arguments."""
        self._epoch = epoch
        self._seed = seed
        self._asked = 0

    def answer(self, question: Question, now_s: float) -> "Said":
        """What it says to one of its questions."""
        (reading,) = self._epoch(now_s)
        frame = self._frame(question, reading)
        wire, fate = (Wire((frame.data,), 1), "") if self.injector is None else self.injector.answer(frame.data)
        self._asked += 1
        at = now_s + TURNAROUND_S
        timing = self.device.timing
        if fate == "late":
            at = now_s + timing.timeout_s + timing.late_s * (0.1 + 0.8 * chance(self._seed, 0x1A7E + self._asked))
        elif fate == "stranger":
            said = {field.name: reading.fields[field.name] for field in question.fields if field.name in reading.fields}
            wire = Wire((*wire.pieces[:-1], question.answer(self._next_unit, said)), 0)
        return Said(at, self, frame, wire)

    def obey(self, command: PolledCommand, step: Step, arguments: dict[str, Value], now_s: float) -> "Said | None":
        """What it says to one step of a command; types with modes of their own say more, or nothing."""
        told = self.told[command.name] = self.told.get(command.name, {}) | arguments
        if command.answers == "never":
            return None
        try:
            data = step.answer(told, self.unit)
        except (EncodeError, KeyError):
            return None  # asked to say what it was never told
        return Said(now_s + TURNAROUND_S, self, Frame(data), Wire((data,), 1))

    def hear(self, data: bytes) -> "tuple[int, int, Question | tuple[PolledCommand, Step, dict[str, Value]]] | None":
        """What it is asked or told first in `data`: where that begins and ends, and what it is."""
        questions = zip(self.device.questions, self.requests, strict=True)
        asked = [
            (at, at + len(request), question) for question, request in questions if (at := data.find(request)) >= 0
        ]
        first = min(asked, key=lambda each: each[0], default=None)
        if not self.device.commands:
            return first
        to = To(unit=self.unit)
        for at in range(len(data) if first is None else first[0]):
            for command in self.device.commands:
                for step in command.steps:
                    heard = step.request.parse(data[at:], to)
                    if heard is not None:
                        return at, at + heard.size, (command, step, heard.arguments)
        return first

    @property
    def _next_unit(self) -> int:
        units = self.device.units
        return units[(units.index(self.unit) + 1) % len(units)]

    def _frame(self, question: Question, reading: Reading) -> Frame:
        names = {field.name for field in question.fields}
        number = self.sent[()]
        counted = self.device.sequence.embed(reading.fields, number)
        carries = all(part.field in names for part in self.device.sequence.parts)
        self.sent[()] += carries
        fields = {name: value for name, value in counted.items() if name in names}
        return Frame(question.answer(self.unit, fields), (), number if carries else None)


class Said(NamedTuple):
    """An answer that goes out at Unix time `at`."""

    at: float
    by: Respondent
    frame: Frame
    wire: Wire


class Line:
    """The devices on one line."""

    def __init__(self, respondents: Sequence[Respondent]) -> None:
        self._respondents = tuple(respondents)
        self._unread = b""
        self._waiting: list[Said] = []

    def receive(self, data: bytes, now_s: float) -> bytes:
        """Take what the master says; answer what comes back at once, the echo of an adapter."""
        self._unread += data
        echo = b""
        while (found := self._first()) is not None:
            start, end, respondent, what = found
            request, self._unread = self._unread[start:end], self._unread[end:]
            if respondent.injector is not None and respondent.injector.echoes():
                echo += request
            said = respondent.answer(what, now_s) if isinstance(what, Question) else respondent.obey(*what, now_s)
            if said is not None and len(self._waiting) < MOST_WAITING:
                self._waiting.append(said)
        self._unread = self._unread[-MOST_UNREAD:]
        return echo

    def due_s(self) -> float | None:
        """When the next answer is due, or None."""
        return min((said.at for said in self._waiting), default=None)

    def take(self, now_s: float) -> list[Said]:
        """The answers that are due, in their order."""
        due = sorted((said for said in self._waiting if said.at <= now_s), key=lambda said: said.at)
        self._waiting = [said for said in self._waiting if said.at > now_s]
        return due

    def forget(self) -> list[Said]:
        """Nobody listens any more; the answers that do not go out."""
        waiting, self._waiting, self._unread = self._waiting, [], b""
        return waiting

    def _first(self) -> "tuple[int, int, Respondent, Question | tuple[PolledCommand, Step, dict[str, Value]]] | None":
        """The request that comes first in what was not read yet: where it begins and ends, whose it is, which."""
        found = [
            (start, end, respondent, what)
            for respondent in self._respondents
            if (heard := respondent.hear(self._unread)) is not None
            for start, end, what in (heard,)
        ]
        return min(found, key=lambda each: each[0], default=None)
