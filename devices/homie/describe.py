"""What a Homie device says of itself, and the payload of its JSON property: the inverse of `properties`.

The simulated device has a weather station (one property, a JSON object), a thermometer, a relay and a counter of
version 5. Its description names them; the values of the station are what `encode` makes.

Source: homieiot.github.io, Homie convention 5.0.0: "$description", "Payload".
"""

from collections.abc import Mapping
from typing import Any

from msgspec import json as msgjson

from devices.homie.fields import STATS
from devices.spec.errors import EncodeError
from devices.spec.events import Reading, Value

STATION = "station"
_OWN = frozenset(("device_state", "online_flag", "property_count", *(field.name for field in STATS.values())))

NODES: Mapping[str, Any] = {
    "sensor": {
        "name": "Thermometer",
        "properties": {"temperature": {"name": "Temperature", "datatype": "float", "unit": "°C", "format": "-60:85"}},
    },
    "relay": {
        "name": "Relay",
        "properties": {
            "on": {"name": "On", "datatype": "boolean", "settable": True, "format": "off,on"},
            "switched": {"name": "How often it was switched", "datatype": "integer", "unit": "#"},
        },
    },
    STATION: {"name": "Weather station", "properties": {STATION: {"name": "All it measures", "datatype": "json"}}},
}


def encode(reading: Reading) -> bytes:
    """The station's property; with `device_state` alone a `$state`."""
    if not reading.fields:
        raise EncodeError("homie: a payload needs values")
    state = reading.fields.get("device_state")
    if isinstance(state, str) and reading.fields.keys() <= _OWN:
        return state.encode()
    said: dict[str, Value] = {}
    for name, value in reading.fields.items():
        if name in _OWN:
            continue
        if not name.startswith(STATION + "_"):
            raise EncodeError(f"homie: {name} is no value of the station")
        key = name.removeprefix(STATION + "_").removesuffix("_flag").removesuffix("_text")
        said[key] = int(value) if isinstance(value, float) and value.is_integer() else value
    if not said:
        raise EncodeError("homie: the station needs values")
    return msgjson.encode(said)


def description() -> bytes:
    """`$description` of the simulated device."""
    return msgjson.encode({"homie": "5.0", "version": 1, "name": "Parkgate station", "nodes": NODES})


def placed(topic: str) -> str:
    """The topic of the device that says something on `topic`."""
    levels = topic.split("/")
    return "/".join(levels[:-2]) if len(levels) > 2 else topic


def births(topic: str, _reading: Reading) -> list[tuple[str, bytes]]:
    """What a simulated device says of itself first."""
    return [(f"{placed(topic)}/$description", description())]
