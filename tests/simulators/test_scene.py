"""What things measure: every field within what its device can say, on the device's own steps."""

import pytest

from devices.spec.device import Device
from devices.spec.field import Field
from simulators import nmea0183, vda5050
from simulators.scene import KINDS, QUANTITIES, settle, truth
from simulators.signals import Spot
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


def test_a_thing_that_stands_says_where_and_in_which_zone() -> None:
    spot = Spot("lake", (48.1371, 11.5754))
    reading = truth(BY_NAME["senml"], 3, "noise", spot)(MIDNIGHT)
    assert (reading.fields["latitude_deg"], reading.fields["longitude_deg"]) == (48.1371, 11.5754)
    assert reading.tags == {"zone": "lake"}
    assert "latitude_deg" not in truth(BY_NAME["senml"], 3, "noise")(MIDNIGHT).fields
    assert truth(BY_NAME["pms5003"], 3, None, spot)(MIDNIGHT).tags == {}


def test_a_thing_that_moves_moves_about_its_location() -> None:
    here = nmea0183.epoch(7, "", Spot("", (48.1371, 11.5754)))
    there = nmea0183.epoch(7, "")
    for minute in range(0, 60, 5):
        near, far = here(MIDNIGHT + 60.0 * minute)[0].fields, there(MIDNIGHT + 60.0 * minute)[0].fields
        assert abs(float(near["latitude_deg"]) - 48.1371) < 0.003
        assert abs(float(near["longitude_deg"]) - 11.5754) < 0.004
        assert abs(float(far["latitude_deg"]) - 22.4270) < 0.003
    across = [abs(float(nmea0183.epoch(7, "", Spot("", (0.0, 180.0)))(MIDNIGHT + 60.0 * k)[0].fields["longitude_deg"]))
              for k in range(24)]  # fmt: skip
    assert all(179.99 < longitude <= 180.0 for longitude in across)


def test_a_robots_map_is_that_of_its_zone() -> None:
    said = vda5050.epoch(7, "uagv/v2/parkgate/r1/state", Spot("yard"))(MIDNIGHT)[0].fields
    assert said["map_description"] == "yard"
    assert "map_description" not in vda5050.epoch(7, "uagv/v2/parkgate/r1/state")(MIDNIGHT)[0].fields
