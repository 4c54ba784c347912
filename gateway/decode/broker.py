"""What a broker brings: decoded, stamped, counted, put into the open intake.

Everything here runs synchronously inside the source's callback; one reading becomes one line
of text and nothing is made per value. A topic name is resolved once: its route, series and
counters are then found by one dictionary look-up. All tables are bounded by `max_things`.

A redelivered QoS 1 message (DUP set, same packet identifier, same checksum of topic name and
payload as the last one taken under that identifier) is acknowledged and not stored again; the
spool remembers identifiers and checksums with the commit itself, so this holds after a crash.
What the broker is known to have heard the acknowledgement of is forgotten: a sensor that says
the same again under the same identifier says something new.
"""

import logging
from zlib import crc32

from devices.spec.device import MessageDevice
from devices.spec.events import Empty, Noise, Reading, SanityError
from gateway.config import MqttConfig
from gateway.decode.fault import AHEAD_NS, NOTHING_STORABLE, Fault, count_fault
from gateway.decode.look import REDELIVERED, RETAINED, look_message
from gateway.decode.point import FieldLimit, Series, clean_tag
from gateway.decode.subscription import Subscription
from gateway.intake import Acknowledger, Intake
from gateway.pipeline import MAX_KEPT, MAX_PENDING, Pipeline
from gateway.stats import DeviceStats, device_stats
from gateway.tee import Kept

log = logging.getLogger("parkgate.decode")

EARLIEST_NS = 946_684_800_000_000_000
"""2000-01-01: before this a device's clock was never set."""

MAX_REMEMBERED_TOPIC = 512
"""Characters of a topic name that is resolved once; a longer one is resolved every time."""

MAX_DOUBTS = 10
"""Undecodable messages of unknown things that are also logged, by broker; the quarantine has all."""

DECODER_FAULTS = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RecursionError)
"""What a faulty decoder could raise. It promises not to; if it does, that message alone suffers."""


class _Route:
    """What one topic name leads to. `series` and `stats` are set once the thing is known."""

    __slots__ = ("checksum", "decode", "series", "stats", "subscription", "thing")

    def __init__(self, subscription: Subscription, thing: str, checksum: int) -> None:
        self.subscription = subscription
        self.decode = subscription.device.decode
        self.thing = thing
        self.checksum = checksum
        self.series: Series | None = None
        self.stats: DeviceStats | None = None


_Key = tuple[str, str, tuple[tuple[str, str], ...]]


