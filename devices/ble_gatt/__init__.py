"""Values of Bluetooth GATT characteristics, forwarded over MQTT."""

from devices.ble_gatt.device import DEVICE
from devices.ble_gatt.topics import of_topic

__all__ = ["DEVICE", "of_topic"]
