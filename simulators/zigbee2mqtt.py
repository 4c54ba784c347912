"""A Zigbee2MQTT bridge with its devices, as a gateway sees them.

Each simulated thing is one Zigbee device; those below one base topic are one network. All that
Zigbee2MQTT keeps at the broker is there: `bridge/devices` (on every connection, retained: names, units
and properties of the whole network), `bridge/state` (online; offline as the last will) and
`<name>/availability`. States are not retained, as with the bridge's default.

The friendly name is the thing's name where the topic ends in it, else the topic's last level.
Each of them has a lamp (`SETTABLE`): what is set (`<name>/set`) is in the states from then on, the first at once.

Limits: none of the bridge's requests is answered; every device shows the same connection.
Source: zigbee2mqtt.io, "MQTT topics and messages".
"""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import json

from devices.spec.command import MessageCommand, To
from devices.spec.events import Reading, Value
from devices.zigbee2mqtt import exposes, listed
from simulators.peer import Frame, Instrument

SETTABLE: list[dict[str, object]] = [
    {"type": "light", "features": [
        {"type": "binary", "name": "state", "property": "state", "label": "State", "access": 7,
         "value_on": "ON", "value_off": "OFF", "value_toggle": "TOGGLE"},
        {"type": "numeric", "name": "brightness", "property": "brightness", "label": "Brightness", "access": 7,
         "value_min": 0, "value_max": 254},
    ]},
    {"type": "enum", "name": "effect", "property": "effect", "label": "Effect", "access": 2,
     "values": ["blink", "okay"]},
]  # fmt: skip
"""What each of them can be set to, beside what it measures."""

_ONLINE = b'{"state":"online"}'
_OFFLINE = b'{"state":"offline"}'


class Bridged(Instrument):
    """One Zigbee device, and its share of the bridge."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        end = f"/{self.thing}"
        self.base = self.topic.removesuffix(end) if self.topic.endswith(end) else self.topic.rpartition("/")[0]
        self.name = self.topic.removeprefix(self.base + "/")
        (first,) = self._epoch(0.0)
        self.exposes = [*exposes(first.fields), *SETTABLE]
        self.network: tuple[Bridged, ...] = (self,)
        self._announced = False
        self.told: dict[str, Any] = {}

    def do(self, command: MessageCommand, arguments: Mapping[str, Value], to: To) -> list[Frame]:
        """What was set; the state that says so comes with the next reading, at once."""
        before = self.told.get("state")
        for said in command.answer(arguments, to):
            self.told |= json.decode(said.payload)
        if self.told.get("state") == "TOGGLE":
            self.told["state"] = "OFF" if before == "ON" else "ON"
        self.ask()
        return []

    def tick(self, now_s: float) -> list[Frame]:
        frames = super().tick(now_s)
        if self._announced:
            return frames
        self._announced = True
        return [
            Frame(_ONLINE, topic=f"{self.base}/bridge/state", retain=True),
            Frame(_ONLINE, topic=f"{self.topic}/availability", retain=True),
            *frames,
        ]

    def presence(self, word: str, now_s: float) -> Frame | None:  # noqa: ARG002
        """On a connection the list of the network; at its end the bridge's last word."""
        if word != "ONLINE":
            return Frame(_OFFLINE, topic=f"{self.base}/bridge/state", retain=True)
        self._announced = False
        rows = [(each.name, each.exposes) for each in self.network]
        return Frame(listed(rows), topic=f"{self.base}/bridge/devices", retain=True)

    def _frame(self, reading: Reading, series: Any, number: int) -> Frame:
        reading.time_ns = None  # `last_seen` is off by default
        frame = super()._frame(reading, series, number)
        return frame._replace(data=json.encode(json.decode(frame.data) | self.told)) if self.told else frame


def join(peers: Iterable[Instrument]) -> None:
    """Those below one base topic are one network: each of them lists them all."""
    networks: dict[str, list[Bridged]] = {}
    for each in peers:
        if isinstance(each, Bridged):
            networks.setdefault(each.base, []).append(each)
    for network in networks.values():
        for each in network:
            each.network = tuple(network)
