"""Tasmota: switches, plugs and sensors whose values come nested by sensor."""

from devices.tasmota.device import DEVICE
from devices.tasmota.encode import topic_beside

__all__ = ["DEVICE", "topic_beside"]
