"""Questions and answers: what a polled device is asked, and what its answer looks like. Sans-I/O, no clock.

    request --------------> unit 7
            <-------------- noise | echo of the request | noise | answer

An answer does not say which question it answers, so a `Question` knows what its own answer looks
like, and an `Exchange` holds it from the request to the answer or the timeout:

* A frame is an answer only where unit number, kind and length are those of the question and its
  check holds. All else is dropped byte by byte: noise, or an integrity error where it began like
  the answer. What another unit says is never taken for this one's; where the type knows it, it is
  noise of its own that says whose.
* An answer in which every value is absent is `Empty`.
* The echo of the request that many RS-485 adapters give back is stripped; it is no fault.
* The events do not depend on how the bytes were cut, but that noise may come in pieces.

A `Round` is one visit to a thing: its questions one by one, and the one reading that their answers
make together. What is not answered costs the others nothing: their values are stored all the same.
Where none was answered yet, the first silence ends the round, and the next asks only what was asked
least in vain: a dead thing costs one timeout a round. A question that goes unanswered while others
are answered comes last, and in every 2nd, 4th ... 32nd round only (MOST_SKIPPED); it is never given up. One that
brings no fields wakes the device: it begins every round, and is asked as often as its `tries` say. One that `starts`
it is asked only where the round before brought no value.

Limits: what waits is shorter than the longest answer; every byte is part of one event or of the echo.
Source: Modbus over serial line V1.02, 2.5 (the answer of RTU); others answer in the same manner.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from devices.spec.errors import DescriptionError
from devices.spec.events import Empty, Event, IntegrityError, Noise, Reading, SanityError, Value
from devices.spec.field import Field

MOST_SKIPPED = 31


class Answer(NamedTuple):
    """The first `size` bytes are the whole, checked answer; what it says is `event`.

    None: that it came is all, as where a device that sleeps is woken. It is no event then, as the echo is none.
    """

    size: int
    event: Reading | Empty | SanityError | None


class NotMine(NamedTuple):
    """No answer to this question begins here.

    `why`, where `size` bytes began like one and the check failed: an integrity error. With `whole` they are
    somebody else's frame, whose check holds: noise that is told by its reason. `size` 0: more has to come to tell.
    """

    size: int = 1
    why: str = ""
    whole: bool = False


Verdict = Answer | NotMine | None
"""What bytes are for a question that waits; None while they may become its answer and more have to come."""


@dataclass(frozen=True, slots=True)
class Question:
    """One thing that a device is asked.

    `request(unit)` are the bytes that ask unit number `unit`; `judge(unit, data)` says what bytes that
    begin with `data` are; `answer(unit, fields)` are the bytes that the device answers with
    (EncodeError where it could not say that), `refuse(unit)` those it refuses with, where it can.
    `fields` are those that an answer brings, `size` is how many bytes a whole one has at most. A question is
    `harmless` where asking it changes nothing at any device; others are not asked of what is not known.
    A question is asked up to `tries` times in a row before it counts as asked in vain: what wakes a device
    that sleeps through the first. What `starts` a device (it brings no fields) is not said again while the
    others bring values.
    """

    name: str
    request: Callable[[int], bytes]
    judge: Callable[[int, bytes], Verdict]
    answer: Callable[[int, Mapping[str, Value]], bytes]
    fields: tuple[Field, ...]
    size: int
    refuse: Callable[[int], bytes] | None = None
    harmless: bool = True
    tries: int = 1
    starts: bool = False


@dataclass(frozen=True, slots=True)
class Timing:
    """How long things take on the line, in seconds; what the bytes themselves take comes on top.

    `timeout_s`: after the request, until the first byte of the answer. `silence_s`: at least so long
    nobody speaks before the next question (never less than 3.5 characters). `late_s`: after a timeout,
    how long the answer may still come; until then this unit is asked nothing.
    """

    timeout_s: float = 0.5
    silence_s: float = 0.01
    late_s: float = 1.0

    def __post_init__(self) -> None:
        if not (0 < self.timeout_s <= 60 and 0 <= self.silence_s <= 10 and 0 <= self.late_s <= 60):
            raise DescriptionError(
                f"timing {self}: expected timeout_s above 0 and up to 60, silence_s from 0 to 10, late_s from 0 to 60"
            )


class _Echo(NamedTuple):
    """The first `size` bytes are the request itself, given back by the adapter."""

    size: int


class _Found(NamedTuple):
    """What was found in a buffer; `rest` waits for more."""

    events: list[Event]
    rest: bytes
    answered: bool
    echoed: bool


def _search(
    buffer: bytes, longest: int, judge: Callable[[bytes], Verdict | _Echo], once: bool, patient: bool
) -> _Found:
    """Cut answers out of `buffer`, only the first where `once`; what stands behind that is noise.

    Who is `patient` also waits for the rest of what may be somebody else's frame.
    """
    events: list[Event] = []
    position = noise = 0
    answered = echoed = False
    while position < len(buffer) and not (answered and once):
        verdict = judge(buffer[position : position + longest])
        if verdict is None:
            break
        if isinstance(verdict, NotMine) and not verdict.why:
            if patient and not verdict.size:
                break
            position += verdict.size or 1
            continue
        if position > noise:
            events.append(Noise(buffer[noise:position]))
        size = verdict.size
        if isinstance(verdict, Answer):
            answered = True
            if verdict.event is not None:
                events.append(_told(verdict.event, buffer[position : position + size]))
        elif isinstance(verdict, NotMine) and verdict.whole:
            events.append(Noise(buffer[position : position + size], verdict.why))
        elif isinstance(verdict, NotMine):
            size = _beginning(buffer[position : position + size], judge)
            events.append(IntegrityError(verdict.why, buffer[position : position + size]))
        else:
            echoed = True
        position += size
        noise = position
    if answered and once:
        position = len(buffer)
    if position > noise:
        events.append(Noise(buffer[noise:position]))
    return _Found(events, buffer[position:], answered, echoed)


def _told(event: Reading | Empty | SanityError, data: bytes) -> Event:
    """What an answer says; one in which every value is absent has nothing to report."""
    if isinstance(event, Reading) and not event.fields and not event.field_errors:
        return Empty("every value is absent", data)
    return event


def _beginning(window: bytes, judge: Callable[[bytes], Verdict | _Echo]) -> int:
    """How many bytes of a broken answer there are before the next that may begin something."""
    for start in range(1, len(window)):
        verdict = judge(window[start:])
        if not isinstance(verdict, NotMine) or verdict.why:
            return start
    return len(window)


class Exchange:
    """One question to one unit, waiting for its answer.

    It also waits for the rest of what may be somebody else's frame, to tell it, unless it is not `patient`.
    `rest` are the last bytes, as long as they may be the beginning of an answer (or of the echo).
    """

    __slots__ = ("_longest", "_unit", "answered", "brought", "echoed", "patient", "question", "request", "rest")

    def __init__(self, question: Question, unit: int) -> None:
        self.question = question
        self.request = question.request(unit)
        self.answered = False
        self.brought = False
        self.echoed = False
        self.patient = True
        self._unit = unit
        self._longest = max(question.size, len(self.request))
        self.rest = b""

    @property
    def begun(self) -> bool:
        """Whether what came last may be the beginning of an answer (or of the echo)."""
        return bool(self.rest)

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes from the line; answer the events they complete.

        `answered` is true from the answer on, `brought` where that had values.
        """
        if self.answered:
            return [Noise(data)] if data else []
        found = _search(self.rest + data, self._longest, self._judge, once=True, patient=self.patient)
        self.rest, self.answered = found.rest, found.answered
        self.brought = self.brought or any(isinstance(event, Reading) for event in found.events)
        self.echoed = self.echoed or found.echoed
        return found.events

    def end(self) -> list[Event]:
        """Nothing more is waited for: what waited for its rest is dropped byte by byte, for an answer may lie in it."""
        events: list[Event] = []
        while self.rest:
            rest, self.rest = self.rest, b""
            events += [Noise(rest[:1]), *self.feed(rest[1:])]
        return events

    def _judge(self, window: bytes) -> Verdict | _Echo:
        verdict = self.question.judge(self._unit, window)
        if isinstance(verdict, Answer) or (verdict is None and window == self.request):
            return verdict
        if window.startswith(self.request):
            return _Echo(len(self.request))
        return None if self.request.startswith(window) else verdict


