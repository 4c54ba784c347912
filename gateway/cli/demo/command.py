"""`parkgate demo`: a whole testbed in one process.

    simulated things --pty--> .---------.
                              | gateway | --> spool --> DuckDB file --> audit
    simulated things --> broker ------> '---------'

Nothing is mocked: the things speak real bytes on pseudo terminals and to
a real MQTT broker (embedded, on loopback), the gateway is the one that `parkgate run` runs. At
the end the store is read back and audited against what the things really sent.

At a terminal a live table shows the last values; otherwise progress goes to stderr. Ctrl-C ends
it like the end of `--for`: things stop, the gateway drains, the audit is printed.
"""

import asyncio
import contextlib
import json
import logging
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.usage import UsageError

if TYPE_CHECKING:
    from gateway.app import Gateway
    from gateway.cli.demo.store import TypeTotals
    from gateway.cli.demo.view import Board, View
    from gateway.config import Config
    from simulators.fleet import Fleet, ThingSpec

STORE = "parkgate.duckdb"
START_S = 30.0
DRAIN_S = 30.0
LOOK_S = 0.05
REDRAW_S = 0.5


def demo(
    for_s: Annotated[
        float | None, typer.Option("--for", metavar="S", help="End after S seconds; without it at Ctrl-C.")
    ] = None,
    things: Annotated[int, typer.Option("--things", metavar="N", help="How many simulated things.")] = 14,
    seed: Annotated[int, typer.Option("--seed", metavar="K", help="The same seed gives the same things.")] = 1,
    state_dir: Annotated[
        Path | None, typer.Option("--state-dir", help="Keep the store here; without it a temporary folder.")
    ] = None,
    svg: Annotated[Path | None, typer.Option("--svg", help="Save a picture of the last table here.")] = None,
) -> int:
    """Watch simulated sensors, robots and a pulse oximeter travel from the wire into a store."""
    from devices.catalogue import built_in
    from gateway.cli.loop import run_async
    from simulators.fleet import park, zoned

    if for_s is not None and not 0 < for_s <= 86400 * 366:
        raise UsageError(f"--for: expected seconds, more than 0, got {for_s:g}")
    if not 1 <= things <= 10_000:
        raise UsageError(f"--things: expected a number from 1 to 10000, got {things}")
    if svg is not None:
        _check_writable(svg)
    with _folder(state_dir) as folder:
        totals = run_async(_demo(for_s, zoned(park(things, seed, built_in())), folder, svg))
    if state_dir is not None:
        print(f"parkgate demo: the store is {folder / STORE}", file=sys.stderr)
    print(json.dumps(totals), flush=True)
    return 0


@contextlib.contextmanager
def _folder(wanted: Path | None) -> Iterator[Path]:
    if wanted is not None:
        if (wanted / STORE).exists():
            raise UsageError(f"--state-dir: {wanted} holds a store already; the audit needs an empty one")
        try:
            wanted.mkdir(parents=True, exist_ok=True)
            (wanted / STORE).open("xb").close()
            (wanted / STORE).unlink()
        except OSError as exc:
            said = "it is a file" if wanted.is_file() else exc.strerror or str(exc)
            raise UsageError(f"--state-dir: {wanted}: {said}; expected a folder this user may write") from exc
        yield wanted
        return
    with tempfile.TemporaryDirectory(prefix="parkgate-demo-") as folder:
        yield Path(folder)


def _check_writable(file: Path) -> None:
    """UsageError now rather than after the run, where the picture cannot be written."""
    try:
        there = file.exists()
        file.open("ab").close()
        if not there:
            file.unlink()
    except OSError as exc:
        raise UsageError(f"--svg: {file}: {exc.strerror or exc}; expected a file this user may write") from exc


def demo_config(folder: Path, port: int, specs: "Sequence[ThingSpec]", ports: dict[str, str]) -> "Config":
    """The gateway's configuration for a fleet (of `zoned` things): what a person would have written into a file."""
    from devices.spec.device import MessageDevice
    from gateway.config import Config, GatewayConfig, LocalConfig, MqttConfig, SerialConfig, SpoolConfig
    from gateway.config import SubscriptionConfig as Subscription

    kinds = {(spec.device, spec.zone): spec.type for spec in specs}
    subscriptions = tuple(
        Subscription(f"{zone}/{device.topic}", name, tags={"zone": zone})
        for (name, zone), device in kinds.items()
        if isinstance(device, MessageDevice)
    )
    broker = MqttConfig(
        name="demo",
        url=f"mqtt://127.0.0.1:{port}",
        client_id="parkgate-demo",
        subscriptions=subscriptions,
        protocol="3.1.1",
        max_things=max(10_000, 4 * len(specs)),
    )
    serial = (
        SerialConfig(ports[spec.name], spec.device, spec.name, spec.location, {"zone": spec.zone})
        for spec in specs
        if spec.name in ports
    )
    return Config(
        gateway=GatewayConfig("demo", folder, "127.0.0.1:0"),
        spool=SpoolConfig(),
        influxdb=None,
        local=LocalConfig(folder / STORE),
        mqtt=(broker,) if subscriptions else (),
        serial=tuple(serial),
    )


