"""What passes between the rooms: an intake on its way into the spool, a batch on its way out.

Leaves: no room is imported here, every room may import this.
"""

import asyncio
from collections.abc import Container
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple, Protocol

from devices.spec.events import Ask, Event, Fetch, Publish
from gateway.tee import Ticket


class Lane(IntEnum):
    """What the spool does for a source when it is full."""

    HOLD = 0  # MQTT: refuse the commit, the broker keeps the messages
    DROP = 1  # serial: give up the oldest points of this lane and count them by thing


class Quarantined(NamedTuple):
    """Bytes that could not be stored, kept with the reason.

    `stage` is "decode" or "sink"; `kind` is "noise", "integrity", "sanity" or "rejected".
    """

    time_ns: int
    source: str
    device: str
    thing: str
    stage: str
    kind: str
    reason: str
    data: bytes


class BytesIntake(Protocol):
    """What a stream of bytes is given to: one port, one decoder."""

    def bytes(self, data: bytes) -> int:
        """Decode the next bytes at once; answer the number of whole frames they completed."""
        ...

    def closed(self) -> None:
        """The port went away: the partial frame is noise and the decoder starts anew."""
        ...


class AnswerIntake(Protocol):
    """What the answers of one thing on a polled line are given to. A round of questions makes one reading."""

    def events(self, events: list[Event], data: bytes) -> None:
        """What came of a question, or astray, in the bytes `data`: readings are kept until the round is over."""
        ...

    def failed(self, fault: Exception, data: bytes) -> None:
        """The type's own code could not take `data`, or make a question."""
        ...

    def unanswered(self) -> None:
        """A question was asked in vain."""
        ...

    def over(self) -> None:
        """The round is over: what was answered in it is one reading."""
        ...


class Acknowledger(Protocol):
    """One broker connection, as long as it lives. After it is gone, acknowledging is a no-op."""

    def acknowledge(self, packet_ids: list[int]) -> None:
        """Send the acknowledgements, in this order. Called on the event loop after the commit."""
        ...

    def pause(self) -> None:
        """Stop reading from the broker (the spool is full)."""
        ...

    def resume(self) -> None: ...


class MessageIntake(Protocol):
    """Where an MQTT source puts what it receives. Called on the event loop, nothing is awaited."""

    @property
    def topics(self) -> Container[str]:
        """Topic names that have come before and are remembered."""
        ...

    def message(
        self,
        connection: Acknowledger,
        topic: str,
        payload: bytes,
        packet_id: int | None,
        duplicate: bool,
        retained: bool = False,
    ) -> None:
        """Take one PUBLISH. `packet_id` is None at QoS 0; otherwise it is owed an acknowledgement.

        `retained` marks what the broker had kept and sends because of a subscription.
        """
        ...

    def oversize(
        self, connection: Acknowledger, topic: str, head: bytes, size: int, packet_id: int | None, duplicate: bool
    ) -> None:
        """Take note of a PUBLISH above `max_payload`, of which only `head` was kept.

        `size` is that of the payload in bytes (of the whole packet where the payload's own is
        not known). To be acknowledged like any other: it would come again for ever.
        """
        ...

    def spare(self, connection: Acknowledger, packet_id: int) -> None:
        """Acknowledge, in its turn, a further copy of a message that is taken from another one."""
        ...

    def chunk_end(self, connection: Acknowledger) -> None:
        """All packets of one received chunk have been handed over."""
        ...

    def settled(self, connection: Acknowledger, packet_ids: set[int]) -> None:
        """The broker has heard these acknowledgements: it will not send those messages again."""
        ...


MOST_FETCHED = 256
"""Topic filters that decoders may have fetched at one broker: what announces itself has its topics anywhere, and not
all of them fold into few filters. Each costs a SUBSCRIBE with every connection, and a look at each new topic name."""

MOST_ASKS = 1000
ASK_AGAIN_S = 10.0


