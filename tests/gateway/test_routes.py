"""Topic patterns against topic names."""

import pytest

from devices.spec.device import MessageDevice
from devices.spec.sequence import Sequence
from gateway.config import SubscriptionConfig
from gateway.decode.subscription import Subscription
from gateway.routes import overlap, topic_filter

DEVICE = MessageDevice(
    name="none", title="", domain="park", source="", fields=(), expected_every_s=1.0, sequence=Sequence(()),
    topic="", decode=lambda topic, payload, received_ns: [], encode=lambda reading: b"",
)  # fmt: skip


@pytest.mark.parametrize(
    ("pattern", "topic", "thing"),
    [
        ("v3/+/devices/{thing}/up", "v3/app@ttn/devices/lamp-1/up", "lamp-1"),
        ("v3/+/devices/{thing}/up", "v3/app@ttn/devices/lamp-1/down", None),
        ("v3/+/devices/{thing}/up", "v3/a/b/devices/lamp-1/up", None),
        ("park/{thing}/#", "park/lamp-1", "lamp-1"),
        ("park/{thing}/#", "park/lamp-1/a/b", "lamp-1"),
        ("park/{thing}/#", "parks/lamp-1", None),
        ("$share/g/park/{thing}", "park/lamp-1", "lamp-1"),
        ("$share/g/#", "anything/at/all", ""),
        ("#", "$SYS/broker/load", None),
        ("+/x", "$SYS/x", None),
        ("a.b/+", "a.b/c", ""),
        ("a.b/+", "axb/c", None),
        ("park/+", "park/line\nbreak", ""),
        ("park/+", "park/", ""),
    ],
)
def test_topic_leads_to_thing(pattern, topic, thing):
    assert Subscription(SubscriptionConfig(pattern, "none"), DEVICE).thing(topic) == thing


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ("park/#", "park/post-01/senml", True),
        ("park/{thing}", "park/post-01", True),
        ("park/{thing}", "park/+", True),
        ("park/{thing}/a", "park/{thing}/b", False),
        ("park/#", "park", True),
        ("park/+", "park", False),
        ("+/up", "park/#", True),
        ("$share/g/park/#", "park/x", True),
        ("a/+/c", "a/b/+", True),
        ("a/+/c", "a/b/d", False),
    ],
)
def test_patterns_that_match_the_same_topic(one, other, meet):
    assert overlap(one, other) is meet
    assert overlap(other, one) is meet


def test_the_filter_that_is_subscribed():
    assert topic_filter("$share/g/v3/+/devices/{thing}/up") == "$share/g/v3/+/devices/+/up"
