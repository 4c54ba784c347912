"""One command on its way to a device, and what the ways to devices have in common.

desk --- Order ---> a way (port, line, broker) --- bytes or messages ---> device
     <-- sent, accepted, result ---'           <-- events or messages ---'
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from devices.spec.command import Argument, Arguments, Command, Outcome, To, refused
from devices.spec.device import Device


class NotSent(Exception):
    """Nothing was said to the device; the text is for people."""


class Order:
    """`sent` is done once something was, or is about to be, said; `result` once the device has answered.

    A result of None: no answer came, and none is waited for any more.
    """

    def __init__(self, command: Command, arguments: Arguments, to: To, accepted: Callable[[str], None]) -> None:
        loop = asyncio.get_running_loop()
        self.command = command
        self.arguments = arguments
        self.to = to
        self.sent: asyncio.Future[None] = loop.create_future()
        self.result: asyncio.Future[Outcome | None] = loop.create_future()
        self._accepted = accepted
        self._withdrawn = False

    def begins(self) -> bool:
        """Called before something is said: whether it still shall."""
        if self._withdrawn:
            return False
        if not self.sent.done():
            self.sent.set_result(None)
        return True

    def withdraw(self) -> None:
        """Nothing is said from now on, and nothing waited for."""
        self._withdrawn = True
        self.end(None)

    def end(self, outcome: Outcome | None) -> None:
        """How it went; a second word is not heard."""
        if not self.result.done():
            self.result.set_result(outcome)

    def judged(self, judge: Callable[[], Outcome | None]) -> None:
        """Take what the type's own code makes of something that came."""
        if self.result.done():
            return
        try:
            outcome = judge()
        except Exception as fault:  # noqa: BLE001  # the type's own code, perhaps an installed package's
            self.end(refused(f"its answer could not be read: {type(fault).__name__}: {fault}; it may have done it"))
            return
        if outcome is None:
            return
        if outcome.word == "accepted":
            self._accepted(outcome.why)
        else:
            self.end(outcome)


@dataclass(frozen=True, slots=True)
class Reached:
    """A thing, and the way to it.

    `allowed` are the commands that the configuration lets it be told; `lane` is what has room for one command at a
    time; `said` is what the device is called where it speaks. `tell` says the command and stays until the order's
    result is there; NotSent where nothing could be said. `own(command)` are the arguments that the thing itself has.
    """

    thing: str
    source: str
    device: Device
    allowed: tuple[str, ...]
    lane: str
    unit: int
    said: str
    topic: str
    own: Callable[[str], tuple[Argument, ...]]
    tell: Callable[[Order], Awaitable[None]]


class Reach(Protocol):
    """One source as a way to its things."""

    source: str

    def find(self, thing: str) -> Reached | None:
        """The thing of that name; None where it is not here."""
        ...

    def things(self) -> Iterable[str]:
        """The names of those that can be told something by the configuration."""
        ...


def nothing_own(_command: str) -> tuple[Argument, ...]:
    """A thing without arguments of its own."""
    return ()
