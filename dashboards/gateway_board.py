"""Gateway: rate, errors and duration of the way from the wire to the store, and who is silent.

Reads measurement `gateway` (counters by stage, spool, latency), `gateway_device` (counters of
each thing through each source) and `gateway_event`. Counters begin again with a restart.
"""

from dashboards.board import Heading, Slot, board, tag_variable, thing_variables
from dashboards.overrides import column, override
from dashboards.panels import Json, Look, stat, table, timeseries
from dashboards.queries import GATEWAYS, THINGS, Query, current, latest, newest_rows, quoted, rate, tag_values, trend
from devices.spec.field import Threshold

UID = "parkgate-gateway"
OWN = quoted("gateway")
PER_DEVICE = quoted("gateway_device")
EACH = f"{GATEWAYS} AND {THINGS}"
FLOW = ("received", "decoded", "spooled", "written")
LOSSES = ("rejected", "dropped", "quarantined", "unkept", "redelivered")
NONE_IS_GOOD = (Threshold(0.0, "good"), Threshold(1.0, "poor"))
LATENCY = (Threshold(0.0, "good"), Threshold(0.5, "fair"), Threshold(2.0, "poor"), Threshold(10.0, "bad"))
AGE = (Threshold(0.0, "good"), Threshold(60.0, "fair"), Threshold(300.0, "poor"), Threshold(3600.0, "bad"))
SILENCE = (Threshold(0.0, "good"), Threshold(120.0, "fair"), Threshold(600.0, "bad"))


def stage_rate(stage: str) -> Query:
    return rate(OWN, stage, ("gateway",), GATEWAYS, f"$tag_gateway {stage}")


def own(field: str, function: str = "last") -> Query:
    return current(OWN, field, function, ("gateway",), GATEWAYS, "$tag_gateway")


def at_a_glance() -> list[Slot]:
    lost = Query(
        'SELECT spread("rejected") + spread("dropped") AS "lost" '
        f'FROM {OWN} WHERE $timeFilter AND {GATEWAYS} GROUP BY "gateway"',
        "$tag_gateway",
    )
    lasts = Query(
        'SELECT last("spool_forecast_s") AS "until full", last("spool_oldest_s") AS "oldest waiting" '
        f'FROM {OWN} WHERE $timeFilter AND {GATEWAYS} GROUP BY "gateway"',
        "$tag_gateway $col",
    )
    lost_words = "Points the store rejected (they are in the quarantine) or a full spool dropped, in the time range."
    spool_words = "Age of the oldest point that waits; while the spool grows, also how long it lasts at today's rate."
    online_words = "Things heard within five of their usual intervals."
    written_words = "Points a second that the store accepted."
    none = Look("none", 0, thresholds=NONE_IS_GOOD, lowest=0.0)
    slow = Look("s", 3, thresholds=LATENCY, lowest=0.0)
    return [
        Slot(stat("Things online", online_words, [own("things_online")], Look("none", 0)), 4, 4),
        Slot(stat("Written", written_words, [stage_rate("written")], Look("cps", 1), graph=True), 5, 4),
        Slot(stat("Given up", lost_words, [lost], none), 5, 4),
        Slot(stat("Spool", spool_words, [lasts], Look("s", 0)), 5, 4),
        Slot(stat("Write latency", "Duration of the last accepted write.", [own("write_latency_s")], slow), 5, 4),
    ]


def flow() -> list[Slot]:
    """Rate, errors, duration; then the spool, which tells an outage of the store from a slow one."""
    rates = "Messages, readings and points a second. A gap between spooled and written is the store being slow."
    errors = (
        "A second: points refused by the store or dropped, items quarantined, items that came too fast for the "
        "quarantine (unkept), messages delivered again."
    )
    waiting = "Age of the oldest point in the spool: grows one second a second while the store is away."
    slow = Look("s", thresholds=LATENCY, lowest=0.0)
    old = Look("s", thresholds=AGE, lowest=0.0)
    return [
        Slot(timeseries("Rate", rates, [stage_rate(stage) for stage in FLOW], Look("cps", 1)), 12, 9),
        Slot(timeseries("Errors", errors, [stage_rate(stage) for stage in LOSSES], Look("cps", 2)), 12, 9),
        own_curve("Duration", "How long the store takes for a batch.", "write_latency_s", slow),
        own_curve("Oldest waiting", waiting, "spool_oldest_s", old),
        own_curve("Spool depth", "Points that wait for the store.", "spool_points", Look("short")),
        own_curve("Spool size", "Bytes that wait for the store.", "spool_bytes", Look("decbytes")),
    ]


