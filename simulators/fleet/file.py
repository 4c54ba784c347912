"""A fleet as a TOML file.

    [fleet]
    broker = "mqtt://127.0.0.1:1883"     # needed where a thing speaks MQTT
    username = "sim"                     # "${NAME}" is taken from the environment
    password = "${SIM_PASSWORD}"
    port_dir = "ports"                   # symlinks to the ptys; relative to this file
    listen = "127.0.0.1"                 # address of things on tcp; "0.0.0.0" lets other machines in
    seed = 7                             # of every thing that has none of its own

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

Whatever is wrong is said in one line: file, key path, value and what was expected.
"""

import ipaddress
import math
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, cast
from urllib.parse import urlsplit

from devices.spec.device import Device, PolledDevice
from simulators.faults import Faults
from simulators.scene import KINDS
from simulators.things import PERIODS, Link, ThingSpec

FLEET_KEYS = ("broker", "username", "password", "port_dir", "listen", "seed")
THING_KEYS = (
    "name", "device", "count", "seed", "period_s", "link", "port", "topic", "kind", "zone", "location", "faults",
    "line", "unit",
)  # fmt: skip
MOST_THINGS = 100_000
LOOPBACK = "127.0.0.1"
_REFERENCE = re.compile(r"\$\{(\w+)\}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


class FleetError(ValueError):
    """A fleet that cannot be run; the text is one line for the person who wrote it."""


@dataclass(frozen=True)
class FleetConfig:
    """A fleet file, read. `broker` is (host, port), `login` (user, password), `listen` an IP address."""

    things: tuple[ThingSpec, ...]
    broker: tuple[str, int] | None = None
    login: tuple[str, str] | None = None
    port_dir: Path | None = None
    listen: str = LOOPBACK


@dataclass(frozen=True, slots=True)
class _Table:
    """One table of the file, which says where it is when something is wrong with it."""

    file: Path
    path: str
    values: Mapping[str, Any]

    def fail(self, key: str, expected: str) -> NoReturn:
        where = f"{self.path}.{key}" if self.path else key
        said = f" = {self.values[key]!r}" if key in self.values and key != "password" else ""
        raise FleetError(f"{self.file}: {where}{said}: expected {expected}".replace("\n", " "))

    def known(self, keys: tuple[str, ...]) -> None:
        for key in self.values:
            if key not in keys:
                self.fail(key, f"one of the keys {', '.join(keys)}")

    def text(self, key: str, default: str = "") -> str:
        value = self.values.get(key, default)
        if not isinstance(value, str):
            self.fail(key, "a text")
        for name in _REFERENCE.findall(value):
            if name not in os.environ:
                self.fail(key, f"the environment variable {name} to be set")
        return _REFERENCE.sub(lambda match: os.environ[match[1]], value)

    def whole(self, key: str, default: int, low: int, high: int) -> int:
        value = self.values.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            self.fail(key, f"a whole number from {low} to {high}")
        return value

    def seconds(self, key: str, default: float) -> float:
        value = self.values.get(key, default)
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0.001 <= value <= 86400.0:
            self.fail(key, "seconds from 0.001 to 86400")
        return float(value)


def load(path: Path, devices: Mapping[str, Device]) -> FleetConfig:
    """Read a fleet file of things of the types in `devices`. FleetError says what is wrong with it in one line."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FleetError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FleetError(f"{path}: not TOML: {error}".replace("\n", " ")) from error
    root = _Table(path, "", document)
    root.known(("fleet", "thing"))
    head = document.get("fleet", {})
    if not isinstance(head, dict):
        root.fail("fleet", "a table [fleet]")
    fleet = _Table(path, "fleet", head)
    fleet.known(FLEET_KEYS)
    rows = document.get("thing", [])
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        root.fail("thing", "at least one [[thing]] table")
    broker = _broker(fleet)
    things: list[ThingSpec] = []
    seed = fleet.whole("seed", 1, 0, 1 << 31)
    for index, row in enumerate(rows):
        things += _things(_Table(path, f"thing[{index}]", row), devices, seed, len(things))
        _check(path, index, things, broker is not None)
    login = (fleet.text("username"), fleet.text("password")) if "username" in head else None
    port_dir = (path.parent / fleet.text("port_dir")).resolve() if "port_dir" in head else None
    return FleetConfig(tuple(things), broker, login, port_dir, _listen(fleet))


def _broker(fleet: _Table) -> tuple[str, int] | None:
    if "broker" not in fleet.values:
        return None
    url = fleet.text("broker")
    try:
        parts = urlsplit(url if "://" in url else f"mqtt://{url}")
        host, port = parts.hostname, parts.port or 1883
    except ValueError:
        host, port = None, 0
    if host is None or parts.scheme != "mqtt":
        fleet.fail("broker", "mqtt://host:port")
    return host, port


def _listen(fleet: _Table) -> str:
    text = fleet.text("listen", LOOPBACK)
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        fleet.fail("listen", 'an IP address such as "127.0.0.1", or "0.0.0.0" for all of this machine')


def _things(table: _Table, devices: Mapping[str, Device], seed: int, before: int) -> list[ThingSpec]:
    table.known(THING_KEYS)
    device = table.text("device")
    if device not in devices:
        table.fail("device", f"one of {', '.join(sorted(devices))}")
    name = table.text("name", device)
    if _NAME.fullmatch(name) is None:
        table.fail("name", "1 to 64 letters, digits, '-', '_' or '.', beginning with a letter or digit")
    count = table.whole("count", 1, 1, MOST_THINGS)
    seed = table.whole("seed", seed * 1009 + before, 0, 1 << 62)
    if count > 1 and ("port" in table.values or "topic" in table.values):
        table.fail("count", "1 where port or topic is given")
    names = [name] if count == 1 else [f"{name}-{number:02d}" for number in range(1, count + 1)]
    return [_thing(table, devices[device], one, seed + number, number) for number, one in enumerate(names)]


def _thing(table: _Table, type_: Device, name: str, seed: int, number: int) -> ThingSpec:
    links = ("mqtt",) if type_.link == "mqtt" else ("pty", "tcp")
    link = table.text("link", links[0])
    if link not in links:
        table.fail("link", f"{' or '.join(links)} for {type_.name}")
    kind = table.text("kind") if "kind" in table.values else ("weather" if type_.open_fields else None)
    if kind is not None and (kind not in KINDS or not type_.open_fields):
        table.fail("kind", f"one of {', '.join(sorted(KINDS))}" if type_.open_fields else f"no kind for {type_.name}")
    if link == "tcp":
        port: str | int | None = table.whole("port", 0, 0, 65535)
    else:
        port = table.text("port") if "port" in table.values else None
    return ThingSpec(
        name=name,
        type=type_,
        seed=seed,
        period_s=table.seconds("period_s", PERIODS.get(type_.name, type_.expected_every_s)),
        zone=table.text("zone"),
        location=_location(table),
        kind=kind,
        link=cast(Link, link),
        port=port,
        topic=table.text("topic") if "topic" in table.values else None,
        faults=_faults(table, seed, type_),
        line=_line(table, type_),
        unit=_unit(table, type_, number),
    )


def _line(table: _Table, type_: Device) -> str | None:
    if "line" not in table.values:
        return None
    if not isinstance(type_, PolledDevice) or not type_.units:
        table.fail("line", f"no line: {type_.name} has no unit number and is alone on its port")
    name = table.text("line")
    if _NAME.fullmatch(name) is None:
        table.fail("line", "1 to 64 letters, digits, '-', '_' or '.', beginning with a letter or digit")
    return name


def _unit(table: _Table, type_: Device, number: int) -> int | None:
    """The unit number of the `number`th thing (from 0) of the table; None for a type without."""
    if not isinstance(type_, PolledDevice) or not type_.units:
        if "unit" in table.values:
            table.fail("unit", f"no unit: {type_.name} has none")
        return None
    least, most = type_.units[0], type_.units[-1]
    unit = table.whole("unit", type_.unit, least, most) + (number if "line" in table.values else 0)
    if unit > most:
        table.fail("unit", f"unit numbers up to {most}, and count = {table.values['count']} needs more")
    return unit


def _location(table: _Table) -> tuple[float, float] | None:
    value = table.values.get("location")
    if value is None:
        return None
    if not (
        isinstance(value, list)
        and len(value) == 2
        and all(isinstance(one, int | float) and math.isfinite(one) for one in value)
        and abs(value[0]) <= 90
        and abs(value[1]) <= 180
    ):
        table.fail("location", "[latitude, longitude] in degrees")
    return float(value[0]), float(value[1])


def _faults(table: _Table, seed: int, type_: Device) -> Faults:
    line = table.text("faults")
    try:
        faults = Faults.parse(line if "seed=" in line else f"seed={seed} {line}")
    except ValueError as error:
        table.fail("faults", f'rates such as "flip=1% noise=0.5%" ({error})')
    if faults.of_answers and not isinstance(type_, PolledDevice):
        table.fail("faults", f"no {', '.join(faults.of_answers)}: {type_.name} is not asked, it talks by itself")
    if faults.stranger and isinstance(type_, PolledDevice) and not type_.units:
        table.fail("faults", f"no stranger: {type_.name} has no unit number")
    return faults


def _check(path: Path, index: int, things: list[ThingSpec], broker: bool) -> None:
    """What only shows with the other things in view."""
    if len(things) > MOST_THINGS:
        raise FleetError(f"{path}: thing[{index}].count: expected at most {MOST_THINGS} things in all")
    names = {thing.name for thing in things}
    if len(names) < len(things):
        raise FleetError(f"{path}: thing[{index}].name = {things[-1].name!r}: expected a name not used before")
    if things[-1].via == "mqtt" and not broker:
        raise FleetError(f"{path}: fleet.broker: expected mqtt://host:port, as {things[-1].name} speaks MQTT")
    if things[-1].line is not None:
        _check_line(f"{path}: thing[{index}]", things[-1].line, things)


def _check_line(where: str, line: str, things: list[ThingSpec]) -> None:
    """The things of one line: on one link, each with a number of its own."""
    if any(thing.name == line for thing in things):
        raise FleetError(f"{where}.line = {line!r}: expected a name that no thing has")
    units: dict[int | None, ThingSpec] = {}
    for thing in things:
        if thing.line != line:
            continue
        first = next(iter(units.values()), thing)
        if first.via != thing.via:
            raise FleetError(f"{where}.link = {thing.via!r}: expected {first.via}, as {first.name} on that line")
        other = units.setdefault(thing.unit, thing)
        if other is not thing:
            raise FleetError(f"{where}.unit = {thing.unit}: expected a number of its own; {other.name} has it")
