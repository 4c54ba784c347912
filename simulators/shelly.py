"""Shelly devices, as a gateway sees them.

Of the first generation: online true, retained, on every connection, and false as its will, and an announcement on each;
at each of its periods its relay and the temperature inside as plain text, and its whole status as `info`, which is what
is audited; every PRESSED_S its button is pressed (`input_event`) and its relay switched. It obeys what switches it.

Of the second generation: online true, retained, on every connection, and false as its will; the first thing that it
says on a connection is a NotifyFullStatus, then a NotifyStatus at each of its periods; every PRESSED_S somebody presses
its button, a NotifyEvent, and its output is switched, a NotifyStatus of that alone. It obeys what switches its output.

Limits: one output; whichever is to be switched, it is that one.
Source: shelly-api-docs.shelly.cloud, Gen1: "MQTT"; Gen2+: "Notifications", "MQTT".
"""

from collections.abc import Mapping
from typing import Any

from msgspec import json as msgjson

from devices.spec.command import MessageCommand, To
from devices.spec.events import Reading, Value
from simulators.peer import Frame, Instrument, Series
from simulators.signals import wander

PRESSED_S = 300.0


class Gen1(Instrument):
    """Adds the topics of plain text."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._say = self.device.encode
        self._on = True
        self._pressed: int | None = None
        self._count = 0
        self._announced = False

    @property
    def prefix(self) -> str:
        return self.topic.removesuffix("/info")

    def presence(self, word: str, now_s: float) -> Frame | None:  # noqa: ARG002
        self._announced &= word != "ONLINE"
        data = self._say(Reading({"online_flag": word == "ONLINE"}))
        return Frame(data, topic=f"{self.prefix}/online", retain=True)

    def tick(self, now_s: float) -> list[Frame]:
        readings = super().tick(now_s)
        pressed, before = int(now_s // PRESSED_S), self._pressed
        self._pressed = pressed
        if not readings:
            return readings
        frames: list[Frame] = []
        if not self._announced:
            self._announced = True
            told = {"id": self.thing, "model": "SHSW-PM", "mac": "AABBCCDDEEFF", "new_fw": False}
            frames.append(Frame(msgjson.encode(told), topic=f"{self.prefix}/announce"))
        if before not in (None, pressed):
            self._on = not self._on
            self._count += 1
            event = msgjson.encode({"event": "S", "event_cnt": self._count})
            frames.append(Frame(event, topic=f"{self.prefix}/input_event/0"))
        frames.append(Frame(b"on" if self._on else b"off", topic=f"{self.prefix}/relay/0"))
        inside = 40.0 + 3.0 * wander(11, now_s, 300.0)
        return [*frames, Frame(b"%.2f" % inside, topic=f"{self.prefix}/temperature"), *readings]

    def do(self, command: MessageCommand, arguments: Mapping[str, Value], to: To) -> list[Frame]:
        self._on = bool(arguments["on_flag"])
        return super().do(command, arguments, to)

    def _frame(self, reading: Reading, series: Series, number: int) -> Frame:
        if reading.time_ns is not None:
            reading.time_ns -= reading.time_ns % 1_000_000_000  # its clock has whole seconds
        return super()._frame(reading, series, number)


class Gen2(Instrument):
    """Adds what a device says of itself, and of its output."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._say = self.device.encode
        self._on = True
        self._pressed: int | None = None
        self._whole = False

    @property
    def prefix(self) -> str:
        return self.topic.removesuffix("/events/rpc")

    def presence(self, word: str, now_s: float) -> Frame | None:  # noqa: ARG002
        if word == "ONLINE":
            self._whole = True
        data = self._say(Reading({"online_flag": word == "ONLINE"}))
        return Frame(data, topic=f"{self.prefix}/online", retain=True)

    def tick(self, now_s: float) -> list[Frame]:
        readings = super().tick(now_s)
        pressed, before = int(now_s // PRESSED_S), self._pressed
        self._pressed = pressed
        if not readings or before in (None, pressed):
            return readings
        self._on = not self._on
        event = {"component": "input:0", "id": 0, "event": "single_push", "ts": round(now_s, 2)}
        params = {"ts": round(now_s, 2), "events": [event]}
        told = {"src": self.thing, "dst": f"{self.prefix}/events", "method": "NotifyEvent", "params": params}
        switched = self._say(Reading({"output_flag": self._on}, round(now_s * 1e3) * 1_000_000, self.thing))
        return [Frame(msgjson.encode(told), topic=self.topic), Frame(switched, topic=self.topic), *readings]

    def do(self, command: MessageCommand, arguments: Mapping[str, Value], to: To) -> list[Frame]:
        if command.name == "switch":
            self._on = bool(arguments["on_flag"])
        return super().do(command, arguments, to)

    def _frame(self, reading: Reading, series: Series, number: int) -> Frame:
        frame = super()._frame(reading, series, number)
        if self._whole:
            self._whole = False
            frame = frame._replace(data=frame.data.replace(b'"NotifyStatus"', b'"NotifyFullStatus"', 1))
        return frame
