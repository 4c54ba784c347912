"""The last values of each thing, kept only while somebody asks for them.

The first question begins to look (`tee`), and what passes from then on is remembered by field, until
KEEP_S after the last question; MOST_THINGS things and MOST_FIELDS fields of each at most.
"""

from collections.abc import Mapping
from typing import NamedTuple

from devices.spec.events import Reading, Value
from gateway.clock import Clock
from gateway.decode import clean_tag
from gateway.tee import Passed, Seen, Tee

KEEP_S = 60.0
MOST_THINGS = 10_000
MOST_FIELDS = 200


class Values(NamedTuple):
    """`time_ns` is when the last of the values was received."""

    time_ns: int
    fields: dict[str, Value]


class Latest:
    """An onlooker that looks while it is asked."""

    def __init__(self, tee: Tee, clock: Clock) -> None:
        self._tee = tee
        self._clock = clock
        self._until: float | None = None
        self._values: dict[tuple[str, str], Values] = {}

    def asked(self) -> Mapping[tuple[str, str], Values]:
        """By source and thing, what has come since the first question of late."""
        if self._until is None:
            self._tee.add(self)
        self._until = self._clock.monotonic() + KEEP_S
        return self._values

    def see(self, seen: Seen) -> None:
        if self._until is not None and self._clock.monotonic() > self._until:
            self._until = None
            self._values.clear()
            self._tee.remove(self)
            return
        if isinstance(seen, Passed):
            for event in seen.events:
                if isinstance(event, Reading) and event.fields:
                    self._note(seen, event)

    def _note(self, passed: Passed, reading: Reading) -> None:
        things = passed.things
        thing = things[0] if len(things) == 1 else clean_tag(reading.thing or "")
        key = (passed.source, thing)
        before = self._values.get(key)
        if before is None and len(self._values) >= MOST_THINGS:
            return
        fields = {**before.fields, **reading.fields} if before is not None else dict(reading.fields)
        if len(fields) > MOST_FIELDS:
            fields = dict(reading.fields)
        self._values[key] = Values(passed.time_ns, fields)
