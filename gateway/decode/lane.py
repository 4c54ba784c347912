"""One thing on a serial port: what it says is stamped, counted, put into the open intake.

Everything here runs synchronously inside the source's callback; one reading becomes one line
of text and nothing is made per value.
"""

from collections.abc import Mapping

from devices.spec.device import Device, StreamDevice
from devices.spec.events import Empty, Event, Noise, Reading, SanityError
from gateway.config import SerialConfig
from gateway.decode.fault import AHEAD_NS, EARLIEST_NS, NOTHING_STORABLE, Fault, count_fault
from gateway.decode.look import look_read
from gateway.decode.names import clean_tag
from gateway.decode.point import Series
from gateway.pipeline import MAX_KEPT, Pipeline
from gateway.stats import device_stats

BEHIND_NS = 86_400_000_000_000
"""Of a clock that rolls over, a phenomenon time more than a day behind is not believed."""

FAST_S = 0.1
"""A device type with readings at least this often draws a curve: they are stamped evenly."""

MAX_GAPS = 3
"""Pieces of one read that the quarantine keeps one by one; more are one piece."""

MAX_TAG_SETS = 256
"""Tag sets of one thing: sentence types, talkers. Further ones are refused."""


def earliest_ns(device: Device, received_ns: int) -> int:
    """Before this a reading's own time is not believed."""
    rolls = isinstance(device, StreamDevice) and device.clock_rolls_over
    return received_ns - BEHIND_NS if rolls else EARLIEST_NS


def apart(gaps: list[list[Fault]]) -> list[list[Fault]]:
    """What came between the readings of one read, piece by piece; as one where that is much."""
    return [[fault for gap in gaps for fault in gap]] if len(gaps) > MAX_GAPS else gaps


class Lane:
    """The thing `thing` (cleaned) on the port of `config`, whose source is `name`.

    Where one read brings several readings (the timer of a USB converter, a busy loop), the last
    has the time of receipt and the earlier ones come before it: by the type's own interval where
    that is FAST_S or less, else by the time that their bytes took on the wire. Never as early as
    the read before: then they share what lies between.
    """

    def __init__(self, pipeline: Pipeline, config: SerialConfig, device: StreamDevice, name: str, thing: str) -> None:
        self._pipeline = pipeline
        self._config = config
        self._device = device
        self._name = name
        self._thing = thing
        self._byte_ns = 10_000_000_000 // (config.baud or device.serial.baud)
        self._fast_ns = round(device.expected_every_s * 1e9) if device.expected_every_s <= FAST_S else 0
        self._series: dict[tuple[tuple[str, str], ...], Series] = {}
        self.stats = device_stats(name, device, thing, config)
        # a field with the name of a tag is renamed, so its text cannot stand as the table writes it
        self._as_named = not {field.name for field in device.fields} & {*config.tags, "thing"}
        self._plain = self._line({})
        pipeline.stats.devices[(name, thing)] = self.stats

    def take(self, events: list[Event], data: bytes) -> int:
        """Store the events of a read that brought `data`; the number of frames in it that came whole."""
        pipeline, stats = self._pipeline, self.stats
        lines = []
        faults: list[Fault] = []
        gaps: list[list[Fault]] = []
        stamp_ns = received_ns = pipeline.clock.now_ns()
        earliest = earliest_ns(self._device, received_ns)
        step_ns = empty = 0
        if len(events) > 1:
            count = [event.__class__ for event in events].count(Reading)
            if count > 1:
                step_ns = self._step_ns(count, len(data), received_ns)
                stamp_ns -= step_ns * (count - 1)
        for event in events:
            if isinstance(event, Reading):
                if faults:
                    gaps.append(faults)
                    faults = []
                result_ns = stamp_ns
                stamp_ns += step_ns
                time_ns = event.time_ns
                if time_ns is not None and not earliest <= time_ns <= received_ns + AHEAD_NS:
                    time_ns = None
                    stats.clock_errors += 1
                series = self._line(event.tags) if event.tags else self._plain
                if series is None:
                    limit = f"series limit: {MAX_TAG_SETS} tag sets already; {event.tags}"[:200]
                    gaps.append([SanityError(limit, b"")])
                    continue
                if event.field_errors:
                    stats.field_errors += len(event.field_errors)
                    stats.last_error = event.field_errors[0]
                line = series.line(event.fields, time_ns, result_ns, event.text if self._as_named else None)
                if line is not None:
                    lines.append(line)
                elif event.fields:
                    gaps.append([SanityError(NOTHING_STORABLE, repr(event.fields).encode()[:MAX_KEPT])])
                else:
                    empty += 1
            elif isinstance(event, Empty):
                empty += 1
            else:
                faults.append(event)
        if faults:
            gaps.append(faults)
        whole = len(lines) + empty + sum(self._keep(gap) for gap in apart(gaps))
        if pipeline.tee.lookers:
            look_read(pipeline, self._name, self._device.name, self._thing, data, events, len(lines))
        if lines:
            stats.readings += len(lines)
            stats.last_seen_ns = received_ns
            pipeline.stages.decoded += len(lines)
            pipeline.drop(self._thing, lines)
        if empty:
            stats.empty += empty
            stats.last_seen_ns = received_ns
        return whole

    def _step_ns(self, count: int, size: int, received_ns: int) -> int:
        """From one to the next of `count` readings that came in one read; 0 where the clock went back."""
        usual_ns = self._fast_ns or size * self._byte_ns // count
        return max(0, min(usual_ns, (received_ns - self.stats.last_seen_ns) // count))

    def _keep(self, faults: list[Fault]) -> int:
        """Count what came between two readings, and keep it as one piece: a broken frame and its rest.

        On a fast and bad line, all that came between the readings of one read. The number of frames among it
        that held their check: frames, whatever they say.
        """
        for fault in faults:
            count_fault(self.stats, fault)
        kept: Fault = faults[0]
        if len(faults) > 1:
            data = b"".join([fault.data for fault in faults])
            broken = [fault for fault in faults if not isinstance(fault, Noise)]
            more = f"; and {len(faults) - 8} more" if len(faults) > 8 else ""
            kept = (
                broken[0].__class__("; then ".join([fault.detail for fault in faults[:8]]) + more, data)
                if broken
                else Noise(data)
            )
        self._pipeline.quarantine(self._name, self._device.name, self._thing, kept)
        return sum(isinstance(fault, SanityError) for fault in faults) if self._device.checked else 0

    def _line(self, tags: Mapping[str, str]) -> Series | None:
        """The series of a tag set; made on first sight, None beyond MAX_TAG_SETS."""
        key = tuple(tags.items())
        series = self._series.get(key)
        if series is None and len(self._series) < MAX_TAG_SETS:
            words = {name: clean_tag(value) for name, value in tags.items()}
            words |= {**self._config.tags, "thing": self._thing}
            series = self._series[key] = Series(self._device.measurement, words, declared=True, counts=self.stats)
        return series
