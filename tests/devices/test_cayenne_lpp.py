"""Cayenne LPP beyond its examples: published vectors, pycayennelpp as reference, round trips, as a codec of uplinks."""

import json
from typing import Any

import pytest
from cayennelpp import LppFrame
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.lorawan import lpp
from devices.lorawan.codec import Decoded, Raw
from devices.spec.errors import EncodeError
from devices.spec.events import Reading
from devices.ttn_v3.device import decode as decode_ttn
from tests.device_types import BY_NAME
from tests.devices.published import payload, published

RELAXED = settings(max_examples=300, deadline=None)
QUANTITIES = {"temperature": ("temperature", "_c", "degC"), "accelerometer": ("acceleration", "_gn", "g")}
"""The publisher's word to our quantity, ending and their unit."""
PYCAYENNELPP = {
    0: ("digital_in", ""), 1: ("digital_out", ""), 2: ("analog_in", ""), 3: ("analog_out", ""), 100: ("generic", ""),
    101: ("illuminance", "_lx"), 102: ("presence", ""), 103: ("temperature", "_c"), 104: ("humidity", "_pct"),
    113: ("acceleration", "_gn"), 115: ("pressure", "_hpa"), 116: ("voltage", "_v"), 122: ("load", "_kg"),
    133: ("unix_time", "_s"), 134: ("rotation", "_deg_s"), 136: ("gps", ""),
}  # fmt: skip
SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 100: 4, 101: 2, 102: 1, 103: 2, 104: 1, 113: 6, 115: 2, 116: 2, 122: 3, 133: 4,
         134: 6, 136: 9}  # fmt: skip


def named(number: int, channel: int, values: tuple[float, ...]) -> dict[str, float]:
    """What pycayennelpp says of one value, by our names."""
    quantity, unit = PYCAYENNELPP[number]
    if number == 136:
        ends = ("latitude_deg", "longitude_deg", "altitude_m")
    else:
        ends = ("x" + unit, "y" + unit, "z" + unit) if len(values) == 3 else (unit.removeprefix("_"),)
    names = [f"{quantity}_{channel}_{end}".rstrip("_") for end in ends]
    return dict(zip(names, values, strict=True))


@pytest.mark.parametrize("vector", published("cayenne-lpp"), ids=lambda vector: vector["id"])
def test_published_vector(vector: dict[str, Any]) -> None:
    (event,) = BY_NAME["cayenne-lpp"].decode("lpp/x", payload(vector), 0)  # type: ignore[union-attr, call-arg, arg-type]
    assert isinstance(event, Reading)
    expected = {}
    for name, wanted in vector["expected"].items():
        channel, _, word = name.partition(".")
        quantity, unit, theirs = QUANTITIES[word]
        assert wanted["unit"] == theirs
        axes = {axis: wanted[axis] for axis in "xyz"} if "x" in wanted else {"": wanted["value"]}
        expected |= {f"{quantity}_{channel}{'_' + axis if axis else ''}{unit}": value for axis, value in axes.items()}
    assert event.fields == expected


values = st.sampled_from(sorted(SIZES)).flatmap(
    lambda number: st.tuples(
        st.integers(0, 255), st.just(number), st.binary(min_size=SIZES[number], max_size=SIZES[number])
    )
)


@RELAXED
@given(st.lists(values, min_size=1, max_size=6, unique_by=lambda value: value[:2]))
def test_the_same_as_pycayennelpp(said: list[tuple[int, int, bytes]]) -> None:
    data = b"".join(bytes((channel, number)) + value for channel, number, value in said)
    expected: dict[str, float] = {}
    for item in LppFrame().from_bytes(data).data:
        expected |= named(int(item.type), item.channel, item.value)
    found = lpp.decode(data)
    assert {name: value for name, value in expected.items() if name in found.fields} == found.fields
    left_out = expected.keys() - found.fields.keys()
    assert all(abs(expected[name]) > (90 if "latitude" in name else 180) for name in left_out)
    assert len(found.errors) == len(left_out)
    if not left_out:
        assert lpp.encode(found.fields) == data


@RELAXED
@given(st.binary(max_size=60))
def test_any_bytes_are_fields_and_words(data: bytes) -> None:
    found = lpp.decode(data)
    assert found.fields or found.errors or not data
    assert all(isinstance(value, float) for value in found.fields.values())


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"temperature_c": 1.0}, "'temperature_c' is no field of a payload"),
        ({"temperature_256_c": 1.0}, "is no field of a payload"),
        ({"temperature_1_f": 1.0}, "is no field of a payload"),
        ({"temperature_1_c": 4000.0}, "temperature of channel 1 is 4000, expected -3276.8 to 3276.7"),
        ({"humidity_1_pct": -1.0}, "humidity of channel 1 is -1, expected 0 to 127.5"),
        ({"acceleration_1_x_gn": 1.0}, "acceleration of channel 1 needs all of its values"),
        ({"switch_1": True}, "switch_1 is True, expected a number"),
    ],
)
def test_what_no_payload_can_say(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(EncodeError, match=words):
        lpp.encode(fields)


def uplink(**parts: Any) -> bytes:
    ids = {"device_id": "d", "dev_eui": "70B3D57ED0000001"}
    return json.dumps({"end_device_ids": ids, "uplink_message": {"f_port": 7, **parts}}).encode()


def test_an_uplink_that_its_server_has_not_decoded() -> None:
    (reading,) = decode_ttn("", uplink(frm_payload="A2cBEAVnAP8="), 0, lpp.codec)
    assert isinstance(reading, Reading)
    assert reading.fields["payload_hex"] == "03670110056700ff"
    assert reading.fields["temperature_3_c"] == 27.2
    assert reading.fields["temperature_5_c"] == 25.5


def test_what_its_server_has_decoded_goes_before_a_codec() -> None:
    (reading,) = decode_ttn("", uplink(frm_payload="A2cBEA==", decoded_payload={"temp": 1}), 0, lpp.codec)
    assert isinstance(reading, Reading)
    assert reading.fields["temperature_c"] == 1.0
    assert "temperature_3_c" not in reading.fields


def test_what_a_codec_is_told_and_what_becomes_of_its_answer() -> None:
    told: list[Raw] = []

    def codec(raw: Raw) -> Decoded | None:
        told.append(raw)
        return (
            Decoded({"f_cnt": 5.0, "co2_ppm": 400.0, "zone_text": "lake"}, ("byte 3: broken",))
            if raw.f_port == 7
            else None
        )

    version = {"brand_id": "acme", "model_id": "co2"}
    (reading,) = decode_ttn("", uplink(frm_payload="AQI=", version_ids=version), 0, codec)
    assert told == [Raw(b"\x01\x02", 7, "70b3d57ed0000001", "d", "acme/co2")]
    assert isinstance(reading, Reading)
    assert reading.fields["f_cnt"] == 0
    assert reading.fields["payload_f_cnt"] == 5.0
    assert reading.fields["co2_ppm"] == 400.0
    assert reading.tags == {"zone": "lake"}
    assert reading.field_errors == ("byte 3: broken",)
    (other,) = decode_ttn("", uplink(frm_payload="AQI=", f_port=1), 0, codec)
    assert isinstance(other, Reading)
    assert other.field_errors == ()
