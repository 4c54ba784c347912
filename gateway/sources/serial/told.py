"""What things on a polled line are told, in their turn: between two questions, never in the middle of one."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from devices.spec.events import Empty, Event, Reading, SanityError
from devices.spec.polled import Question
from gateway.sources.serial.asked import Asked


@dataclass(slots=True, kw_only=True, eq=False)
class Order:
    """What a thing of the line is told: `questions` one after the other.

    `begins` is called before each goes out, and says whether it still shall. `answered(number, event)` is told the
    answer to each, None where none came, and says whether the next one is to follow. With `mute` nothing is waited for.
    """

    thing: Asked
    questions: tuple[Question, ...]
    mute: bool
    begins: Callable[[], bool]
    answered: Callable[[int, Event | None], bool]
    answer: Event | None = None


def kept(order: Order | None, events: list[Event]) -> list[Event]:
    """What is left of the events of an exchange: where it is a step of an order, that keeps the answer."""
    if order is None:
        return events
    left: list[Event] = []
    for event in events:
        if isinstance(event, Reading | Empty | SanityError):
            order.answer = event
        else:
            left.append(event)
    return left


class Orders:
    """Those that wait for their turn on one line. `wake` is called when one more does."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._waiting: list[Order] = []
        self._wake = wake

    def put(self, order: Order) -> None:
        self._waiting.append(order)
        self._wake()

    def drop(self, order: Order) -> None:
        """It is not wanted any more; nothing happens where it has begun."""
        if order in self._waiting:
            self._waiting.remove(order)

    def next(self, now: float) -> Order | None:
        """The oldest whose thing owes no late answer; it waits no longer."""
        for order in self._waiting:
            if order.thing.late is None or now >= order.thing.late.until:
                self._waiting.remove(order)
                return order
        return None

    @property
    def at(self) -> float:
        """When the next of them may be told (seconds of `clock.monotonic`)."""
        return min(
            (order.thing.late.until for order in self._waiting if order.thing.late is not None), default=math.inf
        )
