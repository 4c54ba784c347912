"""`parkgate bench`: how fast it is, measured beside the least that could be done.

Benchmarks use the real servers of the tests and live beside them in a source checkout.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli.usage import UsageError

ROOT = Path(__file__).parent.parent.parent

app = typer.Typer(help="Measure this checkout on this machine; ratios are taken in one run.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="One JSON object alone on standard output.")]
Chart = Annotated[Path, typer.Option("--chart", help="Where the chart goes (SVG).")]


def _run(name: str, measure: Callable[[], dict[str, Any]], as_json: bool, chart: Path) -> None:
    figures = measure()
    if as_json:
        typer.echo(json.dumps(figures))
        return
    from rich.console import Console

    from bench import report

    report.table(name, figures, Console())
    report.chart(chart, f"parkgate bench {name}", report.bars(name, figures))
    typer.echo(f"chart: {chart}")


def _checkout() -> None:
    """Make `bench` importable, or say why it cannot be."""
    if not (ROOT / "bench").is_dir():
        raise UsageError("benchmarks need a source checkout: clone the repository and run `make bench` in it")
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    try:
        import pms  # noqa: F401
        import pynmea2  # noqa: F401
    except ImportError as error:
        raise UsageError(f"benchmarks need the development packages ({error.name} is missing): make bench") from error


@app.command()
def ingest(
    qos: Annotated[int, typer.Option(min=0, max=1)] = 1,
    count: Annotated[int, typer.Option(min=1000, help="Messages in the burst.")] = 300_000,
    things: Annotated[int, typer.Option(min=1)] = 1000,
    protocol: Annotated[str, typer.Option(help="5, or 3.1.1 (through aiomqtt).")] = "5",
    influx: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="An InfluxDB (1.x, 2.x or 3) that is already there. A database or bucket parkgate_bench_ and eight "
            "random digits is made in it and dropped at the end; nothing else there is touched. Credentials come from "
            "the environment: INFLUX_TOKEN, or INFLUX_USERNAME and INFLUX_PASSWORD; they must be allowed to make it. "
            "INFLUX_API (v1, v2 or v3) and INFLUX_ORG are the keys api and org of [influxdb].",
        ),
    ] = None,
    paced: Annotated[bool, typer.Option("--paced", help="Also find the highest steady rate.")] = False,
    as_json: Json = False,
    chart: Chart = Path("out/bench-ingest.svg"),
) -> None:
    """MQTT to InfluxDB, whole, beside a subscriber that only counts."""
    if protocol not in ("5", "3.1.1"):
        raise UsageError(f"--protocol {protocol}: expected 5 or 3.1.1")
    _checkout()
    from bench.ingest import ingest as measure

    _run("ingest", lambda: measure(qos, count, things, protocol, influx, paced), as_json, chart)


@app.command()
def serial(
    ports: Annotated[int, typer.Option(min=1)] = 64,
    seconds: Annotated[float, typer.Option(min=1.0)] = 10.0,
    as_json: Json = False,
    chart: Chart = Path("out/bench-serial.svg"),
) -> None:
    """Ports at 115200 baud with 1 % of the bytes flipped."""
    _checkout()
    from bench.serial import serial as measure

    _run("serial", lambda: measure(ports, seconds), as_json, chart)


@app.command()
def spool(
    points: Annotated[int, typer.Option(min=10_000)] = 1_000_000,
    as_json: Json = False,
    chart: Chart = Path("out/bench-spool.svg"),
) -> None:
    """An outage: points queue, then drain beside live data."""
    _checkout()
    from bench.outage import outage as measure

    _run("spool", lambda: measure(points), as_json, chart)


@app.command()
def decode(as_json: Json = False, chart: Chart = Path("out/bench-decode.svg")) -> None:
    """Every device type, beside the library that does the same."""
    _checkout()
    from bench.decode import decode as measure

    _run("decode", measure, as_json, chart)


@app.command()
def codecs(
    rate: Annotated[float, typer.Option(min=1.0, help="Uplinks a second.")] = 300.0,
    as_json: Json = False,
    chart: Chart = Path("out/bench-codecs.svg"),
) -> None:
    """LoRaWAN payloads decoded by their makers' JavaScript."""
    _checkout()
    from bench.codecs import codecs as measure

    _run("codecs", lambda: measure(rate), as_json, chart)


@app.command()
def start(
    rounds: Annotated[int, typer.Option(min=1, help="Starts; the best counts.")] = 7,
    as_json: Json = False,
    chart: Chart = Path("out/bench-start.svg"),
) -> None:
    """From `parkgate run` to the first reading, with the whole catalogue there."""
    _checkout()
    from bench.start import start as measure

    _run("start", lambda: measure(rounds), as_json, chart)


@app.command()
def latency(
    rate: Annotated[float, typer.Option(min=1.0, help="Messages a second.")] = 5000.0,
    seconds: Annotated[float, typer.Option(min=1.0)] = 30.0,
    as_json: Json = False,
    chart: Chart = Path("out/bench-latency.svg"),
) -> None:
    """From publish to queryable, under a steady load."""
    _checkout()
    from bench.latency import latency as measure

    _run("latency", lambda: measure(rate, seconds), as_json, chart)


@app.command()
def scale(
    count: Annotated[int, typer.Option(min=1000, help="Messages in each step and round.")] = 100_000,
    as_json: Json = False,
    chart: Chart = Path("out/bench-scale.svg"),
) -> None:
    """100 to 100,000 things: cost of a message, memory of a thing."""
    _checkout()
    from bench.scale import scale as measure

    _run("scale", lambda: measure(count), as_json, chart)


@app.command()
def profile(as_json: Json = False, chart: Chart = Path("out/bench-profile.svg")) -> None:
    """Where the time of a message goes: the dearest functions."""
    _checkout()
    from bench.profile import profile as measure

    _run("profile", measure, as_json, chart)


@app.command("all")
def everything(
    as_json: Json = False,
    chart: Chart = Path("out/bench.svg"),
) -> None:
    """All of them, one after the other (about ten minutes): what docs/performance.md holds.

    With PARKGATE_BENCH=quick in the environment a small load of each, in half a minute, to see that they run.
    """
    _checkout()
    from bench.suite import suite

    figures = suite(lambda name: typer.echo(f"parkgate bench: {name}", err=True))
    if as_json:
        typer.echo(json.dumps(figures))
        return
    from rich.console import Console

    from bench import report

    console = Console()
    for name, found in figures.items():
        report.table(name, found, console)
        path = chart.with_stem(f"{chart.stem}-{name.replace(' ', '-')}")
        report.chart(path, f"parkgate bench: {name}", report.bars(name.split()[0], found))
    typer.echo(f"charts: {chart.parent}/{chart.stem}-*.svg")
