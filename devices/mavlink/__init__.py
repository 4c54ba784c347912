"""MAVLink 1 and 2."""

from devices.mavlink.commands import REQUEST_MESSAGE, SET_MODE, ack
from devices.mavlink.device import DEVICE

__all__ = ["DEVICE", "REQUEST_MESSAGE", "SET_MODE", "ack"]
