"""A thing on a polled line: when it is asked next, and the answer that came too late for its question."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from devices.spec.device import PolledDevice
from devices.spec.events import Event, Noise, Reading, SanityError
from devices.spec.polled import Exchange, Round
from gateway.intake import AnswerIntake

DEAD_ROUNDS = 3
MOST_PAUSE_S = 60.0


@dataclass(slots=True, kw_only=True)
class Asked:
    """One thing on the line: what it is, how often it is asked, and what is given its answers."""

    device: PolledDevice
    unit: int
    every_s: float
    timeout_s: float
    intake: AnswerIntake
    round: Round = field(init=False)
    due: float = 0.0
    """When this round began, or the next is to begin (seconds of `clock.monotonic`)."""
    at: float = 0.0
    """When it may be asked next."""
    going: bool = False
    answered: bool = False
    silent: int = 0
    late: "Late | None" = None

    def __post_init__(self) -> None:
        self.round = Round(self.device.questions, self.unit)

    def start(self, now: float) -> None:
        """The port was opened: whatever was under way is over."""
        self.due = self.at = now
        self.going = False
        self.late = None

    def next(self) -> Exchange | None:
        """The next question of this round, None where it is over. One that cannot be made is passed over."""
        while True:
            try:
                return self.round.next()
            except Exception as fault:  # noqa: BLE001  # the type's own code, perhaps an installed package's
                self.intake.failed(fault, b"")

    def heard(self, exchange: Exchange, data: bytes) -> list[Event]:
        """What `data` says in answer to a question of this thing; nothing where the type's own code fails on it."""
        try:
            return exchange.feed(data)
        except Exception as fault:  # noqa: BLE001  # the type's own code, perhaps an installed package's
            rest, exchange.rest = exchange.rest, b""
            self.intake.failed(fault, rest + data)
            return []

    def ended(self, exchange: Exchange) -> list[Event]:
        """What is left where nothing more is waited for."""
        rest = exchange.rest
        try:
            return exchange.end()
        except Exception as fault:  # noqa: BLE001  # the type's own code, perhaps an installed package's
            exchange.rest = b""
            self.intake.failed(fault, rest)
            return []

    def forget_late(self) -> None:
        """Its late answer is not waited for any more; what may have been the beginning of it is noise."""
        late, self.late = self.late, None
        if late is not None:
            rest = b"".join(event.data for event in self.ended(late.exchange) if not isinstance(event, Reading))
            if rest:
                self.intake.events([Noise(rest)], rest)

    def result(self, exchange: Exchange, asked: float, now: float, *, lost: bool, told: bool) -> None:
        """How it went with what was said to it at `asked`: when it may be asked next.

        `lost`: the port went away meanwhile. What it was `told` is no question of its round.
        """
        if not told:
            self.at = now
        if not exchange.answered and not lost:
            self.late = Late(exchange, asked, now + self.device.timing.late_s)
            self.at = max(self.at, self.late.until)
        if told:
            return
        if exchange.answered:
            self.answered = True
        elif not lost:
            self.intake.unanswered()
        self.round.result(exchange.answered)

    def end_round(self, now: float) -> None:
        """The round is over: when the next is due."""
        self.going = False
        self.silent = 0 if self.answered else self.silent + 1
        pause = self.every_s
        if self.silent >= DEAD_ROUNDS:
            pause *= 2.0 ** min(self.silent - DEAD_ROUNDS + 1, 16)
            pause = min(pause, max(self.every_s, MOST_PAUSE_S))
        self.due += pause
        if self.due < now:
            self.due += -((self.due - now) // self.every_s) * self.every_s
        self.at = max(self.at, self.due)


@dataclass(slots=True)
class Late:
    """A question that was given up, while its answer may still come."""

    exchange: Exchange
    asked: float
    until: float
    seen: bytes = b""

    def __post_init__(self) -> None:
        self.exchange.patient = False  # whose else it may be is found out for the question that waits

    def feed(self, thing: Asked, data: bytes) -> bytes:
        """Take bytes that nobody waits for; what is left of them that is not the answer of `thing` either."""
        self.seen = (self.seen + data)[-self.exchange.question.size :]
        events = thing.heard(self.exchange, data)
        if self.exchange.answered:
            return b""
        return b"".join(event.data for event in events if not isinstance(event, Reading))


def astray(things: Iterable[Asked], now: float, data: bytes, default: Asked, why: str = "") -> None:
    """Bytes that are no answer to the question that waits, if one does: a late answer, or noise.

    `why` says whose they are where that is known; the noise goes to `default`.
    """
    whole = data
    for thing in things:
        late = thing.late
        if late is None or not data:
            continue
        if now > late.until:
            thing.forget_late()
            continue
        data = late.feed(thing, data)
        if late.exchange.answered:
            thing.late = None
            words = f"answered {now - late.asked:.2g} s after it was asked; timeout_s is {thing.timeout_s:g}"
            thing.intake.events([SanityError(f"late: {words}", late.seen)], late.seen)
    if data:
        default.intake.events([Noise(data, why if data == whole else "")], data)


def give(things: Iterable[Asked], now: float, thing: Asked, events: list[Event], heard: bytes) -> None:
    """The events of a question to `thing` after which `heard` came; noise may be somebody's late answer."""
    own: list[Event] = []
    for event in events:
        if isinstance(event, Noise):
            astray(things, now, event.data, thing, event.why)
        else:
            own.append(event)
    if own:
        thing.intake.events(own, heard)
