"""`parkgate check`: is this configuration one that the gateway can run with?"""

import os
from pathlib import Path
from typing import Annotated

import typer


def check(
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration file (TOML).")],
) -> None:
    """Validate a configuration file and say what it means. Exit code 2 and one line if it is wrong."""
    from gateway.config import load

    loaded = load(config, os.environ)
    for broker in loaded.mqtt:
        for item in broker.subscriptions:
            typer.echo(f"mqtt    {broker.name}: {item.topic} as {item.device}, MQTT {broker.protocol} at {broker.url}")
    for entry in loaded.serial:
        typer.echo(f"serial  {entry.port}: {entry.device}, thing {entry.thing}")
    if loaded.influxdb is not None:
        typer.echo(f"sink    InfluxDB {loaded.influxdb.url}, database {loaded.influxdb.database}")
    if loaded.local is not None:
        typer.echo(f"sink    local store {loaded.local.path}")
    typer.echo(f"state   {loaded.gateway.state_dir}, health on {loaded.gateway.listen}")
    if not loaded.mqtt and not loaded.serial:
        typer.echo(f"parkgate: {config}: nothing to read: no [[serial]] and no [mqtt.NAME]", err=True)
    typer.echo(f"{config}: ok")
