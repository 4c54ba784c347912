"""The watchdog: finds silence, says which layer is silent, heals what it can.

    every ROUND_S: look at each source --> visit the next things --> say what changed
                   connection?             spoke? overdue?          log, `gateway_event`

A thing is overdue after `factor` times its expected interval, not before `min_silence_s`. Then
the first of these that holds is said (`port.py`, `broker.py`):

    serial  port (missing) - framing, integrity, sanity (bytes come) - device (no bytes)
    MQTT    connection - subscription (refused) - sanity (messages that cannot be read) -
            device (others speak) - flow (nobody does)
    asked   port - sanity (refuses, too late) - integrity - framing - device (no answer), each thing its own

A fault of a source is said once for the source, not for each of its things.

Healing: a port is reopened; a broker is asked again for the subscriptions, then connected anew.
All with growing pauses, up to an hour; see `Healing`. While the spool takes nothing the gateway
itself holds its brokers back, and after a stall of the process nothing can be known: the time
of every thing then starts anew.

Cost: VISITS_A_ROUND things a round, SLICE at a time without waiting; with
100,000 things each is visited every 20 s.
Limit: a subscription that has never brought anything since the start is only missed where the
config says `expected_every_s`.
"""

import math
from collections import Counter
from itertools import islice

from gateway.clock import Clock
from gateway.config import MqttConfig, WatchdogConfig
from gateway.decode import clean_tag
from gateway.pipeline import Pipeline
from gateway.stats import DeviceStats, Stats
from gateway.watch.broker import BrokerSource, BrokerWatch
from gateway.watch.faults import Faults, duration
from gateway.watch.port import PortSource, PortWatch
from gateway.watch.recent import Recent
from gateway.watch.refused import Refusals
from gateway.watch.thing import Fault, Healing, Layer, Thing

ROUND_S = 1.0
STALL_S = 5.0
VISITS_A_ROUND = 5000
SLICE = 500
AGAIN = "asking again for the subscriptions"
REOPENED = {
    Layer.DEVICE: "no bytes",
    Layer.FRAMING: "bytes but no frames",
    Layer.INTEGRITY: "no frame that holds its check",
}
"""The silences of a port against which it is opened again, in words."""


