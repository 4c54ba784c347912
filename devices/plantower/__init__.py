"""Plantower particle sensors: one frame format, one module a type."""
