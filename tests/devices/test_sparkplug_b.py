"""Sparkplug B beyond its examples: published vectors, sessions, births that are missed and asked for, hostile bytes."""

import json
import random
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.sparkplug_b import count
from devices.sparkplug_b.device import DEVICE, MOST_NODES, Family
from devices.sparkplug_b.encode import aliased, aliases_of, birth, death, encode
from devices.sparkplug_b.node import ASK_AGAIN_S, MOST_KEPT, WAIT_S
from devices.spec.errors import EncodeError
from devices.spec.events import Empty, Fetch, Publish, Reading, SanityError
from tests.devices.published import payload, published

T = 1_700_000_000_000_000_000
S = 1_000_000_000
NAMES = {"bdSeq": "bd_seq", "Node Control/Rebirth": "node_control_rebirth_flag", "Temperature": "temperature"}


def ours(name: str, value: Any) -> str:
    """The field of a metric of the specification's JSON, by the rule of names."""
    stem = name.lower().replace("/", "_").replace(" ", "_")
    return NAMES.get(name) or stem + ("_flag" if isinstance(value, bool) else "_text" if isinstance(value, str) else "")


@pytest.mark.parametrize("vector", published("sparkplug-b"), ids=lambda vector: vector["id"])
def test_published_vector(vector: dict[str, Any]) -> None:
    expected, topic = vector["expected"], vector["topic"]
    (reading,) = DEVICE.decode(topic, payload(vector), T)
    assert isinstance(reading, Reading)
    assert reading.fields.get("seq") == expected["seq"]
    assert reading.fields.get("message_type", topic.split("/")[2]) == topic.split("/")[2]
    metrics = expected["metrics"]
    if isinstance(metrics, dict):
        metrics = [{"name": name, "value": value} for name, value in metrics.items()]
    for metric in metrics:
        name = ours(metric["name"], metric["value"]) if "name" in metric else f"alias_{metric['alias']}"
        assert reading.fields[name] == metric["value"]
    own = {"seq", "bd_seq", "online_flag", "message_type", "metric_count"}
    assert len(reading.fields.keys() - own) == len([each for each in metrics if each.get("name") != "bdSeq"])
    stamp = vector.get("input_json", expected)["timestamp"]
    assert reading.time_ns == stamp * 1_000_000


def test_the_published_row_of_numbers_is_counted() -> None:
    (vector,) = published("sparkplug-b-sequence")
    expected = vector["expected"]
    counted = count(vector["input_json"]["seq"])
    assert (counted.messages, counted.unique) == (expected["messages"], expected["unique_seq"])
    assert {str(step): times for step, times in counted.increments.items()} == expected["increment_histogram"]
    assert (counted.gaps, counted.missing, counted.backwards) == (16, 18, 0)
    (reading,) = DEVICE.decode("", payload(vector), T)
    assert isinstance(reading, Reading)
    assert reading.fields["message_count"] == 502.0
    assert reading.fields["seq_missing_count"] == 18.0
    assert json.loads(str(reading.fields["seq_increments_text"])) == expected["increment_histogram"]


def test_the_published_row_through_a_family_misses_as_many_and_drops_none() -> None:
    (vector,) = published("sparkplug-b-sequence")
    family = Family("spBv1.0/#")
    family.decode("spBv1.0/g/NBIRTH/n", birth(Reading({"x": 0.0}, T), session=1, seq=20), T)
    read = missed = 0
    for seq in vector["input_json"]["seq"]:
        for event in family.decode("spBv1.0/g/NDATA/n", encode(Reading({"x": 1.0, "seq": seq}, T)), T):
            if isinstance(event, Reading):
                read += 1
                missed += int(event.fields.get("messages_missed", 0))
    assert (read, missed) == (502, 18)


