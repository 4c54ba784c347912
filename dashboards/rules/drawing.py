"""The part of the linter about what Grafana accepts and then draws wrongly, or not at all.

Source: Grafana's panel plugins, xychart/utils.ts (manual mapping skips a series without a frame)
and geomap/layers/basemaps/generic.ts (an empty tile address means a public server).
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from dashboards import queries
from dashboards.units import GRAFANA_UNITS

Panel = Mapping[str, Any]

EXTRA_UNITS = frozenset(["short", "cps", "wps", "binBps", "percentunit", "dateTimeAsIso", "dateTimeFromNow"])
UNITS = EXTRA_UNITS.union(GRAFANA_UNITS.values())
OFFLINE_LAYERS = frozenset(["geojson", "markers"])


def findings(panel: Panel, map_url: str) -> Iterator[str]:
    """What is wrong with one panel that has queries. `map_url`: below it lies all that maps may fetch."""
    yield from _fields(panel)
    kind, options = panel.get("type"), panel.get("options", {})
    if kind == "xychart":
        yield from _xychart(options)
    if kind == "geomap":
        yield from _map(panel, map_url.rstrip("/") + "/")
    if kind == "stat" and options.get("graphMode") == "area":
        for target in panel.get("targets", []):
            if "time(" not in str(target.get("query", "")):
                yield f"target {target.get('refId')}: one value a series is no graph: group by time or draw none"


def _fields(panel: Panel) -> Iterator[str]:
    """Units and thresholds, the panel's own and those of its overrides."""
    config = panel.get("fieldConfig", {})
    unit = config.get("defaults", {}).get("unit")
    if not unit:
        yield "unit is missing"
    else:
        yield from _unit(unit)
    yield from _steps(config.get("defaults", {}).get("thresholds"))
    for override in config.get("overrides", []):
        matcher = override.get("matcher", {})
        where = f"override of {matcher.get('options')}"
        if matcher.get("id") == "byFrameRefID" and matcher.get("options") not in _refs(panel):
            yield f"{where}: no query has this refId"
        for each in override.get("properties", []):
            if each.get("id") == "unit":
                yield from (f"{where}: {finding}" for finding in _unit(each.get("value")))
            if each.get("id") == "thresholds":
                yield from (f"{where}: {finding}" for finding in _steps(each.get("value")))


def _unit(unit: object) -> Iterator[str]:
    if unit not in UNITS:
        yield f"unit {unit!r} is not a known Grafana unit"


def _steps(thresholds: Panel | None) -> Iterator[str]:
    """Grafana takes the last step that is not above the value, reading from the first."""
    if thresholds is None:
        return
    values = [step.get("value") for step in thresholds.get("steps", [])]
    if values[:1] != [None] or None in values[1:]:
        yield "the first threshold step, and only the first, has no value"
    elif any(low >= high for low, high in pairwise(values[1:])):
        yield f"threshold steps {values[1:]} do not rise"


def _xychart(options: Panel) -> Iterator[str]:
    for at, series in enumerate(options.get("series", [])):
        if options.get("mapping") == "manual" and not series.get("frame", {}).get("matcher"):
            yield f"series {at}: has no frame matcher, without which mapping 'manual' draws nothing"
        for axis in "xy":
            if not series.get(axis, {}).get("matcher"):
                yield f"series {at}: has no matcher for {axis}"


def _map(panel: Panel, base: str) -> Iterator[str]:
    options = panel.get("options", {})
    ground = options.get("basemap", {})
    if ground.get("type") != "xyz":
        yield f"basemap type {ground.get('type')!r} is not xyz: it would need the internet"
    elif not str(ground.get("config", {}).get("url", "")).startswith(base):
        yield f"basemap url {ground.get('config', {}).get('url')!r} is not below {base}: it would need the internet"
    for layer in options.get("layers", []):
        where = f"layer {layer.get('name') or 'without name'}"
        if layer.get("type") not in OFFLINE_LAYERS:
            yield f"{where}: type {layer.get('type')!r} is not one that works without the internet"
        elif layer["type"] == "markers":
            yield from (f"{where}: {finding}" for finding in _markers(layer, panel.get("targets", [])))
        elif not str(layer.get("config", {}).get("src", "")).startswith(base):
            yield f"{where}: src {layer.get('config', {}).get('src')!r} is not below {base}"


def _markers(layer: Panel, targets: Sequence[Panel]) -> Iterator[str]:
    """A layer sees the answer of the query that its filter names, or of the first."""
    chosen = layer.get("filterData")
    ref = chosen.get("options") if chosen else targets[0].get("refId") if targets else None
    seen = [target for target in targets if target.get("refId") == ref]
    if not seen:
        yield f"filterData names query {ref}, which does not exist"
        return
    columns = queries.answered(str(seen[0].get("query", "")))
    location = layer.get("location", {})
    for key in ("latitude", "longitude"):
        if columns is not None and location.get(key) not in columns:
            yield f"{key} is column {location.get(key)!r}, which query {ref} does not answer"


def _refs(panel: Panel) -> set[object]:
    return {target.get("refId") for target in panel.get("targets", [])}