async def _demo(for_s: float | None, specs: "Sequence[ThingSpec]", folder: Path, svg: Path | None) -> dict[str, int]:
    from gateway.app import Gateway
    from gateway.cli.demo.broker import embedded_broker
    from gateway.cli.demo.store import audited
    from gateway.cli.demo.view import Board, make_view
    from gateway.cli.log import log_to_stderr
    from gateway.cli.loop import on_signals
    from simulators.fleet import Fleet

    log_to_stderr(logging.WARNING)
    enough = asyncio.Event()
    on_signals(enough.set)
    async with embedded_broker() as port:
        fleet = Fleet(specs, broker=("127.0.0.1", port))
        await fleet.open()
        gateway = Gateway(demo_config(folder, port, specs, fleet.ports))
        board = Board(fleet, gateway, for_s)
        view = make_view(board, fleet, gateway)
        stop = asyncio.Event()
        running = asyncio.create_task(gateway.run(stop), name="gateway")
        try:
            if not await _until(lambda: not _unconnected(gateway), running, START_S):
                raise RuntimeError(f"not connected after {START_S:g} s: {'; '.join(_unconnected(gateway))}")
            await _speak(fleet, view, enough, for_s)
            await _until(lambda: _drained(fleet, gateway), running, DRAIN_S)  # else the audit says what is missing
            if svg is not None:
                await _save(board, svg)
        finally:
            stop.set()
            view.close()
            await running
            await fleet.close()
    return _summed(audited(folder / STORE, fleet.ledger, gateway.config.devices), gateway.stats.stages.quarantined)


async def _save(board: "Board", svg: Path) -> None:
    """The picture; where it fails, the audit still follows."""
    from gateway.cli.demo.view import save_svg

    try:
        await save_svg(board, svg)
    except OSError as exc:
        print(f"parkgate demo: --svg: {svg}: {exc.strerror or exc}", file=sys.stderr)


def _summed(types: "Mapping[str, TypeTotals]", quarantined: int) -> dict[str, int]:
    """The totals of all device types; each of them on stderr."""
    for name, each in types.items():
        things = "1 thing" if each.things == 1 else f"{each.things} things"
        counts = f"sent {each.sent}, stored {each.stored}, lost {each.lost}, duplicates {each.duplicates}"
        print(f"parkgate demo: {name}: {things}, {counts}", file=sys.stderr)
    return {
        "things": sum(each.things for each in types.values()),
        "sent": sum(each.sent for each in types.values()),
        "stored": sum(each.stored for each in types.values()),
        "lost": sum(each.lost for each in types.values()),
        "duplicates": sum(each.duplicates for each in types.values()),
        "quarantined": quarantined,
    }


async def _speak(fleet: "Fleet", view: "View", enough: asyncio.Event, for_s: float | None) -> None:
    """Let the things speak until their time is over or somebody ends it."""
    speaking = asyncio.create_task(fleet.run(for_s), name="fleet")
    seen = asyncio.create_task(enough.wait())
    try:
        while not speaking.done():
            await asyncio.wait((speaking, seen), timeout=REDRAW_S, return_when=asyncio.FIRST_COMPLETED)
            if seen.done():
                fleet.stop()
                await speaking
            await view.draw()
    finally:
        seen.cancel()
    await speaking


async def _until(true: Callable[[], bool], running: "asyncio.Task[None]", seconds: float) -> bool:
    """Wait for a condition; False when it did not come in time or `running` ended before it."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not true():
        if loop.time() > deadline or running.done():
            return False
        await asyncio.wait((running,), timeout=LOOK_S)
    return True


def _unconnected(gateway: "Gateway") -> list[str]:
    """Brokers that are not subscribed at yet, with the state. Ports need no waiting: things on
    serial links speak only once somebody listens."""
    states = {source.name: source.state for source in gateway.stats.sources.values() if source.name[:5] == "mqtt:"}
    return [f"{name}: {state}" for name, state in states.items() if state != "up"]


def _drained(fleet: "Fleet", gateway: "Gateway") -> bool:
    """Everything good that was sent has been decoded and has left the spool."""
    readings = sum(stats.readings for stats in gateway.stats.devices.values())
    return readings >= fleet.ledger.good and gateway.pipeline.intake.empty and gateway.spool.depth().points == 0
