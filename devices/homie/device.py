"""Homie: devices, their nodes and properties below one base topic; versions 5, 4 and 3.

    homie/5/super-car/$state                       ready | init | sleeping | disconnected | lost (its will)
    homie/5/super-car/$description                 {"homie": "5.0", "nodes": {"engine": …}}
    homie/5/super-car/engine/temperature           21.5
    homie/5/super-car/engine/temperature/$target   80      where it is going
    homie/5/super-car/engine/temperature/set       80      a command: no reading
    homie/5/super-car/$alert/fuel                  Low     standing until it is deleted
    homie/5/super-car/$log/warn                    Overheating
    homie/super-car/engine/temperature             21.5    versions 4 and 3: the base without a 5
    homie/super-car/engine/temperature/$unit       °C      and attributes on topics of their own
    homie/super-car/$stats/uptime                  120     extension org.homie.legacy-stats

| message | reading |
|---|---|
| a property, its `$target` | its value (`properties`); the names of node and property, and `_target` |
| `$state` | `device_state`, `online_flag`, standing; of a root that is lost its children's, too (`network`) |
| `$description` | `property_count`, standing |
| `$alert/…` | `alert_…_text`, standing; empty where it is over |
| `$log/…` | `log_…_text` |
| `$stats/…` | `stats_uptime_s`, `stats_battery_pct`, … |
| `set`, `$broadcast`, names and versions | nothing to report |

The thing is the device's id; where the subscription has wildcards before the base (`+/5/#`), what they stand for comes
before it. The base is what the subscription's filter begins with: `homie/#` takes all versions, `park/5/#` version 5
below another domain.

Properties are retained and have no time, so a kept one is old, and is not stored. Only what has been said since counts.

`decode` of one message alone reads it by its looks: see `properties`.

Limits: those of `network` and `properties`; 16 base topics by subscription.

Source: homieiot.github.io, Homie convention 5.0.0 and 4.0.0; extension "legacy stats".
"""

from collections.abc import Sequence

from devices.homie.commands import COMMANDS
from devices.homie.describe import births, encode
from devices.homie.fields import FIELDS, HUMIDITY, ONLINE, STATES, STATS
from devices.homie.network import Device, Kept, Network, Path
from devices.homie.properties import Property, read, usual
from devices.spec.device import MessageDevice
from devices.spec.events import DELETED, Ask, Empty, Event, Fetch, Reading, SanityError, Value
from devices.spec.json_object import JsonRefused, json_object
from devices.spec.names import Values, number, snake, text_of
from devices.spec.sequence import Bits
from devices.spec.sequence import Sequence as Count

MOST_NETWORKS = 16
VERSION = "5"
_ATTRIBUTES = ("$datatype", "$unit", "$format")
_GONE = frozenset(("disconnected", "lost"))

Told = Event | Ask


