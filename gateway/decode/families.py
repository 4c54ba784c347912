"""The decoders of a broker's subscriptions, as far as they have state: told of connections, and what they ask for."""

from devices.spec.events import Ask, Empty, Fetch, Reading
from gateway.decode.subscription import Subscription
from gateway.intake import Asks
from gateway.pipeline import Pipeline


class Families:
    """What is asked for is in `asks`, for the source to carry out."""

    def __init__(self, pipeline: Pipeline, subscriptions: list[Subscription], source: str) -> None:
        self.asks = Asks()
        self._pipeline = pipeline
        self._subscriptions = subscriptions
        self._source = source

    def connected(self, new_session: bool) -> None:
        now_ns = self._pipeline.clock.now_ns()
        for subscription in self._subscriptions:
            for ask in subscription.decoder.connected(new_session):
                self.ask(subscription, ask, now_ns)

    def ask(self, subscription: Subscription, ask: Ask, now_ns: int) -> None:
        if isinstance(ask, Fetch):
            subscription.fetch(ask.filter)
        self.asks.put(ask, now_ns)

    def end(self) -> None:
        """Nothing more comes: what was kept for later goes to the quarantine."""
        for subscription in self._subscriptions:
            for event in subscription.decoder.flush():
                if not isinstance(event, Reading | Empty):
                    self._pipeline.quarantine(self._source, subscription.device.name, "", event)
