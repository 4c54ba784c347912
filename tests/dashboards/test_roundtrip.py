"""Reading a board with Grafana's own Python types and writing it again changes nothing.

A misspelled or misplaced key, in panel options too, would be dropped by the types and show
up as a difference. InfluxDB queries have no type there and pass as they are.
"""

import copy
import json
import re
import warnings
from typing import Any

import pytest
from grafana_foundation_sdk.cog import plugins, runtime, variants
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards import device
from dashboards.boards import every_board
from tests.dashboards.examples import WEATHER
from tests.device_types import DEVICES

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # they prefer schema v2, which files cannot hold
    from grafana_foundation_sdk.models.dashboard import Dashboard

BOARDS = [device.build(WEATHER), *every_board(DEVICES)]


class InfluxQuery(variants.Dataquery):
    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data

    def to_json(self) -> dict[str, Any]:
        return self.data


@pytest.fixture(scope="module", autouse=True)
def _types() -> None:
    plugins.register_default_plugins()
    runtime.register_dataquery_variant(runtime.DataqueryConfig(identifier="influxdb", from_json_hook=InfluxQuery))


def again(board: dict[str, Any]) -> Any:
    return json.loads(JSONEncoder(sort_keys=True).encode(Dashboard.from_json(copy.deepcopy(board))))


# The types know one placement only and always write it; it would hide the links in a menu.
ALWAYS_WRITTEN = re.compile(r"\.(annotations\.list|links)\[\d+\]\.placement: 'absent' became 'inControlsMenu'")


def differences(before: Any, after: Any, path: str = "") -> list[str]:
    """Where two JSON values differ, as paths."""
    if isinstance(before, dict) and isinstance(after, dict):
        return [
            found
            for key in sorted(before.keys() | after.keys())
            for found in differences(before.get(key, "absent"), after.get(key, "absent"), f"{path}.{key}")
        ]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [
            found
            for at, (left, right) in enumerate(zip(before, after, strict=True))
            for found in differences(left, right, f"{path}[{at}]")
        ]
    return [] if before == after else [f"{path}: {before!r} became {after!r}"]


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: str(board["uid"]))
def test_nothing_changes(board: dict[str, Any]) -> None:
    found = differences(json.loads(json.dumps(board)), again(board))
    assert [each for each in found if not ALWAYS_WRITTEN.fullmatch(each)] == []


def test_a_misspelled_option_is_noticed() -> None:
    board = copy.deepcopy(device.build(WEATHER))
    panel = next(panel for panel in board["panels"] if panel["type"] == "timeseries")
    panel["options"]["legend"]["show_legend"] = True
    found = [each.partition(":")[0] for each in differences(board, again(board))]
    assert ".panels[2].options.legend.show_legend" in found
