"""The Things Stack v3: LoRaWAN uplinks and events as JSON."""

from devices.ttn_v3.device import DEVICE

__all__ = ["DEVICE"]
