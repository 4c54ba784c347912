"""A serial line whose devices are asked: one question at a time, whoever is due next.

    question of unit 1 ... answer | silence | question of unit 2 ... timeout | silence | question of unit 1

What it holds to:
- A thing is asked every `every_s`, at even times; one that is late for its turn skips it. Between two
  questions of a thing the others that are due have their turn, so that a thing that does not answer
  costs them its timeout and no more.
- The timeout runs from the end of the request to the beginning of the answer; the bytes themselves
  take what they take at the line's rate.
- A thing that did not answer in DEAD_ROUNDS rounds is asked half as often with each further one, but
  at least every MOST_PAUSE_S (or `every_s`, if that is longer), for ever. One answer, and all is as before.
- Before a question the line is silent for the type's own time, 3.5 characters at least; what comes
  meanwhile is thrown away as noise, for 1 s at the most.
- An answer after its timeout is nobody's: it is told by its unit and shape, said to be late, and kept
  from the question that waits. Until `late_s` have passed its unit is asked nothing. One that is later
  still is told from another unit's for ever, from another question's of the same unit by its length alone.
- What a thing is told (`orders`) has its turn before the next question, and takes what a question takes.
- How the port is kept open: port.py.

States of the port: open but silent, bytes but no answers, up from the first answer on. Who answers
and who does not is said thing by thing (watch).
"""

import random
from collections.abc import Callable, Sequence
from functools import partial

from devices.spec.polled import Exchange
from gateway.clock import Clock
from gateway.config import SerialConfig
from gateway.sources.serial.asked import Asked, astray, give
from gateway.sources.serial.port import Link, Port, PortState, see_state, usable, wake
from gateway.sources.serial.told import Order, Orders, kept
from gateway.stats import SourceStats

MOST_DRAIN_S = 1.0
MOST_HEARD = 4096
SILENT_CHARACTERS = 3.5
FAST_BAUD, FAST_SILENCE_S = 19_200, 0.00175
"""Above this rate the silence of Modbus stays as long as this."""


