"""VDA 5050: what automated guided vehicles say."""

from devices.vda5050.actions import beside, states, version_of
from devices.vda5050.device import DEVICE

__all__ = ["DEVICE", "beside", "states", "version_of"]
