"""A node of a Meshtastic mesh with its own connection, as a gateway sees it.

Its names once, when it was switched on; at each of its periods what it measures of its surroundings, which is what is
audited; every OWN_S its battery and its place. Each of these others is passed on by a neighbour as well.

Limits: its names, battery and place stay as they are.
Source: meshtastic.org/docs/software/integrations/mqtt.
"""

from typing import Any
from zlib import crc32

from msgspec import json as msgjson

from devices.meshtastic import node_of
from devices.spec.events import Reading
from simulators.peer import Frame, Instrument, Series

OWN_S = 900.0
NEIGHBOUR = "!00c0ffee"


class Node(Instrument):
    """Adds what a node says of itself."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._turn: int | None = None

    def tick(self, now_s: float) -> list[Frame]:
        readings = super().tick(now_s)
        turn, before = int(now_s // OWN_S), self._turn
        if not readings or turn == before:
            return readings
        self._turn = turn
        said: list[tuple[str, dict[str, Any]]] = [
            ("telemetry", {"battery_level": 81, "voltage": 4.05, "channel_utilization": 3.4, "air_util_tx": 0.5}),
            ("position", {"latitude_i": 224270000, "longitude_i": 1142110000, "altitude": 6, "time": int(now_s)}),
        ]
        if before is None:
            node = node_of(self.thing or "node")
            said.insert(0, ("nodeinfo", {"id": node, "longname": "Park", "shortname": "PK", "hardware": 43, "role": 0}))
        return [frame for kind, payload in said for frame in self._passed_on(kind, payload, now_s)] + readings

    def _passed_on(self, kind: str, payload: dict[str, Any], now_s: float) -> list[Frame]:
        """A packet, by the node itself and by a neighbour."""
        node = node_of(self.thing or "node")
        packet = {"id": crc32(f"{node} {kind} {now_s}".encode()) & 0x7FFFFFFF, "from": int(node[1:], 16)}
        packet |= {"to": 0xFFFFFFFF, "channel": 0, "timestamp": int(now_s)}
        own = {**packet, "type": kind, "sender": node, "payload": payload}
        near = {**own, "sender": NEIGHBOUR, "rssi": -95, "snr": 6.5, "hops_away": 0}
        base = self.topic.rpartition("/")[0]
        return [
            Frame(msgjson.encode(own), topic=self.topic),
            Frame(msgjson.encode(near), topic=f"{base}/{NEIGHBOUR}"),
        ]

    def _frame(self, reading: Reading, series: Series, number: int) -> Frame:
        if reading.time_ns is not None:
            reading.time_ns -= reading.time_ns % 1_000_000_000  # it says whole seconds
        for name in (
            "latitude_deg",
            "longitude_deg",
            "altitude_m",
            "speed_km_h",
            "course_deg",
            "battery_pct",
            "battery_v",
        ):
            reading.fields.pop(name, None)  # which it says elsewhere
        return super()._frame(reading, series, number)
