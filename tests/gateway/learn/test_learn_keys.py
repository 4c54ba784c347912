"""What keys of unknown boards mean."""

import pytest

from gateway.learn.keys import meaning_of


@pytest.mark.parametrize(
    ("key", "quantity", "unit"),
    [
        ("temp", "temperature", "Cel"),
        ("t", "temperature", "Cel"),
        ("Temp_C", "temperature", "Cel"),
        ("hum", "humidity", "%"),
        ("pm25", "pm2_5", "ug/m3"),
        ("PM2.5", "pm2_5", "ug/m3"),
        ("co2", "co2", "[ppm]"),
        ("vbat", "battery", "V"),
        ("lat", "latitude", "deg"),
        ("lng", "longitude", "deg"),
        ("dist_mm", "distance", "mm"),
        ("speed_m_s", "speed", "m/s"),
        ("wind_speed_km_h", "wind_speed", "km/h"),
        ("radiation_w_m2", "radiation", "W/m2"),
        ("soilMoisture", "soil_moisture", "%"),
        ("room_temp", "room_temperature", "Cel"),
        ("temp2", "temperature_2", "Cel"),
        ("people_count", "people_count", "1"),
    ],
)
def test_a_key_that_says_it(key: str, quantity: str, unit: str) -> None:
    meaning = meaning_of(key)
    assert (meaning.quantity, meaning.unit) == (quantity, unit)
    assert meaning.why


@pytest.mark.parametrize("key", ["batt", "dist", "no2", "foo", "speed", "0", "energy"])
def test_a_unit_that_is_not_known_stays_a_question(key: str) -> None:
    assert meaning_of(key).unit == ""


@pytest.mark.parametrize(
    ("key", "written", "unit"),
    [
        ("tempF", "", "[degF]"),
        ("battery_mv", "", "mV"),
        ("x", "C", "Cel"),
        ("x", "°C", "Cel"),
        ("press", "kPa", "kPa"),
        ("dust", "µg/m³", "ug/m3"),
        ("dist", "cm", "cm"),
    ],
)
def test_a_unit_that_is_written(key: str, written: str, unit: str) -> None:
    assert meaning_of(key, written).unit == unit


@pytest.mark.parametrize(
    ("key", "values", "unit"),
    [
        ("p", [1013.0], "hPa"),
        ("p", [101325.0, 0.0, 101326.0], "Pa"),
        ("p", [101.3], "kPa"),
        ("temp", [294.6], "K"),
        ("vbat", [3700.0], "mV"),
        ("h", [4000.0], ""),
        ("lat", [224000000.0], ""),
        ("temp_c", [2150.0], "Cel"),
        ("foo", [1e9], ""),
    ],
)
def test_a_usual_unit_is_held_against_the_values(key: str, values: list[float], unit: str) -> None:
    assert meaning_of(key).held_against(values).unit == unit
