"""Panels as Grafana's Classic JSON. A panel here has no id and no place yet: board.py gives both.

Options are written in the shape of Grafana 11 and say so (`pluginVersion`), on every panel:
without it a newer Grafana takes them for an older shape and migrates them to nothing.
Keys that Grafana would add by default are written out, so that reading a board and writing
it again changes nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from dashboards.queries import Query
from dashboards.units import grafana_unit
from devices.spec.field import Field, Threshold

Json = dict[str, Any]
Mapping = tuple[str, str, str]
"""Stored value, text shown, colour."""

PLUGIN_VERSION = "11.6.0"
DATASOURCE: Json = {"type": "influxdb", "uid": "${datasource}"}
COLOURS = {"good": "green", "fair": "yellow", "poor": "orange", "bad": "red"}
NEUTRAL = "text"
FLAG: tuple[Mapping, ...] = (("true", "yes", "green"), ("false", "no", "red"))
PLAIN_FLAG: tuple[Mapping, ...] = (("true", "yes", "blue"), ("false", "no", "text"))
WORD_COLOURS = {
    **dict.fromkeys(("none", "ok", "online", "active", "automatic", "ready", "idle"), "green"),
    **dict.fromkeys(("warning", "semiautomatic", "standby", "hibernating", "asleep"), "yellow"),
    **dict.fromkeys(("urgent", "service", "manual", "teach_in", "intervened"), "orange"),
    **dict.fromkeys(("critical", "fatal", "error", "fault", "offline", "connection_broken"), "red"),
}
"""States whose word says how good they are; other words take the next colour that is left."""
STATE_COLOURS = ("green", "blue", "orange", "purple", "yellow", "semi-dark-blue", "red", "super-light-green")


@dataclass(frozen=True, slots=True)
class Look:
    """How values are shown: Grafana unit id, axis range, thresholds from low to high, mappings.

    `lowest` is what the quantity cannot be below, where that is known.
    """

    unit: str = "none"
    decimals: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    thresholds: tuple[Threshold, ...] = ()
    mappings: tuple[Mapping, ...] = ()
    lowest: float | None = None

    @classmethod
    def of(cls, field: Field) -> "Look":
        """The look of a device's field; the range is left to the data unless it is a percentage."""
        mappings: tuple[Mapping, ...] = ()
        if field.kind == "state":
            mappings = state_mappings(field.states)
        elif field.kind == "flag":
            mappings = PLAIN_FLAG
        bounded = field.unit == "%"
        return cls(
            unit=grafana_unit(field.unit),
            decimals=_decimals(field.step),
            minimum=0.0 if bounded else None,
            maximum=100.0 if bounded else None,
            thresholds=field.thresholds,
            mappings=mappings,
            lowest=field.minimum,
        )

    def within(self, minimum: float | None, maximum: float | None) -> "Look":
        return replace(self, minimum=minimum, maximum=maximum)


def state_mappings(states: Sequence[str]) -> tuple[Mapping, ...]:
    """A colour for each state."""
    return tuple(
        (state, state, WORD_COLOURS.get(state.lower(), STATE_COLOURS[at % len(STATE_COLOURS)]))
        for at, state in enumerate(states)
    )


def _decimals(step: float | None) -> int | None:
    """Digits behind the point that one raw step needs, at most 6; None leaves it to Grafana."""
    if step is None or step <= 0:
        return None
    digits = 0
    while digits < 6 and abs(step - round(step)) > 1e-9 * max(step, 1.0):
        step *= 10
        digits += 1
    return digits


def threshold_steps(thresholds: Sequence[Threshold], lowest: float | None) -> Json:
    """Grafana's steps. Below the first threshold nothing is said, unless nothing can be below it."""
    steps: list[Json] = [{"value": None, "color": NEUTRAL if thresholds else "green"}]
    for threshold in thresholds:
        colour = COLOURS[threshold.level]
        if lowest is not None and threshold.value <= lowest:
            steps = [{"value": None, "color": colour}]
        else:
            steps.append({"value": threshold.value, "color": colour})
    return {"mode": "absolute", "steps": steps}


