"""VDA 5050: mobile robots as they report to a fleet control, one normalised record.

    uagv/v2/{manufacturer}/{serialNumber}/state        vda5050/v3/{manufacturer}/{serialNumber}/state

| message | reading |
|---|---|
| state | position, velocity, battery, mode, errors, safety, order progress; `header_id` counts |
| visualization | position and velocity under the same names; `visualization_header_id` |
| connection | `connection_state`; `connection_header_id`, but for a last will |
| order | `sent_order_id` and its size; `order_header_id` |
| instantActions | `instant_action_count`; `instant_actions_header_id` |
| factsheet | what it is and can do (factsheet.py); `factsheet_header_id` |
| responses, zoneSet | the header alone, `<message>_header_id` |

Header counts are per topic in VDA 5050, hence a field for each: `header_id` alone has no gaps.
The thing is `serialNumber`, the time the header's timestamp. The message is told by the topic's last level, its
version by the level `v1`, `v2`, `v3`; where that says nothing or not the truth, by labels only that message has.

Normalised: versions 1.1, 2.x and 3.0 give the same fields; words are upper case, TEACHIN is
TEACH_IN and CONNECTIONBROKEN is CONNECTION_BROKEN as in 3.0; words that no version lists are
kept. `error_level` is the worst of the errors (NONE, WARNING, URGENT, CRITICAL, FATAL; an unlisted
level, or none, counts as WARNING), `error_type` the first error of that level. Null and left out are absent.

A last will (CONNECTION_BROKEN) was written when the robot connected: its timestamp and header count say
nothing of the break. It has no time of its own (the receipt stands for it, also where it is retained) and
no header count.

A value that the schemas make optional and that has the wrong type or is out of their range is left out
and named in `field_errors`; an optional object that lacks what it must have is left out whole. What they
require is required; but an entry of a list counts whatever it lacks, and one that is no object is left out
and named. Whole numbers may be written `7.0`. A message that is empty by right (a visualization without
anything, no bytes at all where a retained message is deleted) is `Empty`. A byte order mark is ignored.

Limits: counts 0 to 2^63-1, timestamps of the years 1970 to 2261.

Unknown: how far `reach` (2.x) and `range` (3.0) mean the same; both are `range_m`. Commands: actions.py.
Source: VDA 5050 1.1, 2.1.0 and 3.0.0, VDA/VDMA; json_schemas of VDA5050/VDA5050.
"""

import re
from typing import Any, Literal

import msgspec
from msgspec import json as msgjson

from devices.spec.device import MessageDevice
from devices.spec.events import DELETED, Empty, Event, Reading, SanityError, Value
from devices.spec.json_parts import PartRefused, Reader, loads, plain
from devices.spec.json_time import parse_ns
from devices.spec.sequence import Bits, Sequence
from devices.vda5050 import factsheet
from devices.vda5050.actions import COMMANDS
from devices.vda5050.encode import FIELDS, encode
from devices.vda5050.factsheet import Factsheet
from devices.vda5050.message import (
    AgvPosition,
    Connection,
    Fault,
    Header,
    InstantActions,
    LastWill,
    Marks,
    MobileRobotPosition,
    Order,
    State2,
    State3,
    Velocity,
    Visualization,
)

Kind = Literal[
    "state2", "state3", "connection", "visualization", "instantActions", "order", "responses", "zoneSet", "factsheet"
]

_STRUCTS: dict[Kind, type[msgspec.Struct]] = {
    "state2": State2, "state3": State3, "connection": Connection, "visualization": Visualization, "order": Order,
    "instantActions": InstantActions, "responses": Header, "zoneSet": Header, "factsheet": Factsheet,
}  # fmt: skip
_decoders: dict[Kind, msgjson.Decoder[Any]] = {kind: msgjson.Decoder(struct) for kind, struct in _STRUCTS.items()}
_parts = Reader(each=True)
_marks = msgjson.Decoder(Marks)
_MESSAGES: dict[str, Kind] = {
    "connection": "connection", "visualization": "visualization", "instantActions": "instantActions",
    "order": "order", "responses": "responses", "zoneSet": "zoneSet", "factsheet": "factsheet",
}  # fmt: skip
_MAJOR = re.compile(r"/v(\d+)/")
_BROKEN = "CONNECTION_BROKEN"
_WORDS = {"TEACHIN": "TEACH_IN", "CONNECTIONBROKEN": _BROKEN}
_RANK = {"WARNING": 1, "URGENT": 2, "CRITICAL": 3, "FATAL": 4}
_MAX_TOPICS = 4096
_MAX_REMEMBERED_TOPIC = 256

