"""Characteristics of one number: battery, weather, air, light, electricity.

One line each: number, name, field, bytes, divisor, and the raw values that are none. The special values of the
supplement ("not known", "not valid") are absent; "or more" is left out and named. Concentrations of gas and particles
are SFLOAT in kg/m3 (methane: ppb) and stored in ug/m3, the decimal point moved; no finer than 10 ug/m3 therefore.

Unknown: rain and pressure have no special value, so a sensor without one says 0 or FFFF.

Sources: Bluetooth SIG, GATT Specification Supplement and Assigned Numbers (2026). Levels of the UV index: World Health
Organization, Global Solar UV Index (2002); of carbon dioxide: German Umweltbundesamt (2008).
"""

from dataclasses import replace

from devices.ble_gatt.bits import Bits
from devices.ble_gatt.characteristic import Characteristic
from devices.ble_gatt.parts import Med, Number
from devices.particulate import PM2_5_LEVELS, PM10_LEVELS
from devices.spec.field import Field, Threshold


def _field(
    name: str,
    unit: str,
    words: str,
    low: float,
    high: float,
    step: float = 1,
    thresholds: tuple[Threshold, ...] = (),
    panel: bool = False,
) -> Field:
    return Field(
        name, unit, words, minimum=low, maximum=high, step=step, optional=True, thresholds=thresholds, panel=panel
    )


_UV_LEVELS = (Threshold(0, "good"), Threshold(3, "fair"), Threshold(6, "poor"), Threshold(8, "bad"))
_CO2_LEVELS = (Threshold(0, "good"), Threshold(1000, "fair"), Threshold(2000, "bad"))

BATTERY = _field("battery_pct", "%", "Charge of the battery", 0, 100, panel=True)
TEMPERATURE = _field("temperature_c", "Cel", "Temperature", -273.15, 16383.5, 0.01, panel=True)
HUMIDITY = _field("humidity_pct", "%", "Relative humidity", 0, 100, 0.01, panel=True)
PRESSURE = _field("pressure_pa", "Pa", "Air pressure", 0, 429_496_729.5, 0.1, panel=True)
ILLUMINANCE = _field("illuminance_lx", "lx", "Light on the sensor", 0, 167_772.14, 0.01)
CURRENT = _field("current_a", "A", "Electric current", 0, 655.34, 0.01)
VOLTAGE = _field("voltage_v", "V", "Voltage", 0, 262_143.97, 1 / 64)
POWER = _field("power_w", "W", "Electric power", 0, 1_677_721.3, 0.1)
ENERGY = _field("energy_kwh", "kW.h", "Electric energy", 0, 16_777_214, 0.001)
TREND_STATES = (
    "falling",
    "rising",
    "falling, then steady",
    "rising, then steady",
    "falling before a lesser rise",
    "falling before a greater rise",
    "rising before a greater fall",
    "rising before a lesser fall",
    "steady",
)
TREND = Field(
    "pressure_trend", "1", "Trend of the air pressure", kind="state", optional=True, states=TREND_STATES, panel=False
)


def _wind(kind: str) -> tuple[Field, Field]:
    return (
        _field(f"wind_{kind}_m_s", "m/s", f"Wind speed, {kind}", 0, 655.35, 0.01),
        _field(f"wind_{kind}_direction_deg", "deg", f"Where the wind comes from, {kind}", 0, 360, 0.01),
    )


TRUE_WIND, APPARENT_WIND = _wind("true"), _wind("apparent")
MAGNETIC = tuple(
    _field(f"magnetic_flux_{axis}_ut", "uT", f"Magnetic flux density, {axis} axis", -3276.8, 3276.7, 0.1)
    for axis in ("x", "y", "z")
)
_MOST_DENSE = 2.045e19


def _density(stem: str, words: str, thresholds: tuple[Threshold, ...] = (), panel: bool = False) -> Field:
    return _field(f"{stem}_ug_m3", "ug/m3", words, 0, _MOST_DENSE, 10, thresholds, panel)


_DENSITIES = (
    (0x2BCF, "ammonia_concentration", _density("nh3", "Ammonia")),
    (0x2BD0, "carbon_monoxide_concentration", _density("co", "Carbon monoxide")),
    (0x2BD2, "nitrogen_dioxide_concentration", _density("no2", "Nitrogen dioxide")),
    (
        0x2BD3,
        "non_methane_volatile_organic_compounds_concentration",
        _density("nmvoc", "Volatile organic compounds but methane"),
    ),
    (0x2BD4, "ozone_concentration", _density("o3", "Ozone")),
    (0x2BD5, "particulate_matter_pm1_concentration", _density("pm1_0", "PM1 mass concentration")),
    (
        0x2BD6,
        "particulate_matter_pm2_5_concentration",
        _density("pm2_5", "PM2.5 mass concentration", PM2_5_LEVELS, panel=True),
    ),
    (
        0x2BD7,
        "particulate_matter_pm10_concentration",
        _density("pm10", "PM10 mass concentration", PM10_LEVELS, panel=True),
    ),
    (0x2BD8, "sulfur_dioxide_concentration", _density("so2", "Sulfur dioxide")),
    (0x2BD9, "sulfur_hexafluoride_concentration", _density("sf6", "Sulfur hexafluoride")),
)


