"""Payload tables: scales, absent values, bits over several bytes, what cannot be said."""

from dataclasses import replace

import pytest

from devices.spec.errors import DescriptionError, EncodeError
from devices.spec.events import Reading, SanityError, Value
from devices.spec.field import Field
from devices.spec.payload import BitItem, Item, Payload

TEMPERATURE = Field("temperature_c", "Cel", "x", minimum=-40, maximum=85, step=0.1)
COUNT = Field("count", "1", "x", kind="counter", minimum=0, maximum=255, step=1)
LEVEL = Field("level", "1", "x", minimum=0, maximum=254, step=1, optional=True)
LAMP = Field("lamp", "1", "x", kind="flag")
TABLE = Payload(
    "<",
    1,
    (Item("h", TEMPERATURE, divisor=10, absent=(-32768,)), Item("B", fill=0x80), Item("B", COUNT), Item("B")),
    (BitItem(LEVEL, ((2, 0, 1), (4, 0, 7)), absent=(255,)), BitItem(LAMP, ((2, 6, 1),))),
)


def test_both_ways() -> None:
    fields: dict[str, Value] = {"temperature_c": -10.1, "count": 7, "level": 200.0, "lamp": True}
    body = bytes.fromhex("9bff c1 07 48")
    assert TABLE.size == 5
    assert TABLE.parse(b"\x00" + body) == fields
    assert TABLE.pack(fields) == body


def test_counters_are_whole_measures_are_not() -> None:
    fields = TABLE.parse(bytes.fromhex("00 0000 80 00 00"))
    assert fields == {"temperature_c": 0.0, "count": 0, "level": 0.0, "lamp": False}
    assert [type(value) for value in fields.values()] == [float, int, float, bool]


def test_no_value_is_absent_and_back() -> None:
    body = bytes.fromhex("0080 81 05 7f")
    assert TABLE.parse(b"\x00" + body) == {"count": 5, "lamp": False}
    assert TABLE.pack({"count": 5, "lamp": False}) == body


def test_an_offset_is_added_before_dividing() -> None:
    celsius = Field("temperature_c", "Cel", "x", minimum=-40, maximum=60, step=1)
    battery = Field("battery_v", "V", "x", minimum=1.6, maximum=3.646, step=0.001)
    power = Field("power_dbm", "dBm", "x", minimum=-40, maximum=20, step=2)
    table = Payload(
        ">",
        0,
        (Item("B", celsius, offset=-40), Item("H")),
        (BitItem(battery, ((1, 0, 8), (2, 5, 3)), 1000, (0x7FF,), 1600), BitItem(power, ((2, 0, 5),), 0.5, (31,), -20)),
    )
    body = bytes.fromhex("3f ac36")
    fields: dict[str, Value] = {"temperature_c": 23.0, "battery_v": 2.977, "power_dbm": 4.0}
    assert table.parse(body) == fields
    assert table.both(body) == (fields, None)
    assert table.pack(fields) == body
    with pytest.raises(EncodeError, match=r"battery_v: 1.5 is outside 1.6..3.646"):
        table.pack(fields | {"battery_v": 1.5})
    assert Payload(">", 0, (Item("B", celsius, offset=-40),)).both(b"\x3f") == ({"temperature_c": 23.0}, None)


def test_values_the_device_cannot_say_are_named() -> None:
    assert TABLE.outside({"temperature_c": 85.1}) == "temperature_c: 85.1 is outside -40..85"
    assert TABLE.outside({"temperature_c": 85.0, "count": 255}) is None


def test_an_optional_value_that_cannot_be_is_left_out_and_a_required_one_refuses() -> None:
    level = Field("level", "1", "Level", minimum=0, maximum=200, step=1)
    table = Payload("<", 1, (Item("h", replace(TEMPERATURE, optional=True), 10), Item("B", level)))
    hot = bytes.fromhex("00 5303 c8")
    assert table.event(hot, table.parse(hot)) == Reading(
        {"level": 200.0}, field_errors=("temperature_c: 85.1 is outside -40..85",)
    )
    full = bytes.fromhex("00 0000 c9")
    assert table.event(full, table.parse(full)) == SanityError("level: 201.0 is outside 0..200", full)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"temperature_c": 85.06}, "outside -40..85"),
        ({"temperature_c": float("nan")}, "not a number"),
        ({"temperature_c": "warm"}, "not a number"),
        ({"count": None}, "count is missing"),
        ({"colour": 1.0}, "colour: not in this frame"),
        ({"level": 255.0}, "outside 0..254"),
    ],
)
def test_what_cannot_be_said_is_refused(change: dict[str, Value | None], words: str) -> None:
    fields: dict[str, Value] = {"temperature_c": 20.0, "count": 7, "level": 200.0, "lamp": True}
    for name, value in change.items():
        if value is None:
            del fields[name]
        else:
            fields[name] = value
    with pytest.raises(EncodeError, match=words):
        TABLE.pack(fields)


@pytest.mark.parametrize(
    ("field", "divisor", "words"),
    [
        (TEMPERATURE, 100, "not one raw step"),
        (Field("x", "1", "x", minimum=0, maximum=70000, step=1), 1, "does not fit the frame"),
    ],
)
def test_a_table_that_contradicts_its_field_is_refused(field: Field, divisor: int, words: str) -> None:
    with pytest.raises(DescriptionError, match=words):
        Payload(">", 0, (Item("H", field, divisor=divisor),))


def test_a_table_writes_the_text_of_its_fields_as_a_line_has_them() -> None:
    small = Field("small", "1", "", minimum=0, maximum=255, step=1)
    tenth = Field("tenth_c", "Cel", "", minimum=-3276.8, maximum=3276.7, step=0.1)
    cents = Field("cents_v", "V", "", minimum=0, maximum=655.35, step=0.01)
    count = Field("count", "1", "", kind="counter", minimum=0, maximum=65535, step=1)
    table = Payload(
        ">", 1, (Item("B", small), Item("h", tenth, divisor=10), Item("H", cents, divisor=100), Item("H", count))
    )
    for frame, text in (
        ("00 00 0000 0000 0000", "small=0.0,tenth_c=0.0,cents_v=0.0,count=0i"),
        ("00 07 ffcb 00d2 0102", "small=7.0,tenth_c=-5.3,cents_v=2.1,count=258i"),
        ("00 ff 8000 ffff ffff", "small=255.0,tenth_c=-3276.8,cents_v=655.35,count=65535i"),
        ("00 01 7fff 0001 0001", "small=1.0,tenth_c=3276.7,cents_v=0.01,count=1i"),
    ):
        data = bytes.fromhex(frame)
        assert table.both(data) == (table.parse(data), text)
        event = table.event(data, *table.both(data))
        assert isinstance(event, Reading)
        assert (event.fields, event.text) == (table.parse(data), text)


def test_a_value_that_is_left_out_is_not_in_the_text_either() -> None:
    narrow = Field("humidity_pct", "%", "", minimum=0, maximum=100, step=0.1, optional=True)
    table = Payload(">", 0, (Item("H", narrow, divisor=10),))
    data = bytes.fromhex("03e9")
    event = table.event(data, *table.both(data))
    assert event == Reading({}, field_errors=("humidity_pct: 100.1 is outside 0..100",))


def test_a_table_with_bits_or_wide_numbers_has_no_text() -> None:
    wide = Field("energy_j", "J", "", minimum=0, maximum=4294967295, step=1)
    assert Payload(">", 0, (Item("I", wide),)).both(bytes(4)) == ({"energy_j": 0.0}, None)
