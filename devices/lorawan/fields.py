"""What a LoRaWAN thing behind a network server is expected to say.

The listed quantities have a range, a step and a place on the boards; a payload formatter may
bring any other. Ranges are those of the usual instruments and of LoRaWAN itself.

Sources of the thresholds stand with them.
"""

from collections.abc import Mapping

from devices.spec.field import Field, Threshold

FIELDS = (
    Field("f_port", "1", "LoRaWAN port of the application", kind="counter",
          minimum=0, maximum=255, step=1, panel=False),
    Field("f_cnt", "1", "LoRaWAN frame counter, counting uplinks since the join", kind="counter",
          minimum=0, maximum=(1 << 32) - 1, step=1, panel=False),
    Field("temperature_c", "Cel", "Air temperature", minimum=-60.0, maximum=80.0, step=0.1, optional=True),
    Field("humidity_pct", "%", "Relative humidity of the air", minimum=0.0, maximum=100.0, step=0.1, optional=True),
    Field("pressure_hpa", "hPa", "Air pressure", minimum=300.0, maximum=1100.0, step=0.1, optional=True),
    Field("co2_ppm", "[ppm]", "Carbon dioxide; levels of the German Umweltbundesamt (2008)",
          minimum=0.0, maximum=10_000.0, step=1.0, optional=True,
          thresholds=(Threshold(0.0, "good"), Threshold(1000.0, "fair"), Threshold(2000.0, "bad"))),
    Field("pm2_5_ug_m3", "ug/m3", "Particles up to 2.5 um; from the 24 h guideline and interim targets of WHO (2021)",
          minimum=0.0, maximum=1000.0, step=0.1, optional=True,
          thresholds=(Threshold(0.0, "good"), Threshold(15.0, "fair"), Threshold(37.5, "poor"),
                      Threshold(75.0, "bad"))),
    Field("noise_dba", "dB[A]", "Sound level; moderate and serious annoyance outdoors by WHO (1999)",
          minimum=0.0, maximum=140.0, step=0.1, optional=True,
          thresholds=(Threshold(0.0, "good"), Threshold(50.0, "fair"), Threshold(55.0, "poor"),
                      Threshold(70.0, "bad"))),
    Field("illuminance_lx", "lx", "Light on the sensor", minimum=0.0, maximum=200_000.0, step=1.0, optional=True),
    Field("soil_moisture_pct", "%", "Volumetric water content of the soil",
          minimum=0.0, maximum=100.0, step=0.1, optional=True),
    Field("soil_temperature_c", "Cel", "Temperature of the soil", minimum=-40.0, maximum=80.0, step=0.1, optional=True),
    Field("wind_m_s", "m/s", "Wind speed", minimum=0.0, maximum=75.0, step=0.1, optional=True),
    Field("battery_v", "V", "Battery voltage", minimum=0.0, maximum=60.0, step=0.001, optional=True),
    Field("battery_pct", "%", "Battery charge", minimum=0.0, maximum=100.0, step=0.1, optional=True),
    Field("rssi_dbm", "dBm", "Signal strength at the gateway that heard it best",
          minimum=-180.0, maximum=20.0, step=1.0, optional=True),
    Field("snr_db", "dB", "Signal to noise ratio at that gateway",
          minimum=-40.0, maximum=40.0, step=0.1, optional=True),
    Field("gateways", "1", "Gateways that heard the uplink; absent where none is listed", kind="counter",
          minimum=1, maximum=64, step=1),
    Field("spreading_factor", "1", "LoRa spreading factor", kind="counter",
          minimum=5, maximum=12, step=1, optional=True),
    Field("bandwidth_hz", "Hz", "LoRa bandwidth", minimum=7800.0, maximum=1_625_000.0, step=1.0,
          optional=True, panel=False),
    Field("frequency_hz", "Hz", "Carrier frequency", minimum=137e6, maximum=2.5e9, step=1.0,
          optional=True, panel=False),
    Field("airtime_s", "s", "Time the uplink was on the air", minimum=0.0, maximum=10.0, step=1e-6,
          optional=True, panel=False),
    Field("latitude_deg", "deg", "Latitude, WGS 84, north positive",
          minimum=-90.0, maximum=90.0, step=1e-7, optional=True, panel=False),
    Field("longitude_deg", "deg", "Longitude, WGS 84, east positive",
          minimum=-180.0, maximum=180.0, step=1e-7, optional=True, panel=False),
    Field("altitude_m", "m", "Altitude above mean sea level",
          minimum=-1000.0, maximum=20_000.0, step=0.1, optional=True, panel=False),
)  # fmt: skip

WIRE: Mapping[str, str] = {
    "temperature_c": "temperature",
    "humidity_pct": "humidity",
    "pressure_hpa": "barometric_pressure",
    "co2_ppm": "co2",
    "pm2_5_ug_m3": "pm2_5",
    "noise_dba": "laeq",
    "illuminance_lx": "illuminance",
    "soil_moisture_pct": "soil_moisture",
    "soil_temperature_c": "soil_temperature",
    "wind_m_s": "wind_speed",
    "battery_v": "battery_voltage",
    "battery_pct": "battery_percentage",
    "latitude_deg": "latitude",
    "longitude_deg": "longitude",
    "altitude_m": "altitude",
}
"""Field to the name that a payload formatter gives it."""
