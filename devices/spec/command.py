"""What a device can be told, and how its answer is known. Sans-I/O, no clock.

    arguments --read--> encode --> bytes | an exchange | messages ==> the device
    accepted | done | refused <-- judge <-- events | answers | messages <== the device

A `Command` is one thing that a type of device can be told: its name, its arguments with their ranges, and
whether it answers. How it is said depends on the kind of the type:

* `StreamCommand`: bytes are written to the port, and the answer is known among the events of its decoder.
* `PolledCommand`: one or more steps, each a question of its own with the answer that belongs to it
  (`devices.spec.polled`); the last may read back what was written.
* `MessageCommand`: messages are published, and the answer is known among what is published.

The device's double hears the same commands by the same description: `Request.parse` and `MessageCommand.hear`
are the inverse of what is said, `answer` is what comes back.

An answer is `ACCEPTED` (the device has taken it, and says later that it is done), `DONE`, or `refused(why)`.
None says nothing about the command: something else was said.

Limits: texts of LONGEST_TEXT characters. What would make a device unreachable (its address, its speed) is no command.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, runtime_checkable

from devices.spec.errors import ArgumentError, DescriptionError, EncodeError
from devices.spec.events import Empty, Event, Publish, Reading, SanityError, Value
from devices.spec.field import Field
from devices.spec.frame import Check
from devices.spec.payload import Payload
from devices.spec.polled import Question
from devices.spec.polled import Verdict as Answered

LONGEST_TEXT = 200

Arguments = Mapping[str, Value]
"""What a command is said with, by name, as `Command.read` gives it."""


class Outcome(NamedTuple):
    """What a device made of a command. `why` is for people."""

    word: Literal["accepted", "done", "refused"]
    why: str = ""


ACCEPTED = Outcome("accepted")
DONE = Outcome("done")


def refused(why: str) -> Outcome:
    """The device does not do it."""
    return Outcome("refused", why)


@dataclass(frozen=True, slots=True)
class To:
    """Who is told, by whom, and when: what a command may need beside its arguments.

    `thing` is the name that the gateway has for it, `unit` its number on a polled line, `topic` that on which
    it was heard last (of a type with several: any of them). `ident` is a word that no other command has, of at
    most 36 letters, digits and `-`; `number` rises with each command of the gateway named `sender`. `now_ns` is the
    time in nanoseconds since 1970 UTC.
    """

    thing: str = ""
    unit: int = 0
    topic: str = ""
    ident: str = "0"
    number: int = 0
    sender: str = "parkgate"
    now_ns: int = 0


_FLAGS = {"true": True, "on": True, "yes": True, "1": True, "false": False, "off": False, "no": False, "0": False}


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument: its `field` says name, unit, kind, range, step and words, and whether it may be left out.

    Left out, it is its `default`; without one it is not said at all.
    """

    field: Field
    default: Value | None = None

    @property
    def name(self) -> str:
        return self.field.name

    @property
    def required(self) -> bool:
        return self.default is None and not self.field.optional

    @property
    def words(self) -> str:
        """What it may be, for people: a number from 0 to 30 (min)."""
        field = self.field
        if field.kind == "flag":
            return "true or false"
        if field.kind == "state" and field.states:
            return _either(field.states)
        if field.kind in ("state", "text"):
            return f"a text of 1 to {LONGEST_TEXT} characters"
        text = "a whole number" if field.kind == "counter" or field.step == 1 else "a number"
        if field.minimum is not None and field.maximum is not None:
            text += f" from {field.minimum:.12g} to {field.maximum:.12g}"
        elif field.minimum is not None:
            text += f" of {field.minimum:.12g} or more"
        elif field.maximum is not None:
            text += f" up to {field.maximum:.12g}"
        if field.step is not None and field.step != 1:
            text += f" in steps of {field.step:.12g}"
        return text + (f" ({field.unit})" if field.unit != "1" else "")

    def read(self, given: object) -> Value:
        """The value that was meant, also by a text as somebody types it. ArgumentError says what was expected."""
        kind = self.field.kind
        value: Value | None
        if kind == "flag":
            value = _FLAGS.get(given.lower()) if isinstance(given, str) else given if isinstance(given, bool) else None
        elif kind == "text" or (kind == "state" and not self.field.states):
            value = given if isinstance(given, str) and _is_text(given) else None
        elif kind == "state":
            same = [each for each in self.field.states if isinstance(given, str) and each.lower() == given.lower()]
            value = given if isinstance(given, str) and given in same else same[0] if len(same) == 1 else None
        else:
            value = self._number(given)
        if value is None:
            raise ArgumentError(f"{self.name} = {given!r:.60}: expected {self.words}")
        return value

    def _number(self, given: object) -> Value | None:
        field = self.field
        try:
            number = float(given) if isinstance(given, int | float | str) and not isinstance(given, bool) else math.nan
        except (ValueError, OverflowError):
            return None
        if not math.isfinite(number) or field.outside(number):
            return None
        step = 1.0 if field.kind == "counter" else field.step
        if step is not None and not math.isclose(
            number, round(number / step) * step, rel_tol=1e-9, abs_tol=step * 1e-6
        ):
            return None
        return round(number) if field.kind == "counter" else number


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Something that a device can be told.

    `answers`: "maybe" where silence is no fault (some sensors of the type answer), "never" where nothing comes back.
    `timeout_s` is how long an answer may take, until the device is done. `harmless`: it changes nothing, and may be
    said to find out who is there. With `open_arguments` each thing has arguments of its own, too, as it says itself.
    """

    name: str
    description: str
    arguments: tuple[Argument, ...] = ()
    answers: Literal["always", "maybe", "never"] = "always"
    timeout_s: float = 5.0
    harmless: bool = False
    open_arguments: bool = False

    def __post_init__(self) -> None:
        if not self.name.replace("-", "a").isalnum() or self.name != self.name.lower():
            raise DescriptionError(f"command {self.name!r}: expected small letters, digits and -")
        names = [each.name for each in self.arguments]
        if len(set(names)) != len(names):
            raise DescriptionError(f"command {self.name}: an argument is listed twice")
        if not 0.0 < self.timeout_s <= 3600.0:
            raise DescriptionError(f"command {self.name}: timeout_s {self.timeout_s}: expected above 0 and up to 3600")
        for each in self.arguments:
            if each.default is not None:
                try:
                    each.read(each.default)
                except ArgumentError as error:
                    raise DescriptionError(f"command {self.name}: the default of {error}") from error

    def read(self, given: Mapping[str, object], own: tuple[Argument, ...] = ()) -> dict[str, Value]:
        """The arguments, checked and with their defaults. ArgumentError says which is wrong, and what was expected.

        `own` are those that the thing itself has beside the type's.
        """
        known = {each.name: each for each in (*self.arguments, *own)}
        for name in given:
            if name not in known:
                expected = f"expected {_either(known)}" if known else "it has no arguments"
                raise ArgumentError(f"{self.name}: unknown argument {name[:60]!r}: {expected}")
        found: dict[str, Value] = {}
        for name, argument in known.items():
            if name in given:
                try:
                    found[name] = argument.read(given[name])
                except ArgumentError as error:
                    raise ArgumentError(f"{self.name}: {error}") from None
            elif argument.default is not None:
                found[name] = argument.read(argument.default)
            elif argument.required:
                raise ArgumentError(f"{self.name}: {name} is missing: expected {argument.words}")
        return found


class Heard(NamedTuple):
    """A request that a device hears: how many bytes it takes, what it is said with, and to whom (of several)."""

    size: int
    arguments: dict[str, Value]
    thing: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """The bytes of a command, both ways.

    `pack(arguments, to)` makes them (EncodeError where that cannot be said); `parse(data, to)` is what the request
    says that `data` begins with, None where no whole one begins there.
    """

    pack: Callable[[Arguments, To], bytes]
    parse: Callable[[bytes, To], Heard | None]


def plain(data: bytes) -> Request:
    """A request that is always the same."""

    def parse(heard: bytes, _to: To) -> Heard | None:
        return Heard(len(data), {}) if heard.startswith(data) else None

    return Request(lambda _arguments, _to: data, parse)


def framed(start: bytes, table: Payload, check: Check, trailer: bytes = b"") -> Request:
    """`start`, the arguments as `table` has them (which begins behind `start`), the check, `trailer`."""
    size = len(start) + table.size + check.width + len(trailer)

    def pack(arguments: Arguments, _to: To) -> bytes:
        return check.sealed(start + table.pack(arguments), trailer)

    def parse(heard: bytes, to: To) -> Heard | None:
        if len(heard) < size or not heard.startswith(start):
            return None
        arguments = table.parse(heard[:size])
        try:
            return Heard(size, arguments) if pack(arguments, to) == heard[:size] else None
        except EncodeError:
            return None

    return Request(pack, parse)


Said = Mapping[str, Value] | bytes
"""What a double answers: the fields of a frame that the type encodes, or the bytes themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamCommand(Command):
    """Told to a device that speaks by itself: `request` is written to its port.

    `answer` is what it answers with, or a function of arguments and `To` that gives it; None where it answers with a
    measurement, or not at all. `judge(arguments, to, event)` says what an event of the port's decoder means; without
    one a reading that has all that `answer` says means that it is done.
    """

    request: Request
    answer: Said | Callable[[Arguments, To], Said] | None = None
    judge: Callable[[Arguments, To, Event], Outcome | None] | None = None

    def __post_init__(self) -> None:
        Command.__post_init__(self)
        if self.judge is None and self.answers != "never" and (self.answer is None or isinstance(self.answer, bytes)):
            raise DescriptionError(f"command {self.name}: expected `judge`, or fields in `answer`")

    def encode(self, arguments: Arguments, to: To) -> bytes:
        """What is written to the port."""
        return self.request.pack(arguments, to)

    def answered(self, arguments: Arguments, to: To) -> Said | None:
        """What its double says to it at once."""
        return self.answer(arguments, to) if callable(self.answer) else self.answer

    def outcome(self, arguments: Arguments, to: To, event: Event) -> Outcome | None:
        """What `event` says about the command; None for nothing."""
        if self.judge is not None:
            return self.judge(arguments, to, event)
        said = self.answered(arguments, to)
        if isinstance(said, Mapping) and isinstance(event, Reading) and said.items() <= event.fields.items():
            return DONE
        return None