def value_mappings(mappings: Iterable[Mapping]) -> list[Json]:
    options = {value: {"text": text, "color": colour, "index": at} for at, (value, text, colour) in enumerate(mappings)}
    return [{"type": "value", "options": options}] if options else []


def _defaults(look: Look, custom: Json | None, colour: str) -> Json:
    out: Json = {
        "unit": look.unit,
        "mappings": value_mappings(look.mappings),
        "thresholds": threshold_steps(look.thresholds, look.lowest),
        "color": {"mode": colour},
    }
    for key, value in (("decimals", look.decimals), ("min", look.minimum), ("max", look.maximum)):
        if value is not None:
            out[key] = value
    if custom is not None:
        out["custom"] = custom
    return out


def draw(
    kind: str,
    title: str,
    description: str,
    queries: Sequence[Query],
    options: Json,
    look: Look,
    custom: Json | None = None,
    colour: str = "thresholds",
    overrides: Sequence[Json] = (),
) -> Json:
    """A panel of any kind. `options` and `custom` are the plugin's own words."""
    return {
        "type": kind,
        "title": title,
        "description": description,
        "pluginVersion": PLUGIN_VERSION,
        "transparent": False,
        "repeatDirection": "h",
        "datasource": DATASOURCE,
        "targets": [_target(chr(65 + at), query) for at, query in enumerate(queries)],
        "options": options,
        "fieldConfig": {"defaults": _defaults(look, custom, colour), "overrides": list(overrides)},
    }


def _target(ref: str, query: Query) -> Json:
    target: Json = {
        "refId": ref,
        "datasource": DATASOURCE,
        "rawQuery": True,
        "query": query.text,
        "resultFormat": query.format,
    }
    if query.alias:
        target["alias"] = query.alias
    return target


def _legend(table: bool) -> Json:
    return {
        "displayMode": "table" if table else "list",
        "placement": "bottom",
        "showLegend": True,
        "calcs": ["lastNotNull", "min", "max"] if table else [],
    }


TOOLTIP: Json = {"mode": "multi", "sort": "desc"}


def timeseries(
    title: str,
    description: str,
    queries: Sequence[Query],
    look: Look,
    every_s: float = 10.0,
    legend_table: bool = False,
    style: Literal["line", "bars", "points"] = "line",
) -> Json:
    """Lines over time. `every_s` is the usual time between values: buckets are never shorter,
    and three missing values are a gap."""
    custom: Json = {
        "drawStyle": style,
        "lineWidth": 1,
        "fillOpacity": 60 if style == "bars" else 8,
        "showPoints": "auto",
        "spanNulls": span_ms(every_s),
        "thresholdsStyle": {"mode": "dashed" if look.thresholds else "off"},
    }
    panel = draw(
        "timeseries",
        title,
        description,
        queries,
        {"legend": _legend(legend_table), "tooltip": TOOLTIP},
        look,
        custom,
        "palette-classic",
    )
    panel["interval"] = interval(every_s)
    return panel


def span_ms(every_s: float) -> int:
    """The longest gap in milliseconds that a line is drawn through: three missing values."""
    return int(max(every_s, 1.0) * 3000)


def interval(every_s: float) -> str:
    """A Grafana interval of at least a second."""
    return f"{max(1, round(every_s))}s"


def state_timeline(title: str, description: str, queries: Sequence[Query], look: Look, every_s: float = 10.0) -> Json:
    """Bars of states over time, one row a thing; neighbours that are equal are one bar."""
    panel = draw(
        "state-timeline",
        title,
        description,
        queries,
        {
            "showValue": "auto",
            "rowHeight": 0.9,
            "mergeValues": True,
            "alignValue": "left",
            "perPage": 20,
            "legend": _legend(False),
            "tooltip": {"mode": "single", "sort": "none"},
        },
        look,
        {"lineWidth": 0, "fillOpacity": 70},
        "thresholds" if look.mappings else "palette-classic",
    )
    panel["interval"] = interval(every_s)
    return panel


