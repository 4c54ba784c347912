"""The factsheet of a VDA 5050 robot: what it is and can do, said on request and when it connects.

One table for all versions: a section of the message, what 2.x calls a value there, what 3.0 calls it, our field.
Everything is optional here, also what the schemas require: robots leave much of it out. Kinematics are in the words
of 3.0 (DIFF is DIFFERENTIAL). Lists of words are one text, separated by blanks; of long lists (the actions that it
can do) the number is told. Geometry, load sets, the limits of texts and arrays, the network are not told.

Source: VDA 5050 2.1.0 and 3.0.0, json_schemas/factsheet.schema.
"""

from collections.abc import Mapping
from math import isfinite

from msgspec import Struct

from devices.spec.events import Value
from devices.spec.field import Field
from devices.vda5050.message import Header

TEXT, MEASURE, WORDS, COUNT = "text", "measure", "words", "count"

TABLE: tuple[tuple[str, str, str, str, str], ...] = (
    ("typeSpecification", "seriesName", "seriesName", "series_name", TEXT),
    ("typeSpecification", "seriesDescription", "seriesDescription", "series_description", TEXT),
    ("typeSpecification", "agvKinematic", "mobileRobotKinematics", "robot_kinematics", TEXT),
    ("typeSpecification", "agvClass", "mobileRobotClass", "robot_class", TEXT),
    ("typeSpecification", "maxLoadMass", "maximumLoadMass", "load_max_kg", MEASURE),
    ("typeSpecification", "localizationTypes", "localizationTypes", "localization_types", WORDS),
    ("typeSpecification", "navigationTypes", "navigationTypes", "navigation_types", WORDS),
    ("typeSpecification", "supportedZones", "supportedZones", "supported_zones", WORDS),
    ("physicalParameters", "speedMin", "minimumSpeed", "speed_min_m_s", MEASURE),
    ("physicalParameters", "speedMax", "maximumSpeed", "speed_max_m_s", MEASURE),
    ("physicalParameters", "angularSpeedMin", "minimumAngularSpeed", "turning_speed_min_rad_s", MEASURE),
    ("physicalParameters", "angularSpeedMax", "maximumAngularSpeed", "turning_speed_max_rad_s", MEASURE),
    ("physicalParameters", "accelerationMax", "maximumAcceleration", "acceleration_max_m_s2", MEASURE),
    ("physicalParameters", "decelerationMax", "maximumDeceleration", "deceleration_max_m_s2", MEASURE),
    ("physicalParameters", "heightMin", "minimumHeight", "height_min_m", MEASURE),
    ("physicalParameters", "heightMax", "maximumHeight", "height_max_m", MEASURE),
    ("physicalParameters", "width", "width", "width_m", MEASURE),
    ("physicalParameters", "length", "length", "length_m", MEASURE),
    ("timing", "minOrderInterval", "minimumOrderInterval", "order_interval_min_s", MEASURE),
    ("timing", "minStateInterval", "minimumStateInterval", "state_interval_min_s", MEASURE),
    ("timing", "defaultStateInterval", "defaultStateInterval", "state_interval_s", MEASURE),
    ("timing", "visualizationInterval", "visualizationInterval", "visualization_interval_s", MEASURE),
    ("protocolFeatures", "agvActions", "mobileRobotActions", "known_action_count", COUNT),
)
"""Section, label in 2.x, label in 3.0, field, kind. `timing` is in `protocolLimits`."""

_KINEMATICS = {"DIFF": "DIFFERENTIAL", "OMNI": "OMNIDIRECTIONAL", "THREEWHEEL": "THREE_WHEEL"}
_OLD_KINEMATICS = {new: old for old, new in _KINEMATICS.items()}


def _measure(name: str, unit: str, description: str, minimum: float = 0.0) -> Field:
    return Field(name, unit, description, minimum=minimum, maximum=100_000.0, step=0.001, optional=True, panel=False)


def _text(name: str, description: str) -> Field:
    return Field(name, "1", description, kind="text", optional=True, panel=False)


