"""The fields of Homie devices that are the same for all; those of properties have the names of node and property.

`station_…` are those of the weather station that is simulated: one property, a JSON object.
"""

from collections.abc import Mapping

from devices.spec.field import Field

STATES = ("init", "ready", "disconnected", "sleeping", "lost", "alert")
"""Of `$state`; alert is of versions 3 and 4."""

ONLINE = Field("online_flag", "1", "The device is neither disconnected nor lost", kind="flag", optional=True)
HUMIDITY = Field("station_humidity_pct", "%", "Relative humidity (station)", minimum=0, maximum=100, step=0.1,
                 optional=True)  # fmt: skip


def _stat(name: str, unit: str, description: str, maximum: float, minimum: float = 0.0, step: float = 1.0) -> Field:
    return Field(f"stats_{name}", unit, description, minimum=minimum, maximum=maximum, step=step, optional=True,
                 panel=False)  # fmt: skip


STATS: Mapping[str, Field] = {
    "uptime": _stat("uptime_s", "s", "Time since the device was started", 1e10),
    "signal": _stat("signal_pct", "%", "Strength of the signal", 100),
    "cputemp": _stat("cpu_temperature_c", "Cel", "Temperature of the processor", 200, -60, 0.1),
    "cpuload": _stat("cpu_load_pct", "%", "Load of the processor", 10_000, step=0.1),
    "battery": _stat("battery_pct", "%", "Battery charge", 100),
    "freeheap": _stat("free_heap_bytes", "By", "Memory that is free", 1e12),
    "supply": _stat("supply_v", "V", "Supply voltage", 1000, step=0.01),
}
"""Of `$stats` (extension of version 4)."""

FIELDS = (
    Field("device_state", "1", "Where the device is in its life", kind="state", states=STATES, optional=True),
    ONLINE,
    Field("property_count", "1", "Properties that the device describes", minimum=0, maximum=1000, step=1,
          optional=True, panel=False),
    Field("station_temperature_c", "Cel", "Air temperature (station)", minimum=-60, maximum=85, step=0.1,
          optional=True),
    HUMIDITY,
    Field("station_pressure_hpa", "hPa", "Air pressure (station)", minimum=300, maximum=1100, step=0.1, optional=True),
    *STATS.values(),
)  # fmt: skip
