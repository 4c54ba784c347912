"""`parkgate simulate`: a fleet of simulated devices on serial links and MQTT."""

from pathlib import Path
from typing import Annotated

import typer


def simulate(
    config: Annotated[Path, typer.Option("--config", "-c", help="The fleet file (TOML).")],
) -> int:
    """Run the devices that a fleet file names until Ctrl-C."""
    from gateway.cli._loop import run_async
    from simulators import fleet

    return run_async(fleet.run(config))
