"""What Tasmota calls its values, in which units, and what they are called here.

    {"AM2301": {"Temperature": 21.5}}               am2301_temperature_c
    {"DS18B20-2": {"Id": "0119", "Temperature": 3}} ds18b20_2_temperature_c, ds18b20_2_id_text
    {"TX23": {"Speed": {"Act": 14.8}}}              tx23_speed_act_km_h
    {"ANALOG": {"Temperature2": 2.4}}               analog_temperature2_c
    {"ENERGY": {"Power": [5, 7]}}                   power_1_w, power_2_w
    {"POWER2": "ON", "Switch1": "OFF"}              power2_flag, switch1_flag

The rule: the names from the outermost inwards, joined by `_`, then the unit. ENERGY is left out, for a module has
one; its keys have the names of other meters (ENERGY below). A place in a list counts from 1. A key in KEYS
has the unit named there, also with a number behind it (`Temperature2`) and for all that is nested in it
(`Speed.Act`); any other key has none.

Units of temperature, pressure and speed are what the payload says beside the sensors: `TempUnit` (C or F),
`PressureUnit` (hPa, mmHg, inHg), `SpeedUnit` (km/h, m/s, kn, mph, ft/s, yd/s); without them °C, hPa and km/h, the
firmware's defaults.

Source: tasmota.github.io/docs, "MQTT", "JSON Status Responses", "Power Monitoring" and the pages of the sensors
(AS3935, CHIRP, SPS30, MLX90614 among them); names of keys: arendst/Tasmota, tasmota/include/i18n.h; units also
emontnemery/hatasmota, hatasmota/sensor.py.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from devices.spec.names import snake

TEMPERATURE, PRESSURE, SPEED = "TempUnit", "PressureUnit", "SpeedUnit"
UNITS_SAID: Mapping[str, str] = {TEMPERATURE: "C", PRESSURE: "hPa", SPEED: "km/h"}
"""Keys that name a unit, and what it is where they are not there."""

SPEEDS: Mapping[str, str] = {
    "km/h": "km/h", "m/s": "m/s", "kn": "[kn_i]", "kt": "[kn_i]", "mph": "[mi_i]/h", "mi/h": "[mi_i]/h",
    "ft/s": "[ft_i]/s", "yd/s": "[yd_i]/s",
}  # fmt: skip


class Key(NamedTuple):
    """A quantity in lower snake, and its unit: a UCUM code, a key of UNITS_SAID, or a unit of no code as it is."""

    stem: str
    unit: str = ""


KEYS: Mapping[str, Key] = {
    "Temperature": Key("temperature", TEMPERATURE), "DewPoint": Key("dew_point", TEMPERATURE),
    "ProbeTemperature": Key("probe_temperature", TEMPERATURE), "HeatIndex": Key("heat_index", TEMPERATURE),
    "ReferenceTemperature": Key("reference_temperature", TEMPERATURE),
    "ChipTemperature": Key("chip_temperature", TEMPERATURE), "WetBulb": Key("wet_bulb", TEMPERATURE),
    "Pressure": Key("pressure", PRESSURE), "SeaPressure": Key("sea_pressure", PRESSURE),
    "Humidity": Key("humidity", "%"), "Moisture": Key("moisture", "%"), "aHumidity": Key("absolute_humidity", "g/m³"),
    "Illuminance": Key("illuminance", "lx"), "Ambient": Key("ambient", "lx"), "Lux": Key("illuminance", "lx"),
    "CarbonDioxide": Key("co2", "[ppm]"), "CO2": Key("co2", "[ppm]"), "eCO2": Key("eco2", "[ppm]"),
    "TVOC": Key("tvoc", "[ppb]"), "AirQuality": Key("air_quality", "%"), "Gas": Key("gas", "kOhm"),
    "PM1": Key("pm1_0", "ug/m3"), "PM2.5": Key("pm2_5", "ug/m3"), "PM4": Key("pm4_0", "ug/m3"),
    "PM10": Key("pm10", "ug/m3"), "PM1_0": Key("pm1_0", "ug/m3"), "PM2_5": Key("pm2_5", "ug/m3"),
    "PM4_0": Key("pm4_0", "ug/m3"), "NCPM0_5": Key("particles_below_0_5um", "/cm3"),
    "NCPM1_0": Key("particles_below_1_0um", "/cm3"), "NCPM2_5": Key("particles_below_2_5um", "/cm3"),
    "NCPM4_0": Key("particles_below_4_0um", "/cm3"), "NCPM10": Key("particles_below_10um", "/cm3"),
    "TYPSIZ": Key("typical_size", "um"), "OBJTMP": Key("object_temperature", TEMPERATURE),
    "AMBTMP": Key("ambient_temperature", TEMPERATURE), "RSSI": Key("rssi", "dBm"),
    "Latitude": Key("latitude", "deg"), "Longitude": Key("longitude", "deg"),
    "CF1": Key("pm1_0_cf1", "ug/m3"), "CF2.5": Key("pm2_5_cf1", "ug/m3"),
    "CF10": Key("pm10_cf1", "ug/m3"), "PB0.3": Key("particles_0_3um", "/dL"), "PB0.5": Key("particles_0_5um", "/dL"),
    "PB1": Key("particles_1_0um", "/dL"), "PB2.5": Key("particles_2_5um", "/dL"),
    "PB5": Key("particles_5_0um", "/dL"), "PB10": Key("particles_10um", "/dL"),
    "Distance": Key("distance", "cm"), "Weight": Key("weight", "kg"), "Noise": Key("noise", "dB"),
    "Voltage": Key("voltage", "V"), "Current": Key("current", "A"), "Power": Key("power", "W"),
    "Energy": Key("energy", "kW.h"), "Frequency": Key("frequency", "Hz"), "Resistance": Key("resistance", "Ohm"),
    "ApparentPower": Key("apparent_power", "V.A"), "ReactivePower": Key("reactive_power", "var"),
    "Factor": Key("power_factor"), "PhaseAngle": Key("phase_angle", "deg"),
    "Battery": Key("battery", "%"), "BatteryPercentage": Key("battery", "%"),
    "BatteryVoltage": Key("battery", "V"), "Vcc": Key("vcc", "V"),
    "UvPower": Key("uv_power", "W/m2"), "UvIndex": Key("uv_index"), "UvLevel": Key("uv_level"),
    "CCT": Key("colour_temperature", "K"), "pH": Key("ph", "[pH]"), "ORP": Key("orp", "mV"),
    "EC": Key("conductivity", "uS/cm"), "DisolvedOxygen": Key("dissolved_oxygen", "mg/L"),
    "Speed": Key("speed", SPEED), "SpeedAvg": Key("speed_avg", SPEED), "SpeedMin": Key("speed_min", SPEED),
    "SpeedMax": Key("speed_max", SPEED), "Dir": Key("dir", "deg"), "Direction": Key("direction"),
    "Dimmer": Key("dimmer", "%"), "White": Key("white", "%"), "CT": Key("colour_temperature", "mired"),
    "UptimeSec": Key("uptime", "s"), "Heap": Key("heap", "KiB"), "Sleep": Key("sleep", "ms"),
    "LinkQuality": Key("linkquality"), "Position": Key("position", "%"), "Target": Key("target", "%"),
    "Tilt": Key("tilt", "deg"),
}  # fmt: skip
"""Keys of any sensor, and of the module itself."""

OWN: Mapping[str, Mapping[str, Key]] = {
    "AS3935": {"Distance": Key("distance", "km"), "Energy": Key("energy")},
    "CHIRP1": {"Moisture": Key("moisture")},
}
"""Keys that mean something else in one sensor: how far a lightning is and a number for its energy; a raw number for
the moisture of soil."""

ENERGY: Mapping[str, Key] = {
    "Total": Key("energy_total", "kW.h"), "Today": Key("energy_today", "kW.h"),
    "Yesterday": Key("energy_yesterday", "kW.h"), "Period": Key("energy_period", "W.h"),
    "TotalTariff": Key("energy_tariff", "kW.h"), "ExportTariff": Key("energy_export_tariff", "kW.h"),
    "ImportActive": Key("energy_import", "kW.h"), "ExportActive": Key("energy_export", "kW.h"),
    "ImportReactive": Key("reactive_energy_import", "kvar.h"),
    "ExportReactive": Key("reactive_energy_export", "kvar.h"), "TotalReactive": Key("reactive_energy_total", "kvar.h"),
    "TotalActive": Key("energy_total_active", "kW.h"), "TodaySumImport": Key("energy_today_import", "kW.h"),
    "TodaySumExport": Key("energy_today_export", "kW.h"), "ActivePower": Key("active_power", "W"),
    "MaxPower": Key("power_max", "W"), "ImportPower": Key("power_import", "W"),
    "ExportPower": Key("power_export", "W"), "SolarPower": Key("solar_power", "W"),
    "CurrentNeutral": Key("current_neutral", "A"), "Frequency": Key("mains_frequency", "Hz"),
    "Power": KEYS["Power"], "Voltage": KEYS["Voltage"], "Current": KEYS["Current"], "Factor": KEYS["Factor"],
    "ApparentPower": KEYS["ApparentPower"], "ReactivePower": KEYS["ReactivePower"], "PhaseAngle": KEYS["PhaseAngle"],
    "Temperature": KEYS["Temperature"],
}  # fmt: skip
"""Keys of ENERGY."""

WIFI: Mapping[str, Key] = {
    "RSSI": Key("wifi_quality", "%"), "Signal": Key("rssi", "dBm"), "LinkCount": Key("wifi_link_count"),
    "Channel": Key("wifi_channel"), "AP": Key("wifi_ap"), "Mode": Key("wifi_mode"), "Downtime": Key("wifi_downtime"),
}  # fmt: skip
"""Keys of Wifi; RSSI is a quality of 0 to 100 %, Signal is in dBm. The others say where the module is."""

LEFT_OUT = frozenset(
    ("Time", "Uptime", "TotalStartTime", "SSId", "BSSId", "Hostname", "IPAddress", *UNITS_SAID, "Epoch", "Modified")
)
"""Keys that are no values: times, names of networks, and what is said beside (`UptimeSec` has the uptime)."""

_NUMBERED = re.compile(r"(.*?[A-Za-z])(\d{1,3})")
_APART = re.compile(r"[^a-z0-9]+")


@lru_cache(1024)
def sensor(name: str) -> str:
    """The stem of a sensor's name: `DS18B20-1` is `ds18b20_1`."""
    return _APART.sub("_", name[:64].lower()).strip("_") or "value"


def find(table: Mapping[str, Key], name: str) -> Key | None:
    """The entry of a key, which may have a number behind it; None where there is none."""
    found = table.get(name)
    if found is None and name[-1:].isdigit():
        numbered = _NUMBERED.fullmatch(name)
        base = table.get(numbered[1]) if numbered is not None else None
        if base is not None and numbered is not None:
            found = Key(base.stem + numbered[2], base.unit)
    return found


def plain_stem(name: str) -> str:
    """The stem of a key that is in no table."""
    return sensor(name) if name.isupper() or name[-1:].isdigit() else snake(name)
