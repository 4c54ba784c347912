"""What is proposed for a broker: a type that is known, or one for each kind of topic, and their subscriptions."""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Any, NamedTuple

from gateway.cli.learn.command import Found, Wish, asked, no_numbers
from gateway.cli.usage import UsageError

if TYPE_CHECKING:
    from devices.spec.device import Device
    from gateway.cli.learn.sample import Message
    from gateway.learn import Part


class Broker(NamedTuple):
    """What was asked for with `--mqtt`."""

    url: str
    username: str | None
    topic: str


class _Read(NamedTuple):
    """What reads the topics of a part: the subscription, and the table of a new type."""

    row: dict[str, Any]
    table: dict[str, Any] | None = None
    notes: Sequence[str] = ()
    lines: Sequence[str] = ()


def from_messages(messages: "Sequence[Message]", broker: Broker, wish: Wish) -> Found:
    """A proposal for what a broker brings. UsageError where nothing can be read from it."""
    from gateway.cli.learn.preview import of_family, of_messages, preview
    from gateway.learn import parts_of, pattern_of, same_shape

    family = _family(messages, broker.topic, wish.devices)
    if family is not None:
        row: dict[str, Any] = {"topic": broker.topic, "device": family}
        device = wish.devices[family]
        of_it = [("", event) for events in of_family(device, messages, broker.topic) for event in events]
        shown = preview(device, of_it, wish.thing_name(family), port=False)
        return Found([_subscribed(broker, [row], wish)], [f"looks like {family}"], shown.lines)
    topics = set(same_shape([message.topic for message in messages]))
    chosen = [message for message in messages if message.topic in topics]
    notes = []
    if len(chosen) < len(messages):
        others = sorted({message.topic for message in messages} - topics)
        notes.append(f"left out, as their topics have another number of levels: {', '.join(others[:5])}")
    known = _known_type(chosen, _installed(wish.devices))
    if known is not None:
        pattern, why = pattern_of(sorted(topics))
        row = _row(pattern, known, wish.thing)
        notes += [f"topic {pattern}: {why}", f"looks like {known}", *_thing_of_topic(wish, pattern)]
        device = wish.devices[known]
        shown = preview(device, of_messages(device, chosen, pattern), row.get("thing") or f"{known}-1", port=False)
        return Found([_subscribed(broker, [row], wish)], notes, shown.lines)
    texts = _texts(chosen)[1]
    if not texts:
        raise UsageError("messages came, but no text: a binary payload needs a device type of its own")
    said = _said(chosen)
    heard = {topic: places for topic, places in said.items() if places}
    if not heard:
        raise UsageError(no_numbers("messages", texts))
    if len(heard) < len(said):
        notes.append(f"left out, as nothing there is a number: {', '.join(sorted(said.keys() - heard)[:5])}")
    parts, why_so = parts_of(heard)
    return _together(parts, chosen, broker, wish, [*notes, *why_so])


def _together(
    parts: "Sequence[Part]", messages: "Sequence[Message]", broker: Broker, wish: Wish, notes: list[str]
) -> Found:
    """The types and subscriptions of all parts, with the first readings of each in turn."""
    from gateway.cli.learn.preview import PREVIEWED
    from gateway.learn import table_text

    found: list[_Read] = []
    names: set[str] = set()
    for part in parts:
        taken = [message for message in messages if message.topic in part.topics]
        read = _read(part, taken, wish, names if len(parts) > 1 else None)
        if read is None:
            notes.append(f"{part.pattern}: left out, as what comes there is of different forms")
            continue
        names.add(read.row["device"])
        found.append(read)
        notes += [f"{part.pattern}: {note}" for note in read.notes] if len(parts) > 1 else read.notes
    if not found:
        raise UsageError("messages, but of different forms: learn them with a narrower --topic")
    notes += _thing_of_topic(wish, found[0].row["topic"])
    sections = [table_text("type", read.table) for read in found if read.table is not None]
    lines = [line for line in chain(*zip_longest(*(read.lines for read in found))) if line is not None]
    return Found([*sections, _subscribed(broker, [read.row for read in found], wish)], notes, lines[:PREVIEWED])


