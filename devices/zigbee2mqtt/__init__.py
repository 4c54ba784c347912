"""Zigbee2MQTT: a bridge that says at run time what its devices' values are called, and in which units."""

from devices.zigbee2mqtt.device import DEVICE
from devices.zigbee2mqtt.encode import exposes, listed

__all__ = ["DEVICE", "exposes", "listed"]
