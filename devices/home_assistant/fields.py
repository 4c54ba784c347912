"""The fields of what most tools announce, and how they announce them."""

from collections.abc import Mapping
from typing import NamedTuple

from devices.spec.field import Field, Threshold


class Common(NamedTuple):
    """A field, and what an announcement says of it. `binary` is the component binary_sensor."""

    field: Field
    device_class: str
    unit: str = ""
    state_class: str = "measurement"

    @property
    def component(self) -> str:
        return "binary_sensor" if self.field.kind == "flag" else "sensor"


TEMPERATURE = Field("temperature_c", "Cel", "Temperature", minimum=-60, maximum=150, step=0.01, optional=True)
ONLINE = Field("online_flag", "1", "The device can be reached", kind="flag", optional=True)

_LEVELS = (Threshold(0.0, "bad"), Threshold(10.0, "poor"), Threshold(25.0, "good"))

COMMON: Mapping[str, Common] = {
    "temperature": Common(TEMPERATURE, "temperature", "°C"),
    "humidity": Common(Field("humidity_pct", "%", "Relative humidity", minimum=0, maximum=100, step=0.1,
                             optional=True), "humidity", "%"),
    "pressure": Common(Field("pressure_hpa", "hPa", "Air pressure", minimum=300, maximum=1200, step=0.1,
                             optional=True), "atmospheric_pressure", "hPa"),
    "battery": Common(Field("battery_pct", "%", "Battery charge", minimum=0, maximum=100, step=0.5, optional=True,
                            thresholds=_LEVELS), "battery", "%"),
    "illuminance": Common(Field("illuminance_lx", "lx", "Illuminance", minimum=0, maximum=200_000, step=1,
                                optional=True), "illuminance", "lx"),
    "power": Common(Field("power_w", "W", "Power drawn; below 0 what is fed in", minimum=-100_000, maximum=100_000,
                          step=0.1, optional=True), "power", "W"),
    "voltage": Common(Field("voltage_v", "V", "Voltage", minimum=0, maximum=1000, step=0.1, optional=True),
                      "voltage", "V"),
    "energy": Common(Field("energy_kwh", "kW.h", "Energy drawn so far", minimum=0, maximum=10_000_000, step=0.001,
                           optional=True), "energy", "kWh", "total_increasing"),
    "co2": Common(Field("co2_ppm", "[ppm]", "Carbon dioxide", minimum=0, maximum=100_000, step=1, optional=True),
                  "carbon_dioxide", "ppm"),
    "door": Common(Field("door_flag", "1", "The door is open", kind="flag", optional=True), "door"),
    "motion": Common(Field("motion_flag", "1", "Somebody moves", kind="flag", optional=True), "motion"),
}  # fmt: skip
"""Keys of a state to fields, as the simulated tool says them."""

FIELDS = (
    *(each.field for each in COMMON.values()),
    ONLINE,
    Field("entity_count", "1", "Entities that the device announces", minimum=0, maximum=10_000, step=1, optional=True,
          panel=False),
)  # fmt: skip
