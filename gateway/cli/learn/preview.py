"""What a type makes of what was seen: the first readings as they would be stored, and why there is none.

The very bytes and payloads are read, as the gateway reads them, with its bounds for a time of a reading's own.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from devices.spec.device import MessageDevice, StreamDevice
from devices.spec.events import Empty, Event, Noise, Reading
from devices.spec.line import LONGEST
from devices.spec.mapping import MappingError, device_type
from gateway.cli.decode import rfc3339
from gateway.cli.usage import UsageError
from gateway.decode import AHEAD_NS, EARLIEST_NS, Series, earliest_ns

if TYPE_CHECKING:
    from devices.spec.device import Device
    from gateway.cli.learn.sample import Message
    from gateway.learn import Proposal

PREVIEWED = 3

Seen = tuple[str, Event]
"""An event and the thing that it is of, empty where only the event or the configuration says it."""


@dataclass(frozen=True, slots=True)
class Preview:
    """`lines` of line protocol, with a remark behind them where one is due; `notes` on what was read of all."""

    lines: list[str]
    notes: list[str]


def of_bytes(device: "Device", data: bytes) -> list[Seen]:
    """What a type says of the bytes of a port or a file."""
    assert isinstance(device, StreamDevice)  # a type without a topic
    decoder = device.decoder()
    events = decoder.feed(data) + decoder.flush()
    return [("", event) for event in events if not isinstance(event, Noise) or event.data.strip(b"\r\n")]


def of_messages(device: "Device", messages: "Sequence[Message]", pattern: str) -> list[Seen]:
    """What a type without state says of messages, the things named by `{thing}` in `pattern`."""
    assert isinstance(device, MessageDevice)  # a type with a topic
    return [
        (_thing_of(pattern, message.topic), event)
        for message in messages
        for event in device.decode(message.topic, message.payload, time.time_ns())
    ]


def in_order(messages: "Sequence[Message]") -> "list[Message]":
    """What the broker had kept comes first."""
    return sorted(messages, key=lambda message: not message.retained)


def of_family(device: "Device", messages: "Sequence[Message]", topic: str) -> Iterator[list[Event]]:
    """What a type with state says of each of the messages; what it asks the broker for is left out."""
    assert isinstance(device, MessageDevice)
    decoder, now_ns = device.decoder(topic), time.time_ns()
    for message in in_order(messages):
        decode = decoder.retained if message.retained else decoder.decode
        yield [each for each in decode(message.topic, message.payload, now_ns) if isinstance(each, Event)]


def _thing_of(pattern: str, topic: str) -> str:
    for level, said in zip(pattern.split("/"), topic.split("/"), strict=False):
        if level == "{thing}":
            return said
    return ""


def proposed(proposal: "Proposal") -> "Device":
    """The type of a proposal. UsageError where there can be none."""
    try:
        return device_type(proposal.table)
    except MappingError as error:
        raise UsageError(f"no type can be made of what was seen: {error}") from error


def must_read(form: str, seen: Sequence[Seen], sample: str) -> None:
    """UsageError where a type of a form reads nothing: what it would be is of no use."""
    events = [event for _, event in seen]
    if any(isinstance(event, Reading) for event in events):
        return
    why = next(_whys(events), "nothing of it is a value")
    longest = max((len(event.data) for event in events if isinstance(event, Noise)), default=0)
    if longest >= LONGEST:
        why = f"a line without an end within {LONGEST} bytes"
    raise UsageError(
        f"nothing is proposed: what came looks like {form}, but a type of it would read none of it: {why}; "
        f"such as {sample[:60]!r}"
    )


def _whys(events: Iterable[Event]) -> Iterator[str]:
    """Why events are no readings, faults before what is but empty or noise."""
    rest = [event for event in events if not isinstance(event, Reading)]
    for event in sorted(rest, key=lambda event: isinstance(event, Noise | Empty)):
        if not isinstance(event, Noise | Reading):
            yield event.detail


def preview(device: "Device", seen: Sequence[Seen], thing: str, *, port: bool) -> Preview:
    """The first readings, of `thing` where nothing else says it; `port`: they came from one just now."""
    readings = [(named, event) for named, event in seen if isinstance(event, Reading)]
    notes = [f"{len(readings)} of {len(seen)} lines or payloads are readings with it"]
    if why := next(_whys(event for _, event in seen), ""):
        notes.append(f"of the others: {why}")
    left = [words for _, reading in readings for words in reading.field_errors]
    if left:
        notes.append(f"{len(left)} value{'s' if len(left) > 1 else ''} left out: {left[0]}")
    now_ns = time.time_ns()
    series: dict[tuple[tuple[str, str], ...], Series] = {}
    lines = []
    for named, reading in readings:
        tags = {**reading.tags, "thing": reading.thing or named or thing}
        one = series.setdefault(tuple(sorted(tags.items())), Series(device.measurement, tags))
        doubt = _doubt(reading.time_ns, now_ns, earliest_ns(device, now_ns) if port else EARLIEST_NS)
        line = one.line(reading.fields, None if doubt else reading.time_ns, now_ns)
        if line is not None:
            lines.append(f"{line}  {doubt}".rstrip())
        if len(lines) == PREVIEWED:
            break
    return Preview(lines, notes)


def _doubt(time_ns: int | None, now_ns: int, oldest_ns: int) -> str:
    """Why a reading's own time is not believed; empty where it is, or there is none."""
    if time_ns is None or oldest_ns <= time_ns <= now_ns + AHEAD_NS:
        return ""
    early = "before 2000" if oldest_ns == EARLIEST_NS else "more than a day behind"
    why = early if time_ns < oldest_ns else "more than an hour ahead"
    return f"(its own time, {rfc3339(time_ns) or f'{time_ns} ns'}, is {why}: stored with the time of receipt)"