_kinds: dict[str, Kind | None] = {}


def decode(topic: str, payload: bytes, _received_ns: int) -> list[Event]:
    """The reading of one message; or `Empty`, or one SanityError naming the key path that is not as it must be."""
    kind = _kinds[topic] if topic in _kinds else _kind_of_topic(topic)
    try:
        if kind is None:
            return [_told_by_labels(payload)]
        reading = _reading(kind, _decoders[kind].decode(payload))
        return [reading] if reading.fields else [Empty(f"{_name(kind)}: no values", payload)]
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return [_second_look(kind, payload, error) if payload else Empty(DELETED, payload)]
    except RecursionError:
        return [SanityError("JSON: nested too deeply", payload)]
    except ValueError as error:
        return [SanityError(f"{_name(kind)}: $.timestamp: {error}", payload)]


def _second_look(kind: Kind | None, payload: bytes, error: Exception) -> Event:
    """What a payload says that is not as its topic says, or not in every part as it must be."""
    try:
        text = plain(payload)
    except ValueError as wide:
        return SanityError(f"{_name(kind)}: {wide}", payload)
    try:
        told = _told_kind(_marks.decode(text), kind)
        if told is not None and (told != kind or text is not payload):
            kind = told
            return _reading(kind, _decoders[kind].decode(text))
    except RecursionError:
        return SanityError("JSON: nested too deeply", payload)
    except msgspec.DecodeError:
        pass  # one part of it, perhaps
    except ValueError as wrong:
        return SanityError(f"{_name(kind)}: $.timestamp: {wrong}", payload)
    return _by_parts(kind, text, payload, error)


def _by_parts(kind: Kind | None, text: bytes, payload: bytes, error: Exception) -> Event:
    try:
        value = loads(text)
        kind = _told_kind(msgspec.convert(value, Marks), kind) or kind
    except RecursionError:
        return SanityError("JSON: nested too deeply", payload)
    except ValueError:
        return SanityError(f"{_name(kind)}: {error}", payload)
    try:
        return _parted(kind, value, payload) if kind is not None else _untold(payload)
    except PartRefused as refused:
        return SanityError(f"{_name(kind)}: {refused}", payload)
    except ValueError as wrong:
        return SanityError(f"{_name(kind)}: $.timestamp: {wrong}", payload)


def _parted(kind: Kind, value: object, payload: bytes) -> Event:
    struct = _STRUCTS[kind]
    if kind == "connection" and isinstance(value, dict) and _word(str(value.get("connectionState"))) == _BROKEN:
        struct = LastWill  # its header counts for nothing, so it is not judged either
    message, wrong = _parts.read(value, struct)
    reading = _reading(kind, message)
    reading.field_errors = wrong = wrong + reading.field_errors
    if reading.fields:
        return reading
    return SanityError(f"{_name(kind)}: {wrong[0]}", payload) if wrong else Empty(f"{_name(kind)}: no values", payload)


def _untold(payload: bytes) -> SanityError:
    return SanityError("expected the topic or the labels of a VDA 5050 message", payload)


def _name(kind: Kind | None) -> str:
    return kind.rstrip("23") if kind else "message"


def _kind_of_topic(topic: str) -> Kind | None:
    name = topic.rsplit("/", 1)[-1]
    kind: Kind | None = _MESSAGES.get(name)
    if name == "state":
        major = _MAJOR.search(topic)
        if major is not None:
            kind = "state3" if int(major[1][:4]) >= 3 else "state2"
    if len(topic) <= _MAX_REMEMBERED_TOPIC:
        if len(_kinds) >= _MAX_TOPICS:
            _kinds.clear()
        _kinds[topic] = kind
    return kind


