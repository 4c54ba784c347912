"""A device type out of a type table.

On a serial line each line is a text of the type. Over MQTT a JSON payload is one text, or several lines of
JSON; other payloads are lines, the last with or without its end.
"""

from codecs import BOM_UTF8
from collections.abc import Iterable
from dataclasses import replace
from operator import and_

from devices.spec import checksum
from devices.spec.device import Device, MessageDevice, StreamDevice
from devices.spec.errors import DescriptionError
from devices.spec.events import Empty, Event, Reading, SanityError
from devices.spec.field import Field
from devices.spec.line import LONGEST, LineCheck, LineFramer, text_of
from devices.spec.mapping.forms import is_json
from devices.spec.mapping.read import Text
from devices.spec.mapping.table import OTHERS, FieldRow, MappingError, Mistake, TypeRow, read
from devices.spec.sequence import Bits, Part, Sequence
from devices.spec.units import UNITS

LINE_END = b"\r\n"
AUDIT_BITS = 4
AUDIT_STEP = 0.01


def device_type(table: object, source: str = "the configuration") -> Device:
    """The device type of a table (`[[type]]`, parsed), which stands in `source`. MappingError with every mistake."""
    if isinstance(table, dict) and table.get("format") in OTHERS:
        raise MappingError((Mistake(("format",), f'"{table["format"]}"', "a table of texts is expected here"),))
    row = read(table, source)
    try:
        return _stream(row) if row.topic is None else _messages(row, row.topic)
    except DescriptionError as error:  # what the rows allow and the description does not
        raise MappingError((Mistake(("name",), f'"{row.name}"', str(error)),)) from error


def _stream(row: TypeRow) -> StreamDevice:
    first = 1 if row.prefix.startswith(("$", "!")) else 0  # as in NMEA 0183
    check = LineCheck(getattr(checksum, row.check), first=first) if row.check else None

    def encode(reading: Reading) -> bytes:
        line = Text(row).written(reading).encode(row.encoding)
        return (check.sealed(line) if check else line) + LINE_END

    def decoder() -> LineFramer:
        return LineFramer(Text(row).events, check=check, encoding=row.encoding)

    def joined() -> LineFramer:
        text = Text(row)
        return LineFramer(text.events, check=check, joined=text.is_whole, encoding=row.encoding)

    return StreamDevice(
        name=row.name,
        title=row.title,
        domain=row.domain,
        source=row.source,
        fields=tuple(map(described, row.fields)),
        expected_every_s=row.every_s,
        sequence=audited(map(described, row.fields)),
        says_all=True,
        serial=row.serial,
        decoder=decoder,
        joined=joined,
        encode=encode,
        checked=check is not None,
        longest_frame=LONGEST,
        line_end=LINE_END,
    )


def _messages(row: TypeRow, topic: str) -> MessageDevice:
    text = Text(row)
    json = row.format == "json"

    def decode(_topic: str, payload: bytes, _received_ns: int) -> list[Event]:
        text.begin()
        if not payload.strip():
            return [Empty("an empty payload", payload)]
        if json:
            return _json(text, payload, row.encoding)
        return [event for line in payload.splitlines(keepends=True) for event in _line(text, line, row.encoding)]

    def encode(reading: Reading) -> bytes:
        return text.written(reading).encode(row.encoding)

    return MessageDevice(
        name=row.name,
        title=row.title,
        domain=row.domain,
        source=row.source,
        fields=tuple(map(described, row.fields)),
        expected_every_s=row.every_s,
        sequence=audited(map(described, row.fields)),
        says_all=True,
        topic=topic,
        decode=decode,
        encode=encode,
    )


def _json(text: Text, payload: bytes, encoding: str) -> list[Event]:
    """A payload of JSON; where it is several lines of JSON, each is one, and a broken one alone is refused."""
    if b"\n" not in payload and b"\r" not in payload:
        return _whole(text, payload, payload, encoding)
    lines = [line for line in payload.removeprefix(BOM_UTF8).splitlines(keepends=True) if line.strip()]
    closed = [line.strip()[:1] in b"{[" and line.strip()[-1:] in b"}]" for line in lines]
    if len(lines) < 2 or not all(closed):
        events = _whole(text, payload.translate(None, b"\r\n"), payload, encoding)
        if len(lines) < 2 or not isinstance(events[0], SanityError) or not _separate(lines, closed):
            return events
    return [event for line in lines for event in _line(text, line, encoding)]


def _separate(lines: list[bytes], closed: list[bool]) -> bool:
    """Whether lines, one of them broken, are JSON each: the first is whole, or two that follow each other are.

    In JSON that is spread over lines, a comma or a bracket would stand between.
    """
    whole = [shut and is_json(line) for line, shut in zip(lines, closed, strict=True)]
    return whole[0] or any(map(and_, whole, whole[1:]))


def _whole(text: Text, body: bytes, payload: bytes, encoding: str) -> list[Event]:
    said = text_of(body, encoding)
    if said is None:
        return [SanityError(f"expected JSON in {encoding}", payload)]
    return text.events(said, payload, alone=True)


def _line(text: Text, line: bytes, encoding: str) -> list[Event]:
    if not line.strip():
        return []
    body = text_of(line.rstrip(b"\r\n"), encoding)
    return [SanityError(f"expected text in {encoding}", line)] if body is None else text.events(body, line)


def described(field: FieldRow) -> Field:
    """The field of a row."""
    return Field(
        field.name,
        field.unit,
        field.description or _words(field),
        kind=field.kind,
        minimum=field.minimum,
        maximum=field.maximum,
        step=_step(field),
        optional=not field.required,
        states=field.states,
    )


def _words(field: FieldRow) -> str:
    """`soil_temperature_c` is "Soil temperature"."""
    suffix = UNITS[field.unit].suffix
    stem = field.name.removesuffix("_" + suffix) if suffix else field.name
    words = stem.replace("_", " ").strip()
    return words[:1].upper() + words[1:] + (" value" if len(words) < 4 else "")


def _step(field: FieldRow) -> float | None:
    if field.kind == "counter":
        return 1.0
    return field.step if field.step is not None else abs(field.scale) if field.scale != 1 else None


def audited(fields: Iterable[Field]) -> Sequence:
    """Where a simulated device hides its count: the lowest bits of the first two numbers that have room.

    A type without a number carries none.
    """
    parts: list[Part] = []
    numbers = [field for field in fields if field.kind in ("measure", "counter")]
    for field in sorted(numbers, key=lambda field: field.optional)[:2]:
        part = Bits(field.name, AUDIT_BITS, field.step or AUDIT_STEP, field.minimum, field.maximum)
        bits = _room(part)
        if bits:
            parts.append(replace(part, bits=bits))
    return Sequence(tuple(parts))


def _room(part: Bits) -> int:
    """How many low bits of the field can carry a count within its range."""
    if part.minimum is None or part.maximum is None:
        return part.bits
    steps = (part.maximum - part.minimum) / part.step
    return max((bits for bits in range(part.bits + 1) if steps >= 2 * (1 << bits) - 1), default=0)
