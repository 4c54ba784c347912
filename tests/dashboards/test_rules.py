"""Each way of spoiling a board is found, and every board we ship is clean."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from dashboards import air, city, device, health, robots
from dashboards.boards import every_board
from dashboards.catalogue import Types
from dashboards.rules.board import problems, problems_of_all
from tests.dashboards.examples import WEATHER
from tests.device_types import DEVICES

Board = dict[str, Any]
Spoil = Callable[[Board], object]


def first(board: Board, kind: str) -> Board:
    return next(panel for panel in board["panels"] if panel["type"] == kind)


def set_query(board: Board, text: str) -> None:
    first(board, "timeseries")["targets"][0]["query"] = text


SPOILED: list[tuple[str, Spoil]] = [
    ("uid is missing", lambda b: b.update(uid="not a uid")),
    ("uid is missing", lambda b: b.update(uid="x" * 41)),
    ("title is missing", lambda b: b.update(title="")),
    ("description is missing", lambda b: b.update(description="")),
    ("refresh is missing", lambda b: b.pop("refresh")),
    ("id is set", lambda b: b.update(id=7)),
    ("is editable", lambda b: b.update(editable=True)),
    ("graphTooltip is off", lambda b: b.update(graphTooltip=0)),
    ("has no link to the other boards", lambda b: b["links"].clear()),
    ("the first variable is not the datasource variable", lambda b: b["templating"]["list"].pop(0)),
    ("variable zone: must be multi", lambda b: b["templating"]["list"][1].update(multi=False)),
    ("variable thing: must be multi", lambda b: b["templating"]["list"][2].update(allValue="")),
    ("variable zone: query is neither", lambda b: b["templating"]["list"][1].update(query="SHOW SERIES")),
    ("variable thing: uses $zone", lambda b: b["templating"]["list"].pop(1)),
    ("variable zone is defined 2 times", lambda b: b["templating"]["list"].append(b["templating"]["list"][1])),
    ("shows no data", lambda b: b["panels"].clear()),
    ("panel id 2 is used 2 times", lambda b: b["panels"][2].update(id=2)),
    ("is used 2 times", lambda b: b["panels"][3].update(title=b["panels"][2]["title"])),
    ("reaches column 26 of 24", lambda b: b["panels"][2]["gridPos"].update(x=14)),
    ("overlaps panel", lambda b: b["panels"][3]["gridPos"].update(b["panels"][2]["gridPos"])),
    ("gridPos is missing", lambda b: b["panels"][2].pop("gridPos")),
    ("gridPos is missing", lambda b: b["panels"][2]["gridPos"].update(w=0)),
    ("type 'graph' is not one", lambda b: first(b, "timeseries").update(type="graph")),
    ("id is missing", lambda b: first(b, "timeseries").pop("id")),
    ("): title is missing", lambda b: first(b, "timeseries").update(title="")),
    ("): description is missing", lambda b: first(b, "timeseries").pop("description")),
    ("unit is missing", lambda b: first(b, "timeseries")["fieldConfig"]["defaults"].pop("unit")),
    ("unit 'degrees' is not", lambda b: first(b, "timeseries")["fieldConfig"]["defaults"].update(unit="degrees")),
    ("): datasource is not", lambda b: first(b, "timeseries").pop("datasource")),
    ("target A: datasource is not", lambda b: first(b, "timeseries")["targets"][0].update(datasource="InfluxDB")),
    ("has no query", lambda b: first(b, "timeseries").update(targets=[])),
    (
        "refId A is used 2 times",
        lambda b: first(b, "timeseries")["targets"].append(first(b, "timeseries")["targets"][0]),
    ),
    ("is not a raw query", lambda b: first(b, "timeseries")["targets"][0].update(rawQuery=False)),
    ("alias is missing", lambda b: first(b, "timeseries")["targets"][0].pop("alias")),
    ("resultFormat is neither", lambda b: first(b, "timeseries")["targets"][0].update(resultFormat="logs")),
    ("$timeFilter is missing", lambda b: set_query(b, 'SELECT mean("v") FROM "m"')),
    ("uses SLIMIT", lambda b: set_query(b, 'SELECT "v" FROM "m" WHERE $timeFilter GROUP BY "t" SLIMIT 1')),
    ("uses $site", lambda b: set_query(b, 'SELECT "v" FROM "m" WHERE $timeFilter AND "site" =~ /^$site$/')),
    ("pluginVersion '' is missing", lambda b: first(b, "timeseries").pop("pluginVersion")),
    ("pluginVersion '9.4.0' is missing or below 11", lambda b: first(b, "timeseries").update(pluginVersion="9.4.0")),
    ("annotation Gateway events: datasource", lambda b: b["annotations"]["list"][0].pop("datasource")),
]


@pytest.mark.parametrize(("finding", "spoil"), SPOILED)
def test_a_spoiled_board_is_found(finding: str, spoil: Spoil) -> None:
    board = copy.deepcopy(device.build(WEATHER))
    assert problems(board) == []
    spoil(board)
    assert any(finding in found for found in problems(board)), problems(board)


def ground(board: Board) -> Board:
    found: Board = first(board, "geomap")["options"]["basemap"]
    return found


def layer(board: Board, at: int) -> Board:
    return dict(first(board, "geomap")["options"]["layers"][at])


def override(board: Board, kind: str, name: str, key: str) -> Board:
    """The property `key` of the override of column `name`, of the first such panel that has it."""
    found: Board = next(
        each
        for panel in board["panels"]
        if panel["type"] == kind
        for over in panel["fieldConfig"]["overrides"]
        if over["matcher"]["options"] == name
        for each in over["properties"]
        if each["id"] == key
    )
    return found


def steps(board: Board) -> list[Board]:
    return list(
        next(
            found
            for panel in board["panels"]
            if len(found := panel.get("fieldConfig", {}).get("defaults", {}).get("thresholds", {}).get("steps", [])) > 2
        )
    )


def switch_to_manual(board: Board) -> None:
    first(board, "xychart")["options"]["mapping"] = "manual"


DRAWN_WRONG: list[tuple[Callable[[], Board], str, Spoil]] = [
    (
        city.build,
        "override of latitude: unit 'degrees' is not a known Grafana unit",
        lambda b: override(b, "geomap", "latitude", "unit").update(value="degrees"),
    ),
    (city.build, "basemap url '' is not below", lambda b: ground(b)["config"].update(url="")),
    (
        city.build,
        "basemap url 'https://tile.example/{z}/{x}/{y}.png' is not below http://localhost:8080/map/",
        lambda b: ground(b)["config"].update(url="https://tile.example/{z}/{x}/{y}.png"),
    ),
    (city.build, "basemap type 'osm-standard' is not xyz", lambda b: ground(b).update(type="osm-standard")),
    (
        city.build,
        "layer Park: src 'https://example.org/park.geojson' is not below http://localhost:8080/map/",
        lambda b: layer(b, 0)["config"].update(src="https://example.org/park.geojson"),
    ),
    (
        city.build,
        "layer Park: type 'heatmap' is not one",
        lambda b: first(b, "geomap")["options"]["layers"][0].update(type="heatmap"),
    ),
    (
        city.build,
        "layer Moving: filterData names query Z, which does not exist",
        lambda b: layer(b, 2)["filterData"].update(options="Z"),
    ),
    (
        robots.build,
        "layer Track: latitude is column 'lat', which query A does not answer",
        lambda b: layer(b, 1)["location"].update(latitude="lat"),
    ),
    (
        robots.build,
        "layer Robots: longitude is column 'longitude', which query B does not answer",
        lambda b: first(b, "geomap")["targets"][1].update(
            query='SELECT last("a") AS "latitude" FROM "m" WHERE $timeFilter GROUP BY "thing"'
        ),
    ),
    (city.build, "threshold steps [600.0, 120.0] do not rise", lambda b: swap_steps(b)),
    (
        air.build,
        "override of PM2.5: threshold steps [9.1, 9.1, 55.5] do not rise",
        lambda b: override(b, "table", "PM2.5", "thresholds")["value"]["steps"][2].update(value=9.1),
    ),
    (city.build, "the first threshold step, and only the first, has no value", lambda b: steps(b)[0].update(value=0)),
    (robots.build, "series 0: has no frame matcher, without which mapping 'manual' draws nothing", switch_to_manual),
    (robots.build, "series 0: has no matcher for y", lambda b: first(b, "xychart")["options"]["series"][0].pop("y")),
    (city.build, "override of B: no query has this refId", lambda b: drop_second_query(b, "Noise")),
    (
        health.build,
        "target A: one value a series is no graph",
        lambda b: first(b, "stat")["targets"][0].update(query='SELECT last("v") FROM "m" WHERE $timeFilter'),
    ),
]


def swap_steps(board: Board) -> None:
    low, high = steps(board)[1:3]
    low["value"], high["value"] = high["value"], low["value"]


def drop_second_query(board: Board, title: str) -> None:
    del next(panel for panel in board["panels"] if panel["title"] == title)["targets"][1]


@pytest.mark.parametrize(("build", "finding", "spoil"), DRAWN_WRONG)
def test_what_would_be_drawn_wrong_is_found(build: Callable[[Types], Board], finding: str, spoil: Spoil) -> None:
    board = copy.deepcopy(build(Types(DEVICES)))
    assert problems(board) == []
    spoil(board)
    assert any(finding in found for found in problems(board)), problems(board)


def test_maps_may_fetch_from_the_address_they_were_built_for() -> None:
    boards = every_board(DEVICES, "http://gateway.local/map")
    assert problems_of_all(boards, "http://gateway.local/map") == []
    assert any("layer Park: src" in found for found in problems_of_all(boards))


def test_a_finding_names_the_board_and_the_panel() -> None:
    board = copy.deepcopy(device.build(WEATHER))
    panel = first(board, "timeseries")
    panel["description"] = ""
    assert problems(board) == ["Weather post: panel 3 (Temperature): description is missing"]


def test_two_boards_with_one_uid() -> None:
    board = device.build(WEATHER)
    assert problems_of_all([board, board]) == [
        "uid 'parkgate-device-weather-post' is used by 2 boards",
        "title 'Weather post' is used by 2 boards",
    ]


def test_every_board_is_clean() -> None:
    assert problems_of_all(every_board(DEVICES)) == []
