"""Units behind the keys of a payload, both ways."""

import pytest

from devices.rtl_433 import SUFFIXES as RTL
from devices.rtl_433 import UNITS as RTL_UNITS
from devices.spec.names import number_name
from devices.spec.suffixes import Suffixes
from devices.wmbusmeters import SUFFIXES as WMBUS
from devices.wmbusmeters import UNITS as WMBUS_UNITS


@pytest.mark.parametrize(
    ("table", "key", "stem", "unit", "field"),
    [
        (WMBUS, "flow_m3h", "flow", "m3/h", "flow_m3_h"),
        (WMBUS, "current_relative_humidity_rh", "current_relative_humidity", "%", "current_relative_humidity_pct"),
        (WMBUS, "total_energy_consumption_kwh", "total_energy_consumption", "kW.h", "total_energy_consumption_kwh"),
        (WMBUS, "average_temperature_1h_c", "average_temperature_1h", "Cel", "average_temperature_1h_c"),
        (RTL, "wind_avg_km_h", "wind_avg", "km/h", "wind_avg_km_h"),
        (RTL, "wind_avg_mi_h", "wind_avg", "[mi_i]/h", "wind_avg_mph"),
        (RTL, "rain_rate_mm_h", "rain_rate", "mm/h", "rain_rate_mm_h"),
        (RTL, "temperature_1_F", "temperature_1", "[degF]", "temperature_1_f"),
        (RTL, "light_lux", "light", "lx", "light_lx"),
    ],
)
def test_a_unit_is_found_and_said_again(table: Suffixes, key: str, stem: str, unit: str, field: str) -> None:
    assert table.split(key) == (stem, unit)
    assert number_name(stem, unit) == field
    assert table.key(field) == key


@pytest.mark.parametrize("key", ["status", "c", "m3", "_c", "a_counter", "phase_", "battery_ok"])
def test_what_has_no_unit_stays(key: str) -> None:
    assert WMBUS.split(key) == (key, "")
    assert WMBUS.key(key) == key


@pytest.mark.parametrize(("table", "units"), [(WMBUS, WMBUS_UNITS), (RTL, RTL_UNITS)])
def test_every_ending_comes_back_to_its_unit(table: Suffixes, units: dict[str, str]) -> None:
    for ending, unit in units.items():
        assert table.split(f"some_thing_{ending}") == ("some_thing", unit)
        again = table.key(number_name("some_thing", unit))
        assert table.split(again) == ("some_thing", unit), ending
