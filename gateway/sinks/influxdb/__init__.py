"""InfluxDB 1.x, 2.x and 3 over HTTP."""

from gateway.sinks.influxdb.sink import InfluxSink

__all__ = ["InfluxSink"]
