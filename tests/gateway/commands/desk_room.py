"""A desk with things that a test plays, on a clock that stands still until it is moved."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from devices.spec.command import DONE, Argument, Outcome, StreamCommand, plain
from devices.spec.device import StreamDevice
from devices.spec.field import Field
from gateway.commands import Ask, Book, Desk, Entry, Ledger, Reached, read
from gateway.commands.order import NotSent, Order, nothing_own
from gateway.config import SpoolConfig
from gateway.pipeline import Pipeline
from gateway.spool import Spool
from gateway.stats import Stats
from tests.device_types import BY_NAME
from tests.gateway.mqtt_room import until
from tests.gateway.virtual import VirtualClock

LEVEL = Argument(Field("level_pct", "%", "How bright", minimum=0, maximum=100, step=1), default=50)


def lamp() -> StreamDevice:
    """A device type with a command for each way of answering."""
    found = BY_NAME["acme-co2"]
    assert isinstance(found, StreamDevice)
    commands = (
        StreamCommand(
            name="light", description="Be bright", arguments=(LEVEL,), request=plain(b"l"), judge=lambda *_: DONE
        ),
        StreamCommand(name="blink", description="Blink", request=plain(b"b"), answers="never"),
        StreamCommand(name="beep", description="Beep", request=plain(b"p"), judge=lambda *_: None, answers="maybe"),
        StreamCommand(name="break", description="Break", request=plain(b"k"), answers="never"),
    )
    return replace(found, commands=commands)


@dataclass
class Way:
    """A source whose things a test plays: `told` is what was said, `sends` whether it can be said at all."""

    source: str = "serial:/dev/lamp"
    names: tuple[str, ...] = ("lamp-1", "lamp-2")
    allowed: tuple[str, ...] = ("light", "blink", "beep")
    sends: bool = True
    trouble: str = ""
    told: list[tuple[str, str, dict[str, object]]] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)

    def find(self, thing: str) -> Reached | None:
        if thing not in self.names:
            return None

        async def tell(order: Order) -> None:
            if self.trouble:
                raise NotSent(self.trouble)
            self.orders.append(order)
            if self.sends and order.begins():
                self.told.append((thing, order.command.name, dict(order.arguments)))
                if order.command.answers == "never":
                    order.end(None)
            await order.result

        return Reached(thing, self.source, lamp(), self.allowed, f"{self.source} {thing}", 0, "", "", nothing_own, tell)

    def things(self) -> tuple[str, ...]:
        return self.names

    def answer(self, outcome: Outcome | None = DONE) -> None:
        """What the device says to the command that was told last."""
        self.orders[-1].end(outcome)


@dataclass
class DeskRoom:
    clock: VirtualClock
    desk: Desk
    way: Way
    pipeline: Pipeline
    file: Path
    task: "asyncio.Task[None]"

    async def ask(self, command: str, thing: str = "lamp-1", key: str | None = None, **arguments: object) -> Entry:
        return await self.desk.ask(Ask(thing, command, arguments, key, "alice", "test"))

    async def over(self, entry: Entry) -> Entry:
        """It, when nothing more becomes of it and it is written down."""
        await until(lambda: entry.ended and entry.id not in self.desk._open, f"command {entry.id} is over")
        return entry

    def rows(self) -> list[Entry]:
        """The ledger as another process reads it, the oldest first."""
        return read(self.file, 1000)[::-1]

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


@contextlib.asynccontextmanager
async def desk_room(
    path: Path, way: Way | None = None, *, per_minute: int = 30, more: tuple[Way, ...] = (), keep_days: float = 30.0
) -> AsyncIterator[DeskRoom]:
    clock, one = VirtualClock(), way or Way()
    pipeline = Pipeline(Spool.open(path / "spool.db", SpoolConfig(), clock), clock, Stats())
    file = path / "commands.db"
    book = Book(Ledger(file, keep_days, clock.now_ns()), "park", pipeline)
    desk = Desk("park", per_minute, (one, *more), book, clock)
    task = asyncio.create_task(desk.run())
    await asyncio.sleep(0)
    room = DeskRoom(clock, desk, one, pipeline, file, task)
    try:
        yield room
    finally:
        await room.stop()
        await book.close()
        await pipeline.spool.close()
