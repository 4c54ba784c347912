"""What decoders have fetched: whose a message is, and how many filters there may be."""

from devices.spec.device import MessageDevice
from gateway.config import SubscriptionConfig
from gateway.decode.subscription import Subscription
from gateway.decode.topics import Topics
from gateway.intake import MOST_FETCHED
from tests.device_types import BY_NAME


def subscription(topic: str, device: str) -> Subscription:
    kind = BY_NAME[device]
    assert isinstance(kind, MessageDevice)
    return Subscription(SubscriptionConfig(topic, device), kind)


def test_a_configured_topic_comes_before_one_that_was_fetched() -> None:
    nodes, plain = subscription("acme/#", "acme-nodes"), subscription("park/{thing}/senml", "senml")
    nodes.fetch("park/#")
    topics = Topics([nodes, plain], 10)
    mine, other = topics.resolve("park/x/senml"), topics.resolve("park/x/else")
    assert mine is not None
    assert (mine.subscription, mine.thing) == (plain, "x")
    assert other is not None
    assert (other.subscription, other.thing) == (nodes, "")
    assert topics.resolve("elsewhere") is None


def test_so_many_filters_are_a_decoders_and_no_more() -> None:
    nodes = subscription("acme/#", "acme-nodes")
    for number in range(MOST_FETCHED + 1):
        nodes.fetch(f"x/{number}")
    assert MOST_FETCHED == 256
    assert nodes.fetched("x/255")
    assert not nodes.fetched("x/256")
