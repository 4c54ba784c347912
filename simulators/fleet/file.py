"""A fleet as a TOML file.

    [fleet]
    broker = "mqtt://127.0.0.1:1883"     # needed where a thing speaks MQTT
    username = "sim"                     # "${NAME}" is taken from the environment
    password = "${SIM_PASSWORD}"
    port_dir = "ports"                   # symlinks to the ptys; relative to this file
    listen = "127.0.0.1"                 # address of things on tcp; "0.0.0.0" lets other machines in
    seed = 7                             # of every thing that has none of its own
    types = "gateway.toml"               # further device types: a gateway's file, a file or folder of types

    [[type]]                             # or here: see docs/configuration.md

    [[thing]]
    name = "lamp"                        # with count = 3: lamp-01, lamp-02, lamp-03
    device = "pms5003"                   # `parkgate devices` lists them
    count = 3
    period_s = 1.0                       # default: the type's own pace
    link = "pty"                         # "pty" or "tcp" for serial types, "mqtt" for the others
    port = "/tmp/lamp"                   # pty: its symlink; tcp: its port number
    line = "meters"                      # types that are asked: things of one line share a port
    unit = 3                             # types that are asked: its number; with count, the first one's
    topic = "park/lamp/senml"            # MQTT; default: the type's usual topic
    kind = "soil"                        # types with open fields: which fields
    zone = "lake"
    location = [22.4270, 114.2110]
    faults = "flip=1% noise=0.5%"        # see simulators/faults.py; seed= defaults to the thing's

Whatever is wrong is said, one line a mistake, in the order of the file: file, line, column, key path, value and
what was expected.
"""

import ipaddress
import json
import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from devices.catalogue import Catalogue
from devices.files import only_refused, read_path, with_tables
from devices.spec.device import Device, MessageDevice, PolledDevice
from devices.spec.errors import DescriptionError
from simulators.faults import Faults
from simulators.things import PERIODS, Link, ThingSpec, kinds_of, peer, usual_topic
from textfile import Mistaken, Table, listed, nearest, one_line, open_toml

FLEET_KEYS = ("broker", "username", "password", "port_dir", "listen", "seed", "types")
THING_KEYS = (
    "name", "device", "count", "seed", "period_s", "link", "port", "topic", "kind", "zone", "location", "faults",
    "line", "unit",
)  # fmt: skip
MOST_THINGS = 100_000
PACE = (0.001, 86400.0)
LOOPBACK = "127.0.0.1"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_NAMED = "1 to 64 letters, digits, '-', '_' or '.', beginning with a letter or digit"


class FleetError(Mistaken):
    """A fleet that cannot be run; the text is one line for each mistake, for the person who wrote it."""


@dataclass(frozen=True)
class FleetConfig:
    """A fleet file, read. `broker` is (host, port), `login` (user, password), `listen` an IP address."""

    things: tuple[ThingSpec, ...]
    broker: tuple[str, int] | None = None
    login: tuple[str, str] | None = None
    port_dir: Path | None = None
    listen: str = LOOPBACK


def load(path: Path, devices: Mapping[str, Device]) -> FleetConfig:
    """Read a fleet file of things of the types in `devices`, or that it brings. FleetError says what is wrong."""
    top = open_toml(path, os.environ, ("fleet", "thing", "type"), FleetError, "a fleet file")
    fleet = top.table("fleet", FLEET_KEYS) or Table(top.origin, ("fleet",), {}, ())
    devices = _types(top, fleet, devices)
    broker = _broker(fleet)
    seed = fleet.integer("seed", 1, 0, 1 << 31)
    login = (_text(fleet, "username"), _text(fleet, "password")) if fleet.has("username") else None
    if fleet.has("password") and login is None:
        fleet.fail("username", "a user's name beside the password")
    port_dir = fleet.path_or("port_dir", None, "a folder for the serial ports")
    listen = _listen(fleet)
    things: list[ThingSpec] = []
    among = _Among()
    rows = top.tables("thing", THING_KEYS)
    if not rows and not top.wrong("thing"):
        top.fail("thing", "at least one [[thing]] table")
    for table in rows:
        made = _things(table, devices, seed, len(things))
        among.check(table, made, fleet)
        things += made
    top.origin.mistakes.check()
    return FleetConfig(tuple(things), broker, login, port_dir.resolve() if port_dir else None, listen)


