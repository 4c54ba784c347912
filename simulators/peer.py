"""A simulated device, without the link that it speaks over.

Sans-I/O: `receive` takes bytes that came in and gives the bytes to answer with, `tick` takes the
time and gives the frames that are due. All encoding is the device type's own description.

Every reading carries an audit number: the count of its series (thing and tags) from 0, which
`delivered` moves on once the frame is known to be out. A frame that was cut short or never left
gives its number to the next one, so what was sent is always 0..n-1 without a gap.

Limits: at most 256 frames a tick; a device that was held up longer does not catch up, it goes on
from now, as real ones do. At most 1024 unread command bytes are kept.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

from devices.spec.command import Heard, MessageCommand, StreamCommand, To
from devices.spec.device import Device, MessageDevice, StreamDevice
from devices.spec.events import Reading, Value
from simulators.signals import unit

MOST_PER_TICK = 256
WARM_UP_S = 2.0
"""How long a sensor that was switched on or woken says nothing yet; real ones take 2 to 30 s."""

POWER_UP = b"\x00"
"""What an adapter reads while the sensor's line, low without power, rises: a break, which it gives as one zero."""

MOST_UNREAD = 1024

Series = tuple[tuple[str, str], ...]
"""The tags of a reading, sorted: with the thing's name they say which series it belongs to. Where several things
share a link, `thing` is the one that the reading names."""

Talker = StreamDevice | MessageDevice
"""Device types that speak by themselves; those that are asked are in line.py."""

Epoch = Callable[[float], list[Reading]]
"""Unix seconds in; the readings that the device says at that moment, in order, out."""


def series_of(device: Device, reading: Reading) -> Series:
    """Which series of its device a reading is counted in."""
    words = {} if device.sequence.by_thing else dict(reading.tags)
    if isinstance(device, StreamDevice) and device.shared and reading.thing:
        words["thing"] = reading.thing
    return tuple(sorted(words.items()))


class Frame(NamedTuple):
    """What leaves the device at once. `number` is None where it carries no audited reading."""

    data: bytes
    series: Series = ()
    number: int | None = None
    topic: str = ""
    retain: bool = False


class Peer(Protocol):
    """What a link or the fleet needs to know of a simulated device."""

    @property
    def sent(self) -> Counter[Series]: ...

    def receive(self, data: bytes) -> bytes:
        """Bytes that came in, however they were cut; answer what goes back at once."""
        ...

    def tick(self, now_s: float) -> list[Frame]:
        """The frames that are due at Unix time `now_s`, oldest first."""
        ...

    def due_s(self) -> float | None:
        """When `tick` has something next (Unix seconds), or None when only a command can tell."""
        ...

    def delivered(self, frame: Frame) -> None:
        """`frame` is out as a whole."""
        ...


