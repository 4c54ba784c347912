"""What is said at a broker besides what decoders ask for, and where its answer is heard: commands.

    say       publish now, on the living connection
    hear      have topics come that nothing brings yet; they are given back by `leave`

A topic that a granted subscription brings already is not subscribed to again. What is subscribed to is written down
first (`AskedFilters`), so that the next connection gives back what a lost one could not.

Limits: MOST_HEARD topics at a time. What is retained on them is brought once and marked as such.
"""

import asyncio
from collections.abc import Sequence

from devices.spec.events import Publish
from gateway.routes import covers
from gateway.sources.mqtt.filters import AskedFilters
from gateway.sources.mqtt.link import ConnectionEnded, Link, Wanted, suback_words
from gateway.sources.mqtt.subscriptions import Subscriptions

MOST_HEARD = 64


class Talk:
    """One broker. `link` is the living connection, None while there is none."""

    def __init__(self, subscriptions: Subscriptions, asked: AskedFilters | None) -> None:
        self.link: Link | None = None
        self._subscriptions = subscriptions
        self._asked = asked
        self._heard: dict[str, int] = {}  # filters of ours, and how many want them
        self._asking = asyncio.Lock()

    def say(self, message: Publish) -> bool:
        """Publish it; False where there is no connection."""
        if self.link is None:
            return False
        self.link.publish(message.topic, message.payload, message.qos, retain=False)
        return True

    def brought(self, filter_: str) -> bool:
        """Whether a subscription that is granted brings all that `filter_` takes."""
        return any(covers(each, filter_) for each in self._subscriptions.granted)

    def heard(self, filter_: str) -> bool:
        """Whether somebody waits for what comes there."""
        return filter_ in self._heard

    async def hear(self, filters: Sequence[str]) -> str:
        """Have what is published there come from now on. Why it does not, or nothing: then `leave` ends it."""
        async with self._asking:
            if self.link is None:
                return "there is no connection to the broker"
            new = [each for each in filters if each not in self._heard]
            if len(self._heard) + len(new) > MOST_HEARD:
                return f"answers are waited for on {MOST_HEARD} topics already"
            for each in filters:
                self._heard[each] = self._heard.get(each, 0) + 1
            why = await self._subscribe(self.link, new) if new else ""
            if why:
                await self._give_back(filters)
            return why

    async def leave(self, filters: Sequence[str]) -> list[str]:
        """They are not wanted any more; those that the broker has given up."""
        async with self._asking:
            return await self._give_back(filters)

    async def _subscribe(self, link: Link, filters: list[str]) -> str:
        if self._asked is not None:
            self._asked.write(self._asked.read() | set(filters))
        try:
            codes = await link.subscribe([Wanted(each, 0) for each in filters])
        except ConnectionEnded as end:
            return str(end)
        refused = [f"{each!r} {suback_words(code)}" for each, code in zip(filters, codes, strict=True) if code >= 0x80]
        return f"the broker does not let its answer be heard: {'; '.join(refused)}" if refused else ""

    async def _give_back(self, filters: Sequence[str]) -> list[str]:
        for each in filters:
            self._heard[each] -= 1
        old = [each for each in filters if not self._heard[each]]
        for each in old:
            del self._heard[each]
        if not old or self.link is None:
            return []
        try:
            await self.link.unsubscribe(old)
        except ConnectionEnded:
            return []
        if self._asked is not None:
            self._asked.write(self._asked.read() - set(old))
        return old
