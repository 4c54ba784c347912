"""A configured subscription: which topics it takes, which thing they name, what decodes them.

Where a type's messages explain each other, the decoder's state is that of this subscription at this
broker.
"""

from devices.spec.device import MessageDevice
from gateway.config import SubscriptionConfig
from gateway.routes import matcher, topic_filter


class Subscription:
    """One configured subscription with its device type and matcher."""

    __slots__ = ("_match", "config", "decoder", "device")

    def __init__(self, config: SubscriptionConfig, device: MessageDevice) -> None:
        self.config = config
        self.device = device
        self._match = matcher(config.topic).match
        topic = config.topic.split("/", 2)[2] if config.topic.startswith("$share/") else config.topic
        self.decoder = device.decoder(topic_filter(topic))

    def thing(self, topic: str) -> str | None:
        """The thing that a topic name names; empty where it names none (the payload, or else the
        config says). None where the topic does not match."""
        match = self._match(topic)
        if match is None:
            return None
        return match.groupdict().get("thing") or ""
