"""The configuration: frozen typed objects, read once from a TOML file.

Precedence, highest first: the file's own values (with `${NAME}` taken from the environment),
then the defaults of the objects. There is no third place. Relative paths start at the folder
of the configuration file, whatever the working directory is.

Nothing but ConfigError leaves `load`, and its text is one line: file, key path, value (never
that of a secret) and what was expected. Array indices in key paths count from 0.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Literal, NoReturn, cast
from urllib.parse import urlsplit

from devices.catalogue import installed
from devices.spec.device import Device, PolledDevice
from gateway.config import rules
from gateway.config.read import ConfigError, Origin, Table, one_line, shown
from gateway.config.types import (
    RECORDING,
    Config,
    GatewayConfig,
    InfluxConfig,
    LocalConfig,
    MqttConfig,
    SerialConfig,
    SpoolConfig,
    SubscriptionConfig,
    WatchdogConfig,
    WillConfig,
)
from gateway.routes import overlap, topic_filter

__all__ = [
    "RECORDING",
    "Config",
    "ConfigError",
    "GatewayConfig",
    "InfluxConfig",
    "LocalConfig",
    "MqttConfig",
    "SerialConfig",
    "SpoolConfig",
    "SubscriptionConfig",
    "WatchdogConfig",
    "WillConfig",
    "load",
]


_TOP = ("gateway", "spool", "local", "influxdb", "mqtt", "serial", "watchdog")


def load(path: Path, environ: Mapping[str, str], devices: Mapping[str, Device] | None = None) -> Config:
    """Read and check the configuration file at `path`. Raises ConfigError, one line long.

    `environ` fills `${NAME}`; `devices` are the device types that may be named; without them those that are installed.
    """
    devices = installed() if devices is None else devices
    origin = Origin(path, environ)
    top = Table(origin, "", _parse(origin), _TOP)
    gateway = _gateway(_section(top, "gateway", GatewayConfig))
    influxdb = _influxdb(top.table("influxdb", _keys(InfluxConfig)))
    config = Config(
        gateway=gateway,
        spool=_spool(_section(top, "spool", SpoolConfig)),
        influxdb=influxdb,
        local=_local(top, gateway, influxdb is None),
        mqtt=_brokers(top, devices),
        serial=tuple(_serial(table, devices) for table in top.tables("serial", _keys(SerialConfig))),
        watchdog=_watchdog(_section(top, "watchdog", WatchdogConfig)),
        devices=devices,
    )
    _check_once(origin, config)
    return config


def _parse(origin: Origin) -> object:
    try:
        with origin.file.open("rb") as file:
            return tomllib.load(file)
    except OSError as exc:
        reason, expected = exc.strerror or "cannot be read", "a configuration file that can be read"
    except RecursionError:
        reason, expected = "nested too deeply", "a TOML file"
    except ValueError as exc:  # TOML errors, bad UTF-8, numbers of too many digits, NUL in the path
        reason, expected = str(exc), "a TOML file"
    raise ConfigError(f"{one_line(str(origin.file))}: {one_line(reason)}: expected {expected}")


def _keys(kind: type, **renamed: str) -> tuple[str, ...]:
    """The keys of a table are the names of its object's fields."""
    return tuple(renamed.get(item.name, item.name) for item in fields(kind))


def _section(top: Table, key: str, kind: type) -> Table:
    return top.table(key, _keys(kind)) or Table(top.origin, key, {}, _keys(kind))


