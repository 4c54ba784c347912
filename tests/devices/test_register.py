"""Register maps: types, word orders, scales, sentinels, and how registers go together into questions."""

import pytest

from devices.spec.checksum import crc16_modbus, negated_sum8
from devices.spec.errors import DescriptionError, EncodeError
from devices.spec.events import Reading, SanityError
from devices.spec.field import Field
from devices.spec.register import Group, NumberType, Register, grouped

ANY = Field("value", "1", "Any number", optional=True)
COUNT = Field("count", "1", "A count", kind="counter")
DOOR = Field("door", "1", "A door", kind="state", states=("closed", "open"))
ALARM = Field("alarm", "1", "An alarm", kind="flag")


@pytest.mark.parametrize(
    ("register", "raw", "value"),
    [
        (Register(0, ANY), "ff9b", 65435.0),
        (Register(0, ANY, "i16"), "ff9b", -101.0),
        (Register(0, ANY, "i16", scale=0.1), "ff9b", -10.1),
        (Register(0, ANY, scale=0.1), "0292", 65.8),
        (Register(0, ANY, scale=0.001), "0659", 1.625),
        (Register(0, ANY, scale=10), "0007", 70.0),
        (Register(0, ANY, scale=0.5, offset=-40), "0064", 10.0),
        (Register(0, ANY, scale=-1), "0007", -7.0),
        (Register(0, ANY, "u32"), "00010002", 65538.0),
        (Register(0, ANY, "u32", order="low"), "00020001", 65538.0),
        (Register(0, ANY, "i32"), "fffffffe", -2.0),
        (Register(0, ANY, "i32", order="low"), "fffeffff", -2.0),
        (Register(0, ANY, "u64", order="low"), "0004000300020001", 281483566841860.0),
        (Register(0, ANY, "i64"), "ffffffffffffffff", -1.0),
        (Register(0, ANY, "f32"), "43663333", 230.2),
        (Register(0, ANY, "f32"), "43663334", 230.20001),
        (Register(0, ANY, "f32", order="low"), "33334366", 230.2),
        (Register(0, ANY, "f32"), "c2f6e979", -123.456),
        (Register(0, ANY, "f64"), "405edd2f1a9fbe77", 123.456),
        (Register(0, COUNT, "u32"), "00010002", 65538),
        (Register(0, DOOR), "0001", "open"),
        (Register(0, DOOR), "0007", "unknown 7"),
        (Register(0, ALARM), "0100", True),
        (Register(0, ALARM), "0000", False),
    ],
)
def test_a_number_is_read(register: Register, raw: str, value: object) -> None:
    found = register.read(bytes.fromhex(raw))
    assert (found, type(found)) == (value, type(value))
    if value != "unknown 7" and raw != "0100":
        assert register.write(found).hex() == raw


@pytest.mark.parametrize(
    ("register", "raw"),
    [
        (Register(0, ANY, absent=(0xFFFF, 0x7FFF)), "7fff"),
        (Register(0, ANY, "i16", absent=(-32768,)), "8000"),
        (Register(0, ANY, "f32"), "7fc00000"),
        (Register(0, ANY, "f32"), "ff800000"),
        (Register(0, ANY, "f64"), "7ff8000000000000"),
    ],
)
def test_no_value_is_no_value(register: Register, raw: str) -> None:
    assert register.read(bytes.fromhex(raw)) is None


def test_what_a_register_cannot_say_is_refused() -> None:
    narrow = Field("level_pct", "%", "A level", minimum=0, maximum=100)
    for register, value in (
        (Register(0, narrow), 101.0),
        (Register(0, narrow), None),
        (Register(0, ANY), -1.0),
        (Register(0, ANY), 65536.0),
        (Register(0, ANY, absent=(7,)), 7.0),
        (Register(0, DOOR), "ajar"),
        (Register(0, ANY, "f32"), float("inf")),
        (Register(0, ANY, "f32"), 1e39),
    ):
        with pytest.raises(EncodeError):
            register.write(value)
    assert Register(0, ANY, absent=(0xFFFF,)).write(None).hex() == "ffff"


def test_only_a_required_value_refuses_the_group() -> None:
    must = Field("must_v", "V", "Required", minimum=0, maximum=10)
    may = Field("may_v", "V", "Optional", minimum=0, maximum=10, optional=True)
    group = Group(5, 3, (Register(5, must), Register(7, may)))
    assert group.parse(bytes.fromhex("000300000004")) == Reading({"must_v": 3.0, "may_v": 4.0})
    assert group.parse(bytes.fromhex("00030000000b")) == Reading(
        {"must_v": 3.0}, field_errors=("may_v: 11.0 is outside 0..10",)
    )
    assert group.parse(bytes.fromhex("000b00000004")) == SanityError(
        "must_v: 11.0 is outside 0..10", bytes.fromhex("000b00000004")
    )
    assert group.pack({"must_v": 3.0, "may_v": 4.0}).hex() == "000300000004"
    with pytest.raises(EncodeError, match=r"other: not in registers 5\.\.7"):
        group.pack({"must_v": 3.0, "may_v": 4.0, "other": 1.0})


def spans(*addresses: int, number: NumberType = "f32", most: int = 125, gap: int = 0) -> list[tuple[int, int, int]]:
    registers = tuple(Register(address, ANY, number) for address in addresses)
    return [(group.first, group.length, len(group.registers)) for group in grouped(registers, most, gap)]


def test_neighbours_go_together_as_far_as_a_question_reaches() -> None:
    assert spans(0, 2, 4) == [(0, 6, 3)]
    assert spans(4, 0, 2) == [(0, 6, 3)]
    assert spans(0, 6, 12) == [(0, 2, 1), (6, 2, 1), (12, 2, 1)]
    assert spans(0, 6, 12, gap=4) == [(0, 14, 3)]
    assert spans(0, 6, 13, gap=4) == [(0, 8, 2), (13, 2, 1)]
    assert spans(*range(0, 200, 2), most=80) == [(0, 80, 40), (80, 80, 40), (160, 40, 20)]
    assert spans(0, 1, number="u16", most=1) == [(0, 1, 1), (1, 1, 1)]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: grouped((Register(0, ANY, "f32"), Register(1, COUNT)), 125, 0), "within another's"),
        (lambda: grouped((Register(0, ANY, "f64"),), 2, 0), "4 registers, at most 2 a question"),
        (lambda: Register(-1, ANY), "not within 0..65535"),
        (lambda: Register(65535, ANY, "u32"), "not within 0..65535"),
        (lambda: Register(0, ANY, scale=0), "scale 0"),
        (lambda: Register(0, Field("name", "1", "A name", kind="text")), "cannot be a text"),
    ],
)
def test_a_map_that_contradicts_itself_is_refused(make: object, words: str) -> None:
    assert callable(make)
    with pytest.raises(DescriptionError, match=words):
        make()


def test_checks_of_published_frames() -> None:
    """pymodbus tests (E2DB, as its low byte comes first); the request and answer of Eastron's and DFRobot's papers;
    Winsen's own example."""
    assert crc16_modbus(bytes.fromhex("1234234534564567")) == 0xDBE2
    assert crc16_modbus(b"123456789") == 0x4B37
    for frame in ("010404436633341b38", "0103080292ff9b03e8003857b6", "0103060292ff9b03e8d80f", "0103000000070408"):
        assert crc16_modbus(bytes.fromhex(frame)) == 0, frame
    assert negated_sum8(bytes.fromhex("86022000000000")) == 0x58
    assert negated_sum8(bytes.fromhex("86027c42000000")) == 0xBA
    assert negated_sum8(b"") == 0
