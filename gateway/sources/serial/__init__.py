"""Serial ports, local (tty, by-id) and over TCP (socket://, rfc2217://)."""

from gateway.sources.serial.asked import Asked
from gateway.sources.serial.listing import Present, absent, present
from gateway.sources.serial.polled import PolledSource
from gateway.sources.serial.port import has_framing
from gateway.sources.serial.source import SerialSource
from gateway.sources.serial.told import Order

__all__ = ["Asked", "Order", "PolledSource", "Present", "SerialSource", "absent", "has_framing", "present"]
