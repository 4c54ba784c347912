"""A Sparkplug B edge node, or a device behind one, as a broker sees it.

`spBv1.0/<group>/NDATA/<node>` as its topic is a node, `spBv1.0/<group>/DDATA/<node>/<device>` a device of a node of
its own. On every connection a new session (`bdSeq`): NDEATH as the last will, then NBIRTH, and DBIRTH of the device;
before an orderly end the same NDEATH. Numbers begin at 0 with each NBIRTH and go round at 256. Asked for a rebirth it
says its births again; the quantity that carries the audit has no value in them. Things of even seeds give their metrics
aliases and send those alone, the others send names.

Source: Eclipse Sparkplug 3.0.0, chapters 5 and 6.
"""

from collections.abc import Mapping
from typing import Any

from devices.sparkplug_b import Place, aliased, aliases_of, birth, death, place
from devices.spec.command import MessageCommand, To
from devices.spec.events import Reading, Value
from simulators.peer import Epoch, Frame, Instrument, Series

MODULO = 256


class Node(Instrument):
    """The node, and its device where it has one."""

    def __init__(self, *args: Any, seed: int = 0, **settings: Any) -> None:
        super().__init__(*args, seed=seed, **settings)
        self.where = place(self.topic) or Place("", "parkgate", "NDATA", self.thing or "node")
        self.topic = self.where.topic("DDATA" if self.where.device else "NDATA", self.where.device)
        self.session = 0
        self._seq = 0
        self._epoch = self._of_group(self._epoch)
        (first,) = self._epoch(0.0)
        self._void = frozenset(part.field for part in self.device.sequence.parts)
        self._numbers = aliases_of(first) if seed % 2 == 0 else {}
        self._now_s = 0.0

    def _of_group(self, epoch: Epoch) -> Epoch:
        """The same readings with the tag of the group, which a gateway reads in the topic."""

        def at(moment: float) -> list[Reading]:
            readings = epoch(moment)
            for each in readings:
                each.tags = {**each.tags, "group_id": self.where.group}
            return readings

        return at

    def presence(self, word: str, now_s: float) -> Frame | None:
        """The birth of the node, or its death; each connection, which begins with the last will, is a new session."""
        self._now_s = now_s
        if word == "ONLINE":
            return self._birth()
        if word == "CONNECTION_BROKEN":
            self.session += 1
        return Frame(death(self.session, round(now_s * 1e3)), topic=self.where.topic("NDEATH"))

    def births(self) -> list[Frame]:
        return [self._device_birth()] if self.where.device else []

    def do(self, command: MessageCommand, arguments: Mapping[str, Value], to: To) -> list[Frame]:
        """Rebirth is all that it can be told."""
        del command, arguments
        self._now_s = to.now_ns / 1e9
        return [self._birth(), *self.births()]

    def _birth(self) -> Frame:
        self._seq = 0
        said = Reading({}, self._time_ns) if self.where.device else self._true()
        data = self._of(said, self.session)
        return Frame(data, topic=self.where.topic("NBIRTH"))

    def _device_birth(self) -> Frame:
        return Frame(self._of(self._true(), None), topic=self.where.topic("DBIRTH", self.where.device))

    def _of(self, said: Reading, session: int | None) -> bytes:
        aliases = bool(self._numbers)
        return birth(said, session=session, seq=self._next(), with_aliases=aliases, void=self._void)

    @property
    def _time_ns(self) -> int:
        return round(self._now_s * 1e3) * 1_000_000

    def _true(self) -> Reading:
        (reading,) = self._epoch(self._now_s)
        reading.time_ns = self._time_ns
        return reading

    def _next(self) -> int:
        seq = self._seq
        self._seq = (seq + 1) % MODULO
        return seq

    def _frame(self, reading: Reading, series: Series, number: int) -> Frame:
        reading.fields["seq"] = self._next()
        frame = super()._frame(reading, series, number)
        return frame._replace(data=aliased(frame.data, self._numbers)) if self._numbers else frame