def _told_kind(marks: Marks, said: Kind | None) -> Kind | None:
    """Which message these labels belong to, where the topic says `said`."""
    if marks.connection_state is not None:
        return "connection"
    if marks.power_supply is not None:
        return "state3"
    if marks.battery_state is not None or marks.operating_mode is not None:
        return "state3" if str(marks.version).startswith("3") else "state2"
    if marks.actions is not None or marks.instant_actions is not None:
        return "instantActions"
    if marks.nodes is not None:
        return "order"
    if marks.type_specification is not None:
        return "factsheet"
    if marks.zone_set is not None:
        return "zoneSet"
    if marks.responses is not None:
        return "responses"
    if any(
        mark is not None
        for mark in (marks.agv_position, marks.mobile_robot_position, marks.velocity, marks.reference_state_header_id)
    ):
        return "visualization"
    if said is None and marks.header_id is not None and marks.version is not None:
        return "visualization"  # the one message that may be nothing but a header
    return None


def _told_by_labels(payload: bytes) -> Event:
    kind = _told_kind(_marks.decode(payload), None)
    if kind is None:
        return _untold(payload)
    return _reading(kind, _decoders[kind].decode(payload))


def _reading(kind: Kind, message: Any) -> Reading:
    fields: dict[str, Value] = {}
    if kind == "state2" or kind == "state3":
        fields["header_id"] = message.header_id
    elif kind == "connection" and _word(message.connection_state) == _BROKEN:
        return _last_will(message)
    elif message.header_id is not None:
        fields[_snake(kind) + "_header_id"] = message.header_id
    if message.version is not None:
        fields["version"] = message.version
    if message.manufacturer is not None:
        fields["manufacturer"] = message.manufacturer
    if message.serial_number is not None:
        fields["serial_number"] = message.serial_number
    if kind == "state2":
        _state2(message, fields)
    elif kind == "state3":
        _state3(message, fields)
    elif kind == "connection":
        fields["connection_state"] = _word(message.connection_state)
    elif kind == "visualization":
        _visualization(message, fields)
    elif kind == "instantActions":
        actions = message.actions if message.actions is not None else message.instant_actions
        fields["instant_action_count"] = len(actions or ())
    elif kind == "order":
        _order(message, fields)
    wrong = factsheet.told(message, fields) if kind == "factsheet" else ()
    time_ns = None if message.timestamp is None else parse_ns(message.timestamp)
    return Reading(fields, time_ns, message.serial_number or None, field_errors=wrong)


def _last_will(message: Connection | LastWill) -> Reading:
    """Which robot is gone. The time is that of receipt: the message does not say since when."""
    fields: dict[str, Value] = {}
    for name in ("version", "manufacturer", "serial_number"):
        value = getattr(message, name)
        if value is not None:
            fields[name] = value
    fields["connection_state"] = _BROKEN
    return Reading(fields, None, message.serial_number or None, standing=True)


def _order(order: Order, fields: dict[str, Value]) -> None:
    """Under names of their own, since an order is not what the robot reports."""
    fields["sent_order_id"] = order.order_id
    fields["sent_order_update_id"] = order.order_update_id
    fields["sent_node_count"] = len(order.nodes)
    fields["sent_edge_count"] = len(order.edges)


def _snake(kind: str) -> str:
    return re.sub(r"(?=[A-Z])", "_", kind).lower()


def _word(text: str) -> str:
    word = text.upper()
    return _WORDS.get(word, word)


def _state2(state: State2, fields: dict[str, Value]) -> None:
    if state.agv_position is not None:
        fields["position_initialized"] = state.agv_position.position_initialized
        _position(state.agv_position, fields)
    battery = state.battery_state
    fields["battery_pct"] = battery.battery_charge
    fields["charging"] = battery.charging
    _given(fields, "battery_v", battery.battery_voltage)
    _given(fields, "battery_health_pct", battery.battery_health)
    _given(fields, "range_m", battery.reach)
    fields["e_stop"] = _word(state.safety_state.e_stop)
    fields["field_violation"] = state.safety_state.field_violation
    _shared(state, fields)