class Node:
    """A node in a test; `family` hears it."""

    def __init__(self, family: Family, name: str = "edge") -> None:
        self.family, self.name, self.seq = family, name, 0

    def say(self, kind: str, data: bytes, at_s: float = 0, retained: bool = False) -> list[Any]:
        take = self.family.retained if retained else self.family.decode
        topic = f"spBv1.0/plant/{kind.partition('/')[0]}/{self.name}"
        device = kind.partition("/")[2]
        return [*take(f"{topic}/{device}" if device else topic, data, T + round(at_s * S))]

    def born(self, at_s: float = 0, session: int = 1, **values: float) -> list[Any]:
        self.seq = 0
        return self.say("NBIRTH", birth(Reading(dict(values), T), session=session, with_aliases=True), at_s)

    def data(self, at_s: float = 0, kind: str = "NDATA", skip: int = 0, **values: float) -> list[Any]:
        self.seq = (self.seq + 1 + skip) % 256
        reading = Reading({**values, "seq": self.seq}, T)
        return self.say(kind, aliased(encode(reading), aliases_of(Reading(dict(values)))), at_s)


def asks(events: list[Any]) -> list[str]:
    return [event.topic for event in events if isinstance(event, Publish)]


def test_data_before_a_birth_is_kept_and_the_node_asked_at_growing_pauses() -> None:
    node = Node(Family("spBv1.0/#"))
    events = node.data(0, x=1.0)
    assert [type(event) for event in events] == [Empty, Publish]
    ask = events[1]
    assert ask.topic == "spBv1.0/plant/NCMD/edge"
    assert ask.qos == 0
    said = DEVICE.decode(ask.topic, ask.payload, T)
    assert said == [Reading({"node_control_rebirth_flag": True}, T, "edge", {"group_id": "plant"})]
    asked = [at for at in range(1, 100) if asks(node.data(at, x=1.0))]
    assert asked == [10, 30, 70]
    assert ASK_AGAIN_S == (10, 20, 40, 80, 160, 320, 600)


def test_what_waited_is_read_in_its_order_with_its_own_time() -> None:
    node = Node(Family("spBv1.0/#"))
    node.data(0, x=1.0)
    node.data(1, x=2.0)
    events = node.born(2, x=3.0)
    assert [event.fields.get("x") for event in events] == [3.0, 1.0, 2.0]
    assert node.family.flush() == []


def test_what_waits_too_long_or_has_to_make_room_is_refused_with_its_bytes() -> None:
    family = Family("spBv1.0/#")
    node = Node(family)
    first = node.data(0, x=1.0)[0].data
    late = [event for event in node.data(WAIT_S + 1, x=1.0) if isinstance(event, SanityError)]
    assert late == [SanityError("NDATA of 'edge': no birth has come for 60 s", first)]
    for _ in range(MOST_KEPT):
        events = node.data(WAIT_S + 2, x=1.0)
    assert isinstance(events[1], SanityError)
    assert events[1].detail == "NDATA of 'edge': too many wait for a birth"
    left = family.flush()
    assert len(left) == MOST_KEPT
    assert family.flush() == []


def test_a_gap_is_counted_and_the_births_asked_for_and_the_data_stored() -> None:
    node = Node(Family("spBv1.0/#"))
    node.born(0, x=0.0)
    assert [event.fields for event in node.data(1, x=1.0)] == [{"seq": 1, "x": 1.0}]
    events = node.data(2, skip=3, x=2.0)
    assert events[0].fields == {"seq": 5, "messages_missed": 3, "x": 2.0}
    assert asks(events) == ["spBv1.0/plant/NCMD/edge"]
    assert [event.fields for event in node.data(3, x=3.0)] == [{"seq": 6, "x": 3.0}]


def test_numbers_go_round() -> None:
    node = Node(Family("spBv1.0/#"))
    node.born(0, x=0.0)
    for _ in range(600):
        (event,) = node.data(1, x=1.0)
        assert "messages_missed" not in event.fields
    assert node.seq == 600 % 256


def test_a_repeated_number_is_no_gap_and_nothing_is_dropped() -> None:
    node = Node(Family("spBv1.0/#"))
    node.born(0, x=0.0)
    node.data(1, x=1.0)
    node.seq = 0
    events = node.data(1, x=1.0)
    assert events[0].fields == {"seq": 1, "x": 1.0}


