"""A linter over boards: what Grafana accepts silently and then shows wrongly.

`problems(board)` is about one board, `problems_of_all(boards)` also about them together. Each
finding is a sentence that says where. `map_url` is the only address that maps may fetch from;
what panels draw is looked at in drawing.py. The panel rules follow grafana/dashboard-linter
(datasource, title, description, units), the grid rules Grafana's own layout.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from dashboards import queries
from dashboards.rules.drawing import findings as drawing
from dashboards.spatial import MAP_URL

Board = Mapping[str, Any]

WORDLESS = frozenset(["row", "text"])
_PANELS = "row text timeseries stat gauge bargauge table state-timeline status-history geomap xychart annolist"
PANELS = frozenset(_PANELS.split())
_UID = re.compile(r"[A-Za-z0-9_-]{1,40}\Z")
_VARIABLE = re.compile(r"\$(?:\{(\w+)[^}]*\}|(\w+))")
_BUILT_IN = frozenset(["timeFilter", "datasource"])
_OLDEST_PLUGIN = 11


def problems(board: Board, map_url: str = MAP_URL) -> list[str]:
    """What is wrong with one board; empty when nothing is."""
    name = str(board.get("title") or board.get("uid") or "board without title")
    return [f"{name}: {finding}" for finding in _findings(board, map_url)]


def problems_of_all(boards: Iterable[Board], map_url: str = MAP_URL) -> list[str]:
    """What is wrong with each board and with the set: uids and titles are unique."""
    every = list(boards)
    found = [finding for board in every for finding in problems(board, map_url)]
    for key in ("uid", "title"):
        counts = Counter(str(board.get(key)) for board in every)
        found.extend(f"{key} {value!r} is used by {n} boards" for value, n in counts.items() if n > 1)
    return found


def _findings(board: Board, map_url: str) -> Iterator[str]:
    yield from _frame(board)
    yield from _variables(board)
    panels = board.get("panels", [])
    if not any(panel.get("type") not in WORDLESS for panel in panels):
        yield "shows no data: it has no panel with a query"
    ids = Counter(panel.get("id") for panel in panels)
    yield from (f"panel id {id_} is used {n} times" for id_, n in ids.items() if n > 1)
    titles = Counter(panel.get("title") for panel in panels if panel.get("type") != "row")
    yield from (f"panel title {title!r} is used {n} times" for title, n in titles.items() if title and n > 1)
    yield from _grid(panels)
    known = {variable.get("name") for variable in board.get("templating", {}).get("list", [])}
    for panel in panels:
        where = f"panel {panel.get('id')} ({panel.get('title') or 'without title'})"
        yield from (f"{where}: {finding}" for finding in _panel(panel, known, map_url))
    for annotation in board.get("annotations", {}).get("list", []):
        where = f"annotation {annotation.get('name') or 'without name'}"
        if not _uses_variable(annotation):
            yield f"{where}: datasource is not the variable ${{datasource}}"
        yield from (f"{where}: {finding}" for finding in _target(annotation.get("target", {}), known))


def _frame(board: Board) -> Iterator[str]:
    if not _UID.match(str(board.get("uid", ""))):
        yield "uid is missing or not 1 to 40 of A-Z a-z 0-9 _ -"
    for key in ("title", "description", "refresh"):
        if not board.get(key):
            yield f"{key} is missing"
    if board.get("id") is not None:
        yield "id is set: file provisioning wants it absent"
    if board.get("editable") is not False:
        yield "is editable: edits in the browser would be overwritten by the next build"
    if board.get("graphTooltip") not in (1, 2):
        yield "graphTooltip is off: the crosshair is not shared"
    if not isinstance(board.get("schemaVersion"), int):
        yield "schemaVersion is missing"
    if not any(link.get("type") == "dashboards" for link in board.get("links", [])):
        yield "has no link to the other boards"


def _variables(board: Board) -> Iterator[str]:
    variables = board.get("templating", {}).get("list", [])
    names = Counter(variable.get("name") for variable in variables)
    yield from (f"variable {name} is defined {n} times" for name, n in names.items() if n > 1)
    first = variables[0] if variables else {}
    if first.get("type") != "datasource" or first.get("query") != "influxdb":
        yield "the first variable is not the datasource variable"
    known: set[object] = set()
    for variable in variables:
        where = f"variable {variable.get('name')}"
        if variable.get("type") == "query":
            if not (variable.get("multi") and variable.get("includeAll") and variable.get("allValue") == ".*"):
                yield f"{where}: must be multi with an All that means .*"
            if not _uses_variable(variable):
                yield f"{where}: datasource is not the variable ${{datasource}}"
            text = str(variable.get("query", ""))
            yield from (f"{where}: query {finding}" for finding in queries.problems(text))
            yield from (f"{where}: {finding}" for finding in _unknown_variables(text, known))
        known.add(variable.get("name"))


def _grid(panels: Sequence[Board]) -> Iterator[str]:
    taken: dict[tuple[int, int], object] = {}
    for panel in panels:
        place = panel.get("gridPos") or {}
        values = [place.get(key) for key in "xywh"]
        if not all(isinstance(value, int) and value >= 0 for value in values) or 0 in values[2:]:
            yield f"panel {panel.get('id')}: gridPos is missing or not made of whole numbers"
            continue
        x, y, w, h = (int(value or 0) for value in values)
        if x + w > 24:
            yield f"panel {panel.get('id')}: reaches column {x + w} of 24"
        cells = [(column, row) for column in range(x, x + w) for row in range(y, y + h)]
        others = {taken[cell] for cell in cells if cell in taken}
        yield from (f"panel {panel.get('id')} overlaps panel {other}" for other in sorted(others, key=str))
        taken.update(dict.fromkeys(cells, panel.get("id")))


def _panel(panel: Board, known: set[object], map_url: str) -> Iterator[str]:
    kind = panel.get("type")
    if kind not in PANELS:
        yield f"type {kind!r} is not one that every supported Grafana has"
    if not isinstance(panel.get("id"), int) or panel["id"] < 1:
        yield "id is missing: links to the panel would break"
    if not panel.get("title"):
        yield "title is missing"
    if kind == "row":
        if panel.get("collapsed"):
            yield "row is collapsed: its panels are hidden"
        return
    if not panel.get("description"):
        yield "description is missing"
    version = str(panel.get("pluginVersion", ""))
    if not version.partition(".")[0].isdigit() or int(version.partition(".")[0]) < _OLDEST_PLUGIN:
        yield f"pluginVersion {version!r} is missing or below {_OLDEST_PLUGIN}: Grafana would migrate its options away"
    if kind == "text":
        return
    if not _uses_variable(panel):
        yield "datasource is not the variable ${datasource}"
    yield from drawing(panel, map_url)
    targets = panel.get("targets") or []
    if not targets:
        yield "has no query"
    refs = Counter(target.get("refId") for target in targets)
    yield from (f"refId {ref} is used {n} times" for ref, n in refs.items() if n > 1)
    for target in targets:
        yield from (f"target {target.get('refId')}: {finding}" for finding in _target(target, known))


def _target(target: Board, known: set[object]) -> Iterator[str]:
    if not target.get("refId"):
        yield "refId is missing"
    if not _uses_variable(target):
        yield "datasource is not the variable ${datasource}"
    if target.get("rawQuery") is not True or not target.get("query"):
        yield "is not a raw query"
        return
    if target.get("resultFormat") not in ("time_series", "table"):
        yield "resultFormat is neither time_series nor table"
    text = str(target["query"])
    yield from (f"query {finding}" for finding in queries.problems(text))
    yield from _unknown_variables(text, known)
    if target.get("resultFormat") == "time_series" and "group by" in text.lower() and not target.get("alias"):
        yield "alias is missing: the legend would show raw series keys"


def _unknown_variables(text: str, known: set[object]) -> Iterator[str]:
    names = {match[1] or match[2] for match in _VARIABLE.finditer(text)}
    for name in sorted(names - _BUILT_IN):
        if not name.startswith("__") and name not in known:
            yield f"uses ${name}, which the board does not define before it"


def _uses_variable(part: Board) -> bool:
    return bool(part.get("datasource") == {"type": "influxdb", "uid": "${datasource}"})
