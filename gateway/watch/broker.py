"""One broker under watch: is it connected, subscribed, flowing; and the order in which it is healed.

    no connection ---------------> `connection`     the source connects again by itself
    a filter is refused ---------> `subscription`   the source asks again by itself
    connected, subscribed, but
      nothing came since a thing
      was due and overdue -------> `flow`           resubscribe, reconnect, reconnect, ...
    others spoke since then -----> that thing's own fault, nothing is done to the connection
      all things of one type ----> `subscription`   resubscribe, never reconnect

A device that is off must not cost those that speak: reconnecting needs a second witness, which
is another thing that became due after the last message of the broker and did not come either,
or that nobody is left who could still be on time. Until then the subscriptions are asked for
again at most. Pauses double (see `Healing`).

Over MQTT 3.1.1 a resubscription brings every retained message again; there it is only done when
nothing flows at all.
"""

import math
from dataclasses import dataclass, field
from typing import Protocol

from gateway.config import MqttConfig, WatchdogConfig
from gateway.routes import topic_filter
from gateway.stats import SourceStats
from gateway.watch.thing import DUE, VISIT_S, Fault, Healing, Layer, Thing


class BrokerSource(Protocol):
    """An MQTT source as the watchdog sees it."""

    @property
    def name(self) -> str: ...
    @property
    def subscribed(self) -> bool: ...
    @property
    def refused(self) -> dict[str, str]: ...
    @property
    def last_message_monotonic(self) -> float | None: ...
    def resubscribe(self) -> None: ...
    def reconnect(self, reason: str) -> None: ...


@dataclass(slots=True)
class Type:
    """The things of one device type behind one broker."""

    healing: Healing
    known: int = 0
    silent: int = 0


@dataclass(slots=True)
class Turn:
    """What one turn through all things found: witnesses were due after the broker's last
    message and did not come; punctual things may still be on time."""

    witnesses: int = 0
    punctual: int = 0

    @property
    def agrees(self) -> bool:
        """Whether a connection may be given up: one thing more was missed, or nobody is left who could be on time."""
        return self.witnesses > 1 or not self.punctual


