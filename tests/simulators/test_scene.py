"""What things measure: every field within what its device can say, on the device's own steps."""

import pytest

from devices.spec.device import Device
from devices.spec.field import Field
from simulators.scene import KINDS, QUANTITIES, settle, truth
from tests.device_types import BY_NAME, DEVICES

MIDNIGHT = 1_767_283_200.0  # 2026-01-02 00:00 in UTC+8


@pytest.mark.parametrize("device", DEVICES, ids=lambda one: one.name)
def test_values_are_what_the_device_can_say(device: Device) -> None:
    at = truth(device, 3, "weather" if device.name in ("senml", "ttn-v3") else None)
    described = {field.name: field for field in device.fields}
    for k in range(144):
        for name, value in at(MIDNIGHT + 600.0 * k).fields.items():
            field = described[name]
            if field.kind == "flag":
                assert isinstance(value, bool)
            elif field.kind in ("state", "text"):
                assert isinstance(value, str)
                assert not field.states or value in field.states
            else:
                assert isinstance(value, int if field.kind == "counter" else float)
                assert field.minimum is None or float(value) >= field.minimum
                assert field.maximum is None or float(value) <= field.maximum


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_kind_is_its_fields_and_the_count(kind: str) -> None:
    reading = truth(BY_NAME["senml"], 1, kind)(MIDNIGHT)
    assert set(reading.fields) == {*KINDS[kind], "seq"}
    assert reading.time_ns == 1_767_283_200_000_000_000
    assert set(KINDS[kind]) <= set(QUANTITIES)


def test_settling() -> None:
    field = Field("temperature_c", "Cel", "Air", minimum=-40.0, maximum=80.0, step=0.5)
    assert settle(field, 21.3) == 21.5
    assert settle(field, 99.0) == 80.0
    assert settle(field, -41.0) == -40.0
    counter = Field("seq", "1", "Count", kind="counter", minimum=0, maximum=255)
    assert settle(counter, 7.6) == 8
    flag = Field("open", "1", "Door", kind="flag")
    assert settle(flag, 0.0) is False
