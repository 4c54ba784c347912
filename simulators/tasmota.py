"""A Tasmota plug with a weather sensor, as a gateway sees it.

Online, retained, on every connection, Offline as its will; INFO1 to INFO3 after it was switched on; at each of its
periods a STATE and a SENSOR; every SWITCHED_S somebody presses its button, which it says on stat/<topic>/RESULT and
stat/<topic>/POWER. It obeys what switches its relay. What is audited is SENSOR.

Limits: one relay; whichever is to be switched, it is that one.
Source: tasmota.github.io/docs, "MQTT".
"""

from collections.abc import Mapping
from typing import Any

from devices.spec.command import MessageCommand, To
from devices.spec.events import Reading, Value
from devices.tasmota import topic_beside
from simulators.peer import Frame, Instrument
from simulators.signals import wander

SWITCHED_S = 600.0
INFORMATION = (
    b'{"Info1":{"Module":"Generic","Version":"14.2.0(tasmota)","FallbackTopic":"cmnd/parkgate_fb/","GroupTopic":"cmnd/tasmotas/"}}',
    b'{"Info2":{"WebServerMode":"Admin","Hostname":"parkgate","IPAddress":"192.0.2.7"}}',
    b'{"Info3":{"RestartReason":"Software/System restart","BootCount":7}}',
)


class Module(Instrument):
    """Adds what a module says beside its sensors."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._say = self.device.encode
        self._started_s: float | None = None
        self._on = True
        self._pressed: int | None = None

    def presence(self, word: str, now_s: float) -> Frame | None:  # noqa: ARG002
        return self._beside({"online_flag": word == "ONLINE"}, "tele", "LWT", retain=True)

    def tick(self, now_s: float) -> list[Frame]:
        readings = super().tick(now_s)
        if not readings:
            return readings
        first: list[Frame] = []
        if self._started_s is None:
            self._started_s = now_s
            first = [
                Frame(data, topic=topic_beside(self.topic, "tele", f"INFO{number}"))
                for number, data in enumerate(INFORMATION, 1)
            ]
        pressed = int(now_s // SWITCHED_S)
        if self._pressed not in (None, pressed):
            self._on = not self._on
            first.append(self._beside({"power_flag": self._on}, "stat", "RESULT"))
            first.append(Frame(b"ON" if self._on else b"OFF", topic=topic_beside(self.topic, "stat", "POWER")))
        self._pressed = pressed
        signal = round(-61.0 + 9.0 * wander(7, now_s, 300.0))
        state: dict[str, Value] = {
            "uptime_s": float(int(now_s - self._started_s)),
            "power_flag": self._on,
            "rssi_dbm": float(signal),
            "wifi_quality_pct": float(min(100, 2 * (signal + 100))),
        }
        return [*first, self._beside(state, "tele", "STATE"), *readings]

    def do(self, command: MessageCommand, arguments: Mapping[str, Value], to: To) -> list[Frame]:
        self._on = bool(arguments["on_flag"])
        return super().do(command, arguments, to)

    def _beside(self, fields: dict[str, Value], prefix: str, last: str, retain: bool = False) -> Frame:
        topic = topic_beside(self.topic, prefix, last)
        return Frame(self._say(Reading(fields)), topic=topic, retain=retain)
