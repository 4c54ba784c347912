"""What the bridge publishes for a reading, and the list in which it says what that means.

A field is one of the common properties, or a property of its own name with the unit of its ending.

Source: zigbee2mqtt.io, "MQTT topics and messages", "Exposes".
"""

from collections.abc import Iterable, Mapping

from msgspec import json as msgjson

from devices.spec.errors import EncodeError
from devices.spec.events import Reading, Value
from devices.spec.json_time import format_ns
from devices.spec.units import UNITS
from devices.zigbee2mqtt.fields import AVAILABLE, COMMON, UNITS_OF

_PROPERTIES = {field.name: name for name, field in COMMON.items()}
_BRIDGE_ONLY = frozenset(("device_count", "group_count"))


def encode(reading: Reading) -> bytes:
    """The state of a device; with `available_flag` alone, its availability."""
    if not reading.fields:
        raise EncodeError("zigbee2mqtt: a state needs values")
    if reading.fields.keys() == {AVAILABLE.name}:
        return b'{"state":"online"}' if reading.fields[AVAILABLE.name] else b'{"state":"offline"}'
    state: dict[str, Value] = {}
    for name, value in reading.fields.items():
        if name not in _BRIDGE_ONLY and name != AVAILABLE.name:
            prop = _PROPERTIES.get(name, name)
            state[prop] = ("ON" if value else "OFF") if prop == "state" else _as_javascript(value)
    if reading.time_ns is not None:
        state["last_seen"] = format_ns(reading.time_ns, 3)
    return msgjson.encode(state)


def exposes(fields: Mapping[str, Value]) -> list[dict[str, object]]:
    """The exposes of a device that reports `fields`."""
    found: list[dict[str, object]] = []
    for name, value in fields.items():
        prop = _PROPERTIES.get(name, name)
        expose: dict[str, object] = {"name": prop, "property": prop, "label": prop.replace("_", " "), "access": 1}
        if isinstance(value, bool):
            on, off = ("ON", "OFF") if prop == "state" else (True, False)
            found.append({"type": "binary", "value_on": on, "value_off": off, **expose})
        elif isinstance(value, str):
            found.append({"type": "text", **expose})
        else:
            unit = UNITS_OF.get(prop) or _unit(name)
            found.append({"type": "numeric", **({"unit": unit} if unit else {}), **expose})
    return found


def listed(devices: Iterable[tuple[str, list[dict[str, object]]]]) -> bytes:
    """`bridge/devices` for devices of these names and exposes, the coordinator first."""
    rows: list[dict[str, object]] = [
        {"ieee_address": "0x00124b0000000000", "type": "Coordinator", "network_address": 0, "supported": True,
         "friendly_name": "Coordinator", "definition": None},
    ]  # fmt: skip
    for number, (name, found) in enumerate(devices, 1):
        rows.append(
            {"ieee_address": f"0x00124b{number:010x}", "type": "EndDevice", "network_address": number,
             "friendly_name": name, "supported": True, "disabled": False, "interview_completed": True,
             "definition": {"model": "PG-1", "vendor": "parkgate", "description": "simulated", "exposes": found}}
        )  # fmt: skip
    return msgjson.encode(rows)


def _as_javascript(value: Value) -> Value:
    """A whole number is written without a point."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _unit(name: str) -> str:
    """The unit that a name ends in, as people write it."""
    ends = [unit for unit in UNITS.values() if unit.suffix and name.endswith("_" + unit.suffix)]
    return max(ends, key=lambda unit: len(unit.suffix)).symbol if ends else ""
