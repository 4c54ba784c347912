"""What is known of one Zigbee2MQTT network, and what waits until it is.

    bridge/devices   [{"ieee_address", "type", "friendly_name", "definition": {"exposes": [...]}}, ...]
    bridge/groups    [{"id", "friendly_name", "members": [{"ieee_address", "endpoint"}, ...]}, ...]

Each list replaces what was known before: a device that was renamed is known under its new name
only. A group has the properties of its members. A device without a definition (an interview that is
not over, an unsupported one) is read with what is known without any list.

A state whose name is not known yet is kept, MOST_KEPT of them and MOST_KEPT_BYTES at most, and read
when its name is: after the first list at once, later (a new device, a renamed one) with the next one.
What is still unknown WAIT_S later, or has to make room, is refused with its bytes.

Limits: MOST_DEVICES devices and groups; one that is not as it should be is passed over alone.
"""

from collections import deque
from typing import NamedTuple

import msgspec
from msgspec import json as msgjson

from devices.spec.command import Argument
from devices.spec.events import Event, SanityError
from devices.zigbee2mqtt.commands import writable
from devices.zigbee2mqtt.exposes import KNOWN, Properties, Property, properties

MOST_DEVICES = 5000
MOST_KEPT = 1000
MOST_KEPT_BYTES = 4 << 20
WAIT_S = 60.0

_WAIT_NS = round(WAIT_S * 1e9)
_NOTHING: Properties = {}


class _Definition(msgspec.Struct):
    exposes: msgspec.Raw = msgspec.Raw(b"null")


class _Device(msgspec.Struct):
    friendly_name: str
    ieee_address: str = ""
    type: object = None
    definition: _Definition | None = None


class _Member(msgspec.Struct):
    ieee_address: str = ""


class _Group(msgspec.Struct):
    friendly_name: str
    members: list[_Member] = []


_items = msgjson.Decoder(list[msgspec.Raw])
_any = msgjson.Decoder()
_device = msgjson.Decoder(_Device)
_group = msgjson.Decoder(_Group)


class Kept(NamedTuple):
    """A state that came before its device was known."""

    name: str
    payload: bytes
    received_ns: int


class Network:
    """One network. `devices` and `groups` are None until their list has come."""

    __slots__ = ("_by_address", "_bytes", "_exposes", "_kept", "devices", "groups")

    def __init__(self) -> None:
        self.devices: dict[str, Properties] | None = None
        self.groups: dict[str, tuple[str, ...]] | None = None
        self._by_address: dict[str, Properties] = {}
        self._exposes: dict[str, msgspec.Raw] = {}  # as they stand in the list, for what can be set
        self._kept: deque[Kept] = deque()
        self._bytes = 0

    def known(self, name: str) -> Properties | None:
        """The properties of a device or group; None where there is none of that name."""
        if self.devices is not None:
            found = self.devices.get(name)
            if found is not None:
                return found
        members = self.groups.get(name) if self.groups is not None else None
        return None if members is None else self._of_group(members)

    def owner(self, path: str) -> tuple[str, str] | None:
        """The longest device or group name that `path` begins with, and what comes behind it."""
        levels = path.split("/")
        for count in range(len(levels) - 1, 0, -1):
            name = "/".join(levels[:count])
            if (self.devices is not None and name in self.devices) or (self.groups is not None and name in self.groups):
                return name, "/".join(levels[count:])
        return None

    def writable(self, name: str) -> tuple[Argument, ...]:
        """What a device can be told; a group what its members can."""
        exposes = self._exposes.get(name)
        return () if exposes is None else writable(_any.decode(exposes))

    def list_devices(self, payload: bytes) -> int:
        """Take `bridge/devices`; how many there are. Raises msgspec errors where it is no list."""
        devices: dict[str, Properties] = {}
        addresses: dict[str, Properties] = {}
        exposed: dict[str, msgspec.Raw] = {}
        for raw in _items.decode(payload)[:MOST_DEVICES]:
            try:
                device = _device.decode(raw)
            except (msgspec.ValidationError, RecursionError):
                continue
            if device.type == "Coordinator":
                continue
            definition = device.definition
            exposes = msgspec.Raw(b"null") if definition is None else definition.exposes
            found = properties(_any.decode(exposes)) or _NOTHING
            exposed[device.friendly_name] = exposes
            devices[device.friendly_name] = addresses[device.ieee_address] = found or KNOWN
        self.devices, self._by_address, self._exposes = devices, addresses, exposed
        return len(devices)

    def list_groups(self, payload: bytes) -> int:
        """Take `bridge/groups`; how many there are. Raises msgspec errors where it is no list."""
        groups = {}
        for raw in _items.decode(payload)[:MOST_DEVICES]:
            try:
                group = _group.decode(raw)
            except (msgspec.ValidationError, RecursionError):
                continue
            groups[group.friendly_name] = tuple(member.ieee_address for member in group.members)
        self.groups = groups
        return len(groups)

    def keep(self, kept: Kept) -> list[Event]:
        """Keep a state; those that have to make room for it, as errors."""
        self._kept.append(kept)
        self._bytes += len(kept.payload)
        refused: list[Event] = []
        while len(self._kept) > MOST_KEPT or self._bytes > MOST_KEPT_BYTES:
            refused.append(self._refuse(self._kept.popleft(), "too many wait for bridge/devices"))
        return refused + self.expired(kept.received_ns)

    def overdue(self, now_ns: int) -> bool:
        """Whether something has waited for long, and no list has ever come."""
        return self.devices is None and bool(self._kept) and now_ns - self._kept[0].received_ns > _WAIT_NS

    def due(self) -> list[Kept]:
        """The kept states whose devices are known now, in the order in which they came."""
        due: list[Kept] = []
        waiting: deque[Kept] = deque()
        for kept in self._kept:
            known = self.known(kept.name) is not None or self.owner(kept.name) is not None
            (due if known else waiting).append(kept)
        self._kept = waiting
        self._bytes = sum(len(kept.payload) for kept in waiting)
        return due

    def expired(self, now_ns: int) -> list[Event]:
        """What has waited too long although there is a list, as errors."""
        refused: list[Event] = []
        while self.devices is not None and self._kept and now_ns - self._kept[0].received_ns > _WAIT_NS:
            refused.append(self._refuse(self._kept.popleft(), "neither bridge/devices nor bridge/groups has that name"))
        return refused

    def flush(self) -> list[Event]:
        refused: list[Event] = [self._refuse(kept, "bridge/devices has not said what it is") for kept in self._kept]
        self._kept.clear()
        return refused

    def _refuse(self, kept: Kept, why: str) -> SanityError:
        self._bytes -= len(kept.payload)
        return SanityError(f"a state of {kept.name[:100]!r}: {why}", kept.payload)

    def _of_group(self, members: tuple[str, ...]) -> Properties:
        """The properties of a group's members; of two that differ, the first one's."""
        merged: dict[str, Property] = {}
        for address in members:
            for name, prop in self._by_address.get(address, _NOTHING).items():
                merged.setdefault(name, prop)
        return merged or KNOWN