class Instrument:
    """Any device type that talks, talking by itself every `period_s` and answering listed commands.

    `thing` is the identity its payloads give (MQTT); `topic` where they go. The first reading
    falls somewhere in the first period, by `seed`, so that the things of a fleet do not all speak at once. One that
    has an `opening` is silent until it hears it.
    """

    def __init__(
        self, device: Talker, epoch: Epoch, period_s: float, *, seed: int = 0, thing: str | None = None, topic: str = ""
    ) -> None:
        self.device = device
        self.period_s = period_s
        self.opening = device.opening if isinstance(device, StreamDevice) else b""
        self.talking = not self.opening
        self.warm = False
        """It was switched on long before anybody listens: nothing of its start is left to say."""
        self.sent: Counter[Series] = Counter()
        self._epoch = epoch
        self.thing = thing
        self.topic = topic
        self._phase = unit(seed, 0x7E1) * period_s
        self._due: float | None = None
        self._asked = 0
        self._unread = b""
        self.addressed = ""
        """Which of several things of one port the last command was for, as it calls itself."""

    def receive(self, data: bytes) -> bytes:
        """Obey the commands in `data` (StreamDevice.commands), begin to talk at its `opening`; all else is ignored."""
        commands = self.device.commands if isinstance(self.device, StreamDevice) else ()
        self._unread += data
        if self.opening and self.opening in self._unread:
            self._unread = self._unread.partition(self.opening)[2]
            self.talking = True
        answers = []
        while (found := _first(commands, self._unread)) is not None:
            command, heard, end = found
            self._unread = self._unread[end:]
            self.addressed = heard.thing
            answers.append(self.obey(command, heard.arguments))
        self._unread = self._unread[-MOST_UNREAD:]
        return b"".join(answers)

    def obey(self, command: StreamCommand, arguments: Mapping[str, Value]) -> bytes:
        """The answer that the description gives; types with modes of their own say more."""
        said = command.answered(arguments, To(self.addressed))
        return said if isinstance(said, bytes) else self.device.encode(Reading(dict(said))) if said else b""

    @property
    def to(self) -> To:
        """It as one that is told something."""
        return To(self.thing or "", topic=self.topic)

    def listens(self) -> tuple[str, ...]:
        """The topic filters on which it hears commands."""
        commands = self.device.commands if isinstance(self.device, MessageDevice) else ()
        return tuple(sorted({each for command in commands for each in command.listens(self.to)}))

    def hear(self, topic: str, payload: bytes, now_s: float) -> list[Frame]:
        """Obey the command in a message (MessageDevice.commands): what it publishes then."""
        to = replace(self.to, now_ns=round(now_s * 1e3) * 1_000_000)
        for command in self.device.commands if isinstance(self.device, MessageDevice) else ():
            heard = command.hear(topic, payload, to)
            if heard is not None:
                return self.do(command, *heard)
        return []

    def do(self, command: MessageCommand, arguments: Mapping[str, Value], to: To) -> list[Frame]:
        """What the description answers; types with a state of their own say more."""
        return [Frame(each.payload, topic=each.topic) for each in command.answer(arguments, to)]

    def ask(self) -> None:
        """One reading more, at the next tick, whether talking by itself or not."""
        self._asked = min(self._asked + 1, MOST_PER_TICK)

    def due_s(self) -> float | None:
        if self._asked or (self.talking and self._due is None):
            return 0.0
        return self._due if self.talking else None

    def tick(self, now_s: float) -> list[Frame]:
        moments = [now_s] * self._asked
        self._asked = 0
        if not self.talking:
            self._due = None
        else:
            if self._due is None:
                self._due = now_s + self._phase
            while self._due <= now_s and len(moments) < MOST_PER_TICK:
                moments.append(self._due)
                self._due += self.period_s
            if self._due <= now_s:
                self._due = now_s + self.period_s
        return self._frames(moments)

    def delivered(self, frame: Frame) -> None:
        if frame.number is not None:
            self.sent[frame.series] = frame.number + 1

    def presence(self, word: str, now_s: float) -> Frame | None:
        """What it tells the broker about its own connection (ONLINE, OFFLINE, CONNECTION_BROKEN); most say nothing."""
        del word, now_s
        return None

    def births(self) -> list[Frame]:
        """What it says on every connection to a broker, before its readings: by `MessageDevice.births`."""
        if not isinstance(self.device, MessageDevice) or self.device.births is None:
            return []
        said = self.device.births
        found = {frame for reading in self._epoch(0.0) for frame in said(self.topic, reading)}
        return [Frame(payload, topic=topic, retain=True) for topic, payload in sorted(found)]

    def _frames(self, moments: list[float]) -> list[Frame]:
        ahead: Counter[Series] = Counter()
        frames = []
        for moment in moments:
            for reading in self._epoch(moment):
                series = series_of(self.device, reading)
                number = self.sent[series] + ahead[series]
                ahead[series] += 1
                frames.append(self._frame(reading, series, number))
        return frames

    def _frame(self, reading: Reading, series: Series, number: int) -> Frame:
        reading.fields = self.device.sequence.embed(reading.fields, number)
        if not (isinstance(self.device, StreamDevice) and self.device.shared):
            reading.thing = self.thing
        return Frame(self.device.encode(reading), series, number, self.topic)


class Warming(Instrument):
    """An instrument that has to warm up: POWER_UP, then for WARM_UP_S what `warming` makes of a measurement.

    Neither carries an audit number.
    """

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._warm_s: float | None = None
        self._off = True
        self._plain = self.device.encode

    def warming(self, frame: bytes) -> bytes:
        """The frame that says nothing yet, of the form of `frame`; empty where the type has none."""
        del frame
        return b""

    def _frames(self, moments: list[float]) -> list[Frame]:
        if not moments:
            return []
        if self.warm:
            self.warm, self._off, self._warm_s = False, False, -math.inf
        if self._warm_s is None:
            self._warm_s = moments[0] + WARM_UP_S
        until = self._warm_s
        cold = [self.warming(self._plain(self._epoch(at)[0])) for at in moments if at < until]
        glitch, self._off = (POWER_UP if self._off else b""), False
        said = [*map(Frame, filter(None, (glitch, *cold)))]
        return [*said, *super()._frames([at for at in moments if at >= until])]


class Sensor(Warming):
    """An instrument with a fan: listed commands `passive`, `active`, `read`, `sleep`, `wake`.

    Asleep it hears only the commands in `hears_asleep` and measures nothing. Woken, it warms up again.
    """

    hears_asleep: frozenset[str] = frozenset({"wake"})
    wakes_active = True

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.asleep = False
        self.active = True

    def obey(self, command: StreamCommand, arguments: Mapping[str, Value]) -> bytes:
        if self.asleep and command.name not in self.hears_asleep:
            return b""
        match command.name:
            case "sleep":
                self.asleep = True
            case "wake":
                self.active = self.active or self.wakes_active
                self._warm_s = None if self.asleep else self._warm_s
                self.asleep = False
            case "passive" | "active":
                self.active = command.name == "active"
            case "read" if not self.active:
                self.ask()
        self.talking = self.active and not self.asleep
        return super().obey(command, arguments)


def _first(commands: tuple[StreamCommand, ...], data: bytes) -> tuple[StreamCommand, Heard, int] | None:
    """The command whose request comes first in `data`, what it is said with, and where it ends."""
    for at in range(len(data)) if commands else ():
        for command in commands:
            heard = command.request.parse(data[at:], To())
            if heard is not None:
                return command, heard, at + heard.size
    return None