FIELDS = (
    _text("series_name", "Series of the robot"),
    _text("series_description", "What the series is"),
    _text("robot_kinematics", "How it moves: DIFFERENTIAL, OMNIDIRECTIONAL, THREE_WHEEL"),
    _text("robot_class", "What it is: FORKLIFT, CONVEYOR, TUGGER, CARRIER"),
    _measure("load_max_kg", "kg", "Heaviest load"),
    _text("localization_types", "How it finds where it is"),
    _text("navigation_types", "How it finds its way, the preferred first"),
    _text("supported_zones", "Kinds of zones that it knows (3.0)"),
    _measure("speed_min_m_s", "m/s", "Slowest speed that it can hold", -100_000.0),
    _measure("speed_max_m_s", "m/s", "Highest speed"),
    _measure("turning_speed_min_rad_s", "rad/s", "Slowest turning speed that it can hold"),
    _measure("turning_speed_max_rad_s", "rad/s", "Highest turning speed"),
    _measure("acceleration_max_m_s2", "m/s2", "Highest acceleration with the heaviest load"),
    _measure("deceleration_max_m_s2", "m/s2", "Highest deceleration with the heaviest load"),
    _measure("height_min_m", "m", "Lowest height of the robot"),
    _measure("height_max_m", "m", "Greatest height of the robot"),
    _measure("width_m", "m", "Width of the robot"),
    _measure("length_m", "m", "Length of the robot"),
    _measure("order_interval_min_s", "s", "Least time between orders to it"),
    _measure("state_interval_min_s", "s", "Least time between its states"),
    _measure("state_interval_s", "s", "Usual time between its states"),
    _measure("visualization_interval_s", "s", "Usual time between its visualizations"),
    Field("known_action_count", "1", "Actions that it can do", kind="counter", minimum=0, maximum=10_000, step=1,
          optional=True, panel=False),
)  # fmt: skip


class Limits(Struct, gc=False):
    timing: dict[str, object] | None = None


class Factsheet(Header, rename="camel", kw_only=True):
    type_specification: dict[str, object] | None = None
    physical_parameters: dict[str, object] | None = None
    protocol_limits: Limits | None = None
    protocol_features: dict[str, object] | None = None


def told(message: Factsheet, fields: dict[str, Value]) -> tuple[str, ...]:
    """Put what a factsheet says into `fields`; words about the values that are not as they must be."""
    sections = {
        "typeSpecification": message.type_specification,
        "physicalParameters": message.physical_parameters,
        "timing": None if message.protocol_limits is None else message.protocol_limits.timing,
        "protocolFeatures": message.protocol_features,
    }
    wrong = []
    for section, old, new, name, kind in TABLE:
        said = sections[section] or {}
        label = new if new in said else old
        value = said.get(label)
        if value is None:
            continue
        found = _value(value, kind)
        if found is None:
            wrong.append(f"{name}: expected {_EXPECTED[kind]} - at `$.{section}.{label}`")
        else:
            fields[name] = _KINEMATICS.get(str(found), found) if name == "robot_kinematics" else found
    return tuple(wrong)


def said(fields: Mapping[str, Value], modern: bool) -> dict[str, dict[str, object]]:
    """The sections of the factsheet that says `fields`, in the labels of 3.0 or of 2.1."""
    out: dict[str, dict[str, object]] = {"typeSpecification": {}, "physicalParameters": {}, "protocolFeatures": {}}
    timing: dict[str, object] = {}
    for section, old, new, name, kind in TABLE:
        if name not in fields:
            continue
        value: object = fields[name]
        if kind == WORDS:
            value = str(value).split(" ")
        elif kind == COUNT:
            value = [{"actionType": f"action-{n}"} for n in range(int(fields[name]))]
        elif name == "robot_kinematics" and not modern:
            value = _OLD_KINEMATICS.get(str(value), value)
        (timing if section == "timing" else out[section])[new if modern else old] = value
    out["protocolLimits"] = {"timing": timing}
    return out


_EXPECTED = {TEXT: "a text", MEASURE: "a finite number", WORDS: "a list of words", COUNT: "a list"}


def _value(value: object, kind: str) -> Value | None:
    if kind == TEXT:
        return value if isinstance(value, str) else None
    if kind == MEASURE:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return float(value) if number and isfinite(value) else None  # type: ignore[arg-type]
    if not isinstance(value, list):
        return None
    if kind == COUNT:
        return len(value)
    return " ".join(value) if all(isinstance(each, str) for each in value) else None
