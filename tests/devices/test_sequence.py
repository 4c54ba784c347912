"""Audit counts: embedded, taken out, and compared with what was sent."""

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.spec.device import StreamDevice
from devices.spec.errors import DescriptionError, EncodeError
from devices.spec.events import Reading
from devices.spec.field import Field
from devices.spec.sequence import Audit, Bits, ListBits, Sequence, audit
from tests.device_types import DEVICES
from tests.devices.readings import readings

STREAMS = [device for device in DEVICES if isinstance(device, StreamDevice)]
TWO_FIELDS = Sequence((Bits("a", 2, 0.1), Bits("b", 3)))


def test_the_low_bits_are_replaced_the_rest_stays() -> None:
    assert TWO_FIELDS.modulus == 32
    assert TWO_FIELDS.embed({"a": 4.7, "b": 100.0, "c": 9.0}, 0) == {"a": 4.4, "b": 96.0, "c": 9.0}
    assert TWO_FIELDS.embed({"a": 4.7, "b": 100.0}, 0b101_10) == {"a": 4.6, "b": 101.0}
    assert TWO_FIELDS.extract({"a": 4.6, "b": 101.0}) == 0b101_10
    assert TWO_FIELDS.extract({"a": 4.6}) is None
    assert TWO_FIELDS.extract({"a": 4.6, "b": None}) is None


def test_a_count_wraps_at_the_modulus() -> None:
    assert TWO_FIELDS.embed({"a": 0.0, "b": 0.0}, 33) == TWO_FIELDS.embed({"a": 0.0, "b": 0.0}, 1)


def test_a_value_at_the_edge_stays_inside() -> None:
    edge = Sequence((Bits("a", 4, 0.1, minimum=0.1, maximum=999.0),))
    assert edge.embed({"a": 999.0}, 15)["a"] == 998.3
    assert edge.embed({"a": 0.1}, 0)["a"] == 1.6
    assert edge.extract({"a": 998.3}) == 15
    assert edge.extract({"a": 1.6}) == 0


def test_negative_values_carry_too() -> None:
    place = Sequence((Bits("a", 4, 0.1),))
    for number in range(16):
        assert place.extract(place.embed({"a": -12.3}, number)) == number


def test_the_first_place_whose_fields_are_there_is_used() -> None:
    several = Sequence((Bits("a", 4),), ((Bits("b", 2), Bits("c", 2)),))
    assert several.extract(several.embed({"b": 8.0, "c": 8.0}, 9)) == 9
    assert several.embed({"b": 8.0, "c": 8.0}, 9) == {"b": 9.0, "c": 10.0}
    assert several.extract({"c": 8.0}) is None


def test_places_of_different_width_are_refused() -> None:
    with pytest.raises(DescriptionError, match="same number of bits"):
        Sequence((Bits("a", 4),), ((Bits("b", 3),),))


def test_a_field_without_room_is_refused() -> None:
    with pytest.raises(DescriptionError, match="no room for 4 bits"):
        Bits.of(Field("a", "1", "x", minimum=0, maximum=20, step=1), 4)


def test_a_list_carries_the_count_in_its_first_entries() -> None:
    sky = Sequence((ListBits("sky", "azimuth", each=2, entries=3, maximum=359),))
    text = json.dumps([{"azimuth": 100}, {"azimuth": 359}, {"azimuth": 0}, {"azimuth": 7}])
    fields = sky.embed({"sky": text}, 0b11_01_10)
    assert [row["azimuth"] for row in json.loads(str(fields["sky"]))] == [102, 357, 3, 7]
    assert sky.extract(fields) == 0b11_01_10
    assert sky.extract({"sky": "[]"}) is None
    with pytest.raises(EncodeError, match="needs 3 entries"):
        sky.embed({"sky": "[]"}, 1)


@pytest.mark.parametrize("device", STREAMS, ids=lambda device: device.name)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_count_survives_the_wire(device: StreamDevice, data: st.DataObject) -> None:
    reading = data.draw(readings(device))
    if device.sequence.extract(reading.fields) is None:
        return  # a simulated device always says what carries the count
    number = data.draw(st.integers(0, 3 * device.sequence.modulus))
    try:
        fields = device.sequence.embed(reading.fields, number)
        frame = device.encode(Reading(fields, reading.time_ns, reading.thing, reading.tags))
    except EncodeError:
        return
    found = device.decoder().feed(frame)
    if device.sequence.extract(fields) is None:
        return
    assert len(found) == 1
    assert isinstance(found[0], Reading)
    assert device.sequence.extract(found[0].fields) == number % device.sequence.modulus


@pytest.mark.parametrize(
    ("sent", "stored", "modulus", "expected"),
    [
        (5, [0, 1, 2, 3, 4], 16, Audit(5, 5, 0, 0)),
        (0, [], 16, Audit(0, 0, 0, 0)),
        (5, [], 16, Audit(5, 0, 5, 0)),
        (5, [0, 1, 4], 16, Audit(5, 3, 2, 0)),
        (5, [0, 1, 1, 2, 3, 4], 16, Audit(5, 6, 0, 1)),
        (5, [0, 2, 1, 3, 4], 16, Audit(5, 5, 0, 0)),
        (5, [0, 0, 1, 2, 3, 4, 4], 16, Audit(5, 7, 0, 2)),
        (20, [n % 16 for n in range(20)], 16, Audit(20, 20, 0, 0)),
        (40, [n % 16 for n in range(40) if n not in (15, 16, 17)], 16, Audit(40, 37, 3, 0)),
        (40, [n % 16 for n in [*range(20), 18, 19, *range(20, 40)]], 16, Audit(40, 42, 0, 2)),
        (3, [0, 1, 2, 9], 16, Audit(3, 4, 0, 1)),
    ],
)
def test_audit(sent: int, stored: list[int], modulus: int, expected: Audit) -> None:
    assert audit(sent, stored, modulus) == expected


@settings(max_examples=300, deadline=None)
@given(modulus=st.sampled_from((16, 64, 512, 4096)), sent=st.integers(0, 2000), seed=st.integers(0, 2**32))
def test_audit_counts_losses_and_duplicates_as_injected(modulus: int, sent: int, seed: int) -> None:
    chance = random.Random(seed)
    positions: list[int] = []
    lost = duplicates = run = 0
    for number in range(sent):
        fate = chance.choice(("kept", "kept", "kept", "lost", "twice", "again"))
        if fate == "lost" and run < modulus // 2 - 2:
            lost += 1
            run += 1
            continue
        run = 0
        positions.append(number)
        if fate == "twice":
            positions.append(number)
            duplicates += 1
        elif fate == "again" and len(positions) > 3 and number - positions[-3] < modulus // 2:
            positions.append(positions[-3])
            duplicates += 1
    stored = [position % modulus for position in positions]
    assert audit(sent, stored, modulus) == Audit(sent, len(stored), lost, duplicates)
