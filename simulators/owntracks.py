"""A telephone with OwnTracks that is carried around the park.

A status on every connection, its will (`lwt`) at the end of one, a location at each of its periods; every CROSSED_S it
enters or leaves a region, on `…/event`.

Source: owntracks.org/booklet/tech/json.
"""

from typing import Any

from msgspec import json as msgjson

from devices.spec.events import Reading
from simulators.peer import Frame, Instrument, Series

CROSSED_S = 600.0


class Telephone(Instrument):
    """Adds what the app says of itself, and the regions."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._say = self.device.encode
        self._crossed: int | None = None

    def presence(self, word: str, now_s: float) -> Frame | None:
        if word == "ONLINE":
            status = {"_type": "status", "android": {"hib": 0, "bo": 0, "loc": 0, "ps": 0, "wifi": 1}}
            return Frame(msgjson.encode(status), topic=f"{self.topic}/status", retain=True)
        lost = Reading({"online_flag": False}, round(now_s) * 1_000_000_000)
        return Frame(self._say(lost), topic=self.topic, retain=True)

    def tick(self, now_s: float) -> list[Frame]:
        readings = super().tick(now_s)
        crossed, before = int(now_s // CROSSED_S), self._crossed
        self._crossed = crossed
        if not readings or before in (None, crossed):
            return readings
        event = {"_type": "transition", "event": "enter" if crossed % 2 else "leave", "desc": "lake", "tst": int(now_s)}
        return [Frame(msgjson.encode(event), topic=f"{self.topic}/event"), *readings]

    def _frame(self, reading: Reading, series: Series, number: int) -> Frame:
        if reading.time_ns is not None:
            reading.time_ns -= reading.time_ns % 1_000_000_000  # it says whole seconds
        return super()._frame(reading, series, number)
