"""The published vectors of health devices, their publishers' names mapped to ours here."""

from typing import Any

import pytest

from devices.spec.device import MessageDevice, StreamDevice
from devices.spec.events import Event, IntegrityError, Reading
from tests.device_types import BY_NAME
from tests.devices.examples import nanoseconds
from tests.devices.published import payload, published

GATT = {
    "heart_rate": "heart_rate_bpm", "energy_expended": "energy_expended_kj", "sequence_number": "sequence_number",
    "body_fat_percentage": "body_fat_pct", "user_id": "user_id", "bmi": "body_mass_index_kg_m2",
    "basal_metabolism": "basal_metabolism_kj", "muscle_percentage": "muscle_pct", "impedance": "impedance_ohm",
    "weight": "weight_", "height": "height_", "muscle_mass": "muscle_mass_", "fat_free_mass": "fat_free_mass_",
    "soft_lean_mass": "soft_lean_mass_", "body_water_mass": "body_water_mass_",
}  # fmt: skip
"""The publisher's names to ours; those that end in `_` are followed by the unit."""
VALUES = {
    "2A19": "battery_pct", "2A6E": "temperature_c", "2A6F": "humidity_pct", "2A76": "uv_index", "2BE4": "noise_db",
    "2A70": "wind_true_m_s",
}  # fmt: skip
"""What `value` is, by characteristic."""
NONIN = {
    "heart_rate": "pulse_rate_bpm", "heart_rate_d": "pulse_rate_display_bpm", "firmware_rev": "firmware_revision",
    "e_heart_rate": "pulse_rate_extended_bpm", "e_heart_rate_d": "pulse_rate_extended_display_bpm",
    "spo2": "spo2_pct", "spo2_d": "spo2_display_pct", "spo2_fast": "spo2_fast_pct", "spo2_beat": "spo2_beat_pct",
    "e_spo2": "spo2_extended_pct", "e_spo2_d": "spo2_extended_display_pct",
}  # fmt: skip
STATUS = {
    "green_perfusion": ("perfusion", "green"), "yellow_perfusion": ("perfusion", "yellow"),
    "red_perfusion": ("perfusion", "red"), "sensor_alarm": ("sensor_alarm", True),
    "out_of_track": ("out_of_track", True), "artifact": ("artifact", True),
    "sensor_disconnect": ("sensor_disconnected", True),
}  # fmt: skip
TIMES = ("timestamp", "base_time")
AS_THEY_ARE = ("flags", "measurement_units", "weight_unit", "height_unit", "muscle_mass_unit", "sensor_contact")
ELSEWHERE = {
    "min_length", "max_length",  # of any value of that characteristic
    "rr_intervals", "sensor_location", "time_offset_minutes",  # below, or not in this message
    "glucose_concentration", "glucose_type", "sample_location", "sensor_status", "unit",  # None in all of them
}  # fmt: skip


@pytest.mark.parametrize(
    "vector",
    published("ieee11073-float", "ieee11073-sfloat"),
    ids=lambda vector: f"{vector['protocol']}-{vector['id']}",
)
def test_published_float(vector: dict[str, Any]) -> None:
    device = BY_NAME[vector["protocol"]]
    assert isinstance(device, MessageDevice)
    (event,) = device.decode("ieee11073/thing-1/float", payload(vector), 0)
    assert isinstance(event, Reading)
    assert event.fields == vector["expected"]
    assert device.encode(event) == payload(vector) or vector["id"] == 674  # the same value with another exponent


def gatt(vector: dict[str, Any], level: str) -> Reading:
    device = BY_NAME["ble-gatt"]
    assert isinstance(device, MessageDevice)
    (event,) = device.decode(f"ble/thing-1/{level}", payload(vector), 0)
    assert isinstance(event, Reading), event
    assert not event.field_errors
    return event


@pytest.mark.parametrize("vector", published("ble-gatt"), ids=lambda vector: f"{vector['device']}-{vector['id']}")
def test_published_characteristic(vector: dict[str, Any]) -> None:
    number, name = vector["device"].split()
    reading, expected = gatt(vector, number), vector["expected"]
    assert gatt(vector, name) == gatt(vector, vector["device"]) == reading
    imperial = "IMPERIAL" in expected.values()
    wanted: dict[str, Any] = {}
    for theirs, value in expected.items():
        if value is None or theirs in ELSEWHERE or theirs in TIMES:
            continue
        if theirs in AS_THEY_ARE:
            wanted[theirs] = value
            continue
        ours = VALUES[number] if theirs == "value" else GATT[theirs]
        if ours.endswith("_"):
            ours += ("in" if imperial else "m") if theirs == "height" else ("lb" if imperial else "kg")
        wanted[ours] = value
    if expected.get("rr_intervals"):
        wanted |= {"rr_intervals_s": "[2.0,4.0]", "rr_interval_s": 3.0}
        assert expected["rr_intervals"] == [2.0, 4.0]
    assert reading.fields == wanted
    times = [nanoseconds(expected[key] + "Z") for key in TIMES if expected.get(key)]
    assert reading.time_ns == (times[0] if times else None)


def test_none_of_them_is_passed_over() -> None:
    vectors = published("ble-gatt")
    assert len(vectors) == 20
    for vector in vectors:
        left = {key: value for key, value in vector["expected"].items() if key in ELSEWHERE and value}
        assert left.keys() <= {"rr_intervals", "min_length", "max_length"}


def nonin(data: bytes) -> list[Event]:
    device = BY_NAME["nonin-df2"]
    assert isinstance(device, StreamDevice)
    decoder = device.decoder()
    return decoder.feed(data) + decoder.flush()


@pytest.mark.parametrize("vector", published("nonin-df2"), ids=lambda vector: f"nonin-{vector['id']}")
def test_published_packet(vector: dict[str, Any]) -> None:
    data, expected = bytes.fromhex(vector["input_hex"]), vector["expected"]
    if expected.get("reject"):
        assert all(isinstance(event, IntegrityError) for event in nonin(data))
        assert "23 of 25 frames" in nonin(data)[0].detail  # type: ignore[union-attr]
        return
    if len(data) == 1:  # the status byte of a frame, here of the second in a packet whose others say nothing
        whole = next(bytes.fromhex(each["input_hex"]) for each in published("nonin-df2") if each["id"] == 97)
        frame = bytes((1, data[0], whole[7], whole[8]))
        data = whole[:5] + frame + bytes((sum(frame) & 0xFF,)) + whole[10:]
        field, value = STATUS[next(iter(expected))]
        (reading,) = nonin(data)
        assert isinstance(reading, Reading)
        quiet = {"perfusion": "none", "sensor_alarm": False, "out_of_track": False, "artifact": False,
                 "sensor_disconnected": False}  # fmt: skip
        assert {name: reading.fields[name] for name in quiet} == quiet | {field: value}
        return
    (reading,) = nonin(data)
    assert isinstance(reading, Reading)
    assert {name: reading.fields[name] for name in NONIN.values()} == {
        NONIN[theirs]: wanted["value"] if isinstance(wanted, dict) else wanted for theirs, wanted in expected.items()
    }
