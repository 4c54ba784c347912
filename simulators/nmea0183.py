"""A satellite receiver on a cart: one epoch is RMC, GGA, VTG and GSV, as receivers say it.

The fix is on all systems (talker GN), the sky is told for GPS (talker GP): eight satellites in a
group of two sentences, drifting slowly, two of them low and weak. Times are those of the fix, to
the hundredth of a second.

The group has eight satellites because its audit number is in the first six, so a group
that has lost one of its sentences shows no number rather than a wrong one.

Switched on it says who made it and, before its first fix, one epoch without any: no place, no time, HDOP 99.99.
None of that carries a number.

Source: NMEA 0183 as u-blox M8 receivers write it (devices/nmea0183/).
"""

import json
from typing import Any

from devices.spec.events import Reading, Value
from simulators.peer import Epoch, Frame, Instrument
from simulators.signals import NOWHERE, Route, Spot, unit, wander

SATELLITES = 8
KNOT_M_S = 1852.0 / 3600.0

START: tuple[tuple[str, dict[str, Value]], ...] = (
    ("TXT", {"sentences": 1, "sentence_number": 1, "text_kind": "02", "text": "u-blox AG - www.u-blox.com"}),
    ("RMC", {"status": "V", "mode": "N"}),
    ("GGA", {"fix_quality": 0, "satellites_used": 0, "hdop": 99.99}),
    ("VTG", {"mode": "N"}),
)
"""Sentences of a receiver that was switched on."""


class Receiver(Instrument):
    """Adds what it says before its first fix."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._off = True
        self._plain = self.device.encode

    def tick(self, now_s: float) -> list[Frame]:
        frames = super().tick(now_s)
        if not frames or not self._off:
            return frames
        self._off = False
        if self.warm:
            return frames
        return [*(Frame(self._plain(_said(sentence, dict(fields), None))) for sentence, fields in START), *frames]


def epoch(seed: int, _topic: str, spot: Spot = NOWHERE) -> Epoch:
    """The sentences of one receiver, which is driven about the location of `spot`."""
    route = Route(seed, centre=spot.location)

    def at(moment: float) -> list[Reading]:
        pose = route.at(moment)
        time_ns = round(moment * 100.0) * 10_000_000
        place: dict[str, Value] = {
            "latitude_deg": round(pose.latitude, 7),
            "longitude_deg": round(pose.longitude, 7),
        }
        way: dict[str, Value] = {
            "speed_kn": round(pose.speed / KNOT_M_S, 3),
            "course_deg": round(pose.course, 2),
            "mode": "A",
        }
        fix: dict[str, Value] = {
            "fix_quality": 1,
            "satellites_used": SATELLITES + round(2.0 * wander(seed + 52, moment, 120.0)),
            "hdop": round(0.96 + 0.2 * wander(seed + 54, moment, 60.0), 2),
            "altitude_m": round(6.5 + 1.5 * wander(seed + 51, moment, 60.0), 1),
            "geoid_separation_m": -2.3,
        }
        ground: dict[str, Value] = {"speed_km_h": round(pose.speed * 3.6, 3)}
        sky: dict[str, Value] = {"satellites_in_view": SATELLITES, "satellites": _sky(seed, moment)}
        return [
            _said("RMC", {**place, **way, "status": "A"}, time_ns),
            _said("GGA", {**place, **fix}, time_ns),
            _said("VTG", {**way, **ground}, None),
            _said("GSV", sky, None),
        ]

    return at


def _said(sentence: str, fields: dict[str, Value], time_ns: int | None) -> Reading:
    return Reading(fields, time_ns, tags={"sentence": sentence, "talker": "GP" if sentence == "GSV" else "GN"})


def _sky(seed: int, moment: float) -> str:
    """Eight satellites as the JSON list of devices/nmea0183: a turn around the sky in 12 h."""
    first = int(unit(seed, 90) * 24)
    rows = []
    for number in range(SATELLITES):
        turned = 360.0 * (unit(seed, 91 + number) + moment / 43_200.0)
        low = number >= SATELLITES - 2
        rows.append(
            {
                "prn": 1 + (first + 3 * number) % 32,
                "elevation_deg": int(6 + 4 * unit(seed, 110 + number)) if low else int(25 + 60 * unit(seed, number)),
                "azimuth_deg": int(turned) % 360,
                "snr_db_hz": int((24 if low else 41) + 4 * wander(seed + number, moment, 20.0)),
            }
        )
    return json.dumps(rows, separators=(",", ":"))
