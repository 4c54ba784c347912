"""What a broker brings: decoded, stamped, counted, put into the open intake.

Everything here runs synchronously inside the source's callback; one reading becomes one line
of text and nothing is made per value. A topic name is resolved once (`topics`): its route, series and
counters are then found by one dictionary look-up. What has been taken and what is owed is in the
`ledger`; who has a place among the things, and who is refused, in `things`.
"""

import logging
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from zlib import crc32

from devices.spec.events import Ask, Empty, Event, Fetch, Noise, Publish, Reading, SanityError
from gateway.config import MqttConfig
from gateway.decode.coded import Awaited
from gateway.decode.families import Families
from gateway.decode.fault import AHEAD_NS, EARLIEST_NS, NOTHING_STORABLE, DecoderFaults, Fault, count_fault
from gateway.decode.ledger import Ledger
from gateway.decode.look import REDELIVERED, RETAINED, look_message
from gateway.decode.names import clean_tag
from gateway.decode.point import FieldLimit, Series
from gateway.decode.subscription import Subscription
from gateway.decode.things import Known, Things
from gateway.decode.topics import Route, Topics, Unread
from gateway.decode.waiting import Held, Waiting
from gateway.intake import Acknowledger
from gateway.pipeline import MAX_PENDING, Pipeline
from gateway.stats import DeviceStats
from gateway.tee import Kept

log = logging.getLogger("parkgate.decode")

MAX_DOUBTS = 10
"""Undecodable messages of unknown things that are also logged, by broker; the quarantine has all."""

ASKS = (Fetch, Publish)

NAMELESS = "neither topic, config nor payload names the thing"


class _Refusal(NamedTuple):
    """Why a whole reading is not stored."""

    thing: str
    why: str


