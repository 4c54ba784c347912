"""What the watchdog has found, said once per change: log line, event point, lines for `/healthz`.

Event: measurement `gateway_event`, tags gateway, thing (a source's name for a source), layer;
fields title, text. Of the things at most TOLD_A_ROUND changes are said one by one in a round;
the rest in one sum per layer.
"""

import logging
import math
from collections import Counter
from collections.abc import Set as AbstractSet
from itertools import islice

from gateway.clock import Clock
from gateway.decode import Series
from gateway.pipeline import Pipeline
from gateway.watch.thing import Fault, Layer, Thing

log = logging.getLogger("parkgate.watchdog")

TOLD_A_ROUND = 20
PROBLEMS = 5
"""Silent things named in `/healthz`; the rest is a number."""

SAID_BY_SOURCE = (Layer.CONNECTION, Layer.SUBSCRIPTION, Layer.PORT)
"""What the state of a source says already."""

SPEAK, SILENT = "speak again", "are silent"


def duration(seconds: float) -> str:
    """For people: 45 s, 12 min, 3.5 h."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


class Faults:
    """The open faults, by (source, thing); the thing is empty for a source as a whole."""

    def __init__(self, gateway: str, pipeline: Pipeline, clock: Clock) -> None:
        self.open: dict[tuple[str, str], Fault] = {}
        self.events = 0
        self._gateway = gateway
        self._pipeline = pipeline
        self._clock = clock
        self._told = 0
        self._untold: Counter[tuple[Layer, str]] = Counter()

    def source(self, name: str, before: Fault | None, fault: Fault | None, more: str, now: float) -> None:
        """A source as a whole has another fault than before, or none any more."""
        if fault is not None:
            self.open[name, ""] = fault
            self.say(name, fault.layer, f"{name} is silent", fault.text + more)
        elif before is not None:
            del self.open[name, ""]
            word = "data flows again" if before.layer is Layer.FLOW else "connected and subscribed again"
            self.say(name, before.layer, f"{name}: {word}", f"after {duration(now - before.since)}", well=True)

    def thing(self, thing: Thing, layer: Layer, words: str, now: float, floor: float) -> None:
        """A thing is silent, or silent in another layer than was said before.

        One that was never heard is silent since `floor`, from which on it could have been.
        """
        stats = thing.stats
        known = thing.heard > -math.inf
        since = thing.heard if known else floor
        heard = f"no reading {'for' if known else 'yet, in'} {duration(now - since)}"
        every = f" (expected every {thing.expected_s:.3g} s)" if thing.expected_s < math.inf else ""
        fault = Fault(layer, since, now, f"{heard}{every}; {words}")
        if thing.fault is not None:
            fault.since = thing.fault.since
        thing.fault = self.open[stats.source, stats.thing] = fault
        self._say_some(thing, f"{stats.thing} is silent", fault.text, SILENT)

    def well(self, thing: Thing, word: str, now: float) -> None:
        """What was said of a thing holds no longer."""
        fault, stats = thing.fault, thing.stats
        if fault is not None:
            self._say_some(thing, f"{stats.thing}: {word}", f"after {duration(now - fault.since)}", SPEAK)
            del self.open[stats.source, stats.thing]
            thing.fault = None

    def forget(self, thing: Thing) -> None:
        """Nothing is said of a thing any more."""
        if thing.fault is not None:
            del self.open[thing.stats.source, thing.stats.thing]
            thing.fault = None

    def end_round(self) -> None:
        """Say in sum what was too much to be said one by one."""
        for (layer, word), count in self._untold.items():
            self._write("", layer, f"{count} more things {word}", "see /healthz", word == SPEAK)
        self._untold.clear()
        self._told = 0

    def _say_some(self, thing: Thing, title: str, text: str, word: str) -> None:
        assert thing.fault is not None
        self._told += 1
        if self._told <= TOLD_A_ROUND:
            self.say(thing.stats.thing, thing.fault.layer, title, text, well=word == SPEAK)
        else:
            self.events += 1
            self._untold[thing.fault.layer, word] += 1

    def say(self, name: str, layer: Layer, title: str, text: str, *, well: bool = False) -> None:
        """One line in the log and one event point."""
        self.events += 1
        self._write(name, layer, title, text, well)

    def _write(self, name: str, layer: Layer, title: str, text: str, well: bool) -> None:
        log.log(logging.INFO if well else logging.WARNING, "%s [%s]: %s", title, layer, text)
        series = Series("gateway_event", {"gateway": self._gateway, "thing": name, "layer": layer})
        line = series.line({"title": title, "text": text}, None, self._clock.now_ns())
        if line is not None:
            self._pipeline.drop("gateway", [line])

    def words(self, source: str, thing: str) -> str:
        """What has been said of a thing that is silent, or else of its source."""
        fault = self.open.get((source, thing)) or self.open.get((source, ""))
        return "" if fault is None else fault.text

    def by_layer(self) -> dict[Layer, int]:
        """How many faults are open in each layer."""
        found = dict.fromkeys(Layer, 0)
        for fault in self.open.values():
            found[fault.layer] += 1
        return found

    def problems(self, silent: int, said: AbstractSet[tuple[str, str]] = frozenset()) -> list[str]:
        """For `/healthz`: sources that bring nothing, a few things, and the total of `silent` things.

        Left out are things (with their source) of which enough is `said` elsewhere.
        """
        flow = [
            f"{source}: {fault.text}"
            for (source, thing), fault in self.open.items()
            if not thing and fault.layer is Layer.FLOW
        ]
        things = (
            f"{thing} [{fault.layer}]: {fault.text}"
            for (source, thing), fault in self.open.items()
            if thing and fault.layer not in SAID_BY_SOURCE and (source, thing) not in said
        )
        few = list(islice(things, PROBLEMS))
        named = len(few) + sum(key in self.open for key in said)
        total = f"{silent} things are silent in all" if silent > 1 else "1 thing is silent"
        return flow + few + ([total] if silent > named else [])
