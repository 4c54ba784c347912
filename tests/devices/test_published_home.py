"""The published vectors of what stands in homes and parks and speaks MQTT, their publishers' names mapped to ours."""

from typing import Any

import pytest

from devices.spec.device import MessageDevice
from devices.spec.events import Reading
from devices.spec.units import UNITS
from tests.device_types import BY_NAME
from tests.devices.published import payload, published

T = 1_700_000_000_000_000_000

TASMOTA = {
    "TX23.Speed.Act": "tx23_speed_act_km_h", "TX23.Dir.Card": "tx23_dir_card_text",
    "ENERGY.TotalTariff.0": "energy_tariff_1_kwh", "ENERGY.TotalTariff.1": "energy_tariff_2_kwh",
    "DS18B20.Temperature": "ds18b20_temperature_c", "ENERGY.Total": "energy_total_kwh",
    "ANALOG.CTEnergy1.Energy": "analog_ctenergy1_energy_kwh", "ANALOG.CTEnergy1.Power": "analog_ctenergy1_power_w",
    "ANALOG.CTEnergy1.Voltage": "analog_ctenergy1_voltage_v",
    "ANALOG.CTEnergy1.Current": "analog_ctenergy1_current_a",
}  # fmt: skip
GEN2 = {
    "apower": "power_w", "voltage": "voltage_v", "current": "current_a", "energy": "energy_wh", "output": "output_flag",
    "total_act": "total_energy_wh", "total_act_ret": "total_returned_energy_wh", "illuminance": "illuminance_lx",
}  # fmt: skip
GEN1 = {
    "power": "power_w", "energy": "energy_w_min", "relay": "output_flag", "temperature": "device_temperature_c",
}  # fmt: skip
UCUM = {
    "W*min": "W.min",
    "degC": "Cel",
    "km/h": "km/h",
    "kWh": "kW.h",
    "Wh": "W.h",
    "W": "W",
    "V": "V",
    "A": "A",
    "lx": "lx",
}


def decoded(device: str, vector: dict[str, Any]) -> Reading:
    """The one reading of a vector."""
    kind = BY_NAME[device]
    assert isinstance(kind, MessageDevice)
    (event,) = kind.decode(vector.get("topic", "shellies/x/info"), payload(vector), T)
    assert isinstance(event, Reading)
    return event


def check(reading: Reading, names: dict[str, str], expected: dict[str, Any]) -> None:
    """Every value that the publisher names, in the publisher's unit."""
    for name, wanted in expected.items():
        value, unit = (wanted["value"], UCUM[wanted["unit"]]) if isinstance(wanted, dict) else (wanted, None)
        assert reading.fields[names[name]] == value, name
        assert unit is None or names[name].endswith("_" + UNITS[unit].suffix)


@pytest.mark.parametrize("vector", published("tasmota"), ids=lambda vector: str(vector["id"]))
def test_tasmota(vector: dict[str, Any]) -> None:
    reading = decoded("tasmota", vector)
    assert reading.thing == "tasmota_49A3BC"
    check(reading, TASMOTA, vector["expected"])


@pytest.mark.parametrize("vector", published("shelly-gen2"), ids=lambda vector: str(vector["id"]))
def test_shelly_gen2(vector: dict[str, Any]) -> None:
    reading = decoded("shelly-gen2", vector)
    own = vector["topic"].endswith("temperature:0")
    check(reading, GEN2 | {"temperature": "temperature_c" if own else "device_temperature_c"}, vector["expected"])


@pytest.mark.parametrize("vector", published("shelly-gen1"), ids=lambda vector: str(vector["id"]))
def test_shelly_gen1(vector: dict[str, Any]) -> None:
    check(decoded("shelly-gen1", vector), GEN1, vector["expected"])


@pytest.mark.parametrize("vector", published("homie5"), ids=lambda vector: str(vector["id"]))
def test_homie(vector: dict[str, Any]) -> None:
    expected, kind = vector["expected"], BY_NAME["homie"]
    assert isinstance(kind, MessageDevice)
    (reading,) = kind.decode(vector["topic"], vector["input_text"].encode(), T)
    assert isinstance(reading, Reading)
    assert reading.thing == expected["device"]
    unit = UNITS[UCUM[expected["unit"]]].suffix
    assert reading.fields == {f"{expected['node']}_{expected['property']}_{unit}": expected["value"]}
