"""SenML beyond its examples: both ways of reading a pack agree, and nothing hostile passes."""

import json
import math
from datetime import UTC
from typing import Any

import cbor2
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from devices.senml import device as senml
from devices.senml import names
from devices.senml.pack import PackRefused, RecordRefused, read
from devices.spec.errors import EncodeError
from devices.spec.events import Empty, Event, Reading, SanityError
from tests.devices.published import payload, published
from tests.devices.readings import values

NOW = 1_704_067_200_000_000_000
RELAXED = settings(max_examples=300, deadline=None)


def decode(data: bytes | str | list[dict[Any, Any]]) -> list[Event]:
    if isinstance(data, list):
        data = json.dumps(data)
    return senml.decode("park/post-01/senml", data.encode() if isinstance(data, str) else data, NOW)


def one(data: bytes | str | list[dict[Any, Any]]) -> Reading:
    (event,) = decode(data)
    assert isinstance(event, Reading), event
    return event


def refusal(data: bytes | str | list[dict[Any, Any]]) -> str:
    (event,) = decode(data)
    assert isinstance(event, SanityError), event
    return event.detail


@pytest.mark.parametrize("vector", published("senml-json", "senml-cbor"), ids=lambda vector: vector["id"])
def test_published_vector(vector: dict[str, Any]) -> None:
    """`resolved` gives name, time and value; `records` the records as sent, resolved here by hand."""
    found = {
        (reading.thing, name, reading.time_ns): value
        for reading in senml.decode(vector.get("topic", ""), payload(vector), NOW)
        if isinstance(reading, Reading)
        for name, value in reading.fields.items()
    }
    if vector["id"] == 649:
        assert [entry["v"] for entry in vector["expected"]["resolved"]] == [
            {"value": 120.1, "unit": "V"},
            {"value": 1.2, "unit": "A"},
            {"value": 1.3, "unit": "A"},
        ]
        assert found == {
            ("some-base-name", "voltage_v", 1276020076_001000000): 120.1,
            ("some-base-name", "current_a", 1276020071_001000000): 1.2,
            ("some-base-name", "current_a", 1276020072_001000000): 1.3,
        }
    else:
        assert vector["id"] == 647, "a vector without a mapping"
        at = NOW + 250_000_000_000  # bt 100 + t 150, relative to the receipt
        assert found == {
            ("base-name", "name_unit", at): 76.0,  # bv 34 + v 42
            ("base-name", "name_sum_unit_sec", at): 110.0,  # bs 100 + s 10
            ("base-name", "name_1_flag", at): True,
            ("base-name", "name_1_sum_unit_sec", at): 110.0,
        }


@pytest.mark.parametrize(
    ("name", "unit", "field"),
    [
        ("temperature", "Cel", "temperature_c"),
        ("temp", "Cel", "temperature_c"),
        ("temperature_c", "Cel", "temperature_c"),
        ("temperature", "C", "temperature_c"),
        ("charge", "C", "charge_coulomb"),
        ("rh", "%RH", "humidity_pct"),
        ("soilMoisture", "%", "soil_moisture_pct"),
        ("PM2.5", "ug/m3", "pm2_5_ug_m3"),
        ("noise", "dB", "noise_db"),
        ("noise_dba", "dB", "noise_dba"),
        ("battery", "%EL", "battery_pct"),
        ("lat", "lat", "latitude_deg"),
        ("gps_lon", "lon", "gps_longitude_deg"),
        ("pH", "pH", "ph"),
        ("people", "count", "people_count"),
        ("wind", "m/s", "wind_m_s"),
        ("pressure", "hPa", "pressure_hpa"),
        ("flow", "gal/min", "flow_gal_min"),
        ("x", "°C", "x_c"),
        ("open", None, "open"),
        ("time", None, "time_value"),
        (None, "Cel", "temperature_c"),
        (None, None, "value"),
    ],
)
def test_field_name(name: str | None, unit: str | None, field: str) -> None:
    assert names.field_name(name, unit) == field


