"""A blood pressure monitor that somebody uses, as user 1: what it has measured, a record in each packet.

A real one sends its whole memory each time that it is asked; the double has forgotten what it has sent. Its records are
of whole minutes.

Source: as the description, devices/jpi_bp.py.
"""

from devices.jpi_bp import DEVICE, USER, USERS
from devices.spec.events import Reading, Value
from simulators.peer import Epoch
from simulators.scene import settle
from simulators.signals import NOWHERE, Pulse, Spot, wander

_FIELDS = {field.name: field for field in DEVICE.fields}


def epoch(seed: int, _topic: str, _spot: Spot = NOWHERE) -> Epoch:
    """What is measured."""
    pulse = Pulse(seed)

    def at(moment: float) -> list[Reading]:
        rate = pulse.rate(moment)
        systolic = 112.0 + 0.4 * (rate - 65.0) + 6.0 * wander(seed + 91, moment, 7200.0)
        said: dict[str, Value] = {
            "systolic_mmhg": systolic,
            "diastolic_mmhg": 0.62 * systolic + 3.0 * wander(seed + 92, moment, 7200.0),
            "pulse_rate_bpm": rate,
            "record_flag": int(systolic >= 150.0),
        }
        fields = {name: settle(_FIELDS[name], value) for name, value in said.items()}
        return [Reading(fields, int(moment // 60.0) * 60_000_000_000, tags={USER: USERS[0]})]

    return at
