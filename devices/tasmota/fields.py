"""The fields that most Tasmota modules have; those of sensors come with their names, see `keys`."""

from collections.abc import Mapping

from devices.spec.field import Field

ONLINE = Field("online_flag", "1", "The module is connected to the broker", kind="flag", optional=True)
POWER = Field("power_w", "W", "Power drawn; below 0 what is fed in", minimum=-100_000, maximum=100_000, step=0.1,
              optional=True)  # fmt: skip

FIELDS = (
    POWER,
    Field("voltage_v", "V", "Mains voltage", minimum=0, maximum=1000, step=0.1, optional=True),
    Field("current_a", "A", "Current", minimum=-1000, maximum=1000, step=0.001, optional=True),
    Field("apparent_power_va", "V.A", "Apparent power", minimum=0, maximum=100_000, step=0.1, optional=True),
    Field("reactive_power_var", "var", "Reactive power", minimum=-100_000, maximum=100_000, step=0.1, optional=True),
    Field("power_factor", "1", "Power factor", minimum=-1, maximum=1, step=0.01, optional=True),
    Field("energy_total_kwh", "kW.h", "Energy since counting began", minimum=0, maximum=10_000_000, step=0.001,
          optional=True),
    Field("energy_today_kwh", "kW.h", "Energy since midnight", minimum=0, maximum=100_000, step=0.001, optional=True),
    Field("energy_yesterday_kwh", "kW.h", "Energy of yesterday", minimum=0, maximum=100_000, step=0.001,
          optional=True),
    Field("bme280_temperature_c", "Cel", "Air temperature (BME280)", minimum=-40, maximum=85, step=0.1, optional=True),
    Field("bme280_humidity_pct", "%", "Relative humidity (BME280)", minimum=0, maximum=100, step=0.1, optional=True),
    Field("bme280_pressure_hpa", "hPa", "Air pressure (BME280)", minimum=300, maximum=1100, step=0.1, optional=True),
    Field("power_flag", "1", "The relay is on", kind="flag", optional=True),
    Field("uptime_s", "s", "Time since the module was started", minimum=0, maximum=1e10, step=1, optional=True,
          panel=False),
    Field("rssi_dbm", "dBm", "Strength of the Wi-Fi signal", minimum=-127, maximum=31, step=1, optional=True),
    Field("wifi_quality_pct", "%", "Quality of the Wi-Fi signal", minimum=0, maximum=100, step=1, optional=True,
          panel=False),
    ONLINE,
)  # fmt: skip

BY_NAME: Mapping[str, Field] = {field.name: field for field in FIELDS}
