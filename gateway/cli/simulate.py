"""`parkgate simulate`: a fleet of simulated devices on serial links and MQTT."""

import asyncio
import logging
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.usage import ConfigArgument, UsageError, is_gateway, one_file


def simulate(
    file: ConfigArgument = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", help="The fleet file (TOML); without it fleet.toml in the working folder."),
    ] = None,
    for_s: Annotated[
        float | None, typer.Option("--for", metavar="S", help="End after S seconds; without it at Ctrl-C.")
    ] = None,
) -> None:
    """Run the devices that a fleet file names: on pseudo terminals, TCP ports and a broker."""
    from devices.catalogue import installed
    from gateway.cli.log import log_to_stderr
    from gateway.cli.loop import run_async
    from simulators.fleet import fleet

    path = one_file("simulate", file, config, "fleet.toml")
    if is_gateway(path):
        raise UsageError(f"{path}: this is a gateway configuration; simulate wants a fleet file ([fleet], [[thing]])")
    log_to_stderr(logging.WARNING)
    run_async(_until_told(fleet.run(path, installed(), for_s)))


async def _until_told(running: Coroutine[None, None, None]) -> None:
    """SIGTERM and Ctrl-C end the fleet in order; it then says what it has sent."""
    from gateway.cli.loop import on_signals

    task = asyncio.ensure_future(running)

    def cancel() -> None:
        task.cancel()

    on_signals(cancel)
    await asyncio.wait((task,))
    if not task.cancelled():
        task.result()
