"""`parkgate dashboards`: Grafana's JSON and its provisioning files."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Grafana dashboards from the device types.")


@app.callback()
def dashboards() -> None:
    """Grafana dashboards from the device types."""


@app.command("build")
def build(
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder to write into; made if it is not there.")],
) -> None:
    """Write the dashboards and the provisioning files."""
    from dashboards import provision

    written = provision.build(out)
    typer.echo(f"{len(written)} files in {out}")
