"""IEEE 11073 floats: every SFLOAT both ways, against fractions; what cannot be said; hex text."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.spec.errors import EncodeError
from devices.spec.hexed import from_hex
from devices.spec.medfloat import FLOAT, SFLOAT, Special

NO_NUMBERS = {
    "ff07": Special.NAN,
    "0008": Special.NRES,
    "fe07": Special.POSITIVE,
    "0208": Special.NEGATIVE,
    "0108": Special.RESERVED,
}
NO_LARGE_NUMBERS = {
    "ffff7f00": Special.NAN,
    "00008000": Special.NRES,
    "feff7f00": Special.POSITIVE,
    "02008000": Special.NEGATIVE,
    "01008000": Special.RESERVED,
}


def exact(raw: int, mantissa_bits: int, exponent_bits: int) -> Fraction:
    """The value by the definition, without any rounding."""
    mantissa, exponent = raw % (1 << mantissa_bits), raw >> mantissa_bits
    if mantissa >= 1 << mantissa_bits - 1:
        mantissa -= 1 << mantissa_bits
    if exponent >= 1 << exponent_bits - 1:
        exponent -= 1 << exponent_bits
    return Fraction(mantissa) * Fraction(10) ** exponent


def test_every_sfloat_is_the_nearest_double_and_comes_back() -> None:
    specials = 0
    for raw in range(1 << 16):
        data = raw.to_bytes(2, "little")
        value = SFLOAT.unpack(data)
        assert SFLOAT.unpack(SFLOAT.pack(value)) == value
        if isinstance(value, Special):
            assert NO_NUMBERS[data.hex()] is value
            specials += 1
        else:
            assert value == float(exact(raw, 12, 4))
    assert specials == 5


@settings(max_examples=500, deadline=None)
@given(st.integers(0, (1 << 32) - 1))
def test_any_float_is_the_nearest_double_and_comes_back(raw: int) -> None:
    data = raw.to_bytes(4, "little")
    value = FLOAT.unpack(data)
    if data.hex() in NO_LARGE_NUMBERS:
        assert value is NO_LARGE_NUMBERS[data.hex()]
        return
    assert value == float(exact(raw, 24, 8))
    assert FLOAT.unpack(FLOAT.pack(value)) == value


@pytest.mark.parametrize(("text", "special"), [*NO_LARGE_NUMBERS.items()])
def test_what_is_no_number_is_said_with_its_own_bytes(text: str, special: Special) -> None:
    assert FLOAT.unpack(bytes.fromhex(text)) is special
    assert FLOAT.pack(special) == bytes.fromhex(text)


def test_the_exponent_is_the_one_that_devices_take_or_the_one_asked_for() -> None:
    assert SFLOAT.pack(120.0).hex() == "7800"
    assert SFLOAT.pack(36.6).hex() == "6ef1"
    assert SFLOAT.pack(120.0, exponent=-1).hex() == "b0f4"
    assert FLOAT.pack(36.6, exponent=-2).hex() == "4c0e00fe"


def test_what_no_mantissa_says_exactly_is_said_as_near_as_may_be() -> None:
    assert SFLOAT.unpack(SFLOAT.pack(98.257)) == 98.3
    assert SFLOAT.unpack(SFLOAT.pack(2046.0)) == 2050.0
    assert FLOAT.unpack(FLOAT.pack(3.14159265)) == 3.141593


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e11, -1e11, 1e-10])
def test_what_is_beyond_the_format_is_refused(value: float) -> None:
    with pytest.raises(EncodeError, match="SFLOAT"):
        SFLOAT.pack(value)


def test_the_decimal_point_moves_without_rounding() -> None:
    assert SFLOAT.unpack(bytes.fromhex("23b0"), shift=9) == 350000.0
    assert SFLOAT.unpack(bytes.fromhex("2380"), shift=9) == 350.0
    assert SFLOAT.pack(350.0, shift=9).hex() == "2380"


@pytest.mark.parametrize("text", ["0048", "00 48", "00:48", "0x00,0x48", "0X0048", '"0048"', "00-48\n", "00\t48"])
def test_hex_text_as_bridges_write_it(text: str) -> None:
    assert from_hex(text.encode()) == b"\0H"


@pytest.mark.parametrize("text", ["", "0", "004", "00 4", "0048g", "0x", "00,,48x", "72 bpm", "{}"])
def test_what_is_no_hex_text(text: str) -> None:
    assert from_hex(text.encode()) is None
