"""What Zigbee2MQTT calls its values, and what they are called here.

A value's name is that of its property, as `devices.spec.names` has it: `temperature` in `°C` is
`temperature_c`, `power_l1` in `W` is `power_l1_w`; lqi is no unit.

`COMMON` are properties that mean the same for every device (the presets of the converters), for what
is read without the bridge's list and for what is simulated.

Source: zigbee2mqtt.io, "Exposes"; zigbee-herdsman-converters, src/lib/exposes.ts (presets).
"""

from collections.abc import Mapping

from devices.spec.field import Field, Threshold

LINKQUALITY = Field("linkquality", "1", "Link quality of the last message (lqi)", minimum=0, maximum=255, step=1)
AVAILABLE = Field("available_flag", "1", "The device, or the bridge itself, can be reached", kind="flag", optional=True)

_BATTERY_LEVELS = (Threshold(0.0, "bad"), Threshold(10.0, "poor"), Threshold(25.0, "good"))

COMMON: Mapping[str, Field] = {
    "linkquality": LINKQUALITY,
    "temperature": Field("temperature_c", "Cel", "Temperature", minimum=-60, maximum=150, step=0.01, optional=True),
    "humidity": Field("humidity_pct", "%", "Relative humidity", minimum=0, maximum=100, step=0.01, optional=True),
    "pressure": Field("pressure_hpa", "hPa", "Air pressure", minimum=300, maximum=1200, step=0.1, optional=True),
    "battery": Field("battery_pct", "%", "Battery charge", minimum=0, maximum=100, step=0.5, optional=True,
                     thresholds=_BATTERY_LEVELS),
    "illuminance": Field("illuminance_lx", "lx", "Illuminance", minimum=0, maximum=200_000, step=1, optional=True),
    "power": Field("power_w", "W", "Power drawn; below 0 what is fed in", minimum=-20_000, maximum=20_000, step=0.1,
                   optional=True),
    "current": Field("current_a", "A", "Current", minimum=-100, maximum=100, step=0.001, optional=True),
    "energy": Field("energy_kwh", "kW.h", "Energy drawn so far", minimum=0, maximum=1_000_000, step=0.001,
                    optional=True),
    "co2": Field("co2_ppm", "[ppm]", "Carbon dioxide", minimum=0, maximum=10_000, step=1, optional=True),
    "pm25": Field("pm2_5_ug_m3", "ug/m3", "Particles up to 2.5 µm", minimum=0, maximum=1000, step=1, optional=True),
    "soil_moisture": Field("soil_moisture_pct", "%", "Soil moisture", minimum=0, maximum=100, step=0.1, optional=True),
    "contact": Field("contact_flag", "1", "The door or window is closed", kind="flag", optional=True),
    "occupancy": Field("occupancy_flag", "1", "Somebody is there", kind="flag", optional=True),
    "water_leak": Field("water_leak_flag", "1", "Water where none should be", kind="flag", optional=True),
    "state": Field("state_flag", "1", "Switched on", kind="flag", optional=True),
    "action": Field("action_text", "1", "What was done to a button last", kind="text", optional=True),
}  # fmt: skip
"""Property to field."""

UNITS_OF: Mapping[str, str] = {
    "linkquality": "lqi", "temperature": "°C", "humidity": "%", "pressure": "hPa", "battery": "%", "illuminance": "lx",
    "power": "W", "current": "A", "energy": "kWh", "co2": "ppm", "pm25": "µg/m³", "soil_moisture": "%",
}  # fmt: skip
"""As the bridge writes them."""

FIELDS = (
    *COMMON.values(),
    AVAILABLE,
    Field("device_count", "1", "Devices that the bridge lists", minimum=0, maximum=10_000, step=1, optional=True,
          panel=False),
    Field("group_count", "1", "Groups that the bridge lists", minimum=0, maximum=10_000, step=1, optional=True,
          panel=False),
)  # fmt: skip
