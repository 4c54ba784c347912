"""The files for Grafana: complete, parseable, atomic, and without secrets."""

import json
from pathlib import Path

import pytest
import yaml

from dashboards import provision
from dashboards.boards import every_board
from tests.device_types import DEVICES


def test_every_board_is_a_file_named_by_its_uid(tmp_path: Path) -> None:
    written = provision.build(tmp_path, DEVICES)
    names = {path.relative_to(tmp_path).as_posix() for path in written}
    assert {"dashboards/parkgate-city.json", "dashboards/parkgate-device-pms5003.json"} < names
    assert {"provisioning/datasources/parkgate.yaml", "provisioning/dashboards/parkgate.yaml"} < names
    assert len(written) == len(every_board(DEVICES)) + 2
    assert written == sorted(path for path in tmp_path.rglob("*") if path.is_file())
    for path in (tmp_path / "dashboards").iterdir():
        assert json.loads(path.read_text("utf-8"))["uid"] == path.stem


def test_building_again_changes_no_file(tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in provision.build(tmp_path, DEVICES)}
    after = {path: path.stat().st_mtime_ns for path in provision.build(tmp_path, DEVICES)}
    assert after == before


def test_boards_that_are_gone_are_removed_and_others_are_left(tmp_path: Path) -> None:
    (tmp_path / "dashboards").mkdir()
    gone, foreign = tmp_path / "dashboards" / "parkgate-device-gone.json", tmp_path / "dashboards" / "mine.json"
    gone.write_text("{}")
    foreign.write_text("{}")
    provision.build(tmp_path, DEVICES)
    assert not gone.exists()
    assert foreign.exists()


def test_a_failed_write_leaves_the_old_file_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    provision.build(tmp_path, DEVICES)
    city = tmp_path / "dashboards" / "parkgate-city.json"
    before = city.read_bytes()

    def fail(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="No space left"):
        provision.build(tmp_path, DEVICES, map_url="http://elsewhere/map")
    assert city.read_bytes() == before
    assert [path.name for path in (tmp_path / "dashboards").iterdir() if path.name.startswith(".")] == []


def test_datasource_serves_every_grafana_and_influxdb(tmp_path: Path) -> None:
    provision.build(
        tmp_path, DEVICES, store=provision.Store(url="http://influxdb:8086", database="park$1", user="reader")
    )
    document = yaml.safe_load((tmp_path / "provisioning/datasources/parkgate.yaml").read_text())
    (source,) = document["datasources"]
    assert document["apiVersion"] == 1
    assert source["type"] == "influxdb"
    assert source["url"] == "http://influxdb:8086"
    assert source["database"] == source["jsonData"]["dbName"] == "park$$1"
    assert source["jsonData"]["httpMode"] == "POST"
    assert source["user"] == "reader"
    assert source["secureJsonData"] == {"password": "$INFLUX_TOKEN"}
    assert source["uid"] == "parkgate-influxdb"
    assert source["editable"] is False


def test_provider_points_at_the_boards(tmp_path: Path) -> None:
    provision.build(tmp_path, DEVICES)
    document = yaml.safe_load((tmp_path / "provisioning/dashboards/parkgate.yaml").read_text())
    (provider,) = document["providers"]
    assert provider["options"] == {"path": str(tmp_path.resolve() / "dashboards")}
    assert provider["allowUiUpdates"] is False
    assert provider["type"] == "file"


def test_the_map_address_is_baked_into_the_city(tmp_path: Path) -> None:
    provision.build(tmp_path, DEVICES, map_url="http://park.example:8080/map/")
    city = json.loads((tmp_path / "dashboards/parkgate-city.json").read_text())
    (chart,) = [panel for panel in city["panels"] if panel["type"] == "geomap"]
    assert chart["options"]["basemap"]["config"]["url"] == "http://park.example:8080/map/{z}/{x}/{y}.png"
    assert chart["options"]["layers"][0]["config"]["src"] == "http://park.example:8080/map/park.geojson"
