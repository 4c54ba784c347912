"""`parkgate run`: the gateway, until it is told to stop."""

import os
from pathlib import Path
from typing import Annotated

import typer


def run(
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration file (TOML).")],
) -> int:
    """Run the gateway. SIGTERM or Ctrl-C stops reading, commits and flushes, then ends with 0."""
    from gateway.cli._log import log_to_stderr
    from gateway.config import load

    loaded = load(config, os.environ)
    from dashboards.maps import pages
    from gateway import app  # after the file was found good: most of what is imported here

    log_to_stderr()
    return app.run(loaded, pages())
