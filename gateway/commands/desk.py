"""Where commands are asked for: what may be told is told, once, one at a time, and what became of it is written down.

    ask --> is it known, allowed, within its ranges, not too often, not busy? --> ledger --> way to the device
                                 '--> refused, with words                           ^------ its answer, or none

What it holds to:
- Nothing is said to a device before the command is in the ledger, on the disk. Nothing is ever said twice: not after
  a restart, not after a lost connection, not for a key that was used before (that gets the answer of then).
- A key is used up by a command that was sent. One that was refused before may come again with the same key.
- One command at a time for each thing, on a port whose device talks by itself for the port; a further one is refused.
- `per_minute` for each thing, MOST_A_SECOND for all together; what is too much is counted and not written down.
- What is not sent within SEND_S (a busy line, a port that is down) is refused. Then the command's own time begins.
- A stop of the gateway ends what is under way as timed out.
"""

import asyncio
import secrets
from collections.abc import Iterable
from typing import Any

from devices.spec.command import Command, To
from gateway.clock import Clock
from gateway.commands.asked import Ask, Refused, Why, arguments_of, command_of, how, may, reached
from gateway.commands.book import Book, NotWritten
from gateway.commands.entry import Entry
from gateway.commands.order import NotSent, Order, Reach, Reached
from gateway.commands.pace import Pace

SEND_S = 10.0
MOST_A_SECOND = 20
NO_ANSWER = "no answer within {:g} s; it may have been done all the same"
SILENT = {
    "always": "no answer came; it may have been done all the same",
    "maybe": "sent; no answer came, and some of these devices give none",
    "never": "sent; this device does not answer",
}
STOPPING = "the gateway is just starting, or stopping; nothing was sent"
STOPPED = "the gateway was stopped before the answer came; whether it was done is not known"


