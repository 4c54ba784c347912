"""Simulated devices: the same bytes through the same descriptions."""
