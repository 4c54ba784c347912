"""`parkgate dashboards`: Grafana's JSON and its provisioning files."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.usage import UsageError

if TYPE_CHECKING:
    from devices.spec.device import Device

URL, DATABASE = "http://127.0.0.1:8086", "parkgate"

app = typer.Typer(no_args_is_help=False, help="Grafana dashboards from the device types.")


@app.callback()
def dashboards() -> None:
    """Grafana dashboards from the device types."""


@app.command("build")
def build(
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder to write into; made if it is not there.")],
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", help="A gateway's file: url and database of its [influxdb], its device types."),
    ] = None,
    url: Annotated[
        str | None, typer.Option("--influx-url", help=f"InfluxDB as the Grafana server sees it; default {URL}.")
    ] = None,
    database: Annotated[
        str | None, typer.Option("--database", help=f"The database; the bucket on 2.x and 3; default {DATABASE}.")
    ] = None,
    user: Annotated[str, typer.Option("--user", help="The reading user on 1.x; any word on 2.x and 3.")] = "grafana",
    map_url: Annotated[
        str, typer.Option("--map-url", help="The gateway's map as the browser sees it.")
    ] = "http://localhost:8080/map",
) -> None:
    """Write the dashboards and the provisioning files. Grafana reads the secret from INFLUX_TOKEN."""
    from dashboards.provision import Store, build
    from gateway.cli.devices import good, known

    its_url, its_database, devices = (URL, DATABASE, known()) if config is None else _gateway(config)
    store = Store(url=url or its_url, database=database or its_database, user=user)
    try:
        files = build(out, good(devices), store=store, map_url=map_url)
    except OSError as exc:
        raise UsageError(f"--out {out}: {exc.strerror or exc}; expected a folder this user may write") from exc
    boards = sum(file.suffix == ".json" for file in files)
    typer.echo(f"{boards} dashboards and {len(files) - boards} provisioning files in {out}")


def _gateway(config: Path) -> "tuple[str, str, Mapping[str, Device]]":
    """Where a gateway writes to, url and database, and the device types that it knows."""
    from gateway.config import load

    loaded = load(config, os.environ)
    store = loaded.influxdb
    if store is None:
        typer.echo(
            f"{config}: no [influxdb], which Grafana reads; the files say {URL} and {DATABASE}, "
            "--influx-url and --database say otherwise", err=True,
        )  # fmt: skip
        return URL, DATABASE, loaded.devices
    return store.url, store.database, loaded.devices
