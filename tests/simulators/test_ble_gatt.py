"""The doubles behind a bridge: what the topic makes of them, and what they say without a finger or skin."""

import pytest

from devices.ble_gatt import DEVICE
from devices.ble_gatt.characteristic import Characteristic
from devices.ble_gatt.environment import ENVIRONMENT
from devices.spec.events import Reading, Value
from simulators.peer import Frame
from simulators.things import ThingSpec, peer

NOON = 1_767_326_400.0  # 2026-01-02 12:00 in UTC+8
OFF = NOON + 300.0
CLEAR_NOON = NOON + 5 * 86_400.0
NAMES = {
    "2a37": {"heart_rate_bpm", "sensor_contact", "energy_expended_kj", "rr_interval_s", "rr_intervals_s", "flags"},
    "2a35": {
        "systolic_mmhg", "diastolic_mmhg", "mean_arterial_mmhg", "pulse_rate_bpm", "user_id", "body_movement",
        "cuff_loose", "irregular_pulse", "pulse_range", "position_improper", "flags",
    },
    "2a5f": {"spo2_pct", "pulse_rate_bpm", "measurement_status", "sensor_status", "pulse_amplitude_pct", "flags"},
    "2a5e": {"spo2_pct", "pulse_rate_bpm", "measurement_status", "sensor_status", "pulse_amplitude_pct", "flags"},
    "2a1c": {"body_temperature_c", "temperature_type", "flags"},
    "2a9d": {
        "weight_kg", "user_id", "body_mass_index_kg_m2", "height_m", "measurement_units", "weight_unit", "height_unit",
        "flags",
    },
    "2a1e": {"intermediate_temperature_c", "temperature_type", "flags"},
    "2b35": {"cuff_pressure_mmhg", "flags"},
    "2a9c": {
        "body_fat_pct", "user_id", "basal_metabolism_kj", "muscle_pct", "muscle_mass_kg", "fat_free_mass_kg",
        "soft_lean_mass_kg", "body_water_mass_kg", "impedance_ohm", "weight_kg", "height_m", "measurement_units",
        "muscle_mass_unit", "flags",
    },
    "2a18": {"sequence_number", "glucose_mg_dl", "glucose_type", "sample_location", "meter_status", "flags"},
    "2a6e": {"temperature_c"},
    "uv_index": {"uv_index"},
}  # fmt: skip

UNCOUNTED = {"uv_index", "2a1e", "2b35", "2a18"}
"""One byte has no room for a count; of a passing value, and of a meter that has a number of its own, none is made."""


def said(topic: str | None, from_s: float, seconds: int) -> list[Frame]:
    """What a thing on that topic says, a reading each second."""
    one = peer(ThingSpec("thing-1", DEVICE, seed=7, period_s=1.0, topic=topic))
    frames = []
    for second in range(seconds + 1):
        due = one.tick(from_s + second)
        for frame in due:
            one.delivered(frame)
        frames += due
    return frames


def heard(frame: Frame) -> Reading:
    (event,) = DEVICE.decode(frame.topic, frame.data, 0)
    assert isinstance(event, Reading), event
    assert not event.field_errors
    return event


@pytest.mark.parametrize("level", NAMES)
def test_the_topic_says_what_it_is(level: str) -> None:
    topic = f"ward/bed-3/{level}"
    own = [frame for frame in said(topic, NOON, 10) if frame.topic == topic]
    assert len(own) == 10
    assert {frozenset(heard(frame).fields) for frame in own} == {frozenset(NAMES[level])}
    counted = level not in UNCOUNTED
    assert [frame.number for frame in own] == (list(range(10)) if counted else [None] * 10)


def test_a_topic_that_names_none_is_that_of_a_strap() -> None:
    assert {frame.topic for frame in said("ward/bed-3/state", NOON, 3)} == {"ward/bed-3/2a37", "ward/bed-3/2a19"}
    assert {frame.topic for frame in said(None, NOON, 3)} == {"ble/thing-1/2a37", "ble/thing-1/2a19"}


def test_a_monitor_pumps_before_it_measures() -> None:
    frames = said("ward/cuff/2a35", NOON, 1)
    assert [heard(frame).fields.get("cuff_pressure_mmhg") for frame in frames[:3]] == [60.0, 160.0, 95.0]
    assert heard(frames[3]).time_ns == int(NOON) * 10**9


def test_the_battery_is_said_once_a_minute() -> None:
    batteries = [frame for frame in said("ward/strap/2a37", NOON, 130) if frame.topic == "ward/strap/2a19"]
    assert len(batteries) == 3
    assert all(heard(frame).fields.keys() == {"battery_pct"} for frame in batteries)


def test_without_skin_there_is_no_rate_and_no_count() -> None:
    frames = [frame for frame in said("ward/strap/2a37", OFF, 30) if frame.topic == "ward/strap/2a37"]
    off, on = frames[:20], frames[20:]
    assert [heard(frame).fields for frame in off] == [{"sensor_contact": "NOT_DETECTED", "flags": 4}] * 20
    assert [frame.number for frame in frames] == [None] * 20 + list(range(len(on)))
    assert on


def test_without_a_finger_an_oximeter_says_why_it_has_no_value() -> None:
    frames = [frame for frame in said("ward/clip/2a5f", OFF, 10) if frame.topic == "ward/clip/2a5f"]
    void = {"measurement_status": "unavailable", "sensor_status": "sensor_unconnected_to_user", "flags": 12}
    assert [heard(frame).fields for frame in frames] == [void] * 10


@pytest.mark.parametrize("characteristic", ENVIRONMENT, ids=lambda each: each.name)
def test_a_whole_day_is_said_whatever_the_number_has_room_for(characteristic: Characteristic) -> None:
    one = peer(ThingSpec("thing-1", DEVICE, seed=7, period_s=3600.0, topic=f"ble/post-1/{characteristic.uuid:04x}"))
    frames = [frame for hour in range(25) for frame in one.tick(NOON + hour * 3600.0) if frame.topic == one.topic]
    assert len(frames) >= 24
    assert all(heard(frame) for frame in frames)


def test_bright_daylight_is_the_most_that_16_bits_say() -> None:
    def light(level: str) -> list[Value]:
        topic = f"ble/post-1/{level}"
        frames = [frame for frame in said(topic, CLEAR_NOON, 3) if frame.topic == topic]
        return [heard(frame).fields["illuminance_lx"] for frame in frames]

    assert all(isinstance(each, float) and each > 65_535 for each in light("2afb"))
    assert light("2c1c") == [65_534.0] * 3