@dataclass(slots=True)
class BrokerWatch:
    """What is remembered of one broker. Times by `clock.monotonic`."""

    source: BrokerSource
    config: MqttConfig
    stats: SourceStats
    rules: WatchdogConfig
    connected_since: float
    floor: float
    """Nobody is judged by a silence from before this."""
    healing: Healing
    heard: float = -math.inf
    fault: Fault | None = None
    slowest_s: float = 0.0  # expected interval of the thing that was missed first
    trouble: Layer | None = None
    trouble_since: float = 0.0
    connects: int = 0
    known: int = 0
    types: dict[str, Type] = field(default_factory=dict)
    turn: Turn = field(default_factory=Turn)
    last_turn: Turn = field(default_factory=Turn)

    def type_of(self, thing: Thing) -> Type:
        name = thing.stats.device
        found = self.types.get(name)
        if found is None:
            found = self.types[name] = Type(Healing(self.rules.pause_s))
        return found

    def limit(self, expected_s: float) -> float:
        return max(self.rules.factor * expected_s, self.rules.min_silence_s)

    def look(self, now: float) -> None:
        """Ask the source how it stands."""
        heard = self.source.last_message_monotonic
        if heard is not None:
            self.heard = heard
        if self.stats.connects != self.connects:
            self.connects = self.stats.connects
            if self.fault is None or self.fault.layer is not Layer.FLOW:
                self.connected_since = self.floor = now  # its things may take their time to come back
        trouble = None
        if not self.source.subscribed:
            trouble = Layer.SUBSCRIPTION if self.source.refused else Layer.CONNECTION
        if trouble is not self.trouble:
            self.trouble, self.trouble_since = trouble, now

    def refuses(self, device: str) -> bool:
        """Whether a subscription of this device type is refused."""
        refused = self.source.refused
        return any(each.device == device and topic_filter(each.topic) in refused for each in self.config.subscriptions)

    def judge(self, now: float) -> Fault | None:
        """The fault of the connection as a whole, from what `look` saw; None where there is none."""
        fault = self.fault
        if self.trouble is not None:
            if fault is not None and fault.layer is self.trouble:
                return fault
            if now - self.trouble_since < self.rules.min_silence_s:
                return fault
            if self.trouble is Layer.CONNECTION:
                return Fault(self.trouble, self.trouble_since, now, f"no connection to the broker: {self.stats.state}")
            words = "; ".join(f"{topic!r} {why}" for topic, why in self.source.refused.items())
            return Fault(self.trouble, self.trouble_since, now, f"connected, but subscriptions are refused: {words}")
        if fault is None:
            return self._nothing_yet(now)
        if fault.layer is Layer.FLOW and self.heard <= fault.since:
            return fault
        return None

    def _nothing_yet(self, now: float) -> Fault | None:
        """Where data was promised by the config and no thing was ever heard."""
        promised = [each.expected_every_s for each in self.config.subscriptions if each.expected_every_s]
        if self.known or self.heard > self.connected_since or not promised:
            return None
        expected = min(promised)
        return self.suspect(now, expected) if now - self.floor > self.limit(expected) else None

    def others_spoke(self, thing: Thing) -> bool:
        """Whether messages came after this thing was due: then the connection is good and the thing is silent."""
        return self.heard > max(thing.heard, self.connected_since) + DUE * thing.expected_s

    def suspect(self, now: float, expected_s: float) -> Fault:
        """Nothing flows: a thing expected every `expected_s` is overdue and nothing came since it was due."""
        self.slowest_s = expected_s
        since = max(self.heard, self.connected_since)
        return Fault(
            Layer.FLOW,
            since,
            now,
            f"connected and subscribed, but nothing comes for {now - since:.0f} s (a reading was due "
            f"every {expected_s:.3g} s)",
        )

    def count(self, thing: Thing, now: float) -> None:
        """Count one thing among the witnesses or the punctual of this turn."""
        if thing.fault is not None or thing.expected_s == math.inf:
            return
        if now - max(thing.heard, self.connected_since) <= DUE * thing.expected_s + VISIT_S:
            self.turn.punctual += 1
        elif thing.heard + thing.expected_s > self.heard or thing.heard < self.connected_since:
            self.turn.witnesses += 1

    def end_turn(self) -> None:
        self.last_turn, self.turn = self.turn, Turn()

    def heal(self, now: float) -> str | None:
        """Do what is due now against a connection that brings nothing; what was done, for counting."""
        fault = self.fault
        if fault is None or fault.layer is not Layer.FLOW or self.trouble is not None or not self.healing.due(now):
            return None
        first = self.healing.steps == 0
        self.healing.tried(now, 2 * self.slowest_s)
        if first or not self.last_turn.agrees:
            self.source.resubscribe()
            return "resubscribe"
        self.source.reconnect(f"connected and subscribed, but nothing came for {now - fault.since:.0f} s")
        return "reconnect"

    def heal_types(self, now: float) -> list[str]:
        """Subscribe again where every thing of a type is silent while others speak; the types' names."""
        if self.fault is not None or self.trouble is not None or self.config.protocol != "5":
            return []
        due = [
            (name, kind)
            for name, kind in self.types.items()
            if kind.known > 1 and kind.silent == kind.known and kind.healing.due(now)
        ]
        for _, kind in due:
            kind.healing.tried(now, 0.0)
        if due:
            self.source.resubscribe()
        return [name for name, _ in due]

    def silenced(self, thing: Thing, now: float) -> None:
        """A thing was found silent while others speak."""
        kind = self.type_of(thing)
        kind.silent += 1
        if kind.silent == kind.known and kind.known > 1:
            kind.healing.begin(now, thing.heard)

    def parted(self, thing: Thing) -> None:
        """A thing has lost its place."""
        kind = self.type_of(thing)
        self.known -= 1
        kind.known -= 1
        if thing.fault is not None and thing.fault.layer is Layer.DEVICE:
            kind.silent -= 1

    def returned(self, thing: Thing, now: float) -> None:
        """A thing is no longer silent by a fault of its own, if it was."""
        if thing.fault is None or thing.fault.layer is not Layer.DEVICE:
            return
        kind = self.type_of(thing)
        if kind.silent == kind.known and kind.known > 1:
            kind.healing.end(now)
        kind.silent -= 1
