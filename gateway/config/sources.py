"""The sources of the file: brokers with their subscriptions, and serial ports."""

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal, cast
from urllib.parse import urlsplit

from devices.spec.device import BAUD, Device, MessageDevice, PolledDevice, StreamDevice
from gateway.config import commands, rules
from gateway.config.keys import keys_of
from gateway.config.types import MqttConfig, SerialConfig, SubscriptionConfig, ThingConfig, WillConfig
from gateway.config.usb import USB
from gateway.routes import overlap, topic_filter
from textfile import Table


class Claims:
    """What may be claimed once: a client id at one broker, a port, a thing."""

    def __init__(self) -> None:
        self._clients: dict[tuple[str | None, int | None, str], str] = {}
        self._ports: dict[str, str] = {}
        self._things: dict[str, tuple[str, str | None]] = {}

    def client(self, table: Table, url: str, client_id: str) -> None:
        if table.wrong("url", "client_id"):
            return
        parts = urlsplit(url)
        first = self._clients.setdefault((parts.hostname, parts.port, client_id), table.path)
        if first != table.path:
            table.fail("client_id", f"a value of its own; {first} has it at the same broker")

    def port(self, table: Table, port: str) -> None:
        if table.wrong("port"):
            return
        named = "://" in port or port.startswith(USB)
        first = self._ports.setdefault(port if named else os.path.realpath(port), table.path)
        if first != table.path:
            table.fail("port", f"a value of its own; {first} has the same port")

    def thing(self, table: Table, thing: str | None, device: str, shared: bool) -> None:
        """`shared`: several may feed it, of one device type."""
        if thing is None or table.wrong("thing"):
            return
        first, its_device = self._things.setdefault(thing, (table.path, None if table.wrong("device") else device))
        if first == table.path:
            return
        if not shared:
            table.fail("thing", f"a value of its own; {first} has it")
        elif its_device is not None and its_device != device and not table.wrong("device"):
            table.fail("thing", f"a value of its own; {first} has it as {its_device}")


def brokers(top: Table, devices: Mapping[str, Device], claims: Claims) -> tuple[MqttConfig, ...]:
    keys = tuple(key for key in keys_of(MqttConfig, subscriptions="subscription") if key != "name")
    raw = top.raw.get("mqtt", {})
    if not isinstance(raw, dict):
        top.fail("mqtt", "tables [mqtt.NAME]")
        return ()
    named = Table(top.origin, ("mqtt",), raw, None)
    names = [name for name, value in raw.items() if isinstance(value, dict)]
    flat = next((name for name in raw if name not in names), None)
    if flat is not None:
        named.fail(flat, f"a name for the broker: [mqtt.main], with {flat} in it")
        names = [name for name in names if name not in keys]  # what is left belongs to the broker without a name
    found: list[MqttConfig] = []
    for name in names:
        if not name.isascii() or not name.replace("-", "a").replace("_", "a").isalnum():
            named.fail(name, "a name of letters, digits, _ and - for the broker, as in [mqtt.main]")
        table = named.table(name, keys)
        if table is not None:
            found.append(_mqtt(table, name, devices, claims))
    return tuple(found)


