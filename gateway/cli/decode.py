"""`parkgate decode`: bytes in, one JSON object a line out.

Input is hex text (`--hex`), a text line or payload (`--text`), a file of raw bytes or a recording,
or `-` for raw bytes on standard input, decoded as they arrive. For a device type on a serial link the
input is a stream; for one behind MQTT it is one payload, of at most 16 MiB. `--hex` also takes
`-` or the name of a file, which may hold hex text or raw bytes. `--port` listens to a real port,
opened as the gateway opens it, until Ctrl-C or for `--for` seconds, and with `--record` writes down
what it says, so that a gateway can play it back.

Noise that lies together is one line; from a file or a pipe up to 4 KiB of it may be held back
until its end is seen, from a port nothing is.
"""

import asyncio
import contextlib
import json
import logging
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from gateway.cli.usage import UsageError

if TYPE_CHECKING:
    from devices.spec.device import Device, StreamDevice
    from devices.spec.events import Event, Reading

CHUNK = 1 << 16
LONGEST_PAYLOAD = 16 << 20
MOST_HELD = 4096
LONGEST_FOR_S = 86400 * 366

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BETWEEN = re.compile(r"[\s,:;]+|\b0[xX]|\\x")
_UNSEEN = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Controls, line ends to some readers, and halves of characters, which no encoding can write."""


def decode(
    device: Annotated[str, typer.Option("--device", "-d", help="The device type; see `parkgate devices`.")],
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
) -> None:
    """Decode bytes of a device type: one JSON object a line for each reading, noise or error."""
    from devices.spec.device import StreamDevice
    from gateway.cli.devices import find

    kind = find(device)
    given = [each for each in (source, hexed, text, file, port) if each is not None]
    if len(given) > 1:
        raise UsageError("give one input only: --hex, --text, --file, FILE or --port")
    if port is not None:
        _listen(kind, port, baud, parity, for_s, record)
        return
    if (baud, parity, for_s, record) != (None, None, None, None):
        raise UsageError("--baud, --parity, --for and --record go with --port PORT")
    if not given and sys.stdin.isatty():
        raise UsageError("nothing to decode: give --hex HEX, --text TEXT, a FILE, --port PORT, or - for standard input")
    if text is not None:
        sentence = isinstance(kind, StreamDevice) and text.startswith(("$", "!")) and not text.endswith("\n")
        line_end = b"\r\n" if sentence else b""
        chunks: Iterable[bytes] = [text.encode("utf-8", "surrogateescape") + line_end]
    elif hexed is not None:
        chunks = [_from_hex_option(hexed)]
    else:
        chunks = _from_file(source or file or "-")
    if isinstance(kind, StreamDevice):
        decoder, printed = kind.decoder(), _Printed(kind, None, MOST_HELD)
        for chunk in chunks:
            printed.events(decoder.feed(chunk))
        printed.events(decoder.flush())
        printed.end()
    else:
        payload = b"".join(_bounded(chunks))
        name = topic if topic is not None else usual_topic(kind.topic)
        printed = _Printed(kind, topic, 0)
        printed.events(kind.decode(name, payload, time.time_ns()))


def usual_topic(pattern: str) -> str:
    """A topic name of the pattern, for payloads given without one."""
    return pattern.replace("{thing}", "thing").replace("+", "-").removesuffix("/#")


def parse_hex(text: str) -> bytes | None:
    """The bytes of hex text with blanks, line ends, commas, colons or 0x between; None if it is not hex."""
    digits = _BETWEEN.sub("", text)
    try:
        return bytes.fromhex(digits)
    except ValueError:
        return None


def _from_hex_option(value: str) -> bytes:
    data = None if value == "-" else parse_hex(value)
    if data is not None:
        return data
    if value != "-" and not os.path.isfile(value):  # noqa: PTH113  # a Path of a long text raises
        raise UsageError(f"--hex: expected an even number of hex digits, got {_clip(value)}")
    raw = b"".join(_bounded(_from_file(value)))
    return (parse_hex(raw.decode()) if raw.isascii() else None) or raw


def _clip(value: str) -> str:
    return json.dumps(value if len(value) <= 40 else value[:39] + "…", ensure_ascii=False)


def _from_file(name: str) -> Iterator[bytes]:
    """Chunks as they arrive. A name that is no file but reads as hex is taken as hex."""
    from gateway.config import RECORDING

    if name == "-":
        while chunk := os.read(sys.stdin.fileno(), CHUNK):
            yield chunk
        return
    try:
        stream = Path(name).open("rb")  # noqa: SIM115  # closed below
    except (OSError, ValueError) as exc:
        data = parse_hex(name)
        if not data:
            reason = exc.strerror if isinstance(exc, OSError) else exc
            raise UsageError(f"{_clip(name)}: {reason}") from exc
        yield data
        return
    with stream:
        if stream.peek(len(RECORDING)).startswith(RECORDING.encode()):
            yield from _recorded(Path(name))
            return
        while chunk := stream.read1(CHUNK):
            yield chunk


def _recorded(path: Path) -> Iterator[bytes]:
    from gateway.sources.replay import ReplayError, recorded

    try:
        for _, data in recorded(path):
            yield data
    except ReplayError as error:
        raise UsageError(str(error)) from error


def _bounded(chunks: Iterable[bytes]) -> Iterator[bytes]:
    total = 0
    for chunk in chunks:
        total += len(chunk)
        if total > LONGEST_PAYLOAD:
            raise UsageError(f"the payload is longer than {LONGEST_PAYLOAD >> 20} MiB")
        yield chunk


def rfc3339(time_ns: int) -> str | None:
    """UTC with three, six or nine decimals, as many as the time needs; None outside years 1 to 9999."""
    seconds, ns = divmod(time_ns, 1_000_000_000)
    digits = f"{ns:09d}"
    fraction = digits[:3] if digits.endswith("000000") else digits[:6] if digits.endswith("000") else digits
    try:
        whole = _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        return None
    return f"{whole.isoformat()[:19]}.{fraction}Z"


def shown(event: "Event", device: "Device", topic: str | None) -> dict[str, Any]:
    """One event as JSON values."""
    from devices.spec.events import Empty, IntegrityError, Noise, Reading

    if isinstance(event, Reading):
        return _shown_reading(event, device, topic)
    if isinstance(event, Empty):
        return {"event": "empty", "detail": event.detail, "bytes": len(event.data)}
    if isinstance(event, Noise):
        return {"event": "noise", "bytes": len(event.data)}
    kind = "integrity" if isinstance(event, IntegrityError) else "sanity"
    return {"event": "error", "kind": kind, "detail": event.detail, "bytes": len(event.data)}


def _shown_reading(event: "Reading", device: "Device", topic: str | None) -> dict[str, Any]:
    from devices.spec.device import MessageDevice

    thing = event.thing
    if isinstance(device, MessageDevice) and topic is not None:
        from gateway.routes import matcher

        match = matcher(device.topic).match(topic)
        if match is not None:
            thing = match.groupdict().get("thing") or thing
    return {
        "event": "reading",
        "device": device.name,
        "fields": event.fields,
        "time": None if event.time_ns is None else rfc3339(event.time_ns),
        "thing": thing,
        "tags": event.tags,
        "units": units(event, device),
        **({"field_errors": list(event.field_errors)} if event.field_errors else {}),
    }


def units(event: "Reading", device: "Device") -> dict[str, str]:
    """UCUM units of the fields present: as described, else as the ending of an open field's name says."""
    from devices.spec.units import UNITS

    described = {field.name: field.unit for field in device.fields}
    found: dict[str, str] = {}
    for name, value in event.fields.items():
        if name in described:
            found[name] = described[name]
        elif device.open_fields and isinstance(value, float):
            ends = [unit for unit in UNITS.values() if unit.suffix and name.endswith("_" + unit.suffix)]
            if ends:
                found[name] = max(ends, key=lambda unit: len(unit.suffix)).ucum
    return found


