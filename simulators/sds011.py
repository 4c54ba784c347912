"""A Nova SDS011 that obeys: every listed command is answered, asleep only sleep and wake.

    passive    answers, then measures only when read
    active     answers, then measures every second
    read       one measurement in passive mode; nothing while active
    sleep      answers, then measures nothing
    wake       answers, then goes on in the mode it was in, first with zeros, as after power on
    firmware, period   answered; the pace of the simulation stays what it was

Serves SDS018, SDS021 and SDS198 too. Source: Nova Fitness, Laser Dust Sensor Control Protocol V1.3 (2015).
"""

from devices.nova.family import CHECK, TRAILER
from simulators.peer import Sensor


class Nova(Sensor):
    """See the module."""

    hears_asleep = frozenset({"sleep", "wake"})
    wakes_active = False

    def warming(self, frame: bytes) -> bytes:
        return CHECK.sealed(frame[:2] + bytes(4) + frame[6:8], TRAILER)
