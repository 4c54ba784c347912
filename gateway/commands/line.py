"""The way to a device that is asked: its turn on the line, between two questions.

One command at a time for a thing; others of the line have their turns meanwhile.
"""

from collections.abc import Iterable, Mapping
from functools import partial

from devices.spec.command import PolledCommand
from devices.spec.errors import EncodeError
from devices.spec.events import Event
from gateway.commands.order import NotSent, Order, Reached, nothing_own
from gateway.config import Allowed, allows
from gateway.sources.serial import Asked, PolledSource
from gateway.sources.serial import Order as Turn


class LineReach:
    """The things of one line, by name, each with what it may be told."""

    def __init__(self, source: PolledSource, things: Mapping[str, tuple[Asked, Allowed]]) -> None:
        self.source = source.name
        self._line = source
        self._things = dict(things)

    def find(self, thing: str) -> Reached | None:
        found = self._things.get(thing)
        if found is None:
            return None
        asked, allowed = found
        lane = f"{self.source} {thing}"
        return Reached(
            thing, self.source, asked.device, allows(allowed, thing), lane, asked.unit, "", "", nothing_own,
            partial(self._tell, asked),
        )  # fmt: skip

    def things(self) -> Iterable[str]:
        return (thing for thing, (_, allowed) in self._things.items() if allowed)

    async def _tell(self, asked: Asked, order: Order) -> None:
        command = order.command
        assert isinstance(command, PolledCommand)
        try:
            questions = command.questions(order.arguments)
            for question in questions:
                question.request(asked.unit)
        except EncodeError as error:
            raise NotSent(str(error)) from error
        if not self._line.is_open:
            raise NotSent(f"{self.source} is not open")
        mute = command.answers == "never"

        def answered(number: int, event: Event | None) -> bool:
            last = number == len(questions) - 1
            if event is not None:
                order.judged(partial(command.outcome, number, event))
            elif not mute or last:
                order.end(None)
            return not order.result.done() and not last

        turn = Turn(thing=asked, questions=questions, mute=mute, begins=order.begins, answered=answered)
        self._line.orders.put(turn)
        try:
            await order.result
        finally:
            self._line.orders.drop(turn)
