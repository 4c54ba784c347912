"""`parkgate check`: is this configuration one that the gateway can run with?"""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from gateway.cli.usage import ConfigArgument, ConfigOption, UsageError, is_fleet, one_file

if TYPE_CHECKING:
    from gateway.config import Config


def check(file: ConfigArgument = None, config: ConfigOption = None) -> None:
    """Validate a configuration file and say what it means. Exit code 2 and one line if it is wrong."""
    path = one_file("check", file, config)
    loaded = runnable(path)
    _see_certificates(path, loaded)
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
    typer.echo(f"{path}: ok")


def runnable(path: Path) -> "Config":
    """The configuration at `path`; ConfigError where it is wrong, UsageError where there is nothing to read."""
    from gateway.config import load

    if is_fleet(path):
        raise UsageError(
            f"{path}: this is a fleet file; expected a gateway configuration (parkgate simulate runs fleets)"
        )
    loaded = load(path, os.environ)
    if not loaded.mqtt and not loaded.serial:
        raise UsageError(f"{path}: nothing to read: expected at least one [[serial]] or [mqtt.NAME]")
    return loaded


def _see_certificates(path: Path, loaded: "Config") -> None:
    """Read the certificates as connecting will. ConfigError where one cannot be used."""
    from gateway.config import ConfigError
    from gateway.sources.mqtt import TlsFileUnusable, tls_context

    right = {
        "ca_file": "a PEM file of certificates",
        "cert_file": "a PEM file of a certificate, and its key there or in key_file, not encrypted",
    }
    for broker in loaded.mqtt:
        try:
            if broker.url.startswith("mqtts:"):
                tls_context(broker)
        except TlsFileUnusable as fault:
            value = broker.ca_file if fault.key == "ca_file" else broker.cert_file
            where = f'{path}: mqtt.{broker.name}.{fault.key} = "{value}"'
            raise ConfigError(f"{where}: {fault.why}; expected {right[fault.key]}") from fault
