"""An MQTT source: one broker, for ever. Connect, subscribe, stay subscribed, connect again.

    run() --> open --> keep alive | keep subscribed --ends--> wait (full jitter) --.
                ^-------------------------------------------------------------------'

Every connect subscribes again and checks every reason code; a subscription that is refused is
said in `stats.state` and in the log and asked for again on the living connection, after 1 s
and up to 60 s. The reconnect backoff (0.5 to 30 s) starts over once a subscription was granted
or a message came, not when TCP opened; not after an end that will probably repeat, nor after a
connection of less than 5 s (two gateways with one client id throw each other out for ever).
Why the last connection ended stays to be read in `stats.state` until the next one is up.

Stopping has two steps: `stop_reading`, after which nothing more is handed over; then, when the
last commit has been acknowledged, `close`. Cancelling `run` is the first step alone.

Retained messages that a subscription brings are handed over marked as such: what they say may be
old. MQTT 5 brings them once a session, 3.1.1 each time that something is subscribed to. Where
there is a will its topic says how things stand: the birth message after every connect, the will
after the end of a connection, orderly or not.

The session is kept by the broker under `client_id`: two gateways need two client ids. Filters that
the configuration has no more are unsubscribed from.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from gateway.backoff import backoff
from gateway.clock import Clock
from gateway.config import MqttConfig
from gateway.intake import MessageIntake
from gateway.routes import topic_filter
from gateway.sources.mqtt.filters import AskedFilters
from gateway.sources.mqtt.link import ConnectionEnded, Link, Wanted, address, first_of, log, suback_words
from gateway.sources.mqtt.session import open_session
from gateway.sources.mqtt.session311 import open_311
from gateway.stats import SourceStats

FIRST_WAIT_S = 0.5
MOST_WAIT_S = 30.0
FIRST_ASK_S = 1.0
MOST_ASK_S = 60.0
STEADY_S = 5.0

Opener = Callable[[MqttConfig, MessageIntake, Clock, SourceStats], Awaitable[Link]]


class MqttSource:
    """One broker connection after the other. `stats.state` says in words how it stands."""

    def __init__(
        self,
        config: MqttConfig,
        intake: MessageIntake,
        clock: Clock,
        stats: SourceStats,
        opener: Opener = open_session,
        new_session: Callable[[], None] | None = None,
        asked: AskedFilters | None = None,
    ) -> None:
        """`new_session` is called when the broker has none of this client id, before anything is subscribed.

        With `asked`, filters that an earlier configuration subscribed to are given back.
        """
        self.name = f"mqtt:{config.name}"
        self.stats = stats
        self.refused: dict[str, str] = {}
        self._config = config
        self._intake = intake
        self._clock = clock
        self._opener = opener
        self._new_session = new_session
        self._asked = asked
        self._where = address(config.url)
        self._wanted = [Wanted(topic_filter(each.topic), each.qos) for each in config.subscriptions]
        self._link: Link | None = None
        self._since = 0.0  # when this connection was accepted
        self._answered = False  # every subscription, on this connection
        self._last_message: float | None = None
        self._ask_again = asyncio.Event()
        self._hurry = asyncio.Event()
        self._stopping = False

    @property
    def subscribed(self) -> bool:
        """True while connected with every subscription granted. `refused` names those that are not."""
        return self._link is not None and self._answered and not self.refused

    @property
    def last_message_monotonic(self) -> float | None:
        """When the last message came, by the clock's monotonic(); None before the first."""
        latest = self._link.last_message if self._link is not None else None
        return latest if latest is not None else self._last_message

    async def run(self) -> None:
        """Run until cancelled; the connection then stays open for acknowledgements until `close`."""
        waits = backoff(FIRST_WAIT_S, MOST_WAIT_S)
        self._say(f"connecting to {self._where}", logging.DEBUG)
        try:
            while not self._stopping:
                self._hurry.clear()
                try:
                    self._link = await self._opener(self._config, self._intake, self._clock, self.stats)
                    end = await self._attend(self._link)
                except ConnectionEnded as refused:
                    end = refused
                if self._stopping:
                    return
                if await self._finished() and not end.at_fault:
                    waits = backoff(FIRST_WAIT_S, MOST_WAIT_S)
                self._say(f"down: {end}", logging.WARNING)
                await self._rest(max(next(waits), end.least_wait_s))
        finally:
            self.stop_reading()

    def stop_reading(self) -> None:
        """Hand over nothing more, for good. What was handed over can still be acknowledged."""
        self._stopping = True
        self._hurry.set()
        if self._link is not None:
            self._link.stop_reading()

    async def close(self) -> None:
        """Send what is still to be sent, DISCONNECT, close."""
        self.stop_reading()
        if self._link is not None:
            await self._link.close()
            self._link = None
        self._say("stopped", logging.INFO)

    def resubscribe(self) -> None:
        """Ask for every subscription again on the living connection."""
        self._ask_again.set()

    def reconnect(self, reason: str) -> None:
        """End the connection, or the wait for one, and connect anew. `reason` is for people."""
        self._hurry.set()
        if self._link is not None:
            self._link.end(ConnectionEnded(reason))

    async def _attend(self, link: Link) -> ConnectionEnded:
        """Serve one connection to its end; returns how it ended."""
        self.stats.connects += 1
        self._since = self._clock.monotonic()
        if self.stats.connects > 1 and not link.session_present and self._config.session_expiry_s:
            why = "the broker has forgotten the session; what was published meanwhile may be missing"
            log.warning("%s: %s", self.name, why)
        if self._new_session is not None and not link.session_present:
            self._new_session()
        link.announce()
        serving = asyncio.create_task(link.serve(), name=f"{self.name} keep alive")
        asking = asyncio.create_task(self._keep_subscribed(link), name=f"{self.name} subscriptions")
        try:
            await asyncio.wait({serving, asking}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            serving.cancel()
            asking.cancel()
        for task in (serving, asking):
            if task.done() and not task.cancelled():
                fault = task.exception()
                if isinstance(fault, ConnectionEnded):
                    return fault
                if fault is not None:
                    raise fault
        raise AssertionError("neither task of a connection ends without a reason")

    async def _keep_subscribed(self, link: Link) -> None:
        """Subscribe, ask again for what was refused, and for everything when told to."""
        asked = self._wanted
        unwanted = self._unwanted(link)
        waits = backoff(FIRST_ASK_S, MOST_ASK_S)
        while True:
            self._ask_again.clear()
            codes = await link.subscribe(asked)
            self._note(asked, codes)
            if unwanted:
                await self._give_back(link, unwanted)
                unwanted = []
            await self._first(self._ask_again, max(next(waits), FIRST_ASK_S / 2) if self.refused else None)
            if self._ask_again.is_set():
                asked = self._wanted
                waits = backoff(FIRST_ASK_S, MOST_ASK_S)
            else:
                asked = [each for each in self._wanted if each.filter in self.refused]

    def _unwanted(self, link: Link) -> list[str]:
        """What the session may hold from an earlier configuration. What is wanted now is written down."""
        if self._asked is None:
            return []
        wanted = {each.filter for each in self._wanted}
        known = self._asked.read() if link.session_present else set[str]()
        self._asked.write(known | wanted)
        return sorted(known - wanted)

    async def _give_back(self, link: Link, filters: list[str]) -> None:
        assert self._asked is not None
        kept = [topic for topic, code in zip(filters, await link.unsubscribe(filters), strict=True) if code >= 0x80]
        for topic in filters:
            done = "the broker keeps the subscription to" if topic in kept else "unsubscribed from"
            log.info("%s: %s %r, which the configuration has no more", self.name, done, topic)
        self._asked.write([*kept, *(each.filter for each in self._wanted)])

    def _note(self, asked: list[Wanted], codes: list[int]) -> None:
        """Take down which subscriptions were granted, and say how things stand."""
        for (topic, qos), code in zip(asked, codes, strict=True):
            if code >= 0x80:
                self.refused[topic] = suback_words(code)
                continue
            self.refused.pop(topic, None)
            if code < qos:
                log.warning("%s: %r granted with QoS 0 only: messages can be lost", self.name, topic)
        self._answered = True
        if self.refused:
            words = "; ".join(f"{topic!r} {why}" for topic, why in self.refused.items())
            count = f"{len(self.refused)} of {len(self._wanted)} subscriptions refused"
            self._say(f"up, but {count}: {words}; asking again", logging.ERROR)
        else:
            self._say("up", logging.INFO)

    async def _finished(self) -> bool:
        """Put away the connection that has ended; True if it had proved good."""
        link, self._link = self._link, None
        if link is None:
            return False
        steady = self._clock.monotonic() - self._since >= STEADY_S
        good = link.last_message is not None or (self._answered and len(self.refused) < len(self._wanted))
        self._last_message = link.last_message if link.last_message is not None else self._last_message
        self._answered = False
        self.refused.clear()
        await link.close()
        return good and steady

    async def _rest(self, seconds: float) -> None:
        await self._first(self._hurry, seconds)

    async def _first(self, event: asyncio.Event, seconds: float | None) -> None:
        """Wait for the event, at most `seconds`."""
        waiting = asyncio.ensure_future(event.wait())
        try:
            await first_of(self._clock, seconds, waiting)
        finally:
            waiting.cancel()

    def _say(self, state: str, level: int) -> None:
        """Show the state, and log it unless it is what was said last."""
        if state != self.stats.state:
            log.log(level, "%s: %s", self.name, state)
        self.stats.state = state


def make_mqtt_source(
    config: MqttConfig,
    intake: MessageIntake,
    clock: Clock,
    stats: SourceStats,
    new_session: Callable[[], None] | None = None,
    asked: AskedFilters | None = None,
) -> MqttSource:
    """The source for a broker, by its `protocol`."""
    opener: Opener = open_session if config.protocol == "5" else open_311
    return MqttSource(config, intake, clock, stats, opener, new_session, asked)
