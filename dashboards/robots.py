"""Robots: where they are and were, what they do, what hinders them.

Two kinds of position: degrees from a satellite receiver (on the park map) and metres on the
robot's own map (VDA 5050, on the floor plan). Modes, stops and errors are timelines, so that
one can see when it stopped and what else happened then.
"""

from collections.abc import Sequence

from dashboards.board import Heading, Slot, board, thing_variables
from dashboards.catalogue import Types
from dashboards.device import uid as device_uid
from dashboards.overrides import column, override
from dashboards.panels import Json, Look, Mapping, bar_gauge, stat, state_timeline, table, timeseries
from dashboards.queries import THINGS, Query, current, latest, one_of, quoted, states, trend
from dashboards.spatial import MAP_URL, Markers, floor_plan, park_map
from devices.spec.field import Threshold

UID = "parkgate-robots"
STATE = quoted("vda5050")
VDA = "vda5050"
RUNNING: tuple[Mapping, ...] = (("true", "driving", "green"), ("false", "standing", "text"))
CHARGING: tuple[Mapping, ...] = (("true", "charging", "blue"), ("false", "on battery", "text"))
NONE_IS_GOOD = Look("none", 0, thresholds=(Threshold(0.0, "good"), Threshold(1.0, "bad")), lowest=0.0)
STOPPED: tuple[Mapping, ...] = (
    ("NONE", "no", "green"),
    ("AUTOACK", "stop, acknowledges itself", "orange"),
    ("MANUAL", "stop, acknowledge at the robot", "red"),
    ("REMOTE", "stop, acknowledge remotely", "red"),
)


def receivers(types: Types) -> str:
    """Measurements of robots that know their place in degrees."""
    return types.of("robot").source("latitude_deg")


def positions(receiver: str, newest: bool) -> Query:
    """Latitude and longitude as a table: the newest of each robot, or one a bucket."""
    if newest:
        return latest(receiver, [("latitude_deg", "latitude"), ("longitude_deg", "longitude")])
    values = 'mean("latitude_deg") AS "latitude", mean("longitude_deg") AS "longitude"'
    group = 'GROUP BY time($__interval), "thing" fill(none)'
    return Query(f"SELECT {values} FROM {receiver} WHERE $timeFilter AND {THINGS} {group}", "", "table")


def where(types: Types, map_url: str) -> list[Slot]:
    track, here = positions(receivers(types), False), positions(receivers(types), True)
    chart = park_map(
        "Map",
        "Where robots are (large) and were in the time range (small), from their satellite receivers.",
        [Markers("Track", track, "semi-dark-blue", 2), Markers("Robots", here, "orange", 9, label="thing")],
        map_url,
    )
    chart["interval"] = "2s"
    way = Query(
        f'SELECT mean("x_m") AS "x", mean("y_m") AS "y" FROM {STATE} WHERE $timeFilter AND {THINGS} '
        'GROUP BY time($__interval), "thing" fill(none)',
        "",
        "table",
    )
    plan = floor_plan(
        "Floor plan",
        "Positions on the robots' own map, in metres; gaps are lost localisation.",
        way,
        "x",
        "y",
        Look("lengthm", 1),
    )
    plan["interval"] = "2s"
    return [Slot(chart, 12, 14), Slot(plan, 12, 14)]


def fleet(types: Types) -> Slot:
    """One row a robot, with a link to everything it says."""
    columns = (
        ("operating_mode", "Mode", types.look("operating_mode", VDA)),
        ("battery_pct", "Battery", types.look("battery_pct", VDA)),
        ("charging", "Charging", Look(mappings=CHARGING)),
        ("driving", "Driving", Look(mappings=RUNNING)),
        ("e_stop", "Emergency stop", Look(mappings=STOPPED)),
        ("error_level", "Worst error", types.look("error_level", VDA)),
        ("error_type", "Error", Look()),
        ("last_node_id", "Last node", Look()),
    )
    url = f"/d/{device_uid(VDA)}?var-thing=${{__data.fields.thing}}&${{__url_time_range}}"
    link = {"title": "Everything ${__data.fields.thing} says", "url": url, "targetBlank": False}
    panel = table(
        "Fleet",
        "One row a robot: what it says last. A click shows everything it says.",
        [latest(STATE, [(name, title) for name, title, _ in columns])],
        [override("thing", links=[link]), *(column(title, shown) for _, title, shown in columns)],
        hidden=("Time",),
        sort=("thing", False),
    )
    return Slot(panel, 24, 7)


def doing(types: Types) -> list[Slot]:
    """Timelines, then the curves that explain them."""
    lines: Sequence[tuple[str, str, str, Look]] = (
        (
            "operating_mode",
            "Mode",
            "Who drives the robot: itself, a person, nobody.",
            types.look("operating_mode", VDA),
        ),
        ("driving", "Driving", "Whether it moves.", Look(mappings=RUNNING)),
        ("e_stop", "Emergency stop", "Active stops, by how they are to be acknowledged.", Look(mappings=STOPPED)),
        ("error_level", "Worst error", "The level of the worst active error.", types.look("error_level", VDA)),
    )
    slots = [
        Slot(state_timeline(title, words, [states(STATE, name)], shown, 2.0), 12, 6)
        for name, title, words, shown in lines
    ]
    charge, volts = types.look("battery_pct", VDA), types.look("battery_v", VDA)
    speed = types.look("vx_m_s", VDA)
    slots += [
        Slot(
            timeseries(
                "Battery over time",
                "State of charge: a straight fall is driving, a bow is the dock.",
                [trend(STATE, "battery_pct")],
                charge,
                2.0,
            ),
            12,
            8,
        ),
        Slot(
            timeseries("Speed", "Velocity forwards, as the robot reports it.", [trend(STATE, "vx_m_s")], speed, 2.0),
            12,
            8,
        ),
        Slot(
            timeseries(
                "Errors",
                "Active errors of each robot.",
                [trend(STATE, "error_count", "max")],
                NONE_IS_GOOD,
                2.0,
            ),
            12,
            7,
        ),
        Slot(
            timeseries(
                "Battery voltage",
                "Voltage under load: dips are motors, a low rest is age.",
                [trend(STATE, "battery_v")],
                volts,
                2.0,
            ),
            12,
            7,
        ),
    ]
    return slots


def now(types: Types) -> list[Slot]:
    worst = current(STATE, "error_count", "last")
    return [
        Slot(
            bar_gauge(
                "Battery",
                "State of charge of each robot.",
                [current(STATE, "battery_pct")],
                types.look("battery_pct", VDA),
            ),
            12,
            7,
        ),
        Slot(
            stat(
                "Active errors",
                types.field("error_count", VDA).description + ", by robot.",
                [worst],
                NONE_IS_GOOD,
            ),
            12,
            7,
        ),
    ]


def build(types: Types, map_url: str = MAP_URL) -> Json:
    """The board. `map_url`: where the browser finds the gateway's map."""
    return board(
        UID,
        "Robots",
        "Where the robots are and were, what they do, what hinders them.",
        [
            Heading("Now"),
            fleet(types),
            *now(types),
            Heading("Where"),
            *where(types, map_url),
            Heading("What they do"),
            *doing(types),
        ],
        thing_variables(one_of(device.measurement for device in types.of("robot"))),
        tags=("robot",),
        refresh="5s",
    )
