"""What every device of the catalogue can be told: said with the least, the most and the default of each argument,
heard by its double, and its answer judged; and refused beyond that. The commands of docs/devices.md are among them."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from devices.spec.command import Argument, Command, MessageCommand, PolledCommand, StreamCommand, To
from devices.spec.device import Device, MessageDevice, PolledDevice, StreamDevice
from devices.spec.errors import ArgumentError
from devices.spec.events import Value
from devices.spec.polled import Exchange
from simulators.line import Line
from simulators.peer import Instrument
from simulators.things import ThingSpec, peer, respondent
from tests.device_types import BY_NAME, DEVICES, blocks

NOON = 1_767_326_400.0
SHOWN: dict[type, str] = {StreamCommand: "acme-co2", PolledCommand: "acme-level", MessageCommand: "acme-nodes"}


def shown() -> list[Device]:
    """The types of docs/devices.md with the commands that it shows for them."""
    found: list[Device] = []
    for block in blocks("python"):
        if "COMMANDS = " in block:
            room: dict[str, Any] = {"__name__": "papers"}
            exec(compile(block, "docs/devices.md", "exec"), room)
            name = SHOWN[type(room["COMMANDS"][0])]
            found.append(replace(BY_NAME[name], commands=room["COMMANDS"]))
    return found


TOLD = [(device, command) for device in (*DEVICES, *shown()) for command in device.told]
everything = pytest.mark.parametrize(
    ("device", "command"), TOLD, ids=[f"{device.name}-{command.name}" for device, command in TOLD]
)


def samples(argument: Argument) -> list[Value]:
    """Values that it may have: both ends, the default, all words."""
    field = argument.field
    found: list[object] = [] if argument.default is None else [argument.default]
    if field.kind == "flag":
        found += [False, True]
    elif field.kind == "state" and field.states:
        found += field.states
    elif field.kind in ("state", "text"):
        found += ["a", "x" * 200]
    else:
        found += [bound for bound in (field.minimum, field.maximum) if bound is not None]
    assert found, f"{argument.name}: neither a range nor a default"
    return [argument.read(value) for value in found]


def said(command: Command, own: tuple[Argument, ...] = ()) -> Iterable[dict[str, Value]]:
    """Arguments that cover the samples of each, with what else the command needs; and the fewest, where it has any."""
    needed = {each.name: samples(each)[0] for each in command.arguments if each.required}
    if not own:
        yield command.read(needed)
    for argument in (*command.arguments, *own):
        for value in samples(argument):
            yield command.read({**needed, argument.name: value}, own)


def own(device: MessageDevice, command: Command) -> tuple[Argument, ...]:
    """The arguments that a thing of the type has by itself, once its double has said them."""
    if not command.open_arguments:
        return ()
    one, family = peer(ThingSpec("one", device, seed=7)), device.decoder()
    presence = one.presence("ONLINE", NOON)
    for frame in (*one.births(), *((presence,) if presence else ()), *one.tick(NOON)):
        family.decode(frame.topic, frame.data, round(NOON) * 1_000_000_000)
    found: tuple[Argument, ...] = family.arguments(command.name, "one")  # type: ignore[attr-defined]
    assert found
    return found


def test_the_docs_show_a_command_of_each_kind() -> None:
    assert [device.name for device in shown()] == ["acme-co2", "acme-level", "acme-nodes"]


@everything
def test_arguments_have_units_and_words_and_are_refused_beyond_them(device: Device, command: Command) -> None:
    assert command.description
    assert command.description[0].isupper()
    assert not command.description.endswith(".")
    needed = {each.name: samples(each)[0] for each in command.arguments if each.required}
    for argument in command.arguments:
        field = argument.field
        wrong: list[object] = [[], None, {"a": 1}]
        if field.minimum is not None:
            wrong += [field.minimum - (field.step or 1), "-inf", "nan"]
        if field.maximum is not None:
            wrong += [field.maximum + (field.step or 1), "a lot", True]
        if field.states:
            wrong.append("no such word")
        for value in wrong:
            with pytest.raises(ArgumentError, match=rf"^{command.name}: {argument.name} = .*: expected "):
                command.read({**needed, argument.name: value})
        for value in samples(argument):
            again = argument.read(str(value))
            assert (again, type(again)) == (value, type(value))
        if argument.required:
            with pytest.raises(ArgumentError, match=f"^{command.name}: {argument.name} is missing: expected "):
                command.read({name: value for name, value in needed.items() if name != argument.name})
    with pytest.raises(ArgumentError, match=f"^{command.name}: unknown argument 'nonsense': "):
        command.read({**needed, "nonsense": 1})


STREAMED = [(device, command) for device, command in TOLD if isinstance(command, StreamCommand)]


@pytest.mark.parametrize(
    ("device", "command"), STREAMED, ids=[f"{device.name}-{command.name}" for device, command in STREAMED]
)
def test_the_double_on_a_port_obeys_and_its_answer_is_judged_done(device: StreamDevice, command: StreamCommand) -> None:
    to = To(thing="1-1") if device.shared else To()  # of several on one port, one
    for arguments in said(command):
        data = command.encode(arguments, to)
        heard = command.request.parse(data + b"\x00", to)
        assert heard is not None
        assert heard == (len(data), arguments, to.thing)
        assert all(command.request.parse(data[:end], to) is None for end in range(len(data)))
        for other in device.commands:
            assert other is command or other.request.parse(data, to) is None
        one = peer(ThingSpec("one", device, seed=7))
        one.tick(NOON - 10)
        one.tick(NOON)  # a sensor that was switched on has warmed up
        for ready in (
            other for other in device.commands if other.name in ("passive", "sleep") and "read" in _names(device)
        ):
            if (command.name, ready.name) in (("read", "passive"), ("wake", "sleep")):
                one.receive(ready.encode({}, to))
        answer = one.receive(b"\xff" + data[:3]) + one.receive(data[3:])
        decoder = device.decoder()
        events = [event for frame in _next(one) for event in decoder.feed(frame)]
        events = device.decoder().feed(answer) + events
        outcomes = [outcome for event in events if (outcome := command.outcome(arguments, to, event)) is not None]
        if command.answers == "never":
            assert outcomes == []
        else:
            assert outcomes[0].word == "done"


def _names(device: Device) -> set[str]:
    return {command.name for command in device.told}


def _next(one: Instrument) -> Iterable[bytes]:
    """What it says in the next half minute."""
    for step in range(1, 60):
        for frame in one.tick(NOON + step / 2):
            yield frame.data


POLLED = [(device, command) for device, command in TOLD if isinstance(command, PolledCommand)]


@pytest.mark.parametrize(
    ("device", "command"), POLLED, ids=[f"{device.name}-{command.name}" for device, command in POLLED]
)
def test_the_double_on_a_line_obeys_step_by_step(device: PolledDevice, command: PolledCommand) -> None:
    units = list(device.units)[1:3] or [0, 0]
    for arguments in said(command):
        line = Line([respondent(ThingSpec(f"unit-{unit}", device, unit=unit)) for unit in units[:1]])
        assert _told(line, command, arguments, units[0]) == (command.answers != "never")
        if units[1] != units[0]:
            assert not _told(line, command, arguments, units[1])


def _told(line: Line, command: PolledCommand, arguments: dict[str, Value], unit: int) -> bool:
    """Whether it was done; each answer comes byte by byte."""
    for number, question in enumerate(command.questions(arguments)):
        exchange = Exchange(question, unit)
        assert line.receive(exchange.request[:2], NOON) == b""
        line.receive(exchange.request[2:], NOON)
        data = b"".join(b"".join(each.wire.pieces) for each in line.take(NOON + 1))
        events = [event for byte in data for event in exchange.feed(bytes((byte,)))]
        if not exchange.answered:
            return False
        outcome = command.outcome(number, events[-1])
        assert outcome is None or outcome.word == "done"
        assert (outcome is None) == (number < len(command.steps) - 1)
    return True


MESSAGES = [(device, command) for device, command in TOLD if isinstance(command, MessageCommand)]


@pytest.mark.parametrize(
    ("device", "command"), MESSAGES, ids=[f"{device.name}-{command.name}" for device, command in MESSAGES]
)
def test_the_double_at_a_broker_obeys_and_its_answer_is_judged_done(
    device: MessageDevice, command: MessageCommand
) -> None:
    number = count(1)
    for arguments in said(command, own(device, command)):
        one = peer(ThingSpec("one", device, seed=7))
        one.tick(NOON)
        now = round(NOON) * 1_000_000_000
        to = To("one", topic=one.topic, ident=f"c-{next(number)}", number=next(number), sender="park", now_ns=now)
        messages = command.encode(arguments, to)
        assert messages
        assert all(each.qos in (0, 1) for each in messages)
        for each in messages:
            heard = command.hear(each.topic, each.payload, one.to)
            assert heard is not None
            assert heard[0] == arguments
            assert any(_takes(filter_, each.topic) for filter_ in command.listens(to))
            assert command.hear(each.topic + "x", each.payload, one.to) is None
            assert command.hear(each.topic, b"\xff{", one.to) is None
            assert command.judge(arguments, to, each.topic, b"\xff{") is None
        answers = [frame for each in messages for frame in one.hear(each.topic, each.payload, NOON)]
        answers += one.tick(NOON + 0.01)
        outcomes = [
            outcome
            for frame in answers
            if any(_takes(filter_, frame.topic) for filter_ in command.answered_on(to))
            if (outcome := command.judge(arguments, to, frame.topic, frame.data)) is not None
        ]
        words = {outcome.word for outcome in outcomes} - {"accepted"}
        assert words == (set() if command.answers == "never" else {"done"})


def _takes(filter_: str, topic: str) -> bool:
    want, got = filter_.split("/"), topic.split("/")
    if want[-1] == "#":
        return all(a in ("+", b) for a, b in zip(want[:-1], got, strict=False)) and len(got) >= len(want) - 1
    return len(want) == len(got) and all(a in ("+", b) for a, b in zip(want, got, strict=True))
