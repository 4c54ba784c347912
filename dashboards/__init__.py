"""Grafana dashboards, built from the device types."""
