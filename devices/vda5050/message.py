"""The typed shapes of VDA 5050 messages, versions 1.1, 2.x and 3.0, as far as they are used.

Fields that the JSON schemas require are required here, and what is optional has the schemas'
range; of lists that are only counted, the elements are checked to be objects and skipped.
Optional fields may be null (openTCS sends them so). Labels that are not listed are skipped.

1.1 and 2.x differ here only in `informations` / `information`. 3.0 renames: agvPosition ->
mobileRobotPosition (positionInitialized -> localized), batteryState -> powerSupply (batteryCharge
-> stateOfCharge, reach -> range), eStop -> activeEmergencyStop, and requires instantActionStates.

Source: VDA5050/VDA5050 json_schemas at tags 1.1, 2.1.0 and 3.0.0; openTCS adapter samples.
"""

from typing import Annotated

from msgspec import Meta, Struct

Count = Annotated[int, Meta(ge=0, le=(1 << 63) - 1)]
Share = Annotated[float, Meta(ge=0, le=1)]
Percent = Annotated[float, Meta(ge=0, le=100)]
Length = Annotated[float, Meta(ge=0)]


class Item(Struct, gc=False):
    """An object that is only counted."""


class Header(Struct, gc=False, rename="camel", kw_only=True):
    header_id: Count
    timestamp: str
    version: str
    manufacturer: str
    serial_number: str


class Connection(Header, gc=False, rename="camel", kw_only=True):
    connection_state: str


class LastWill(Struct, gc=False, rename="camel", kw_only=True):
    """A connection message that the broker sends when the robot is gone: its header is that of the connect."""

    connection_state: str
    version: str | None = None
    manufacturer: str | None = None
    serial_number: str | None = None


class AgvPosition(Struct, gc=False, rename="camel", kw_only=True):
    x: float
    y: float
    theta: float
    map_id: str
    position_initialized: bool
    map_description: str | None = None
    localization_score: Share | None = None
    deviation_range: Length | None = None


class MobileRobotPosition(Struct, gc=False, rename="camel", kw_only=True):
    x: float
    y: float
    theta: float
    map_id: str
    localized: bool
    map_description: str | None = None
    localization_score: Share | None = None
    deviation_range: Length | None = None


class Velocity(Struct, gc=False):
    vx: float | None = None
    vy: float | None = None
    omega: float | None = None


class Visualization(Struct, gc=False, rename="camel", kw_only=True):
    """Every field is optional, the header too."""

    header_id: Count | None = None
    timestamp: str | None = None
    version: str | None = None
    manufacturer: str | None = None
    serial_number: str | None = None
    agv_position: AgvPosition | None = None
    mobile_robot_position: MobileRobotPosition | None = None
    velocity: Velocity | None = None


class BatteryState(Struct, gc=False, rename="camel", kw_only=True):
    battery_charge: float
    charging: bool
    battery_voltage: float | None = None
    battery_health: Percent | None = None
    reach: Length | None = None


class PowerSupply(Struct, gc=False, rename="camel", kw_only=True):
    state_of_charge: float
    charging: bool
    battery_voltage: float | None = None
    battery_current: float | None = None
    battery_health: Percent | None = None
    range: Length | None = None


class SafetyState(Struct, gc=False, rename="camel", kw_only=True):
    e_stop: str
    field_violation: bool


class SafetyState3(Struct, gc=False, rename="camel", kw_only=True):
    active_emergency_stop: str
    field_violation: bool


class Fault(Struct, gc=False, rename="camel", kw_only=True):
    """An error counts, whatever it lacks of what the schema wants."""

    error_type: str | None = None
    error_level: str | None = None


class Action(Struct, gc=False, rename="camel", kw_only=True):
    """So does an action; its id is not stored."""

    action_status: str | None = None


class _State(Header, gc=False, rename="camel", kw_only=True):
    """What the states of all versions share."""

    order_id: str
    order_update_id: Count
    last_node_id: str
    last_node_sequence_id: Count
    node_states: list[Item]
    edge_states: list[Item]
    driving: bool
    action_states: list[Action]
    operating_mode: str
    errors: list[Fault]
    velocity: Velocity | None = None
    loads: list[Item] | None = None
    paused: bool | None = None
    new_base_request: bool | None = None
    distance_since_last_node: Length | None = None
    zone_set_id: str | None = None


class State2(_State, gc=False, rename="camel", kw_only=True):
    """A state of 1.1 and 2.x."""

    battery_state: BatteryState
    safety_state: SafetyState
    agv_position: AgvPosition | None = None


class State3(_State, gc=False, rename="camel", kw_only=True):
    """A state of 3.0."""

    power_supply: PowerSupply
    safety_state: SafetyState3
    instant_action_states: list[Action]
    mobile_robot_position: MobileRobotPosition | None = None


class InstantActions(Header, gc=False, rename="camel", kw_only=True):
    """`instantActions` in 1.1, `actions` from 2.0 on."""

    instant_actions: list[Item] | None = None
    actions: list[Item] | None = None


class Order(Header, gc=False, rename="camel", kw_only=True):
    """What the fleet control sends."""

    order_id: str
    order_update_id: Count
    nodes: list[Item]
    edges: list[Item]


class Marks(Struct, gc=False, rename="camel", kw_only=True):
    """The labels that tell which message a payload is, where the topic does not."""

    connection_state: object = None
    battery_state: object = None
    power_supply: object = None
    instant_actions: object = None
    actions: object = None
    agv_position: object = None
    mobile_robot_position: object = None
    velocity: object = None
    reference_state_header_id: object = None
    operating_mode: object = None
    nodes: object = None
    type_specification: object = None
    zone_set: object = None
    responses: object = None
    header_id: object = None
    version: object = None
