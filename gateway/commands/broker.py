"""The way to things behind a broker: messages published on the source's connection, the answer seen among what comes.

    intake <--- Tap <--- MqttSource <--- broker
                 '--> whoever waits for an answer

Until something waits, the tap is the intake's own method: a message costs nothing more. While something does, each
message is compared with the topics that are waited for. What comes only because an answer is waited for (a topic that
no subscription of the configuration takes) ends here; it is no reading, and nothing for the quarantine.

Where a thing is found: on the topic on which it was last read for the first time. A thing that has not spoken
since the start cannot be told anything, unless its subscription is one topic.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from re import Pattern

from devices.spec.command import Adaptive, Argument, MessageCommand, Outcome
from devices.spec.errors import EncodeError
from devices.spec.events import Publish
from gateway.commands.order import NotSent, Order, Reached
from gateway.config import MqttConfig, allows
from gateway.decode import BrokerIntake, Subscription, clean_tag
from gateway.intake import Acknowledger
from gateway.routes import matcher
from gateway.sources.mqtt import Talk
from gateway.stats import Stats

MOST_OURS = 256


@dataclass(slots=True, eq=False)
class _Listener:
    topics: list[Pattern[str]]
    hear: Callable[[str, bytes], None]


class Tap:
    """A `MessageIntake` before that of a broker; see above."""

    def __init__(self, intake: BrokerIntake) -> None:
        self._intake = intake
        self._listeners: list[_Listener] = []
        self._ours: dict[str, Pattern[str]] = {}  # subscribed to for answers alone
        self.topics = intake.topics
        self.message = intake.message
        self.oversize = intake.oversize
        self.spare = intake.spare
        self.settled = intake.settled
        self.chunk_end = intake.chunk_end

    def listen(self, filters: Iterable[str], hear: Callable[[str, bytes], None]) -> _Listener:
        """Have `hear` told what is published on these topics from now on, until `end`."""
        listener = _Listener([matcher(each) for each in filters], hear)
        self._listeners.append(listener)
        self._settle()
        return listener

    def end(self, listener: _Listener) -> None:
        self._listeners.remove(listener)
        self._settle()

    def expect(self, filters: Iterable[str]) -> None:
        """What comes on these topics, and no subscription of the configuration takes, ends here."""
        for each in filters:
            if len(self._ours) >= MOST_OURS:  # those of lost connections, which the next one has given back
                del self._ours[next(iter(self._ours))]
            self._ours[each] = matcher(each)
        self._settle()

    def forget(self, filters: Iterable[str]) -> None:
        """Nothing comes on them any more."""
        for each in filters:
            self._ours.pop(each, None)
        self._settle()

    def _settle(self) -> None:
        self.message = self._message if self._listeners or self._ours else self._intake.message

    def _message(
        self,
        connection: Acknowledger,
        topic: str,
        payload: bytes,
        packet_id: int | None,
        duplicate: bool,
        retained: bool = False,
    ) -> None:
        if not retained:
            for listener in tuple(self._listeners):
                if any(each.match(topic) for each in listener.topics):
                    listener.hear(topic, payload)
        if any(each.match(topic) for each in self._ours.values()) and self._intake.subscription(topic) is None:
            if packet_id is not None:
                self._intake.spare(connection, packet_id)
            return
        self._intake.message(connection, topic, payload, packet_id, duplicate, retained)


class BrokerReach:
    """The things behind one broker."""

    def __init__(
        self, source: str, config: MqttConfig, intake: BrokerIntake, tap: Tap, talk: Talk, stats: Stats
    ) -> None:
        self.source = source
        self._config = config
        self._intake = intake
        self._tap = tap
        self._talk = talk
        self._stats = stats

    def find(self, thing: str) -> Reached | None:
        stats = self._stats.devices.get((self.source, thing))
        topic = stats.topic if stats is not None else ""
        for each in self._config.subscriptions if not topic else ():
            if clean_tag(each.thing or "") == thing and "+" not in each.topic and "#" not in each.topic:
                topic = each.topic
        subscription = self._intake.subscription(topic) if topic else None
        if subscription is None:
            return None
        named = [each.commands for each in self._config.subscriptions if each.device == subscription.config.device]
        lists = [subscription.config.commands, *(each for each in named if isinstance(each, dict))]
        allowed = tuple(dict.fromkeys(name for each in lists for name in allows(each, thing)))
        return Reached(
            thing, self.source, subscription.device, allowed, f"{self.source} {thing}", 0, thing, topic,
            partial(_own, subscription, thing), self._tell,
        )  # fmt: skip

    def things(self) -> Iterable[str]:
        """Those that have spoken and may be told something, and those that the configuration names."""
        for each in self._config.subscriptions:
            yield from each.commands if isinstance(each.commands, dict) else ()
            if each.commands and each.thing:
                yield clean_tag(each.thing)
        devices = {each.device for each in self._config.subscriptions if each.commands}
        for (source, thing), stats in self._stats.devices.items():
            if source == self.source and stats.device in devices:
                yield thing

    async def _tell(self, order: Order) -> None:
        command = order.command
        assert isinstance(command, MessageCommand)
        try:
            messages = command.encode(order.arguments, order.to)
            filters = command.answered_on(order.to)
        except EncodeError as error:
            raise NotSent(str(error)) from error
        more = [] if command.answers == "never" else [each for each in filters if not self._talk.brought(each)]
        if self._talk.link is None:
            raise NotSent(f"{self.source} is not connected")
        self._tap.expect(more)
        why = await self._talk.hear(more) if more else ""
        if why:
            self._tap.forget(each for each in more if not self._talk.heard(each))
            raise NotSent(why)

        def judge(topic: str, payload: bytes) -> Outcome | None:
            return command.judge(order.arguments, order.to, topic, payload)

        listener = self._tap.listen(filters, lambda topic, payload: order.judged(partial(judge, topic, payload)))
        try:
            if order.begins() and not self._say(messages):
                raise NotSent(f"{self.source} is not connected")
            if command.answers == "never":
                order.end(None)
            await order.result
        finally:
            self._tap.end(listener)
            if more:
                self._tap.forget(await self._talk.leave(more))

    def _say(self, messages: tuple[Publish, ...]) -> bool:
        """Publish all of them; False where there is no connection (any more)."""
        return all(self._talk.say(each) for each in messages)


def _own(subscription: Subscription, thing: str, command: str) -> tuple[Argument, ...]:
    decoder = subscription.decoder
    return decoder.arguments(command, thing) if isinstance(decoder, Adaptive) else ()
