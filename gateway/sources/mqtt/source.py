"""An MQTT source: one broker, for ever. Connect, subscribe, stay subscribed, connect again.

    run() --> open --> keep alive | keep subscribed | do what decoders ask --ends--> wait (full jitter) --.
                ^------------------------------------------------------------------------------------------'

Every connect subscribes again and checks every reason code (`subscriptions`); one that is refused is
said in `stats.state` and in the log. The intake is told of each connection before anything is
subscribed, though messages that waited at the broker may come before that; what its decoders ask for
(`Asks`), because of these too, is done in order, at most 20 publications a second.
The reconnect backoff (0.5 to 30 s) starts over once a subscription was granted
or a message came, not when TCP opened; not after an end that will probably repeat, nor after a
connection of less than 5 s (two gateways with one client id throw each other out for ever).
Why the last connection ended stays to be read in `stats.state` until the next one is up.

Stopping has two steps: `stop_reading`, after which nothing more is handed over; then, when the
last commit has been acknowledged, `close`. Cancelling `run` is the first step alone.

Retained messages that a subscription brings are handed over marked as such: what they say may be
old. MQTT 5 brings them once a session, 3.1.1 each time that something is subscribed to. Where
there is a will its topic says how things stand: the birth message after every connect, the will
after the end of a connection, orderly or not.

The session is kept by the broker under `client_id`: two gateways need two client ids.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable

from gateway.backoff import backoff
from gateway.clock import Clock
from gateway.config import MqttConfig
from gateway.intake import Asks, MessageIntake
from gateway.sources.mqtt.filters import AskedFilters
from gateway.sources.mqtt.link import ConnectionEnded, Link, address, first_event, log
from gateway.sources.mqtt.session import open_session
from gateway.sources.mqtt.session311 import open_311
from gateway.sources.mqtt.subscriptions import Subscriptions
from gateway.sources.mqtt.talk import Talk
from gateway.stats import SourceStats

FIRST_WAIT_S = 0.5
MOST_WAIT_S = 30.0
STEADY_S = 5.0
PUBLISH_EVERY_S = 0.05
"""Pause between two messages that decoders ask to be published."""

_NUMBER = re.compile(r"\d+")

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
        connected: Callable[[bool], None] | None = None,
        asked: AskedFilters | None = None,
        asks: Asks | None = None,
    ) -> None:
        """`connected` is called for each connection before anything is subscribed: True where the broker
        has no session of this client id.

        With `asked`, filters that an earlier configuration subscribed to are given back. `asks` are
        what decoders want done.
        """
        self.name = f"mqtt:{config.name}"
        self.stats = stats
        self._config = config
        self._intake = intake
        self._clock = clock
        self._opener = opener
        self._connected = connected
        self._asks = asks or Asks()
        self._subscriptions = Subscriptions(config, clock, asked, self._say_up)
        self.talk = Talk(self._subscriptions, asked)
        self._where = address(config.url)
        self._link: Link | None = None
        self._since = 0.0  # when this connection was accepted
        self._last_message: float | None = None
        self._hurry = asyncio.Event()
        self._stopping = False
        self._reasons: set[str] = set()  # why it is down, as far as was said since it was up

    @property
    def subscribed(self) -> bool:
        """True while connected with every subscription granted. `refused` names those that are not."""
        return self._link is not None and self._subscriptions.answered and not self.refused

    @property
    def refused(self) -> dict[str, str]:
        """Why, by topic filter."""
        return self._subscriptions.refused

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
                await first_event(self._clock, self._hurry, max(next(waits), end.least_wait_s))
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
        self.talk.link = None
        if self._link is not None:
            await self._link.close()
            self._link = None
        self._say("stopped", logging.INFO)

    def resubscribe(self) -> None:
        """Ask for every subscription again on the living connection."""
        self._subscriptions.ask_again()

    def reconnect(self, reason: str) -> None:
        """End the connection, or the wait for one, and connect anew. `reason` is for people."""
        self._hurry.set()
        if self._link is not None:
            self._link.end(ConnectionEnded(reason))

    async def _attend(self, link: Link) -> ConnectionEnded:
        """Serve one connection to its end; returns how it ended."""
        self.stats.connects += 1
        self.talk.link = link
        self._since = self._clock.monotonic()
        if self.stats.connects > 1 and not link.session_present and self._config.session_expiry_s:
            why = "the broker has forgotten the session; what was published meanwhile may be missing"
            log.warning("%s: %s", self.name, why)
        if self._connected is not None:
            self._connected(not link.session_present)
        self._subscriptions.fetch(self._asks.fetches())
        will = self._config.will
        if will is not None:
            link.publish(will.topic, will.birth.encode(), 0, will.retain)
        tasks = [
            asyncio.create_task(link.serve(), name=f"{self.name} keep alive"),
            asyncio.create_task(self._subscriptions.keep(link), name=f"{self.name} subscriptions"),
            asyncio.create_task(self._do_asked(link), name=f"{self.name} asks"),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
        for task in tasks:
            if task.done() and not task.cancelled():
                fault = task.exception()
                if isinstance(fault, ConnectionEnded):
                    return fault
                if fault is not None:
                    raise fault
        raise AssertionError("no task of a connection ends without a reason")

    async def _do_asked(self, link: Link) -> None:
        """Carry out what decoders ask for while the connection lives."""
        while True:
            ask = await self._asks.publish()
            self._subscriptions.fetch(self._asks.fetches())
            if ask is not None:
                link.publish(ask.topic, ask.payload, ask.qos, retain=False)
                if ask.words:
                    log.info("%s: %s", self.name, ask.words)
                await self._clock.sleep(PUBLISH_EVERY_S)

    async def _finished(self) -> bool:
        """Put away the connection that has ended; True if it had proved good."""
        link, self._link = self._link, None
        self.talk.link = None
        if link is None:
            return False
        steady = self._clock.monotonic() - self._since >= STEADY_S
        good = link.last_message is not None or self._subscriptions.some_granted
        self._last_message = link.last_message if link.last_message is not None else self._last_message
        self._subscriptions.ended()
        self._asks.ended()
        await link.close()
        return good and steady

    def _say_up(self, words: str) -> None:
        """Connected, and how the subscriptions stand where not all are granted."""
        if words:
            self._say(f"up, but {words}", logging.ERROR)
        else:
            self._say("up", logging.INFO)

    def _say(self, state: str, level: int) -> None:
        """Show the state, and log it unless it is what was said last; while down, each reason once."""
        down = state.startswith("down: ")
        reason = _NUMBER.sub("#", state)
        if state != self.stats.state and not (down and reason in self._reasons):
            log.log(level, "%s: %s", self.name, state)
        if down:
            self._reasons.add(reason)
        elif state.startswith("up"):
            self._reasons.clear()
        self.stats.state = state


def make_mqtt_source(
    config: MqttConfig,
    intake: MessageIntake,
    clock: Clock,
    stats: SourceStats,
    connected: Callable[[bool], None] | None = None,
    asked: AskedFilters | None = None,
    asks: Asks | None = None,
) -> MqttSource:
    """The source for a broker, by its `protocol`."""
    opener: Opener = open_session if config.protocol == "5" else open_311
    return MqttSource(config, intake, clock, stats, opener, connected, asked, asks)
