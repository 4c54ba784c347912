"""What somebody asks for, and why it may be refused before anything is sent."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from devices.spec.command import Argument, Command
from devices.spec.errors import ArgumentError
from devices.spec.events import Value
from gateway.commands.order import Reach, Reached
from textfile import listed, nearest


class Why(Enum):
    """The kinds of refusals; the value is the HTTP status that stands for it."""

    UNKNOWN = 404
    NOT_ALLOWED = 403
    ARGUMENTS = 400
    KEY = 422
    BUSY = 409
    TOO_OFTEN = 429
    UNREACHABLE = 503


class Refused(Exception):
    """It is not sent; the text is for who asked. `retry_s`: when it makes sense to ask again."""

    def __init__(self, why: Why, words: str, retry_s: float = 0.0) -> None:
        super().__init__(words)
        self.why = why
        self.retry_s = retry_s


@dataclass(frozen=True, slots=True)
class Ask:
    """One command that is asked for. `by` is who asks, `via` on which way; `source` where several know the thing."""

    thing: str
    command: str
    arguments: Mapping[str, object] = field(default_factory=dict)
    key: str | None = None
    by: str = ""
    via: str = ""
    source: str | None = None


def reached(reaches: Iterable[Reach], thing: str, source: str | None) -> Reached:
    """The thing of that name. Refused where there is none, or there are several."""
    ways = [each for each in reaches if source is None or each.source == source]
    found = [way for each in ways if (way := each.find(thing)) is not None]
    if len(found) > 1:
        where = " and ".join(each.source for each in found)
        raise Refused(Why.UNKNOWN, f"{where} know a thing {thing!r:.100}: say which with `source`")
    if found:
        return found[0]
    names = {name for each in ways for name in each.things()}
    if thing in names:
        raise Refused(
            Why.UNREACHABLE,
            f"{thing} has not been heard since the gateway was started, so it is not known on which topic it is",
        )
    near = nearest(thing, sorted(names))
    hint = f'; did you mean "{near}"?' if near else ""
    raise Refused(Why.UNKNOWN, f"no thing {thing!r:.100} that can be told something{hint}")


def command_of(found: Reached, ask: Ask) -> Command:
    """The command that is meant. Refused where the thing has none of that name."""
    told = found.device.told
    command = next((each for each in told if each.name == ask.command), None)
    if command is None:
        names = [each.name for each in told]
        near = nearest(ask.command, names)
        hint = (
            f'did you mean "{near}"?'
            if near
            else f"it can be told {listed(names)}"
            if names
            else "it can be told nothing"
        )
        words = f"{found.thing} ({found.device.name}) has no command {ask.command!r:.60}; {hint}"
        raise Refused(Why.UNKNOWN, words)
    return command


def may(found: Reached, command: Command) -> None:
    """Refused where the configuration does not allow it."""
    if command.name not in found.allowed:
        raise Refused(Why.NOT_ALLOWED, f"{command.name} is not allowed for {found.thing}: {how(found, command.name)}")


def arguments_of(found: Reached, command: Command, ask: Ask) -> dict[str, Value]:
    """The arguments as they are said. Refused where one is wrong."""
    own: tuple[Argument, ...] = found.own(command.name) if command.open_arguments else ()
    if command.open_arguments and not own and not command.arguments:
        raise Refused(Why.UNREACHABLE, f"{found.thing} has not said yet what it can be told")
    try:
        return command.read(ask.arguments, own)
    except ArgumentError as error:
        raise Refused(Why.ARGUMENTS, str(error)) from error


def how(found: Reached, command: str) -> str:
    """What to write into the configuration, for people."""
    where = "[[serial]] (or [[serial.thing]])" if found.source.startswith("serial:") else "its subscription"
    return f'write commands = ["{command:.60}"] under {where} in the configuration of the gateway'
