"""`parkgate run`: the gateway, until it is told to stop."""

import os
from pathlib import Path
from typing import Annotated

import typer


def run(
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration file (TOML).")],
) -> int:
    """Run the gateway. SIGTERM or Ctrl-C stops reading, commits and flushes, then ends with 0."""
    from gateway.app import run_gateway
    from gateway.cli._loop import run_async
    from gateway.config import load

    return run_async(run_gateway(load(config, os.environ)))