class Family:
    """The state of one subscription. `alone` reads without any description."""

    __slots__ = ("_alone", "_asks", "_base", "_networks")

    def __init__(self, pattern: str, *, alone: bool = False) -> None:
        levels = pattern.split("/")
        while len(levels) > 1 and levels[-1] in ("#", "+"):
            levels.pop()
        if VERSION in levels[1:]:
            del levels[levels.index(VERSION, 1) + 1 :]  # the filter is for one device, or one of its nodes
        self._base = levels
        self._asks = _descriptions(levels)
        self._alone = alone
        self._networks: dict[str, Network] = {}

    def connected(self, new_session: bool) -> list[Ask]:  # noqa: ARG002
        return list(self._asks)

    def decode(self, topic: str, payload: bytes, received_ns: int) -> Sequence[Told]:
        return self._message(topic, payload, received_ns, retained=False)

    def retained(self, topic: str, payload: bytes, received_ns: int) -> Sequence[Told]:
        return self._message(topic, payload, received_ns, retained=True)

    def flush(self) -> list[Event]:
        return [event for network in self._networks.values() for event in network.flush()]

    def _message(self, topic: str, payload: bytes, received_ns: int, retained: bool) -> Sequence[Told]:
        levels = topic.split("/")
        count = len(self._base)
        if self._alone and len(levels) > 1 and levels[1] == VERSION:
            count = 1  # whatever its domain is
        below = levels[count:]
        five = (count > 0 and levels[count - 1 : count] == [VERSION]) or below[:1] == [VERSION]
        if below[:1] == [VERSION]:
            below = below[1:]
        if not below or not below[0]:
            return [
                SanityError(f"topic {topic[:100]!r}: expected a device below {'/'.join(self._base)[:100]}", payload)
            ]
        if below[0].startswith("$"):
            return [Empty("said to all devices: no reading", payload)]
        base = "/".join(levels[: len(levels) - len(below)])
        network = self._networks.get(base)
        if network is None:
            if len(self._networks) >= MOST_NETWORKS:
                return [SanityError(f"more than {MOST_NETWORKS} base topics below one subscription", payload)]
            network = self._networks[base] = Network()
        wild = [level for level, own in zip(levels, self._base, strict=False) if own == "+"]
        prefix = "".join(f"{level}/" for level in wild)
        name, rest = below[0], below[1:]
        device = network.device(name, received_ns)
        if device is None:
            return [SanityError(f"more than {len(network.devices)} devices below {base[:100]}", payload)]
        try:
            return self._said(_Said(network, name, device, prefix, payload, received_ns, retained, five), rest)
        except JsonRefused as error:
            return [SanityError(f"{'/'.join(below)[:60]}: {error}", payload)]

    def _said(self, said: "_Said", rest: list[str]) -> Sequence[Told]:
        if not rest:
            return [Empty("the device's own topic: no reading", said.payload, said.thing)]
        if rest[0].startswith("$"):
            return [*said.attribute(rest), *said.due()]
        if len(rest) == 3 and rest[2] in _ATTRIBUTES and not said.five:
            said.device.attribute((rest[0], rest[1]), rest[2], text_of(said.text), said.received_ns)
            return [Empty("what a property is: no reading", said.payload, said.thing), *said.due()]
        if len(rest) == 3 and rest[2] == "$target":
            return self._value(said, (rest[0], rest[1]), (rest[0], rest[1] + "_target"))
        if len(rest) == 2 and not rest[1].startswith("$"):
            return self._value(said, (rest[0], rest[1]), (rest[0], rest[1]))
        return [Empty("a command or a name: no reading", said.payload, said.thing)]

    def _value(self, said: "_Said", path: Path, called: Path) -> Sequence[Told]:
        """A value of the property `path`, which is `called` so."""
        if not said.payload:
            return [Empty(DELETED, said.payload, said.thing)]
        if said.retained:
            return [Reading({}, thing=said.thing), *said.due()]
        known = usual(path[1]) if self._alone else said.device.known(path, said.received_ns)
        if known is not None:
            return [said.reading(said.thing, called, known, said.payload, None), *said.due()]
        waits = Empty("waits for the device to describe itself", said.payload, said.thing)
        refused = said.network.keep(Kept(said.name, called, path, said.payload, said.received_ns))
        return [waits, *self._asks, *refused, *said.due()]


