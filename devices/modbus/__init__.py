"""Modbus RTU: one frame format, one module a type."""
