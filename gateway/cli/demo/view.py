"""What the demo shows while it runs: a live table at a terminal, else a line every few seconds.

The table has one row a thing with its last values as the store holds them, and is cut to the
height of the terminal. Sizes: at most 4 values a row, redrawn twice a second.
"""

import asyncio
import io
import re
import sys
import time
from pathlib import Path
from typing import Protocol

from rich import box
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from devices.spec.device import Device
from devices.spec.events import Value
from gateway.app import Gateway
from gateway.cli.demo.store import latest
from gateway.cli.values import PLACE, short, value_text
from gateway.stats import DeviceStats
from simulators.fleet import Fleet, ThingSpec

_FONT_FACE = re.compile(r"\s*@font-face \{[^}]*\}")
"""rich's pictures fetch a font from the network; without it they use the reader's own."""

LINE_EVERY_S = 5.0
VALUES_A_ROW = 4
FRAME_LINES = 8
"""Lines around the rows: title, counts, heads and borders."""


class View(Protocol):
    async def draw(self) -> None: ...

    def close(self) -> None: ...


def make_view(board: "Board", fleet: Fleet, gateway: Gateway) -> View:
    """A live table where standard output is a terminal, else progress lines on stderr."""
    console = Console()
    return LiveTable(board, console) if console.is_terminal else Progress(fleet, gateway)


class Counts:
    """Sent, decoded, waiting and dropped, and the rate since the last look."""

    def __init__(self, fleet: Fleet, gateway: Gateway) -> None:
        self._fleet = fleet
        self._gateway = gateway
        self._last: tuple[float, int] = (time.monotonic(), 0)
        self.started = time.monotonic()
        self.rate = 0.0

    def take(self) -> None:
        now, readings = time.monotonic(), self.readings
        if now - self._last[0] >= 1.0:
            self.rate = (readings - self._last[1]) / (now - self._last[0])
            self._last = (now, readings)

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self.started

    @property
    def readings(self) -> int:
        return sum(stats.readings for stats in self._gateway.stats.devices.values())

    def line(self) -> str:
        stages, depth = self._gateway.stats.stages, self._gateway.spool.depth()
        return (
            f"{self._fleet.ledger.sent} sent, {self.readings} decoded ({self.rate:.0f}/s), "
            f"{depth.points} in the spool, {stages.written} points stored (health included), "
            f"{stages.dropped + stages.rejected} lost, {stages.quarantined} quarantined"
        )


class Progress:
    """One plain line on stderr every LINE_EVERY_S seconds."""

    def __init__(self, fleet: Fleet, gateway: Gateway) -> None:
        self._counts = Counts(fleet, gateway)
        self._things = len(fleet.specs)
        self._next_s = LINE_EVERY_S

    async def draw(self) -> None:
        self._counts.take()
        if self._counts.elapsed_s >= self._next_s:
            self._next_s += LINE_EVERY_S
            self._say()

    def close(self) -> None:
        self._say()

    def _say(self) -> None:
        print(f"parkgate demo: {self._counts.elapsed_s:.0f} s, {self._counts.line()}", file=sys.stderr, flush=True)


def values_text(device: Device, fields: dict[str, Value]) -> Text:
    """The first few values: where it is, then what has thresholds; counters and flags last."""
    described = [field for field in device.fields if field.panel and field.name in fields]
    described.sort(
        key=lambda field: (field.name not in PLACE, field.kind not in ("measure", "state"), not field.thresholds)
    )
    order = [field.name for field in described] + [name for name in fields if device.open_fields]
    order = list(dict.fromkeys(order))
    text = Text(overflow="ellipsis", no_wrap=True)
    for name in order[:VALUES_A_ROW]:
        text.append(f"{short(name, device)} ", style="dim")
        text.append(value_text(device, name, fields[name]) + "  ")
    return text


class Board:
    """The table itself. Values come out of the store, so what is seen has passed through all of the gateway."""

    def __init__(self, fleet: Fleet, gateway: Gateway, for_s: float | None) -> None:
        self._specs = fleet.specs
        self._gateway = gateway
        self._for_s = for_s
        self._counts = Counts(fleet, gateway)

    async def picture(self, rows: int) -> Group:
        """Title, counts, one row a thing (at most `rows`), and how many more there are."""
        self._counts.take()
        shown = self._specs[: max(1, rows)]
        values = await latest(self._gateway.sink, shown)
        left = "" if self._for_s is None else f" of {self._for_s:g}"
        title = Text(f"parkgate demo: {len(self._specs)} things, {self._counts.elapsed_s:.0f}{left} s", style="bold")
        table = Table(expand=True, pad_edge=False, box=box.SIMPLE_HEAD)
        for name in ("thing", "device", "link"):
            table.add_column(name, no_wrap=True)
        table.add_column("last values", ratio=1, no_wrap=True, overflow="ellipsis")
        table.add_column("readings", justify="right", no_wrap=True)
        table.add_column("age", justify="right", no_wrap=True)
        stats = {each.thing: each for each in self._gateway.stats.devices.values()}
        for spec in shown:
            table.add_row(*self._row(spec, stats.get(spec.name), values.get(spec.name, {})))
        parts: list[Text | Table] = [title, Text(self._counts.line()), table]
        if len(shown) < len(self._specs):
            parts.append(Text(f"… and {len(self._specs) - len(shown)} more", style="dim"))
        return Group(*parts)

    def _row(self, spec: ThingSpec, stats: DeviceStats | None, fields: dict[str, Value]) -> list[Text]:
        heard = stats is not None and stats.last_seen_ns > 0
        age = (self._gateway.clock.now_ns() - stats.last_seen_ns) / 1e9 if stats is not None and heard else 0.0
        late = age > 5.0 * spec.period_s + 1.0
        return [
            Text(spec.name),
            Text(spec.device, style="cyan"),
            Text(spec.via),
            values_text(spec.type, fields),
            Text(str(stats.readings if stats is not None else 0)),
            Text(f"{age:.1f} s" if heard else "-", style="red" if late else "green"),
        ]


class LiveTable:
    """The board, redrawn in place."""

    def __init__(self, board: Board, console: Console) -> None:
        self._board = board
        self._console = console
        self._live = Live(console=console, auto_refresh=False, transient=False)
        self._live.start()

    async def draw(self) -> None:
        self._live.update(await self._board.picture(self._console.height - FRAME_LINES), refresh=True)

    def close(self) -> None:
        self._live.stop()


async def save_svg(board: Board, file: Path) -> None:
    """Write the board as it is now as a picture of a terminal, 118 columns wide."""
    console = Console(record=True, width=118, file=io.StringIO(), force_terminal=True)
    console.print(await board.picture(40))
    picture = console.export_svg(title="parkgate demo")
    await asyncio.to_thread(file.write_text, _FONT_FACE.sub("", picture), encoding="utf-8")
