"""The unit table is complete and its ids are Grafana's."""

import grafana_foundation_sdk.models.units as grafana

from dashboards.units import GRAFANA_UNITS, grafana_unit, missing
from devices.spec.units import UNITS


def test_every_unit_of_the_devices_has_a_grafana_unit() -> None:
    assert missing() == []
    assert sorted(GRAFANA_UNITS) == sorted(UNITS)


def test_ids_are_known_to_grafana_or_are_suffixes() -> None:
    known = {value for value in vars(grafana).values() if isinstance(value, str)}
    unknown = [unit for unit in GRAFANA_UNITS.values() if not unit.startswith("suffix:") and unit not in known]
    assert unknown == []


def test_a_suffix_is_only_used_with_the_symbol_of_the_unit() -> None:
    wrong = {ucum: unit for ucum, unit in GRAFANA_UNITS.items() if unit.startswith("suffix:")}
    assert {ucum: "suffix:" + UNITS[ucum].symbol for ucum in wrong} == wrong


def test_samples() -> None:
    assert grafana_unit("Cel") == "celsius"
    assert grafana_unit("ug/m3") == "con\N{GREEK SMALL LETTER MU}gm3"
    assert grafana_unit("min") == "m"
    assert grafana_unit("m") == "lengthm"