@pytest.mark.parametrize(
    ("base", "name", "thing", "quantity"),
    [
        ("urn:dev:mac:0024befffe804ff1:", "temp", "urn:dev:mac:0024befffe804ff1", "temp"),
        ("", "urn:dev:mac:0024befffe804ff1:temp", "urn:dev:mac:0024befffe804ff1", "temp"),
        ("urn:dev:mac:0024befffe804ff1", "", "urn:dev:mac:0024befffe804ff1", None),
        ("", "urn:dev:ow:264437f5000000ed_humidity", "urn:dev:ow:264437f5000000ed", "humidity"),
        ("urn:uuid:1b4e28ba-2fa1-11d2-883f-0016d3cca427", "", "urn:uuid:1b4e28ba-2fa1-11d2-883f-0016d3cca427", None),
        ("2001:db8::2/", "temperature", "2001:db8::2", "temperature"),
        ("park/lake/", "temperature", "park/lake", "temperature"),
        ("base-name", "name", "base-name", "name"),
        ("lamp", "", "lamp", None),
        ("lamp:", "", "lamp", None),
        ("", "temperature", None, "temperature"),
        ("urn:dev:ow:", "10e2:temp", "urn:dev:ow:10e2", "temp"),
    ],
)
def test_thing_and_quantity(base: str, name: str, thing: str | None, quantity: str | None) -> None:
    assert names.split(base, name) == (thing, quantity)


def test_the_kinds_of_listed_fields_hold() -> None:
    reading = one([{"bn": "a:", "n": "seq", "v": 5}, {"n": "parking_occupied", "v": 1}, {"n": "temperature", "v": 20}])
    assert reading.fields == {"seq": 5, "parking_occupied": True, "temperature": 20.0}
    assert [type(value) for value in reading.fields.values()] == [int, bool, float]
    assert "seq" in refusal([{"n": "seq", "v": 1.5}])
    assert "seq" in refusal([{"n": "seq", "vs": "5"}])
    assert "people_count" in refusal([{"n": "people_count", "vb": True}])
    assert "parking_occupied" in refusal([{"n": "parking_occupied", "v": 2}])


def test_the_edge_between_relative_and_absolute_time() -> None:
    assert one([{"n": "a:x", "v": 1, "t": 2**28}]).time_ns == 268435456_000000000
    assert one([{"n": "a:x", "v": 1, "t": 2**28 - 1}]).time_ns == NOW + 268435455_000000000
    assert one([{"n": "a:x", "v": 1, "t": 0}]).time_ns is None
    assert one([{"bn": "a:", "bt": 1752739200.123456, "n": "x", "v": 1}]).time_ns == 1752739200_123456000
    for seconds in (1e300, -1e300, 9.3e9, -1.8e9):
        assert "time" in refusal([{"n": "a:x", "v": 1, "t": seconds}])


@RELAXED
@given(
    st.dictionaries(
        st.sampled_from(["door", "door_flag", "door_text", "time", "people_count", "parking_occupied", "a_b", "pM2.5"]),
        st.one_of(st.floats(-1e6, 1e6), st.booleans(), st.text(max_size=4)),
        min_size=1,
    )
)
def test_a_name_has_one_kind_and_comes_back(said: dict[str, Any]) -> None:
    labels = {float: "v", bool: "vb", str: "vs"}
    kinds = {"flag": bool, "text": str, "occupied": bool}
    for event in decode([{"bn": "a:", "n": name, labels[type(value)]: value} for name, value in said.items()]):
        if isinstance(event, SanityError) or event.field_errors:
            assert {"people_count", "parking_occupied"} & said.keys()
        if isinstance(event, SanityError):
            continue
        assert isinstance(event, Reading)
        event.field_errors = ()
        for name, value in event.fields.items():
            assert type(value) is kinds.get(name.rpartition("_")[2], float)
        assert one(senml.encode(event)) == event


def test_a_base_value_alone_is_a_value_and_overflow_is_none() -> None:
    assert one([{"bn": "a:", "n": "x", "bv": 3}]).fields == {"x": 3.0}
    assert "out of range" in refusal([{"bn": "a:", "n": "x", "bv": 1.7e308, "v": 1.7e308}])


