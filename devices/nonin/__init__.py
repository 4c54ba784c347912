"""Nonin pulse oximeters: one module a serial format."""
