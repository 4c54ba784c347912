"""The decoders of a broker's subscriptions, as far as they have state: told of connections, and what they ask for."""

from devices.spec.events import Ask, Empty, Fetch, Reading
from gateway.decode.fault import DecoderFaults, Fault
from gateway.decode.subscription import Subscription
from gateway.intake import Asks
from gateway.pipeline import Pipeline


class Families:
    """What is asked for is in `asks`, for the source to carry out."""

    def __init__(
        self, pipeline: Pipeline, subscriptions: list[Subscription], source: str, faults: DecoderFaults
    ) -> None:
        self.asks = Asks()
        self._pipeline = pipeline
        self._subscriptions = subscriptions
        self._source = source
        self._faults = faults

    def connected(self, new_session: bool) -> None:
        now_ns = self._pipeline.clock.now_ns()
        for subscription in self._subscriptions:
            try:
                asks = [*subscription.decoder.connected(new_session)]
            except Exception as fault:  # noqa: BLE001  # see DecoderFaults
                self._keep(subscription, self._faults.told(subscription.device.name, fault, b""))
                continue
            for ask in asks:
                self.ask(subscription, ask, now_ns)

    def ask(self, subscription: Subscription, ask: Ask, now_ns: int) -> None:
        if isinstance(ask, Fetch):
            subscription.fetch(ask.filter)
        self.asks.put(ask, now_ns)

    def end(self) -> None:
        """Nothing more comes: what was kept for later goes to the quarantine."""
        for subscription in self._subscriptions:
            try:
                events = subscription.decoder.flush()
            except Exception as fault:  # noqa: BLE001  # see DecoderFaults
                events = [self._faults.told(subscription.device.name, fault, b"")]
            for event in events:
                if not isinstance(event, Reading | Empty):
                    self._keep(subscription, event)

    def _keep(self, subscription: Subscription, fault: Fault) -> None:
        self._pipeline.quarantine(self._source, subscription.device.name, "", fault)
