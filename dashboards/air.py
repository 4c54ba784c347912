"""Air quality: every dust sensor in one view, whatever its make, against the published bands.

Two scales, kept apart: the US EPA's index breakpoints colour what is measured now (they
come with the fields), the WHO's guideline and interim targets colour means over 24 hours.
Sources: WHO global air quality guidelines (2021), 24 h: PM2.5 15 ug/m3, interim 25, 37.5, 50,
75; PM10 45, interim 50, 75, 100, 150. US EPA, 40 CFR 58 appendix G (2024).
"""

from dashboards.board import Heading, Slot, board, thing_variables
from dashboards.catalogue import Types
from dashboards.overrides import column
from dashboards.panels import Json, Look, bar_gauge, stat, status_history, table, text
from dashboards.queries import current, latest, one_of, trend
from devices.spec.field import Threshold

UID = "parkgate-air"
WHO_PM2_5 = (Threshold(0.0, "good"), Threshold(15.0, "fair"), Threshold(37.5, "poor"), Threshold(75.0, "bad"))
WHO_PM10 = (Threshold(0.0, "good"), Threshold(45.0, "fair"), Threshold(75.0, "poor"), Threshold(150.0, "bad"))
MICROGRAMS = "con\N{GREEK SMALL LETTER MU}gm3"
BANDS = """\
| | good | fair | poor | bad | yardstick |
|---|---|---|---|---|---|
| PM2.5, now | up to 9 | from 9.1 | from 35.5 | from 55.5 | US EPA index breakpoints (2024) |
| PM2.5, 24 h mean | up to 15 | from 15 | from 37.5 | from 75 | WHO 2021 guideline, interim targets 3 and 1 |
| PM10, now | up to 54 | from 55 | from 155 | from 255 | US EPA index breakpoints (2024) |
| PM10, 24 h mean | up to 45 | from 45 | from 75 | from 150 | WHO 2021 guideline, interim targets 3 and 1 |

All in µg/m³. The EPA calls the four good, moderate, unhealthy for sensitive groups, unhealthy.
Both yardsticks are made for means over 24 hours: the colour of a single value is a hint, not an index.
Optical sensors read too much above about 75 % relative humidity.
"""


def last_day(panel: Json) -> Json:
    """The panel over the last 24 hours, whatever the board's time range is."""
    return panel | {"timeFrom": "24h", "hideTimeOverride": False}


def today(types: Types) -> list[Slot]:
    """Worst values now and the means that the WHO's figures are made for."""
    parts = []
    for name, words, who in (("pm2_5_ug_m3", "PM2.5", WHO_PM2_5), ("pm10_ug_m3", "PM10", WHO_PM10)):
        worst = current(types.source(name), name, "max", by=(), alias="$col")
        peak = stat(
            f"{words}, highest",
            f"The highest {words} of any sensor in the time range.",
            [worst],
            types.look(name),
            "max",
        )
        mean = bar_gauge(
            f"{words}, mean of 24 hours",
            f"Mean over the last 24 hours by sensor, coloured by the WHO's 24 h guideline for {words}.",
            [current(types.source(name), name, "mean")],
            Look(MICROGRAMS, 1, 0.0, who[-1].value, who, lowest=0.0),
        )
        parts += [Slot(peak, 4, 8), Slot(last_day(mean), 8, 8)]
    return parts


def curves(types: Types) -> list[Slot]:
    humid = "Relative humidity. Above about 75 % optical dust sensors read too much: doubt their values then."
    every = (
        (
            "pm2_5_ug_m3",
            "PM2.5",
            "Fine dust of every sensor, coloured lines by thing, dashed lines the EPA's breakpoints.",
        ),
        ("pm10_ug_m3", "PM10", "Coarse dust of every sensor, dashed lines the EPA's breakpoints."),
        ("co2_ppm", "Carbon dioxide", "CO2 where it is measured."),
        ("humidity_pct", "Relative humidity", humid),
        ("temperature_c", "Temperature", "Air temperature."),
        (
            "particles_0_3um_per_cm3",
            "Particles above 0.3 µm",
            "Count of all particles the sensors see; rises first when smoke arrives.",
        ),
    )
    return [
        Slot(types.curve(title, words, name, 10.0, legend_table=at < 2), 12, 9)
        for at, (name, title, words) in enumerate(every)
    ]


def hours(types: Types) -> Slot:
    query = trend(types.source("pm2_5_ug_m3"), "pm2_5_ug_m3", every="1h")
    panel = status_history(
        "PM2.5 by the hour", "Hourly mean of each sensor over the last 24 hours.", [query], types.look("pm2_5_ug_m3")
    )
    return Slot(last_day(panel), 24, 9)


def sensors(types: Types) -> Slot:
    both = one_of(
        device.measurement for device in types.carriers("pm2_5_ug_m3") if device in types.carriers("pm10_ug_m3")
    )
    rows = latest(both, [("pm2_5_ug_m3", "PM2.5"), ("pm10_ug_m3", "PM10")])
    panel = table(
        "Sensors",
        "The last value of every dust sensor in the time range, of whatever make.",
        [rows],
        [column("PM2.5", types.look("pm2_5_ug_m3")), column("PM10", types.look("pm10_ug_m3"))],
        hidden=("Time",),
        sort=("PM2.5", True),
    )
    return Slot(panel, 12, 9)


def build(types: Types) -> Json:
    return board(
        UID,
        "Air quality",
        "Every dust sensor in one view, whatever its make, against the bands of WHO and US EPA.",
        [
            Heading("Today"),
            *today(types),
            Heading("Over time"),
            *curves(types),
            Heading("Last 24 hours"),
            hours(types),
            Heading("Sensors and bands"),
            sensors(types),
            Slot(text("Bands", "What the colours mean.", BANDS), 12, 9),
        ],
        thing_variables(types.source("pm2_5_ug_m3")),
        tags=("air",),
        since="now-6h",
        refresh="30s",
    )
