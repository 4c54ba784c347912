"""What each hand-composed board answers."""

from typing import Any

import pytest

from dashboards import air, city, gateway_board, health, robots
from dashboards.boards import every_board
from dashboards.catalogue import Types
from devices.spec.mapping import device_type
from tests.device_types import DEVICES

TYPES = Types(DEVICES)

Board = dict[str, Any]


def panel(board: Board, title: str) -> Board:
    (found,) = [each for each in board["panels"] if each["title"] == title and each["type"] != "row"]
    return dict(found)


def queries(board: Board, title: str) -> list[str]:
    return [target["query"] for target in panel(board, title)["targets"]]


def headings(board: Board) -> list[str]:
    return [each["title"] for each in board["panels"] if each["type"] == "row"]


def test_the_set_is_the_composed_boards_and_one_a_device_type() -> None:
    uids = [board["uid"] for board in every_board(DEVICES)]
    assert uids[:5] == ["parkgate-city", "parkgate-air", "parkgate-robots", "parkgate-health", "parkgate-gateway"]
    assert uids[5:] == [f"parkgate-device-{device.name}" for device in DEVICES]


def test_city_says_what_is_alive_where_and_what_it_measures() -> None:
    board = city.build(TYPES)
    assert headings(board) == ["Alive", "Where", "Now", "What happened"]
    chart = panel(board, "Map")
    assert [layer["name"] for layer in chart["options"]["layers"]] == ["Park", "Things", "Moving"]
    assert [layer.get("filterData") for layer in chart["options"]["layers"][1:]] == [
        {"id": "byRefId", "options": "A"},
        {"id": "byRefId", "options": "B"},
    ]
    assert all('AS "latitude"' in query for query in queries(board, "Map"))


def test_a_thing_on_the_city_board_leads_to_the_board_of_its_type() -> None:
    (override,) = [
        each
        for each in panel(city.build(TYPES), "Things")["fieldConfig"]["overrides"]
        if each["matcher"] == {"id": "byName", "options": "thing"}
    ]
    (link,) = override["properties"][0]["value"]
    assert link["url"] == (
        "/d/parkgate-device-${__data.fields.device}?var-thing=${__data.fields.thing}&${__url_time_range}"
    )


def test_air_shows_every_make_in_one_panel() -> None:
    quick, *slower = queries(air.build(TYPES), "PM2.5")
    assert quick.startswith('SELECT mean("pm2_5_ug_m3") AS "pm2_5_ug_m3" FROM /^(')
    for measurement in ("pms5003", "pms5003t", "pms3003", "sds011"):
        assert measurement in quick.partition("WHERE")[0]
    paces = [query.partition("WHERE")[0] for query in slower]
    for measurement in ("senml", "ttn_v3", "zigbee2mqtt"):
        assert sum(measurement in pace for pace in paces) == 1


def test_a_gap_is_three_missing_values_at_each_types_own_pace() -> None:
    """The radio nodes speak every ten minutes: their dots are joined, a quick sensor's silence is not."""
    chart = panel(city.build(TYPES), "Noise")
    assert chart["interval"] == "60s"
    assert ["senml" in query.partition("WHERE")[0] for query in queries(city.build(TYPES), "Noise")] == [True, False]
    assert chart["fieldConfig"]["defaults"]["custom"]["spanNulls"] == 180_000
    assert chart["fieldConfig"]["overrides"] == [
        {
            "matcher": {"id": "byFrameRefID", "options": "B"},
            "properties": [{"id": "custom.spanNulls", "value": 1_800_000}],
        }
    ]


def test_everything_offline_reads_nought() -> None:
    assert panel(city.build(TYPES), "Things online")["fieldConfig"]["defaults"]["noValue"] == "0"


def test_columns_of_a_table_stay_in_their_places() -> None:
    (transformation,) = panel(city.build(TYPES), "Things")["transformations"]
    assert transformation["id"] == "organize"
    assert transformation["options"]["indexByName"] == {"Time": 0, "thing": 1, "device": 2, "zone": 3, "online": 4}
    (transformation,) = panel(city.build(TYPES), "Events")["transformations"]
    assert list(transformation["options"]["indexByName"]) == ["Time", "title", "text", "thing", "layer", "gateway"]
    (transformation,) = panel(air.build(TYPES), "Sensors")["transformations"]
    assert transformation["options"]["excludeByName"] == {"Time": True}
    assert list(transformation["options"]["indexByName"]) == ["Time", "thing", "zone", "PM2.5", "PM10"]


def test_the_pulse_has_a_course() -> None:
    board = health.build(TYPES)
    assert panel(board, "Pulse")["options"]["graphMode"] == "area"
    (query,) = queries(board, "Pulse")
    assert 'last("pulse_rate_bpm")' in query
    assert "GROUP BY time($__interval)" in query


def test_air_judges_days_by_the_who_and_moments_by_the_epa() -> None:
    board = air.build(TYPES)
    day = panel(board, "PM2.5, mean of 24 hours")
    assert day["timeFrom"] == "24h"
    assert [step["value"] for step in day["fieldConfig"]["defaults"]["thresholds"]["steps"]] == [None, 15.0, 37.5, 75.0]
    moment = panel(board, "PM2.5")
    steps = [step["value"] for step in moment["fieldConfig"]["defaults"]["thresholds"]["steps"]]
    assert steps == [None, 9.1, 35.5, 55.5]


