"""A Plantower PMS5003 that takes commands: passive, active, read, sleep, wake.

    passive   answers, then measures only when read
    active    answers, then measures by itself
    read      one measurement in passive mode; nothing while active
    sleep     answers, then hears nothing but wake
    wake      no answer; back in active mode, first with payloads of zeros, as after power on

Serves the whole family, which shares the commands (PMS3003 takes none).
Unknown: whether a sensor put to sleep in passive mode wakes up passive; here it wakes active,
as after power on. Source: Plantower PMS5003 series data manual V2.3 (2016), appendix B.
"""

from devices.plantower.family import CHECK
from simulators.peer import Sensor


class Plantower(Sensor):
    """See the module."""

    hears_asleep = frozenset({"wake"})
    wakes_active = True

    def warming(self, frame: bytes) -> bytes:
        return CHECK.sealed(frame[:4] + bytes(len(frame) - 6))
