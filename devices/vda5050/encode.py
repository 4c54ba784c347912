"""What a VDA 5050 robot can say in one record, and the messages that say it.

A reading becomes a state; with `connection_state` and no battery a connection message; with
`visualization_header_id` a visualization, with `factsheet_header_id` a factsheet. `version` decides between the
names of 2.1 and 3.0. What a state must have and the reading has not (but the charge), is said as of an idle robot
without faults.

Source: VDA 5050 2.1.0 and 3.0.0; ranges are those of the specification, else of the usual robots.
"""

from collections.abc import Iterable
from math import isfinite, pi

from msgspec import json as msgjson

from devices.spec.errors import EncodeError
from devices.spec.events import Reading, Value
from devices.spec.field import Field, Threshold
from devices.spec.json_time import format_ns
from devices.vda5050 import factsheet

MODES = ("AUTOMATIC", "SEMIAUTOMATIC", "MANUAL", "SERVICE", "TEACH_IN", "STARTUP", "INTERVENED")
STOPS = ("NONE", "AUTOACK", "MANUAL", "REMOTE")
LEVELS = ("NONE", "WARNING", "URGENT", "CRITICAL", "FATAL")
CONNECTIONS = ("ONLINE", "OFFLINE", "CONNECTION_BROKEN", "HIBERNATING")

FIELDS = (
    Field("header_id", "1", "Count of the states this robot has sent", kind="counter",
          minimum=0, maximum=(1 << 32) - 1, step=1, panel=False),
    Field("battery_pct", "%", "Battery charge; where a robot only knows good and bad, 80 and 20",
          minimum=0.0, maximum=100.0, step=0.1,
          thresholds=(Threshold(0.0, "bad"), Threshold(20.0, "poor"), Threshold(40.0, "good"))),
    Field("charging", "1", "The battery is being charged", kind="flag"),
    Field("driving", "1", "The robot drives or turns", kind="flag"),
    Field("operating_mode", "1", "Who drives the robot", kind="state", states=MODES),
    Field("x_m", "m", "Position on the map, x", minimum=-10_000.0, maximum=10_000.0, step=0.001, optional=True),
    Field("y_m", "m", "Position on the map, y", minimum=-10_000.0, maximum=10_000.0, step=0.001, optional=True),
    Field("theta_rad", "rad", "Orientation on the map, counterclockwise from x",
          minimum=-round(pi, 4), maximum=round(pi, 4), step=0.0001, optional=True),
    Field("map_id", "1", "Map that the position is on", kind="text", optional=True, panel=False),
    Field("map_description", "1", "What the map is", kind="text", optional=True, panel=False),
    Field("position_initialized", "1", "The robot knows where it is", kind="flag", optional=True),
    Field("localization_score", "1", "How sure the robot is of its position, 0 to 1",
          minimum=0.0, maximum=1.0, step=0.01, optional=True),
    Field("deviation_range_m", "m", "How far off the position may be",
          minimum=0.0, maximum=100.0, step=0.001, optional=True),
    Field("vx_m_s", "m/s", "Velocity forwards", minimum=-10.0, maximum=10.0, step=0.001, optional=True),
    Field("vy_m_s", "m/s", "Velocity to the left", minimum=-10.0, maximum=10.0, step=0.001, optional=True),
    Field("omega_rad_s", "rad/s", "Turning speed, counterclockwise",
          minimum=-10.0, maximum=10.0, step=0.001, optional=True),
    Field("battery_v", "V", "Battery voltage", minimum=0.0, maximum=1000.0, step=0.01, optional=True),
    Field("battery_a", "A", "Battery current (3.0)", minimum=-1000.0, maximum=1000.0, step=0.01, optional=True),
    Field("battery_health_pct", "%", "Health of the battery", minimum=0.0, maximum=100.0, step=1.0, optional=True),
    Field("range_m", "m", "How far the charge reaches", minimum=0.0, maximum=1e6, step=1.0, optional=True),
    Field("paused", "1", "The robot is paused by a button or an action", kind="flag", optional=True),
    Field("new_base_request", "1", "The robot is near the end of its released path", kind="flag", optional=True),
    Field("error_count", "1", "Errors that are active", kind="counter",
          minimum=0, maximum=1000, step=1, optional=True),
    Field("fatal_count", "1", "Errors of level FATAL", kind="counter", minimum=0, maximum=1000, step=1, optional=True),
    Field("error_level", "1", "Level of the worst error", kind="state", states=LEVELS, optional=True),
    Field("error_type", "1", "First error of the worst level", kind="text", optional=True),
    Field("e_stop", "1", "How the emergency stop is to be acknowledged, NONE where it is not active",
          kind="state", states=STOPS, optional=True),
    Field("field_violation", "1", "Something is in the protective field", kind="flag", optional=True),
    Field("order_id", "1", "Order being driven", kind="text", optional=True, panel=False),
    Field("order_update_id", "1", "Update of that order", kind="counter",
          minimum=0, maximum=(1 << 32) - 1, step=1, optional=True, panel=False),
    Field("last_node_id", "1", "Node last reached", kind="text", optional=True),
    Field("last_node_sequence_id", "1", "Place of that node in the order", kind="counter",
          minimum=0, maximum=(1 << 32) - 1, step=1, optional=True, panel=False),
    Field("node_count", "1", "Nodes still to be reached", kind="counter",
          minimum=0, maximum=10_000, step=1, optional=True),
    Field("edge_count", "1", "Edges still to be driven", kind="counter",
          minimum=0, maximum=10_000, step=1, optional=True, panel=False),
    Field("action_count", "1", "Actions of the order, done and to be done", kind="counter",
          minimum=0, maximum=10_000, step=1, optional=True, panel=False),
    Field("action_failed_count", "1", "Actions of the order that failed", kind="counter",
          minimum=0, maximum=10_000, step=1, optional=True, panel=False),
    Field("load_count", "1", "Loads on the robot", kind="counter", minimum=0, maximum=1000, step=1, optional=True),
    Field("distance_since_last_node_m", "m", "Driven since the last node",
          minimum=0.0, maximum=100_000.0, step=0.01, optional=True, panel=False),
    Field("zone_set_id", "1", "Zone set in use", kind="text", optional=True, panel=False),
    Field("connection_state", "1", "Connection of the robot to the broker", kind="state",
          states=CONNECTIONS, optional=True),
    Field("version", "1", "Version of VDA 5050 that the robot speaks", kind="text", optional=True, panel=False),
    Field("manufacturer", "1", "Manufacturer of the robot", kind="text", optional=True, panel=False),
    Field("serial_number", "1", "Serial number of the robot", kind="text", optional=True, panel=False),
    *factsheet.FIELDS,
)  # fmt: skip

