"""A configured subscription: which topics it takes, which thing they name, what decodes them."""

from devices.spec.device import MessageDevice
from gateway.config import SubscriptionConfig
from gateway.routes import matcher


class Subscription:
    """One configured subscription with its device type and matcher."""

    __slots__ = ("_match", "config", "device")

    def __init__(self, config: SubscriptionConfig, device: MessageDevice) -> None:
        self.config = config
        self.device = device
        self._match = matcher(config.topic).match

    def thing(self, topic: str) -> str | None:
        """The thing that a topic name names; empty where it names none (the payload, or else the
        config says). None where the topic does not match."""
        match = self._match(topic)
        if match is None:
            return None
        return match.groupdict().get("thing") or ""
