"""A dashboard around its panels: places, ids, variables, links, annotations.

Grafana's grid is 24 columns wide. Panels flow from left to right and wrap; a line is as high
as its highest panel, so nothing overlaps. Ids count from 1 in reading order.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dashboards.panels import DATASOURCE, Json
from dashboards.queries import tag_values

COLUMNS = 24
TAG = "parkgate"
SCHEMA_VERSION = 39
"""The Classic schema of Grafana 11; newer versions migrate it while loading."""


UNUSED_AUTO: Json = {"auto": False, "auto_count": 30, "auto_min": "10s"}
"""What Grafana writes into every variable, though only interval variables have a use for it."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A panel and the room it wants: width in columns (1..24), height in rows of 30 px."""

    panel: Json
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Heading:
    """A row title; what follows belongs to it. A collapsed one would hide queries: never."""

    title: str


def lay_out(parts: Iterable[Slot | Heading]) -> list[Json]:
    """Panels with `id` and `gridPos`, in reading order."""
    placed: list[Json] = []
    x = y = line = 0
    for part in parts:
        heading = isinstance(part, Heading)
        width, height = (COLUMNS, 1) if isinstance(part, Heading) else (part.width, part.height)
        if x and (heading or x + width > COLUMNS):
            x, y, line = 0, y + line, 0
        panel = _row(part.title) if isinstance(part, Heading) else part.panel
        placed.append(panel | {"id": len(placed) + 1, "gridPos": {"x": x, "y": y, "w": width, "h": height}})
        x, line = x + width, max(line, height)
        if heading:
            x, y, line = 0, y + line, 0
    return placed


def _row(title: str) -> Json:
    return {"type": "row", "title": title, "collapsed": False, "panels": []}


def datasource_variable() -> Json:
    return {
        "type": "datasource",
        "name": "datasource",
        "label": "Data source",
        "query": "influxdb",
        "multi": False,
        "includeAll": False,
        "regex": "",
        "refresh": 1,
        "hide": 0,
        "skipUrlSync": False,
        "allowCustomValue": True,
        **UNUSED_AUTO,
    }


def tag_variable(name: str, label: str, query: str) -> Json:
    """A choice of tag values, all by default; used as `=~ /^$name$/`."""
    return {
        "type": "query",
        "name": name,
        "label": label,
        "query": query,
        "definition": query,
        "datasource": DATASOURCE,
        "refresh": 2,
        "sort": 5,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "regex": "",
        "current": {"text": ["All"], "value": ["$__all"]},
        "hide": 0,
        "skipUrlSync": False,
        "allowCustomValue": True,
        **UNUSED_AUTO,
    }


def thing_variables(source: str | None = None) -> list[Json]:
    """`zone`, then `thing` within the chosen zones. `source`: only things of these measurements."""
    return [
        tag_variable("zone", "Zone", tag_values("zone", source)),
        tag_variable("thing", "Thing", tag_values("thing", source, '"zone" =~ /^$zone$/')),
    ]


def events(where: str) -> Json:
    """Gateway events (silences, outages, repairs) as marks on every time axis."""
    query = (
        'SELECT "title", "text", "layer" FROM "gateway_event" WHERE $timeFilter'
        + (f" AND {where}" if where else "")
        + " ORDER BY time DESC LIMIT 200"
    )
    return {
        "name": "Gateway events",
        "datasource": DATASOURCE,
        "enable": True,
        "hide": False,
        "iconColor": "orange",
        "builtIn": 0,
        "target": {
            "refId": "Anno",
            "datasource": DATASOURCE,
            "rawQuery": True,
            "query": query,
            "resultFormat": "table",
            "fromAnnotations": True,
            "textEditor": True,
            "titleColumn": "title",
            "textColumn": "text",
            "tagsColumn": "layer",
        },
    }


def board_link() -> Json:
    """The menu of all boards; time range and choices are kept."""
    return {
        "title": "Boards",
        "type": "dashboards",
        "icon": "external link",
        "tooltip": "The other boards, with the same time range and choices",
        "url": "",
        "tags": [TAG],
        "asDropdown": True,
        "targetBlank": False,
        "includeVars": True,
        "keepTime": True,
    }


def board(
    uid: str,
    title: str,
    description: str,
    parts: Iterable[Slot | Heading],
    variables: Sequence[Json],
    tags: Sequence[str] = (),
    since: str = "now-1h",
    refresh: str = "10s",
    events_where: str = '"thing" =~ /^$thing$/',
) -> Json:
    """Classic dashboard JSON, ready for a file. `uid` is at most 40 of [A-Za-z0-9_-]."""
    return {
        "uid": uid,
        "title": title,
        "description": description,
        "tags": [TAG, *tags],
        "timezone": "browser",
        "editable": False,
        "graphTooltip": 1,
        "time": {"from": since, "to": "now"},
        "timepicker": {
            "hidden": False,
            "refresh_intervals": ["5s", "10s", "30s", "1m", "5m", "15m", "30m", "1h"],
        },
        "fiscalYearStartMonth": 0,
        "refresh": refresh,
        "schemaVersion": SCHEMA_VERSION,
        "templating": {"list": [datasource_variable(), *variables]},
        "annotations": {"list": [events(events_where)]},
        "links": [board_link()],
        "panels": lay_out(parts),
    }