class Watchdog:
    """`run` makes a round every ROUND_S. `faults`, `silent` and the counters are for health.py."""

    def __init__(self, name: str, config: WatchdogConfig, pipeline: Pipeline, clock: Clock, stats: Stats) -> None:
        self.healed = Counter({"resubscribe": 0, "reconnect": 0, "reopen": 0})
        self.silent = 0
        self.faults = Faults(name, pipeline, clock)
        self.refused = Refusals(stats)
        self.recent = Recent()
        self._config = config
        self._pipeline = pipeline
        self._clock = clock
        self._stats = stats
        self._brokers: dict[str, BrokerWatch] = {}
        self._ports: dict[str, PortWatch] = {}
        self._things: list[Thing] = []
        self._next = 0
        self._parted = 0
        self._rounded = self._floor = clock.monotonic()

    def broker(self, source: BrokerSource, config: MqttConfig) -> None:
        """Watch a broker and whatever things it brings; those that the config expects are missed from now on."""
        now = self._clock.monotonic()
        stats = self._stats.source(source.name)
        healing = Healing(self._config.pause_s)
        for each in config.subscriptions:
            if each.thing and each.expected_every_s:
                thing, every = clean_tag(each.thing), each.expected_every_s
                found = DeviceStats(source.name, each.device, thing, each.tags, each.location, every, learns=False)
                self._stats.devices.setdefault((source.name, thing), found)
        self._brokers[source.name] = BrokerWatch(source, config, stats, self._config, now, now, healing)

    def port(self, source: PortSource, longest_frame: int, *, asked: bool = False) -> None:
        """Watch a serial port and its thing, or things where they are `asked`. `longest_frame` in bytes."""
        now = self._clock.monotonic()
        healing = Healing(self._config.pause_s)
        self._ports[source.name] = PortWatch(source, longest_frame, asked, healing, now, now)

    async def run(self) -> None:
        """Go round until cancelled."""
        while True:
            await self._clock.sleep(ROUND_S)
            await self.round()

    async def round(self) -> None:
        """One round: the sources, and the things whose turn it is."""
        now = self._clock.monotonic()
        stalled, self._rounded = now - self._rounded > STALL_S, now
        if stalled or self._pipeline.state != "ok":
            self._floor = now
        self.refused.round(now)
        self.recent.round(self._stats.stages.dropped, now)
        self._meet(now)
        for broker in self._brokers.values():
            self._look(broker, now)
        for port in self._ports.values():
            port.look(now)
        for _ in range(0, min(VISITS_A_ROUND, len(self._things)), SLICE):
            now, now_ns = self._clock.monotonic(), self._clock.now_ns()
            for thing in islice(self._things, self._next, self._next + SLICE):
                self._visit(thing, now, now_ns)
            self._next += SLICE
            if self._next >= len(self._things):
                self._next = 0
                for broker in self._brokers.values():
                    broker.end_turn()
            await self._clock.sleep(0)
        self.faults.end_round()

    def _meet(self, now: float) -> None:
        """Things that were seen for the first time since the last round."""
        if self._stats.parted != self._parted:
            self._part()
        devices = self._stats.devices
        if len(devices) == len(self._things):
            return
        for stats in islice(devices.values(), len(self._things), None):
            thing = Thing(stats, now - ROUND_S)
            self._things.append(thing)
            broker = self._brokers.get(stats.source)
            if broker is not None:
                broker.known += 1
                broker.type_of(thing).known += 1

    def _part(self) -> None:
        """Forget the things that have lost their places."""
        self._parted = self._stats.parted
        for thing in self._things:
            if not thing.stats.gone:
                continue
            self.silent -= thing.stats.silent
            broker = self._brokers.get(thing.stats.source)
            if broker is not None:
                broker.parted(thing)
            self.faults.forget(thing)
        self._things = [thing for thing in self._things if not thing.stats.gone]
        self._next = 0

    def _look(self, broker: BrokerWatch, now: float) -> None:
        broker.look(now)
        if self._floor == now:
            broker.floor = now
            return
        self._broker_fault(broker, broker.judge(now), now)
        if self._config.heal:
            done = broker.heal(now)
            if done is not None:
                self.healed[done] += 1
            for device in broker.heal_types(now):
                self.healed["resubscribe"] += 1
                name = broker.source.name
                text = f"every {device} is silent while others speak: {AGAIN}"
                self.faults.say(name, Layer.SUBSCRIPTION, f"{name}: no {device}", text)

    def _broker_fault(self, broker: BrokerWatch, fault: Fault | None, now: float) -> None:
        """Take over the fault of a connection, and say it where it is another one than before."""
        before, more = broker.fault, ""
        if fault is before:
            return
        broker.fault = fault
        if before is not None and before.layer is Layer.FLOW:
            broker.healing.end(now)
        if fault is None:
            broker.floor = now  # its things have their time to come back
        elif fault.layer is Layer.FLOW:
            broker.healing.begin(now, fault.since)
            more = f"; {AGAIN}, then connecting anew" if self._config.heal else ""
        self.faults.source(broker.source.name, before, fault, more, now)

    def _visit(self, thing: Thing, now: float, now_ns: int) -> None:
        stats = thing.stats
        broker = self._brokers.get(stats.source)
        if stats.signs != thing.readings:
            floor = broker.floor if broker is not None else 0.0
            thing.spoke(now, now_ns, max(floor, self._floor))
            self.refused.heard(thing)
            if stats.silent:
                self._returned(thing, broker, now)
        elif stats.sanity_errors != thing.sanity or stats.integrity_errors != thing.integrity:
            self.refused.failed(thing, now, self._config.factor * thing.expected_s)
        thing.visited = now
        if broker is not None:
            if now <= thing.due_at < math.inf:
                broker.turn.punctual += 1
                return
            broker.count(thing, now)
            limit = broker.limit(thing.expected_s)
            if now - max(thing.heard, broker.floor, self._floor) > limit:
                self._overdue(thing, broker, now, limit)
        else:
            self._visit_port(thing, now)

    def _overdue(self, thing: Thing, broker: BrokerWatch, now: float, limit: float) -> None:
        """A thing behind a broker is silent: is it the thing's own fault or the connection's?"""
        self._mark_silent(thing)
        floor = max(broker.floor, self._floor)
        if thing.fault is not None:
            if now - thing.fault.told <= limit or not thing.misread:
                return
        elif broker.trouble is Layer.CONNECTION or (broker.trouble and broker.refuses(thing.stats.device)):
            return  # said for the broker
        if thing.misread:
            untrue = thing.stats.sanity_errors - thing.sanity
            words = f"{untrue} messages came that cannot be read; see `parkgate spool quarantine`"
            broker.returned(thing, now)
            self.faults.thing(thing, Layer.SANITY, words, now, floor)
        elif broker.others_spoke(thing):
            self.faults.thing(thing, Layer.DEVICE, "others on the same broker speak", now, floor)
            broker.silenced(thing, now)
        elif broker.fault is None and broker.trouble is None:
            self._broker_fault(broker, broker.suspect(now, thing.expected_s), now)

    def _visit_port(self, thing: Thing, now: float) -> None:
        """The thing on a serial port: which layer is silent, and is it time to reopen?"""
        port = self._ports.get(thing.stats.source)
        if port is None:
            return
        fault = thing.fault
        config = self._config
        if not port.open:
            if now - max(port.closed_since, self._floor) > config.min_silence_s:
                self._mark_silent(thing)
                if fault is None or fault.layer is not Layer.PORT:
                    state = self._stats.source(thing.stats.source).state
                    self.faults.thing(thing, Layer.PORT, state, now, port.closed_since)
            return
        if fault is not None and fault.layer is Layer.PORT:
            self.faults.well(thing, "its port is there again", now)
            fault = None
        limit = max(config.factor * thing.expected_s, config.min_silence_s)
        if now - max(thing.heard, port.floor, self._floor) > limit:
            self._mark_silent(thing)
            if fault is None or now - fault.told > limit:
                layer, words = port.layer(thing, now, limit)
                if fault is None or fault.layer is not layer:
                    self.faults.thing(thing, layer, words, now, max(port.floor, self._floor))
                    began = layer in REOPENED and (fault is None or fault.layer not in REOPENED)
                    if began and thing.stats.port is None:
                        port.healing.begin(now, thing.heard)
        reopens = thing.fault is not None and thing.fault.layer in REOPENED and port.reopens(thing, now, limit)
        if config.heal and thing.fault is not None and reopens and port.healing.due(now):
            port.healing.tried(now, 2 * thing.expected_s)
            self.healed["reopen"] += 1
            words = REOPENED[thing.fault.layer]
            port.source.reopen(f"{words} for {duration(now - thing.fault.since)}: opening the port again")

    def _mark_silent(self, thing: Thing) -> None:
        if not thing.stats.silent:
            thing.stats.silent = True
            self.silent += 1

    def _returned(self, thing: Thing, broker: BrokerWatch | None, now: float) -> None:
        """A thing that was silent speaks."""
        if broker is not None:
            broker.returned(thing, now)
        thing.stats.silent = False
        self.silent -= 1
        port = self._ports.get(thing.stats.source)
        if port is not None:
            port.healing.end(now)
        self.faults.well(thing, "speaks again", now)

    def problems(self) -> list[str]:
        """A few lines and a total for `/healthz`; what a source's own state says is left to it."""
        refused = self.refused.problems(self._clock.monotonic(), self._clock.now_ns())
        return self.recent.problems() + refused + self.faults.problems(self.silent, self.refused.named())
