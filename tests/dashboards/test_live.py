"""Every query of every board against a real influxd that holds what a gateway writes.

The queries are expanded as Grafana does it, sent as Grafana's data source sends them, and
must give no error and at least one row.
"""

import re
from dataclasses import dataclass
from typing import Any

import pytest

from dashboards.boards import every_board
from tests.dashboards.fill import fill
from tests.device_types import DEVICES
from tests.servers.influxd import Influxd
from tests.servers.mosquitto import Mosquitto
from tests.servers.process import on_free_port

pytestmark = pytest.mark.services("mosquitto", "influxd")
DATABASE = "dashboards_live"
BOARDS = {board["uid"]: board for board in every_board(DEVICES)}


@dataclass(frozen=True)
class Filled:
    influxd: Influxd
    first_ns: int
    last_ns: int

    def ask(self, query: str, interval: str = "1s", **choices: str) -> list[dict[str, Any]]:
        """The series of a query, expanded with `choices` for its variables and all for the others."""
        text = query.replace("$timeFilter", f"time >= {self.first_ns // 10**6}ms and time <= {self.last_ns // 10**6}ms")
        text = text.replace("$__interval", interval)
        text = re.sub(r"\$(\w+)", lambda found: choices.get(found[1], ".*"), text)
        assert "$" not in text.replace("$/", "")
        return self.influxd.query(text, DATABASE)


@pytest.fixture(scope="module")
def filled(influxd: Influxd, tmp_path_factory: pytest.TempPathFactory) -> Filled:
    """A broker of this module's own: sensors of other tests are none of its things."""
    folder = tmp_path_factory.mktemp("filled")
    mosquitto = on_free_port(lambda port: Mosquitto(folder / "mosquitto", port))
    try:
        period = fill(influxd, mosquitto, folder, DATABASE)
    finally:
        mosquitto.stop()
    return Filled(influxd, period.first_ns, period.last_ns)


def panel_queries() -> list[Any]:
    return [
        pytest.param(target["query"], "1s", id=f"{uid}-{panel['title']}-{target['refId']}")
        for uid, board in BOARDS.items()
        for panel in board["panels"]
        for target in panel.get("targets", [])
    ]


def variable_queries() -> list[Any]:
    return [
        pytest.param(variable["query"], id=f"{uid}-{variable['name']}")
        for uid, board in BOARDS.items()
        for variable in board["templating"]["list"]
        if variable["type"] == "query"
    ]


def has_values(series: list[dict[str, Any]]) -> bool:
    """At least one row with a value besides its time."""
    return any(any(value is not None for value in row[1:]) for each in series for row in each["values"])


@pytest.mark.parametrize(("query", "interval"), panel_queries())
def test_every_panel_finds_rows(filled: Filled, query: str, interval: str) -> None:
    assert has_values(filled.ask(query, interval)), query


@pytest.mark.parametrize("query", variable_queries())
def test_every_variable_finds_values(filled: Filled, query: str) -> None:
    assert has_values(filled.ask(query)), query


@pytest.mark.parametrize("uid", BOARDS)
def test_annotations_find_events(filled: Filled, uid: str) -> None:
    for annotation in BOARDS[uid]["annotations"]["list"]:
        assert has_values(filled.ask(annotation["target"]["query"]))


def thing_query(uid: str, title: str) -> str:
    panel = next(panel for panel in BOARDS[uid]["panels"] if panel["title"] == title)
    return str(panel["targets"][0]["query"])


def test_a_thing_without_a_zone_is_shown_and_a_choice_narrows(filled: Filled) -> None:
    query = thing_query("parkgate-device-pms5003", "PM2.5")
    every = [series["tags"]["thing"] for series in filled.ask(query)]
    assert every == ["pms5003-1", "pms5003-2"]
    lake = [series["tags"]["thing"] for series in filled.ask(query, zone="(lake|hill)")]
    assert lake == ["pms5003-1"]
    one = [series["tags"]["thing"] for series in filled.ask(query, thing="pms5003-2")]
    assert one == ["pms5003-2"]


def test_things_are_offered_by_zone(filled: Filled) -> None:
    variable = BOARDS["parkgate-device-pms5003"]["templating"]["list"][2]
    (every,) = filled.ask(variable["query"])
    assert every["values"] == [["thing", "pms5003-1"], ["thing", "pms5003-2"]]
    (lake,) = filled.ask(variable["query"], zone="lake")
    assert lake["values"] == [["thing", "pms5003-1"]]
