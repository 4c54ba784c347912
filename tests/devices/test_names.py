"""Field names made of what payloads call their values."""

import pytest

from devices.spec.device import MessageDevice
from devices.spec.names import MAX_ERRORS, MAX_VALUES, Values, number, number_name, snake, suffix
from simulators.things import usual_topic
from tests.device_types import BY_NAME


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("DewPoint", "dew_point"),
        ("DS18B20-1", "ds18b20_1"),
        ("PM2.5", "pm2_5"),
        ("Temp1Max", "temp1_max"),
        ("wifi_sta", "wifi_sta"),
        ("Luft °C", "luft_c"),
        ("%", "value"),
        ("x" * 200, "x" * 128),
    ],
)
def test_lower_snake(name: str, made: str) -> None:
    assert snake(name) == made


@pytest.mark.parametrize(
    ("unit", "made"),
    [
        ("°C", "c"), ("Cel", "c"), ("C", "c"), ("%", "pct"), ("kWh", "kwh"), ("kVArh", "kvarh"), ("W.min", "w_min"),
        ("m³/h", "m3_h"), ("mired", "mired"), ("€/kWh", "eur_kwh"), ("MWh", "megawh"), ("mWh", "mwh"), ("", ""),
        ("lqi", ""),
    ],
)  # fmt: skip
def test_a_unit_is_told_by_its_suffix(unit: str, made: str) -> None:
    assert suffix(unit) == made


def test_what_a_name_says_of_type_and_unit() -> None:
    assert number_name("temperature", "°C") == "temperature_c"
    assert number_name("temperature_c", "°C") == "temperature_c"
    assert number_name("c", "°C") == "c"
    assert number_name("pm25", "µg/m³") == "pm2_5_ug_m3"
    assert number_name("door_flag") == "door_flag_value"


@pytest.mark.parametrize(
    ("value", "found"),
    [(3, 3.0), ("12.5", 12.5), (" 7 ", 7.0), ("1e3", 1000.0), ("", None), ("1_000", None), ("nan", None), (True, None),
     (10**400, None), ([1], None)],
)  # fmt: skip
def test_what_is_a_number(value: object, found: float | None) -> None:
    assert number(value) == found


def test_nothing_is_overwritten_and_nothing_is_without_bounds() -> None:
    values = Values()
    values.number("power", 1, "W")
    values.number("power", 2, "W")
    values.any("door", True)
    values.any("door", "open")
    values.any("gone", None)
    assert values.number("power", "much", "W") is False
    assert values.fields == {"power_w": 1.0, "power_w_2": 2.0, "door_flag": True, "door_text": "open"}
    assert values.errors == ["power: expected a number, got 'much'"]
    for count in range(2000):
        values.any(f"n{count}", count)
        values.any("bad", float("nan"))
    assert len(values.fields) == MAX_VALUES
    assert len(values.errors) == MAX_ERRORS + 1
    assert f"more than {MAX_VALUES} values" in values.errors


def test_the_topic_that_readings_are_said_on_is_that_of_the_type_unless_it_names_another() -> None:
    device = BY_NAME["vda5050"]
    assert isinstance(device, MessageDevice)
    assert device.reading_topic == device.topic
    assert usual_topic(device, "r1") == "uagv/v2/parkgate/r1/state"
