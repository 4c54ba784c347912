"""Which of the types that speak one protocol has said something."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING

from gateway.cli.usage import UsageError

if TYPE_CHECKING:
    from devices.spec.device import Device


def speaker(kinds: "list[Device]", chunks: Iterable[bytes]) -> "tuple[Device, Iterator[bytes]]":
    """The type that makes most of the first piece of what was said, the first one where several do; and all pieces."""
    pieces = iter(chunks)
    first = next(pieces, b"")
    return max(kinds, key=lambda kind: _sense(kind, first)), chain([first], pieces)


def _sense(kind: "Device", data: bytes) -> tuple[int, int, int]:
    """How many readings there are in it, how few faults, and how few values that cannot be."""
    from devices.spec.device import MessageDevice
    from devices.spec.events import Empty, Reading

    if isinstance(kind, MessageDevice):
        raise UsageError(f"{kind.name} is behind MQTT: name one type")
    decoder = kind.decoder()
    events = [*decoder.feed(data), *decoder.flush()]
    good = sum(isinstance(event, Reading | Empty) for event in events)
    left_out = sum(len(event.field_errors) for event in events if isinstance(event, Reading))
    return good, good - len(events), -left_out