def _read(part: "Part", messages: "Sequence[Message]", wish: Wish, names: set[str] | None) -> _Read | None:
    """What reads the topics of a part; None where there are no numbers. `names` are those of the types for the
    other parts, None where it is the only one."""
    from gateway.cli.learn.add import free
    from gateway.cli.learn.preview import of_messages, preview, proposed
    from gateway.learn import propose, shape_of

    known = _known_type(messages, wish.devices if names is None else _of_topic(wish.devices, part.topics))
    if known is not None:
        row = _row(part.pattern, known, wish.thing)
        device = wish.devices[known]
        shown = preview(device, of_messages(device, messages, part.pattern), f"{known}-1", port=False)
        return _Read(row, None, [f"looks like {known}"], shown.lines)
    encoding, texts = _texts(messages)
    if not texts:
        return None
    word = "" if names is None else re.sub(r"[^a-z0-9]+", "-", part.called.lower()).strip("-")
    name = wish.type_name()
    if names is not None:
        name = free(f"{name}-{word}".rstrip("-"), {*names, *wish.devices})
    guess = shape_of(texts)
    link = {"topic": part.pattern} if encoding == "utf-8" else {"topic": part.pattern, "encoding": encoding}
    proposal = propose(name, guess, texts, link, part.called)
    if proposal is None:
        return None
    proposal = asked(proposal, texts, lambda device: of_messages(device, messages, part.pattern))
    thing = None
    if "thing" not in proposal.table:
        thing = f"{wish.thing}-{word}" if wish.thing and word else wish.thing_name(name)
    device = proposed(proposal)
    shown = preview(device, of_messages(device, messages, part.pattern), thing or f"{name}-1", port=False)
    notes = [guess.words, *proposal.notes, *shown.notes]
    return _Read(_row(part.pattern, name, thing), proposal.table, notes, shown.lines)


def _said(messages: "Sequence[Message]") -> "dict[str, frozenset[str | int]]":
    """For each topic where its values stand."""
    from gateway.learn import propose, shape_of

    of_topic: dict[str, list[Message]] = {}
    for message in messages:
        of_topic.setdefault(message.topic, []).append(message)
    said = {}
    for topic, its in of_topic.items():
        lines = _texts(its)[1]
        proposal = propose("board", shape_of(lines), lines, {"topic": topic}) if lines else None
        fields = proposal.table["field"] if proposal is not None else ()
        said[topic] = frozenset(row["from"] for row in fields)
    return said


def _row(pattern: str, device: str, thing: str | None) -> dict[str, Any]:
    row = {"topic": pattern, "device": device}
    return row if thing is None or "{thing}" in pattern else {**row, "thing": thing}


def _thing_of_topic(wish: Wish, pattern: str) -> list[str]:
    return [f"--thing {wish.thing}: not used, the topic names it"] if wish.thing and "{thing}" in pattern else []


def _installed(devices: "Mapping[str, Device]") -> "dict[str, Device]":
    """The types that are not of the configuration."""
    from devices.catalogue import installed

    own = installed()
    return {name: device for name, device in devices.items() if name in own}


def _of_topic(devices: "Mapping[str, Device]", topics: Iterable[str]) -> "dict[str, Device]":
    """The types whose usual topic takes all of `topics`: a type of one bare value reads those of any quantity."""
    from devices.spec.device import MessageDevice
    from gateway.routes import matcher

    return {
        name: device
        for name, device in devices.items()
        if isinstance(device, MessageDevice) and all(map(matcher(device.topic).match, topics))
    }


def _texts(messages: "Sequence[Message]") -> tuple[str, list[str]]:
    """What the payloads are written in, and their texts: JSON whole, else the lines."""
    from gateway.learn import PRINTABLE, printable, texts

    payloads = [message.payload for message in messages if printable(message.payload) >= PRINTABLE]
    encoding, whole = texts(payload for payload in payloads if payload.strip())
    found = []
    for text in map(str.strip, whole):
        found += [text] if text[:1] in ("{", "[") else [line for line in text.splitlines() if line.strip()]
    return encoding, found


def _subscribed(broker: Broker, rows: "Sequence[Mapping[str, Any]]", wish: Wish) -> str:
    from gateway.cli.learn.add import subscription_text

    return subscription_text(wish.tables, broker.url, broker.username, rows)


def _family(messages: "Sequence[Message]", topic: str, devices: "Mapping[str, Device]") -> str | None:
    """The type with state that reads the messages, each with what the others say, and finds no fault with any."""
    from devices.spec.device import MessageDevice
    from devices.spec.events import Reading, SanityError
    from gateway.cli.learn.preview import of_family

    for name, device in devices.items():
        if not isinstance(device, MessageDevice) or device.family is None:
            continue
        readings = others = 0
        for events in of_family(device, messages, topic):
            if any(isinstance(event, SanityError) for event in events):
                break
            measured = any(isinstance(event, Reading) and not event.standing for event in events)
            readings += measured
            others += not measured
        else:
            if readings and others:  # what explains the readings is none itself, or stands until it changes
                return name
    return None


def _known_type(messages: "Sequence[Message]", devices: "Mapping[str, Device]") -> str | None:
    """The type without state that reads all of the messages.

    A number in text is as many bytes, too, of which a type may make another number: only its usual topic tells then.
    """
    from devices.spec.device import MessageDevice
    from devices.spec.events import Reading
    from gateway.cli.learn.preview import of_messages

    if all(_is_number(message.payload) for message in messages):
        devices = _of_topic(devices, {message.topic for message in messages})
    for name, device in devices.items():
        if isinstance(device, MessageDevice) and device.family is None:
            seen = of_messages(device, messages, device.topic)
            if seen and all(isinstance(event, Reading) for _, event in seen):
                return name
    return None


def _is_number(payload: bytes) -> bool:
    """Whether it is a number as people write it."""
    try:
        float(payload)
    except ValueError:
        return False
    return True
