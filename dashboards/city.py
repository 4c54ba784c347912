"""City overview: what is alive, where it is, what it says now, what needs a person."""

from dashboards.board import Heading, Slot, board, thing_variables
from dashboards.catalogue import Types
from dashboards.device import uid as device_uid
from dashboards.overrides import column, override
from dashboards.panels import FLAG, Json, Look, bar_gauge, stat, state_timeline, table
from dashboards.queries import THINGS, Query, current, latest, newest_rows, quoted, rate, states
from dashboards.spatial import MAP_URL, Markers, park_map
from devices.spec.field import Threshold

UID = "parkgate-city"
ONLINE = Look(mappings=FLAG)
SILENCE = Look("s", 0, thresholds=(Threshold(0.0, "good"), Threshold(120.0, "fair"), Threshold(600.0, "bad")), lowest=0)
ERRORS = Look(
    "none", 0, thresholds=(Threshold(0.0, "good"), Threshold(1.0, "fair"), Threshold(100.0, "poor")), lowest=0
)

FULL = Look(
    "percent",
    0,
    0.0,
    100.0,
    (Threshold(0.0, "good"), Threshold(60.0, "fair"), Threshold(80.0, "poor"), Threshold(95.0, "bad")),
    lowest=0.0,
)
CHARGE = Look(
    "percent",
    0,
    0.0,
    100.0,
    (Threshold(0.0, "bad"), Threshold(15.0, "poor"), Threshold(30.0, "fair"), Threshold(50.0, "good")),
    lowest=0.0,
)
TAKEN = Look(mappings=(("true", "taken", "orange"), ("false", "free", "green")))


def over_things(outer: str, inner: str, measurement: str, condition: str = "") -> Query:
    """One number over all things: `inner` for each of them, `outer` over the results."""
    each = f'SELECT {inner} FROM {quoted(measurement)} WHERE $timeFilter AND {THINGS} GROUP BY "thing"'
    return Query(f"SELECT {outer} FROM ({each}) WHERE $timeFilter{condition}", "$col")


def alive() -> list[Slot]:
    known = over_things('count("online") AS "known"', 'last("online") AS "online"', "things")
    online = over_things('count("online") AS "online"', 'last("online") AS "online"', "things", ' AND "online" = true')
    silence = over_things('max("age") AS "longest silence"', 'last("last_seen_age_s") AS "age"', "gateway_device")
    broken = over_things('sum("n") AS "errors"', 'spread("integrity_errors") AS "n"', "gateway_device")
    events = Query('SELECT count("text") AS "events" FROM "gateway_event" WHERE $timeFilter', "$col")
    readings = rate(quoted("gateway"), "decoded", ("gateway",), "", "$tag_gateway")
    heard = stat(
        "Things online",
        "Things whose last report is not older than five usual intervals.",
        [online],
        Look("none", 0),
    )
    heard["fieldConfig"]["defaults"]["noValue"] = "0"  # the query counts, and InfluxQL counts no row as no answer
    quiet = stat(
        "Gateway events", "Silences, outages and repairs that gateways reported in the time range.", [events], ERRORS
    )
    quiet["fieldConfig"]["defaults"]["noValue"] = "0"
    return [
        Slot(stat("Things known", "Things that reported in the time range.", [known], Look("none", 0)), 4, 4),
        Slot(heard, 4, 4),
        Slot(stat("Longest silence", "How long the quietest thing has not been heard.", [silence], SILENCE), 4, 4),
        Slot(
            stat(
                "Damaged frames",
                "Frames in the time range whose checksum did not hold: cables, radio, noise.",
                [broken],
                ERRORS,
            ),
            4,
            4,
        ),
        Slot(quiet, 4, 4),
        Slot(
            stat(
                "Readings per second", "Readings decoded a second, by gateway.", [readings], Look("cps", 1), graph=True
            ),
            4,
            4,
        ),
    ]


def where(types: Types, map_url: str) -> list[Slot]:
    fixed = latest(
        quoted("things"),
        [("latitude_deg", "latitude"), ("longitude_deg", "longitude"), ("online", "online")],
        by=("thing", "zone", "device"),
    )
    moving = latest(
        types.source("latitude_deg"),
        [("latitude_deg", "latitude"), ("longitude_deg", "longitude")],
        by=("thing", "zone"),
    )
    online = column("online", ONLINE)
    drawn = park_map(
        "Map",
        "Where things stand (green: online, red: silent) and where moving ones were last seen (blue).",
        [
            Markers("Things", fixed, "online", 7, by_column=True, label="thing"),
            Markers("Moving", moving, "blue", 9, label="thing"),
        ],
        map_url,
        [online],
    )
    return [Slot(drawn, 14, 15), Slot(things(), 10, 15)]


def things() -> Json:
    """The list of things, each row a link to the board of its type."""
    rows = latest(quoted("things"), [("online", "online")], by=("thing", "device", "zone"))
    url = f"/d/{device_uid('${__data.fields.device}')}?var-thing=${{__data.fields.thing}}&${{__url_time_range}}"
    link = {"title": "Open the board of ${__data.fields.device}", "url": url, "targetBlank": False}
    return table(
        "Things",
        "Every thing, its type and zone, whether it is heard, and when that was last counted. A click opens its board.",
        [rows],
        [override("thing", links=[link]), column("online", ONLINE)],
        sort=("online", False),
    )


def now(types: Types) -> list[Slot]:
    """Bars for states of charge and fill, curves for what has a course over the day."""
    bars = (
        (
            "pm2_5_ug_m3",
            "PM2.5 now",
            "The last value of every fine dust sensor.",
            types.look("pm2_5_ug_m3").within(0, 100),
        ),
        ("fill_pct", "Bins", "How full the bins are.", FULL),
        ("battery_pct", "Battery charge", "Things and robots that report their charge.", CHARGE),
    )
    curves = (
        ("temperature_c", "Temperature", "Air temperature of every thing that measures it."),
        ("noise_dba", "Noise", "Sound level; annoying outdoors from 50 dB(A), seriously from 55 (WHO 1999)."),
        ("battery_v", "Battery voltage", "A slow slope is age, a step is a fault."),
        ("water_level_m", "Water level", "Level above the gauge's zero."),
        ("people_count", "People", "People counted at each counter."),
    )
    slots = [
        Slot(bar_gauge(title, words, [current(types.source(name), name)], shown), 8, 9)
        for name, title, words, shown in bars
    ]
    for name, title, words in curves:
        slots.append(Slot(types.curve(title, words, name, 60.0), 8, 8))
    taken = states(types.source("parking_occupied"), "parking_occupied")
    slots.append(Slot(state_timeline("Parking", "Parking spaces: taken or free.", [taken], TAKEN, 60.0), 8, 8))
    return slots


def events() -> Slot:
    rows = newest_rows(
        quoted("gateway_event"), 50, ("title", "text", "thing", "layer", "gateway"), '"thing" =~ /^$thing$/'
    )
    return Slot(
        table(
            "Events", "What gateways noticed and repaired, newest first.", [rows], [override("Time", custom__width=180)]
        ),
        24,
        8,
    )


def build(types: Types, map_url: str = MAP_URL) -> Json:
    """The board. `map_url`: where the browser finds the gateway's map."""
    return board(
        UID,
        "City overview",
        "The park at a glance: what is alive, where it is, what it says, what needs a person.",
        [
            Heading("Alive"),
            *alive(),
            Heading("Where"),
            *where(types, map_url),
            Heading("Now"),
            *now(types),
            Heading("What happened"),
            events(),
        ],
        thing_variables(),
        tags=("city",),
        refresh="30s",
    )
