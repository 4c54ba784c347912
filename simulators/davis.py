"""A Davis Vantage console with all its sensors. It sleeps after two minutes without a question.

    LF (asleep)      nothing, but now it is awake
    LF (awake)       LF CR
    LOOP 1, LPS 2 1  the packet; asleep, nothing

The weather is that of the other doubles, in the units of the wire. Rain falls all year at the same pace.

Source: Davis Instruments, serial communication reference manual 2.6.1, V.
"""

from datetime import UTC, datetime

from devices.davis import davis_vantage as inches
from devices.davis import davis_vantage_mm as millimetres
from devices.davis.family import WAKE
from devices.spec.device import PolledDevice
from devices.spec.events import Reading, Value
from devices.spec.polled import Question
from simulators.faults import Wire
from simulators.line import TURNAROUND_S, Respondent, Said
from simulators.peer import Epoch, Frame
from simulators.scene import Scene, settle
from simulators.signals import NOWHERE, ZONE_S, Spot, hour, wander

AWAKE_S = 120.0
MM_AN_HOUR = 0.18


def epoch(seed: int, _topic: str, _spot: Spot = NOWHERE) -> Epoch:
    """What a station measures whose bucket counts hundredths of an inch."""
    return _epoch(inches.DEVICE, seed)


def epoch_mm(seed: int, _topic: str, _spot: Spot = NOWHERE) -> Epoch:
    """The same, where it counts 0.2 mm."""
    return _epoch(millimetres.DEVICE, seed)


def _epoch(device: PolledDevice, seed: int) -> Epoch:
    listed = {field.name: field for field in device.fields}
    scene, metric = Scene.of(seed), "rain_day_mm" in listed

    def at(moment: float) -> list[Reading]:
        said = _said(scene, moment, metric)
        return [Reading({name: settle(field, said[name]) for name, field in listed.items()})]

    return at


def _said(scene: Scene, t: float, metric: bool) -> dict[str, Value]:
    weather = scene.weather
    warm, humid, wind = _f(weather.temperature(t)), weather.humidity(t), weather.wind(t) * 2.23694
    pressure = weather.pressure(t) * 0.02953
    local = datetime.fromtimestamp(t + ZONE_S, UTC)
    unit, per_h = ("mm", MM_AN_HOUR) if metric else ("in", MM_AN_HOUR / 25.4)
    day_h, month_h, year_h = hour(t), 24.0 * (local.day - 1) + hour(t), 24.0 * (local.timetuple().tm_yday - 1) + hour(t)
    fell = {"storm": day_h, "day": day_h, "month": month_h, "year": year_h, "15min": 0.25, "hour": 1.0, "24h": 24.0}
    steps = {f"{name}_{n}{end}": first + n for name, end, first, count in (
        ("extra_temperature", "_f", warm, 8), ("soil_temperature", "_f", _f(scene.grounds.soil_temperature(t)), 4),
        ("leaf_temperature", "_f", warm - 2.0, 4), ("extra_humidity", "_pct", humid - 9.0, 8),
        ("soil_moisture", "_cb", 40.0 - scene.grounds.soil_moisture(t) / 2.0, 4), ("leaf_wetness", "", 1.0, 4),
    ) for n in range(1, count + 1)}  # fmt: skip
    return {
        **steps,
        **{f"rain_{name}_{unit}": per_h * hours for name, hours in fell.items()},
        **{f"evaporation_{name}_in": 0.004 * fell[name] for name in ("day", "month", "year")},
        **{f"alarms_{name}": 0 for name in ("inside", "rain", "outside", *(f"extra_{n}" for n in range(1, 9)))},
        **{f"alarms_soil_{n}": 0 for n in range(1, 5)},
        **dict.fromkeys(("barometer_inhg", "altimeter_inhg"), pressure),
        **dict.fromkeys(("station_pressure_inhg", "absolute_pressure_inhg"), pressure - 0.02),
        **dict.fromkeys(("forecast_rain", "forecast_cloud", "forecast_snow"), False),
        **dict.fromkeys(("forecast_sun", "forecast_partly_cloudy"), True),
        **dict.fromkeys(("temperature_f", "heat_index_f", "wind_chill_f", "thsw_index_f"), warm),
        **dict.fromkeys(("wind_mph", "wind_mean_2min_mph"), wind),
        **dict.fromkeys(("wind_mean_10min_mph", "wind_mean_10min_coarse_mph"), 0.9 * wind),
        **dict.fromkeys(("wind_direction_deg", "wind_gust_direction_deg"), weather.wind_from(t)),
        f"rain_rate_{unit}_h": per_h,
        "wind_gust_10min_mph": 1.6 * wind,
        "dew_point_f": warm - (100.0 - humid) * 9.0 / 25.0,
        "humidity_pct": humid,
        "inside_temperature_f": 71.0 + 2.0 * wander(scene.seed + 91, t, 3600.0),
        "inside_humidity_pct": 44.0,
        "uv_index": 9.0 * weather.sun(t),
        "solar_w_m2": 950.0 * weather.sun(t),
        "battery_v": 4.7,
        "next_record": int(t // 1800.0) % 2560,
        "transmitters_low": 0,
        "forecast_rule": 45,
        "barometer_trend": "steady",
        "barometer_reduction": "NOAA",
        "barometer_offset_inhg": 0.0,
        "barometer_calibration_inhg": -0.047,
        "storm_start": f"{local:%Y-%m-%d}",
        "sunrise": "06:21",
        "sunset": "18:34",
    }


def _f(celsius: float) -> float:
    return celsius * 9.0 / 5.0 + 32.0


class Console(Respondent):
    """See the module."""

    _heard_s = float("-inf")

    def answer(self, question: Question, now_s: float) -> Said:
        asleep = now_s - self._heard_s > AWAKE_S
        self._heard_s = now_s
        if asleep:
            return Said(now_s + TURNAROUND_S, self, Frame(b""), Wire((), 0))
        if question is WAKE:
            said = question.answer(self.unit, {})
            return Said(now_s + TURNAROUND_S, self, Frame(said), Wire((said,), 1))
        return super().answer(question, now_s)