_VERSION = "2.1.0"
_MANUFACTURER = "parkgate"
_OLD_WORDS = {"TEACH_IN": "TEACHIN", "CONNECTION_BROKEN": "CONNECTIONBROKEN"}
_MOST = 10_000


def encode(reading: Reading) -> bytes:
    """The message of one reading (see above), times to at least the millisecond.

    EncodeError: no time, no identity, a state without charge, a number that is not finite, counts of errors that
    contradict each other, a position without all of x, y and theta.
    """
    fields = reading.fields
    for name, value in fields.items():
        if isinstance(value, float) and not isfinite(value):
            raise EncodeError(f"vda5050: {name} is {value}, expected a finite number")
    version = str(fields.get("version", _VERSION))
    modern = version.startswith("3")
    if "visualization_header_id" in fields:
        message = _header(reading, version, "visualization_header_id")
        message |= _motion(fields, modern)
    elif "factsheet_header_id" in fields:
        message = _header(reading, version, "factsheet_header_id") | factsheet.said(fields, modern)
    elif "connection_state" in fields and "battery_pct" not in fields:
        message = _header(reading, version, "connection_header_id")
        message["connectionState"] = _word(fields["connection_state"], modern)
    else:
        message = _header(reading, version, "header_id") | _state(fields, modern)
    return msgjson.encode(message)


def _header(reading: Reading, version: str, count: str) -> dict[str, object]:
    serial_number = reading.fields.get("serial_number", reading.thing)
    if serial_number is None:
        raise EncodeError("vda5050: expected a thing or serial_number")
    time_ns = reading.time_ns
    if time_ns is None:
        if reading.fields.get("connection_state") != "CONNECTION_BROKEN":
            raise EncodeError("vda5050: expected a time")
        time_ns = 0  # a last will has one, which says nothing
    return {
        "headerId": reading.fields.get(count, 0),
        "timestamp": format_ns(time_ns, 3),
        "version": version,
        "manufacturer": reading.fields.get("manufacturer", _MANUFACTURER),
        "serialNumber": serial_number,
    }


def _word(word: Value, modern: bool) -> str:
    return str(word) if modern else _OLD_WORDS.get(str(word), str(word))


def _pick(fields: dict[str, Value], names: Iterable[tuple[str, str]]) -> dict[str, object]:
    return {label: fields[name] for label, name in names if name in fields}


