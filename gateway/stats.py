"""Counters that the rooms increment and `/metrics`, `/healthz` and measurement `gateway` show.

Plain attributes: an increment on the hot path is one add, and reading them is someone
else's work (health.py).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from devices.spec.device import Device, PolledDevice
from gateway.config import SerialConfig, SubscriptionConfig, ThingConfig

_TROUBLE = ("down: ", "up, but ", "bytes but no ")
_APART = ("down: ", "starting", "connecting to ", "stopped")
"""How the states of sources begin that are trouble, and those without a connection."""

COUNTERS = (
    "readings",
    "empty",
    "field_errors",
    "noise_bytes",
    "integrity_errors",
    "sanity_errors",
    "unanswered",
    "clock_errors",
    "dropped",
)
"""What is counted of a thing, by the names in `DeviceStats`, in the order in which it is shown."""


@dataclass(slots=True)
class DeviceStats:
    """One thing as seen through one source. `location` is (latitude, longitude) in degrees.

    `expected_every_s` is the device type's or the config's until the watchdog has learned
    better, which it may where `learns`; infinite for a thing that is never missed. `silent`
    is the watchdog's word.

    `readings` were decoded; `empty` frames and payloads had nothing to report (the device is alive);
    `field_errors` are values of optional fields, or such as cannot be stored, that were left out of
    their readings; `last_error` is what was wrong with the last of them, or with the last frame or payload
    that was refused (noise only where there was none); `unanswered` questions were asked in vain.
    `seats` are its series behind a broker; `gone` says that it has none any more. Where several things speak on
    one serial port, `others` are the readings and empty frames of the others, told to the port's own thing, and
    `port` are that one's counters, told to each of the others. `topic` is one on which it was read, behind a broker.
    """

    source: str
    device: str
    thing: str
    tags: Mapping[str, str] = field(default_factory=dict)
    location: tuple[float, float] | None = None
    expected_every_s: float = 60.0
    last_seen_ns: int = 0
    readings: int = 0
    empty: int = 0
    field_errors: int = 0
    noise_bytes: int = 0
    integrity_errors: int = 0
    sanity_errors: int = 0
    unanswered: int = 0
    dropped: int = 0
    clock_errors: int = 0
    learns: bool = True
    silent: bool = False
    last_error: str = ""
    seats: int = 0
    gone: bool = False
    others: int = 0
    port: "DeviceStats | None" = None
    topic: str = ""

    @property
    def signs(self) -> int:
        """How often it, or another on its port, has shown that it lives."""
        return self.readings + self.empty + self.others

    def counts(self) -> dict[str, int]:
        """The counters by name."""
        return {name: getattr(self, name) for name in COUNTERS}


@dataclass(slots=True)
class TopicStats:
    """A topic of a broker of which nothing was ever stored. `device` and `thing` are empty where nothing names them.

    Of its `messages` so many were `faults`, the last `run` of them in a row; the others had nothing to
    report, or were old. `reason` is that of the last one.
    """

    source: str
    device: str
    thing: str
    topic: str
    messages: int = 0
    faults: int = 0
    run: int = 0
    reason: str = ""
    last_seen_ns: int = 0

    @property
    def words(self) -> str:
        count = f"{self.messages} messages" if self.messages != 1 else "1 message"
        return f"{self.topic}: {count}, none stored: {self.reason}"


@dataclass(slots=True)
class Crowd:
    """A broker whose places are all taken: how many readings were refused since that began."""

    source: str
    places: int
    refused: int = 0
    last_ns: int = 0

    @property
    def words(self) -> str:
        return (
            f"all {self.places} places (max_things) are taken; {self.refused} readings of further things "
            "went to the quarantine"
        )


def device_stats(source: str, device: Device, thing: str, config: SerialConfig | SubscriptionConfig) -> DeviceStats:
    """The counters of a thing that is seen for the first time."""
    told = config.expected_every_s
    expected = device.expected_every_s if told is None else told or math.inf
    return DeviceStats(source, device.name, thing, config.tags, config.location, expected, learns=told is None)


def asked_stats(source: str, device: PolledDevice, config: ThingConfig, thing: str) -> DeviceStats:
    """The counters of a thing that is asked. How often it speaks is known, there is nothing to learn."""
    every = device.expected_every_s if config.every_s is None else config.every_s
    told = config.expected_every_s
    expected = every if told is None else told or math.inf
    return DeviceStats(source, device.name, thing, config.tags, config.location, expected, learns=False)


@dataclass(slots=True)
class StageStats:
    """Points and messages, stage by stage.

    `received` messages or serial chunks; `decoded` readings; `spooled` points committed;
    `written` points a sink accepted; `rejected` points a sink refused for good (quarantined);
    `dropped` points given up because the spool was full; `redelivered` messages acknowledged
    without storing them again; `quarantined` items kept with a reason; `unkept` items that came
    faster than the quarantine could be written, counted and not kept; `retained` readings of old
    retained messages that do not say when they were true, and so are not stored.
    """

    received: int = 0
    decoded: int = 0
    spooled: int = 0
    written: int = 0
    rejected: int = 0
    dropped: int = 0
    redelivered: int = 0
    quarantined: int = 0
    unkept: int = 0
    retained: int = 0


class SourceStats:
    """One port or broker connection. `state` is a word for people: "up", "down: …".

    `malformed` counts connections ended because the broker broke the protocol. `last_error` is the last
    state that was trouble, in its own words. `refused` counts frames and messages that could not be read, and
    `last_refused` says what was wrong with the last of them.
    """

    __slots__ = ("_state", "bytes_in", "connects", "last_error", "last_refused", "malformed", "name", "refused")

    def __init__(
        self, name: str, state: str = "starting", connects: int = 0, bytes_in: int = 0, malformed: int = 0
    ) -> None:
        self.name = name
        self.connects = connects
        self.bytes_in = bytes_in
        self.malformed = malformed
        self.last_error = ""
        self.refused = 0
        self.last_refused = ""
        self.state = state

    @property
    def state(self) -> str:
        return self._state

    @state.setter
    def state(self, text: str) -> None:
        self._state = text
        if text.startswith(_TROUBLE):
            self.last_error = text.removeprefix("down: ")

    @property
    def connected(self) -> bool:
        """Whether the port is open, or the broker has accepted the connection."""
        return not self._state.startswith(_APART)


@dataclass(slots=True)
class SinkStats:
    """One store. `state` is a word for people: "up", "up, but …", "down: …", "alarm: …", "throttled: …".

    `remade` counts databases that were gone and made again; `notice` says what happened last and is
    over, until it has been shown long enough.
    """

    name: str
    state: str = "starting"
    batches: int = 0
    retries: int = 0
    write_s: float = 0.0
    last_write_s: float = 0.0
    remade: int = 0
    notice: str = ""

    @property
    def up(self) -> bool:
        """Whether the last batch was accepted, be it not whole."""
        return self.state.startswith("up")


@dataclass(slots=True)
class Stats:
    """Everything countable about one running gateway.

    `devices` by source and thing, in the order in which they were first seen; `parted` of them have
    lost their places. `topics` brought nothing that could be stored, by source and topic; messages on
    `more_topics` were too many to be listed. `crowds` are brokers that are full, by source, while it lasts.
    """

    stages: StageStats = field(default_factory=StageStats)
    devices: dict[tuple[str, str], DeviceStats] = field(default_factory=dict)
    sources: dict[str, SourceStats] = field(default_factory=dict)
    sinks: dict[str, SinkStats] = field(default_factory=dict)
    topics: dict[tuple[str, str], TopicStats] = field(default_factory=dict)
    crowds: dict[str, Crowd] = field(default_factory=dict)
    parted: int = 0
    more_topics: int = 0

    def part(self, source: str, thing: str) -> None:
        """A thing has lost its place: its counters go."""
        stats = self.devices.pop((source, thing), None)
        if stats is not None:
            stats.gone = True
            self.parted += 1

    def source(self, name: str) -> SourceStats:
        return self.sources.setdefault(name, SourceStats(name))

    def sink(self, name: str) -> SinkStats:
        return self.sinks.setdefault(name, SinkStats(name))
