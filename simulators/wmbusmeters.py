"""A water meter in a park, whose radio wmbusmeters hears: it counts what the fountains and taps use.

Its flow follows the day, and what it has counted grows with it; it is cooler below the ground than above.

Source: as the description, devices/wmbusmeters.py.
"""

from devices.spec.events import Reading, Value
from devices.wmbusmeters import DEVICE
from simulators.peer import Epoch
from simulators.scene import settle, truth
from simulators.signals import NOWHERE, Spot, wander

TAGS = {"media": "water", "meter": "iperl"}
_FIELDS = {field.name: field for field in DEVICE.fields}
_USED_M3_S = 0.35 / 3600.0


def epoch(seed: int, _topic: str, spot: Spot = NOWHERE) -> Epoch:
    """What a meter says."""
    weather = truth(DEVICE, seed, spot=spot)

    def at(moment: float) -> list[Reading]:
        air = weather(moment).fields
        said: dict[str, Value] = {
            "total_m3": 12.0 * (seed % 97) + moment % 1e8 * _USED_M3_S,
            "flow_m3_h": 0.35 + 0.3 * wander(seed + 1, moment, 900.0),
            "external_temperature_c": 8.0 + 0.4 * float(air["temperature_c"]),
            "ok_flag": True,
            "status_text": "OK",
            "rssi_dbm": float(air["rssi_dbm"]),
        }
        fields = {name: settle(_FIELDS[name], value) for name, value in said.items()}
        return [Reading(fields, int(moment) * 1_000_000_000, tags=dict(TAGS))]

    return at
