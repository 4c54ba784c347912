"""The published vectors of vehicles and robots, their publishers' names mapped to ours here."""

import json
from typing import Any

import pytest

from devices.spec.device import MessageDevice, StreamDevice
from devices.spec.events import Event, Reading
from tests.device_types import BY_NAME
from tests.devices.published import payload, published

MAVLINK = {
    "seq": "seq", "sysid": "system_id", "compid": "component_id", "custom_mode": "custom_mode",
    "type": "vehicle_type", "autopilot": "autopilot", "base_mode": "base_mode", "system_status": "system_status",
    "mavlink_version": "mavlink_version", "param_id": "param_id_text", "param_value": "param_value",
    "param_type": "param_type", "param_count": "param_count", "param_index": "param_index",
    "target_system": "target_system", "target_component": "target_component", "command": "command", "param1": "param1",
}  # fmt: skip


def streamed(name: str, data: bytes) -> list[Event]:
    device = BY_NAME[name]
    assert isinstance(device, StreamDevice)
    decoder = device.decoder()
    return decoder.feed(data) + decoder.flush()


@pytest.mark.parametrize("vector", published("mavlink1", "mavlink2"), ids=lambda vector: vector["id"])
def test_mavlink(vector: dict[str, Any]) -> None:
    (reading,) = streamed("mavlink", payload(vector))
    assert isinstance(reading, Reading)
    expected = dict(vector["expected"])
    assert reading.tags["message"] == expected.pop("msg")
    assert reading.fields["wire_version"] == int(vector["protocol"][-1])
    for name, value in expected.items():
        word = value.partition("(")[0] if isinstance(value, str) else value  # MAV_STATE_STANDBY(3)
        assert reading.fields[MAVLINK[name]] == word, name


LIDAR = {"speed": "speed_deg_s", "start_angle": "start_deg", "end_angle": "end_deg", "timestamp": "timestamp_ms"}


@pytest.mark.parametrize("vector", published("ldrobot-ld06"), ids=lambda vector: vector["id"])
def test_lidar(vector: dict[str, Any]) -> None:
    (reading,) = streamed("ld06", payload(vector))
    assert isinstance(reading, Reading)
    for name, ours in LIDAR.items():
        assert reading.fields[ours] == vector["expected"][name]["value"], name
        assert ours.endswith(vector["expected"][name]["unit"].replace("/", "_"))
    assert json.loads(str(reading.fields["points"])) == vector["expected"]["points"]


ROOMBA = {
    "battery": "battery_pct", "theta_deg": "theta_deg", "x_mm": "x_mm", "y_mm": "y_mm", "bin_full": "bin_full",
    "dock_known": "dock_known", "phase": "phase", "cycle": "cycle", "error": "error_code", "name": "robot_name",
    "software": "software_version",
}  # fmt: skip


@pytest.mark.parametrize("vector", published("irobot-mqtt"), ids=lambda vector: vector["id"])
@pytest.mark.parametrize("wrapped", [False, True])
def test_roomba(vector: dict[str, Any], wrapped: bool) -> None:
    device = BY_NAME["irobot-mqtt"]
    assert isinstance(device, MessageDevice)
    data = payload(vector)
    if wrapped:
        data = b'{"state":{"reported":%b}}' % data
    (reading,) = device.decode("$aws/things/b1/shadow/update", data, 0)
    assert isinstance(reading, Reading)
    assert reading.thing == "b1"
    expected = dict(vector["expected"])
    expected |= expected.pop("pose")
    for name, value in expected.items():
        wanted = value["value"] if isinstance(value, dict) else value
        assert reading.fields[ROOMBA[name]] == wanted, name
