"""MAVLink 1 and 2."""

from devices.mavlink.device import DEVICE

__all__ = ["DEVICE"]
