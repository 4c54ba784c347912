"""Files for Grafana's file provisioning: boards, the data source, and where the boards lie.

    OUT/dashboards/<uid>.json                      one a board
    OUT/provisioning/datasources/parkgate.yaml     InfluxDB, for 1.x, 2.x and 3 alike
    OUT/provisioning/dashboards/parkgate.yaml      tells Grafana to read OUT/dashboards

Grafana is then started with GF_PATHS_PROVISIONING=OUT/provisioning (or the two YAML files are
put into /etc/grafana/provisioning) and INFLUX_TOKEN in its environment: the password of the
user on 1.x, an API token on 2.x and 3. The secret itself is in no file.

Grafana may read at any moment, so each file appears whole (written aside, then renamed) and
only when its content is new. Boards of ours that are no longer built are removed. Grafana
interpolates `$NAME` in provisioning files; the boards are not touched by that.
Source: Grafana documentation, "Provision Grafana"; data source keys `database` (up to 9.4)
and `jsonData.dbName` (since) are both written.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dashboards.boards import every_board
from dashboards.spatial import MAP_URL
from devices.spec.device import DeviceType

DATASOURCE_UID = "parkgate-influxdb"
FOLDER = "parkgate"


@dataclass(frozen=True, slots=True)
class Store:
    """The InfluxDB that Grafana reads. `url` as the Grafana server sees it; `database` is the
    bucket on 2.x and 3; `user` is the user on 1.x and any word elsewhere; `secret` the name of
    the environment variable with the password or token."""

    url: str = "http://127.0.0.1:8086"
    database: str = "parkgate"
    user: str = "grafana"
    secret: str = "INFLUX_TOKEN"


def _text(value: str) -> str:
    """A YAML scalar in double quotes; a literal dollar is doubled, as Grafana wants it."""
    return json.dumps(value.replace("$", "$$"), ensure_ascii=False)


def datasource_yaml(store: Store) -> str:
    return f"""\
apiVersion: 1
datasources:
  - name: parkgate
    uid: {DATASOURCE_UID}
    type: influxdb
    access: proxy
    orgId: 1
    url: {_text(store.url)}
    user: {_text(store.user)}
    database: {_text(store.database)}
    jsonData:
      dbName: {_text(store.database)}
      httpMode: POST
      timeInterval: 1s
      maxSeries: 1000
    secureJsonData:
      password: ${store.secret}
    isDefault: true
    editable: false
    version: 1
"""


def provider_yaml(boards: str) -> str:
    """`boards`: the folder of the board files as the Grafana server sees it."""
    return f"""\
apiVersion: 1
providers:
  - name: parkgate
    orgId: 1
    folder: {FOLDER}
    folderUid: parkgate
    type: file
    disableDeletion: false
    updateIntervalSeconds: 30
    allowUiUpdates: false
    options:
      path: {_text(boards)}
"""


def build(
    out: Path, devices: Iterable[DeviceType], *, store: Store | None = None, map_url: str = MAP_URL
) -> list[Path]:
    """Write everything below `out`, boards over these device types; the files, sorted. OSError where that fails.

    `map_url` is where the browser, not the server, finds the gateway's map.
    """
    boards = out.resolve() / "dashboards"
    contents = {boards / f"{board['uid']}.json": _json(board) for board in every_board(devices, map_url)}
    stale = [path for path in boards.glob("parkgate-*.json") if path not in contents]
    provisioning = out.resolve() / "provisioning"
    contents[provisioning / "datasources" / "parkgate.yaml"] = datasource_yaml(store or Store())
    contents[provisioning / "dashboards" / "parkgate.yaml"] = provider_yaml(str(boards))
    for path, content in contents.items():
        _write(path, content)
    for path in stale:
        path.unlink()
    return sorted(contents)


def _json(board: object) -> str:
    return json.dumps(board, ensure_ascii=False, indent=1) + "\n"


def _write(path: Path, content: str) -> None:
    """Make `path` hold `content`: at once or not at all, readable by Grafana's own user."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode()
    if path.is_file() and path.read_bytes() == data:
        return
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        aside.write_bytes(data)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
