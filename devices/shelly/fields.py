"""The fields that most Shelly devices have; what has a number behind it, or is rarer, comes with its own name."""

from collections.abc import Mapping

from devices.spec.field import Field, Threshold

ONLINE = Field("online_flag", "1", "The device is connected to the broker", kind="flag", optional=True)
POWER = Field("power_w", "W", "Power drawn; below 0 what is fed in", minimum=-100_000, maximum=100_000, step=0.1,
              optional=True)  # fmt: skip
VOLTAGE = Field("voltage_v", "V", "Mains voltage", minimum=0, maximum=1000, step=0.1, optional=True)
CURRENT = Field("current_a", "A", "Current", minimum=-1000, maximum=1000, step=0.001, optional=True)
OUTPUT = Field("output_flag", "1", "Switched on", kind="flag", optional=True)
DEVICE_TEMPERATURE = Field("device_temperature_c", "Cel", "Temperature inside the device", minimum=-60, maximum=200,
                           step=0.1, optional=True)  # fmt: skip
TEMPERATURE = Field("temperature_c", "Cel", "Temperature", minimum=-60, maximum=200, step=0.1, optional=True)
HUMIDITY = Field("humidity_pct", "%", "Relative humidity", minimum=0, maximum=100, step=0.1, optional=True)
ILLUMINANCE = Field("illuminance_lx", "lx", "Illuminance", minimum=0, maximum=200_000, step=1, optional=True)
BATTERY = Field("battery_pct", "%", "Battery charge", minimum=0, maximum=100, step=1, optional=True,
                thresholds=(Threshold(0.0, "bad"), Threshold(10.0, "poor"), Threshold(25.0, "good")))  # fmt: skip
RSSI = Field("rssi_dbm", "dBm", "Strength of the Wi-Fi signal", minimum=-127, maximum=20, step=1, optional=True)
UPTIME = Field("uptime_s", "s", "Time since the device was started", minimum=0, maximum=1e10, step=1, optional=True,
               panel=False)  # fmt: skip

GEN2 = (
    OUTPUT,
    POWER,
    VOLTAGE,
    CURRENT,
    Field("apparent_power_va", "V.A", "Apparent power", minimum=0, maximum=100_000, step=0.1, optional=True),
    Field("power_factor", "1", "Power factor", minimum=-1, maximum=1, step=0.01, optional=True),
    Field("mains_frequency_hz", "Hz", "Frequency of the mains", minimum=0, maximum=1000, step=0.1, optional=True),
    Field("energy_wh", "W.h", "Energy drawn so far", minimum=0, maximum=1e12, step=0.001, optional=True),
    Field("returned_energy_wh", "W.h", "Energy fed in so far", minimum=0, maximum=1e12, step=0.001, optional=True),
    Field("total_power_w", "W", "Power of all phases", minimum=-300_000, maximum=300_000, step=0.1, optional=True),
    Field("total_energy_wh", "W.h", "Energy of all phases so far", minimum=0, maximum=1e12, step=0.01, optional=True),
    DEVICE_TEMPERATURE,
    TEMPERATURE,
    HUMIDITY,
    ILLUMINANCE,
    Field("voltmeter_v", "V", "Voltage at the input of a voltmeter", minimum=-1000, maximum=1000, step=0.01,
          optional=True),
    Field("battery_v", "V", "Voltage of the battery", minimum=0, maximum=100, step=0.01, optional=True),
    BATTERY,
    Field("input_flag", "1", "The input is on", kind="flag", optional=True),
    Field("smoke_flag", "1", "Smoke", kind="flag", optional=True),
    Field("flood_flag", "1", "Water where none should be", kind="flag", optional=True),
    RSSI,
    UPTIME,
    ONLINE,
)  # fmt: skip

RAM_FREE = Field("ram_free_bytes", "By", "Memory that is free", minimum=0, maximum=10_000_000, step=1, optional=True,
                 panel=False)  # fmt: skip

GEN1 = (
    OUTPUT,
    POWER,
    Field("energy_w_min", "W.min", "Energy of a relay, a roller or a light since it was started", minimum=0,
          maximum=1e12, step=1, optional=True),
    Field("energy_wh", "W.h", "Energy of an energy meter so far", minimum=0, maximum=1e12, step=0.1, optional=True),
    Field("returned_energy_wh", "W.h", "Energy fed in so far", minimum=0, maximum=1e12, step=0.1, optional=True),
    VOLTAGE,
    CURRENT,
    Field("power_factor", "1", "Power factor", minimum=-1, maximum=1, step=0.01, optional=True),
    Field("overpower_flag", "1", "Switched off because of too much power", kind="flag", optional=True),
    DEVICE_TEMPERATURE,
    Field("overtemperature_flag", "1", "Too hot inside", kind="flag", optional=True),
    TEMPERATURE,
    HUMIDITY,
    ILLUMINANCE,
    Field("gas_ppm", "[ppm]", "Gas in the air", minimum=0, maximum=1_000_000, step=1, optional=True),
    Field("opening_flag", "1", "The door or window is open", kind="flag", optional=True),
    Field("tilt_deg", "deg", "Tilt of a door or window", minimum=-180, maximum=360, step=1, optional=True),
    Field("motion_flag", "1", "Somebody moves", kind="flag", optional=True),
    Field("flood_flag", "1", "Water where none should be", kind="flag", optional=True),
    Field("smoke_flag", "1", "Smoke", kind="flag", optional=True),
    Field("input_flag", "1", "The input is on", kind="flag", optional=True),
    Field("position_pct", "%", "How far a roller is open, or a valve", minimum=0, maximum=100, step=1, optional=True),
    BATTERY,
    RSSI,
    UPTIME,
    RAM_FREE,
    ONLINE,
)  # fmt: skip

GEN1_BY_NAME: Mapping[str, Field] = {field.name: field for field in GEN1}
BY_NAME: Mapping[str, Field] = {field.name: field for field in GEN2}