def test_a_zero_that_a_sender_leaves_out_is_due_after_255_and_refused_elsewhere() -> None:
    node = Node(Family("spBv1.0/#"))
    node.born(0, x=0.0)
    plain = encode(Reading({"x": 1.0}, T))[:-2]  # without its last two bytes, the number
    node.seq = 254
    node.data(0, x=1.0)
    events = node.say("NDATA", plain)
    assert [event.fields for event in events] == [{"x": 1.0}]
    node.seq = 0
    assert "messages_missed" not in node.data(0, x=1.0)[0].fields
    (refused,) = node.say("NDATA", plain)
    assert refused.detail == "NDATA: seq is missing, expected 2: the payload breaks off?"


def test_a_node_that_does_not_number_its_messages_is_read() -> None:
    family = Family("spBv1.0/#")
    plain = encode(Reading({"x": 1.0}, T))[:-2]
    family.decode("spBv1.0/g/NBIRTH/n", plain, T)
    for _ in range(3):
        assert [type(event) for event in family.decode("spBv1.0/g/NDATA/n", plain, T)] == [Reading]


def test_a_device_is_born_after_its_node_and_dies_with_it() -> None:
    node = Node(Family("spBv1.0/#"))
    node.born(0)
    device = birth(Reading({"level": 1.0}, T), seq=1)
    (born,) = node.say("DBIRTH/tank", device)
    assert (born.thing, born.fields["online_flag"], born.standing) == ("edge/tank", True, True)
    node.seq = 1
    data = encode(Reading({"level": 2.0, "seq": 2}, T))
    assert [event.fields for event in node.say("DDATA/tank", data)] == [{"seq": 2, "level": 2.0}]
    waits = node.say("DDATA/pump", encode(Reading({"level": 2.0, "seq": 3}, T)))
    assert isinstance(waits[0], Empty)
    died = node.say("NDEATH", death(1, 5), 9)
    gone = {event.thing: event for event in died if isinstance(event, Reading)}
    assert gone.keys() == {"edge", "edge/tank", "edge/pump"}
    assert all(event.fields["online_flag"] is False for event in gone.values())
    assert all(event.standing and event.time_ns is None for event in gone.values())
    (refused,) = [event for event in died if isinstance(event, SanityError)]
    assert refused.detail == "DDATA of 'edge/pump': it died before its birth said what it means"
    assert isinstance(node.say("DDATA/tank", data, 20)[0], Empty)


def test_a_dead_device_alone() -> None:
    node = Node(Family("spBv1.0/#"))
    node.born(0)
    node.say("DBIRTH/tank", birth(Reading({"level": 1.0}, T), seq=1))
    (died,) = node.say("DDEATH/tank", b'{"timestamp": 1700000000000, "seq": 2}')
    assert (died.thing, died.fields, died.time_ns) == (
        "edge/tank",
        {"online_flag": False, "message_type": "DDEATH", "seq": 2},
        T,
    )
    died_later = node.say("NDEATH", death(1, 5))
    assert [event.thing for event in died_later] == ["edge"]


def test_a_new_birth_of_the_node_asks_for_those_of_its_devices() -> None:
    node = Node(Family("spBv1.0/#"))
    node.born(0)
    node.say("DBIRTH/tank", birth(Reading({"level": 1.0}, T), seq=1))
    node.born(5, session=2)
    waits = node.say("DDATA/tank", encode(Reading({"level": 2.0, "seq": 1}, T)), 6)
    assert isinstance(waits[0], Empty)
    again = node.say("DBIRTH/tank", birth(Reading({"level": 1.0}, T), seq=2), 7)
    assert [event.fields["level"] for event in again] == [1.0, 2.0]


def test_a_death_of_an_earlier_session_changes_nothing() -> None:
    node = Node(Family("spBv1.0/#"))
    node.born(0, session=7, x=0.0)
    (stale,) = node.say("NDEATH", death(6, 5))
    assert stale == Empty("a death of session 6, which is over: it is 7", death(6, 5), "edge")
    assert [event.fields for event in node.data(1, x=1.0)] == [{"seq": 1, "x": 1.0}]
    assert [event.fields["online_flag"] for event in node.say("NDEATH", death(7, 5))] == [False]


def test_a_death_before_any_birth_counts() -> None:
    (died,) = Node(Family("spBv1.0/#")).say("NDEATH", death(6, 5))
    assert died.fields == {"online_flag": False, "message_type": "NDEATH", "bd_seq": 6}


