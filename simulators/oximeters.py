"""Oximeters that send each sample: BCI's five bytes of three makes, Contec's nine.

Without a finger they go through what the real ones do: no finger, a probe in trouble, searching; meanwhile pulse, SpO2
and wave have no value. Contec's protocol V7.0 falls silent LIVE samples after it was last told to speak.
"""

from collections.abc import Mapping

from devices.spec.command import StreamCommand
from devices.spec.events import Reading, Value
from simulators.peer import Frame
from simulators.worn import OFF_EVERY_S, OFF_FROM_S, OFF_S, Worn

LIVE = 1800
"""Samples of 30 s."""
TROUBLES: dict[str, tuple[str, ...]] = {
    "bci-oximeter": ("finger_out", "probe_error", "spo2_dropping"),
    "bci-oem": ("finger_out", "probe_error", "spo2_dropping"),
    "berrymed": ("no_finger", "no_signal", "probe_unplugged"),
    "contec-v7": ("finger_out", "search_too_long"),
}
"""Flags of each type, the first two of which say that nothing is measured."""


class Clip(Worn):
    """See the module."""

    def off(self, moment: float) -> bytes | None:
        flags = TROUBLES[self.device.name]
        part = (moment % OFF_EVERY_S - OFF_FROM_S) / OFF_S
        said: dict[str, Value] = dict.fromkeys((*flags, "beep", "searching"), False)
        said["finger_out" if "finger_out" in flags else flags[0]] = part < 0.5
        said[flags[1]] = 0.5 <= part < 0.7
        said["searching"] = part >= 0.7
        return self.encode(Reading({**said, "bar_graph": 0.0, "signal_strength": 2.0}))


class Live(Clip):
    """Speaks for LIVE samples after it was told to."""

    _left = LIVE

    def receive(self, data: bytes) -> bytes:
        if self.opening in self._unread + data:
            self._left = LIVE
        return super().receive(data)

    def obey(self, command: StreamCommand, arguments: Mapping[str, Value]) -> bytes:
        if command.name == "stop":
            self.talking = False
        return super().obey(command, arguments)

    def _frames(self, moments: list[float]) -> list[Frame]:
        said = moments[: self._left]
        self._left -= len(said)
        self.talking = self.talking and self._left > 0
        return super()._frames(said)
