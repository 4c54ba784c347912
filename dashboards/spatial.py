"""Panels that show where: a map in degrees, a floor plan in metres.

The map's layers take one query each (Grafana draws the first frame a layer sees), chosen by
refId. The floor plan is an X-Y chart in the shape of Grafana 11, one series a thing: mapping
"auto" walks every frame, whereas "manual" drops a series that names no frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboards.maps import CENTRE, ZOOM
from dashboards.overrides import override
from dashboards.panels import Json, Look, draw
from dashboards.queries import Query

MAP_URL = "http://localhost:8080/map"
"""Where the browser finds the gateway's map; another address is given when building."""

AREAS = (
    ("park", "#7fa870", 0.18, 2),
    ("lawn", "#7fb069", 0.35, 1),
    ("lake", "#5b9bd5", 0.55, 1),
    ("path", "#c9b79c", 0.9, 5),
    ("shore", "#5b9bd5", 0.9, 4),
)
"""Kinds of features in the park's GeoJSON: colour, opacity, line width in pixels."""


@dataclass(frozen=True, slots=True)
class Markers:
    """One layer of dots: a query in table form with columns latitude and longitude.

    `colour` is a Grafana colour, or a column's name with `by_column`; `label` a column whose
    text stands beside the dot.
    """

    name: str
    query: Query
    colour: str
    size: int = 6
    by_column: bool = False
    label: str | None = None


def _style(colour: Json, opacity: float, size: int, width: int = 1, label: str | None = None) -> Json:
    text: Json = (
        {"mode": "field", "field": label, "fixed": ""} if label else {"mode": "fixed", "fixed": "", "field": ""}
    )
    return {
        "color": colour,
        "opacity": opacity,
        "size": {"fixed": size, "min": 2, "max": 15},
        "symbol": {"mode": "fixed", "fixed": "img/icons/marker/circle.svg"},
        "symbolAlign": {"horizontal": "center", "vertical": "center"},
        "lineWidth": width,
        "rotation": {"fixed": 0, "min": -360, "max": 360, "mode": "mod"},
        "text": text,
        "textConfig": {"fontSize": 12, "offsetX": 0, "offsetY": 14, "textAlign": "center", "textBaseline": "top"},
    }


def _park_layer(map_url: str) -> Json:
    rules = [
        {
            "check": {"property": "kind", "operation": "eq", "value": kind},
            "style": _style({"fixed": colour}, opacity, 3, width),
        }
        for kind, colour, opacity, width in AREAS
    ]
    return {
        "type": "geojson",
        "name": "Park",
        "config": {
            "src": f"{map_url}/park.geojson",
            "rules": rules,
            "style": _style({"fixed": "#808080"}, 0.9, 3, 1, "name"),
        },
        "tooltip": False,
    }


def _marker_layer(ref: str, markers: Markers) -> Json:
    colour = {"field": markers.colour, "fixed": "blue"} if markers.by_column else {"fixed": markers.colour}
    return {
        "type": "markers",
        "name": markers.name,
        "config": {"showLegend": False, "style": _style(colour, 0.9, markers.size, 1, markers.label)},
        "location": {"mode": "coords", "latitude": "latitude", "longitude": "longitude"},
        "filterData": {"id": "byRefId", "options": ref},
        "tooltip": True,
    }


def park_map(
    title: str, description: str, layers: Sequence[Markers], map_url: str, columns: Sequence[Json] = ()
) -> Json:
    """The park with dots on it; needs no network but the gateway. `map_url` as the browser sees it."""
    base = map_url.rstrip("/")
    options: Json = {
        "view": {"id": "coords", "lat": CENTRE[0], "lon": CENTRE[1], "zoom": ZOOM, "allLayers": True},
        "controls": {
            "showZoom": True,
            "mouseWheelZoom": False,
            "showAttribution": False,
            "showScale": True,
            "showMeasure": False,
            "showDebug": False,
        },
        "basemap": {
            "type": "xyz",
            "name": "Blank",
            "config": {"url": f"{base}/{{z}}/{{x}}/{{y}}.png", "attribution": "parkgate"},
        },
        "layers": [_park_layer(base), *(_marker_layer(chr(65 + at), markers) for at, markers in enumerate(layers))],
        "tooltip": {"mode": "details"},
    }
    places = [override("latitude", unit="degree", decimals=5), override("longitude", unit="degree", decimals=5)]
    queries = [markers.query for markers in layers]
    return draw("geomap", title, description, queries, options, Look(), overrides=[*places, *columns])


def floor_plan(title: str, description: str, query: Query, x: str, y: str, look: Look) -> Json:
    """Points of a table query with columns `thing`, `x` and `y`, one colour a thing, joined by lines."""
    custom: Json = {
        "show": "points+lines",
        "pointSize": {"fixed": 4},
        "pointShape": "circle",
        "pointStrokeWidth": 1,
        "fillOpacity": 60,
        "lineWidth": 1,
        "lineStyle": {"fill": "solid"},
        "axisPlacement": "auto",
    }
    options: Json = {
        "mapping": "auto",
        "series": [
            {
                "x": {"matcher": {"id": "byName", "options": x}},
                "y": {"matcher": {"id": "byName", "options": y}},
            }
        ],
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
        "tooltip": {"mode": "single", "sort": "none"},
    }
    panel = draw("xychart", title, description, [query], options, look, custom, "palette-classic")
    panel["transformations"] = [
        {"id": "partitionByValues", "options": {"fields": ["thing"], "keepFields": False, "naming": {"asLabels": True}}}
    ]
    return panel
