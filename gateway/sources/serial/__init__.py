"""Serial ports, local (tty, by-id) and over TCP (socket://, rfc2217://)."""

from gateway.sources.serial.asked import Asked
from gateway.sources.serial.polled import PolledSource
from gateway.sources.serial.source import SerialSource

__all__ = ["Asked", "PolledSource", "SerialSource"]
