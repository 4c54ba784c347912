"""`parkgate decode`: bytes in, one line an event out: JSON, or at a terminal a short coloured line.

Input is hex text (`--hex`), a text line or payload (`--text`), a file of raw bytes or a recording,
or `-` for raw bytes on standard input, decoded as they arrive. For a device type on a serial link the
input is a stream (of one that is asked, its answers); for one behind MQTT it is one payload, of at
most 16 MiB. `--hex` also takes `-` or the name of a file, which may hold hex text or raw bytes.
`--port` listens to a real port, opened as the gateway opens it, until Ctrl-C or for `--for` seconds,
and with `--record` writes down what it says, so that a gateway can play it back. Without `--device`
a port is only looked at: what comes, at which speed, and what it looks like.

Noise that lies together is one line; from a file or a pipe up to 4 KiB of it may be held back
until its end is seen, from a port nothing is.
"""

import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.decode.ask import ask
from gateway.cli.decode.family import decode_family
from gateway.cli.decode.inputs import bounded, from_file, from_hex_option
from gateway.cli.decode.listen import Port, listen
from gateway.cli.decode.shown import Printed
from gateway.cli.decode.watch import watch
from gateway.cli.devices import TypesOption, find, usable
from gateway.cli.usage import UsageError
from textfile import as_utf8

if TYPE_CHECKING:
    from devices.spec.device import Device

MOST_HELD = 4096


def decode(
    device: Annotated[
        str | None,
        typer.Option("--device", "-d", help="The device type; see `parkgate devices`. Without it: what a port says."),
    ] = None,
    source: Annotated[str | None, typer.Argument(metavar="[FILE|-]", help="Raw bytes; - is standard input.")] = None,
    topic: Annotated[str | None, typer.Option("--topic", "-t", help="The topic name, for types behind MQTT.")] = None,
    hexed: Annotated[str | None, typer.Option("--hex", metavar="HEX|FILE|-", help="The bytes in hex.")] = None,
    text: Annotated[str | None, typer.Option("--text", help="The bytes as text: a sentence, a JSON payload.")] = None,
    file: Annotated[str | None, typer.Option("--file", "-f", help="A file of raw bytes; - is standard input.")] = None,
    port: Annotated[
        str | None,
        typer.Option("--port", "-p", metavar="PORT", help="A serial port to listen to, or socket://HOST:PORT."),
    ] = None,
    baud: Annotated[int | None, typer.Option("--baud", help="With --port: other than the type's own.")] = None,
    parity: Annotated[
        str | None, typer.Option("--parity", metavar="N|E|O", help="With --port: other than the type's own.")
    ] = None,
    for_s: Annotated[
        float | None, typer.Option("--for", metavar="S", help="With --port: S seconds; without it until Ctrl-C.")
    ] = None,
    record: Annotated[
        Path | None, typer.Option("--record", metavar="FILE", help="With --port: also write what it says to FILE.")
    ] = None,
    unit: Annotated[
        int | None, typer.Option("--unit", metavar="N", help="For types that are asked: the unit number.")
    ] = None,
    heard: Annotated[
        str | None,
        typer.Option(
            "--with", metavar="FILE", help="For types with state: what came before, lines of topic and payload."
        ),
    ] = None,
    config: TypesOption = None,
    every_s: Annotated[
        float | None, typer.Option("--every", metavar="S", help="For types that are asked: how often, with --port.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON in a terminal, too: one object a line.")] = False,
) -> None:
    """Decode bytes of a device type, or look at what a port says: a line for each reading, noise or error."""
    from devices.spec.device import PolledDevice, StreamDevice

    terminal = sys.stdout.isatty() and not as_json
    asked = None if port is None else Port(port, baud, parity, for_s, record)
    given = [each for each in (source, hexed, text, file, port) if each is not None]
    if len(given) > 1:
        raise UsageError("give one input only: --hex, --text, --file, FILE or --port")
    if device is None:
        if asked is None:
            raise UsageError("--device is missing: expected a device type (`parkgate devices` lists them), or a --port")
        watch(asked, terminal, usable(config))
        return
    kind = find(device, config)
    if unit is not None:
        _see_unit(kind, unit)
    if every_s is not None and not isinstance(kind, PolledDevice):
        raise UsageError(f"--every: {kind.name} talks by itself and is not asked")
    if every_s is not None and asked is None:
        raise UsageError("--every goes with --port PORT")
    if asked is not None and isinstance(kind, PolledDevice):
        ask(kind, asked, unit, every_s, terminal)
        return
    if asked is not None:
        listen(kind, asked, terminal)
        return
    if (baud, parity, for_s, record) != (None, None, None, None):
        raise UsageError("--baud, --parity, --for and --record go with --port PORT")
    if not given and sys.stdin.isatty():
        raise UsageError("nothing to decode: give --hex HEX, --text TEXT, a FILE, --port PORT, or - for standard input")
    if text is not None:
        sentence = isinstance(kind, StreamDevice) and (kind.line_end or text.startswith(("$", "!")))
        line_end = b"\r\n" if sentence and not text.endswith("\n") else b""
        chunks: Iterable[bytes] = [text.encode("utf-8", "surrogateescape") + line_end]
    elif hexed is not None:
        chunks = [from_hex_option(hexed)]
    else:
        chunks = from_file(source or file or "-")
        if not isinstance(kind, PolledDevice):
            chunks = as_utf8(chunks)  # sentences or JSON, as an editor may have saved them
    if isinstance(kind, StreamDevice | PolledDevice):
        decoder = kind.decoder() if isinstance(kind, StreamDevice) else kind.decoder(unit)
        printed = Printed(kind, None, MOST_HELD, terminal=terminal)
        for chunk in chunks:
            printed.events(decoder.feed(chunk))
        printed.events(decoder.flush())
        printed.end()
    elif kind.family is not None:
        single = text is not None or hexed is not None
        decode_family(kind, topic, b"".join(bounded(chunks)), heard, Printed(kind, None, 0, terminal=terminal), single)
    else:
        if heard is not None:
            raise UsageError(f"--with: messages of {kind.name} each speak for themselves")
        payload = b"".join(bounded(chunks))
        name = topic if topic is not None else usual_topic(kind.topic)
        printed = Printed(kind, topic, 0, terminal=terminal)
        printed.events(kind.decode(name, payload, time.time_ns()))


def _see_unit(kind: "Device", unit: int) -> None:
    from devices.spec.device import PolledDevice

    if not isinstance(kind, PolledDevice) or not kind.units:
        raise UsageError(f"--unit: {kind.name} has no unit number")
    if unit not in kind.units:
        raise UsageError(f"--unit: expected a number from {kind.units[0]} to {kind.units[-1]}, got {unit}")


def usual_topic(pattern: str) -> str:
    """A topic name of the pattern, for payloads given without one."""
    return pattern.replace("{thing}", "thing").replace("+", "-").removesuffix("/#")
