"""A tool that announces itself to Home Assistant, as a gateway sees it.

Announcements and online, each retained, on every connection; offline as its will; states as JSON. By its name a thing
announces entity by entity or the whole device at once (`devices/home_assistant/encode.py`).

Source: home-assistant.io, "MQTT": discovery, availability.
"""

from typing import Any

from devices.spec.events import Reading
from simulators.peer import Frame, Instrument


class Announced(Instrument):
    """Adds whether it can be reached."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._say = self.device.encode

    def presence(self, word: str, now_s: float) -> Frame | None:  # noqa: ARG002
        data = self._say(Reading({"online_flag": word == "ONLINE"}))
        return Frame(data, topic=f"{self.topic.removesuffix('/state')}/availability", retain=True)

    def _frame(self, reading: Reading, series: Any, number: int) -> Frame:
        reading.time_ns = None
        return super()._frame(reading, series, number)
