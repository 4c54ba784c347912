"""Home Assistant's MQTT discovery, as a reader: what any tool announces is decoded by what it says of itself."""

from devices.home_assistant.device import DEVICE

__all__ = ["DEVICE"]