class _Printed:
    """Events as lines on standard output. Adjacent noise becomes one line, with less than `hold`
    bytes of it kept back at the end of a list of events, for more may follow."""

    def __init__(self, device: "Device", topic: str | None, hold: int) -> None:
        self._device = device
        self._topic = topic
        self._hold = hold
        self._noise = 0

    def events(self, events: "list[Event]") -> None:
        from devices.spec.events import Noise

        for event in events:
            if isinstance(event, Noise):
                self._noise += len(event.data)
            else:
                self._say_noise()
                self._say(shown(event, self._device, self._topic))
        if self._noise >= self._hold:
            self._say_noise()
        sys.stdout.flush()

    def end(self) -> None:
        self._say_noise()
        sys.stdout.flush()

    def _say_noise(self) -> None:
        if self._noise:
            self._say({"event": "noise", "bytes": self._noise})
            self._noise = 0

    @staticmethod
    def _say(values: dict[str, Any]) -> None:
        sys.stdout.write(one_line(values) + "\n")


def one_line(values: dict[str, Any]) -> str:
    """JSON that is one line to every reader; letters of any script stay as they are."""
    return _UNSEEN.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(values, ensure_ascii=False))


class _Printing:
    """What a port brings, printed at once: a `BytesIntake`. `over` is set when nobody reads it any more."""

    def __init__(self, device: "StreamDevice") -> None:
        self.over = asyncio.Event()
        self.error: BrokenPipeError | None = None
        self._device = device
        self._decoder = device.decoder()
        self._printed = _Printed(device, None, 0)

    def bytes(self, data: bytes) -> int:
        from devices.spec.events import Reading

        events = self._decoder.feed(data)
        self._print(events)
        return sum(isinstance(event, Reading) for event in events)

    def closed(self) -> None:
        self._print(self._decoder.flush())
        self._decoder = self._device.decoder()

    def _print(self, events: "list[Event]") -> None:
        if self.error is not None:
            return
        try:
            self._printed.events(events)
        except BrokenPipeError as error:  # it would end the source like a fault of its own
            self.error = error
            self.over.set()


