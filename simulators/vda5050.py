"""A VDA 5050 robot that drives its loop, charges at the dock and says whether it is connected.

State at its period (robots send one at least every 30 s; here at 1 to 2 Hz), connection retained:
ONLINE on every connection, OFFLINE before an orderly end, CONNECTIONBROKEN as its last will.
The version follows the topic: `uagv/v2/...` speaks 2.1.0, `vda5050/v3/...` 3.0.0.

The map's origin is the centre of the loop, x east and y north in metres. Now and then it waits
for somebody in its way: a WARNING `obstacleInPath`, not driving.

Source: VDA 5050 2.1.0 and 3.0.0, sections on state and connection.
"""

from devices.spec.events import Reading, Value
from simulators.peer import Epoch, Frame, Instrument
from simulators.signals import LOOP, NOWHERE, Route, Spot, wander

WAY = len(LOOP)


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
    """Adds the connection message to the states."""

    _connections = 0

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
