"""One command that somebody asked for: what was said to whom, when, and what became of it.

accepted    taken; what becomes of it is not known yet. Ended so, where the device does not say.
done        the device says that it has done it
refused     it was not sent, or the device does not do it; `why` says which
timed_out   sent, and no answer came in time; it may have been done all the same
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from devices.spec.events import Value

State = Literal["accepted", "done", "refused", "timed_out"]


@dataclass(slots=True)
class Entry:
    """One row of the ledger. `number` is 0 until it is written there. `over` is set when nothing more becomes of it.

    `key` is what whoever asked gave to have it done once; `by` is who asked, `via` on which way. `sent` says whether
    anything was said to the device.
    """

    id: str
    thing: str
    source: str
    device: str
    command: str
    arguments: Mapping[str, Value]
    key: str | None
    by: str
    via: str
    asked_ns: int
    state: State = "accepted"
    why: str = ""
    sent: bool = True
    ended_ns: int | None = None
    number: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event, compare=False, repr=False)

    @property
    def ended(self) -> bool:
        return self.ended_ns is not None

    @property
    def said(self) -> str:
        """The command and its arguments, for people."""
        return saying(self.command, self.arguments)

    def shown(self) -> dict[str, object]:
        """It as JSON values, as the API and the answers over MQTT have it."""
        return {
            "id": self.id,
            "thing": self.thing,
            "command": self.command,
            "arguments": dict(self.arguments),
            "state": self.state,
            "why": self.why,
            "sent": self.sent,
            "asked": when(self.asked_ns),
            "ended": None if self.ended_ns is None else when(self.ended_ns),
            "by": self.by,
            "via": self.via,
            "key": self.key,
            "source": self.source,
            "device": self.device,
            "number": self.number,
        }


def saying(command: str, arguments: Mapping[str, Value]) -> str:
    """A command and its arguments as they are typed: `period working_period_min=5`."""
    return " ".join((command, *(f"{name}={_typed(value)}" for name, value in arguments.items())))


def _typed(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def when(time_ns: int) -> str:
    """A time for people and programs: RFC 3339, milliseconds, UTC."""
    moment = datetime.fromtimestamp(time_ns // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{moment}.{time_ns // 1_000_000 % 1000:03d}Z"