class Overheard:
    """The decoder of a recording: answers of one unit to any of its questions, whoever asked them.

    Implements `devices.spec.device.Decoder`. Which question an answer is to is told by its length
    alone, so a type whose questions have answers of one size cannot be told apart.
    """

    def __init__(self, questions: tuple[Question, ...], unit: int) -> None:
        self._questions = questions
        self._requests = tuple(question.request(unit) for question in questions)
        self._unit = unit
        self._longest = max(max(question.size for question in questions), *map(len, self._requests))
        self._rest = b""

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes, however they were cut; answer the events they complete."""
        found = _search(self._rest + data, self._longest, self._judge, once=False, patient=True)
        self._rest = found.rest
        return found.events

    def flush(self) -> list[Event]:
        """The recording has ended: what waited for its rest is dropped byte by byte."""
        events: list[Event] = []
        while self._rest:
            rest, self._rest = self._rest, b""
            events += [Noise(rest[:1]), *self.feed(rest[1:])]
        return events

    def _judge(self, window: bytes) -> Verdict | _Echo:
        verdicts = [question.judge(self._unit, window) for question in self._questions]
        for verdict in verdicts:
            if isinstance(verdict, Answer):
                return verdict
        for request in self._requests:
            if window.startswith(request):
                return _Echo(len(request))
        if None in verdicts or any(request.startswith(window) for request in self._requests):
            return None
        told = [verdict for verdict in verdicts if isinstance(verdict, NotMine) and verdict != NotMine()]
        return max(told, key=lambda verdict: bool(verdict.why), default=NotMine())


class Round:
    """The visits to one thing: which question is next in this round, and which were in vain."""

    def __init__(self, questions: tuple[Question, ...], unit: int) -> None:
        self.unit = unit
        self._questions = questions
        self._missed = [0] * len(questions)
        self._number = 0
        self._left: list[int] = []
        self._asked = 0
        self._tries = 0
        self._answered = False
        self._alive = True
        self._exchange: Exchange | None = None
        self._brought = False

    def begin(self) -> None:
        """A new round."""
        self._number += 1
        self._answered = False
        self._tries = 0
        runs, self._brought = self._brought, False
        numbered = list(enumerate(self._questions))
        knocks = [index for index, question in numbered if not question.fields and not (question.starts and runs)]
        order = sorted((index for index, question in numbered if question.fields), key=self._missed.__getitem__)
        if self._alive:
            self._left = knocks + [
                index for index in order if self._number % min(1 << self._missed[index], MOST_SKIPPED + 1) == 0
            ]
        else:
            self._left = (knocks + order)[:1]

    def next(self) -> Exchange | None:
        """The next question of this round, None where it is over."""
        if not self._left:
            return None
        self._asked = self._left.pop(0)
        self._tries += 1
        self._exchange = Exchange(self._questions[self._asked], self.unit)
        return self._exchange

    def result(self, answered: bool) -> None:
        """How the last question went. A refusal is an answer."""
        self._brought = self._brought or (self._exchange is not None and self._exchange.brought)
        if not answered and self._tries < self._questions[self._asked].tries:
            self._left.insert(0, self._asked)
            return
        self._tries = 0
        if answered:
            if not self._alive:  # it was dead altogether, which says nothing about the other questions
                self._missed = [0] * len(self._questions)
                self._left = [index for index in range(len(self._questions)) if index != self._asked]
            self._missed[self._asked] = 0
            self._answered = self._alive = True
            return
        self._missed[self._asked] = min(self._missed[self._asked] + 1, 16)
        if not self._answered:
            self._left = []
            self._alive = False


def together(readings: list[Reading]) -> Reading:
    """The one reading that the answers of a round make."""
    if len(readings) == 1:
        return readings[0]
    fields: dict[str, Value] = {}
    errors: tuple[str, ...] = ()
    for reading in readings:
        fields |= reading.fields
        errors += reading.field_errors
    return Reading(fields, field_errors=errors)