def test_after_a_new_session_of_the_broker_every_node_is_asked_and_its_aliases_are_not_believed() -> None:
    family = Family("spBv1.0/#")
    nodes = [Node(family, name) for name in ("a", "b")]
    for node in nodes:
        node.born(0, x=0.0)
    assert family.connected(False) == []
    assert asks(nodes[0].data(1, x=1.0)) == []
    assert family.connected(True) == []
    events = nodes[0].data(2, x=1.0)
    assert isinstance(events[0], Empty)
    assert sorted(asks(events)) == ["spBv1.0/plant/NCMD/a", "spBv1.0/plant/NCMD/b"]
    assert asks(nodes[1].data(3, x=1.0)) == []


def test_a_metric_that_is_not_as_it_was_born_is_left_out_and_the_births_asked_for_but_not_all_the_time() -> None:
    node = Node(Family("spBv1.0/#"))
    node.born(0, x=0.0)
    bad = bytes.fromhex("0880d095ffbc31120b1064200c7a0568656c6c6f1801")  # alias 100 as a text
    events = node.say("NDATA", bad)
    assert events[0].field_errors == ("x: expected a number, got text 'hello'",)
    assert asks(events) == ["spBv1.0/plant/NCMD/edge"]
    node.born(1, x=0.0)
    assert asks(node.say("NDATA", bad, 2)) == []
    assert asks(node.say("NDATA", bad, 12)) == ["spBv1.0/plant/NCMD/edge"]
    assert asks(node.say("NDATA", bad, 20)) == []


def test_a_birth_that_the_broker_has_kept_gives_way_to_a_live_one() -> None:
    node = Node(Family("spBv1.0/#"))
    kept = birth(Reading({"x": 1.0}, T), session=1, with_aliases=True)
    (old,) = node.say("NBIRTH", kept, retained=True)
    assert (old.fields, old.standing) == ({"node_control_rebirth_flag": False, "x": 1.0}, False)
    assert [event.fields for event in node.data(1, x=2.0)] == [{"seq": 1, "x": 2.0}]
    node.born(2, y=1.0)
    assert [event.fields for event in node.data(3, y=2.0)] == [{"seq": 1, "y": 2.0}]
    assert isinstance(node.say("NDATA", encode(Reading({"y": 1.0, "seq": 9}, T)), retained=True)[0], Empty)


def test_nodes_of_a_prefix_are_asked_below_it() -> None:
    events = Family("lake/spBv1.0/#").decode("lake/spBv1.0/g/NDATA/n", encode(Reading({"x": 1.0}, T)), T)
    assert asks([*events]) == ["lake/spBv1.0/g/NCMD/n"]


def test_nodes_are_bounded() -> None:
    family = Family("spBv1.0/#")
    for number in range(MOST_NODES):
        family.decode(f"spBv1.0/g/NBIRTH/{number}", birth(Reading({}, T), session=1), T)
    (refused,) = family.decode("spBv1.0/g/NBIRTH/more", birth(Reading({}, T), session=1), T)
    assert isinstance(refused, SanityError)
    assert refused.detail == "more than 1000 nodes below one subscription"


def test_names_that_are_alike_keep_their_numbers() -> None:
    family = Family("spBv1.0/#")
    said = {"timestamp": 1, "seq": 0, "metrics": [{"name": name, "dataType": "Double", "value": 1.0}
                                                  for name in ("A/B", "A_B", "seq", "Online")]}  # fmt: skip
    (born,) = family.decode("spBv1.0/g/NBIRTH/n", json.dumps(said).encode(), T)
    assert isinstance(born, Reading)
    assert {"a_b", "a_b_2", "seq_value", "online_value"} < born.fields.keys()
    one = {"timestamp": 2, "seq": 1, "metrics": [{"name": "A_B", "value": 3.0}]}
    (data,) = family.decode("spBv1.0/g/NDATA/n", json.dumps(one).encode(), T)
    assert isinstance(data, Reading)
    assert data.fields == {"seq": 1, "a_b_2": 3.0}


