"""What passes between the rooms: an intake on its way into the spool, a batch on its way out.

Leaves: no room is imported here, every room may import this.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple, Protocol


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
        """Decode the next bytes at once; answer the number of good readings they completed."""
        ...

    def closed(self) -> None:
        """The port went away: the partial frame is noise and the decoder starts anew."""
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

    def message(
        self, connection: Acknowledger, topic: str, payload: bytes, packet_id: int | None, duplicate: bool
    ) -> None:
        """Take one PUBLISH. `packet_id` is None at QoS 0; otherwise it is owed an acknowledgement."""
        ...

    def oversize(
        self, connection: Acknowledger, topic: str, head: bytes, size: int, packet_id: int | None, duplicate: bool
    ) -> None:
        """Take note of a PUBLISH above `max_payload`, of which only `head` was kept.

        `size` is that of the payload in bytes (of the whole packet where the payload's own is
        not known). To be acknowledged like any other: it would come again for ever.
        """
        ...

    def chunk_end(self, connection: Acknowledger) -> None:
        """All packets of one received chunk have been handed over."""
        ...


@dataclass(slots=True)
class Intake:
    """What one commit takes, all or nothing. `lines` are line protocol without line ends.

    `lines` go to `Lane.HOLD`, `drop_lines` to `Lane.DROP`, with `drop_things` counting the
    latter's points by thing. `taken` remembers QoS 1 messages by the MQTT source's name, one
    integer each: packet identifier << 32 | crc32 of topic name and payload. `acks` are the
    packet identifiers to acknowledge after the commit, by connection, in receive order.
    """

    lines: list[str] = field(default_factory=list)
    drop_lines: list[str] = field(default_factory=list)
    drop_things: dict[str, int] = field(default_factory=dict)
    quarantined: list[Quarantined] = field(default_factory=list)
    taken: dict[str, list[int]] = field(default_factory=dict)
    acks: dict[Acknowledger, list[int]] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        return not (self.lines or self.drop_lines or self.quarantined or self.acks)


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
