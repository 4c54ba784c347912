"""`parkgate learn`: watch a board that nobody has described, and propose the configuration that reads it.

What is proposed goes to standard output as TOML, with three readings as they would be stored as comments
behind it; what was guessed, and why, goes to stderr. A unit that is not known is asked for at a terminal
and is "1" otherwise. With `--write` it is added to the configuration.
"""

import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.usage import UsageError

if TYPE_CHECKING:
    from devices.spec.device import Device
    from gateway.cli.decode import Port
    from gateway.cli.learn.preview import Preview, Seen
    from gateway.cli.learn.sample import Sample
    from gateway.learn import Guess, Proposal


@dataclass(slots=True)
class Found:
    """What is proposed: pieces of TOML, readings as they would be stored, and remarks."""

    sections: list[str]
    notes: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def with_preview(self, preview: "Preview") -> "Found":
        return Found(self.sections, [*self.notes, *preview.notes], preview.lines)


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for: the names of type and thing, and the configuration with what it has already."""

    name: str | None
    thing: str | None
    tables: Mapping[str, Any]
    devices: "Mapping[str, Device]"
    config: Path = Path("gateway.toml")

    def check(self, port: str | None) -> None:
        """UsageError where what was asked for cannot be, told before anything is watched."""
        from devices.spec.mapping import TYPE_NAME
        from gateway.cli.learn.add import port_from, reads, things

        if self.name is not None and TYPE_NAME.fullmatch(self.name) is None:
            raise UsageError(f"--name {self.name}: expected lower letters and digits with - between, as in lamp-node")
        if self.name is not None and self.name in self._types():
            raise UsageError(
                f"--name {self.name}: there is a device type of that name already; leave out --name where the board is "
                "one of it, or give another"
            )
        if self.thing is not None and self.thing in things(self.tables):
            raise UsageError(f"--thing {self.thing}: the configuration has a thing of that name already")
        if port is not None:
            port_from(self.config, port)
            if reads(self.tables, self.config, port):
                raise UsageError(f"--port {port}: the configuration reads that port already")

    def _types(self) -> set[str]:
        named = {str(row.get("name")) for row in self.tables.get("type", []) if isinstance(row, dict)}
        return named | set(self.devices)

    def type_name(self) -> str:
        """The name of the new type."""
        from gateway.cli.learn.add import free

        return self.name or free("board", self._types())

    def thing_name(self, device: str) -> str:
        """The name of the new thing."""
        from gateway.cli.learn.add import things

        number, taken = 1, things(self.tables)
        while f"{device}-{number}" in taken:
            number += 1
        return self.thing or f"{device}-{number}"


def learn(
    file: Annotated[str | None, typer.Argument(metavar="[FILE]", help="Lines as the board prints them.")] = None,
    port: Annotated[str | None, typer.Option("--port", "-p", metavar="PORT", help="A serial port to watch.")] = None,
    baud: Annotated[int | None, typer.Option("--baud", help="Its speed; else several are tried.")] = None,
    parity: Annotated[str | None, typer.Option("--parity", metavar="N|E|O", help="With --port.")] = None,
    mqtt: Annotated[str | None, typer.Option("--mqtt", metavar="URL", help="A broker, mqtt://HOST:PORT.")] = None,
    topic: Annotated[str | None, typer.Option("--topic", "-t", metavar="FILTER", help="With --mqtt.")] = None,
    username: Annotated[
        str | None, typer.Option("--username", help="With --mqtt; the password is taken from MQTT_PASSWORD.")
    ] = None,
    for_s: Annotated[float, typer.Option("--for", metavar="S", min=0.1, max=86400, help="Seconds at most.")] = 20.0,
    name: Annotated[str | None, typer.Option("--name", help="What to call the device type.")] = None,
    thing: Annotated[str | None, typer.Option("--thing", help="What to call the thing.")] = None,
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration to add to.")] = Path("gateway.toml"),
    write: Annotated[bool, typer.Option("--write", help="Add it to the configuration.")] = False,
) -> None:
    """Watch an unknown board, and propose the [[type]] and the source that read it."""
    from gateway.cli.decode import Port
    from gateway.cli.devices import usable
    from gateway.cli.learn import add, sample
    from gateway.cli.learn.messages import Broker, from_messages

    if sum(each is not None for each in (file, port, mqtt)) != 1:
        raise UsageError("give one of --port PORT, --mqtt URL --topic FILTER, or a FILE of lines")
    if (mqtt is None) != (topic is None):
        raise UsageError("--mqtt URL and --topic FILTER go together, as in --mqtt mqtt://127.0.0.1 --topic 'park/#'")
    tables = add.existing(config)
    devices = usable(config if config.is_file() else None)
    wish = Wish(name, thing, tables, devices, config)
    wish.check(port)
    if port is not None:
        watched = Port(port, baud, parity, for_s, None)
        found = from_lines(sample.of_port(watched, devices), watched, wish)
    elif mqtt is not None and topic is not None:
        broker = Broker(mqtt, username, topic)
        found = from_messages(sample.of_broker(mqtt, topic, username, for_s).messages, broker, wish)
    else:
        found = from_lines(sample.of_file(str(file), devices), None, wish, baud)
    for note in found.notes:
        print(note, file=sys.stderr)
    text = "\n".join(found.sections)
    print(text, end="")
    if found.lines:
        print(f"\n# as {'it' if len(found.lines) == 1 else 'they'} would be stored:")
    for line in found.lines:
        print(f"# {line}")
    sys.stdout.flush()
    if not write:
        return
    if file is not None and len(found.sections) == 1:
        print("nothing was added: the type is known; next: say the port of the [[serial]] above", file=sys.stderr)
        return
    add.add(config, text)
    after = "" if file is None else "say the port in its [[serial]] and take the # away there, then "
    print(f"added to {config}; next: {after}parkgate check {config} && parkgate run {config}", file=sys.stderr)


def from_lines(found: "Sample", port: "Port | None", wish: Wish, baud: int | None = None) -> Found:
    """A proposal for what a port or a file says. UsageError where nothing can be read from it.

    `baud` is that of the port from which a file came.
    """
    from devices.spec.mapping import DEFAULT_BAUD
    from gateway.cli.learn.preview import of_bytes, preview, proposed
    from gateway.learn import PRINTABLE, propose, table_text

    look = found.look
    assert look is not None  # there is one where something came
    known = [guess for guess in look.guesses if guess.device is not None]
    if known:
        return _known(known, found, port, wish)
    if not look.guesses:
        shows = f"; `parkgate decode --port {shlex.quote(port.name)}` shows them" if port is not None else ""
        if look.printable >= PRINTABLE:
            raise UsageError(
                f"{look.size} bytes of text, but no whole line, ended by CR or LF: a type reads lines{shows}"
            )
        raise UsageError(
            f"{look.size} bytes, and {look.printable:.0%} of them are text: no type that is known, and no lines{shows}"
        )
    link: dict[str, Any] = {"baud": found.baud or baud or DEFAULT_BAUD}
    notes = [look.guesses[0].words]
    if found.baud is None and baud is None:
        notes.append(f"the speed cannot be told from here: {DEFAULT_BAUD} baud is only usual")
    if port is not None and port.parity:
        link["parity"] = port.parity
    name = wish.type_name()
    if look.encoding != "utf-8":
        link["encoding"] = look.encoding
        notes.append(f"letters beyond ASCII: {look.encoding}, as they are no UTF-8")
    proposal = propose(name, look.guesses[0], look.lines, link)
    if proposal is None:
        raise UsageError(no_numbers("lines", look.lines))
    proposal = asked(proposal, look.lines, lambda device: of_bytes(device, look.whole))
    sections = [table_text("type", proposal.table)]
    thing = wish.thing_name(name)
    serial = table_text("serial", {"port": _said(port, wish), "device": name, "thing": thing})
    sections.append(serial if port is not None else _commented(serial))
    device = proposed(proposal)
    shown = preview(device, of_bytes(device, look.whole), thing, port=port is not None)
    return Found(sections, [*notes, *proposal.notes]).with_preview(shown)


def no_numbers(what: str, texts: "Sequence[str]") -> str:
    """What to say where nothing can be mapped; of what begins as JSON why it is none."""
    from devices.spec.mapping import loads

    for text in texts:
        if text.lstrip()[:1] in ("{", "["):
            try:
                loads(text)
            except ValueError as error:
                return f"{what} that begin as JSON does, but {error}; such as {text[:60]!r}"
    return f"{what}, but no numbers with or without names in them, such as {texts[0][:60]!r}"


def _known(guesses: "Sequence[Guess]", found: "Sample", port: "Port | None", wish: Wish) -> Found:
    """A port that speaks a type of the catalogue needs no new one."""
    from devices.spec.device import StreamDevice
    from gateway.cli.learn.preview import of_bytes, preview
    from gateway.learn import table_text

    assert found.look is not None  # something was recognised in it
    device = wish.devices[guesses[0].device or ""]
    assert isinstance(device, StreamDevice)  # only streams are recognised
    notes = [guess.words for guess in guesses]
    if len(guesses) > 1:
        notes.append("their frames are the same or alike: only you can tell which it is; change `device` if need be")
    row: dict[str, Any] = {"port": _said(port, wish), "device": device.name}
    row["thing"] = wish.thing_name(device.name)
    if found.baud is not None and found.baud != device.serial.baud:
        row["baud"] = found.baud
    shown = preview(device, of_bytes(device, found.look.sample), row["thing"], port=port is not None)
    return Found([table_text("serial", row)], notes, shown.lines)


def _said(port: "Port | None", wish: Wish) -> str:
    """The port as the configuration has to say it; where it is not known one to be replaced."""
    from gateway.cli.learn.add import port_from

    return "/dev/serial/by-id/…" if port is None else port_from(wish.config, port.name)


def _commented(text: str) -> str:
    return "".join(f"# {line}\n" for line in text.splitlines())


def asked(proposal: "Proposal", texts: "Sequence[str]", seen: "Callable[[Device], Sequence[Seen]]") -> "Proposal":
    """Ask for the units that are not known, where there is somebody to ask. UsageError where nothing is read."""
    from gateway.cli.learn.preview import must_read, proposed

    must_read(proposal.table["format"], seen(proposed(proposal)), texts[-1])
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return proposal
    for question in proposal.questions:
        while True:
            answer = typer.prompt(
                f"unit of {question.key}, such as {question.example}? (C, %, hPa, V, mm …; Enter: none)",
                default="", show_default=False, err=True,
            )  # fmt: skip
            if not answer.strip():
                break
            try:
                proposal = proposal.answered({question.index: answer})
            except ValueError as error:
                print(error, file=sys.stderr)
                continue
            break
    return proposal
