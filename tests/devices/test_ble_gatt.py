"""GATT characteristics: every table both ways, cut short, and found by whatever a topic calls it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.ble_gatt.characteristic import Characteristic
from devices.ble_gatt.parts import Intervals, Number, ValueRefused
from devices.ble_gatt.topics import CHARACTERISTICS, DESCRIBING, NOTHING, named, of_topic
from devices.spec.errors import EncodeError
from devices.spec.events import Reading, SanityError, Value
from devices.spec.field import Field
from tests.device_types import BY_NAME
from tests.devices.readings import values as drawn

DEVICE = BY_NAME["ble-gatt"]
EVERY = pytest.mark.parametrize("characteristic", CHARACTERISTICS, ids=lambda each: each.name)
BY_NUMBER = {each.uuid: each for each in CHARACTERISTICS}
UNITS = {
    "measurement_units": (("METRIC", ""), ("IMPERIAL", "")),
    "weight_unit": (("KG", "weight_kg"), ("LB", "weight_lb")),
    "height_unit": (("METERS", "height_m"), ("INCHES", "height_in")),
    "muscle_mass_unit": (("KG", "muscle_mass_kg"), ("LB", "muscle_mass_lb")),
}
NEVER_TOGETHER = ("_kg", "_lb"), ("_m", "_in"), ("_mmhg", "_kpa"), ("_c", "_f"), ("_mg_dl", "_mmol_l")


def words(characteristic: Characteristic, field: Field) -> st.SearchStrategy[Value]:
    if field.name == "rr_intervals_s":
        return st.lists(st.integers(0, 65535).map(lambda raw: raw / 1024), min_size=1, max_size=9).map(
            lambda each: "[" + ",".join(map(repr, each)) + "]"
        )
    if field.kind == "text":
        part = next(part for part in characteristic.parts if field in part.fields)
        names = [name for name in getattr(part, "names", ()) if name]
        return st.lists(st.sampled_from(names), unique=True, max_size=4).map(
            lambda said: " ".join(sorted(said, key=names.index)) or "none"
        )
    if field.step == 10:
        return st.integers(0, 10**6).map(lambda raw: raw * 10.0)
    if field.name == "user_id":
        return st.integers(0, 254)
    return drawn(field)


@EVERY
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_what_is_written_is_read(characteristic: Characteristic, data: st.DataObject) -> None:
    unit = data.draw(st.integers(0, 1))
    fields = [field for field in dict.fromkeys(characteristic.fields) if field.name not in ("rr_interval_s", "flags")]
    mine = [
        field
        for field in fields
        if not any(field.name.endswith("_" + one.strip("_")) and other_in(fields, field, one, other)
                   for pair in NEVER_TOGETHER for one, other in [(pair[1 - unit], pair[unit])])
    ]  # fmt: skip
    chosen = {field.name: data.draw(words(characteristic, field)) for field in mine if data.draw(st.booleans())}
    for name, said in UNITS.items():  # which unit it is follows from the quantity
        word, quantity = said[unit]
        if chosen.pop(name, None) is not None and (not quantity or quantity in chosen):
            chosen[name] = word
    time_ns = data.draw(st.none() | st.integers(10**9, 4 * 10**9).map(lambda s: s * 10**9))
    try:
        written = characteristic.write(chosen, time_ns)
    except EncodeError:
        return
    found = characteristic.read(written)
    assert not found.errors
    for name, value in chosen.items():
        if isinstance(value, float) and name in found.fields:
            heard = found.fields[name]
            assert isinstance(heard, float)
            assert abs(heard - value) <= rest(characteristic, name, value) + 1e-9, name
        elif name != "rr_intervals_s" and name in found.fields:
            assert found.fields[name] == value
    if characteristic.has_clock and time_ns is not None:
        assert found.time_ns == time_ns


def rest(characteristic: Characteristic, name: str, value: float) -> float:
    """How much is lost of a value that is said: half a raw step; SFLOAT has three digits."""
    part = next(part for part in characteristic.parts if any(field.name == name for field in part.fields))
    return 0.5 / part.divisor if isinstance(part, Number) else abs(value) / 400


def other_in(fields: list[Field], field: Field, one: str, other: str) -> bool:
    """Whether the same quantity is there in the other unit."""
    return any(each.name == field.name.removesuffix(one) + other for each in fields)


@EVERY
def test_a_value_cut_short_is_refused(characteristic: Characteristic) -> None:
    """But where the flags announce intervals, of which there may be any number."""
    for flags in {part.when[1] for part in characteristic.parts} | {0}:
        head = flags.to_bytes(characteristic.flags, "little") if characteristic.flags else b""
        parts = [part for part in characteristic.parts if flags & part.when[0] == part.when[1]]
        if any(isinstance(part, Intervals) for part in parts):
            continue
        body = head + bytes(sum(part.size or 0 for part in parts))
        characteristic.read(body)
        for size in range(len(body)):
            with pytest.raises(ValueRefused, match="expected"):
                characteristic.read(body[:size])
        with pytest.raises(ValueRefused, match=f"expected {len(body)} byte"):
            characteristic.read(body + b"\0")


def test_numbers_and_names_are_told_apart() -> None:
    assert len(BY_NUMBER) == len(CHARACTERISTICS) == len({each.name for each in CHARACTERISTICS})
    assert not BY_NUMBER.keys() & DESCRIBING
    for each in CHARACTERISTICS:
        for word in (f"{each.uuid:04X}", f"0x{each.uuid:04x}", f"0000{each.uuid:04x}-0000-1000-8000-00805f9b34fb",
                     each.name, each.name.upper().replace("_", " "), each.name.replace("_", "-"),
                     each.name.title().replace("_", ""), f"org.bluetooth.characteristic.{each.name}",
                     f"{each.uuid:04X} {each.name}"):  # fmt: skip
            assert named(word).characteristic is each, word


@pytest.mark.parametrize(
    ("topic", "number"),
    [
        ("ble/strap-1/2a37", 0x2A37),
        ("ble/2a19/2a37", 0x2A37),
        ("ble/strap-1/180d/2a37/value", 0x2A37),
        ("ble/strap-1/2a37/notify/raw", 0x2A37),
        ("2a37", 0x2A37),
        ("ble/Weight/0X2A9D", 0x2A9D),
    ],
)
def test_the_last_level_that_names_one(topic: str, number: int) -> None:
    assert of_topic(topic).characteristic is BY_NUMBER[number]


@pytest.mark.parametrize(
    ("topic", "number"),
    [
        ("ble/humidity/2a29", 0x2A29),
        ("ble/humidity/2BFF", 0x2BFF),
        ("ble/2a37/fb005c82-02e7-f387-1cad-8acd2d8df0c8", "fb005c82-02e7-f387-1cad-8acd2d8df0c8"),
        ("ble/strap-1/rate", None),
        ("ble/strap-1/180d", None),
        ("2a37/ble/strap-1/value", None),
        ("", None),
    ],
)
def test_what_names_none(topic: str, number: int | str | None) -> None:
    assert of_topic(topic) == (None, number)
    assert number is not None or of_topic(topic) is NOTHING


@pytest.mark.parametrize(
    ("uuid", "fields", "data"),
    [
        (0x2A37, {"heart_rate_bpm": 72.0, "sensor_contact": "NOT_SUPPORTED"}, "0048"),
        (0x2A37, {"heart_rate_bpm": 72.0, "sensor_contact": "NOT_DETECTED"}, "0448"),
        (0x2A37, {"heart_rate_bpm": 72.0, "sensor_contact": "DETECTED"}, "0648"),
        (0x2A9D, {"weight_lb": 157.0, "measurement_units": "IMPERIAL", "weight_unit": "LB"}, "01543d"),
        (0x2A9C, {"body_fat_pct": 7.0, "measurement_units": "IMPERIAL"}, "01004600"),
    ],
)
def test_words_that_the_flags_say(uuid: int, fields: dict[str, Value], data: str) -> None:
    written = BY_NUMBER[uuid].write(fields)
    assert written.hex() == data
    assert BY_NUMBER[uuid].read(written).fields.items() >= fields.items()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"weight_kg": 70.0, "measurement_units": "IMPERIAL"}, "measurement_units goes with other units than the rest"),
        ({"weight_kg": 70.0, "weight_unit": "STONE"}, "'STONE' is none of KG, LB"),
        ({"weight_kg": 70.0, "height_unit": "METERS"}, "body_mass_index_kg_m2 is missing"),
        ({"weight_kg": 70.0, "flags": 1}, "flags 1, but its fields say 0"),
    ],
)
def test_words_that_contradict_the_values(fields: dict[str, Value], words: str) -> None:
    with pytest.raises(EncodeError, match=words):
        BY_NUMBER[0x2A9D].write(fields)


def test_kilograms_and_pounds_do_not_go_together() -> None:
    with pytest.raises(EncodeError, match="height_in goes with other units than the rest"):
        BY_NUMBER[0x2A9D].write({"weight_kg": 70.0, "height_in": 68.0, "body_mass_index_kg_m2": 20.0})


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "a value of nothing"),
        ({"heart_rate_bpm": 70.0, "weight_kg": 70.0}, "no characteristic says heart_rate_bpm, weight_kg together"),
        ({"heart_rate_bpm": 65536.0}, "outside 0..65535"),
        ({"battery_pct": "full"}, "not a number"),
        ({"temperature_type": "nose"}, "is none of armpit"),
        ({"sensor_status": "lost", "spo2_pct": 97.0}, "'lost' is not one that it says"),
    ],
)
def test_what_no_characteristic_says(fields: dict[str, Value], words: str) -> None:
    with pytest.raises(EncodeError, match=words):
        DEVICE.encode(Reading(fields))  # type: ignore[union-attr]


def test_a_long_payload_is_refused_at_once() -> None:
    (event,) = DEVICE.decode("ble/strap-1/2a37", b"0" * 8193, 0)  # type: ignore[union-attr]
    assert isinstance(event, SanityError)
    assert event.detail == "expected a payload of at most 8192 bytes, got 8193"


def test_a_time_decides_for_the_characteristic_that_says_times() -> None:
    fields: dict[str, Value] = {"spo2_pct": 98.0, "pulse_rate_bpm": 60.0}
    assert DEVICE.encode(Reading(dict(fields))).hex() == "0062003c00"  # type: ignore[union-attr]
    timed = DEVICE.encode(Reading(fields, 1_735_065_015 * 10**9))  # type: ignore[union-attr]
    assert timed.hex() == "0162003c00e8070c18121e0f"
