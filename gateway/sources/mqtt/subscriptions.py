"""The subscriptions of one broker: asked for on every connect, kept, and given back.

A subscription that is refused is asked for again on the living connection, after 1 s and up to
60 s. What decoders ask to be fetched (a retained discovery topic) is subscribed to before what the
configuration wants, so that it explains what comes after it; at most MOST_FETCHED filters at once.
Where something is fetched, each subscription has a number by which copies are told apart (`copies`).
Filters of the session that neither the configuration nor a decoder wants any more are given back.
"""

import asyncio
from collections.abc import Callable

from gateway.backoff import backoff
from gateway.clock import Clock
from gateway.config import MqttConfig
from gateway.intake import MOST_FETCHED
from gateway.routes import topic_filter
from gateway.sources.mqtt.copies import CONFIGURED, FETCHED, SHARED
from gateway.sources.mqtt.filters import AskedFilters
from gateway.sources.mqtt.link import Link, Wanted, first_event, log, suback_words

FIRST_ASK_S = 1.0
MOST_ASK_S = 60.0


class Subscriptions:
    """`refused` says why, by filter; `answered` is set while every one has been answered on this connection.

    `say` is told how things stand (an empty word: all granted).
    """

    def __init__(
        self, config: MqttConfig, clock: Clock, asked: AskedFilters | None, say: Callable[[str], None]
    ) -> None:
        self.refused: dict[str, str] = {}
        self.answered = False
        self._name = f"mqtt:{config.name}"
        self._clock = clock
        self._asked = asked
        self._say = say
        self._wanted = [Wanted(topic_filter(each.topic), each.qos) for each in config.subscriptions]
        self._fetched: dict[str, int] = {}  # by filter, its number
        self._granted: set[str] = set()  # on this connection; of the configured ones also what the session has
        self._numbered = False  # what is configured was asked for with its number on this connection
        self._due: set[str] = set()  # filters to be asked for at once
        self._again = asyncio.Event()
        self._lessened: set[str] = set()  # granted with less than was asked for, and said so

    @property
    def some_granted(self) -> bool:
        return self.answered and len(self.refused) < len(self._all())

    @property
    def granted(self) -> set[str]:
        """The filters that the living connection has."""
        return self._granted

    def fetch(self, filters: list[str]) -> None:
        """Have what the broker keeps below these come, now or with the next connection."""
        for topic in filters:
            if topic not in self._fetched and len(self._fetched) >= MOST_FETCHED:
                log.warning("%s: %r is not fetched: %d filters are already", self._name, topic, MOST_FETCHED)
                continue
            self._fetched.setdefault(topic, FETCHED + len(self._fetched))
            self._due.add(topic)
        if self._due:
            self._again.set()

    def ask_again(self) -> None:
        """Ask for every subscription again on the living connection."""
        self._due = {each.filter for each in self._all()}
        self._again.set()

    def ended(self) -> None:
        """The connection is over; what decoders had asked for they ask for again."""
        self.answered = False
        self.refused.clear()
        self._fetched.clear()
        self._granted.clear()
        self._numbered = False
        self._due = set()

    async def keep(self, link: Link) -> None:
        """Subscribe, ask again for what was refused, and for everything when told to; until cancelled."""
        self._granted = self._had(link)
        unwanted = self._unwanted(link)
        asked = self._all()
        waits = backoff(FIRST_ASK_S, MOST_ASK_S)
        while True:
            self._again.clear()
            self._due = set()
            await self._subscribe(link, asked)
            if unwanted:
                await self._give_back(link, unwanted)
                unwanted = []
            wait = max(next(waits), FIRST_ASK_S / 2) if self.refused else None
            await first_event(self._clock, self._again, wait)
            if self._due:
                asked = [each for each in self._all() if each.filter in self._due]
                waits = backoff(FIRST_ASK_S, MOST_ASK_S)
                if self._asked is not None:
                    self._asked.write(self._asked.read() | {each.filter for each in asked})
            else:
                asked = [each for each in self._all() if each.filter in self.refused]

    def _all(self) -> list[Wanted]:
        """What is fetched and what is configured; a filter that is both is one subscription."""
        if not self._fetched:
            return self._wanted
        configured = {each.filter for each in self._wanted}
        fetched = [Wanted(topic, 1, True, number) for topic, number in self._fetched.items() if topic not in configured]
        own = [
            Wanted(topic, qos, topic in self._fetched, SHARED if topic.startswith("$share/") else CONFIGURED)
            for topic, qos, *_ in self._wanted
        ]
        return fetched + own

    async def _subscribe(self, link: Link, asked: list[Wanted]) -> None:
        """Ask, take down the answers, and say how things stand. What is fetched comes before the rest."""
        groups = [[each for each in asked if each.fetch], [each for each in asked if not each.fetch]]
        if self._fetched and not self._numbered:
            self._numbered = True
            if self.answered:  # the first that is fetched: until now nothing had a number
                groups = [[each for each in self._all() if not each.fetch], groups[0]]
        for some in groups:
            self._stand(link)
            if some:
                self._note(some, await link.subscribe(some))
        self._stand(link)
        self._tell()

    def _stand(self, link: Link) -> None:
        """Let the link know whose copies to take."""
        link.copies.stand([each.filter for each in self._wanted], self._fetched, self._granted)

    def _had(self, link: Link) -> set[str]:
        """The configured filters that the session brings along."""
        had = {each.filter for each in self._wanted} if link.session_present else set[str]()
        return had if self._asked is None else had & self._asked.read()

    def _unwanted(self, link: Link) -> list[str]:
        """What the session may hold and nobody wants any more. What is wanted now is written down."""
        if self._asked is None:
            return []
        wanted = {each.filter for each in self._all()}
        known = self._asked.read() if link.session_present else set[str]()
        self._asked.write(known | wanted)
        return sorted(known - wanted)

    async def _give_back(self, link: Link, filters: list[str]) -> None:
        assert self._asked is not None
        kept = [topic for topic, code in zip(filters, await link.unsubscribe(filters), strict=True) if code >= 0x80]
        for topic in filters:
            done = "the broker keeps the subscription to" if topic in kept else "unsubscribed from"
            log.info("%s: %s %r, which the configuration has no more", self._name, done, topic)
        self._asked.write([*kept, *(each.filter for each in self._all())])

    def _note(self, asked: list[Wanted], codes: list[int]) -> None:
        """Take down which subscriptions were granted."""
        for (topic, qos, *_), code in zip(asked, codes, strict=True):
            if code >= 0x80:
                self.refused[topic] = suback_words(code)
                self._granted.discard(topic)
                continue
            self.refused.pop(topic, None)
            self._granted.add(topic)
            if code >= qos:
                self._lessened.discard(topic)
            elif topic not in self._lessened:
                self._lessened.add(topic)
                log.warning("%s: %r granted with QoS 0 only: messages can be lost", self._name, topic)

    def _tell(self) -> None:
        """Every one has been answered: say how things stand."""
        self.answered = True
        if not self.refused:
            self._say("")
            return
        words = "; ".join(f"{topic!r} {why}" for topic, why in self.refused.items())
        self._say(f"{len(self.refused)} of {len(self._all())} subscriptions refused: {words}; asking again")