class Desk:
    """`reaches` are the ways to things. `book` is None where nothing may be told to anything."""

    def __init__(
        self, gateway: str, per_minute: int, reaches: Iterable[Reach], book: Book | None, clock: Clock
    ) -> None:
        self.book = book
        self._gateway = gateway
        self._per_minute = per_minute
        self._reaches = tuple(reaches)
        self._clock = clock
        self._pace = Pace(clock)
        self._entering = asyncio.Lock()
        self._group: asyncio.TaskGroup | None = None
        self._busy: dict[str, Entry] = {}  # by lane
        self._open: dict[str, Entry] = {}  # by id

    async def run(self) -> None:
        """Carry out what is asked for, until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                await asyncio.Event().wait()
        finally:
            self._group = None

    def reached(self, thing: str, source: str | None = None) -> Reached:
        """The thing of that name. Refused where there is none, or there are several."""
        return reached(self._reaches, thing, source)

    async def ask(self, ask: Ask) -> Entry:
        """Take a command; it is under way when this returns, or was before. Raises Refused."""
        async with self._entering:
            if self._group is None:
                raise Refused(Why.UNREACHABLE, STOPPING)
            self._keep_pace("", MOST_A_SECOND, 1.0, f"more than {MOST_A_SECOND} commands a second")
            found = self.reached(ask.thing, ask.source)
            if self.book is None:
                raise Refused(Why.NOT_ALLOWED, f"nothing may be told to anything here: {how(found, ask.command)}")
            before = None if ask.key is None else await self._before(ask, ask.key, found, self.book)
            if before is not None:
                return before
            words = f"more than {self._per_minute} commands a minute for {found.thing} ([commands] per_minute)"
            self._keep_pace(f"{found.source} {found.thing}", self._per_minute, 60.0, words)
            return await self._enter(ask, found, self.book)

    async def entry(self, id_: str) -> Entry | None:
        """A command by its id."""
        entry = self._open.get(id_)
        return entry if entry is not None or self.book is None else await self.book.find(id_)

    async def ended(self, entry: Entry, seconds: float) -> None:
        """Wait until nothing more becomes of it, for `seconds` at the most."""
        if not entry.ended:
            over = asyncio.ensure_future(entry.over.wait())
            await self._first(seconds, over)
            over.cancel()

    def _keep_pace(self, name: str, most: int, seconds: float, why: str) -> None:
        wait_s = self._pace.wait_s(name, most, seconds)
        if wait_s:
            if self.book is not None:
                self.book.counts["too_often"] += 1
            raise Refused(Why.TOO_OFTEN, f"{why}; nothing was sent", retry_s=wait_s)

    async def _before(self, ask: Ask, key: str, found: Reached, book: Book) -> Entry | None:
        """The command of that key, if it was sent; Refused where it was another one."""
        known = next((each for each in self._open.values() if each.key == key), None) or await book.by_key(key)
        if known is None:
            return None
        same = (known.thing, known.command) == (found.thing, ask.command)
        if not same or dict(known.arguments) != arguments_of(found, command_of(found, ask), ask):
            raise Refused(
                Why.KEY, f"the key {key!r} was used for {known.said} of {known.thing} ({known.id}); take another"
            )
        return known

    async def _enter(self, ask: Ask, found: Reached, book: Book) -> Entry:
        """Write it down, and have it carried out."""
        entry = Entry(
            secrets.token_hex(8), found.thing, found.source, found.device.name, ask.command, {}, ask.key, ask.by,
            ask.via, self._clock.now_ns(),
        )  # fmt: skip
        try:
            command = command_of(found, ask)
            may(found, command)
            entry.arguments = arguments_of(found, command, ask)
            if found.lane in self._busy:
                other = self._busy[found.lane]
                raise Refused(Why.BUSY, f"{found.thing} is busy: {other.command} ({other.id}) is under way", 1.0)
        except Refused as why:
            await book.refuse(entry, str(why))
            raise
        try:
            await book.add(entry)
        except NotWritten as error:
            raise Refused(Why.UNREACHABLE, f"{error}; nothing was sent") from error
        if self._group is None:
            entry.state, entry.why, entry.sent, entry.ended_ns = "refused", STOPPING, False, self._clock.now_ns()
            await book.end(entry)
            raise Refused(Why.UNREACHABLE, STOPPING)
        self._busy[found.lane] = self._open[entry.id] = entry
        self._group.create_task(self._carry_out(entry, found, command), name=f"command[{found.thing}]")
        return entry

    async def _carry_out(self, entry: Entry, found: Reached, command: Command) -> None:
        """From the ledger to the device, and its answer back."""

        def accepted(why: str) -> None:
            entry.why = why or f"{found.thing} has taken it"

        to = To(found.said, found.unit, found.topic, entry.id, entry.number, self._gateway, entry.asked_ns)
        order = Order(command, entry.arguments, to, accepted)
        telling: asyncio.Future[None] = asyncio.ensure_future(found.tell(order))
        try:
            await self._first(SEND_S, telling, order.sent)
            if order.sent.done():
                await self._first(command.timeout_s, telling, order.result)
            _conclude(entry, order, telling)
        except asyncio.CancelledError:
            entry.state, entry.why = "timed_out", STOPPED
            raise
        finally:
            order.withdraw()  # the way is not cancelled: it may have subscriptions to give back
            entry.ended_ns = self._clock.now_ns()
            await asyncio.shield(self._end(entry, found, telling))

    async def _end(self, entry: Entry, found: Reached, telling: "asyncio.Future[None]") -> None:
        """Write down what has become of it, and let the way be free."""
        assert self.book is not None
        await self.book.end(entry)
        await asyncio.gather(telling, return_exceptions=True)
        del self._busy[found.lane], self._open[entry.id]

    async def _first(self, seconds: float, *futures: asyncio.Future[Any]) -> None:
        timer = asyncio.ensure_future(self._clock.sleep(seconds))
        try:
            await asyncio.wait({timer, *futures}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()


def _conclude(entry: Entry, order: Order, telling: "asyncio.Future[None]") -> None:
    """What has become of it, now that it has an answer, or no time any more."""
    fault = telling.exception() if telling.done() and not telling.cancelled() else None
    answers = order.command.answers
    if isinstance(fault, NotSent) or not order.sent.done():
        why = str(fault) if fault is not None else f"it could not be sent within {SEND_S:g} s"
        entry.state, entry.why, entry.sent = "refused", f"{why}; nothing was sent", False
    elif fault is not None:
        entry.state, entry.why = "timed_out", f"{type(fault).__name__}: {fault}; whether it was done is not known"
    elif order.result.done() and (outcome := order.result.result()) is not None:
        entry.state, entry.why = outcome.word, outcome.why
    elif answers == "always":
        entry.state = "timed_out"
        entry.why = SILENT[answers] if order.result.done() else NO_ANSWER.format(order.command.timeout_s)
    else:
        entry.state, entry.why = "accepted", SILENT[answers]