def test_base_fields_last_until_replaced() -> None:
    pack = [{"bn": "a:", "bu": "V", "n": "x", "v": 1}, {"bn": "b:", "n": "x", "v": 2}, {"bu": "A", "n": "x", "v": 3}]
    assert decode(pack) == [
        Reading({"x_v": 1.0}, None, "a"),
        Reading({"x_v": 2.0, "x_a": 3.0}, None, "b"),
    ]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"null", "array"),
        (b"[", "JSON"),
        (b"[1]", "object"),
        (b'[{"n":"a","v":NaN}]', "JSON"),
        (b'[{"n":"a","v":Infinity}]', "JSON"),
        (b'[{"n":"a","v":null}]', "null"),
        (b'[{"n":"a","v":"1"}]', "str"),
        (b'[{"n":"a","v":true}]', "bool"),
        (b'[{"n":"\xff","v":1}]', "utf-8"),
        (b'[{"n":"a","v":1}] x', "trailing"),
        (b'[{"n":"a","v":' + b"9" * 500 + b"}]", "out of range"),
        (b'[{"n":"a","v":1,"x":' + b"[" * 200_000 + b"]" * 200_000 + b"}]", "deep"),
        (b'[{"n":"a","v":1,"_":0}]', "understood"),
        (b'[{"n":"a","v":1,"x\\u005f":0}]', "understood"),
        (b'[{"n":"' + b"a" * 1_000_000 + b'","v":1}]', "characters"),
        (b'[{"n":"a","u":"' + b"m" * 1_000_000 + b'","v":1}]', "too long"),
        (b'[{"n":"a","v":1,"bver":0}]', "positive"),
        (b"\x81" * 1000, "CBOR"),
        (b"\x9b\x7f\xff\xff\xff\xff\xff\xff\xff", "CBOR"),
        (bytes.fromhex("81a200616102d823616100"), "CBOR"),  # a regular expression
        (bytes.fromhex("81d81c81d81d00"), "CBOR"),  # a list that holds itself
        (bytes.fromhex("81a200616102c4821a00ffffff01"), "CBOR"),  # 1e16777215
        (bytes.fromhex("81a200616102c25a0000012c") + b"\xff" * 300, "finite"),
        (bytes.fromhex("81a300616100616202 01".replace(" ", "")), "CBOR"),  # a label twice
        (bytes.fromhex("8101"), "map"),
    ],
    ids=lambda value: repr(value)[:24] if isinstance(value, bytes) else value,
)
def test_hostile_payload_is_refused(data: bytes, words: str) -> None:
    assert words in refusal(data)


GOOD = '{"bn":"lamp:","n":"temperature","u":"Cel","v":21.5}'


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ('{"n":"hum","u":"%RH","v":"40"}', "JSON: record 1: Expected `float`, got `str` - at `$.v`"),
        ('{"n":"hum","u":"%RH","v":null}', "JSON: record 1: Expected `float`, got `null` - at `$.v`"),
        ('{"n":"hum","v":1e999}', "JSON: record 1: Number out of range - at `$.v`"),
        ('{"n":"hum","vb":"on"}', "JSON: record 1: Expected `bool`, got `str` - at `$.vb`"),
        ('{"n":5,"v":1}', "JSON: record 1: Expected `str`, got `int` - at `$.n`"),
        ('{"n":"hum","t":"noon","v":1}', "JSON: record 1: Expected `float`, got `str` - at `$.t`"),
        ('{"n":"hum"}', "record 1: expected one of v, vs, vb, vd or s"),
        ('{"n":"hum","v":1,"vs":"x"}', "record 1: more than one of v, vs, vb, vd"),
        ('{"n":"two words","v":1}', "record 1: name 'lamp:two words'"),
        ('{"n":"seq","v":1.5}', "record 1: seq: expected a counter, got 1.5"),
        ('{"n":"parking_occupied","v":2}', "record 1: parking_occupied: expected a flag, got 2.0"),
        ('{"n":"hum","t":1e300,"v":1}', "record 1: time 1e+300 s is out of range"),
        ('{"n":"hum","u":"' + "m" * 100 + '","v":1}', "record 1: unit or name too long"),
        ("7", "JSON: record 1: Expected `object`, got `int`"),
        ("null", "JSON: record 1: Expected `object`, got `null`"),
    ],
)
def test_a_bad_record_takes_only_itself(record: str, words: str) -> None:
    reading = one(f'[{GOOD},{record},{{"n":"open","vb":true}}]')
    assert reading.fields == {"temperature_c": 21.5, "open_flag": True}
    assert reading.thing == "lamp"
    assert len(reading.field_errors) == 1
    assert words in reading.field_errors[0]


