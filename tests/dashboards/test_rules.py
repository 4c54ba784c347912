"""Each way of spoiling a board is found, and every board we ship is clean."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from dashboards import device
from dashboards.boards import every_board
from dashboards.rules import problems, problems_of_all
from tests.dashboards.examples import WEATHER

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
    assert problems_of_all(every_board()) == []