class PolledSource:
    """Asks the `things` on `config.port` until its `run` is cancelled. They agree on the line's settings.

    `raw` is given all bytes as they come, for whoever records them.
    """

    def __init__(
        self,
        config: SerialConfig,
        things: Sequence[Asked],
        clock: Clock,
        stats: SourceStats,
        rng: random.Random | None = None,
        raw: Callable[[bytes], object] | None = None,
    ) -> None:
        self._link = Link(config, things[0].device.serial, clock, stats, rng, asks=True)
        self._things = tuple(things)
        self._clock = clock
        self._last = self._things[0]
        self._raw = raw
        self._spoke = 0.0
        self._answered: float | None = None
        self._character_s = 11 / self._link.baud
        self.orders = Orders(partial(wake, self._link))

    @property
    def name(self) -> str:
        return self._link.name

    @property
    def state(self) -> PortState:
        return self._link.state

    @property
    def last_bytes_monotonic(self) -> float | None:
        """When the last answer came: the echo of an adapter, or noise, is no life on the line."""
        return self._answered

    @property
    def is_open(self) -> bool:
        return self._link.state is not PortState.MISSING

    async def run(self) -> None:
        """Open, ask, open again; ends only by being cancelled."""
        await self._link.run(self._ask, self._closed)

    def stop_reading(self) -> None:
        """Hand over what was answered, then ask no more. `run` stays until cancelled."""
        self._closed()
        self._link.stopped = True
        wake(self._link)

    def reopen(self, reason: str) -> None:
        """Close the port and open it again; for whoever finds that it has gone dead."""
        self._link.reopen(reason)

    async def close(self) -> None:
        """Let go of the port; returns when the operating system has it back."""
        await self._link.close()

    def _closed(self) -> None:
        """The port went away: what was answered in this round stays."""
        for thing in self._things:
            if thing.going:
                thing.going = False
                thing.intake.over()

    async def _ask(self, port: Port) -> None:
        """Ask who is due, until the port is lost."""
        self._spoke = now = self._clock.monotonic()
        for thing in self._things:
            thing.start(now)
        while usable(self._link, port):
            order = self.orders.next(self._clock.monotonic())
            if order is not None:
                await self._obey(port, order)
                continue
            thing = min(self._things, key=lambda thing: (thing.at, thing.silent))
            wait = min(thing.at, self.orders.at) - self._clock.monotonic()
            if wait > 0.0:
                await port.wait(self._clock, wait)
                astray(self._things, self._clock.monotonic(), self._heard(port), self._last)
                continue
            if not thing.going:
                thing.going, thing.answered = True, False
                thing.round.begin()
            exchange = thing.next()
            if exchange is None:
                thing.intake.over()
                thing.end_round(self._clock.monotonic())
                continue
            await self._exchange(port, thing, exchange)

    async def _obey(self, port: Port, order: Order) -> None:
        """Tell a thing something, step by step."""
        for number, question in enumerate(order.questions):
            order.answer = None
            await self._exchange(port, order.thing, Exchange(question, order.thing.unit), order)
            if not order.answered(number, order.answer):
                return

    async def _exchange(self, port: Port, thing: Asked, exchange: Exchange, order: Order | None = None) -> None:
        """One question, or one step of an order; and its answer or its timeout."""
        await self._silence(port, thing)
        thing.forget_late()
        if not usable(self._link, port) or (order is not None and not order.begins()):
            return
        self._last = thing
        port.write(exchange.request)
        asked = self._clock.monotonic()
        begin = asked + len(exchange.request) * self._character_s + thing.timeout_s
        end = begin + exchange.question.size * self._character_s
        self._spoke = asked + len(exchange.request) * self._character_s
        if order is not None and order.mute:
            return
        heard = b""
        while usable(self._link, port) and not exchange.answered:
            left = (end if exchange.begun else begin) - self._clock.monotonic()
            if left <= 0.0:
                break
            await port.wait(self._clock, left)
            data = self._heard(port)
            heard = (heard + data)[-MOST_HEARD:]
            give(self._things, self._clock.monotonic(), thing, kept(order, thing.heard(exchange, data)), heard)
        if not exchange.answered:
            give(self._things, self._clock.monotonic(), thing, kept(order, thing.ended(exchange)), heard)
        port.frames += exchange.answered
        if exchange.echoed:
            port.bytes_in -= len(exchange.request)
        if self._link.state is not PortState.UP and (port.frames or port.bytes_in):
            longest = max(each.device.longest_frame for each in self._things)
            right = f"are the types and unit numbers right, and the line at {self._link.framing}?"
            see_state(self._link, port, "answer", longest, f"{right} try another baud or parity")
        elif self._link.state is PortState.SILENT and usable(self._link, port):
            self._link.unanswered()
        now = self._clock.monotonic()
        if exchange.answered:
            self._answered = now
        thing.result(exchange, asked, now, lost=not usable(self._link, port), told=order is not None)

    async def _silence(self, port: Port, thing: Asked) -> None:
        """Wait until nobody has spoken for as long as the type wants."""
        least = FAST_SILENCE_S if self._link.baud > FAST_BAUD else SILENT_CHARACTERS * self._character_s
        quiet = max(least, thing.device.timing.silence_s)
        end = self._clock.monotonic() + MOST_DRAIN_S
        while usable(self._link, port):
            astray(self._things, self._clock.monotonic(), self._heard(port), self._last)
            now = self._clock.monotonic()
            left = min(self._spoke + quiet, end) - now
            if left <= 0.0:
                return
            await port.wait(self._clock, left)

    def _heard(self, port: Port) -> bytes:
        data = self._link.take(port)
        if data and self._raw is not None:
            self._raw(data)
        if data:
            self._spoke = max(self._spoke, self._clock.monotonic())
        return data
