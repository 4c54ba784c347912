"""Homie: devices that describe themselves, each value on a topic of its own."""

from devices.homie.describe import description, placed
from devices.homie.device import DEVICE

__all__ = ["DEVICE", "description", "placed"]
