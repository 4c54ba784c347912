"""All that a gateway needs so that its things can be told something, built from its configuration."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from gateway.commands.book import Book
from gateway.commands.desk import Desk
from gateway.commands.ledger import Ledger
from gateway.commands.order import Reach
from gateway.commands.requests import Requests
from gateway.config import Config
from gateway.pipeline import Pipeline

LEDGER = "commands.db"


class CommandRoom:
    """The desk, the ledger behind it where anything may be told, and the brokers over which it is asked.

    Raises LedgerUnusable, `state.LinkRefused`.
    """

    def __init__(self, config: Config, reaches: Sequence[Reach], pipeline: Pipeline) -> None:
        name, clock = config.gateway.name, pipeline.clock
        path = config.gateway.state_dir / LEDGER
        self._book: Book | None = None
        if config.commands_allowed or path.exists():  # what was told once can be read for as long as it is kept
            self._book = Book(Ledger(path, config.commands.keep_days, clock.now_ns()), name, pipeline)
        self.desk = Desk(name, config.commands.per_minute, reaches, self._book, clock)
        named = [broker for broker in config.mqtt if broker.name in config.commands.brokers]
        self.requests = [Requests(broker, name, self.desk, clock) for broker in named]

    @property
    def counts(self) -> Mapping[str, int]:
        """Commands by what became of them; nothing where none may be told."""
        return {} if self._book is None else self._book.counts

    @property
    def rooms(self) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        """What is to be kept running, by name."""
        return [("commands", self.desk.run), *((each.name, each.run) for each in self.requests)]

    def problems(self) -> list[str]:
        """One line for each thing that is wrong now."""
        return [f"{each.name}: down: {each.trouble}" for each in self.requests if each.trouble]

    async def close(self) -> None:
        """After the desk has ended."""
        if self._book is not None:
            await self._book.close()
