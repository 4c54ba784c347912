"""Nonin oximeters: packets of format 2, and the lines of a handheld.

Without a finger the packets have no values (511, 127), the alarm of the sensor and a flat wave; the handheld prints
`---`. Behind that, while a pulse is searched for, the values stay away for FOUND_S more, out of track. The handheld
prints a header when it is switched on; its words are made up, the manuals show none.
"""

import json

from devices.spec.events import Reading, Value
from simulators.peer import Epoch
from simulators.signals import NOWHERE, Pulse, Spot, wander
from simulators.worn import OFF_EVERY_S, OFF_FROM_S, OFF_S, Worn

FRAMES, RATE_HZ = 25, 75.0
FOUND_S = 5.0
FLAT = "[" + ",".join(["0"] * FRAMES) + "]"


def epoch(seed: int, _topic: str, _spot: Spot = NOWHERE) -> Epoch:
    """The packet of a third of a second that ends at any time."""
    pulse = Pulse(seed)

    def at(moment: float) -> list[Reading]:
        rate, saturation = float(round(pulse.rate(moment))), float(round(pulse.spo2(moment)))
        before = float(round(pulse.rate(moment - 4.0)))
        samples = [round(220 * pulse.pleth(moment - (FRAMES - 1 - at) / RATE_HZ)) for at in range(FRAMES)]
        beaten = int(pulse.beats(moment)) != int(pulse.beats(moment - FRAMES / RATE_HZ))
        quality = "yellow" if wander(seed + 97, moment, 60.0) > 0.5 else "green"
        fields: dict[str, Value] = {
            "pulse_rate_bpm": rate,
            "pulse_rate_display_bpm": rate,
            "pulse_rate_extended_bpm": before,
            "pulse_rate_extended_display_bpm": before,
            "firmware_revision": 0x30,
            "sensor_disconnected": False,
            "artifact": pulse.walking(moment) and wander(seed + 98, moment, 3.0) > 0.8,
            "out_of_track": False,
            "sensor_alarm": False,
            "perfusion": quality if beaten else "none",
            "pleth_samples": json.dumps(samples, separators=(",", ":")),
        }
        for average in ("", "_display", "_fast", "_beat", "_extended", "_extended_display"):
            fields[f"spo2{average}_pct"] = saturation
        return [Reading(fields)]

    return at


class Packets(Worn):
    """Serial data format 2."""

    def off(self, moment: float) -> bytes | None:
        searching = moment % OFF_EVERY_S - OFF_FROM_S > OFF_S - FOUND_S
        fields: dict[str, Value] = {
            "sensor_alarm": not searching,
            "out_of_track": searching,
            "firmware_revision": 0x30,
            "pleth_samples": FLAT,
        }
        return self.encode(Reading(fields))


class Handheld(Worn):
    """Printed lines."""

    def off(self, _moment: float) -> bytes | None:
        return b"SPO2=--- HR=---\r\n"

    def greeting(self) -> bytes:
        return b"NONIN PALMSAT  REAL-TIME DATA\r\n01/02/26 12:00:00\r\n"
