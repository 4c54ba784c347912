"""`parkgate decode`: bytes in, one JSON object a line out.

Input is hex text (`--hex`), a text line or payload (`--text`), a file of raw bytes, or `-` for
raw bytes on standard input, decoded as they arrive. For a device type on a serial link the
input is a stream; for one behind MQTT it is one payload, of at most 16 MiB. `--hex` also takes
`-` or the name of a file, which may hold hex text or raw bytes.
"""

import json
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli._usage import UsageError

if TYPE_CHECKING:
    from devices.spec.device import Device
    from devices.spec.events import Event, Reading

CHUNK = 1 << 16
LONGEST_PAYLOAD = 16 << 20

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BETWEEN = re.compile(r"[\s,:;]+|\b0[xX]|\\x")


def decode(
    device: Annotated[str, typer.Option("--device", "-d", help="The device type; see `parkgate devices`.")],
    source: Annotated[str | None, typer.Argument(metavar="[FILE|-]", help="Raw bytes; - is standard input.")] = None,
    topic: Annotated[str | None, typer.Option("--topic", "-t", help="The topic name, for types behind MQTT.")] = None,
    hexed: Annotated[str | None, typer.Option("--hex", metavar="HEX|FILE|-", help="The bytes in hex.")] = None,
    text: Annotated[str | None, typer.Option("--text", help="The bytes as text: a sentence, a JSON payload.")] = None,
    file: Annotated[str | None, typer.Option("--file", "-f", help="A file of raw bytes; - is standard input.")] = None,
) -> None:
    """Decode bytes of a device type: one JSON object a line for each reading, noise or error."""
    from devices.spec.device import StreamDevice
    from gateway.cli.devices import find

    kind = find(device)
    given = [each for each in (source, hexed, text, file) if each is not None]
    if len(given) > 1:
        raise UsageError("give one input only: --hex, --text, --file or FILE")
    if not given and sys.stdin.isatty():
        raise UsageError("nothing to decode: give --hex HEX, --text TEXT, a FILE, or - for standard input")
    if text is not None:
        chunks: Iterable[bytes] = [text.encode("utf-8", "surrogateescape")]
    elif hexed is not None:
        chunks = [_from_hex_option(hexed)]
    else:
        chunks = _from_file(source or file or "-")
    if isinstance(kind, StreamDevice):
        decoder = kind.decoder()
        for chunk in chunks:
            _print(decoder.feed(chunk), kind, None)
        _print(decoder.flush(), kind, None)
    else:
        payload = b"".join(_bounded(chunks))
        name = topic if topic is not None else usual_topic(kind.topic)
        _print(kind.decode(name, payload, time.time_ns()), kind, topic)


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
        while chunk := stream.read1(CHUNK):
            yield chunk


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
    from devices.spec.events import IntegrityError, Noise, Reading

    if isinstance(event, Reading):
        return _shown_reading(event, device, topic)
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


def _print(events: "list[Event]", device: "Device", topic: str | None) -> None:
    for event in events:
        sys.stdout.write(json.dumps(shown(event, device, topic), ensure_ascii=False) + "\n")
    sys.stdout.flush()
