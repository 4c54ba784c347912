"""Messages whose payloads codecs decode: asked about, held until the answers are there, decoded with them.

    decode --> Awaited --> hold: taken back, asked --answers--> decoded once more --> taken, committed, acknowledged

Nothing of a message that waits is remembered anywhere else: it is not acknowledged, so that a crash brings it again.
One that a new connection brings again meanwhile is the same one, and is not asked about twice. What comes at QoS 0
waits in memory, and where the gateway stops first it goes to the quarantine.

Bounds: QoS 1 is held by receive maximum; at QoS 0 the connection is not read while the codecs have enough to do.
"""

from collections.abc import Callable, Sequence
from functools import partial

from devices.spec.coded import CodecRefused
from devices.spec.events import Ask, Event
from gateway.decode.coded import Answer, Awaited, CodedDecoder
from gateway.decode.fault import DecoderFaults
from gateway.decode.ledger import Ledger
from gateway.decode.order import InOrder
from gateway.decode.topics import Route, Topics
from gateway.intake import Acknowledger
from gateway.pipeline import Pipeline

MOST_HELD = 4000
MOST_BYTES = 32 << 20
"""Messages, and bytes of them, from which on a broker is not read."""


class Held:
    """One message that waits."""

    __slots__ = ("answers", "checksum", "connection", "missing", "packet_id", "payload", "retained", "route", "time_ns")

    def __init__(
        self, connection: Acknowledger, route: Route, payload: bytes, packet_id: int | None, retained: bool, now_ns: int
    ) -> None:
        self.connection = connection
        self.route = route
        self.payload = payload
        self.packet_id = packet_id
        self.checksum = 0
        self.retained = retained
        self.time_ns = now_ns
        self.answers: dict[int, Answer] = {}
        self.missing = 0


Take = Callable[[Route, bytes, Sequence[Event | Ask], bool, int, int], None]
"""Goes on with a message: route, payload, events, whether it was retained, when it was received, and how many lines
there were before it."""


class Waiting:
    """The messages of one broker that wait for codecs."""

    def __init__(self, pipeline: Pipeline, ledger: Ledger, topics: Topics, faults: DecoderFaults, take: Take) -> None:
        self._pipeline = pipeline
        self._ledger = ledger
        self._faults = faults
        self._topics = topics
        self._take = take
        self._held: dict[int, Held] = {}  # by their ids in memory
        self._owed: dict[int, Held] = {}  # by packet identifier
        self._bytes = 0
        self._choked: InOrder | None = None

    def hold(self, held: Held, awaited: Awaited, duplicate: bool) -> list[Event] | None:
        """Keep a message until its codecs have answered: None. Its events, where they have nothing to wait for.

        It is the one that the ledger has noted last.
        """
        packet_id = held.packet_id
        if packet_id is not None and duplicate:
            same = self._owed.get(packet_id)
            if same is not None and same.payload == held.payload and same.route.topic == held.route.topic:
                self._ledger.take_back(held.connection, packet_id)
                same.connection = held.connection
                return None
        decoder = _coded(held.route)
        asked = 0
        for place, ask, uplink in awaited.wanted:
            at_once = ask(uplink, held.time_ns, partial(self._heard, held, place))
            if at_once is None:
                asked += 1
            else:
                held.answers[place] = at_once
        if not asked:
            return decoder.again(held.route.topic, held.payload, held.time_ns, held.answers)
        held.missing = asked
        self._held[id(held)] = held
        self._bytes += len(held.payload)
        if packet_id is not None:
            held.checksum = self._ledger.take_back(held.connection, packet_id)
            self._owed[packet_id] = held
        if len(self._held) >= MOST_HELD or self._bytes >= MOST_BYTES:
            self._choked = self._ledger.order(held.connection)
            self._choked.choke(True)
        return None

    def forget_all(self) -> None:
        """The broker has begun a new session: what waits is stored, and nobody waits for its acknowledgement."""
        for held in self._owed.values():
            held.packet_id = None
        self._owed.clear()

    def end(self) -> None:
        """No codec answers any more: what nobody will send again goes to the quarantine."""
        for held in [held for held in self._held.values() if held.packet_id is None]:
            del self._held[id(held)]
            held.answers = dict.fromkeys(range(held.missing), CodecRefused("stopped before its codec had answered"))
            self._go_on(held)

    def _heard(self, held: Held, place: int, answer: Answer) -> None:
        held.answers[place] = answer
        held.missing -= 1
        if held.missing:
            return
        del self._held[id(held)]
        self._bytes -= len(held.payload)
        if self._choked is not None and len(self._held) < MOST_HELD / 2 and self._bytes < MOST_BYTES / 2:
            self._choked.choke(False)
            self._choked = None
        if held.packet_id is not None and self._owed.get(held.packet_id) is held:
            del self._owed[held.packet_id]
        self._go_on(held)

    def _go_on(self, held: Held) -> None:
        """Take a message as if it came now, with the time at which it did."""
        pipeline, topic = self._pipeline, held.route.topic
        start = len(pipeline.intake.lines)
        if start >= pipeline.intake.next_mark:
            pipeline.intake.mark()
        if held.packet_id is not None:
            self._ledger.take_late(held.connection, held.packet_id, held.checksum)
        events: list[Event]
        try:
            events = _coded(held.route).again(topic, held.payload, held.time_ns, held.answers)
        except Exception as fault:  # noqa: BLE001  # see DecoderFaults
            events = [self._faults.told(held.route.subscription.device.name, fault, held.payload)]
        route = self._topics.find(topic) or held.route  # it may have been forgotten meanwhile
        self._take(route, held.payload, events, held.retained, held.time_ns, start)
        pipeline.wake()


def _coded(route: Route) -> CodedDecoder:
    decoder = route.subscription.decoder
    assert isinstance(decoder, CodedDecoder)  # it answered with an Awaited
    return decoder
