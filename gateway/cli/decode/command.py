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
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from gateway.cli.decode.ask import MOST_TRIED, ask, other_unit
from gateway.cli.decode.coded import RAW, Coding
from gateway.cli.decode.family import decode_family
from gateway.cli.decode.inputs import bounded, from_file, from_hex_option
from gateway.cli.decode.listen import Port, listen
from gateway.cli.decode.options import (
    BaudOption,
    CodecOption,
    CodecsOption,
    DeviceOption,
    EveryOption,
    FileOption,
    ForOption,
    FPortOption,
    HexOption,
    JsonOption,
    ParityOption,
    PortOption,
    RecordOption,
    SenderOption,
    SourceArgument,
    TextOption,
    TopicOption,
    UnitOption,
    WithOption,
)
from gateway.cli.decode.shown import Printed
from gateway.cli.decode.speaker import speaker
from gateway.cli.decode.watch import watch
from gateway.cli.devices import TypesOption, find, usable
from gateway.cli.usage import UsageError
from textfile import as_utf8

if TYPE_CHECKING:
    from devices.spec.device import Device, MessageDevice, PolledDevice, StreamDevice
    from devices.spec.events import Event

MOST_HELD = 4096
LEAST_HELD = 2
"""Bytes that are told to be half a frame: one may be anything."""


