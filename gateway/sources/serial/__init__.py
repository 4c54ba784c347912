"""Serial ports, local (tty, by-id) and over TCP (socket://, rfc2217://)."""

from gateway.sources.serial.source import SerialSource

__all__ = ["SerialSource"]
