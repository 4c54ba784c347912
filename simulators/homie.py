"""A Homie device of version 5, as a gateway sees it: a weather station with a thermometer and a relay.

On every connection `$state` init, its description and `$state` ready, each retained; lost as its will, disconnected
before an orderly end. At each of its periods the thermometer and, which is what is audited, the station as JSON; every
SWITCHED_S its relay is switched. It sets what it is told to, and says so.

Limits: values are not retained, as those of real devices are.
Source: homieiot.github.io, Homie convention 5.0.0: "Device Lifecycle".
"""

from typing import Any

from devices.homie import placed
from devices.spec.events import Reading
from simulators.peer import Frame, Instrument
from simulators.signals import wander

SWITCHED_S = 600.0
_STATES = {"ONLINE": "init", "OFFLINE": "disconnected", "CONNECTION_BROKEN": "lost"}


class Described(Instrument):
    """Adds its life, and the properties that are plain."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._say = self.device.encode
        self._ready = False
        self._switched: int | None = None
        self._count = 0

    def presence(self, word: str, now_s: float) -> Frame | None:  # noqa: ARG002
        self._ready &= word != "ONLINE"
        return self._state(_STATES.get(word, "lost"))

    def tick(self, now_s: float) -> list[Frame]:
        readings = super().tick(now_s)
        base, frames = placed(self.topic), list[Frame]()
        if not self._ready:
            self._ready = True
            frames.append(self._state("ready"))
        if not readings:
            return frames
        switched, before = int(now_s // SWITCHED_S), self._switched
        self._switched = switched
        if before not in (None, switched):
            self._count += 1
            frames.append(Frame(b"true" if self._count % 2 else b"false", topic=f"{base}/relay/on"))
            frames.append(Frame(b"%d" % self._count, topic=f"{base}/relay/switched"))
        warm = 21.0 + 2.0 * wander(13, now_s, 600.0)
        return [*frames, Frame(b"%.1f" % warm, topic=f"{base}/sensor/temperature"), *readings]

    def _state(self, word: str) -> Frame:
        data = self._say(Reading({"device_state": word}))
        return Frame(data, topic=f"{placed(self.topic)}/$state", retain=True)

    def _frame(self, reading: Reading, series: Any, number: int) -> Frame:
        reading.time_ns = None
        return super()._frame(reading, series, number)