def _types(top: Table, fleet: Table, devices: Mapping[str, Device]) -> Mapping[str, Device]:
    """The device types that the file may name: those it brings itself, and those of the file or folder `types`."""
    if not top.has("type") and not fleet.has("types"):
        return devices
    known = devices if isinstance(devices, Catalogue) else Catalogue({}).plus(devices.values())
    known = with_tables(known, top.tables("type", None))
    expected = "a gateway's configuration, or a file or folder of device types"
    where = fleet.path_or("types", None, expected)
    if where is None:
        return known
    if not where.exists():
        fleet.fail("types", f"{expected}; there is none at {one_line(str(where))}")
        return known.without("")
    known, wrong = read_path(known, where, top.origin.environ)
    for each in wrong:
        top.origin.mistakes.behind(each)
    return known


def _text(table: Table, key: str, expected: str = "a text", default: str = "") -> str:
    return table.text(key, expected, empty=True) if table.has(key) else default


def _broker(fleet: Table) -> tuple[str, int] | None:
    if not fleet.has("broker"):
        return None
    url = fleet.text("broker", "mqtt://host:port")
    try:
        parts = urlsplit(url if "://" in url else f"mqtt://{url}")
        host, port = parts.hostname, parts.port or 1883
    except ValueError:
        host, port = None, 0
    if host is None or parts.scheme != "mqtt":
        fleet.fail("broker", "mqtt://host:port")
        return None
    return host, port


def _listen(fleet: Table) -> str:
    text = _text(fleet, "listen", default=LOOPBACK)
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        fleet.fail("listen", 'an IP address such as "127.0.0.1", or "0.0.0.0" for all of this machine')
        return LOOPBACK


def _things(table: Table, devices: Mapping[str, Device], seed: int, before: int) -> list[ThingSpec]:
    """The things of one table; none where its type is not known."""
    device = table.text("device", "a device type, as `parkgate devices` lists them")
    if device not in devices and not only_refused(devices, device):
        meant = nearest(device, devices)
        table.fail(
            "device", f'a device type, did you mean "{meant}"?' if meant else f"one of {listed(sorted(devices))}"
        )
    type_ = None
    try:
        type_ = devices.get(device)
    except DescriptionError as error:  # of a package
        table.fail("device", f"a device type that can be used; {error}")
    name = _text(table, "name", _NAMED, device)
    if _NAME.fullmatch(name) is None and table.has("name"):
        table.fail("name", _NAMED)
    count = table.integer("count", 1, 1, MOST_THINGS)
    seed = table.integer("seed", seed * 1009 + before, 0, 1 << 62)
    if count > 1 and (table.has("port") or table.has("topic")):
        table.fail("count", "1 where port or topic is given")
    if type_ is None:  # what does not depend on the type may be wrong, too
        table.number("period_s", 1.0, *PACE)
        _text(table, "zone")
        _location(table)
        return []
    names = [name] if count == 1 else [f"{name}-{number:02d}" for number in range(1, count + 1)]
    return [_thing(table, type_, one, seed + number, number) for number, one in enumerate(names)]


def _thing(table: Table, type_: Device, name: str, seed: int, number: int) -> ThingSpec:
    links = ("mqtt",) if type_.link == "mqtt" else ("pty", "tcp")
    link = _text(table, "link", default=links[0])
    if link not in links:
        table.fail("link", f"{' or '.join(links)} for {type_.name}")
    kinds = sorted(kinds_of(type_))
    kind = _text(table, "kind") if table.has("kind") else ("weather" if kinds else None)
    if kind is not None and kind not in kinds:
        table.fail("kind", f"one of {', '.join(kinds)}" if kinds else f"no kind for {type_.name}")
    port: str | int | None = None
    if link == "tcp":
        port = table.integer("port", 0, 0, 65535)
    elif not table.wrong("link"):
        port = table.text_or_none("port", "the path of its symlink")
    spec = ThingSpec(
        name=name,
        type=type_,
        seed=seed,
        period_s=table.number("period_s", PERIODS.get(type_.name, type_.expected_every_s), *PACE),
        zone=_text(table, "zone"),
        location=_location(table),
        kind=kind,
        link=cast(Link, link),
        port=port,
        topic=table.text_or_none("topic", "an MQTT topic name"),
        faults=_faults(table, seed, type_),
        line=_line(table, type_),
        unit=_unit(table, type_, number),
    )
    _see_topic(table, spec)
    return spec


