"""The devices below one base topic: how they describe themselves, who is whose child, and what waits for that.

    homie/5/<device>/$description        version 5: one JSON document
        {"homie": "5.0", "version": 7, "name": …, "root": …, "parent": …, "children": […],
         "nodes": {"engine": {"name": …, "properties": {"temperature": {"datatype": …, "format": …, "unit": …}}}}}
    homie/<device>/<node>/<property>/$datatype, $unit, $format       versions 3 and 4: a topic each

A description replaces the one before. Of versions 3 and 4 a device is described once it has said `$state ready` behind
its attributes, or SETTLE_S after the last of them (the broker sends kept ones in any order). A root device that is lost
takes its children with it: only it has a connection, and a last will.

A value whose device is not described is kept, MOST_KEPT of them and MOST_KEPT_BYTES at most. WAIT_S later it is read by
its looks, as are all of a device that has not described itself in that time; what has to make room is refused with its
bytes.

Limits: MOST_DEVICES devices, MOST_PROPERTIES properties of each.

Source: homieiot.github.io, Homie convention 5.0.0 and 4.0.0: "Devices", "Device Lifecycle".
"""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from devices.homie.properties import Property, property_of
from devices.spec.events import Event, SanityError

MOST_DEVICES = 2000
MOST_PROPERTIES = 512
MOST_KEPT = 1000
MOST_KEPT_BYTES = 4 << 20
WAIT_S = 60.0
SETTLE_S = 2.0

_WAIT_NS = round(WAIT_S * 1e9)
_SETTLE_NS = round(SETTLE_S * 1e9)

Path = tuple[str, str]
"""Node and property."""


class Kept(NamedTuple):
    """A value that came before its device was described: of the property `path`, `called` so in its fields."""

    device: str
    called: Path
    path: Path
    payload: bytes
    received_ns: int


class Device:
    """What one device has said of itself. `since_ns` is when it was first heard of."""

    __slots__ = ("attributes", "changed_ns", "properties", "ready", "root", "since_ns", "state")

    def __init__(self, since_ns: int) -> None:
        self.since_ns = since_ns
        self.state = ""
        self.root = ""
        self.properties: dict[Path, Property] | None = None  # version 5: the description
        self.attributes: dict[Path, dict[str, str]] = {}  # versions 3 and 4
        self.changed_ns: int | None = None  # the last attribute of those
        self.ready = False  # said behind the last attribute

    def describe(self, document: Mapping[str, Any]) -> int:
        """Take a `$description`; how many properties it has."""
        root = document.get("root")
        self.root = root if isinstance(root, str) else ""
        found: dict[Path, Property] = {}
        nodes = document.get("nodes")
        for node, about in nodes.items() if isinstance(nodes, dict) else ():
            properties = about.get("properties") if isinstance(about, dict) else None
            for name, each in properties.items() if isinstance(properties, dict) else ():
                if isinstance(each, dict) and len(found) < MOST_PROPERTIES:
                    found[node, name] = property_of(each.get("datatype"), each.get("unit"), each.get("format"))
        self.properties = found
        return len(found)

    def attribute(self, path: Path, name: str, value: str, received_ns: int) -> None:
        """Take an attribute of versions 3 and 4."""
        if path in self.attributes or len(self.attributes) < MOST_PROPERTIES:
            self.attributes.setdefault(path, {})[name] = value
        self.changed_ns = received_ns
        self.ready = False

    def known(self, path: Path, now_ns: int) -> Property | None:
        """What a property is; None where that is still to come."""
        if self.properties is not None:
            return self.properties.get(path, Property())
        if self.changed_ns is not None and (self.ready or now_ns - self.changed_ns > _SETTLE_NS):
            said = self.attributes.get(path)
            return property_of(said.get("$datatype"), said.get("$unit"), said.get("$format")) if said else Property()
        if now_ns - self.since_ns > _WAIT_NS:
            return Property()  # it has not said what it is, and will not
        return None


class Network:
    """The devices below one base topic."""

    __slots__ = ("_bytes", "_kept", "devices")

    def __init__(self) -> None:
        self.devices: dict[str, Device] = {}
        self._kept: deque[Kept] = deque()
        self._bytes = 0

    def device(self, name: str, received_ns: int) -> Device | None:
        """The device of that id; None where there are too many."""
        found = self.devices.get(name)
        if found is None and len(self.devices) < MOST_DEVICES:
            found = self.devices[name] = Device(received_ns)
        return found

    def state(self, name: str) -> str:
        """The state that holds for a device; empty where it has said none."""
        device = self.devices.get(name)
        if device is None:
            return ""
        root = self.devices.get(device.root)
        return "lost" if root is not None and root is not device and root.state == "lost" else device.state

    def below(self, name: str) -> Iterator[str]:
        """The devices that have that one as their root."""
        for other, device in self.devices.items():
            if device.root == name and other != name:
                yield other

    def keep(self, kept: Kept) -> list[Event]:
        """Keep a value; those that have to make room for it, as errors."""
        self._kept.append(kept)
        self._bytes += len(kept.payload)
        refused: list[Event] = []
        while len(self._kept) > MOST_KEPT or self._bytes > MOST_KEPT_BYTES:
            refused.append(self._refuse(self._kept.popleft(), "too many wait for descriptions"))
        return refused

    def due(self, now_ns: int) -> list[tuple[Kept, Property]]:
        """The kept values that can be read now, in the order in which they came."""
        if not self._kept:
            return []
        due: list[tuple[Kept, Property]] = []
        waiting: deque[Kept] = deque()
        for kept in self._kept:
            device = self.devices.get(kept.device)
            known = Property() if device is None else device.known(kept.path, now_ns)
            if known is None:
                waiting.append(kept)
            else:
                due.append((kept, known))
        self._kept = waiting
        self._bytes = sum(len(kept.payload) for kept in waiting)
        return due

    def flush(self) -> list[Event]:
        refused: list[Event] = [self._refuse(kept, "it has not described itself") for kept in self._kept]
        self._kept.clear()
        return refused

    def _refuse(self, kept: Kept, why: str) -> SanityError:
        self._bytes -= len(kept.payload)
        return SanityError(f"{'/'.join((kept.device, *kept.path))[:100]!r}: {why}", kept.payload)