def own_curve(title: str, words: str, field: str, look: Look) -> Slot:
    """The highest value of a gateway's own field in each bucket: peaks are what matters here."""
    query = trend(OWN, field, "max", ("gateway",), GATEWAYS, "$tag_gateway")
    return Slot(timeseries(title, words, [query], look), 12, 8)


def counters() -> Slot:
    """The table of every thing through every source."""
    wrong = Look("none", 0, thresholds=NONE_IS_GOOD, lowest=0.0)
    names = (
        ("last_seen_age_s", "Silent for", Look("s", 0, thresholds=SILENCE, lowest=0.0)),
        ("readings", "Readings", Look("short")),
        ("noise_bytes", "Noise", Look("decbytes")),
        ("integrity_errors", "Damaged", wrong),
        ("sanity_errors", "Not believable", wrong),
        ("dropped", "Dropped", wrong),
    )
    tags = ("thing", "device", "source", "gateway")
    panel = table(
        "Things by source",
        "Counters of every thing since its gateway started: when it was last heard, and what was wrong with its bytes.",
        [latest(PER_DEVICE, [(name, words) for name, words, _ in names], tags, EACH)],
        [column(words, look) for _, words, look in names],
        hidden=("Time",),
        sort=("Silent for", True),
    )
    return Slot(panel, 24, 10)


def per_thing() -> list[Slot]:
    tags, alias = ("thing", "source"), "$tag_thing"
    silence = trend(PER_DEVICE, "last_seen_age_s", "max", tags, EACH, alias)
    ramp = "Seconds since a thing was last heard: a saw at rest, a ramp when it fell silent."
    slots = [
        counters(),
        Slot(timeseries("Silence", ramp, [silence], Look("s", thresholds=SILENCE, lowest=0.0)), 12, 8),
    ]
    for title, words, field, look, per in (
        ("Readings", "Readings a second, by thing.", "readings", Look("cps", 2), "1s"),
        (
            "Noise",
            "Bytes a second outside any frame: a dying cable shows here first.",
            "noise_bytes",
            Look("binBps"),
            "1s",
        ),
        (
            "Damaged frames",
            "Frames a minute whose checksum did not hold.",
            "integrity_errors",
            Look("suffix:/min", 2),
            "1m",
        ),
    ):
        query = rate(PER_DEVICE, field, tags, EACH, alias, per)
        slots.append(Slot(timeseries(title, words, [query], look), 12, 8))
    return slots


def happened() -> Slot:
    rows = newest_rows(quoted("gateway_event"), 100, ("title", "text", "thing", "layer", "gateway"), GATEWAYS)
    words = "What the gateway noticed, by layer: broker, subscription, port, framing, integrity, device. Newest first."
    return Slot(table("Gateway events", words, [rows], [override("Time", custom__width=180)]), 24, 9)


def build() -> Json:
    variables = [tag_variable("gateway", "Gateway", tag_values("gateway", OWN)), *thing_variables(PER_DEVICE)]
    return board(
        UID,
        "Gateway",
        "The gateway itself: rate, errors, duration, spool, and every thing as its gateway hears it.",
        [
            Heading("At a glance"),
            *at_a_glance(),
            Heading("Rate, errors, duration"),
            *flow(),
            Heading("Things"),
            *per_thing(),
            Heading("What happened"),
            happened(),
        ],
        variables,
        tags=("gateway",),
        events_where=GATEWAYS,
    )
