"""Health: pulse, oxygen saturation and pulse wave of demonstration oximeters.

Not a medical device: the board says so at its top.
"""

from dashboards.board import Heading, Slot, board, thing_variables
from dashboards.catalogue import Types
from dashboards.device import NOT_MEDICAL
from dashboards.panels import Json, Look, gauge, stat, state_timeline, text, timeseries
from dashboards.queries import THINGS, Query, current, states, trend

UID = "parkgate-health"
WAVE = "20s"


def vital_signs(types: Types) -> list[Slot]:
    pulse, oxygen = "pulse_rate_bpm", "spo2_pct"
    return [
        Slot(
            stat(
                "Pulse",
                "The last pulse rate of each oximeter.",
                [trend(types.source(pulse), pulse, "last")],
                types.look(pulse),
                graph=True,
            ),
            6,
            7,
        ),
        Slot(
            gauge(
                "Oxygen saturation",
                "The last SpO2 of each oximeter.",
                [current(types.source(oxygen), oxygen)],
                types.look(oxygen).within(80.0, 100.0),
            ),
            6,
            7,
        ),
        Slot(
            timeseries(
                "Pulse over time",
                "Pulse rate; an adult's at rest is 60 to 100 a minute.",
                [trend(types.source(pulse), pulse)],
                types.look(pulse),
                1.0,
            ),
            12,
            7,
        ),
        Slot(
            timeseries(
                "Oxygen saturation over time",
                "SpO2. A step to nothing is a finger taken out.",
                [trend(types.source(oxygen), oxygen)],
                types.look(oxygen).within(80.0, 100.0),
                1.0,
            ),
            24,
            8,
        ),
    ]


def wave(types: Types) -> Slot:
    """Every sample of the last seconds: buckets would flatten a wave of one beat a second."""
    raw = f'SELECT "pleth" AS "pleth" FROM {types.source("pleth")} WHERE $timeFilter AND {THINGS} GROUP BY "thing"'
    panel = timeseries(
        "Pulse wave",
        f"The plethysmogram as sent, 60 samples a second, last {WAVE}.",
        [Query(raw, "$tag_thing")],
        types.look("pleth"),
        1.0,
    )
    panel["fieldConfig"]["defaults"]["custom"]["showPoints"] = "never"
    return Slot(panel | {"timeFrom": WAVE, "hideTimeOverride": False}, 24, 9)


def probe(types: Types) -> list[Slot]:
    finger = Look(mappings=(("true", "no finger", "orange"), ("false", "finger", "green")))
    searching = Look(mappings=(("true", "searching", "yellow"), ("false", "found", "green")))
    strength = "signal_strength"
    return [
        Slot(
            state_timeline(
                "Finger",
                "Whether a finger is in the probe.",
                [states(types.source("finger_out"), "finger_out")],
                finger,
                1.0,
            ),
            8,
            7,
        ),
        Slot(
            state_timeline(
                "Search",
                "Whether the oximeter is still searching for a pulse.",
                [states(types.source("searching"), "searching")],
                searching,
                1.0,
            ),
            8,
            7,
        ),
        Slot(
            timeseries(
                "Signal strength",
                "0 to 15; values with a weak signal deserve no trust.",
                [trend(types.source(strength), strength)],
                types.look(strength).within(0.0, 15.0),
                1.0,
            ),
            8,
            7,
        ),
    ]


def build(types: Types) -> Json:
    parts: list[Slot | Heading] = [
        Slot(text("Not a medical device", NOT_MEDICAL, f"**{NOT_MEDICAL}**"), 24, 2),
        Heading("Vital signs"),
        *vital_signs(types),
        Heading("Pulse wave"),
        wave(types),
        Heading("Probe"),
        *probe(types),
    ]
    makes = ", ".join(device.title for device in types.carriers("spo2_pct"))
    return board(
        UID,
        "Health",
        f"Pulse, oxygen saturation and pulse wave ({makes}). {NOT_MEDICAL}",
        parts,
        thing_variables(types.source("spo2_pct")),
        tags=("health",),
        since="now-15m",
        refresh="5s",
    )