class Asks:
    """What decoders want from one broker, on its way to the source that carries it out.

    The same ask is taken once in ASK_AGAIN_S and connection; at most MOST_ASKS wait, further ones are
    counted in `dropped` (a decoder asks again when it still misses what it asked for). What waited at the
    broker comes with its CONNACK, before the source can carry anything out: what is asked for because of
    that waits for the connection, and must not be taken for that of an earlier one.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._waiting: dict[Ask, None] = {}
        self._taken: dict[Ask, int] = {}
        self._woken = asyncio.Event()

    def put(self, ask: Ask, now_ns: int) -> None:
        taken_ns = self._taken.get(ask)
        if ask in self._waiting or (taken_ns is not None and 0 <= now_ns - taken_ns < ASK_AGAIN_S * 1e9):
            return
        if len(self._waiting) >= MOST_ASKS:
            self.dropped += 1
            return
        self._waiting[ask] = None
        self._taken.pop(ask, None)
        self._taken[ask] = now_ns
        if len(self._taken) > MOST_ASKS:
            del self._taken[next(iter(self._taken))]
        self._woken.set()

    def ended(self) -> None:
        """The connection is over. What is to be published waits for the next one; filters are asked for anew on it."""
        self._waiting = {ask: None for ask in self._waiting if isinstance(ask, Publish)}
        self._taken = {ask: taken_ns for ask, taken_ns in self._taken.items() if ask in self._waiting}

    def fetches(self) -> list[str]:
        """The topic filters that are asked for, oldest first; they no longer wait."""
        found = [ask for ask in self._waiting if isinstance(ask, Fetch)]
        for ask in found:
            del self._waiting[ask]
        return [ask.filter for ask in found]

    async def publish(self) -> Publish | None:
        """Wait until something is asked for; the oldest that is to be published, if any is."""
        while not self._waiting:
            self._woken.clear()
            await self._woken.wait()
        ask = next((ask for ask in self._waiting if isinstance(ask, Publish)), None)
        if ask is not None:
            del self._waiting[ask]
        return ask


SLICE_LINES = 64
"""Lines between two marks, at least: the smallest part in which a full spool takes an intake."""


class Mark(NamedTuple):
    """How much of an intake there was when the messages in it were whole."""

    lines: int
    taken: dict[str, int]
    acks: dict[Acknowledger, int]


@dataclass(slots=True)
class Intake:
    """What one commit takes, all or nothing. `lines` are line protocol without line ends.

    `lines` go to `Lane.HOLD`, `drop_lines` to `Lane.DROP`, with `drop_things` counting the
    latter's points by thing. `taken` remembers QoS 1 messages by the MQTT source's name, one
    integer each: packet identifier << 32 | crc32 of topic name and payload. `acks` are the
    packet identifiers to acknowledge after the commit, by connection, in receive order. `tickets` and
    `drop_tickets` are there while somebody looks: which of the lines came in which piece.
    """

    lines: list[str] = field(default_factory=list)
    drop_lines: list[str] = field(default_factory=list)
    drop_things: dict[str, int] = field(default_factory=dict)
    quarantined: list[Quarantined] = field(default_factory=list)
    taken: dict[str, list[int]] = field(default_factory=dict)
    acks: dict[Acknowledger, list[int]] = field(default_factory=dict)
    marks: list[Mark] = field(default_factory=list)
    next_mark: int = SLICE_LINES
    tickets: list[Ticket] = field(default_factory=list)
    drop_tickets: list[Ticket] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        return not (self.lines or self.drop_lines or self.quarantined or self.acks or self.taken)

    def mark(self) -> None:
        """No message is half taken: this intake may be divided here. Worth it from `next_mark` lines on."""
        taken = {session: len(messages) for session, messages in self.taken.items()}
        acks = {connection: len(packet_ids) for connection, packet_ids in self.acks.items()}
        self.marks.append(Mark(len(self.lines), taken, acks))
        self.next_mark = len(self.lines) + SLICE_LINES

    def join(self, newer: "Intake") -> None:
        """Take over everything that came after this."""
        self.mark()
        base = self.marks[-1]
        for mark in newer.marks:
            taken, acks = dict(base.taken), dict(base.acks)
            for session, count in mark.taken.items():
                taken[session] = taken.get(session, 0) + count
            for connection, count in mark.acks.items():
                acks[connection] = acks.get(connection, 0) + count
            self.marks.append(Mark(base.lines + mark.lines, taken, acks))
        self.tickets += _moved(newer.tickets, base.lines)
        self.drop_tickets += _moved(newer.drop_tickets, len(self.drop_lines))
        self.lines += newer.lines
        self.drop_lines += newer.drop_lines
        self.quarantined += newer.quarantined
        for thing, points in newer.drop_things.items():
            self.drop_things[thing] = self.drop_things.get(thing, 0) + points
        for session, messages in newer.taken.items():
            self.taken.setdefault(session, []).extend(messages)
        for connection, packet_ids in newer.acks.items():
            self.acks.setdefault(connection, []).extend(packet_ids)
        self.next_mark = len(self.lines) + SLICE_LINES

    def forget_drop_lines(self, count: int) -> None:
        """Give up the oldest `count` lines of the drop lane; `drop_things` is left to the caller."""
        del self.drop_lines[:count]
        kept = (
            ticket._replace(points=min(ticket.points, ticket.start + ticket.points - count))
            for ticket in self.drop_tickets
        )
        self.drop_tickets = [
            ticket._replace(start=max(0, ticket.start - count)) for ticket in kept if ticket.points > 0
        ]

    def divide(self) -> "tuple[Intake, Intake] | None":
        """An older and a newer half, both with whole messages and both with lines; None where that cannot be.

        What the quarantine is to keep goes with the older half, what may be dropped with the newer.
        """
        whole = len(self.lines)
        inside = [mark for mark in self.marks if 0 < mark.lines < whole]
        if not inside:
            return None
        at = min(inside, key=lambda mark: abs(2 * mark.lines - whole))
        older = Intake(self.lines[: at.lines], quarantined=self.quarantined)
        newer = Intake(self.lines[at.lines :], self.drop_lines, self.drop_things, drop_tickets=self.drop_tickets)
        older.tickets = [ticket for ticket in self.tickets if ticket.start < at.lines]
        newer.tickets = _moved(self.tickets[len(older.tickets) :], -at.lines)
        for session, messages in self.taken.items():
            count = at.taken.get(session, 0)
            for part, its in ((older, messages[:count]), (newer, messages[count:])):
                if its:
                    part.taken[session] = its
        for connection, packet_ids in self.acks.items():
            count = at.acks.get(connection, 0)
            for part, its in ((older, packet_ids[:count]), (newer, packet_ids[count:])):
                if its:
                    part.acks[connection] = its
        older.marks = [mark for mark in inside if mark.lines < at.lines]
        for mark in inside:
            if mark.lines > at.lines:
                taken = {session: count - at.taken.get(session, 0) for session, count in mark.taken.items()}
                acks = {connection: count - at.acks.get(connection, 0) for connection, count in mark.acks.items()}
                newer.marks.append(Mark(mark.lines - at.lines, taken, acks))
        return older, newer


def _moved(tickets: list[Ticket], lines: int) -> list[Ticket]:
    """The tickets where their lines now lie `lines` further on."""
    return [ticket._replace(start=ticket.start + lines) for ticket in tickets]


class Batch(NamedTuple):
    """Consecutive spool rows `first`..`last`, in spool order. `lines` is joined line protocol."""

    first: int
    last: int
    points: int
    lines: bytes


class Accept(NamedTuple):
    """The batch is stored, but for `rejected`: (line, the server's words) each."""

    rejected: list[tuple[bytes, str]]


class Keep(NamedTuple):
    """Nothing may be forgotten: try the same batch again.

    `alarm` marks what only a person can mend (401, 403, an unknown retention policy).
    `retry_after_s` is the server's own wish, where it said one.
    """

    reason: str
    retry_after_s: float | None = None
    alarm: bool = False


Outcome = Accept | Keep


class SinkUnusable(Exception):
    """A sink that only a person can mend, found at the start; one line for that person."""


class Sink(Protocol):
    name: str

    async def open(self) -> None:
        """Look, before anything starts, whether it can ever work. Raises SinkUnusable; a server
        that is merely away is no reason."""
        ...

    async def write(self, batch: Batch) -> Outcome:
        """Write the whole batch, or say why not. Writing a batch again changes nothing."""
        ...

    async def close(self) -> None: ...
