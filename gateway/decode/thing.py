"""What a thing on a polled line answers: stamped, counted, put into the open intake.

The answers of a round of questions are one reading, with the time at which the first of them came.
What is refused, broken or astray goes to the quarantine at once.
"""

from devices.spec.device import PolledDevice
from devices.spec.events import Empty, Event, Reading, SanityError
from devices.spec.polled import together
from gateway.config import ThingConfig
from gateway.decode.fault import NOTHING_STORABLE, DecoderFaults, count_fault
from gateway.decode.look import look_read
from gateway.decode.names import clean_tag
from gateway.decode.point import Series
from gateway.pipeline import MAX_KEPT, Pipeline
from gateway.stats import asked_stats


class ThingIntake:
    """One thing of the source `name`: implements `AnswerIntake`."""

    def __init__(self, pipeline: Pipeline, config: ThingConfig, device: PolledDevice, name: str) -> None:
        self._pipeline = pipeline
        self._device = device
        self._thing = clean_tag(config.thing)
        self._name = name
        self._faults = DecoderFaults(name)
        self.stats = pipeline.stats.devices[(name, self._thing)] = asked_stats(name, device, config, self._thing)
        words = {**config.tags, "thing": self._thing}
        self._series = Series(device.measurement, words, declared=True, counts=self.stats)
        self._readings: list[Reading] = []
        self._answers: list[Event] = []
        self._data = b""
        self._first_ns = 0

    def events(self, events: list[Event], data: bytes) -> None:
        """Take the events of an answer, or of what came astray, whose bytes are `data`."""
        pipeline, stats = self._pipeline, self.stats
        pipeline.stages.received += 1
        read = False
        for event in events:
            if isinstance(event, Reading):
                if not self._readings:
                    self._first_ns = pipeline.clock.now_ns()
                self._readings.append(event)
                read = True
            elif isinstance(event, Empty):
                stats.empty += 1
                stats.last_seen_ns = pipeline.clock.now_ns()
            else:
                count_fault(stats, event)
                pipeline.quarantine(self._name, self._device.name, self._thing, event)
        if pipeline.tee.lookers:
            if read:
                self._answers += events
                self._data += data
            else:
                look_read(pipeline, self._name, self._device.name, self._thing, data, events, 0)

    def failed(self, fault: Exception, data: bytes) -> None:
        """The device type's own code could not take `data`, or make a question."""
        self.events([self._faults.told(self._device.name, fault, data)], data)

    def unanswered(self) -> None:
        """A question was asked in vain."""
        self.stats.unanswered += 1

    def over(self) -> None:
        """The round is over: store what was answered in it."""
        if not self._readings:
            return
        pipeline, stats = self._pipeline, self.stats
        reading = together(self._readings)
        line = self._series.line(reading.fields, None, self._first_ns)
        if reading.field_errors:
            stats.field_errors += len(reading.field_errors)
            stats.last_error = reading.field_errors[0]
        stats.last_seen_ns = self._first_ns
        if line is None and reading.fields:
            nothing = SanityError(NOTHING_STORABLE, repr(reading.fields).encode()[:MAX_KEPT])
            count_fault(stats, nothing)
            pipeline.quarantine(self._name, self._device.name, self._thing, nothing)
        elif line is None:
            stats.empty += 1
        if pipeline.tee.lookers:
            points = 0 if line is None else 1
            look_read(pipeline, self._name, self._device.name, self._thing, self._data, self._answers, points)
        if line is not None:
            stats.readings += 1
            pipeline.stages.decoded += 1
            pipeline.drop(self._thing, [line])
        self._readings, self._answers, self._data = [], [], b""