def status_history(title: str, description: str, queries: Sequence[Query], look: Look) -> Json:
    """A cell per fixed bucket and thing, coloured by threshold."""
    return draw(
        "status-history",
        title,
        description,
        queries,
        {
            "rowHeight": 0.9,
            "showValue": "auto",
            "colWidth": 0.9,
            "perPage": 20,
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
            "tooltip": {"mode": "single", "sort": "none"},
        },
        look,
        {"lineWidth": 1, "fillOpacity": 80},
        "thresholds",
    )


def _reduce(calc: str, every_row: bool = False) -> Json:
    return {"values": every_row, "calcs": [] if every_row else [calc], "fields": ""}


def stat(
    title: str,
    description: str,
    queries: Sequence[Query],
    look: Look,
    calc: str = "lastNotNull",
    graph: bool = False,
    text: Literal["auto", "value", "value_and_name", "name"] = "auto",
) -> Json:
    """One big number a series; green, yellow, orange, red where the field has thresholds."""
    return draw(
        "stat",
        title,
        description,
        queries,
        {
            "graphMode": "area" if graph else "none",
            "colorMode": "value",
            "justifyMode": "auto",
            "textMode": text,
            "wideLayout": True,
            "showPercentChange": False,
            "percentChangeColorMode": "standard",
            "reduceOptions": _reduce(calc),
            "orientation": "auto",
        },
        look,
        None,
        "thresholds",
    )


def gauge(title: str, description: str, queries: Sequence[Query], look: Look) -> Json:
    """A dial a series."""
    return draw(
        "gauge",
        title,
        description,
        queries,
        {
            "showThresholdLabels": False,
            "showThresholdMarkers": True,
            "sizing": "auto",
            "minVizWidth": 75,
            "minVizHeight": 75,
            "reduceOptions": _reduce("lastNotNull"),
            "orientation": "auto",
        },
        look,
        None,
        "thresholds",
    )


def bar_gauge(title: str, description: str, queries: Sequence[Query], look: Look) -> Json:
    """A horizontal bar a series: the panel for comparing many things."""
    return draw(
        "bargauge",
        title,
        description,
        queries,
        {
            "displayMode": "lcd",
            "valueMode": "color",
            "namePlacement": "auto",
            "showUnfilled": True,
            "sizing": "auto",
            "minVizWidth": 8,
            "minVizHeight": 16,
            "maxVizHeight": 300,
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": False, "calcs": []},
            "reduceOptions": _reduce("lastNotNull"),
            "orientation": "horizontal",
        },
        look,
        None,
        "thresholds",
    )


def table(
    title: str,
    description: str,
    queries: Sequence[Query],
    columns: Sequence[Json] = (),
    hidden: Sequence[str] = (),
    sort: tuple[str, bool] | None = None,
) -> Json:
    """Rows. `columns` are overrides, `hidden` column names, `sort` a column and whether descending.

    The order of columns is written out: Grafana's InfluxDB source adds tag columns in no
    fixed order, and they would change places at a refresh.
    """
    options: Json = {"frameIndex": 0, "showHeader": True, "showTypeIcons": False, "cellHeight": "sm"}
    options["footer"] = {"show": False, "reducer": [], "countRows": False}
    if sort is not None:
        options["sortBy"] = [{"displayName": sort[0], "desc": sort[1]}]
    custom: Json = {"align": "auto", "filterable": True, "inspect": False, "cellOptions": {"type": "auto"}}
    panel = draw("table", title, description, queries, options, Look(), custom, overrides=columns)
    order = {name: at for at, name in enumerate(name for query in queries for name in query.columns)}
    if hidden or order:
        excluded = dict.fromkeys(hidden, True)
        panel["transformations"] = [
            {"id": "organize", "options": {"excludeByName": excluded, "indexByName": order, "renameByName": {}}}
        ]
    return panel


def text(title: str, description: str, markdown: str) -> Json:
    """Words for people."""
    panel = draw("text", title, description, [], {"mode": "markdown", "content": markdown}, Look())
    panel["fieldConfig"] = {"defaults": {}, "overrides": []}
    del panel["targets"]
    return panel