def _listen(
    device: "Device", port: str, baud: int | None, parity: str | None, for_s: float | None, record: Path | None
) -> None:
    """Print what `port` says. What is wrong with the port goes to stderr, a line for each reason."""
    from devices.spec.device import StreamDevice
    from gateway.cli.log import log_to_stderr
    from gateway.cli.loop import run_async

    if not isinstance(device, StreamDevice):
        raise UsageError(f"--port: {device.name} speaks MQTT, not serial; give a payload with --text or FILE")
    if not port.strip() or "\0" in port:
        raise UsageError("--port: expected a serial port, such as /dev/serial/by-id/usb-…")
    if baud is not None and not 1 <= baud <= 10_000_000:
        raise UsageError(f"--baud: expected a number from 1 to 10000000, got {baud}")
    if parity not in (None, "N", "E", "O"):
        raise UsageError(f"--parity: expected N, E or O, got {_clip(parity or '')}")
    if for_s is not None and not 0 < for_s <= LONGEST_FOR_S:
        raise UsageError(f"--for: expected seconds, more than 0, got {for_s:g}")
    log_to_stderr(logging.WARNING)
    logging.getLogger("parkgate.serial").setLevel(logging.INFO)
    with _recording(record) as file:
        try:
            run_async(_listening(device, port, baud, parity, for_s, file))
        except BrokenPipeError:
            raise
        except OSError as error:
            if file is None:
                raise
            raise UsageError(f"--record: {record}: {error.strerror}") from error


@contextlib.contextmanager
def _recording(path: Path | None) -> Iterator[TextIO | None]:
    """A file that did not exist before: what a device once said cannot be had again."""
    if path is None:
        yield None
        return
    try:
        file = path.open("x", encoding="ascii", buffering=1)
    except FileExistsError:
        raise UsageError(f"--record: {path} is there already; give another name") from None
    except OSError as error:
        raise UsageError(f"--record: {path}: {error.strerror}") from error
    with file:
        yield file


async def _listening(
    device: "StreamDevice", port: str, baud: int | None, parity: Any, for_s: float | None, record: TextIO | None
) -> None:
    from gateway.cli.loop import on_signals
    from gateway.clock import SystemClock
    from gateway.config import SerialConfig
    from gateway.sources.replay import Recorder
    from gateway.sources.serial import SerialSource
    from gateway.stats import SourceStats

    printing = _Printing(device)
    intake = printing if record is None else Recorder(printing, record, SystemClock())
    on_signals(printing.over.set)
    config = SerialConfig(port, device.name, "", baud=baud, parity=parity)
    stats = SourceStats(f"serial:{port}")
    source = SerialSource(config, device, intake, SystemClock(), stats)
    reading = asyncio.create_task(source.run(), name=f"source[{source.name}]")
    over = asyncio.create_task(printing.over.wait())
    try:
        await asyncio.wait((reading, over), timeout=for_s, return_when=asyncio.FIRST_COMPLETED)
        source.stop_reading()
    finally:
        over.cancel()
        reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reading
        await source.close()
    printing.closed()
    if printing.error is not None:
        raise printing.error
    if not stats.connects:
        raise typer.Exit(1)  # why stands on stderr
