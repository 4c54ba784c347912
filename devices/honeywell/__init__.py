"""Honeywell HPM particle sensors: frames, answers and commands that they share, one module a type."""
