"""The quantities of a park that a SenML sensor is expected to name, and how each is sent.

Any other name is taken as well; these have a range, a step, a description and a place on the
boards. Ranges are those of the usual instruments, not of one model.

Sources of the thresholds stand with them; units sent are those of RFC 8428 and RFC 8798.
"""

from devices.spec.field import Field, Threshold

FIELDS = (
    Field("temperature_c", "Cel", "Air temperature", minimum=-60.0, maximum=80.0, step=0.01, optional=True),
    Field("humidity_pct", "%", "Relative humidity of the air", minimum=0.0, maximum=100.0, step=0.01, optional=True),
    Field("pressure_hpa", "hPa", "Air pressure", minimum=300.0, maximum=1100.0, step=0.01, optional=True),
    Field(
        "co2_ppm", "[ppm]", "Carbon dioxide; levels of the German Umweltbundesamt (2008)",
        minimum=0.0, maximum=10_000.0, step=1.0, optional=True,
        thresholds=(Threshold(0.0, "good"), Threshold(1000.0, "fair"), Threshold(2000.0, "bad")),
    ),
    Field(
        "pm2_5_ug_m3", "ug/m3", "Particles up to 2.5 um; from the 24 h guideline and interim targets of WHO (2021)",
        minimum=0.0, maximum=1000.0, step=0.1, optional=True,
        thresholds=(
            Threshold(0.0, "good"), Threshold(15.0, "fair"), Threshold(37.5, "poor"), Threshold(75.0, "bad"),
        ),
    ),
    Field(
        "pm10_ug_m3", "ug/m3", "Particles up to 10 um; from the 24 h guideline and interim targets of WHO (2021)",
        minimum=0.0, maximum=2000.0, step=0.1, optional=True,
        thresholds=(
            Threshold(0.0, "good"), Threshold(45.0, "fair"), Threshold(75.0, "poor"), Threshold(150.0, "bad"),
        ),
    ),
    Field(
        "noise_dba", "dB[A]", "Sound level; moderate and serious annoyance outdoors by WHO (1999)",
        minimum=0.0, maximum=140.0, step=0.1, optional=True,
        thresholds=(
            Threshold(0.0, "good"), Threshold(50.0, "fair"), Threshold(55.0, "poor"), Threshold(70.0, "bad"),
        ),
    ),
    Field("illuminance_lx", "lx", "Light on the sensor", minimum=0.0, maximum=200_000.0, step=0.1, optional=True),
    Field("soil_moisture_pct", "%", "Volumetric water content of the soil",
          minimum=0.0, maximum=100.0, step=0.1, optional=True),
    Field("soil_temperature_c", "Cel", "Temperature of the soil",
          minimum=-40.0, maximum=80.0, step=0.01, optional=True),
    Field("soil_conductivity_us_cm", "uS/cm", "Electrical conductivity of the soil",
          minimum=0.0, maximum=20_000.0, step=1.0, optional=True),
    Field("wind_m_s", "m/s", "Wind speed", minimum=0.0, maximum=75.0, step=0.01, optional=True),
    Field("wind_direction_deg", "deg", "Direction the wind comes from, clockwise from north",
          minimum=0.0, maximum=360.0, step=0.1, optional=True),
    Field("rain_mm", "mm", "Rain since the last reading", minimum=0.0, maximum=1000.0, step=0.1, optional=True),
    Field("water_level_m", "m", "Water level above the gauge's zero",
          minimum=-10.0, maximum=100.0, step=0.001, optional=True),
    Field("distance_m", "m", "Distance to the nearest surface", minimum=0.0, maximum=1000.0, step=0.001, optional=True),
    Field("fill_pct", "%", "How full the bin is", minimum=0.0, maximum=100.0, step=0.1, optional=True),
    Field("people_count", "1", "People counted", minimum=0.0, maximum=100_000.0, step=1.0, optional=True),
    Field("parking_occupied", "1", "A vehicle is on the parking space", kind="flag", optional=True),
    Field("power_w", "W", "Electrical power", minimum=-1_000_000.0, maximum=1_000_000.0, step=0.1, optional=True),
    Field("battery_v", "V", "Battery voltage", minimum=0.0, maximum=60.0, step=0.001, optional=True),
    Field("battery_pct", "%", "Battery charge", minimum=0.0, maximum=100.0, step=0.1, optional=True),
    Field("latitude_deg", "deg", "Latitude, WGS 84, north positive",
          minimum=-90.0, maximum=90.0, step=1e-7, optional=True, panel=False),
    Field("longitude_deg", "deg", "Longitude, WGS 84, east positive",
          minimum=-180.0, maximum=180.0, step=1e-7, optional=True, panel=False),
    Field("seq", "1", "Count of the packs this device has sent", kind="counter",
          minimum=0, maximum=(1 << 32) - 1, step=1, optional=True, panel=False),
)  # fmt: skip

WIRE: dict[str, tuple[str, str]] = {
    "temperature_c": ("temperature", "Cel"),
    "humidity_pct": ("humidity", "%RH"),
    "pressure_hpa": ("pressure", "hPa"),
    "co2_ppm": ("co2", "ppm"),
    "pm2_5_ug_m3": ("pm2.5", "ug/m3"),
    "pm10_ug_m3": ("pm10", "ug/m3"),
    "noise_dba": ("noise_dba", "dB"),
    "illuminance_lx": ("illuminance", "lx"),
    "soil_moisture_pct": ("soil_moisture", "%"),
    "soil_temperature_c": ("soil_temperature", "Cel"),
    "soil_conductivity_us_cm": ("soil_conductivity", "uS/cm"),
    "wind_m_s": ("wind", "m/s"),
    "wind_direction_deg": ("wind_direction", "deg"),
    "rain_mm": ("rain", "mm"),
    "water_level_m": ("water_level", "m"),
    "distance_m": ("distance", "m"),
    "fill_pct": ("fill", "%"),
    "people_count": ("people", "count"),
    "power_w": ("power", "W"),
    "battery_v": ("battery", "V"),
    "battery_pct": ("battery", "%EL"),
    "latitude_deg": ("latitude", "lat"),
    "longitude_deg": ("longitude", "lon"),
}
"""Field to name and unit as sent. uS/cm stands in no registry: SenML has only S/m, which makes
soil values unreadable; it is what soil probes print."""