def _state3(state: State3, fields: dict[str, Value]) -> None:
    if state.mobile_robot_position is not None:
        fields["position_initialized"] = state.mobile_robot_position.localized
        _position(state.mobile_robot_position, fields)
    power = state.power_supply
    fields["battery_pct"] = power.state_of_charge
    fields["charging"] = power.charging
    _given(fields, "battery_v", power.battery_voltage)
    _given(fields, "battery_a", power.battery_current)
    _given(fields, "battery_health_pct", power.battery_health)
    _given(fields, "range_m", power.range)
    fields["e_stop"] = _word(state.safety_state.active_emergency_stop)
    fields["field_violation"] = state.safety_state.field_violation
    fields["instant_action_count"] = len(state.instant_action_states)
    _shared(state, fields)


def _shared(state: State2 | State3, fields: dict[str, Value]) -> None:
    if state.velocity is not None:
        _velocity(state.velocity, fields)
    fields["driving"] = state.driving
    fields["operating_mode"] = _word(state.operating_mode)
    fields["order_id"] = state.order_id
    fields["order_update_id"] = state.order_update_id
    fields["last_node_id"] = state.last_node_id
    fields["last_node_sequence_id"] = state.last_node_sequence_id
    fields["node_count"] = len(state.node_states)
    fields["edge_count"] = len(state.edge_states)
    actions = state.action_states
    fields["action_count"] = len(actions)
    fields["action_failed_count"] = sum(action.action_status == "FAILED" for action in actions) if actions else 0
    _errors(state.errors, fields)
    if state.loads is not None:
        fields["load_count"] = len(state.loads)
    if state.paused is not None:
        fields["paused"] = state.paused
    if state.new_base_request is not None:
        fields["new_base_request"] = state.new_base_request
    _given(fields, "distance_since_last_node_m", state.distance_since_last_node)
    if state.zone_set_id is not None:
        fields["zone_set_id"] = state.zone_set_id


def _errors(errors: list[Fault], fields: dict[str, Value]) -> None:
    worst, fatal, level, kind = 0, 0, "NONE", None
    for error in errors:
        word = "WARNING" if error.error_level is None else _word(error.error_level)
        rank = _RANK.get(word, 1)
        fatal += rank == 4
        if rank > worst:
            worst, level = rank, word
            kind = error.error_type
    if kind is not None:
        fields["error_type"] = kind
    fields["error_count"] = len(errors)
    fields["fatal_count"] = fatal
    fields["error_level"] = level


def _visualization(message: Visualization, fields: dict[str, Value]) -> None:
    if message.agv_position is not None:
        fields["position_initialized"] = message.agv_position.position_initialized
        _position(message.agv_position, fields)
    elif message.mobile_robot_position is not None:
        fields["position_initialized"] = message.mobile_robot_position.localized
        _position(message.mobile_robot_position, fields)
    if message.velocity is not None:
        _velocity(message.velocity, fields)


def _position(position: AgvPosition | MobileRobotPosition, fields: dict[str, Value]) -> None:
    fields["x_m"] = position.x
    fields["y_m"] = position.y
    fields["theta_rad"] = position.theta
    fields["map_id"] = position.map_id
    if position.map_description is not None:
        fields["map_description"] = position.map_description
    _given(fields, "localization_score", position.localization_score)
    _given(fields, "deviation_range_m", position.deviation_range)


def _velocity(velocity: Velocity, fields: dict[str, Value]) -> None:
    _given(fields, "vx_m_s", velocity.vx)
    _given(fields, "vy_m_s", velocity.vy)
    _given(fields, "omega_rad_s", velocity.omega)


def _given(fields: dict[str, Value], name: str, value: float | None) -> None:
    if value is not None:
        fields[name] = value


DEVICE = MessageDevice(
    name="vda5050",
    title="VDA 5050 mobile robot",
    domain="robot",
    source="VDA 5050 1.1, 2.1.0 and 3.0.0 (VDA, VDMA); github.com/VDA5050/VDA5050 json_schemas",
    fields=FIELDS,
    expected_every_s=30.0,
    sequence=Sequence((Bits("header_id", 32),)),
    open_fields=True,
    topic="uagv/v2/+/{thing}/state",
    decode=decode,
    encode=encode,
    commands=COMMANDS,
)
