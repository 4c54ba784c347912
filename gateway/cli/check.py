"""`parkgate check`: is this configuration one that the gateway can run with?"""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from gateway.cli.codecs import see_codecs
from gateway.cli.usage import ConfigArgument, ConfigOption, UsageError, is_fleet, one_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.config import Config, SerialConfig
    from gateway.network import Proxy
    from textfile import Mistakes


def check(file: ConfigArgument = None, config: ConfigOption = None) -> None:
    """Validate a configuration file and say what it means. Exit code 2 and a line for each mistake if it is wrong."""
    from devices.catalogue import left_out
    from devices.modbus.manual import taken_for_addresses

    path = one_file("check", file, config)
    loaded, mistakes = readable(path)
    _see_certificates(loaded, mistakes)
    proxy = _proxy(loaded, mistakes)
    codecs = see_codecs(loaded, mistakes)
    mistakes.check()
    for broker in loaded.mqtt:
        for item in broker.subscriptions:
            typer.echo(f"mqtt    {broker.name}: {item.topic} as {item.device}, MQTT {broker.protocol} at {broker.url}")
    for entry in loaded.serial:
        if not entry.things:
            typer.echo(f"serial  {entry.port}: {entry.device}, thing {entry.thing}")
        for line in _asked(entry, loaded):
            typer.echo(line)
    for line in _told(loaded):
        typer.echo(line)
    for own in loaded.types:
        typer.echo(f"type    {own.name}: {own.link}, {len(own.fields)} field{'' if len(own.fields) == 1 else 's'}")
    for line in codecs.said:
        typer.echo(line)
    if loaded.influxdb is not None:
        through = f", through the proxy {proxy.shown} ({proxy.variable})" if proxy is not None else ""
        typer.echo(f"sink    InfluxDB {loaded.influxdb.url}, database {loaded.influxdb.database}{through}")
    if loaded.local is not None:
        typer.echo(f"sink    local store {loaded.local.path}")
    typer.echo(f"state   {loaded.gateway.state_dir}, health on {loaded.gateway.listen}")
    manuals = [line for own in loaded.types for line in taken_for_addresses(own)]
    for line in (
        *left_out(loaded.devices),
        *manuals,
        *codecs.warnings,
        *_api_warnings(loaded),
        *_disk_warnings(loaded),
    ):
        typer.echo(f"warning {line}")
    typer.echo(f"{path}: ok")


def _told(loaded: "Config") -> "Iterator[str]":
    """What may be told to whom, and where it may be asked for."""
    named = [(entry.thing, entry.commands) for entry in loaded.serial]
    named += [(thing.thing, thing.commands) for entry in loaded.serial for thing in entry.things]
    named += [
        (each.thing or f"every thing of {each.topic}", each.commands)
        for broker in loaded.mqtt
        for each in broker.subscriptions
    ]
    for thing, commands in named:
        for name, allowed in commands.items() if isinstance(commands, dict) else [(thing, commands)]:
            if allowed:
                yield f"told    {name}: {', '.join(allowed)}"
    for broker in loaded.commands.brokers:
        yield f"told    over MQTT too: parkgate/{loaded.gateway.name}/cmd/<thing> at {broker}"


def _asked(entry: "SerialConfig", loaded: "Config") -> "Iterator[str]":
    """What is asked on a port, and how much of the line's time that takes."""
    from devices.spec.device import PolledDevice

    busy = 0.0
    told = []
    for thing in entry.things:
        device = loaded.devices[thing.device]
        assert isinstance(device, PolledDevice)  # the config loader has checked it
        every_s = thing.every_s or device.expected_every_s
        busy += device.line_s(entry.baud or device.serial.baud) / every_s
        unit = f"unit {thing.unit}, " if device.units else ""
        told.append(f"        {thing.device}, thing {thing.thing}, {unit}asked every {every_s:g} s")
    if not told:
        return
    full = "" if busy <= 1.0 else ": more than it can carry, the things will be asked more rarely"
    yield f"serial  {entry.port}: {len(told)} asked, {busy:.0%} of the line's time{full}"
    yield from told


def runnable(path: Path) -> "Config":
    """The configuration at `path`; ConfigError where it is wrong, UsageError where it is another kind of file."""
    loaded, mistakes = readable(path)
    mistakes.check()
    return loaded


def readable(path: Path) -> "tuple[Config, Mistakes]":
    """The configuration at `path` as far as it can be read, and what is wrong with it."""
    from gateway.config import read

    if is_fleet(path):
        raise UsageError(
            f"{path}: this is a fleet file; expected a gateway configuration (parkgate simulate runs fleets)"
        )
    loaded, mistakes = read(path, os.environ)
    if not loaded.mqtt and not loaded.serial and not mistakes.about(()):
        mistakes.add((), "nothing to read: expected at least one [[serial]] or [mqtt.NAME]")
    return loaded, mistakes


def _api_warnings(loaded: "Config") -> list[str]:
    """Whether the API would answer nobody."""
    from gateway.web import is_loopback, no_token

    head = loaded.gateway
    if head.api_token is not None or is_loopback(head.listen.rpartition(":")[0]):
        return []
    return [no_token(head.listen)]


def _disk_warnings(loaded: "Config") -> list[str]:
    """What the disks of spool and local store have no room for: the gateway runs all the same, while it can."""
    from gateway.disk import existing, space
    from gateway.spool import does_not_fit

    state = loaded.gateway.state_dir
    unfit = does_not_fit(state / "spool.db", loaded.spool)
    found = [] if unfit is None else [unfit]
    folders = [state]
    if loaded.local is not None:
        store = loaded.local.path.parent
        if unfit is not None and existing(store).stat().st_dev == existing(state).stat().st_dev:
            found.append(f"the local store {loaded.local.path} grows on the same disk, without a bound of its own")
        else:
            folders.append(store)
    for folder in folders:
        disk = space(folder)
        if disk is not None and disk.low:
            found.append(f"the disk of {folder} is {disk.word}: {disk}")
    return found


def _see_certificates(loaded: "Config", mistakes: "Mistakes") -> None:
    """Read the certificates as connecting will, and complain about those that cannot be used."""
    from gateway.network import TlsFiles, TlsFileUnusable, tls_context

    connections: list[tuple[tuple[str, ...], TlsFiles | None]] = [
        (("mqtt", broker.name), broker.tls) for broker in loaded.mqtt
    ]
    if loaded.influxdb is not None:
        connections.append((("influxdb",), loaded.influxdb.tls))
    for at, files in connections:
        if files is None or any(mistakes.about((*at, _key(name))) for name in files[3:]):
            continue
        for tried in (files, files._replace(ca=None)):  # the certificate is looked at without the authority, too
            try:
                tls_context(tried)
            except TlsFileUnusable as fault:
                said = f' = "{fault.path}": {fault.why}; expected {fault.expected}'
                mistakes.add((*at, _key(fault.key)), said)


def _key(name: str) -> str:
    """The key of "influxdb.ca_file" or "ca_file"."""
    return name.rpartition(".")[2]


def _proxy(loaded: "Config", mistakes: "Mistakes") -> "Proxy | None":
    """The proxy that InfluxDB is asked through; a complaint where the environment names none that can be used."""
    from gateway.network import proxy_for

    try:
        return None if loaded.influxdb is None else proxy_for(loaded.influxdb.url, os.environ)
    except ValueError as fault:
        mistakes.add(("influxdb", "url"), f": {fault}")
        return None
