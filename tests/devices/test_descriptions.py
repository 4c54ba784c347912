"""Every device type is complete: names, units, ranges, states, a carrier for the audit count."""

import math
from pathlib import Path

import pytest

import devices
from devices.nmea0183 import device as nmea0183
from devices.nmea0183.fields import BY_NAME as NMEA_FIELDS
from devices.nmea0183.sentences import SENTENCES
from devices.spec.device import Device, PolledDevice, SerialDevice
from devices.spec.errors import DescriptionError
from devices.spec.field import Field
from devices.spec.units import UNITS
from tests.device_types import BUILT_IN, BY_NAME, DEVICES

FIELDS = [(device, field) for device in DEVICES for field in device.fields]
EVERY_DEVICE = pytest.mark.parametrize("device", DEVICES, ids=lambda device: device.name)
EVERY_FIELD = pytest.mark.parametrize(
    ("device", "field"), FIELDS, ids=[f"{device.name}-{field.name}" for device, field in FIELDS]
)


def test_names_are_unique() -> None:
    assert len(BY_NAME) == len(DEVICES)
    assert len({device.measurement for device in DEVICES}) == len(DEVICES)


@pytest.mark.parametrize("device", BUILT_IN.values(), ids=lambda device: device.name)
def test_a_device_that_parkgate_brings_is_a_module_of_its_name(device: Device) -> None:
    folder = Path(devices.__file__).parent
    stem = device.name.replace("-", "_")
    modules = [*folder.glob(f"**/{stem}.py"), *folder.glob(f"{stem}/__init__.py")]
    profiles = [*folder.glob(f"modbus/profiles/{device.name}.toml")]
    assert len(modules + profiles) == 1


@EVERY_DEVICE
def test_a_device_is_described(device: Device) -> None:
    assert device.title
    assert device.source
    assert device.expected_every_s > 0


@EVERY_DEVICE
def test_the_count_has_a_place(device: Device) -> None:
    names = {field.name for field in device.fields}
    for parts in (device.sequence.parts, *device.sequence.others):
        assert all(part.field in names for part in parts)
    assert device.sequence.modulus >= 16


@EVERY_FIELD
def test_a_field_is_complete(device: Device, field: Field) -> None:
    unit = UNITS[field.unit]
    assert field.name.endswith(unit.suffix)
    assert len(field.description) > 3
    assert not field.description.endswith(".")
    if field.minimum is not None and field.maximum is not None:
        assert field.minimum < field.maximum
    if field.kind == "state" and isinstance(device, SerialDevice):
        assert len(set(field.states)) == len(field.states) > 1
    values = [threshold.value for threshold in field.thresholds]
    assert values == sorted(values)


@EVERY_FIELD
def test_numbers_on_a_wire_have_range_and_step(device: Device, field: Field) -> None:
    if not isinstance(device, SerialDevice) or field.kind not in ("measure", "counter"):
        return
    assert field.minimum is not None
    assert field.maximum is not None
    assert field.step is not None
    assert field.step > 0
    assert math.isfinite(field.maximum - field.minimum)


@pytest.mark.parametrize("device", [one for one in DEVICES if isinstance(one, PolledDevice)], ids=lambda one: one.name)
def test_a_polled_device_can_keep_its_own_pace(device: PolledDevice) -> None:
    assert device.timing.timeout_s * len(device.questions) < device.expected_every_s
    if device.units:  # what tells late answers of Modbus; others' are told from each other in test_polled.py
        assert len({question.size for question in device.questions}) == len(device.questions)
    assert not device.units or 0 not in device.units  # 0 is for all, and nobody answers


def test_every_column_of_a_sentence_is_a_field() -> None:
    known = NMEA_FIELDS.keys() | {"utc_time", "utc_date", "day", "month", "year"}
    for sentence, row in SENTENCES.items():
        assert row.names <= known, sentence
        assert 0 < row.least <= row.written < row.length, sentence
    named = {name for row in SENTENCES.values() for name in row.names}
    derived = {"speed_m_s", "utc_time", "satellites_in_view", "satellites_tracked", "snr_max_db_hz", "snr_mean_db_hz"}
    assert {field.name for field in nmea0183.DEVICE.fields} - named - derived == {"satellites", "group_complete"}


@pytest.mark.parametrize(
    ("name", "unit"), [("temperature", "Cel"), ("Pm2_5_ug_m3", "ug/m3"), ("pm2.5_ug_m3", "ug/m3"), ("x", "furlong")]
)
def test_a_field_that_contradicts_itself_is_refused(name: str, unit: str) -> None:
    with pytest.raises(DescriptionError, match=name):
        Field(name, unit, "x")
