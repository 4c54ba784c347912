"""Winsen CO2 sensors: one question and answer, one module a type."""
