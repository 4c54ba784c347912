"""What a serial port brings: decoded, and handed to the things that it came from.

Usually a port has one thing, and all is that thing's. Of a type that is `shared` each reading (and each
`Empty`) may name a thing of its own, `1-1`; it is stored as the port's thing and that, `mast-1-1`, with
counters of its own. What names none, and all that is broken, is the port's: it cannot be known whose it was.
"""

from collections.abc import Callable

from devices.spec.device import StreamDevice
from devices.spec.events import Empty, Event, Reading, SanityError
from gateway.config import SerialConfig
from gateway.decode.fault import DecoderFaults, Fault
from gateway.decode.lane import Lane, apart
from gateway.decode.names import clean_tag
from gateway.pipeline import Pipeline

Bytes = bytes
"""The type, where the method of that name hides it."""

MAX_THINGS = 64
"""Things of one port, beside its own. Readings of further ones are refused."""


class PortIntake:
    """What one serial port brings: implements `BytesIntake`. `stats` are those of the port's own thing."""

    def __init__(self, pipeline: Pipeline, config: SerialConfig, device: StreamDevice, name: str) -> None:
        self._pipeline = pipeline
        self._config = config
        self._device = device
        self._name = name
        self._decoder = device.join()
        self._faults = DecoderFaults(name)
        self._own = Lane(pipeline, config, device, name, clean_tag(config.thing))
        self._lanes: dict[str, Lane] = {}
        self._take: Callable[[list[Event], Bytes], int] = self._take_apart if device.shared else self._own.take
        self.stats = self._own.stats

    def bytes(self, data: Bytes) -> int:
        """Decode what was read; the number of frames in it that came whole."""
        self._pipeline.stages.received += 1
        try:
            events = self._decoder.feed(data)
        except Exception as fault:  # noqa: BLE001  # see DecoderFaults
            return self._failed(fault, data)
        return self._take(events, data)

    def closed(self) -> None:
        """The port went away: what is left of a frame is noise, and the next byte starts anew."""
        try:
            events = self._decoder.flush()
        except Exception as fault:  # noqa: BLE001  # see DecoderFaults
            self._failed(fault, b"")
            return
        self._take(events, b"")
        self._decoder = self._device.join()

    def listen(self, hear: Callable[[list[Event]], None] | None) -> None:
        """Have `hear` told the events of each read, before they are stored; None ends it. Free of cost without."""
        own: Callable[[list[Event], Bytes], int] = self._take_apart if self._device.shared else self._own.take

        def heard(events: list[Event], data: Bytes) -> int:
            assert hear is not None
            hear(events)
            return own(events, data)

        self._take = own if hear is None else heard

    def named(self, thing: str) -> str | None:
        """What the thing of that name calls itself: nothing where it is the port's own; None where it is none here."""
        if thing == self.stats.thing:
            return ""
        return next((said for said, lane in self._lanes.items() if lane.stats.thing == thing), None)

    def _failed(self, fault: Exception, data: Bytes) -> int:
        """The decoder could not take `data`: another one begins behind it. No frame of it came whole."""
        self._decoder = self._device.join()
        self._take([self._faults.told(self._device.name, fault, data)], data)
        return 0

    def _take_apart(self, events: list[Event], data: Bytes) -> int:
        """Hand each thing what it said; the port keeps what is nobody's."""
        said: dict[Lane, list[Event]] = {}
        faults: list[Fault] = []
        gaps: list[list[Fault]] = []
        for event in events:
            if not isinstance(event, Reading | Empty):
                faults.append(event)
                continue
            if faults:
                gaps.append(faults)
                faults = []
            lane = self._lane(event.thing)
            if lane is not None:
                said.setdefault(lane, []).append(event)
            else:
                limit = f"thing limit: {MAX_THINGS} things on this port already; {event.thing!r:.100} is one more"
                gaps.append([SanityError(limit, b"" if isinstance(event, Reading) else event.data)])
        if faults:
            gaps.append(faults)
        own = self._own
        whole = sum(own.take([*gap], b"") for gap in apart(gaps))
        for lane, events_of_it in said.items():
            whole += lane.take(events_of_it, data)
            if lane is not own:
                own.stats.others += len(events_of_it)
                own.stats.last_seen_ns = max(own.stats.last_seen_ns, lane.stats.last_seen_ns)
        return whole

    def _lane(self, thing: str | None) -> Lane | None:
        """The lane of a thing; made on first sight, None beyond MAX_THINGS."""
        if not thing:
            return self._own
        lane = self._lanes.get(thing)
        if lane is None and len(self._lanes) < MAX_THINGS:
            name = clean_tag(f"{self._config.thing}-{thing}" if self._config.thing else thing)
            lane = self._lanes[thing] = Lane(self._pipeline, self._config, self._device, self._name, name)
            lane.stats.port = self.stats
        return lane
