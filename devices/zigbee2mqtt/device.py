"""Zigbee2MQTT: many devices behind one bridge, which says at run time what their values mean.

    zigbee2mqtt/bridge/devices              retained: names, exposes (units, ranges) of all devices
    zigbee2mqtt/bridge/groups               retained
    zigbee2mqtt/<friendly name>             {"temperature": 21.5, "linkquality": 120, ...}
    zigbee2mqtt/<friendly name>/<property>  one value, with `output: attribute`
    zigbee2mqtt/<friendly name>/availability, zigbee2mqtt/bridge/state
                                            online | offline, {"state": "online"}; retained, the last its will
    zigbee2mqtt/<friendly name>/set|get...  commands: no readings (commands.py)

| message | reading |
|---|---|
| state | the device's values (`fields`, `exposes`); time: `last_seen`, where it is there |
| availability, bridge/state | `available_flag`, standing: it holds now, and has no time of its own |
| bridge/devices, bridge/groups | `device_count`, `group_count`, standing |
| bridge/info, logging, event, response... and commands | nothing to report |

The thing is the friendly name (`bridge` for the bridge itself), which may have slashes; where the
subscription has wildcards before the name, what they stand for comes before it. The base topic is
what the subscription's filter begins with: `home/z2m/#` takes a bridge whose base is `home/z2m`.
`bridge/devices` and `bridge/groups` are fetched with every connection, whatever the filter takes, and
again when a name is not known; availability and `bridge/state` come only where the filter takes them.
What is known stays over a lost connection: the bridge's lists are retained, so they come again
before anything else.

A retained state is old. With `last_seen` it is stored under that time; without, not at all.
`last_seen` in all its formats: ISO 8601 (UTC or with an offset), milliseconds since 1970.

Without a list (`decode` of one message alone) only what is the same for every device has a unit.

Limits: those of `network` and `exposes`; 16 networks by subscription; lists of LONGEST_LIST bytes.

Unknown: what a device means by properties that it does not expose; they are kept without a unit.

Source: zigbee2mqtt.io, "MQTT topics and messages", "Exposes", "Device availability"; settings
`mqtt.base_topic`, `advanced.last_seen`, `advanced.output`.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import json as msgjson

from devices.spec.command import Argument
from devices.spec.device import MessageDevice
from devices.spec.events import DELETED, Ask, Empty, Event, Fetch, Reading, SanityError
from devices.spec.json_time import parse_ns
from devices.spec.sequence import Bits
from devices.spec.sequence import Sequence as Count
from devices.zigbee2mqtt.commands import SET
from devices.zigbee2mqtt.encode import encode
from devices.zigbee2mqtt.exposes import KNOWN, Properties, Reader
from devices.zigbee2mqtt.fields import AVAILABLE, FIELDS, LINKQUALITY
from devices.zigbee2mqtt.network import Kept, Network

MOST_NETWORKS = 16
LONGEST_LIST = 8 << 20

_BRIDGE = "bridge"
_MS_FROM = 100_000_000_000  # 1973 in milliseconds: a smaller number is seconds
_BOM = b"\xef\xbb\xbf"
_SKIPPED = frozenset(("last_seen", "device", "update"))
_UPDATE = {"state": "update_state_text", "progress": "update_progress_pct", "remaining": "update_remaining_s",
           "installed_version": "update_installed_version", "latest_version": "update_latest_version"}  # fmt: skip

Told = Event | Ask


class Family:
    """The state of one subscription: the networks below its base topic. `alone` reads without any list."""

    __slots__ = ("_alone", "_base", "_networks")

    def __init__(self, pattern: str, *, alone: bool = False) -> None:
        levels = pattern.split("/")
        while len(levels) > 1 and levels[-1] in ("#", "+"):
            levels.pop()
        self._base = levels
        self._alone = alone
        self._networks: dict[str, Network] = {}

    def connected(self, new_session: bool) -> list[Ask]:  # noqa: ARG002
        return [Fetch("/".join((*self._base, _BRIDGE, what))) for what in ("devices", "groups")]

    def decode(self, topic: str, payload: bytes, received_ns: int) -> Sequence[Told]:
        return self._message(topic, payload, received_ns, retained=False)

    def retained(self, topic: str, payload: bytes, received_ns: int) -> Sequence[Told]:
        return self._message(topic, payload, received_ns, retained=True)

    def arguments(self, command: str, thing: str) -> tuple[Argument, ...]:
        """What `thing` can be set to, by the list of its network; implements `devices.spec.command.Adaptive`."""
        wild = sum(level == "+" for level in self._base)
        name = thing.split("/", wild)[-1]
        found = (network.writable(name) for network in self._networks.values()) if command == SET.name else ()
        return next((each for each in found if each), ())

    def flush(self) -> list[Event]:
        return [event for network in self._networks.values() for event in network.flush()]

    def _message(self, topic: str, payload: bytes, received_ns: int, retained: bool) -> Sequence[Told]:
        levels = topic.split("/")
        count = len(self._base)
        base, path = "/".join(levels[:count]), "/".join(levels[count:])
        wild = [level for level, own in zip(levels, self._base, strict=False) if own == "+"]
        prefix = "".join(f"{level}/" for level in wild)
        network = self._networks.get(base)
        if network is None:
            if len(self._networks) >= MOST_NETWORKS:
                return [SanityError(f"more than {MOST_NETWORKS} networks below one subscription", payload)]
            network = self._networks[base] = Network()
        try:
            if path == _BRIDGE or path.startswith(_BRIDGE + "/"):
                return self._bridge(network, path.removeprefix(_BRIDGE).strip("/"), prefix, payload, received_ns)
            return self._thing(network, base, path, prefix, payload, received_ns, retained)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return [SanityError(f"{path[:60]}: {error}", payload)]
        except RecursionError:
            return [SanityError("JSON: nested too deeply", payload)]

    def _bridge(self, network: Network, what: str, prefix: str, payload: bytes, received_ns: int) -> Sequence[Told]:
        thing = prefix + _BRIDGE
        if what == "state":
            return [_availability(thing, payload)]
        if not payload.strip():
            return [Empty(DELETED, payload, thing)]
        if what == "devices":
            found = Reading({"device_count": float(network.list_devices(_plain(payload)))}, thing=thing, standing=True)
        elif what == "groups":
            found = Reading({"group_count": float(network.list_groups(_plain(payload)))}, thing=thing, standing=True)
        else:
            return [Empty(f"the bridge's {what[:60] or 'own topic'}: no reading", payload, thing)]
        events: list[Told] = [found]
        for kept in network.due():
            known, owner = network.known(kept.name), network.owner(kept.name)
            try:
                if known is not None:
                    events.append(_state(prefix + kept.name, kept.payload, known, kept.received_ns))
                elif owner is not None:
                    events.append(
                        _attribute(prefix, owner, kept.payload, network.known(owner[0]) or KNOWN, kept.received_ns)
                    )
            except (msgspec.DecodeError, UnicodeDecodeError) as error:  # the others that waited are read all the same
                events.append(SanityError(f"{kept.name[:60]}: {error}", kept.payload))
        return events + network.expired(received_ns)

    def _thing(
        self, network: Network, base: str, path: str, prefix: str, payload: bytes, received_ns: int, retained: bool
    ) -> Sequence[Told]:
        known = network.known(path)
        if known is None:
            name, _, last = path.rpartition("/")
            if last == "availability" and name:
                return [_availability(prefix + name, payload)]
            command = _commanded(path)
            if command:
                return [Empty("a command, no reading", payload, prefix + command)]
            owner = network.owner(path)
            if owner is not None:
                if retained:
                    return [Reading({}, thing=prefix + owner[0])]
                return [_attribute(prefix, owner, payload, network.known(owner[0]) or KNOWN, None)]
        if not payload.strip():
            return [Empty(DELETED, payload, prefix + path)]
        if known is None and self._alone:
            known = KNOWN
        if known is not None:
            return [_state(prefix + path, payload, known, None, retained=retained)]
        state = _object(payload) if _plain(payload)[:1] in (b"{", b"[") else {}
        if retained and _time_ns(state.get("last_seen")) is None:
            return [Reading({}, thing=prefix + path)]  # old, and of unknown age: not to be stored
        asks: list[Told] = [Fetch(f"{base}/{_BRIDGE}/{what}") for what in ("devices", "groups")]
        why = f"waits for {base[:100]}/{_BRIDGE}/devices to say what it is"
        waits = Empty(why, payload, prefix + path, network.overdue(received_ns))
        return [waits, *asks, *network.keep(Kept(path, payload, received_ns))]


def _commanded(path: str) -> str | None:
    """The device of a command topic: NAME/set, NAME/get, with an endpoint or attribute before or behind."""
    levels = path.split("/")
    for at in range(1, len(levels)):
        if levels[at] in ("set", "get"):
            return "/".join(levels[:at])
    return None


def _plain(payload: bytes) -> bytes:
    return payload.removeprefix(_BOM)


def _object(payload: bytes) -> dict[str, Any]:
    found = msgjson.decode(_plain(payload))
    if not isinstance(found, dict):
        raise msgspec.ValidationError(f"expected an object of values, got {type(found).__name__}")
    return found


def _state(
    thing: str, payload: bytes, known: Properties, received_ns: int | None, *, retained: bool = False
) -> Reading:
    """The reading of a state; one that was kept has the time of its receipt where it has none of its own."""
    state = _object(payload)
    reader = Reader()
    said = state.get("last_seen")
    time_ns = _time_ns(said)
    if said is not None and time_ns is None:
        reader.errors.append(f"last_seen: expected a date and time or milliseconds, got {str(said)[:40]!r}")
    if time_ns is None and retained:
        return Reading({}, thing=thing)
    reader.read({key: value for key, value in state.items() if key not in _SKIPPED}, known)
    update = state.get("update")
    if isinstance(update, dict):
        for key, name in _UPDATE.items():
            value = update.get(key)
            if isinstance(value, str) == (key == "state") and isinstance(value, str | int | float):
                reader.fields[name] = value if isinstance(value, str) else float(value)
    if time_ns is None:
        time_ns = received_ns
    return Reading(reader.fields, time_ns, thing, field_errors=tuple(reader.errors))


def _attribute(
    prefix: str, owner: tuple[str, str], payload: bytes, known: Properties, received_ns: int | None
) -> Reading:
    """One value of a device, on a topic of its own: text, or JSON."""
    name, rest = owner
    try:
        value: Any = msgjson.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError):
        value = payload.decode("utf-8", "replace")
    reader = Reader()
    if rest != "last_seen":
        reader.read({rest.replace("/", "_"): value}, known)
    return Reading(reader.fields, received_ns, prefix + name, field_errors=tuple(reader.errors))


def _availability(thing: str, payload: bytes) -> Event:
    """online or offline, plain or as {"state": ...}: it holds now."""
    word = _plain(payload).strip().strip(b'"')
    if word.startswith(b"{"):
        state = _object(payload).get("state")
        word = state.encode("utf-8", "replace") if isinstance(state, str) else b""
    if word in (b"online", b"offline"):
        return Reading({AVAILABLE.name: word == b"online"}, thing=thing, standing=True)
    if not payload.strip():
        return Empty(DELETED, payload, thing)
    return SanityError("availability: expected online or offline", payload)


def _time_ns(said: object) -> int | None:
    """`last_seen`: ISO 8601, or milliseconds (seconds where the number is small); None where it is none."""
    if isinstance(said, str):
        if said.isascii() and said.isdigit() and len(said) < 16:
            said = int(said)
        else:
            try:
                return parse_ns(said)
            except ValueError:
                return None
    if isinstance(said, bool) or not isinstance(said, int | float) or not 0 < said < 1e16:
        return None
    return round(said * 1_000_000) if said >= _MS_FROM else round(said * 1_000_000_000)


def decode(topic: str, payload: bytes, received_ns: int) -> list[Event]:
    """What one message says without any list."""
    events = Family(DEVICE.topic, alone=True).decode(topic, payload, received_ns)
    return [event for event in events if not isinstance(event, Fetch)]  # type: ignore[misc]  # it asks for nothing else


DEVICE = MessageDevice(
    name="zigbee2mqtt",
    title="Zigbee devices behind Zigbee2MQTT",
    domain="park",
    source="zigbee2mqtt.io: MQTT topics and messages, Exposes, Device availability",
    fields=FIELDS,
    expected_every_s=3600.0,
    sequence=Count((Bits.of(LINKQUALITY, 6),)),
    open_fields=True,
    topic="zigbee2mqtt/#",
    decode=decode,
    encode=encode,
    family=Family,
    longest_payload=LONGEST_LIST,
    commands=(SET,),
)
