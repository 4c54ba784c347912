"""Bluetooth devices behind a bridge that forwards their values: the topic decides what one is.

    .../2a37   a heart rate strap: rate, energy, the time between two beats; off the skin 20 s of every 10 minutes
    .../2a35   a blood pressure monitor: three passing pressures of the cuff (.../2a36), then the measurement;
               2b34 and 2b35 are the enhanced ones of both
    .../2a5f   a pulse oximeter (2a5e: spot checks): questionable while its bearer walks, no finger as above
    .../2a1c   a thermometer, in the ear (2a1e: while it rises)
    .../2a9d   a scale that knows its user; 2a9c: its body composition
    .../2a18   a glucose meter: a drop of blood from a finger, higher behind a meal
    .../2a6e   a thermometer of the air, and any other characteristic of one number

What has no room for a count, or says its values in another form than the usual one (2b0d), is not counted as sent.
A topic that names none gets `2a37` for its last level. Each says its battery (.../2a19) every minute. What it says
without a finger or skin has no value to carry a count in, and is not counted as sent.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from devices.ble_gatt import DEVICE, of_topic
from devices.spec.events import Reading, Value
from simulators.peer import Epoch, Frame, Series
from simulators.scene import settle, truth
from simulators.signals import NOWHERE, Pulse, Spot, unit, wander
from simulators.worn import Worn

STRAP, CUFF, PUMPING, SPOT_CHECK, OXIMETER, THERMOMETER, SCALE, BATTERY = (
    *(0x2A37, 0x2A35, 0x2A36, 0x2A5E, 0x2A5F, 0x2A1C, 0x2A9D, 0x2A19),
)
ENHANCED_CUFF, ENHANCED_PUMPING, RISING, COMPOSITION, GLUCOSE = 0x2B34, 0x2B35, 0x2A1E, 0x2A9C, 0x2A18
BATTERY_EVERY_S = 60.0
_FIELDS = {field.name: field for field in DEVICE.fields}
_CLOCKED = (CUFF, SPOT_CHECK, THERMOMETER, SCALE, COMPOSITION, GLUCOSE)

Says = Callable[[int, Pulse, float], dict[str, Value]]


def number_of(topic: str) -> int:
    """The number of the characteristic that is simulated on a topic."""
    found = of_topic(topic).characteristic
    return STRAP if found is None else found.uuid


def topic_of(topic: str) -> str:
    """The topic itself, or with a last level that names a characteristic."""
    return topic if of_topic(topic).characteristic is not None else sibling(topic, STRAP)


def sibling(topic: str, number: int) -> str:
    """The topic of another characteristic of the same device."""
    return f"{topic.rpartition('/')[0]}/{number:04x}"


def epoch(seed: int, topic: str, _spot: Spot = NOWHERE) -> Epoch:
    """What the device of a topic would say at any time."""
    number, pulse = number_of(topic), Pulse(seed)
    say = SAYS.get(number)
    if say is None:
        found = of_topic(topic).characteristic
        assert found is not None
        one = truth(
            replace(DEVICE, fields=tuple(field for part in found.parts for field in part.fields), says_all=True), seed
        )
        return lambda moment: [one(moment)]

    def at(moment: float) -> list[Reading]:
        fields = {name: _settled(name, value) for name, value in say(seed, pulse, moment).items()}
        time_ns = int(moment) * 1_000_000_000 if number in _CLOCKED else None
        return [Reading(fields, time_ns)]

    return at


def _settled(name: str, value: Value) -> Value:
    field = _FIELDS[name]
    return value if isinstance(value, str | bool) else settle(field, value)


def _strap(_seed: int, pulse: Pulse, t: float) -> dict[str, Value]:
    interval = round(60.0 / pulse.rate(t) * 1024) / 1024
    return {
        "heart_rate_bpm": pulse.rate(t),
        "sensor_contact": "DETECTED",
        "energy_expended_kj": 8 + t % 86400.0 / 12.0,
        "rr_interval_s": interval,
        "rr_intervals_s": f"[{interval}]",
    }


def _pressures(seed: int, pulse: Pulse, t: float) -> tuple[float, float]:
    effort = pulse.rate(t) - 65.0
    return 112.0 + 0.4 * effort + 6.0 * wander(seed + 91, t, 7200.0), 72.0 + 0.1 * effort + 4.0 * wander(
        seed, t, 7200.0
    )


def _cuff(seed: int, pulse: Pulse, t: float) -> dict[str, Value]:
    systolic, diastolic = _pressures(seed, pulse, t)
    return {
        "systolic_mmhg": systolic,
        "diastolic_mmhg": diastolic,
        "mean_arterial_mmhg": diastolic + (systolic - diastolic) / 3.0,
        "pulse_rate_bpm": pulse.rate(t),
        "user_id": 1 + seed % 2,
        "body_movement": pulse.walking(t),
        "cuff_loose": False,
        "irregular_pulse": False,
        "pulse_range": "within",
        "position_improper": False,
    }


def _oximeter(seed: int, pulse: Pulse, t: float) -> dict[str, Value]:
    return {
        "spo2_pct": pulse.spo2(t),
        "pulse_rate_bpm": pulse.rate(t),
        "measurement_status": "measurement_ongoing questionable" if pulse.walking(t) else "measurement_ongoing",
        "sensor_status": "low_perfusion" if wander(seed + 92, t, 60.0) > 0.8 else "none",
        "pulse_amplitude_pct": 3.0 + 1.5 * wander(seed + 93, t, 30.0),
    }


def _thermometer(seed: int, _pulse: Pulse, t: float) -> dict[str, Value]:
    return {"body_temperature_c": 36.7 + 0.4 * wander(seed + 94, t, 14400.0), "temperature_type": "ear"}


def _scale(seed: int, _pulse: Pulse, t: float) -> dict[str, Value]:
    weight = 58.0 + 30.0 * unit(seed, 95) + 0.6 * wander(seed + 96, t, 43200.0)
    return {"weight_kg": weight, "user_id": 1 + seed % 3, "body_mass_index_kg_m2": weight / 2.9929, "height_m": 1.73}


def _pumping(_seed: int, _pulse: Pulse, t: float) -> dict[str, Value]:
    return {"cuff_pressure_mmhg": 20.0 + 160.0 * (t % 30.0) / 30.0}


def _rising(seed: int, pulse: Pulse, t: float) -> dict[str, Value]:
    end = _thermometer(seed, pulse, t)["body_temperature_c"]
    assert isinstance(end, float)
    return {"intermediate_temperature_c": end - 4.0 * math.exp(-(t % 60.0) / 12.0), "temperature_type": "ear"}


def _composition(seed: int, pulse: Pulse, t: float) -> dict[str, Value]:
    """Of the scale's user: what is no fat is water, muscle and bone in the shares of a grown person."""
    scale = _scale(seed, pulse, t)
    weight, fat = scale["weight_kg"], 18.0 + 12.0 * unit(seed, 97) + 0.5 * wander(seed + 98, t, 43200.0)
    assert isinstance(weight, float)
    lean = weight * (1.0 - fat / 100.0)
    return {
        "body_fat_pct": fat,
        "user_id": scale["user_id"],
        "basal_metabolism_kj": 4.184 * (370.0 + 21.6 * lean),  # Katch and McArdle
        "muscle_pct": 100.0 * 0.54 * lean / weight,
        "muscle_mass_kg": 0.54 * lean,
        "fat_free_mass_kg": lean,
        "soft_lean_mass_kg": 0.94 * lean,
        "body_water_mass_kg": 0.73 * lean,
        "impedance_ohm": 500.0 + 80.0 * wander(seed + 99, t, 43200.0),
        "weight_kg": weight,
        "height_m": scale["height_m"],
    }


