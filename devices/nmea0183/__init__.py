"""NMEA 0183: satellite receivers, and instruments on board."""

from devices.nmea0183.device import DEVICE

__all__ = ["DEVICE"]
