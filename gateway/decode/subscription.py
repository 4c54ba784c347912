"""A configured subscription: which topics it takes, which thing they name, what decodes them.

Where a type's messages explain each other, the decoder's state is that of this subscription at this
broker.
"""

import re

from devices.spec.device import MessageDecoder, MessageDevice
from gateway.config import SubscriptionConfig
from gateway.decode.coded import Codecs, CodedDecoder
from gateway.intake import MOST_FETCHED
from gateway.routes import matcher, topic_filter


class Subscription:
    """One configured subscription with its device type and matcher."""

    __slots__ = ("_fetched", "_match", "config", "decoder", "device")

    def __init__(self, config: SubscriptionConfig, device: MessageDevice, codecs: Codecs | None = None) -> None:
        self.config = config
        self.device = device
        self._match = matcher(config.topic).match
        self._fetched: dict[str, re.Pattern[str]] = {}
        topic = config.topic.split("/", 2)[2] if config.topic.startswith("$share/") else config.topic
        self.decoder: MessageDecoder
        if codecs is None or device.decode_coded is None:
            self.decoder = device.decoder(topic_filter(topic))
        else:
            self.decoder = CodedDecoder(device, codecs, lambda topic: self.thing(topic) or config.thing or "")

    def fetch(self, pattern: str) -> None:
        """What the decoder has asked for is its own, too, whatever the configured topic takes."""
        if pattern not in self._fetched and len(self._fetched) < MOST_FETCHED:
            self._fetched[pattern] = matcher(pattern)

    def fetched(self, topic: str) -> bool:
        return any(pattern.match(topic) for pattern in self._fetched.values())

    def thing(self, topic: str) -> str | None:
        """The thing that a topic name names; empty where it names none (the payload, or else the
        config says). None where the topic does not match."""
        match = self._match(topic)
        if match is None:
            return None
        if self.device.family is not None:
            return ""  # its decoder says
        return match.groupdict().get("thing") or ""