def test_what_inflates_without_end_is_refused() -> None:
    import zlib

    from devices.sparkplug_b.schema import payload as message

    bomb = message()(uuid="SPBV1.0_COMPRESSED", body=zlib.compress(bytes(40 << 20)))
    (event,) = DEVICE.decode("spBv1.0/g/NDATA/n", bomb.SerializeToString(), T)
    assert isinstance(event, SanityError)
    assert event.detail == "NDATA: compressed payload: more than 16 MiB"
    inside = message()(uuid="SPBV1.0_COMPRESSED", body=zlib.compress(bomb.SerializeToString()[:0] + bytes(0)))
    nested = message()(uuid="SPBV1.0_COMPRESSED", body=zlib.compress(inside.SerializeToString()))
    (event,) = DEVICE.decode("spBv1.0/g/NDATA/n", nested.SerializeToString(), T)
    assert isinstance(event, SanityError)
    assert event.detail == "NDATA: a compressed payload in a compressed payload"


@pytest.mark.parametrize("fields", [{"Not Snake": 1.0}, {"door": True}, {"door": "open"}])
def test_what_no_payload_can_say(fields: dict[str, Any]) -> None:
    with pytest.raises(EncodeError, match="would be read as another name"):
        encode(Reading(fields, T))


def varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out += bytes((number & 127 | 128,))
        number >>= 7
    return out + bytes((number,))


def field(number: int, value: int | float | bytes) -> bytes:
    """A field of protobuf's wire format, by hand."""
    if isinstance(value, float):
        return varint(number << 3 | 1) + struct.pack("<d", value)
    if isinstance(value, bytes):
        return varint(number << 3 | 2) + varint(len(value)) + value
    return varint(number << 3) + varint(value)


metrics = st.lists(
    st.tuples(st.from_regex(r"[a-z][a-z]{1,8}", fullmatch=True), st.floats(allow_nan=False, allow_infinity=False)),
    min_size=1,
    max_size=8,
    unique_by=lambda metric: metric[0],
)


@settings(max_examples=200, deadline=None)
@given(metrics, st.integers(0, 255), st.integers(0, 1 << 42))
def test_bytes_written_by_hand(said: list[tuple[str, float]], seq: int, time_ms: int) -> None:
    parts = [field(2, field(1, name.encode()) + field(4, 10) + field(13, value)) for name, value in said]
    data = field(1, time_ms) + b"".join(parts) + field(3, seq)
    (reading,) = DEVICE.decode("spBv1.0/g/NDATA/n", data, T)
    assert isinstance(reading, Reading)
    expected = {f"{name}_value" if name in ("seq", "time", "thing", "online") else name: value for name, value in said}
    assert reading.fields == {"seq": seq, **{{"pm": "pm"}.get(name, name): value for name, value in expected.items()}}
    assert reading.time_ns == time_ms * 1_000_000


def test_any_bytes_into_a_family_end_in_events() -> None:
    chance = random.Random(5)
    plain = [
        birth(Reading({"x": 1.0, "on_flag": True, "word_text": "w"}, T), session=1, with_aliases=True),
        birth(Reading({"x": 1.0}, T), seq=1),
        encode(Reading({"x": 1.0, "seq": 2}, T)),
        death(1, 5),
        json.dumps({"timestamp": 5, "seq": 3, "metrics": [{"name": "A", "dataType": "Int8", "value": 5}]}).encode(),
    ]
    family = Family("spBv1.0/#")
    for number in range(6000):
        data = bytearray(chance.choice(plain))
        for _ in range(chance.randint(0, 3)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        if chance.random() < 0.1:
            del data[chance.randrange(len(data)) :]
        kind = chance.choice(
            ["NBIRTH/n", "NDATA/n", "NDEATH/n", "DBIRTH/n/d", "DDATA/n/d", "DDEATH/n/d", "NCMD/n", "x"]
        )
        take = family.retained if chance.random() < 0.1 else family.decode
        for event in take(f"spBv1.0/g/{kind}", bytes(data), T + number * S):
            assert isinstance(event, Reading | Empty | SanityError | Publish)
            assert not isinstance(event, Fetch)
    assert all(isinstance(event, SanityError) for event in family.flush())