def _see_topic(table: Table, spec: ThingSpec) -> None:
    """Refuse a topic that nothing can be published on, or that the type's double would not publish on."""
    if spec.topic is None or not isinstance(spec.type, MessageDevice) or table.wrong("topic"):
        return
    usual = json.dumps(usual_topic(spec.type, spec.name))
    if "+" in spec.topic or "#" in spec.topic:
        table.fail("topic", f"the one topic that {spec.name} publishes on, without + and #, as {usual}")
    elif not table.wrong("kind") and peer(spec).topic != spec.topic:
        table.fail("topic", f"a topic of {spec.type.name}, as {usual}")


def _line(table: Table, type_: Device) -> str | None:
    if not table.has("line"):
        return None
    if not isinstance(type_, PolledDevice) or not type_.units:
        table.fail("line", f"no line: {type_.name} has no unit number and is alone on its port")
    name = table.text("line", _NAMED)
    if _NAME.fullmatch(name) is None:
        table.fail("line", _NAMED)
    return name


def _unit(table: Table, type_: Device, number: int) -> int | None:
    """The unit number of the `number`th thing (from 0) of the table; None for a type without."""
    if not isinstance(type_, PolledDevice) or not type_.units:
        if table.has("unit"):
            table.fail("unit", f"no unit: {type_.name} has none")
        return None
    least, most = type_.units[0], type_.units[-1]
    unit = table.integer("unit", type_.unit, least, most) + (number if table.has("line") else 0)
    if unit > most:
        table.fail("unit", f"unit numbers up to {most}, and count = {table.raw['count']} needs more")
    return unit


def _location(table: Table) -> tuple[float, float] | None:
    value = table.raw.get("location")
    if value is None:
        return None
    if not (
        isinstance(value, list)
        and len(value) == 2
        and all(isinstance(one, int | float) and not isinstance(one, bool) and math.isfinite(one) for one in value)
        and abs(value[0]) <= 90
        and abs(value[1]) <= 180
    ):
        table.fail("location", "[latitude, longitude] in degrees")
        return None
    return float(value[0]), float(value[1])


def _faults(table: Table, seed: int, type_: Device) -> Faults:
    line = _text(table, "faults")
    try:
        faults = Faults.parse(line if "seed=" in line else f"seed={seed} {line}")
    except ValueError as error:
        table.fail("faults", f'rates such as "flip=1% noise=0.5%" ({error})')
        return Faults()
    if faults.of_answers and not isinstance(type_, PolledDevice):
        table.fail("faults", f"no {', '.join(faults.of_answers)}: {type_.name} is not asked, it talks by itself")
    if faults.stranger and isinstance(type_, PolledDevice) and not type_.units:
        table.fail("faults", f"no stranger: {type_.name} has no unit number")
    return faults


class _Among:
    """What only shows with the other things in view: names, the broker, and what shares a line."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._lines: dict[str, dict[int | None, ThingSpec]] = {}

    def check(self, table: Table, things: list[ThingSpec], fleet: Table) -> None:
        if len(self._names) + len(things) > MOST_THINGS:
            table.fail("count", f"at most {MOST_THINGS} things in all")
        for thing in things:
            first = self._names.setdefault(thing.name, table.path)
            if first != table.path:
                table.fail("name", f"a name not used before; {first} is called {thing.name}")
            if thing.via == "mqtt" and not fleet.has("broker"):
                fleet.fail("broker", f"mqtt://host:port, as {thing.name} speaks MQTT")
            if thing.name in self._lines and not table.wrong("name"):
                table.fail("name", f"a name that no line has; {thing.name} is one")
            if thing.line is not None and not table.wrong("line", "unit", "link"):
                self._on_line(table, thing, thing.line)

    def _on_line(self, table: Table, thing: ThingSpec, line: str) -> None:
        """The things of one line: on one link, each with a number of its own."""
        units = self._lines.setdefault(line, {})
        first = next(iter(units.values()), thing)
        other = units.setdefault(thing.unit, thing)
        if line in self._names:
            table.fail("line", "a name that no thing has")
        elif first.via != thing.via:
            table.fail("link", f"{first.via}, as {first.name} on that line")
        elif other is not thing:
            table.fail("unit", f"a number of its own; {other.name} has {thing.unit}")
