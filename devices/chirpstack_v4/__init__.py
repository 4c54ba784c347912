"""ChirpStack v4: LoRaWAN uplinks and events as JSON."""

from devices.chirpstack_v4.device import DEVICE

__all__ = ["DEVICE"]