def _mqtt(table: Table, name: str, devices: Mapping[str, Device], claims: Claims) -> MqttConfig:
    default = MqttConfig("", "", "", ())
    url = rules.broker_url(table, "url")
    client_id = table.text("client_id", "the fixed client id of this gateway")
    if len(client_id.encode()) > 65535:
        table.fail("client_id", "at most 65535 bytes")
    subscriptions = _subscriptions(table, devices, claims)
    # a family's lists may be long: see MessageDevice.longest_payload
    longest = [
        each.longest_payload
        for each in (devices.get(sub.device) for sub in subscriptions)
        if isinstance(each, MessageDevice)
    ]
    config = MqttConfig(
        name=name,
        url=url,
        client_id=client_id,
        subscriptions=subscriptions,
        protocol=cast(Literal["5", "3.1.1"], table.choice("protocol", default.protocol, ("5", "3.1.1"))),
        username=table.text_or_none("username", "the user's name"),
        password=table.text_or_none("password", "the user's password"),
        ca_file=rules.pem_file(table, "ca_file", url, "mqtts://"),
        cert_file=rules.pem_file(table, "cert_file", url, "mqtts://"),
        key_file=rules.pem_file(table, "key_file", url, "mqtts://"),
        keepalive_s=table.integer("keepalive_s", default.keepalive_s, 1, 65535),
        session_expiry_s=table.integer("session_expiry_s", default.session_expiry_s, 0, 0xFFFFFFFF),
        receive_maximum=table.integer("receive_maximum", default.receive_maximum, 1, 65535),
        max_payload=table.integer("max_payload", max([default.max_payload, *longest]), 1, 268_435_455),
        max_things=table.integer("max_things", default.max_things, 1, 10_000_000),
        will=_will(table),
    )
    claims.client(table, url, client_id)
    if table.has("password") and not table.has("username"):
        table.fail("username", "a user's name beside the password")
    if table.has("key_file") and not table.has("cert_file"):
        table.fail("cert_file", "the certificate that belongs to key_file")
    if not config.subscriptions and not table.wrong("subscription"):
        table.fail("subscription", f"at least one [[{table.path}.subscription]]")
    return config


def _will(parent: Table) -> WillConfig | None:
    table = parent.table("will", keys_of(WillConfig))
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


def _subscriptions(broker: Table, devices: Mapping[str, Device], claims: Claims) -> tuple[SubscriptionConfig, ...]:
    found: list[SubscriptionConfig] = []
    filters: list[tuple[str, str]] = []
    for table in broker.tables("subscription", keys_of(SubscriptionConfig)):
        topic = rules.topic_pattern(table, "topic")
        plain = topic.split("/", 2)[2] if topic.startswith("$share/") else topic
        for other, first in filters:
            if topic_filter(other) == topic_filter(plain):
                table.fail("topic", f"a topic filter once only; {first} has the same")
            if overlap(other, plain):
                table.fail("topic", f"topic filters that do not overlap: {first} brings some of the same messages")
        if plain:
            filters.append((plain, table.path))
        device = rules.device_type(table, devices, "mqtt")
        thing = rules.thing_name(table) if table.has("thing") else None
        if thing and "{thing}" in plain:
            table.fail("thing", "no thing where the topic says {thing}")
        item = SubscriptionConfig(
            topic=topic,
            device=device.name if device else "",
            thing=thing,
            qos=cast(Literal[0, 1], table.integer("qos", 1, 0, 1)),
            location=rules.location(table),
            tags=rules.tags(table, device),
            expected_every_s=rules.interval_or_none(table, "expected_every_s"),
            commands=commands.allowed(table, device, by_thing=True),
        )
        if item.commands and topic.startswith("$share/"):
            table.fail("commands", "no commands on a shared subscription: another gateway may get the answer")
        claims.thing(table, item.thing, item.device, shared=True)
        found.append(item)
    return tuple(found)


ASKED_KEYS = ("unit", "every_s", "timeout_s")
SERIAL_KEYS = (*(key for key in keys_of(SerialConfig) if key != "things"), *ASKED_KEYS)
"""Of [[serial]]. `thing` is a name, or the tables [[serial.thing]]."""

LONGEST_TIMEOUT_S = 60.0


def ports(top: Table, devices: Mapping[str, Device], claims: Claims) -> tuple[SerialConfig, ...]:
    raw = top.raw.get("serial")
    if isinstance(raw, dict) and "thing" in raw and "port" not in raw:
        top.fail("serial", "[[serial]] with a port above the first [[serial.thing]]")
        return ()
    return tuple(_serial(table, devices, claims) for table in top.tables("serial", SERIAL_KEYS))


