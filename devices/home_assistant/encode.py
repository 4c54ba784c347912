"""What a simulated tool announces, and the state that it then says.

By its name a thing announces each entity by itself, with whole words, or the whole device at once, abbreviated and with
a base topic.

Source: home-assistant.io, "MQTT": discovery messages.
"""

from typing import Any
from zlib import crc32

from msgspec import json as msgjson

from devices.home_assistant.fields import COMMON, ONLINE
from devices.spec.errors import EncodeError
from devices.spec.events import Reading

PREFIX = "homeassistant"
_KEYS = {each.field.name: key for key, each in COMMON.items()}


def encode(reading: Reading) -> bytes:
    """A state as JSON; with `online_flag` alone the word of availability."""
    if not reading.fields:
        raise EncodeError("home-assistant: a state needs values")
    if reading.fields.keys() == {ONLINE.name}:
        return b"online" if reading.fields[ONLINE.name] else b"offline"
    state: dict[str, Any] = {}
    for name, value in reading.fields.items():
        if name == ONLINE.name or name == "entity_count":
            continue
        key = _KEYS.get(name, name)
        if isinstance(value, bool):
            state[key.removesuffix("_flag")] = "ON" if value else "OFF"
        else:
            state[key] = int(value) if isinstance(value, float) and value.is_integer() else value
    return msgjson.encode(state)


def base_of(topic: str) -> str:
    """The base topic of a thing that says its states on `topic`."""
    return topic.removesuffix("/state")


def births(topic: str, reading: Reading) -> list[tuple[str, bytes]]:
    """What the thing announces that says such readings on `topic`."""
    base = base_of(topic)
    thing = base.rpartition("/")[2]
    keys = [_KEYS[name] for name in reading.fields if name in _KEYS]
    if crc32(thing.encode()) % 2:
        return [(f"{PREFIX}/device/{thing}/config", msgjson.encode(_device(thing, base, keys)))]
    return [
        (f"{PREFIX}/{COMMON[key].component}/{thing}/{key}/config", msgjson.encode(_entity(thing, base, key)))
        for key in keys
    ]


def _entity(thing: str, base: str, key: str) -> dict[str, Any]:
    known = COMMON[key]
    config: dict[str, Any] = {
        "name": _called(key),
        "unique_id": f"{thing}_{key}",
        "device": {"identifiers": [thing], "name": thing, "manufacturer": "parkgate", "model": "simulated"},
        "state_topic": f"{base}/state",
        "value_template": f"{{{{ value_json.{key} }}}}",
        "device_class": known.device_class,
        "availability_topic": f"{base}/availability",
    }
    if known.unit:
        config |= {"unit_of_measurement": known.unit, "state_class": known.state_class}
    return config


def _device(thing: str, base: str, keys: list[str]) -> dict[str, Any]:
    components: dict[str, Any] = {}
    for key in keys:
        known = COMMON[key]
        own: dict[str, Any] = {"p": known.component, "name": _called(key), "uniq_id": f"{thing}_{key}"}
        own |= {"dev_cla": known.device_class, "val_tpl": f"{{{{ value_json['{key}'] }}}}"}
        if known.unit:
            own |= {"unit_of_meas": known.unit, "stat_cla": known.state_class}
        components[key] = own
    return {
        "~": base,
        "dev": {"ids": thing, "name": thing, "mf": "parkgate", "mdl": "simulated"},
        "o": {"name": "parkgate", "sw": "1"},
        "stat_t": "~/state",
        "avty_t": "~/availability",
        "cmps": components,
    }


def _called(key: str) -> str:
    return "CO2" if key == "co2" else key.capitalize()