def brings(*names: str) -> Callable[[Arguments, To, Event], Outcome | None]:
    """Done is what brings a reading with all fields `names`, whatever they say."""

    def judge(_arguments: Arguments, _to: To, event: Event) -> Outcome | None:
        return DONE if isinstance(event, Reading) and all(name in event.fields for name in names) else None

    return judge


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One exchange of a command on a polled line.

    `judge(arguments, unit, data)` says what bytes that begin with `data` are, as in `polled.Question`: an answer whose
    event is a `SanityError` is a refusal, any other is consent. `answer(arguments, unit)` is what the double says,
    `size` how many bytes a whole answer has. A step that reads back has arguments that its request does not say: the
    double is given those that it was told last.
    """

    request: Request
    judge: Callable[[Arguments, int, bytes], Answered]
    answer: Callable[[Arguments, int], bytes]
    size: int

    def question(self, name: str, arguments: Arguments) -> Question:
        """It as a question that waits for its answer in an `Exchange`."""
        return Question(
            name=name,
            request=lambda unit: self.request.pack(arguments, To(unit=unit)),
            judge=lambda unit, data: self.judge(arguments, unit, data),
            answer=lambda unit, _fields: self.answer(arguments, unit),
            fields=(),
            size=self.size,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PolledCommand(Command):
    """Told to a device that is asked: its `steps` one after the other, until one is refused or not answered."""

    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        Command.__post_init__(self)
        if not self.steps:
            raise DescriptionError(f"command {self.name}: expected at least one step")

    def questions(self, arguments: Arguments) -> tuple[Question, ...]:
        """What is asked, in this order. `refuse` and `fields` of them are empty."""
        return tuple(step.question(f"command {self.name}", arguments) for step in self.steps)

    def outcome(self, step: int, event: Event) -> Outcome | None:
        """What the answer to a step says about the command; None where the next step follows, or it is no answer."""
        if isinstance(event, SanityError):
            return refused(event.detail)
        return DONE if isinstance(event, Reading | Empty) and step == len(self.steps) - 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageCommand(Command):
    """Told over MQTT.

    `encode(arguments, to)` are the messages to publish, made from the topic of the thing. `answered_on(to)` are the
    topic filters on which the answer comes; `judge(arguments, to, topic, payload)` says what a message means.
    Of the double: `listens(to)` are the topic filters on which the thing hears the command, `hear(topic, payload, to)`
    the arguments of a message and `to` with what it says of `ident` and `sender`, None for another message;
    `answer(arguments, to)` is what it publishes then.
    """

    encode: Callable[[Arguments, To], tuple[Publish, ...]]
    answered_on: Callable[[To], tuple[str, ...]]
    judge: Callable[[Arguments, To, str, bytes], Outcome | None]
    listens: Callable[[To], tuple[str, ...]]
    hear: Callable[[str, bytes, To], tuple[dict[str, Value], To] | None]
    answer: Callable[[Arguments, To], tuple[Publish, ...]]


@runtime_checkable
class Adaptive(Protocol):
    """The state of a family whose things say themselves what they can be told (`open_arguments`)."""

    def arguments(self, command: str, thing: str) -> tuple[Argument, ...]:
        """Those that `thing` has for a command beside the type's; empty where it has said nothing yet."""
        ...


def twice(commands: tuple[Command, ...]) -> str:
    """A name that several of them have, or nothing."""
    names = [each.name for each in commands]
    return next((name for name in names if names.count(name) > 1), "")


def _either(words: "Mapping[str, object] | tuple[str, ...]") -> str:
    """For people: `a`, `a or b`, `a, b or c`; the first dozen of many."""
    listed = list(words)
    if len(listed) > 12:
        return f"one of {', '.join(listed[:12])} and {len(listed) - 12} more"
    return " or ".join([", ".join(listed[:-1]), listed[-1]]) if len(listed) > 1 else listed[0]


def _is_text(text: str) -> bool:
    return 0 < len(text) <= LONGEST_TEXT and text.isprintable()
