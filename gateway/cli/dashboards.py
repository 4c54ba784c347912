"""`parkgate dashboards`: Grafana's JSON and its provisioning files."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=False, help="Grafana dashboards from the device types.")


@app.callback()
def dashboards() -> None:
    """Grafana dashboards from the device types."""


@app.command("build")
def build(
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder to write into; made if it is not there.")],
    url: Annotated[
        str, typer.Option("--influx-url", help="InfluxDB as the Grafana server sees it.")
    ] = "http://127.0.0.1:8086",
    database: Annotated[str, typer.Option("--database", help="The database; the bucket on 2.x and 3.")] = "parkgate",
    user: Annotated[str, typer.Option("--user", help="The reading user on 1.x; any word on 2.x and 3.")] = "grafana",
    map_url: Annotated[
        str, typer.Option("--map-url", help="The gateway's map as the browser sees it.")
    ] = "http://localhost:8080/map",
) -> None:
    """Write the dashboards and the provisioning files. Grafana reads the secret from INFLUX_TOKEN."""
    from dashboards.provision import Store, build

    files = build(out, store=Store(url=url, database=database, user=user), map_url=map_url)
    boards = sum(file.suffix == ".json" for file in files)
    typer.echo(f"{boards} dashboards and {len(files) - boards} provisioning files in {out}")