def _motion(fields: dict[str, Value], modern: bool) -> dict[str, object]:
    """Position and velocity."""
    out: dict[str, object] = {}
    place = [name in fields for name in ("x_m", "y_m", "theta_rad")]
    if all(place):
        position = _pick(fields, (("x", "x_m"), ("y", "y_m"), ("theta", "theta_rad")))
        position["mapId"] = fields.get("map_id", "")
        position["localized" if modern else "positionInitialized"] = fields.get("position_initialized", True)
        position |= _pick(
            fields,
            (
                ("mapDescription", "map_description"),
                ("localizationScore", "localization_score"),
                ("deviationRange", "deviation_range_m"),
            ),
        )
        out["mobileRobotPosition" if modern else "agvPosition"] = position
    elif any(place):
        raise EncodeError("vda5050: a position needs x_m, y_m and theta_rad")
    velocity = _pick(fields, (("vx", "vx_m_s"), ("vy", "vy_m_s"), ("omega", "omega_rad_s")))
    if velocity:
        out["velocity"] = velocity
    return out


def _state(fields: dict[str, Value], modern: bool) -> dict[str, object]:
    nodes, edges, actions = (_count(fields, name) for name in ("node_count", "edge_count", "action_count"))
    failed = _count(fields, "action_failed_count")
    state: dict[str, object] = {
        "orderId": fields.get("order_id", ""),
        "orderUpdateId": fields.get("order_update_id", 0),
        "lastNodeId": fields.get("last_node_id", ""),
        "lastNodeSequenceId": fields.get("last_node_sequence_id", 0),
        "nodeStates": [{"nodeId": f"node-{i}", "sequenceId": 2 * i, "released": True} for i in range(1, nodes + 1)],
        "edgeStates": [{"edgeId": f"edge-{i}", "sequenceId": 2 * i + 1, "released": True} for i in range(edges)],
        "driving": fields.get("driving", False),
        "actionStates": [
            {"actionId": f"action-{i}", "actionStatus": "FAILED" if i < failed else "WAITING"} for i in range(actions)
        ],
    }
    state |= _motion(fields, modern)
    state |= _power(fields, modern)
    state["operatingMode"] = _word(fields.get("operating_mode", "AUTOMATIC"), modern)
    state["errors"] = _errors(fields)
    stop = "activeEmergencyStop" if modern else "eStop"
    state["safetyState"] = {
        stop: fields.get("e_stop", "NONE"),
        "fieldViolation": fields.get("field_violation", False),
    }
    if modern:
        instant = _count(fields, "instant_action_count")
        state["instantActionStates"] = [{"actionId": f"instant-{i}", "actionStatus": "WAITING"} for i in range(instant)]
    if "load_count" in fields:
        state["loads"] = [{"loadId": f"load-{i}"} for i in range(_count(fields, "load_count"))]
    return state | _pick(
        fields,
        (
            ("paused", "paused"),
            ("newBaseRequest", "new_base_request"),
            ("distanceSinceLastNode", "distance_since_last_node_m"),
            ("zoneSetId", "zone_set_id"),
        ),
    )


_POWER_2 = (
    ("batteryCharge", "battery_pct"),
    ("charging", "charging"),
    ("batteryVoltage", "battery_v"),
    ("batteryHealth", "battery_health_pct"),
    ("reach", "range_m"),
)
_POWER_3 = (
    ("stateOfCharge", "battery_pct"),
    ("charging", "charging"),
    ("batteryVoltage", "battery_v"),
    ("batteryCurrent", "battery_a"),
    ("batteryHealth", "battery_health_pct"),
    ("range", "range_m"),
)


def _power(fields: dict[str, Value], modern: bool) -> dict[str, object]:
    if "battery_pct" not in fields:
        raise EncodeError("vda5050: a state needs battery_pct")
    known = {"charging": False} | fields
    return {"powerSupply": _pick(known, _POWER_3)} if modern else {"batteryState": _pick(known, _POWER_2)}


def _count(fields: dict[str, Value], name: str) -> int:
    value = fields.get(name, 0)
    if not isinstance(value, int) or not 0 <= value <= _MOST:
        raise EncodeError(f"vda5050: {name} is {value!r:.40}, expected 0 to {_MOST}")
    return value


def _errors(fields: dict[str, Value]) -> list[dict[str, object]]:
    total = _count(fields, "error_count")
    fatal = _count(fields, "fatal_count")
    level = str(fields.get("error_level", "FATAL" if fatal else "WARNING" if total else "NONE"))
    if fatal > total or (level == "NONE") != (total == 0) or (level == "FATAL") != (fatal > 0):
        raise EncodeError(
            f"vda5050: {total} errors, {fatal} of them fatal, the worst {level}: they contradict each other"
        )
    kind = fields.get("error_type", "error")
    lesser = "WARNING" if fatal else level
    return [{"errorType": kind, "errorLevel": "FATAL" if i < fatal else lesser} for i in range(total)]