def test_the_base_fields_of_a_bad_record_hold() -> None:
    first, second = decode(f'[{GOOD},{{"bn":"post:","bt":1752739200,"n":"x","v":[1]}},{{"n":"y","v":2}}]')
    assert isinstance(first, Reading)
    assert isinstance(second, Reading)
    (late, early) = (first, second) if first.thing == "post" else (second, first)
    assert (late.fields, late.thing, late.time_ns) == ({"y": 2.0}, "post", 1752739200_000000000)
    assert len(late.field_errors) == 1
    assert (early.fields, early.field_errors) == ({"temperature_c": 21.5}, ())


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ('{"bn":5,"n":"x","v":1}', "$.bn"),
        ('{"bt":"now","n":"x","v":1}', "$.bt"),
        ('{"bu":1,"n":"x","v":1}', "$.bu"),
        ('{"bv":"1","n":"x","v":1}', "$.bv"),
        ('{"bver":"5","n":"x","v":1}', "$.bver"),
        ('{"bver":32,"n":"x","v":1}', "bver 32"),
        ('{"bver":5.5,"n":"x","v":1}', "bver 5.5"),
        ('{"n":"x","v":1,"must_":1}', "must_"),
    ],
)
def test_what_holds_for_the_whole_pack_refuses_it(record: str, words: str) -> None:
    assert words in refusal(f"[{GOOD},{record}]")


@pytest.mark.parametrize("version", ["10.0", "1e1", "5.0"])
def test_a_version_may_be_written_with_a_point(version: str) -> None:
    assert one(f'[{{"bver":{version},"n":"a:x","v":1e2}}]') == Reading({"x": 100.0}, None, "a")


def test_what_is_not_used_is_not_judged() -> None:
    assert one('[{"n":"a:x","v":1,"ut":"long"}]').fields == {"x": 1.0}


def test_a_bad_record_in_cbor_takes_only_itself() -> None:
    pack = [{-2: "a:", 0: "x", 2: 1}, {0: "y", 2: math.nan}, 5, {0: "z", 2: "1"}, {0: "w", 2: 2}]
    reading = one(cbor2.dumps(pack))
    assert reading.fields == {"x": 1.0, "w": 2.0}
    assert reading.field_errors == (
        "CBOR: record 1: v is not a finite number",
        "CBOR: record 2 is not a map",
        "CBOR: record 3: Expected `float`, got `str` - at `$.v`",
    )
    assert "bt is not a finite number" in refusal(cbor2.dumps([{-3: math.inf, 0: "x", 2: 1}, {0: "y", 2: 1}]))


def test_a_pack_with_nothing_to_report_is_empty() -> None:
    for text in ("[]", '[{"bn":"lamp:"}]', '[{"bn":"lamp:","bt":1752739200},{"bu":"Cel"}]'):
        assert decode(text) == [Empty("the pack holds no record with a value", text.encode())]
    assert isinstance(decode(b"\x80")[0], Empty)


def test_a_pack_of_bad_records_only_is_refused() -> None:
    assert "record 0: expected one of" in refusal('[{"n":"a"},{"n":"b"}]')


def test_a_byte_order_mark_is_ignored_and_wide_text_named() -> None:
    assert one(f"[{GOOD}]".encode("utf-8-sig")) == one(f"[{GOOD}]")
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32"):
        assert refusal(f"[{GOOD}]".encode(encoding)) == f"JSON: {encoding[:6].upper()} text, expected UTF-8"


def test_cbor_numbers_of_every_form() -> None:
    forms = {"182a": 42.0, "3829": -42.0, "f94900": 10.0, "c482211901f4": 5.0, "c5822003": 1.5, "c24101": 1.0}
    for form, number in forms.items():
        assert one(bytes.fromhex("81a20063613a7802" + form)).fields == {"x": number}
    assert one(bytes.fromhex("81a20063613a780843010203")).fields == {"x_text": "AQID"}


def test_nothing_long_is_remembered() -> None:
    for number in range(3):
        assert "too long" in refusal([{"bn": "a:", "n": f"long{number}", "u": " " * 100_000, "v": 1}])
    assert not any(isinstance(unit, str) and len(unit) > 64 for _, unit in senml._measures)


def test_what_is_remembered_is_bounded() -> None:
    for number in range(70_000):
        decode(f'[{{"bn":"thing-{number}:","n":"x","v":1}}]')
    for number in range(10_000):
        decode([{"bn": "a:", "n": f"q{number}", "v": 1}])
        decode([{"bn": "a:", "n": f"q{number}", "vb": True}])
    assert len(senml._spots) <= 4096
    assert len(senml._measures) <= 4096
    assert len(senml._things) <= 65536