def _gateway(table: Table) -> GatewayConfig:
    default = GatewayConfig()
    state_dir = table.path_or("state_dir", "var", "a folder for the spool and the quarantine")
    return GatewayConfig(
        name=table.text_or_none("name", "the name of this gateway") or default.name,
        state_dir=cast(Path, state_dir),
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


def _local(top: Table, gateway: GatewayConfig, needed: bool) -> LocalConfig | None:
    """The local store; without `[influxdb]` there is one in the state folder."""
    table = top.table("local", _keys(LocalConfig))
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
    if token is not None and (username is not None or password is not None):
        table.fail("token", "either token, or username with password, not both")
    if (username is None) != (password is None):
        table.fail("password" if username is not None else "username", "username and password together")
    api = table.choice("api", "v1", ("v1", "v2", "v3"))
    if api == "v2":
        table.text("org", 'the organisation, which api = "v2" needs')
        table.text("token", 'the API token, which api = "v2" needs')
    return InfluxConfig(
        url=rules.http_url(table, "url"),
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
    )


def _brokers(top: Table, devices: Mapping[str, Device]) -> tuple[MqttConfig, ...]:
    raw = top.raw.get("mqtt", {})
    if not isinstance(raw, dict):
        top.fail("mqtt", "tables [mqtt.NAME]")
    flat = next((key for key, value in raw.items() if not isinstance(value, dict)), None)
    named = Table(top.origin, "mqtt", raw, tuple(raw))
    if flat is not None:
        named.fail(flat, f"a name for the broker: [mqtt.main], with {flat} in it")
    return tuple(_mqtt(named, name, devices) for name in raw)


def _mqtt(named: Table, name: str, devices: Mapping[str, Device]) -> MqttConfig:
    keys = tuple(key for key in _keys(MqttConfig, subscriptions="subscription") if key != "name")
    table = cast(Table, named.table(name, keys))
    if not name.isascii() or not name.replace("-", "a").replace("_", "a").isalnum():
        named.fail(name, "a name of letters, digits, _ and - for the broker, as in [mqtt.main]")
    default = MqttConfig("", "", "", ())
    url = rules.broker_url(table, "url")
    client_id = table.text("client_id", "the fixed client id of this gateway")
    if len(client_id.encode()) > 65535:
        table.fail("client_id", "at most 65535 bytes")
    config = MqttConfig(
        name=name,
        url=url,
        client_id=client_id,
        subscriptions=_subscriptions(table, devices),
        protocol=cast(Literal["5", "3.1.1"], table.choice("protocol", default.protocol, ("5", "3.1.1"))),
        username=table.text_or_none("username", "the user's name"),
        password=table.text_or_none("password", "the user's password"),
        ca_file=_certificate(table, "ca_file", url),
        cert_file=_certificate(table, "cert_file", url),
        key_file=_certificate(table, "key_file", url),
        keepalive_s=table.integer("keepalive_s", default.keepalive_s, 1, 65535),
        session_expiry_s=table.integer("session_expiry_s", default.session_expiry_s, 0, 0xFFFFFFFF),
        receive_maximum=table.integer("receive_maximum", default.receive_maximum, 1, 65535),
        max_payload=table.integer("max_payload", default.max_payload, 1, 268_435_455),
        max_things=table.integer("max_things", default.max_things, 1, 10_000_000),
        will=_will(table),
    )
    if config.password is not None and config.username is None:
        table.fail("username", "a user's name beside the password")
    if config.key_file is not None and config.cert_file is None:
        table.fail("cert_file", "the certificate that belongs to key_file")
    if not config.subscriptions:
        table.fail("subscription", f"at least one [[{table.path}.subscription]]")
    return config


def _certificate(table: Table, key: str, url: str) -> Path | None:
    path = table.path_or(key, None, "a PEM file")
    if path is not None and not url.startswith("mqtts:"):
        table.fail(key, "an mqtts:// URL where certificates are given")
    if path is not None and not os.access(path, os.R_OK):
        table.fail(key, f"a PEM file that can be read; there is none at {one_line(str(path))}")
    return path


def _will(parent: Table) -> WillConfig | None:
    table = parent.table("will", _keys(WillConfig))
    if table is None:
        return None
    retain = table.flag_or_none("retain")

    def words(key: str, default: str) -> str:
        return table.text(key, "a text", controls=True, empty=True) if table.has(key) else default

    return WillConfig(
        topic=rules.topic_name(table, "topic"),
        payload=words("payload", "offline"),
        qos=cast(Literal[0, 1], table.integer("qos", 1, 0, 1)),
        retain=True if retain is None else retain,
        birth=words("birth", "online"),
    )


def _subscriptions(broker: Table, devices: Mapping[str, Device]) -> tuple[SubscriptionConfig, ...]:
    found: list[SubscriptionConfig] = []
    filters: list[tuple[str, str]] = []
    for table in broker.tables("subscription", _keys(SubscriptionConfig)):
        topic = rules.topic_pattern(table, "topic")
        plain = topic.split("/", 2)[2] if topic.startswith("$share/") else topic
        for other, first in filters:
            if topic_filter(other) == topic_filter(plain):
                table.fail("topic", f"a topic filter once only; {first} has the same")
            if overlap(other, plain):
                table.fail("topic", f"topic filters that do not overlap: {first} brings some of the same messages")
        filters.append((plain, table.path))
        device = rules.device_type(table, devices, "mqtt")
        thing = rules.thing_name(table) if table.has("thing") else None
        if thing is not None and "{thing}" in plain:
            table.fail("thing", "no thing where the topic says {thing}")
        found.append(
            SubscriptionConfig(
                topic=topic,
                device=device.name,
                thing=thing,
                qos=cast(Literal[0, 1], table.integer("qos", 1, 0, 1)),
                location=rules.location(table),
                tags=rules.tags(table, device),
                expected_every_s=rules.interval_or_none(table, "expected_every_s"),
            )
        )
    return tuple(found)


def _serial(table: Table, devices: Mapping[str, Device]) -> SerialConfig:
    port = rules.serial_port(table, "port")
    device = rules.device_type(table, devices, "serial")
    if isinstance(device, PolledDevice):
        table.fail("device", f"a device type that talks by itself; {device.name} has to be asked")
    parity = table.choice("parity", "", ("N", "E", "O"))
    return SerialConfig(
        port=port,
        device=device.name,
        thing=rules.thing_name(table),
        location=rules.location(table),
        tags=rules.tags(table, device),
        baud=table.integer("baud", 0, 50, 4_000_000) if table.has("baud") else None,
        parity=cast(Literal["N", "E", "O"], parity) if parity else None,
        expected_every_s=rules.interval_or_none(table, "expected_every_s"),
    )


def _check_once(origin: Origin, config: Config) -> None:
    """Nothing may be claimed twice: a client id at one broker, a port, a thing."""
    clients: dict[tuple[str | None, int | None, str], str] = {}
    things: dict[str, tuple[str, str]] = {}
    for broker in config.mqtt:
        parts = urlsplit(broker.url)
        at = f"mqtt.{broker.name}"
        first = clients.setdefault((parts.hostname, parts.port, broker.client_id), at)
        if first != at:
            _twice(origin, f"{at}.client_id", broker.client_id, f"{first} has it at the same broker")
        for index, item in enumerate(broker.subscriptions):
            if item.thing is None:
                continue
            here = f"{at}.subscription[{index}]"
            other, device = things.setdefault(item.thing, (here, item.device))
            if device != item.device:
                _twice(origin, f"{here}.thing", item.thing, f"{other} has it as {device}")
    ports: dict[str, str] = {}
    for index, entry in enumerate(config.serial):
        here = f"serial[{index}]"
        port = entry.port if "://" in entry.port else os.path.realpath(entry.port)
        first = ports.setdefault(port, here)
        if first != here:
            _twice(origin, f"{here}.port", entry.port, f"{first} has the same port")
        other, _ = things.setdefault(entry.thing, (here, entry.device))
        if other != here:
            _twice(origin, f"{here}.thing", entry.thing, f"{other} has it")


def _twice(origin: Origin, where: str, value: str, why: str) -> NoReturn:
    origin.fail(f"{where} = {shown(value)}", f"expected a value of its own; {why}")