def _one(
    uuid: int,
    name: str,
    quantity: Field,
    size: int,
    divisor: int = 1,
    absent: tuple[int, ...] = (),
    over: int | None = None,
    signed: bool = False,
) -> Characteristic:
    return Characteristic(uuid, name, (Number(quantity, size, divisor, signed, absent, over),))


ENVIRONMENT = (
    _one(0x2A19, "battery_level", BATTERY, 1),
    _one(0x2A6E, "temperature", TEMPERATURE, 2, 100, (-0x8000,), signed=True),
    _one(0x2A6F, "humidity", HUMIDITY, 2, 100, (0xFFFF,)),
    _one(0x2A6D, "pressure", PRESSURE, 4, 10),
    _one(0x2A6C, "elevation", _field("elevation_m", "m", "Elevation", -83886.08, 83886.07, 0.01), 3, 100, signed=True),
    _one(0x2A70, "true_wind_speed", TRUE_WIND[0], 2, 100),
    _one(0x2A71, "true_wind_direction", TRUE_WIND[1], 2, 100),
    _one(0x2A72, "apparent_wind_speed", APPARENT_WIND[0], 2, 100),
    _one(0x2A73, "apparent_wind_direction", APPARENT_WIND[1], 2, 100),
    _one(0x2A74, "gust_factor", _field("gust_factor", "1", "Gusts as a multiple of the wind", 0, 25.5, 0.1), 1, 10),
    _one(0x2A75, "pollen_concentration", _field("pollen_per_m3", "/m3", "Pollen", 0, 16_777_215), 3),
    _one(0x2A76, "uv_index", _field("uv_index", "1", "UV index", 0, 255, 1, _UV_LEVELS, panel=True), 1),
    _one(0x2A77, "irradiance", _field("irradiance_w_m2", "W/m2", "Irradiance", 0, 6553.5, 0.1), 2, 10),
    _one(0x2A78, "rainfall", _field("rain_mm", "mm", "Rain fallen", 0, 65535), 2),
    _one(0x2A79, "wind_chill", _field("wind_chill_c", "Cel", "Wind chill", -128, 127), 1, signed=True),
    _one(0x2A7A, "heat_index", _field("heat_index_c", "Cel", "Heat index", -128, 127), 1, signed=True),
    _one(0x2A7B, "dew_point", _field("dew_point_c", "Cel", "Dew point", -128, 127), 1, signed=True),
    _one(
        0x2A2C,
        "magnetic_declination",
        _field("magnetic_declination_deg", "deg", "From true to magnetic north, clockwise", 0, 360, 0.01),
        2,
        100,
    ),
    Characteristic(
        0x2AA0,
        "magnetic_flux_density_2d",
        tuple(Number(field, 2, 10, signed=True) for field in MAGNETIC[:2]),
    ),
    Characteristic(0x2AA1, "magnetic_flux_density_3d", tuple(Number(field, 2, 10, signed=True) for field in MAGNETIC)),
    Characteristic(0x2AA3, "barometric_pressure_trend", (Bits(1, ((0, 8, TREND, ("unknown", *TREND_STATES)),)),)),
    _one(
        0x2B8C,
        "co2_concentration",
        _field("co2_ppm", "[ppm]", "Carbon dioxide", 0, 65533, 1, _CO2_LEVELS, panel=True),
        2,
        absent=(0xFFFF,),
        over=0xFFFE,
    ),
    _one(
        0x2BE7,
        "voc_concentration",
        _field("voc_ppb", "[ppb]", "Volatile organic compounds", 0, 65533, panel=True),
        2,
        absent=(0xFFFF,),
        over=0xFFFE,
    ),
    _one(
        0x2BE4,
        "noise",
        _field("noise_db", "dB", "Sound pressure level", 0, 253, panel=True),
        1,
        absent=(0xFF,),
        over=0xFE,
    ),
    Characteristic(0x2BD1, "methane_concentration", (Med(_field("ch4_ppb", "[ppb]", "Methane", 0, 2.045e10)),)),
    *(Characteristic(uuid, name, (Med(field, shift=9),)) for uuid, name, field in _DENSITIES),
    _one(0x2AFB, "illuminance", ILLUMINANCE, 3, 100, (0xFFFFFF,)),
    _one(0x2C1C, "illuminance_16", replace(ILLUMINANCE, maximum=65_534, step=1), 2, absent=(0xFFFF,)),
    _one(0x2B0D, "temperature_8", replace(TEMPERATURE, minimum=-64, maximum=63, step=0.5), 1, 2, (0x7F,), signed=True),
    _one(0x2BDF, "high_temperature", replace(TEMPERATURE, step=0.5), 2, 2, (-0x8000, -0x7FFF), signed=True),
    _one(0x2C1B, "humidity_8", replace(HUMIDITY, step=0.5), 1, 2, (0xFF,)),
    _one(0x2AEE, "electric_current", CURRENT, 2, 100, (0xFFFF,)),
    _one(0x2B18, "voltage", VOLTAGE, 2, 64, (0xFFFF,)),
    _one(0x2BE0, "high_voltage", VOLTAGE, 3, 64, (0xFFFFFF,)),
    _one(0x2B05, "power", POWER, 3, 10, (0xFFFFFF, 0xFFFFFE)),
    _one(0x2AF2, "energy", replace(ENERGY, step=1), 3, absent=(0xFFFFFF,)),
    _one(0x2BA8, "energy_32", ENERGY, 4, 1000, (0xFFFFFFFF, 0xFFFFFFFE)),
)
