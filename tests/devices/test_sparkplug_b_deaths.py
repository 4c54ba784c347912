"""Nodes of Sparkplug B that die before their births have come: whom their death concerns, and that they were asked."""

import pytest

from devices.sparkplug_b.device import Family
from devices.sparkplug_b.encode import birth, death, encode
from devices.sparkplug_b.node import MOST_DEVICES
from devices.spec.events import Empty, Publish, Reading, SanityError
from tests.devices.test_sparkplug_b import Node, T


def level(seq: int) -> bytes:
    return encode(Reading({"level": 2.0, "seq": seq}, T))


def offline(node: Node) -> list[str]:
    """The things that its death takes offline."""
    events = node.say("NDEATH", death(1, 5), 9)
    gone = [event for event in events if isinstance(event, Reading)]
    assert all(event.fields["online_flag"] is False for event in gone)
    assert all(event.standing and event.time_ns is None for event in gone)
    assert all(event.tags == {"group_id": "plant"} for event in gone)
    return [event.thing or "" for event in gone]


def test_devices_of_which_only_data_has_come_die_with_their_node() -> None:
    """The gateway was started anew: their births have not come, what they say waits."""
    node = Node(Family("spBv1.0/#"))
    assert isinstance(node.say("DDATA/d1", level(8))[0], Empty)
    assert isinstance(node.say("DDATA/d2", level(9))[0], Empty)
    events = node.say("NDEATH", death(1, 5), 1)
    assert [event.thing for event in events if isinstance(event, Reading)] == ["edge", "edge/d1", "edge/d2"]
    assert [event.detail for event in events if isinstance(event, SanityError)] == [
        "DDATA of 'edge/d1': it died before its birth said what it means",
        "DDATA of 'edge/d2': it died before its birth said what it means",
    ]
    assert offline(node) == ["edge"], "each is said once"


def test_a_device_that_was_heard_of_has_died_alone_and_does_not_die_again() -> None:
    node = Node(Family("spBv1.0/#"))
    node.say("DDATA/d1", level(8))
    node.say("DDATA/d2", level(9))
    node.say("DDEATH/d1", b'{"timestamp": 1700000000000, "seq": 10}')
    assert offline(node) == ["edge", "edge/d2"]


def test_a_device_is_known_by_a_birth_that_the_broker_has_kept() -> None:
    node = Node(Family("spBv1.0/#"))
    node.say("DBIRTH/d1", birth(Reading({"level": 1.0}, T), seq=1), retained=True)
    assert offline(node) == ["edge", "edge/d1"]


def test_what_waited_longer_than_a_birth_may_take_has_been_heard_all_the_same() -> None:
    node = Node(Family("spBv1.0/#"))
    node.say("DDATA/d1", level(8))
    events = node.say("NDATA", level(9), 61)
    assert any(isinstance(event, SanityError) for event in events)
    assert offline(node) == ["edge", "edge/d1"]


def test_payloads_that_cannot_be_read_make_no_devices() -> None:
    node = Node(Family("spBv1.0/#"))
    assert isinstance(node.say("DDATA/d1", b"\xff\xff")[0], SanityError)
    assert offline(node) == ["edge"]


def test_devices_that_were_only_heard_of_are_bounded() -> None:
    node = Node(Family("spBv1.0/#"))
    for number in range(MOST_DEVICES + 10):
        node.say(f"DDATA/{number}", level(number % 256))
    assert len(offline(node)) == 1 + MOST_DEVICES == 1001


@pytest.mark.parametrize("name", ["edge", "line\nbreak"])
def test_the_first_time_that_a_node_is_asked_has_words_for_the_log(name: str) -> None:
    family = Family("spBv1.0/#")
    node, other = Node(family, name), Node(family, "other")
    asked = [
        event.words
        for at in (0, 10, 30, 5000)
        for event in (*node.data(at, x=1.0), *other.data(at, x=1.0))
        if isinstance(event, Publish)
    ]
    assert asked == [
        f"node {name!r} of group 'plant' is asked for its births",
        "node 'other' of group 'plant' is asked for its births",
        *[""] * 6,
    ]
