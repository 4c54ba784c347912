"""A watchdog in a world of its own: sources that do as they are told, and a clock that stands still."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gateway.config import MqttConfig, SpoolConfig, SubscriptionConfig, WatchdogConfig
from gateway.pipeline import Pipeline
from gateway.spool.spool import Spool
from gateway.stats import DeviceStats, Stats
from gateway.watch.watchdog import Watchdog
from tests.gateway.virtual import VirtualClock

SUBSCRIPTIONS = (SubscriptionConfig("park/{thing}", "senml"), SubscriptionConfig("v3/+/devices/{thing}/up", "ttn-v3"))


@dataclass
class ToldBroker:
    """A broker source. `done` is what it was asked to do, with the time."""

    clock: VirtualClock
    name: str = "mqtt:main"
    subscribed: bool = True
    refused: dict[str, str] = field(default_factory=dict)
    last_message_monotonic: float | None = None
    done: list[tuple[float, str]] = field(default_factory=list)

    def resubscribe(self) -> None:
        self.done.append((self.clock.monotonic(), "resubscribe"))

    def reconnect(self, reason: str) -> None:
        assert reason
        self.done.append((self.clock.monotonic(), "reconnect"))

    def times(self, what: str) -> list[float]:
        return [time for time, done in self.done if done == what]


@dataclass
class ToldPort:
    """A serial source. `reopened` are the times at which it was asked to open again, `reasons` why."""

    clock: VirtualClock
    name: str = "serial:/dev/x"
    is_open: bool = True
    last_bytes_monotonic: float | None = None
    reopened: list[float] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def reopen(self, reason: str) -> None:
        self.reasons.append(reason)
        self.reopened.append(self.clock.monotonic())


class World:
    """One broker `mqtt:main`, one port `serial:/dev/x`, and things that speak when told to."""

    def __init__(self, path: Path, *, protocol: str = "5", **rules: float | bool) -> None:
        self.clock = VirtualClock()
        self.stats = Stats()
        self.spool = Spool.open(path / "spool.db", SpoolConfig(), self.clock)
        self.pipeline = Pipeline(self.spool, self.clock, self.stats)
        self.config = WatchdogConfig(**rules)  # type: ignore[arg-type]
        self.watchdog = Watchdog("park-east", self.config, self.pipeline, self.clock, self.stats)
        self.broker = ToldBroker(self.clock)
        self.port = ToldPort(self.clock)
        self.protocol = protocol
        self._due: dict[str, float] = {}

    def watch_broker(self, *subscriptions: SubscriptionConfig) -> None:
        config = MqttConfig("main", "mqtt://h", "c", subscriptions or SUBSCRIPTIONS, protocol=self.protocol)  # type: ignore[arg-type]
        self.stats.source("mqtt:main").connects = 1
        self.watchdog.broker(self.broker, config)

    def watch_port(self, expected_s: float = 1.0) -> DeviceStats:
        stats = self.add("lamp-17", expected_s, source="serial:/dev/x", device="pms5003")
        self.watchdog.port(self.port, 32)
        return stats

    def add(
        self,
        thing: str,
        expected_s: float,
        *,
        learns: bool = False,
        source: str = "mqtt:main",
        device: str = "senml",
    ) -> DeviceStats:
        stats = DeviceStats(source, device, thing, expected_every_s=expected_s, learns=learns)
        self.stats.devices[source, thing] = stats
        return stats

    def speak(self, thing: str, readings: int = 1) -> None:
        """Readings of a thing arrive now."""
        stats = next(each for each in self.stats.devices.values() if each.thing == thing)
        stats.readings += readings
        stats.last_seen_ns = self.clock.now_ns()
        source = self.broker if stats.source == "mqtt:main" else self.port
        if source is self.broker:
            self.broker.last_message_monotonic = self.clock.monotonic()
        else:
            self.port.last_bytes_monotonic = self.clock.monotonic()

    async def live(self, seconds: int, every: Mapping[str, float] | None = None) -> None:
        """Let time pass, a round each second; `every` thing speaks at its interval."""
        every = every or {}
        for _ in range(seconds):
            self.clock.pass_by(1.0)
            for thing, interval in every.items():
                if self.clock.monotonic() >= self._due.get(thing, 0.0):
                    self._due[thing] = self.clock.monotonic() + interval
                    self.speak(thing)
            await self.watchdog.round()

    def connected_anew(self) -> None:
        self.stats.source("mqtt:main").connects += 1

    def events(self) -> list[tuple[str, str, str]]:
        """Thing, layer and title of every event point so far."""
        found = []
        for line in self.pipeline.intake.drop_lines:
            head, _, rest = line.replace("\\ ", "_").partition(" ")
            tags = dict(pair.split("=", 1) for pair in head.split(",")[1:])
            assert head.startswith("gateway_event,")
            assert tags["gateway"] == "park-east"
            title = rest.split('title="', 1)[1].split('"', 1)[0]
            found.append((tags.get("thing", ""), tags["layer"], title))
        return found

    def open_layers(self) -> list[str]:
        return sorted(fault.layer for fault in self.watchdog.faults.open.values())
