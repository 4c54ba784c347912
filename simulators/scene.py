"""What one simulated thing would measure: a device type's fields, filled from the signals.

A field gets its value by its name (`pm2_5_ug_m3` is `Air.pm2_5`), so that a device type made of
known quantities needs nothing here. A name that is not known gets a slow seeded wave between the
field's minimum and maximum, a counter the whole seconds since the scene began, a state each of
its words in turn for ten minutes. Values are put on the field's raw steps and inside its range:
they are what the device can say. Optional fields that are not known stay absent, but for types whose
description says that a device says them all.

`KINDS` are the sets of fields that a type with open fields (SenML, LoRaWAN) is simulated with;
`raw` is of LoRaWAN types, see `lorawan.py`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from devices.spec.device import DeviceType
from devices.spec.events import Reading, Value
from devices.spec.field import Field
from simulators.mains import QUANTITIES as OF_MAINS
from simulators.mains import Mains
from simulators.signals import NOWHERE, Air, Grounds, Location, Pulse, Route, Spot, Weather, wander

Truth = Callable[[float], Reading]
"""Unix seconds in, the reading that is true then out (without an audit number)."""

KINDS: Mapping[str, tuple[str, ...]] = {
    "weather": ("temperature_c", "humidity_pct", "pressure_hpa", "wind_m_s", "wind_direction_deg", "rain_mm"),
    "noise": ("noise_dba", "battery_v"),
    "soil": ("soil_moisture_pct", "soil_temperature_c", "soil_conductivity_us_cm", "battery_v"),
    "parking": ("parking_occupied", "battery_v"),
    "people": ("people_count",),
    "water": ("water_level_m", "distance_m", "battery_v"),
    "bin": ("fill_pct", "battery_v"),
    "raw": ("temperature_c", "humidity_pct", "co2_ppm", "battery_v"),
    "air": ("pm2_5_ug_m3", "pm10_ug_m3", "co2_ppm", "temperature_c", "humidity_pct"),
}

POSITION = ("latitude_deg", "longitude_deg")
SAY_ZONE = ("senml", "ttn-v3", "chirpstack-v4")
"""Types whose payload can name the zone; of other types the gateway has to be told."""

RADIO = ("rssi_dbm", "snr_db", "spreading_factor", "bandwidth_hz", "frequency_hz")
"""What a LoRaWAN network says about any uplink."""


@dataclass(slots=True)
class Scene:
    """Everything around one thing, from one seed."""

    air: Air
    weather: Weather
    grounds: Grounds
    route: Route
    pulse: Pulse
    mains: Mains
    seed: int

    @classmethod
    def of(cls, seed: int, centre: Location | None = None) -> "Scene":
        air, weather, grounds = Air(seed * 101 + 1), Weather(seed * 101 + 11), Grounds(seed * 101 + 31)
        return cls(air, weather, grounds, Route(seed, centre=centre), Pulse(seed), Mains(seed * 101 + 31), seed)


def _metered(signal: Callable[[Mains, float], Value], scene: Scene, t: float) -> Value:
    return signal(scene.mains, t)


def _below(scene: Scene, t: float, size_um: float) -> float:
    """Particles of 0.3 up to `size_um` in a cm3."""
    return (scene.air.count(t, 0.3) - scene.air.count(t, size_um)) / 100.0


QUANTITIES: Mapping[str, Callable[[Scene, float], Value]] = {
    # particles and gas
    "pm1_0_ug_m3": lambda s, t: s.air.pm1(t),
    "pm2_5_ug_m3": lambda s, t: s.air.pm2_5(t),
    "pm4_0_ug_m3": lambda s, t: s.air.pm4(t),
    "pm10_ug_m3": lambda s, t: s.air.pm10(t),
    "pm1_0_cf1_ug_m3": lambda s, t: s.air.pm1(t),
    "pm2_5_cf1_ug_m3": lambda s, t: s.air.pm2_5(t),
    "pm10_cf1_ug_m3": lambda s, t: s.air.pm10(t),
    "particles_0_3um_per_cm3": lambda s, t: s.air.count(t, 0.3) / 100.0,
    "particles_0_5um_per_cm3": lambda s, t: s.air.count(t, 0.5) / 100.0,
    "particles_1_0um_per_cm3": lambda s, t: s.air.count(t, 1.0) / 100.0,
    "particles_2_5um_per_cm3": lambda s, t: s.air.count(t, 2.5) / 100.0,
    "particles_5_0um_per_cm3": lambda s, t: s.air.count(t, 5.0) / 100.0,
    "particles_10um_per_cm3": lambda s, t: s.air.count(t, 10.0) / 100.0,
    "error_code": lambda _s, _t: 0,
    "version": lambda _s, _t: 0x97,
    "co2_ppm": lambda s, t: s.air.co2(t),
    "particles_below_0_5um_per_cm3": lambda s, t: _below(s, t, 0.5),
    "particles_below_1_0um_per_cm3": lambda s, t: _below(s, t, 1.0),
    "particles_below_2_5um_per_cm3": lambda s, t: _below(s, t, 2.5),
    "particles_below_4_0um_per_cm3": lambda s, t: _below(s, t, 4.0),
    "particles_below_10um_per_cm3": lambda s, t: _below(s, t, 10.0),
    "data_ready_flag": lambda _s, _t: True,
    "typical_size_um": lambda s, t: 0.6 + 0.2 * wander(s.seed + 23, t, 900.0),
    "iaq": lambda s, t: 60.0 + 45.0 * wander(s.seed + 22, t, 1800.0),
    "iaq_accuracy": lambda _s, _t: 3,
    "gas_resistance_kohm": lambda s, t: 140.0 - 90.0 * wander(s.seed + 22, t, 1800.0),
    "formaldehyde_mg_m3": lambda s, t: 0.02 + 0.012 * wander(s.seed + 21, t, 3600.0),
    "voc_ppb": lambda s, t: 0.3 * s.air.co2(t),
    # weather
    "temperature_c": lambda s, t: s.weather.temperature(t),
    "humidity_pct": lambda s, t: s.weather.humidity(t),
    "pressure_hpa": lambda s, t: s.weather.pressure(t),
    "station_temperature_c": lambda s, t: s.weather.temperature(t),
    "station_humidity_pct": lambda s, t: s.weather.humidity(t),
    "station_pressure_hpa": lambda s, t: s.weather.pressure(t),
    "bme280_temperature_c": lambda s, t: s.weather.temperature(t),
    "bme280_humidity_pct": lambda s, t: s.weather.humidity(t),
    "bme280_pressure_hpa": lambda s, t: s.weather.pressure(t),
    "wind_m_s": lambda s, t: s.weather.wind(t),
    "wind_direction_deg": lambda s, t: s.weather.wind_from(t),
    "rain_mm": lambda s, t: max(0.0, s.weather.rain_today(t) - s.weather.rain_today(t - 60.0)),
    "rain_total_mm": lambda s, t: 7.0 * (s.seed % 97) + t % 1e8 / 2e4,
    "rain_recent_mm": lambda _s, _t: 0.18,
    "tips": lambda _s, t: t % 1e8 / 2e4 / 0.28,
    "illuminance_lx": lambda s, t: 12.0 + 90_000.0 * s.weather.sun(t),
    "solar_w_m2": lambda s, t: 950.0 * s.weather.sun(t),
    "irradiance_w_m2": lambda s, t: 950.0 * s.weather.sun(t),
    "uv_index": lambda s, t: 11.0 * s.weather.sun(t),
    "pressure_pa": lambda s, t: 100.0 * s.weather.pressure(t),
    "wind_true_m_s": lambda s, t: s.weather.wind(t),
    "wind_true_direction_deg": lambda s, t: s.weather.wind_from(t),
    "dew_point_c": lambda s, t: s.weather.temperature(t) - (100.0 - s.weather.humidity(t)) / 5.0,
    # grounds
    "noise_db": lambda s, t: s.grounds.noise(t),
    "noise_dba": lambda s, t: s.grounds.noise(t),
    "soil_moisture_pct": lambda s, t: s.grounds.soil_moisture(t),
    "soil_temperature_c": lambda s, t: s.grounds.soil_temperature(t),
    "soil_conductivity_us_cm": lambda s, t: s.grounds.soil_conductivity(t),
    "parking_occupied": lambda s, t: s.grounds.occupied(t),
    "people_count": lambda s, t: s.grounds.people(t),
    "water_level_m": lambda s, t: 1.4 + 0.25 * wander(s.seed + 41, t, 7200.0),
    "distance_m": lambda s, t: 3.6 - 0.25 * wander(s.seed + 41, t, 7200.0),
    "fill_pct": lambda s, t: 4.0 + 90.0 * ((t / 86400.0 + s.seed * 0.37) % 1.0),
    "battery_v": lambda s, t: s.grounds.battery(t),
    "soil_ph": lambda s, t: 6.4 + 0.3 * wander(s.seed + 44, t, 86400.0),
    "nitrogen_mg_kg": lambda s, t: 0.06 * s.grounds.richness * s.grounds.soil_conductivity(t),
    "phosphorus_mg_kg": lambda s, t: 0.08 * s.grounds.richness * s.grounds.soil_conductivity(t),
    "potassium_mg_kg": lambda s, t: 0.2 * s.grounds.richness * s.grounds.soil_conductivity(t),
    "device_temperature_c": lambda s, t: 15.0 + s.weather.temperature(t),
    "voltmeter_v": lambda s, t: 12.0 + wander(s.seed + 83, t, 600.0),
    "rssi_dbm": lambda s, t: -94.0 + 11.0 * wander(s.seed + 43, t, 90.0),
    "snr_db": lambda s, t: 5.0 + 4.0 * wander(s.seed + 44, t, 90.0),
    # robots and receivers of satellites
    "latitude_deg": lambda s, t: s.route.at(t).latitude,
    "longitude_deg": lambda s, t: s.route.at(t).longitude,
    "altitude_m": lambda s, t: 6.5 + 1.5 * wander(s.seed + 51, t, 60.0),
    "geoid_separation_m": lambda _s, _t: -2.3,
    "speed_m_s": lambda s, t: s.route.at(t).speed,
    "speed_kn": lambda s, t: s.route.at(t).speed * 3600.0 / 1852.0,
    "speed_km_h": lambda s, t: s.route.at(t).speed * 3.6,
    "course_deg": lambda s, t: s.route.at(t).course,
    "heading_deg": lambda s, t: s.route.at(t).course,
    "satellites": lambda s, t: 11 + round(2.0 * wander(s.seed + 52, t, 120.0)),
    "satellites_in_view": lambda s, t: 16 + round(2.0 * wander(s.seed + 53, t, 240.0)),
    "hdop": lambda s, t: 0.9 + 0.2 * wander(s.seed + 54, t, 60.0),
    "x_m": lambda s, t: s.route.at(t).east,
    "y_m": lambda s, t: s.route.at(t).north,
    "theta_rad": lambda s, t: s.route.at(t).theta,
    "battery_pct": lambda s, t: s.route.at(t).battery,
    "charging": lambda s, t: s.route.at(t).charging,
    "driving": lambda s, t: s.route.at(t).speed > 0.0,
    "paused": lambda _s, _t: False,
    # a finger in a clip
    "spo2_pct": lambda s, t: s.pulse.spo2(t),
    "pulse_rate_bpm": lambda s, t: s.pulse.rate(t),
    "heart_rate_bpm": lambda s, t: s.pulse.rate(t),
    "pleth": lambda s, t: 110.0 * s.pulse.pleth(t),
    "bar_graph": lambda s, t: 15.0 * s.pulse.pleth(t),
    "signal_strength": lambda s, t: 7 + round(wander(s.seed + 61, t, 30.0)),
    "beep": lambda s, t: int(s.pulse.beats(t)) != int(s.pulse.beats(t - 1.0 / 60.0)),
    # a LoRaWAN uplink
    "f_port": lambda _s, _t: 2,
    "gateways": lambda s, t: 2 + round(1.4 * wander(s.seed + 71, t, 300.0)),
    "spreading_factor": lambda s, t: 8 + round(1.4 * wander(s.seed + 72, t, 900.0)),
    "data_rate": lambda s, t: 4 - round(1.4 * wander(s.seed + 72, t, 900.0)),
    "bandwidth_hz": lambda _s, _t: 125_000.0,
    "frequency_hz": lambda s, t: 923_200_000.0 + 200_000.0 * round(3.0 * wander(s.seed + 73, t, 5.0)),
    # a house with a meter
    **{name: partial(_metered, signal) for name, signal in OF_MAINS.items()},
}


def settle(field: Field, value: Value) -> Value:
    """`value` as the device can say it: its kind, its range, its raw steps."""
    if field.kind == "flag":
        return bool(value)
    if isinstance(value, str):
        return value
    number = float(value)
    if field.minimum is not None:
        number = max(field.minimum, number)
    if field.maximum is not None:
        number = min(field.maximum, number)
    if field.kind == "counter":
        return round(number)
    return float(round(round(number / field.step) * field.step, 9)) if field.step else float(number)


def truth(device: DeviceType, seed: int, kind: str | None = None, spot: Spot = NOWHERE) -> Truth:
    """The signal of one device: all listed fields that it must have or that are known.

    With `kind` (see `KINDS`) only those fields and the ones of the radio, for types with open fields. Such a thing
    stands at the location of `spot` and says so, and says its zone where its type is one of SAY_ZONE; a thing of
    another type that says where it is moves about that location.
    """
    scene = Scene.of(seed, spot.location)
    carriers = {part.field for part in device.sequence.parts}
    named = {field.name for field in device.fields}
    stands: dict[str, Value] = {}
    if kind and spot.location and named.issuperset(POSITION):
        stands.update(zip(POSITION, spot.location, strict=True))
    tags = {"zone": spot.zone} if spot.zone and device.name in SAY_ZONE else {}
    listed = named if device.says_all else QUANTITIES
    wanted = (*KINDS[kind], *RADIO, *stands) if kind else listed
    fields = [field for field in device.fields if field.name in wanted or field.name in carriers or not field.optional]
    sources = [(field, _signal(field) or _invented(field, seed)) for field in fields if field.name not in stands]

    def at(t: float) -> Reading:
        values = {field.name: settle(field, source(scene, t)) for field, source in sources}
        return Reading(values | stands, round(t * 1e9), tags=dict(tags))

    return at


def _signal(field: Field) -> Callable[[Scene, float], Value] | None:
    """The signal of that name; words have none."""
    return None if field.kind in ("state", "text") else QUANTITIES.get(field.name)


def _invented(field: Field, seed: int) -> Callable[[Scene, float], Value]:
    """A plausible course for a quantity that has no signal."""
    if field.kind == "counter":
        return lambda _s, t: int(t) % (int(field.maximum) + 1 if field.maximum is not None else 1 << 31)
    if field.kind == "flag":
        return lambda _s, _t: False
    if field.kind in ("state", "text"):
        states = field.states or ("ok",)
        return lambda _s, t: states[int(t // 600.0) % len(states)]
    low = field.minimum if field.minimum is not None else 0.0
    high = field.maximum if field.maximum is not None else low + 100.0
    salt = seed + sum(map(ord, field.name))
    return lambda _s, t: low + (high - low) * (0.5 + 0.3 * wander(salt, t, 600.0))