class _Said:
    """One message of one device."""

    __slots__ = ("device", "five", "name", "network", "payload", "prefix", "received_ns", "retained")

    def __init__(
        self,
        network: Network,
        name: str,
        device: Device,
        prefix: str,
        payload: bytes,
        received_ns: int,
        retained: bool,
        five: bool,
    ) -> None:
        self.network, self.name, self.device, self.prefix = network, name, device, prefix
        self.payload, self.received_ns, self.retained, self.five = payload, received_ns, retained, five

    @property
    def thing(self) -> str:
        return self.prefix + self.name

    @property
    def text(self) -> str:
        return self.payload.decode("utf-8", "replace")

    def attribute(self, rest: list[str]) -> list[Event]:
        """An attribute of the device itself."""
        what = rest[0]
        if what == "$state":
            return self._state()
        if what == "$description" and len(rest) == 1:
            return self._described()
        if what in ("$alert", "$log") and len(rest) == 2:
            if what == "$log" and (self.retained or not self.payload):
                return [Empty("nothing to report", self.payload, self.thing)]
            field = f"{what[1:]}_{snake(rest[1])}_text"
            return [Reading({field: text_of(self.text)}, thing=self.thing, standing=what == "$alert")]
        if what == "$stats" and len(rest) == 2 and rest[1] in STATS:
            return [self._statistic(rest[1])]
        return [Empty(f"{what[:60]}: no reading", self.payload, self.thing)]

    def _statistic(self, name: str) -> Event:
        found = number(self.text)
        if found is None:
            wrong: str | None = f"{name}: expected a number, got {self.text[:40]!r}"
        else:
            wrong = STATS[name].outside(found)
        fields: dict[str, Value] = {} if wrong or found is None else {STATS[name].name: found}
        return Reading(fields, thing=self.thing, field_errors=(wrong,) if wrong else ())

    def _state(self) -> list[Event]:
        """Its own state, and for a root what holds for its children now."""
        word = self.text.strip()
        if not word:
            self.network.devices.pop(self.name, None)
            return [Empty(DELETED, self.payload, self.thing)]
        if word not in STATES:
            return [
                SanityError(
                    f"$state: expected {', '.join(STATES[:-1])} or {STATES[-1]}, got {word[:40]!r}", self.payload
                )
            ]
        before, self.device.state = self.device.state, word
        if word == "ready" and not self.retained:
            self.device.ready = True
        names = [self.name]
        if "lost" in (before, word) and before != word:
            names += self.network.below(self.name)
        return [self._stands(name) for name in names if self.network.state(name)]

    def _stands(self, name: str) -> Reading:
        word = self.network.state(name)
        fields: dict[str, Value] = {"device_state": word, ONLINE.name: word not in _GONE}
        return Reading(fields, thing=self.prefix + name, standing=True)

    def _described(self) -> list[Event]:
        if not self.payload.strip():
            self.device.properties = None
            return [Empty(DELETED, self.payload, self.thing)]
        before = self.network.state(self.name)
        count = self.device.describe(json_object(self.payload))
        events: list[Event] = [Reading({"property_count": float(count)}, thing=self.thing, standing=True)]
        if self.network.state(self.name) != before:  # its root turns out to be lost
            events.append(self._stands(self.name))
        return events

    def due(self) -> list[Event]:
        """What has waited and can be read now."""
        return [
            self.reading(self.prefix + kept.device, kept.called, known, kept.payload, kept.received_ns)
            for kept, known in self.network.due(self.received_ns)
        ]

    def reading(self, thing: str, path: Path, known: Property, payload: bytes, time_ns: int | None) -> Event:
        values = Values()
        try:
            read(values, path[0], path[1], known, payload)
        except JsonRefused as error:
            return SanityError(f"{'/'.join(path)[:60]}: {error}", payload)
        return Reading(values.fields, time_ns, thing, field_errors=tuple(values.errors))


def _descriptions(base: list[str]) -> list[Ask]:
    """What is fetched: how devices describe themselves, and their states."""
    own = "/".join(base)
    five = own if base[-1] == VERSION else f"{own}/{VERSION}"
    filters = [f"{five}/+/$description", f"{five}/+/$state"]
    if base[-1] != VERSION:
        filters += [f"{own}/+/$state", *(f"{own}/+/+/+/{name}" for name in _ATTRIBUTES)]
    return [Fetch(each) for each in filters]


def decode(topic: str, payload: bytes, received_ns: int) -> list[Event]:
    """What one message says without any description."""
    told = Family(DEVICE.topic, alone=True).decode(topic, payload, received_ns)
    return [event for event in told if not isinstance(event, Fetch)]  # type: ignore[misc]  # it asks for nothing else


DEVICE = MessageDevice(
    name="homie",
    title="Homie devices",
    domain="park",
    source="homieiot.github.io, Homie convention 5.0.0 and 4.0.0",
    fields=FIELDS,
    expected_every_s=60.0,
    sequence=Count((Bits.of(HUMIDITY, 6),)),
    open_fields=True,
    topic="homie/#",
    says_on="homie/5/{thing}/station/station",
    decode=decode,
    encode=encode,
    family=Family,
    births=births,
    commands=COMMANDS,
)
