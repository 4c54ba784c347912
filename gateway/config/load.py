"""The configuration: frozen typed objects, read once from a TOML file.

Precedence, highest first: the file's own values (with `${NAME}` taken from the environment),
then the defaults of the objects. There is no third place. Relative paths start at the folder
of the configuration file, whatever the working directory is.

Nothing but ConfigError leaves `load`. Its text is one line for each mistake, in the order of the
file: file, line, column, key path, value (never that of a secret) and what was expected. Array
indices in key paths count from 0.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, cast

from devices.catalogue import Catalogue, installed
from devices.files import TYPES_DIR, with_tables, with_types_dir
from devices.spec.device import Device
from gateway.config import commands, rules
from gateway.config.keys import keys_of, section
from gateway.config.sources import Claims, brokers, ports
from gateway.config.types import (
    CodecsConfig,
    Config,
    ConfigError,
    GatewayConfig,
    InfluxConfig,
    LocalConfig,
    SpoolConfig,
    WatchdogConfig,
)
from textfile import Mistakes, Table, one_line, open_toml

_TOP = ("gateway", "spool", "local", "influxdb", "mqtt", "serial", "watchdog", "commands", "type", "codecs")


def load(path: Path, environ: Mapping[str, str], devices: Mapping[str, Device] | None = None) -> Config:
    """Read and check the configuration file at `path`. Raises ConfigError, one line for each mistake.

    `environ` fills `${NAME}`; `devices` are the device types that may be named; without them those that are installed.
    """
    config, mistakes = read(path, environ, devices)
    mistakes.check()
    return config


def read(
    path: Path, environ: Mapping[str, str], devices: Mapping[str, Device] | None = None
) -> tuple[Config, Mistakes]:
    """As `load`, for whoever has more to check. The config holds what could be read; defaults stand for mistakes."""
    if devices is None:
        devices = installed()
    top = open_toml(path, environ, _TOP, ConfigError, "a configuration file")
    claims = Claims()
    head = section(top, "gateway", GatewayConfig)
    installed_types = frozenset(devices)
    if top.has("type") or head.has(TYPES_DIR):
        known = devices if isinstance(devices, Catalogue) else Catalogue({}).plus(devices.values())
        devices = with_types_dir(with_tables(known, top.tables("type", None)), head)
    gateway = _gateway(head)
    influxdb = _influxdb(top.table("influxdb", keys_of(InfluxConfig)))
    mqtt = brokers(top, devices, claims)
    config = Config(
        gateway=gateway,
        spool=_spool(section(top, "spool", SpoolConfig)),
        influxdb=influxdb,
        local=_local(top, gateway, influxdb is None),
        mqtt=mqtt,
        serial=ports(top, devices, claims),
        watchdog=_watchdog(section(top, "watchdog", WatchdogConfig)),
        codecs=_codecs(top.table("codecs", keys_of(CodecsConfig))),
        commands=commands.of_gateway(top, gateway.name, mqtt),
        devices=devices,
        types=tuple(devices[name] for name in devices if name not in installed_types),
    )
    return config, top.origin.mistakes


def _gateway(table: Table) -> GatewayConfig:
    default = GatewayConfig()
    state_dir = table.path_or("state_dir", "var", "a folder for the spool and the quarantine")
    return GatewayConfig(
        name=table.text_or_none("name", "the name of this gateway") or default.name,
        state_dir=cast(Path, state_dir),
        types_dir=table.path_or(TYPES_DIR, None, "a folder of device types"),
        listen=rules.listen_address(table, "listen", default.listen),
        api_token=rules.api_token(table, "api_token"),
    )


def _spool(table: Table) -> SpoolConfig:
    default = SpoolConfig()
    return SpoolConfig(
        max_bytes=table.integer("max_bytes", default.max_bytes, 1 << 16, 1 << 50),
        max_age_s=table.number("max_age_s", default.max_age_s, 1, 10 * 366 * 86400),
        quarantine_bytes=table.integer("quarantine_bytes", default.quarantine_bytes, 1 << 12, 1 << 50),
    )


def _watchdog(table: Table) -> WatchdogConfig:
    default = WatchdogConfig()
    heal = table.flag_or_none("heal")
    return WatchdogConfig(
        factor=table.number("factor", default.factor, 1.5, 1000),
        min_silence_s=table.number("min_silence_s", default.min_silence_s, 1, 86400),
        heal=default.heal if heal is None else heal,
        pause_s=table.number("pause_s", default.pause_s, 1, 3600),
    )


def _codecs(table: Table | None) -> CodecsConfig | None:
    if table is None:
        return None
    expected = "a folder of codecs"
    if not table.has("dir"):
        table.fail("dir", expected)
        return None
    folder = cast(Path, table.path_or("dir", None, expected))
    if not table.wrong("dir") and not folder.is_dir():
        table.fail("dir", f"{expected}; there is none at {one_line(str(folder))}")
    default = CodecsConfig(folder)
    return CodecsConfig(
        dir=folder,
        prefer=cast(Literal["network", "codec"], table.choice("prefer", default.prefer, ("network", "codec"))),
        time_limit_s=table.number("time_limit_s", default.time_limit_s, 0.01, 10),
        memory_limit=table.integer("memory_limit", default.memory_limit, 1 << 20, 1 << 28),
    )


def _local(top: Table, gateway: GatewayConfig, needed: bool) -> LocalConfig | None:
    """The local store; without `[influxdb]` there is one in the state folder."""
    table = top.table("local", keys_of(LocalConfig))
    default = LocalConfig(gateway.state_dir / "parkgate.duckdb")
    if table is None:
        return default if needed else None
    if not needed:
        top.fail("local", "either [influxdb] or [local], not both")
    return LocalConfig(table.path_or("path", None, "the file of the local store") or default.path)


def _influxdb(table: Table | None) -> InfluxConfig | None:
    if table is None:
        return None
    default = InfluxConfig("", "")
    database = table.text("database", "the database (the bucket on 2.x and 3)")
    if '"' in database or len(database) > 128:
        table.fail("database", "a name of at most 128 characters without quotation marks")
    token = table.text_or_none("token", "the API token")
    username = table.text_or_none("username", "the user's name")
    password = table.text_or_none("password", "the user's password")
    if table.has("token") and (table.has("username") or table.has("password")):
        table.fail("token", "either token, or username with password, not both")
    if table.has("username") != table.has("password"):
        table.fail("password" if table.has("username") else "username", "username and password together")
    api = table.choice("api", "v1", ("v1", "v2", "v3"))
    if api == "v2":
        table.text("org", 'the organisation, which api = "v2" needs')
        table.text("token", 'the API token, which api = "v2" needs')
    url = rules.http_url(table, "url")
    config = InfluxConfig(
        url=url,
        database=database,
        token=token,
        username=username,
        password=password,
        api=cast(Literal["v1", "v2", "v3"], api),
        org=table.text_or_none("org", "the organisation"),
        retention=rules.duration_or_none(table, "retention"),
        batch_points=table.integer("batch_points", default.batch_points, 1, 50_000),
        in_flight=table.integer("in_flight", default.in_flight, 1, 16),
        timeout_s=table.number("timeout_s", default.timeout_s, 0.1, 600),
        gzip=table.flag_or_none("gzip"),
        ca_file=rules.pem_file(table, "ca_file", url, "https://"),
        client_cert=rules.pem_file(table, "client_cert", url, "https://"),
        client_key=rules.pem_file(table, "client_key", url, "https://"),
    )
    if table.has("client_key") and not table.has("client_cert"):
        table.fail("client_cert", "the certificate that belongs to client_key")
    return config
