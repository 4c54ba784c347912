"""Instruments that somebody wears: off the finger or the skin for OFF_S from OFF_FROM_S of every OFF_EVERY_S on.

What they say while they are off has no value to carry a count in: such frames are not counted as sent. `off` gives
their bytes, `greeting` what is said once, when the device is switched on.
"""

from collections.abc import Callable
from typing import Any

from devices.spec.events import Reading
from simulators.peer import Frame, Instrument

OFF_EVERY_S, OFF_FROM_S, OFF_S = 600.0, 300.0, 20.0


class Worn(Instrument):
    """See the module. `encode` is that of the description, for what carries no count."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.encode: Callable[[Reading], bytes] = self.device.encode
        self._greeted = False

    def off(self, moment: float) -> bytes | None:
        """What it says at a moment without a finger or skin, None where that is as ever."""
        del moment
        return None

    def greeting(self) -> bytes:
        """What it says once, before all else."""
        return b""

    def _frames(self, moments: list[float]) -> list[Frame]:
        aside, worn = [], []
        for moment in moments:
            data = self.off(moment) if 0.0 <= moment % OFF_EVERY_S - OFF_FROM_S < OFF_S else None
            if data is None:
                worn.append(moment)
            else:
                aside.append(Frame(data, topic=self.topic))
        greeting = b"" if self._greeted or not moments else self.greeting()
        self._greeted = self._greeted or bool(moments)
        return [*([Frame(greeting)] if greeting else ()), *aside, *super()._frames(worn)]