def decode(
    device: DeviceOption = None,
    source: SourceArgument = None,
    topic: TopicOption = None,
    hexed: HexOption = None,
    text: TextOption = None,
    file: FileOption = None,
    port: PortOption = None,
    baud: BaudOption = None,
    parity: ParityOption = None,
    for_s: ForOption = None,
    record: RecordOption = None,
    unit: UnitOption = None,
    heard: WithOption = None,
    config: TypesOption = None,
    every_s: EveryOption = None,
    codec: CodecOption = None,
    codecs: CodecsOption = None,
    f_port: FPortOption = None,
    sender: SenderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Decode bytes of a device type, or look at what a port says: a line for each reading, noise or error."""
    from devices.spec.device import MessageDevice

    terminal = sys.stdout.isatty() and not as_json
    asked = None if port is None else Port(port, baud, parity, for_s, record)
    given = [each for each in (source, hexed, text, file, port) if each is not None]
    if device is None and source is not None and len(given) > 1 and source in usable(config):
        raise UsageError(f"{source} is a device type, which stands behind --device: --device {source}")
    if len(given) > 1:
        raise UsageError("give one input only: --hex, --text, --file, FILE or --port")
    if device is None:
        if asked is None:
            raise UsageError("--device is missing: expected a device type (`parkgate devices` lists them), or a --port")
        if unit is not None or every_s is not None:
            raise UsageError("--unit and --every go with --device NAME, a type that is asked")
        watch(asked, terminal, usable(config))
        return
    kinds = find(device, config)
    kind, coding = kinds[0], Coding(codec, codecs, f_port, sender)
    coding.see(device, isinstance(kind, MessageDevice) and kind.decode_coded is not None)
    _see_asking(kind, unit, every_s, asked)
    if asked is not None:
        _port(kind, asked, unit, every_s, terminal)
        return
    _see_input(given, (baud, parity, for_s, record))
    chunks = _given(kind, text, hexed, source or file or "-")
    if len(kinds) > 1:
        kind, chunks = speaker(kinds, chunks)
    if not isinstance(kind, MessageDevice):
        _stream(kind, chunks, unit, terminal)
    elif kind.family is not None:
        single = text is not None or hexed is not None
        decode_family(kind, topic, b"".join(bounded(chunks)), heard, Printed(kind, None, 0, terminal=terminal), single)
    elif heard is not None:
        raise UsageError(f"--with: messages of {kind.name} each speak for themselves")
    else:
        said = coding.events(kind, topic or _unsaid(kind), b"".join(bounded(chunks)), device == RAW)
        Printed(kind, topic, 0, terminal=terminal).events(said)


def _unsaid(kind: "MessageDevice") -> str:
    """The topic of a payload that was given without one; said, where only that tells what such bytes are."""
    on = usual_topic(kind.reading_topic)
    if kind.says_on and not kind.checked:
        print(f"no --topic: read as if it had come on {on}", file=sys.stderr)
    return on


def _see_input(given: Sequence[object], of_ports: tuple[object, ...]) -> None:
    """Refuse to decode nothing, and what goes only with a port."""
    if of_ports != (None, None, None, None):
        raise UsageError("--baud, --parity, --for and --record go with --port PORT")
    if not given and sys.stdin.isatty():
        raise UsageError("nothing to decode: give --hex HEX, --text TEXT, a FILE, --port PORT, or - for standard input")


def _see_asking(kind: "Device", unit: int | None, every_s: float | None, asked: Port | None) -> None:
    """Refuse what goes only with a type that is asked."""
    from devices.spec.device import PolledDevice

    polled = kind if isinstance(kind, PolledDevice) else None
    if unit is not None:
        if polled is None or not polled.units:
            raise UsageError(f"--unit: {kind.name} has no unit number")
        if unit not in polled.units:
            raise UsageError(f"--unit: expected a number from {polled.units[0]} to {polled.units[-1]}, got {unit}")
    if every_s is not None and polled is None:
        raise UsageError(f"--every: {kind.name} talks by itself and is not asked")
    if every_s is not None and asked is None:
        raise UsageError("--every goes with --port PORT")


def _port(kind: "Device", asked: Port, unit: int | None, every_s: float | None, terminal: bool) -> None:
    from devices.spec.device import PolledDevice

    if isinstance(kind, PolledDevice):
        ask(kind, asked, unit, every_s, terminal)
    else:
        listen(kind, asked, terminal)


def _given(kind: "Device", text: str | None, hexed: str | None, name: str) -> Iterable[bytes]:
    """The bytes of the one input that was given."""
    from devices.spec.device import PolledDevice, StreamDevice

    if text is not None:
        sentence = isinstance(kind, StreamDevice) and (kind.line_end or text.startswith(("$", "!")))
        line_end = b"\r\n" if sentence and not text.endswith("\n") else b""
        return [text.encode("utf-8", "surrogateescape") + line_end]
    if hexed is not None:
        return [from_hex_option(hexed)]
    chunks = from_file(name)
    # sentences or JSON, as an editor may have saved them
    return chunks if isinstance(kind, PolledDevice) else as_utf8(chunks)


def _stream(kind: "StreamDevice | PolledDevice", chunks: Iterable[bytes], unit: int | None, terminal: bool) -> None:
    from devices.spec.device import PolledDevice, StreamDevice

    decoder = kind.decoder() if isinstance(kind, StreamDevice) else kind.decoder(unit)
    printed = Printed(kind, None, MOST_HELD, terminal=terminal)
    head, size, answered = b"", 0, False
    for chunk in chunks:
        size += len(chunk)
        head += chunk[: MOST_TRIED - len(head)]
        answered |= _said(printed, decoder.feed(chunk))
    answered |= _said(printed, _broken_off(decoder.flush()))
    printed.end()
    if not answered and isinstance(kind, PolledDevice):
        asked = kind.unit if unit is None else unit
        other = other_unit(kind, asked, head)
        if other is not None:
            print(f"no answer of unit {asked}, but one of unit {other}: give --unit {other}?", file=sys.stderr)
            return
        fits = [question.name for question in kind.questions if question.size == size]
        if fits:
            who = f"of unit {asked}" if kind.units else f"of the {kind.name}"
            print(
                f"no answer {who}: {size} bytes are as many as one to {fits[0]} has, but its check does not hold, "
                "or they are something else",
                file=sys.stderr,
            )


def _broken_off(left: "list[Event]") -> "list[Event]":
    """What a decoder gives back at the end of the input, said to be what it is: it was waiting for the rest of it."""
    from devices.spec.events import Noise

    noise = [event for event in left if isinstance(event, Noise) and not event.why]
    data = b"".join(event.data for event in noise)
    if len(noise) < len(left) or len(data) < LEAST_HELD:
        return left
    return [Noise(data, "incomplete: it begins as a frame does, and the input ends before the frame does")]


def _said(printed: Printed, events: "list[Event]") -> bool:
    """Print the events; whether the device has said anything with them."""
    from devices.spec.events import Noise

    printed.events(events)
    return any(not isinstance(event, Noise) for event in events)


def usual_topic(pattern: str) -> str:
    """A topic name of the pattern, for payloads given without one."""
    return pattern.replace("{thing}", "thing").replace("+", "-").removesuffix("/#")
