"""What a Tasmota module publishes for a reading: the inverse of `keys`.

A field that has no key stands in the object under its own name, where it is read as it is.

Source: tasmota.github.io/docs, "MQTT".
"""

from collections.abc import Mapping
from typing import Any

from msgspec import json as msgjson

from devices.spec.errors import EncodeError
from devices.spec.events import Reading, Value
from devices.spec.names import number_name
from devices.tasmota.fields import ONLINE
from devices.tasmota.keys import ENERGY, KEYS, UNITS_SAID, WIFI, Key

PREFIXES = ("tele", "stat", "cmnd")

_SENSOR = "BME280"


def _named(table: Mapping[str, Key], prefix: str = "") -> dict[str, str]:
    return {number_name(prefix + key.stem, UNITS_SAID.get(key.unit, key.unit)): name for name, key in table.items()}


_ENERGY, _WIFI, _OWN = _named(ENERGY), _named(WIFI), _named(KEYS)
_OF_SENSOR = _named(KEYS, _SENSOR.lower() + "_")


def encode(reading: Reading) -> bytes:
    """A SENSOR or a STATE; with `online_flag` alone a last will's word."""
    if not reading.fields:
        raise EncodeError("tasmota: a message needs values")
    if reading.fields.keys() == {ONLINE.name}:
        return b"Online" if reading.fields[ONLINE.name] else b"Offline"
    message: dict[str, Any] = {}
    units: dict[str, str] = {}
    for name, value in reading.fields.items():
        if name == ONLINE.name:
            continue
        if name in _ENERGY:
            message.setdefault("ENERGY", {})[_ENERGY[name]] = _plain(value)
        elif name in _WIFI:
            message.setdefault("Wifi", {})[_WIFI[name]] = _plain(value)
        elif name in _OF_SENSOR:
            key = _OF_SENSOR[name]
            message.setdefault(_SENSOR, {})[key] = _plain(value)
            if KEYS[key].unit in UNITS_SAID:
                units[KEYS[key].unit] = UNITS_SAID[KEYS[key].unit]
        elif isinstance(value, bool):
            key = name.removesuffix("_flag")
            message[key.upper() if key == "power" else key] = "ON" if value else "OFF"
        else:
            message[_OWN.get(name, name)] = _plain(value)
    return msgjson.encode(message | units)


def topic_beside(topic: str, prefix: str, last: str) -> str:
    """The topic of the same module with another prefix and last level: `tele/lamp/SENSOR` to `stat/lamp/RESULT`."""
    levels = topic.split("/")[:-1]
    at = next((place for place, level in enumerate(levels) if level in PREFIXES), None)
    if at is None:
        return "/".join((*levels, last))
    return "/".join((*levels[:at], prefix, *levels[at + 1 :], last))


def _plain(value: Value) -> Value:
    """A whole number is written without a point."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