def _glucose(seed: int, _pulse: Pulse, t: float) -> dict[str, Value]:
    meal = math.exp(-(t % 14400.0) / 5400.0)  # one each four hours
    return {
        "sequence_number": int(t) % 65536,
        "glucose_mg_dl": 92.0 + 38.0 * meal + 6.0 * wander(seed + 100, t, 1800.0),
        "glucose_type": "capillary whole blood",
        "sample_location": "finger",
        "meter_status": "none",
    }


SAYS: Mapping[int, Says] = {
    STRAP: _strap,
    CUFF: _cuff,
    ENHANCED_CUFF: _cuff,
    PUMPING: _pumping,
    ENHANCED_PUMPING: _pumping,
    SPOT_CHECK: _oximeter,
    OXIMETER: _oximeter,
    THERMOMETER: _thermometer,
    RISING: _rising,
    SCALE: _scale,
    COMPOSITION: _composition,
    GLUCOSE: _glucose,
}
OFF: Mapping[int, dict[str, Value]] = {
    STRAP: {"heart_rate_bpm": 0.0, "sensor_contact": "NOT_DETECTED"},
    OXIMETER: {"measurement_status": "unavailable", "sensor_status": "sensor_unconnected_to_user"},
}
"""What is said without a finger or skin."""


class Peripheral(Worn):
    """See the module."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.topic = topic_of(self.topic)
        self._number = number_of(self.topic)
        own = of_topic(self.topic).characteristic
        assert own is not None
        self._own = own
        self._fine = all(field.step == _FIELDS[field.name].step for field in own.fields)
        self._battery_due = 0.0

    def off(self, _moment: float) -> bytes | None:
        fields = OFF.get(self._number)
        return None if fields is None else self._aside(self._number, fields).data

    def _frames(self, moments: list[float]) -> list[Frame]:
        frames = super()._frames(moments)
        if self._number == CUFF and frames:
            frames[:0] = [self._aside(PUMPING, {"cuff_pressure_mmhg": at}) for at in (60.0, 160.0, 95.0)]
        if moments and moments[-1] >= self._battery_due:
            self._battery_due = moments[-1] + BATTERY_EVERY_S
            frames.append(self._aside(BATTERY, {"battery_pct": float(100 - int(moments[-1] / 7200.0) % 90)}))
        return frames

    def _aside(self, number: int, fields: dict[str, Value]) -> Frame:
        """A message that carries no count."""
        topic = self.topic if number == self._number else sibling(self.topic, number)
        characteristic = of_topic(topic).characteristic
        assert characteristic is not None
        return Frame(characteristic.write(fields), topic=topic)

    def _frame(self, reading: Reading, series: Series, number: int) -> Frame:
        data = self._own.write(reading.fields, reading.time_ns)
        counts = self._fine and self.device.sequence.extract(reading.fields) is not None
        if counts and data == self.encode(reading):
            return super()._frame(reading, series, number)
        return Frame(data, topic=self.topic)
