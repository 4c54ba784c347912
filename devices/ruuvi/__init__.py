"""Ruuvi: sensors that advertise over Bluetooth, as gateways pass them on."""

from devices.ruuvi.device import DEVICE

__all__ = ["DEVICE"]