plain_names = st.sampled_from(
    ["temperature", "x", "PM2.5", "seq", "a_b", "open", "-y", "", "a:b", "é", "parking_occupied"]
)
units = st.sampled_from(["Cel", "%RH", "V", "lat", "count", "", "/", "no such unit"])
numbers = st.one_of(st.integers(-5, 5), st.floats(-1e6, 1e6), st.sampled_from([1e308, -1e308, 2**28, 1.7e9]))
anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
    max_leaves=6,
)
records = st.fixed_dictionaries(
    {},
    optional={
        "bn": st.sampled_from(["a:", "b/", "urn:dev:mac:0024befffe804ff1:", "urn:dev:ow:1", "c", ""]),
        "bt": numbers, "bu": units, "bver": st.sampled_from([5, 10, 26, 64]), "bs": numbers, "bv": numbers,
        "n": plain_names, "u": units, "v": numbers, "vb": st.booleans(), "vs": st.text(max_size=4),
        "t": numbers, "s": numbers, "ut": numbers, "x_": st.just(1), "y": anything,
    },
)  # fmt: skip


@RELAXED
@given(st.lists(records, min_size=1, max_size=4))
@example([{"bn": "a:", "n": "x", "v": 1}, {"n": "x", "v": 2}])
@example([{"bn": "a:", "v": 1}, {"n": "seq", "v": 2}])
@example([{"n": "x", "v": 1, "t": 5}])
def test_the_short_way_says_what_the_long_way_says(pack: list[dict[str, Any]]) -> None:
    data = json.dumps(pack).encode()
    try:
        short = senml._decode_short(data, NOW)
    except PackRefused:
        short = None
        assert isinstance(decode(data)[0], SanityError)
    except (RecordRefused, names.NameRefused):
        short = None
        (event, *_) = decode(data)
        assert isinstance(event, SanityError) or event.field_errors
    if short is not None:
        assert list(senml._readings(read(data), NOW)) == [short]


@RELAXED
@given(st.lists(st.one_of(records, st.dictionaries(st.text(max_size=4), anything, max_size=4), anything), max_size=4))
def test_any_json_ends_in_events(pack: list[Any]) -> None:
    events = decode(json.dumps(pack).encode())
    assert events
    assert all(
        math.isfinite(v) for e in events if isinstance(e, Reading) for v in e.fields.values() if type(v) is float
    )


labels = st.one_of(st.integers(-8, 10), st.text(max_size=3), st.binary(max_size=2), st.booleans())
cbor_values = st.one_of(anything, st.binary(max_size=4), st.integers(-(2**70), 2**70), st.decimals(), st.datetimes())


@RELAXED
@given(st.lists(st.dictionaries(labels, cbor_values, max_size=5), max_size=3), st.binary(max_size=2))
def test_any_cbor_ends_in_events(pack: list[Any], tail: bytes) -> None:
    assert decode(cbor2.dumps(pack, datetime_as_timestamp=True, timezone=UTC) + tail)


@RELAXED
@given(st.binary(max_size=60), st.sampled_from([b"", b"[", b"[{", b"\x81\xa2\x00", b'[{"n":"a","v":']))
def test_any_bytes_end_in_events(data: bytes, start: bytes) -> None:
    assert decode(start + data)


@RELAXED
@given(
    st.fixed_dictionaries({}, optional={field.name: values(field) for field in senml.DEVICE.fields}).filter(len),
    st.one_of(st.none(), st.integers(300_000_000_000_000, 4_000_000_000_000_000).map(lambda us: us * 1000)),
    st.sampled_from([None, "post-01", "urn:dev:mac:0024befffe804ff1", "park/lake"]),
)
def test_random_readings_come_back(fields: dict[str, Any], time_ns: int | None, thing: str | None) -> None:
    reading = Reading(fields, time_ns, thing)
    back = one(senml.encode(reading))
    assert back == reading
    assert [type(value) for value in back.fields.values()] == [type(value) for value in fields.values()]


@pytest.mark.parametrize(
    "reading",
    [
        Reading({}),
        Reading({"x": math.nan}),
        Reading({"x": math.inf}),
        Reading({"Not Snake": 1.0}),
        Reading({"door": True}),  # would come back as door_flag
        Reading({"door_flag": "open"}),
        Reading({"door_flag": 1.0}),
        Reading({"time": 1.0}),
        Reading({"_flag": True}),
        Reading({"parking_occupied": "yes"}),
        Reading({"x": 1.0}, time_ns=5),
    ],
)
def test_what_no_pack_can_say(reading: Reading) -> None:
    with pytest.raises(EncodeError, match="senml"):
        senml.encode(reading)


def test_a_retained_pack_that_is_deleted_is_empty() -> None:
    assert decode(b"") == [Empty("an empty payload: what was retained is deleted", b"")]
