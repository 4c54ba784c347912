"""`parkgate serial ports` and `parkgate serial detect PORT`."""

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.decode import Port
from gateway.cli.devices import TypesOption, usable
from gateway.cli.usage import UsageError

if TYPE_CHECKING:
    from gateway.sources.serial import Present

LEAST_S, MOST_S = 1.0, 3600.0

app = typer.Typer(
    help="Which serial ports there are (`ports`), and what is on one (`detect`).",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("ports")
def ports(as_json: Annotated[bool, typer.Option("--json", help="One JSON array.")] = False) -> None:
    """List the serial ports: what is plugged in, who holds each, and whether you may use it. None is opened."""
    from gateway.sources.serial import present

    found = present()
    if as_json:
        typer.echo(json.dumps([_fields(port) for port in found]))
        return
    if not found:
        typer.echo("no serial port is there: plug one in, or look with `dmesg` whether the kernel has a driver for it")
        return
    typer.echo("\n\n".join(_said(port) for port in found))


def _fields(port: "Present") -> dict[str, object]:
    usb = None if port.usb is None else {key: value for key, value in asdict(port.usb).items() if value is not None}
    return {**asdict(port), "usb": usb}


def _said(port: "Present") -> str:
    lines = [port.name if port.name == port.path else f"{port.name}  ({port.path})"]
    usb = port.usb
    if usb is not None:
        what = " ".join(word for word in (usb.maker, usb.product) if word) or "USB converter"
        serial = f"serial number {usb.serial}" if usb.serial else "without a serial number"
        interface = f", interface {usb.interface}" if usb.interface else ""
        lines.append(f"{what}, {serial}, id {usb.id}{interface}")
    if port.driver:
        lines.append(f"driver {port.driver}")
    if usb is not None and usb.serial:
        lines.append(f'port = "{port.stable}"  names it wherever it is plugged in')
    lines += [f"in use by {holder}" for holder in port.holders]
    if port.refused:
        lines.append(f"you may not use it: {port.refused}")
    return "\n    ".join(lines)


@app.command("detect")
def detect(
    port: Annotated[str, typer.Argument(metavar="PORT", help="A serial port, or socket://HOST:PORT.")],
    unit: Annotated[
        int | None,
        typer.Option("--unit", metavar="N", help="Ask this unit number, else as delivered."),
    ] = None,
    ask: Annotated[bool, typer.Option("--ask/--no-ask", help="Whether to ask where nothing is said.")] = True,
    for_s: Annotated[
        float, typer.Option("--for", metavar="S", help="Wait S seconds for the first byte of what is never asked.")
    ] = 12.0,
    config: TypesOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Find which known device type is on a port: listen at likely speeds, ask what is harmless, score every type."""
    from gateway.cli.serial.detect import search
    from gateway.cli.serial.found import Search
    from gateway.sources.serial import absent

    if not LEAST_S <= for_s <= MOST_S:
        raise UsageError(f"--for: expected seconds from {LEAST_S:g} to {MOST_S:g}, got {for_s:g}")
    if unit is not None and not 0 <= unit <= 255:
        raise UsageError(f"--unit: expected a number from 0 to 255, got {unit}")
    if port.startswith("replay:"):
        raise UsageError(f"{port}: a recording is no port; `parkgate decode --device NAME FILE` reads one")
    asked = Port(port, None, None, None, None)
    why = absent(port)
    if why is not None:
        raise UsageError(why)
    found = search(Search(asked, usable(config), unit, ask, for_s))
    if as_json:
        typer.echo(json.dumps(found.fields()))
    else:
        for line in found.words():
            print(line, file=sys.stderr)
        if found.best:
            typer.echo(found.toml(), nl=False)
    if not found.best:
        raise typer.Exit(1)
