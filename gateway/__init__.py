"""The gateway: bytes in from serial ports and MQTT, points out, nothing lost between."""

__version__ = "0.1.0"