class BrokerIntake:
    """What one broker brings: implements `MessageIntake`. Bounded by `max_things` series."""

    def __init__(self, pipeline: Pipeline, config: MqttConfig, subscriptions: list[Subscription], name: str) -> None:
        self._pipeline = pipeline
        self._config = config
        self._subscriptions = subscriptions
        self._name = name
        self._routes: dict[str, _Route] = {}
        self._series: dict[_Key, tuple[Series, DeviceStats]] = {}
        self._session = config.session
        self._taken = pipeline.spool.taken(self._session)
        self._open: Intake | None = None
        self._connection: Acknowledger | None = None
        self._open_taken: list[int] = []
        self._open_acks: list[int] = []
        self._doubts = 0

    def message(
        self,
        connection: Acknowledger,
        topic: str,
        payload: bytes,
        packet_id: int | None,
        duplicate: bool,
        retained: bool = False,
    ) -> None:
        """Take one PUBLISH. It is acknowledged after the commit that holds it."""
        pipeline = self._pipeline
        pipeline.stages.received += 1
        start = len(pipeline.intake.lines)
        if start >= pipeline.intake.next_mark:
            pipeline.intake.mark()
        route = self._routes.get(topic)
        if route is None:
            route = self._route(topic)
        if packet_id is not None:
            checksum = crc32(payload, route.checksum if route is not None else 0)
            if self._owe(connection, packet_id, checksum, duplicate):
                if pipeline.tee.lookers:
                    look_message(pipeline, self._name, None, "", topic, payload, (), None, REDELIVERED)
                return
        if route is None:
            self._refuse("", "", f"no subscription matches topic {topic[:200]!r}", payload)
            if pipeline.tee.lookers:
                look_message(pipeline, self._name, None, "", topic, payload)
            return
        received_ns = pipeline.clock.now_ns()
        try:
            events = route.decode(topic, payload, received_ns)
        except DECODER_FAULTS as fault:
            log.error("decoder %s failed on a message of %s: %r", route.subscription.device.name, topic[:200], fault)
            events = [SanityError(f"decoder failed: {fault!r}", payload)]
        faults: list[Fault] = []
        kept: tuple[Kept, ...] = ()
        for event in events:
            if isinstance(event, Empty):
                self._nothing(route, received_ns)
            elif not isinstance(event, Reading):
                faults.append(event)
            elif retained and event.time_ns is None:
                # an old value: to store it under the present time would be to make it up
                pipeline.stages.retained += 1
                kept = (RETAINED,)
            else:
                self._reading(route, event, received_ns)
        if faults:
            self._keep(route, topic, faults)
        if pipeline.tee.lookers:
            look_message(pipeline, self._name, route.subscription, route.thing, topic, payload, events, start, *kept)

    def oversize(
        self, connection: Acknowledger, topic: str, head: bytes, size: int, packet_id: int | None, duplicate: bool
    ) -> None:
        """Keep the beginning of a message above `max_payload`, with the reason."""
        self._pipeline.stages.received += 1
        if packet_id is not None and self._owe(connection, packet_id, crc32(head, size), duplicate):
            return
        why = f"{size} bytes on topic {topic[:200]!r}, max_payload is {self._config.max_payload}"
        self._refuse("", "", why, head)
        if self._pipeline.tee.lookers:
            look_message(self._pipeline, self._name, None, "", topic, head)

    def forget(self) -> None:
        """The broker has begun a new session: what was taken before does not come again.

        A message marked as redelivered from now on is a new one, though identifier and words be the
        same. The next commit says so in the spool.
        """
        self._forget(set(self._taken))

    def settled(self, connection: Acknowledger, packet_ids: set[int]) -> None:
        """The broker has heard these acknowledgements: an identifier now means another message.

        But for those under which another one has been taken already, that is not acknowledged yet.
        """
        self._forget(packet_ids.difference(self._pipeline.owed(connection)))

    def _forget(self, packet_ids: set[int]) -> None:
        known = [packet_id for packet_id in packet_ids if self._taken.pop(packet_id, None) is not None]
        if known:
            forgotten = self._pipeline.intake.taken.setdefault(self._session, [])
            forgotten += [packet_id << 32 for packet_id in known]
            self._pipeline.wake()

    def chunk_end(self, connection: Acknowledger) -> None:
        """Everything of one received chunk has been handed over: let the commit loop go."""
        pipeline = self._pipeline
        pipeline.wake()
        intake = pipeline.intake
        if len(intake.lines) + len(intake.quarantined) > MAX_PENDING:
            pipeline.pause(connection)

    def _reading(self, route: _Route, reading: Reading, received_ns: int) -> None:
        series, stats = route.series, route.stats
        if series is None or stats is None or reading.tags:
            found = self._find(route, reading)
            if found is None:
                return
            series, stats = found
        time_ns = reading.time_ns
        if time_ns is not None and not EARLIEST_NS <= time_ns <= received_ns + AHEAD_NS:
            time_ns = None
            stats.clock_errors += 1
        try:
            line = series.line(reading.fields, time_ns, received_ns)
        except FieldLimit as limit:
            self._refuse(stats.device, stats.thing, str(limit), repr(reading.fields).encode()[:MAX_KEPT])
            return
        if reading.field_errors:
            stats.field_errors += len(reading.field_errors)
        if line is not None:
            self._pipeline.intake.lines.append(line)
            self._pipeline.stages.decoded += 1
            stats.readings += 1
            stats.last_seen_ns = received_ns
        elif reading.fields:
            self._refuse(stats.device, stats.thing, NOTHING_STORABLE, repr(reading.fields).encode()[:MAX_KEPT])
        else:
            stats.empty += 1
            stats.last_seen_ns = received_ns

    def _nothing(self, route: _Route, received_ns: int) -> None:
        """A payload with nothing to report: its thing, where it is known, is alive."""
        stats = route.stats or self._pipeline.stats.devices.get((self._name, route.thing))
        if stats is not None:
            stats.empty += 1
            stats.last_seen_ns = received_ns

    def _owe(self, connection: Acknowledger, packet_id: int, checksum: int, duplicate: bool) -> bool:
        """Note the acknowledgement that is due after the commit. True for a message that was taken before."""
        pipeline = self._pipeline
        if pipeline.intake is not self._open or connection is not self._connection:
            self._open, self._connection = pipeline.intake, connection
            self._open_taken = self._open.taken.setdefault(self._session, [])
            self._open_acks = self._open.acks.setdefault(connection, [])
        self._open_acks.append(packet_id)
        if duplicate and self._taken.get(packet_id) == checksum:
            pipeline.stages.redelivered += 1
            return True
        self._taken[packet_id] = checksum
        self._open_taken.append(packet_id << 32 | checksum)
        return False

    def _route(self, topic: str) -> _Route | None:
        for subscription in self._subscriptions:
            thing = subscription.thing(topic)
            if thing is not None:
                route = _Route(subscription, clean_tag(thing), crc32(topic.encode("utf-8", "replace")))
                if len(topic) <= MAX_REMEMBERED_TOPIC and len(self._routes) < 2 * self._config.max_things:
                    self._routes[topic] = route
                return route
        return None

    def _find(self, route: _Route, reading: Reading) -> tuple[Series, DeviceStats] | None:
        """The series of a reading; made on first sight, refused beyond `max_things`."""
        device: MessageDevice = route.subscription.device
        thing = route.thing or clean_tag(reading.thing or route.subscription.config.thing or "")
        if not thing:
            self._refuse(device.name, "", "neither topic, config nor payload names the thing", b"")
            return None
        key = (device.name, thing, tuple(reading.tags.items()))
        found = self._series.get(key)
        if found is None:
            if len(self._series) >= self._config.max_things:
                why = f"series limit: {self._name} has {self._config.max_things} things already (max_things)"
                self._refuse(device.name, thing, why, b"")
                return None
            config = route.subscription.config
            series = Series(device.measurement, {**reading.tags, **config.tags, "thing": thing})
            stats = self._pipeline.stats.devices.get((self._name, thing))
            if stats is None:
                stats = device_stats(self._name, device, thing, config)
                self._pipeline.stats.devices[(self._name, thing)] = stats
            found = self._series[key] = (series, stats)
        if route.thing and not reading.tags:
            route.series, route.stats = found
        return found

    def _keep(self, route: _Route, topic: str, faults: list[Fault]) -> None:
        """Count what is wrong with a payload, and keep the payload once: it may have thousands of faults."""
        stats = route.stats or self._pipeline.stats.devices.get((self._name, route.thing))
        if stats is not None:
            for fault in faults:
                count_fault(stats, fault)
        elif self._doubts < MAX_DOUBTS:  # nothing good has ever come from there: a wrong device type?
            self._doubts += 1
            log.warning(
                "%s: what came on %r is no %s: %s; kept, see `parkgate spool quarantine`",
                self._name, topic[:200], route.subscription.device.name, faults[0].detail,
            )  # fmt: skip
        kept = faults[0]
        if len(faults) > 1 and not isinstance(kept, Noise):
            kept = kept.__class__(f"{kept.detail}; and {len(faults) - 1} more", kept.data)
        self._pipeline.quarantine(self._name, route.subscription.device.name, route.thing, kept)

    def _refuse(self, device: str, thing: str, why: str, payload: bytes) -> None:
        self._pipeline.quarantine(self._name, device, thing, SanityError(why, payload))