def test_health_says_first_that_it_is_no_medical_device() -> None:
    board = health.build(TYPES)
    assert "Not a medical device" in board["description"]
    assert board["panels"][0]["type"] == "text"
    assert "not a medical device" in board["panels"][0]["options"]["content"].lower()


def test_the_pulse_wave_is_not_averaged() -> None:
    (query,) = queries(health.build(TYPES), "Pulse wave")
    assert query.startswith('SELECT "pleth" AS "pleth" FROM /^(bci_oem|bci_oximeter|berrymed|contec_v7)$/ WHERE')
    assert "time(" not in query
    assert panel(health.build(TYPES), "Pulse wave")["timeFrom"] == "20s"


def test_robots_have_a_track_in_degrees_and_one_in_metres() -> None:
    board = robots.build(TYPES)
    track, here = queries(board, "Map")
    assert "FROM /^(mavlink|nmea0183)$/" in track
    assert 'mean("latitude_deg") AS "latitude"' in track
    assert 'last("latitude_deg") AS "latitude"' in here
    plan = panel(board, "Floor plan")
    assert plan["type"] == "xychart"
    assert plan["options"]["mapping"] == "auto"
    assert plan["options"]["series"] == [
        {
            "x": {"matcher": {"id": "byName", "options": "x"}},
            "y": {"matcher": {"id": "byName", "options": "y"}},
        }
    ]
    assert plan["transformations"][0]["options"]["fields"] == ["thing"]


def test_robot_modes_are_coloured_by_what_they_mean() -> None:
    options = panel(robots.build(TYPES), "Mode")["fieldConfig"]["defaults"]["mappings"][0]["options"]
    assert options["AUTOMATIC"]["color"] == "green"
    assert options["MANUAL"]["color"] == "orange"
    errors = panel(robots.build(TYPES), "Worst error")["fieldConfig"]["defaults"]["mappings"][0]["options"]
    assert [errors[word]["color"] for word in ("NONE", "WARNING", "FATAL")] == ["green", "yellow", "red"]


def test_gateway_shows_rate_errors_and_duration() -> None:
    board = gateway_board.build()
    assert headings(board) == ["At a glance", "Rate, errors, duration", "Things", "What happened"]
    aliases = [target["alias"] for target in panel(board, "Rate")["targets"]]
    assert aliases == [
        "$tag_gateway received",
        "$tag_gateway decoded",
        "$tag_gateway spooled",
        "$tag_gateway written",
    ]
    assert [target["alias"] for target in panel(board, "Errors")["targets"]] == [
        "$tag_gateway rejected",
        "$tag_gateway dropped",
        "$tag_gateway quarantined",
        "$tag_gateway unkept",
        "$tag_gateway redelivered",
    ]
    (counters,) = queries(board, "Things by source")
    for name in ("last_seen_age_s", "readings", "noise_bytes", "integrity_errors", "sanity_errors", "dropped"):
        assert f'last("{name}")' in counters
    assert [variable["name"] for variable in board["templating"]["list"]] == ["datasource", "gateway", "zone", "thing"]


def test_a_field_that_nobody_has_is_an_error() -> None:
    with pytest.raises(LookupError, match="no device type has a field phlogiston_kg"):
        TYPES.source("phlogiston_kg")
    with pytest.raises(LookupError, match="sds011 has no field phlogiston_kg"):
        TYPES.field("phlogiston_kg", "sds011")


def test_a_configured_type_has_its_board_and_is_on_those_of_its_quantities() -> None:
    boards = {board["uid"]: board for board in every_board(DEVICES)}
    board = boards["parkgate-device-lamp-topic"]
    assert board["title"] == "Lamp that publishes JSON"
    titles = [each["title"] for each in board["panels"] if each["type"] != "row"]
    assert titles == ["Latest values", "Temperature", "Humidity", "Newest readings"]
    assert '"lamp_topic"' in queries(board, "Temperature")[0]
    assert any("lamp_topic" in query for query in queries(boards["parkgate-air"], "Temperature"))


def test_a_field_of_another_kind_is_not_drawn_with_those_of_its_name() -> None:
    table = {"name": "odd", "format": "json", "baud": 9600, "field": [{"name": "parking_occupied", "kind": "text"}]}
    types = Types([*DEVICES, device_type(table)])
    assert "odd" not in [device.name for device in types.carriers("parking_occupied")]


def test_two_types_of_one_title_have_boards_that_can_be_told_apart() -> None:
    pair = [
        device_type({"name": name, "title": "Lamp", "format": "json", "baud": 9600, "field": [{"name": "x"}]})
        for name in ("lamp-a", "lamp-b")
    ]
    titles = [board["title"] for board in every_board([*DEVICES, *pair])]
    assert titles[-2:] == ["Lamp (lamp-a)", "Lamp (lamp-b)"]
