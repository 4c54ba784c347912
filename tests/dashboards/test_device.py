"""The board that is derived from a device type."""

from typing import Any

import pytest

from dashboards import device
from devices.spec.field import Field
from tests.dashboards.examples import WEATHER


def panels(kind: str) -> list[dict[str, Any]]:
    return [panel for panel in device.build(WEATHER)["panels"] if panel["type"] == kind]


def test_frame() -> None:
    board = device.build(WEATHER)
    assert board["uid"] == "parkgate-device-weather-post"
    assert board["title"] == "Weather post"
    assert board["tags"] == ["parkgate", "device", "park"]
    assert [variable["name"] for variable in board["templating"]["list"]] == ["datasource", "zone", "thing"]
    assert board["templating"]["list"][2]["query"] == (
        'SHOW TAG VALUES FROM "weather_post" WITH KEY = "thing" WHERE "zone" =~ /^$zone$/'
    )


def test_measures_and_counters_become_curves() -> None:
    curves = panels("timeseries")
    assert [panel["title"] for panel in curves] == ["Temperature", "PM2.5", "Battery", "Rain count"]
    assert [panel["fieldConfig"]["defaults"]["unit"] for panel in curves] == [
        "celsius",
        "con\N{GREEK SMALL LETTER MU}gm3",
        "percent",
        "none",
    ]
    temperature = curves[0]
    assert temperature["description"] == "Air temperature in the shade. The device can say -40 to 85 °C."
    assert temperature["fieldConfig"]["defaults"]["decimals"] == 1
    assert temperature["interval"] == "60s"
    assert temperature["fieldConfig"]["defaults"]["custom"]["spanNulls"] == 180_000
    assert 'max("rain_count")' in curves[3]["targets"][0]["query"]


def test_thresholds_come_from_the_field() -> None:
    dust = panels("timeseries")[1]
    assert dust["fieldConfig"]["defaults"]["thresholds"]["steps"] == [
        {"value": None, "color": "green"},
        {"value": 15.0, "color": "yellow"},
        {"value": 35.0, "color": "orange"},
    ]


def test_states_and_flags_become_timelines() -> None:
    door, mode = panels("state-timeline")
    assert door["title"] == "Door open"
    assert door["fieldConfig"]["defaults"]["mappings"][0]["options"]["true"]["text"] == "yes"
    assert list(mode["fieldConfig"]["defaults"]["mappings"][0]["options"]) == ["idle", "measuring"]


def test_a_type_with_texts_shows_its_readings_whole() -> None:
    latest, newest = panels("table")
    assert latest["title"] == "Latest values"
    assert 'last("note") AS "Note"' in latest["targets"][0]["query"]
    assert "raw_v" not in latest["targets"][0]["query"]
    assert newest["targets"][0]["query"].startswith('SELECT * FROM "weather_post" WHERE $timeFilter')


@pytest.mark.parametrize(
    ("name", "unit", "words"),
    [
        ("pm2_5_ug_m3", "ug/m3", "PM2.5"),
        ("pm10_ug_m3", "ug/m3", "PM10"),
        ("particles_0_3um_per_cm3", "/cm3", "Particles 0.3 µm"),
        ("spo2_pct", "%", "SpO2"),
        ("soil_moisture_pct", "%", "Soil moisture"),
        ("course_true_deg", "deg", "Course true"),
        ("mode", "1", "Mode"),
    ],
)
def test_labels(name: str, unit: str, words: str) -> None:
    assert device.label(Field(name, unit, "x")) == words


def test_equal_labels_are_told_apart_by_the_unit() -> None:
    fields = (Field("speed_kn", "[kn_i]", "x"), Field("speed_km_h", "km/h", "x"), Field("mode", "1", "x"))
    assert device.labels(fields) == {"speed_kn": "Speed (kn)", "speed_km_h": "Speed (km/h)", "mode": "Mode"}
