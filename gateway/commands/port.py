"""The way to a device that speaks by itself: bytes written to its open port, the answer among what it says then.

One command at a time on a port, whichever of its things is told.
"""

from collections.abc import Iterable
from functools import partial

from devices.spec.command import StreamCommand
from devices.spec.device import StreamDevice
from devices.spec.errors import EncodeError
from devices.spec.events import Empty, Event, Reading
from gateway.commands.order import NotSent, Order, Reached, nothing_own
from gateway.config import Allowed, allows
from gateway.decode import PortIntake
from gateway.sources.serial import SerialSource


class PortReach:
    """The things of one port."""

    def __init__(self, source: SerialSource, intake: PortIntake, device: StreamDevice, allowed: Allowed) -> None:
        self.source = source.name
        self._port = source
        self._intake = intake
        self._device = device
        self._allowed = allowed

    def find(self, thing: str) -> Reached | None:
        said = self._intake.named(thing)
        if said is None:
            return None
        allowed = allows(self._allowed, thing)
        return Reached(
            thing, self.source, self._device, allowed, self.source, 0, said, "", nothing_own, partial(self._tell, said)
        )

    def things(self) -> Iterable[str]:
        return self._allowed if isinstance(self._allowed, dict) else (self._intake.stats.thing,)

    async def _tell(self, said: str, order: Order) -> None:
        command = order.command
        assert isinstance(command, StreamCommand)
        try:
            data = command.encode(order.arguments, order.to)
        except EncodeError as error:
            raise NotSent(str(error)) from error

        def hear(events: list[Event]) -> None:
            for event in events:
                if said and isinstance(event, Reading | Empty) and event.thing != said:
                    continue  # another thing of the port says it
                order.judged(partial(command.outcome, order.arguments, order.to, event))

        if not self._port.is_open:
            raise NotSent(f"{self.source} is not open")
        self._intake.listen(None if command.answers == "never" else hear)
        try:
            if order.begins() and not self._port.say(data):
                raise NotSent(f"{self.source} is not open")
            if command.answers == "never":
                order.end(None)
            await order.result
        finally:
            self._intake.listen(None)
