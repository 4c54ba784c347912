"""A VDA 5050 robot that drives its loop, charges at the dock and says whether it is connected.

State at its period (robots send one at least every 30 s; here at 1 to 2 Hz), connection retained:
ONLINE on every connection, OFFLINE before an orderly end, CONNECTIONBROKEN as its last will.
The version follows the topic: `uagv/v2/...` speaks 2.1.0, `vda5050/v3/...` 3.0.0.

The map's origin is the centre of the loop, x east and y north in metres. Now and then it waits
for somebody in its way: a WARNING `obstacleInPath`, not driving.

Source: VDA 5050 2.1.0 and 3.0.0, sections on state, connection, actions and factsheet.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import json

from devices.spec.command import MessageCommand, To
from devices.spec.events import Reading, Value
from devices.vda5050 import beside, states, version_of
from simulators.peer import Epoch, Frame, Instrument, Series
from simulators.signals import LOOP, NOWHERE, Route, Spot, wander

WAY = len(LOOP)
SHEET: Mapping[str, Value] = {
    "series_name": "parkgate", "robot_class": "CARRIER", "robot_kinematics": "DIFFERENTIAL", "load_max_kg": 60.0,
    "localization_types": "NATURAL", "navigation_types": "VIRTUAL_LINE_GUIDED", "speed_min_m_s": 0.05,
    "speed_max_m_s": 1.5, "acceleration_max_m_s2": 0.6, "deceleration_max_m_s2": 1.2, "height_min_m": 0.4,
    "height_max_m": 0.4, "width_m": 0.55, "length_m": 0.8, "state_interval_s": 0.5, "known_action_count": 6,
}  # fmt: skip
"""What its factsheet says."""
HEADER = frozenset(("headerId", "timestamp", "version", "manufacturer", "serialNumber"))


def epoch(seed: int, topic: str, spot: Spot = NOWHERE) -> Epoch:
    """The state of one robot: `topic` decides the version; the zone of `spot` is what its map is described as."""
    route = Route(seed)
    version = "3.0.0" if "/v3/" in topic else "2.1.0"
    manufacturer = topic.split("/")[-3] if topic.count("/") >= 3 else "parkgate"

    def at(moment: float) -> list[Reading]:
        pose, before = route.at(moment), route.at(moment - 0.5)
        blocked = pose.blocked
        turned = (pose.theta - before.theta + 3.141592653589793) % 6.283185307179586 - 3.141592653589793
        fields: dict[str, Value] = {
            "header_id": 0,
            "version": version,
            "manufacturer": manufacturer,
            "battery_pct": round(pose.battery, 1),
            "battery_v": round(22.0 + 4.2 * pose.battery / 100.0, 2),
            "charging": pose.charging,
            "driving": pose.speed > 0.0,
            "paused": False,
            "operating_mode": "AUTOMATIC",
            "x_m": round(pose.east, 3),
            "y_m": round(pose.north, 3),
            "theta_rad": round(pose.theta, 4),
            "map_id": "park",
            "position_initialized": True,
            "localization_score": round(0.93 + 0.05 * wander(seed + 82, moment, 20.0), 2),
            "vx_m_s": round(pose.speed, 3),
            "vy_m_s": 0.0,
            "omega_rad_s": 0.0 if blocked or pose.leg == before.leg else round(turned / 0.5, 3),
            "order_id": "" if pose.charging else f"round-{pose.cycle}",
            "order_update_id": 0,
            "last_node_id": "dock" if pose.leg == 0 else f"corner-{pose.leg}",
            "last_node_sequence_id": 2 * pose.leg,
            "node_count": 0 if pose.charging else WAY - pose.leg,
            "edge_count": 0 if pose.charging else WAY - pose.leg,
            "error_count": int(blocked),
            "fatal_count": 0,
            "error_level": "WARNING" if blocked else "NONE",
            "e_stop": "NONE",
            "field_violation": blocked,
        }
        if spot.zone:
            fields["map_description"] = spot.zone
        if blocked:
            fields["error_type"] = "obstacleInPath"
        return [Reading(fields, round(moment * 1e3) * 1_000_000)]

    return at


class Robot(Instrument):
    """Adds the connection message to the states, and obeys instant actions: FINISHED with the next state, at once.

    A pause holds it where it is; an order that is cancelled is not said any more; its factsheet is SHEET.
    """

    _connections = 0

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._drives = self._epoch
        self._epoch = self._as_told
        self._paused_s: float | None = None
        self._held_s = 0.0
        self._cancelled = ""
        self._done: dict[str, object] = {}

    def do(self, command: MessageCommand, arguments: Mapping[str, Value], to: To) -> list[Frame]:
        """Do it; the state that says so comes at once, and so does a factsheet."""
        now_s, version = to.now_ns / 1e9, version_of(to.topic)
        why = ""
        match command.name:
            case "start-pause":
                self._paused_s = now_s if self._paused_s is None else self._paused_s
            case "stop-pause":
                self._held_s += now_s - (now_s if self._paused_s is None else self._paused_s)
                self._paused_s = None
            case "cancel-order":
                order = str(self._as_told(now_s)[0].fields["order_id"])
                self._cancelled, why = (order, "") if order else (self._cancelled, "noOrderToCancel")
        self._done = states(to.ident, "FAILED" if why else "FINISHED", why, version)
        self.ask()
        if command.name != "factsheet-request":
            return []
        (state,) = command.answer(arguments, to)
        header = {key: value for key, value in json.decode(state.payload).items() if key in HEADER}
        sheet = Reading({"factsheet_header_id": 0, "version": version, **SHEET}, to.now_ns, self.thing)
        return [Frame(json.encode(json.decode(self.device.encode(sheet)) | header), topic=beside(to, "factsheet"))]

    def _as_told(self, moment: float) -> list[Reading]:
        held = moment if self._paused_s is None else min(moment, self._paused_s)
        (reading,) = self._drives(held - self._held_s)
        reading.time_ns = round(moment * 1e3) * 1_000_000
        if self._paused_s is not None:
            reading.fields |= {"paused": True, "driving": False, "vx_m_s": 0.0, "omega_rad_s": 0.0}
        if self._cancelled and reading.fields["order_id"] == self._cancelled:
            reading.fields |= {"order_id": "", "node_count": 0, "edge_count": 0}
        return [reading]

    def _frame(self, reading: Reading, series: Series, number: int) -> Frame:
        frame = super()._frame(reading, series, number)
        return frame._replace(data=json.encode(json.decode(frame.data) | self._done)) if self._done else frame

    def presence(self, word: str, now_s: float) -> Frame | None:
        """The retained connection message: ONLINE, OFFLINE or CONNECTION_BROKEN."""
        reading = Reading(
            {
                "connection_state": word,
                "connection_header_id": self._connections,
                "version": "3.0.0" if "/v3/" in self.topic else "2.1.0",
            },
            round(now_s * 1e3) * 1_000_000,
            self.thing,
        )
        self._connections += 1
        return Frame(self.device.encode(reading), topic=self.topic.rpartition("/")[0] + "/connection", retain=True)