def _serial(table: Table, devices: Mapping[str, Device], claims: Claims) -> SerialConfig:
    port = rules.serial_port(table, "port")
    claims.port(table, port)
    parity = table.choice("parity", "", ("N", "E", "O"))
    config = SerialConfig(
        port=port,
        device="",
        thing="",
        baud=table.integer("baud", 0, *BAUD) if table.has("baud") else None,
        parity=cast(Literal["N", "E", "O"], parity) if parity else None,
    )
    if isinstance(table.raw.get("thing"), list):
        return _line(table, config, devices, claims)
    if not table.has("device") and not table.has("thing"):
        table.fail("device", "a device type and the name of its thing, or of what is asked tables [[serial.thing]]")
        return config
    device = rules.device_type(table, devices, "serial")
    config = replace(
        config,
        device=device.name if device else "",
        thing=rules.thing_name(table),
        location=rules.location(table),
        tags=rules.tags(table, device),
        expected_every_s=rules.interval_or_none(table, "expected_every_s"),
    )
    if config.recording is not None and table.has("commands"):
        table.fail("commands", "no commands: a recording obeys nobody")
    if isinstance(device, PolledDevice):
        config = replace(config, things=(_asked(table, device, claims),))
        return config
    shared = isinstance(device, StreamDevice) and device.shared
    config = replace(config, commands=commands.allowed(table, device, by_thing=shared))
    claims.thing(table, config.thing, config.device, shared=False)
    for key in ASKED_KEYS:
        if device and table.has(key):
            table.fail(key, f"no {key}: {device.name} talks by itself and is not asked")
    return config


def _line(table: Table, config: SerialConfig, devices: Mapping[str, Device], claims: Claims) -> SerialConfig:
    """The things of [[serial.thing]]: all of types that are asked, with numbers of their own, on one line."""
    for key in ("device", "location", "tags", "expected_every_s", "commands", *ASKED_KEYS):
        if table.has(key):
            table.fail(key, f"{key} in each [[serial.thing]]")
    if config.recording is not None:
        table.fail("port", "a port where things are asked; a recording holds what one device said")
    tables = table.tables("thing", keys_of(ThingConfig))
    if not tables and not table.wrong("thing"):
        table.fail("thing", "at least one [[serial.thing]]")
    things: list[ThingConfig] = []
    units: dict[int, str] = {}
    first: tuple[str, str] | None = None
    for each in tables:
        device = rules.device_type(each, devices, "serial")
        if not isinstance(device, PolledDevice):
            if device:
                each.fail("device", f"a device type that is asked; {device.name} talks by itself, on a port of its own")
            _named(each, device, "", 0, claims)  # for what else is wrong with it
            continue
        if not device.units and len(tables) > 1:
            each.fail("device", f"a device type with a unit number; {device.name} has none and is alone on its port")
        said = _framing(config, device)
        first = first or (each.path, said)
        if said != first[1]:
            each.fail("device", f"a device type at {first[1]}, as {first[0]}, or baud and parity in [[serial]]")
        thing = _asked(each, device, claims)
        if device.units and not each.wrong("unit"):
            other = units.setdefault(thing.unit, each.path)
            if other != each.path:
                each.fail("unit", f"a number of its own on this line; {other} has {thing.unit}")
        things.append(thing)
    return replace(config, things=tuple(things))


def _framing(config: SerialConfig, device: PolledDevice) -> str:
    """How the type's line is opened, for people."""
    own = device.serial
    return f"{config.baud or own.baud} baud {own.bits}{config.parity or own.parity}{own.stop}"


def _asked(table: Table, device: PolledDevice, claims: Claims) -> ThingConfig:
    units = device.units
    if units:
        unit = table.integer("unit", device.unit, units[0], units[-1])
    else:
        unit = 0
        if table.has("unit"):
            table.fail("unit", f"no unit: {device.name} has none and is alone on its port")
    return _named(table, device, device.name, unit, claims)


def _named(table: Table, device: Device | None, name: str, unit: int, claims: Claims) -> ThingConfig:
    thing = ThingConfig(
        device=name,
        thing=rules.thing_name(table),
        unit=unit,
        every_s=table.number("every_s", 1.0, 0.05, 86400) if table.has("every_s") else None,
        timeout_s=table.number("timeout_s", 1.0, 0.01, LONGEST_TIMEOUT_S) if table.has("timeout_s") else None,
        location=rules.location(table),
        tags=rules.tags(table, device),
        expected_every_s=rules.interval_or_none(table, "expected_every_s"),
        commands=commands.allowed(table, device, by_thing=False),
    )
    claims.thing(table, thing.thing, thing.device, shared=False)
    return thing