class BrokerIntake:
    """What one broker brings: implements `MessageIntake`. `known` are things that keep their places.

    What a message asks of the ledger is bound here as attributes, which saves the hot path a look-up and a call each.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        config: MqttConfig,
        subscriptions: list[Subscription],
        name: str,
        known: Iterable[Known] = (),
    ) -> None:
        self._pipeline = pipeline
        self._config = config
        self._name = name
        self._failed = DecoderFaults(name)
        self._families = Families(pipeline, subscriptions, name, self._failed)
        self.asks = self._families.asks
        self._topics = Topics(subscriptions, 2 * config.max_things)
        self._routes = self.topics = self._topics.routes
        self.subscription = self._topics.owner
        self._unread = Unread(pipeline.stats, name)
        self._ledger = Ledger(pipeline, config.session)
        self._owe, self.spare, self.settled = self._ledger.owe, self._ledger.spare, self._ledger.settled
        self._waiting = Waiting(pipeline, self._ledger, self._topics, self._failed, self.take)
        self._doubts = 0
        self.things = Things(pipeline.stats, config, name, self._topics.release, known)

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
            route = self._topics.resolve(topic)
        if packet_id is not None:
            checksum = crc32(payload, route.checksum if route is not None else 0)
            if self._owe(connection, packet_id, checksum, duplicate):
                if pipeline.tee.lookers:
                    look_message(pipeline, self._name, None, "", topic, payload, (), None, REDELIVERED)
                return
        if route is None:
            self._stray(topic, f"no subscription matches topic {topic[:200]!r}", payload)
            return
        received_ns = pipeline.clock.now_ns()
        try:
            events = (route.retained if retained else route.decode)(topic, payload, received_ns)
            if isinstance(events, Awaited):
                held = Held(connection, route, payload, packet_id, retained, received_ns)
                known = self._waiting.hold(held, events, duplicate)
                if known is None:
                    return
                events = known
        except Exception as fault:  # noqa: BLE001  # see DecoderFaults
            events = (self._failed.told(route.subscription.device.name, fault, payload),)
        self.take(route, payload, events, retained, received_ns, start)

    def take(
        self, route: Route, payload: bytes, events: Sequence[Event | Ask], retained: bool, received_ns: int, start: int
    ) -> None:
        """Go on with what a message says: its lines are the intake's from `start` on."""
        faults: list[Fault] = []
        kept: tuple[Kept, ...] = ()
        first: _Refusal | None = None
        refused = 0
        for event in events:
            if isinstance(event, Reading):
                if retained and event.time_ns is None and not event.standing:
                    # an old value: to store it under the present time would be to make it up
                    self._old(route, received_ns)
                    kept = (RETAINED,)
                elif (refusal := self._reading(route, event, received_ns)) is not None:
                    first = first or refusal
                    refused += 1
            elif isinstance(event, Empty):
                self._nothing(route, event, received_ns)
            elif isinstance(event, ASKS):
                self._families.ask(route.subscription, event, received_ns)
            else:
                faults.append(event)
        if first is not None:
            self._refuse(route, first, refused, payload, received_ns)
        if faults:
            self._keep(route, faults, received_ns)
        if self._pipeline.tee.lookers:
            seen = [event for event in events if not isinstance(event, ASKS)]
            look_message(
                self._pipeline, self._name, route.subscription, route.thing, route.topic, payload, seen, start, *kept
            )

    def oversize(
        self, connection: Acknowledger, topic: str, head: bytes, size: int, packet_id: int | None, duplicate: bool
    ) -> None:
        """Keep the beginning of a message above `max_payload`, with the reason."""
        self._pipeline.stages.received += 1
        if packet_id is not None and self._owe(connection, packet_id, crc32(head, size), duplicate):
            if self._pipeline.tee.lookers:
                look_message(self._pipeline, self._name, None, "", topic, head, (), None, REDELIVERED)
            return
        self._stray(topic, f"{size} bytes on topic {topic[:200]!r}, max_payload is {self._config.max_payload}", head)

    def connected(self, new_session: bool) -> None:
        """A connection has begun, and nothing is subscribed yet.

        Where the broker has begun a new session, what was taken before does not come again: a message
        marked as redelivered from now on is a new one, though identifier and words be the same. The
        next commit says so in the spool.
        """
        if new_session:
            self._ledger.forget_all()
            self._waiting.forget_all()
        self._families.connected(new_session)

    def end(self) -> None:
        """Nothing more comes: what decoders have kept for later goes to the quarantine."""
        self._waiting.end()
        self._families.end()

    def chunk_end(self, connection: Acknowledger) -> None:
        """Everything of one received chunk has been handed over: let the commit loop go."""
        pipeline = self._pipeline
        pipeline.wake()
        intake = pipeline.intake
        if len(intake.lines) + len(intake.quarantined) > MAX_PENDING:
            pipeline.pause(connection)

    def _reading(self, route: Route, reading: Reading, received_ns: int) -> _Refusal | None:
        series, stats = route.series, route.stats
        if series is None or stats is None or reading.tags:
            found = self._find(route, reading, received_ns)
            if isinstance(found, _Refusal):
                return found
            series, stats = found
        time_ns = reading.time_ns
        if time_ns is not None and not EARLIEST_NS <= time_ns <= received_ns + AHEAD_NS:
            time_ns = None
            stats.clock_errors += 1
        try:
            line = series.line(reading.fields, time_ns, received_ns)
        except FieldLimit as limit:
            stats.sanity_errors += 1
            stats.last_error = str(limit)
            return _Refusal(stats.thing, str(limit))
        if reading.field_errors:
            stats.field_errors += len(reading.field_errors)
            stats.last_error = reading.field_errors[0]
        if line is not None:
            self._pipeline.intake.lines.append(line)
            self._pipeline.stages.decoded += 1
            stats.readings += 1
            stats.last_seen_ns = received_ns
        elif reading.fields:
            stats.sanity_errors += 1
            stats.last_error = NOTHING_STORABLE
            return _Refusal(stats.thing, NOTHING_STORABLE)
        else:
            stats.empty += 1
            stats.last_seen_ns = received_ns
        return None

    def _find(self, route: Route, reading: Reading, received_ns: int) -> tuple[Series, DeviceStats] | _Refusal:
        """The series of a reading, and the counters of its thing."""
        subscription = route.subscription
        thing = route.thing or clean_tag(reading.thing or "") or route.owner
        if not thing:
            return _Refusal("", NAMELESS)
        seat = self.things.find(subscription, thing, reading.tags, received_ns)
        if seat is None:
            return _Refusal(
                thing, f"series limit: {self._name} has {self._config.max_things} things already (max_things)"
            )
        self._unread.read(route, thing)
        if route.thing and not reading.tags and self._topics.hold(route):
            route.series, route.stats = seat.series, seat.stats
            seat.topics.append(route.topic)
        return seat.series, seat.stats

    def _blamed(self, route: Route) -> DeviceStats | None:
        """The counters of the thing that a message is of, where topic or configuration name one that has spoken."""
        return route.stats or self._pipeline.stats.devices.get((self._name, route.blamed))

    def _nothing(self, route: Route, event: Empty, received_ns: int) -> None:
        """A payload with nothing to report: its thing, where it is known, is alive."""
        named = self._pipeline.stats.devices.get((self._name, clean_tag(event.thing))) if event.thing else None
        stats = named or self._blamed(route)
        if stats is not None:
            stats.empty += 1
            stats.last_seen_ns = received_ns
        elif not route.read:
            self._unread.note(route, route.topic, event.detail, received_ns, fault=event.overdue)

    def _old(self, route: Route, received_ns: int) -> None:
        self._pipeline.stages.retained += 1
        if not route.read and self._blamed(route) is None:
            self._unread.note(route, route.topic, RETAINED.why, received_ns, fault=False)

    def _stray(self, topic: str, why: str, payload: bytes) -> None:
        """A message that no device type was asked about."""
        self._unread.note(None, topic, why, self._pipeline.clock.now_ns())
        self._pipeline.quarantine(self._name, "", "", SanityError(why, payload))
        if self._pipeline.tee.lookers:
            look_message(self._pipeline, self._name, None, "", topic, payload)

    def _refuse(self, route: Route, first: _Refusal, count: int, payload: bytes, received_ns: int) -> None:
        """Keep the payload of which `count` readings are refused."""
        why = first.why if count == 1 else f"{first.why}; and {count - 1} more"
        if not route.read:
            self._unread.note(route, route.topic, first.why, received_ns)
        self._pipeline.quarantine(self._name, route.subscription.device.name, first.thing, SanityError(why, payload))

    def _keep(self, route: Route, faults: list[Fault], received_ns: int) -> None:
        """Count what is wrong with a payload, and keep the payload once: it may have thousands of faults."""
        stats, device = self._blamed(route), route.subscription.device.name
        if stats is not None:
            for fault in faults:
                count_fault(stats, fault)
        elif (
            self._doubts < MAX_DOUBTS and faults[0] is not self._failed.last
        ):  # nothing good has ever come from there: a wrong device type?
            self._doubts += 1
            log.warning(
                "%s: what came on %r is no %s: %s; kept, see `parkgate spool quarantine`",
                self._name, route.topic[:200], device, faults[0].detail,
            )  # fmt: skip
        if not route.read and (stats is None or not (stats.readings or stats.empty)):
            self._unread.note(route, route.topic, faults[0].detail, received_ns)
        kept = faults[0]
        if len(faults) > 1 and not isinstance(kept, Noise):
            kept = kept.__class__(f"{kept.detail}; and {len(faults) - 1} more", kept.data)
        self._pipeline.quarantine(self._name, device, route.blamed, kept)
