"""Types made from a table: every shape of text that a board was seen to print, and every mistake in a table."""

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.spec.device import Device, MessageDevice, StreamDevice
from devices.spec.errors import DescriptionError, EncodeError
from devices.spec.events import Empty, Event, Noise, Reading, SanityError
from devices.spec.mapping import FIELD_KEYS, TYPE_KEYS, MappingError, device_type
from tests.fuzz.effort import effort

TEMPERATURE = {"name": "temperature_c", "from": "t", "unit": "Cel"}
HUMIDITY = {"name": "humidity_pct", "from": "h", "unit": "%"}


def made(form: str, *fields: dict[str, Any], **more: Any) -> Device:
    link = {} if "topic" in more else {"baud": 9600}
    return device_type(
        {"name": "node", "format": form, **link, **more, "field": list(fields or (TEMPERATURE, HUMIDITY))}
    )


def heard(device: Device, text: str | bytes) -> list[Event]:
    """The events of a payload, or of a line, to which an end is put."""
    data = text.encode() if isinstance(text, str) else text
    if isinstance(device, MessageDevice):
        return device.decode("park/lamp-1/state", data, 0)
    assert isinstance(device, StreamDevice)
    decoder = device.decoder()
    return decoder.feed(data + b"\n") + decoder.flush()


def fields(device: Device, text: str | bytes) -> dict[str, Any]:
    """The fields of the one reading, which has no errors."""
    (event,) = heard(device, text)
    assert isinstance(event, Reading), event
    assert event.field_errors == ()
    return event.fields


def column(name: str, at: int | str, unit: str = "1", **more: Any) -> dict[str, Any]:
    return {"name": name, "from": at, "unit": unit, **more}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("21.5", 21.5), ("21", 21.0), ("-3", -3.0), ("+3", 3.0), (".5", 0.5), ("5.", 5.0), ("3e2", 300.0),
        ("1.5E-1", 0.15), ("0", 0.0), ("-0.0", 0.0), ("21.5 C", 21.5), ("21.5C", 21.5), ("21.5 °C", 21.5),
        ("21.5 degC", 21.5), ("21.5 ℃", 21.5), ("\u22123.5", -3.5), ("007", 7.0),
    ],
)  # fmt: skip
def test_numbers_with_and_without_their_unit(text: str, value: float) -> None:
    assert fields(made("keys"), f"t={text}") == {"temperature_c": value}
    assert fields(made("json"), f'{{"t":"{text}"}}') == {"temperature_c": value}
    assert fields(made("columns", column("temperature_c", 1, "Cel")), text) == {"temperature_c": value}


@pytest.mark.parametrize(
    "text", ["", "nan", "NaN", "NAN", "-nan", "null", "None", "nil", "N/A", "na", "-", "--", "---"]
)
def test_what_says_that_there_is_nothing_is_missing_and_never_zero(text: str) -> None:
    assert fields(made("keys"), f"t={text},h=40") == {"humidity_pct": 40.0}
    assert heard(made("keys"), f"t={text}") == [Empty("no values", f"t={text}\n".encode())]
    assert fields(made("json"), f'{{"t":"{text}","h":40}}') == {"humidity_pct": 40.0}
    two = made("columns", column("temperature_c", 1, "Cel"), column("humidity_pct", 2, "%"))
    assert fields(two, f"{text};40") == {"humidity_pct": 40.0}


@pytest.mark.parametrize("text", ["nan", "NaN", "-nan", "NAN", "null"])
def test_json_with_nan_as_c_and_python_print_it(text: str) -> None:
    assert fields(made("json"), f'{{"t":{text},"h":40,"note":"nan, inf"}}') == {"humidity_pct": 40.0}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("inf", "expected a number, got 'inf'"), ("err", "expected a number, got 'err'"),
        ("1.2.3", "'.3' is not the unit of the field, got '1.2.3'"),
        ("21,5", "expected a decimal point, got '21,5'; decimal = \",\" reads it"),
        ("70 F", "'F' is not the unit of the field, got '70 F'"), ("0x1F", "'x1F' is not the unit"),
        ("1" * 65, "expected a number"), ("1e999", "got one too large"), ("true", "expected a number, got 'true'"),
    ],
)  # fmt: skip
def test_a_bad_value_is_left_out_and_named_and_the_others_stay(text: str, why: str) -> None:
    (event,) = heard(made("keys", separator=";"), f"t={text};h=40")
    assert isinstance(event, Reading)
    assert event.fields == {"humidity_pct": 40.0}
    (error,) = event.field_errors
    assert error.startswith("temperature_c: ")
    assert why in error


@pytest.mark.parametrize(
    "text", ["true", "[1]", '{"a":1}', '"x"', "1e999", "Infinity", "-inf", "1" + "0" * 400], ids=lambda text: text[:9]
)
def test_a_json_value_of_another_kind_is_left_out_and_named(text: str) -> None:
    (event,) = heard(made("json"), f'{{"t":{text},"h":40}}')
    assert isinstance(event, Reading)
    assert event.fields == {"humidity_pct": 40.0}
    assert len(event.field_errors) == 1


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("true", True), ("false", False), ("1", True), ("0", False), ('"ON"', True), ('"off"', False), ('"Yes"', True),
        ("1.0", True), ('"0"', False),
    ],
)  # fmt: skip
def test_booleans(raw: str, value: bool) -> None:
    assert fields(made("json", {"name": "door", "from": "d", "kind": "flag"}), f'{{"d":{raw}}}') == {"door": value}


def test_counters_are_whole_numbers_and_may_be_written_with_a_point() -> None:
    device = made("json", {"name": "people", "from": "n", "kind": "counter"}, {"name": "x", "from": "x"})
    assert fields(device, '{"n":7.0}') == {"people": 7}
    assert type(fields(device, '{"n":"7"}')["people"]) is int
    assert fields(device, '{"n":"9007199254740993"}') == {"people": 9007199254740993}
    for raw in ("7.5", "9223372036854775808", "true"):
        (event,) = heard(device, f'{{"n":{raw},"x":1}}')
        assert isinstance(event, Reading)
        assert event.fields == {"x": 1.0}
        assert len(event.field_errors) == 1


def test_states_and_texts() -> None:
    device = made(
        "json",
        {"name": "mode", "from": "m", "kind": "state", "states": ["eco", "full", "3"]},
        {"name": "note", "from": "n", "kind": "text"},
    )
    assert fields(device, '{"m":"eco","n":"ä"}') == {"mode": "eco", "note": "ä"}
    assert fields(device, '{"m":3,"n":1.5}') == {"mode": "3", "note": "1.5"}
    (event,) = heard(device, '{"m":"off","n":{}}')
    assert isinstance(event, SanityError)
    assert event.detail == "mode: expected eco or full or 3, got 'off'; note: expected a text, got an object"


@pytest.mark.parametrize(
    ("bounds", "raw", "why"),
    [
        ({"minimum": 0}, "-5", "-5 is below 0"),
        ({"maximum": 0}, "5", "5 is above 0"),
        ({"minimum": 3}, "2.5", "2.5 is below 3"),
        ({"maximum": -3}, "0", "0 is above -3"),
        ({"minimum": 0, "maximum": 9}, "-1", "-1 is outside 0..9"),
        ({"minimum": -9, "maximum": 0}, "1", "1 is outside -9..0"),
        ({"minimum": 0}, "1e999", "expected a number that can be stored, got one too large"),
        ({"maximum": 0}, "-1e999", "expected a number that can be stored, got one too large"),
    ],
)
def test_a_value_beyond_one_bound_is_left_out_and_the_rest_stays(bounds: dict[str, float], raw: str, why: str) -> None:
    (event,) = heard(
        made("keys", {"name": "co2_ppm", "from": "c", "unit": "[ppm]", **bounds}, HUMIDITY), f"c={raw},h=40"
    )
    assert isinstance(event, Reading)
    assert event.fields == {"humidity_pct": 40.0}
    assert event.field_errors == (f"co2_ppm: {why}",)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("9007199254740993", 9007199254740993), ("-9007199254740993", -9007199254740993),
        ("+9007199254740993", 9007199254740993), ("9007199254740993.0", 9007199254740993),
        ("9007199254740993 pcs", 9007199254740993), ("\u22129007199254740993", -9007199254740993),
        ("9.007199254740993e15", 9007199254740993), ("-9223372036854775808", -9223372036854775808),
        ("1e3", 1000), ("-0", 0),
    ],
)  # fmt: skip
def test_a_counter_is_stored_to_the_last_digit(raw: str, value: int) -> None:
    device = made("keys", {"name": "a", "kind": "counter", "suffix": "pcs"})
    assert fields(device, f"a={raw}") == {"a": value}


@pytest.mark.parametrize("raw", ["9007199254740993.5", "9223372036854775808", "-9223372036854775809", "1e99999", "0.5"])
def test_a_counter_that_is_not_whole_or_too_large_is_a_bad_value(raw: str) -> None:
    (event,) = heard(made("keys", {"name": "a", "kind": "counter"}), f"a={raw}")
    assert isinstance(event, SanityError)
    assert event.detail.startswith("a: expected a whole number of at most 64 bits, got ")


def test_what_means_no_value_is_taken_to_the_last_digit_and_by_its_kind() -> None:
    counter = made("json", {"name": "a", "kind": "counter", "absent": 9223372036854775807}, HUMIDITY)
    assert fields(counter, '{"a":9223372036854775807,"h":1}') == {"humidity_pct": 1.0}
    assert fields(counter, '{"a":9223372036854775806}') == {"a": 9223372036854775806}
    flag = made("json", {"name": "a", "kind": "flag", "absent": [0]}, HUMIDITY)
    assert fields(flag, '{"a":false}') == {"a": False}
    assert fields(flag, '{"a":0,"h":1}') == {"humidity_pct": 1.0}
    text = made("json", {"name": "a", "kind": "text", "absent": [1]})
    assert fields(text, '{"a":true}') == {"a": "true"}


def test_scale_offset_suffix_and_range() -> None:
    device = made(
        "keys",
        {"name": "battery_v", "from": "b", "unit": "V", "scale": 0.001, "suffix": "mV", "maximum": 5},
        {"name": "temperature_c", "from": "t", "unit": "Cel", "scale": 0.1, "offset": -40},
        {"name": "distance_m", "from": "d", "unit": "m", "absent": [-1, 65535, "ERR"]},
    )
    assert fields(device, "b=3700mV,t=615,d=2") == {"battery_v": 3.7, "temperature_c": 21.5, "distance_m": 2.0}
    assert fields(device, "b=3,d=65535") == {"battery_v": 0.003}
    assert fields(device, "b=3,d=-1.0") == {"battery_v": 0.003}
    assert fields(device, "b=3,d=ERR") == {"battery_v": 0.003}
    (event,) = heard(device, "b=5001,t=3")
    assert isinstance(event, Reading)
    assert event.fields == {"temperature_c": -39.7}
    assert event.field_errors == ("battery_v: 5.001 is above 5",)


def test_decimal_commas() -> None:
    device = made("keys", decimal=",", separator=";")
    assert fields(device, "t=21,5 °C;h=40") == {"temperature_c": 21.5, "humidity_pct": 40.0}
    (event,) = heard(device, "t=21.5;h=40")
    assert isinstance(event, Reading)
    assert event.fields == {"humidity_pct": 40.0}
    assert fields(made("json", decimal=","), '{"t":"21,5"}') == {"temperature_c": 21.5}


@pytest.mark.parametrize("text", ["t=21,5;h=40", "t=21,5 ; h=40,6", "t=21,5|h=40", "t=21,5 h=40", "t=21,5,h=40"])
def test_what_stands_behind_a_decimal_comma_is_not_thrown_away(text: str) -> None:
    """With a comma between the values: 21 would be stored for 21,5, and nobody would know."""
    (event,) = heard(made("keys"), text)
    assert isinstance(event, SanityError)
    assert event.detail.startswith("expected key=value, got '5")


def test_a_key_that_begins_with_a_digit_is_a_key() -> None:
    assert fields(made("keys"), "1wire=7,t=21.5,2 =3") == {"temperature_c": 21.5}


def test_nested_objects_lists_and_names_with_points() -> None:
    device = made(
        "json",
        {"name": "a", "from": "x.y[1].z"},
        {"name": "b", "from": '["p.q"]["r s"]'},
        {"name": "c", "from": "list[0]"},
    )
    assert fields(device, '{"x":{"y":[0,{"z":1}]},"p.q":{"r s":2},"list":[3]}') == {"a": 1.0, "b": 2.0, "c": 3.0}
    assert heard(device, '{"x":{"y":[0]},"p.q":3,"list":{}}') == [
        Empty("no values", b'{"x":{"y":[0]},"p.q":3,"list":{}}\n')
    ]


def test_a_list_at_the_top_is_a_reading_each_unless_a_path_begins_with_an_index() -> None:
    device = made("json", topic="park/{thing}")
    assert [event.fields for event in heard(device, '[{"t":1},{"t":2}]') if isinstance(event, Reading)] == [
        {"temperature_c": 1.0},
        {"temperature_c": 2.0},
    ]
    device = made("json", {"name": "a", "from": "."}, each="v", topic="park/{thing}")
    assert [e.fields for e in heard(device, '{"v":[1,2.5,null]}') if isinstance(e, Reading)] == [{"a": 1.0}, {"a": 2.5}]
    assert device.encode(Reading({"a": 1.5})) == b'{"v":[1.5]}'
    device = made("json", {"name": "a", "from": "[0]"}, {"name": "b", "from": "[1].x"}, topic="park/{thing}")
    assert fields(device, '[1,{"x":2}]') == {"a": 1.0, "b": 2.0}


def test_json_over_several_lines_and_a_line_each() -> None:
    device = made("json", topic="park/{thing}")
    assert fields(device, b'\xef\xbb\xbf{\r\n  "t": 21,\r\n  "h": 40\r\n}\r\n') == {
        "temperature_c": 21.0,
        "humidity_pct": 40.0,
    }
    lines = heard(device, '{"t":1}\n{"t":2}\n')
    assert [event.fields for event in lines if isinstance(event, Reading)] == [
        {"temperature_c": 1.0},
        {"temperature_c": 2.0},
    ]
    assert fields(made("json", {"name": "a", "from": "$"}, topic="x"), "21.5") == {"a": 21.5}


VALUE = {"name": "v", "from": "v"}


@pytest.mark.parametrize(
    ("more", "payload", "good", "why"),
    [
        ({}, '[{"v":1},null,{"v":2},{"v":3}]', [1.0, 2.0, 3.0], "reading 2: expected an object, got null"),
        ({}, '[{"v":1},[2],{"v":3}]', [1.0, 3.0], "reading 2: expected an object, got a list"),
        ({"each": "r"}, '{"r":[1,{"v":2}]}', [2.0], "reading 1: expected an object, got 1"),
        ({}, '{"v":1}\n{"v":2,\n{"v":3}\n', [1.0, 3.0], "expected JSON: "),
        ({}, '{"v":1}\r\n{"v":2}\r\n{"v":', [1.0, 2.0], "expected JSON: "),
        ({}, '"v":1}\n{"v":2}\n{"v":3}', [2.0, 3.0], "7 bytes outside any frame"),
        ({}, '\ufeff{"v":1}\n21.5', [1.0], "4 bytes outside any frame"),
        ({}, b'{"v":1}\n{"v":2\xff}\n{"v":3', [1.0], "expected text in utf-8"),
    ],
)
def test_a_bad_reading_among_several_does_not_take_the_others(
    more: dict[str, Any], payload: str | bytes, good: list[float], why: str
) -> None:
    events = heard(made("json", VALUE, topic="park/{thing}", **more), payload)
    assert [event.fields["v"] for event in events if isinstance(event, Reading)] == good
    assert next(event.detail for event in events if isinstance(event, SanityError | Noise)).startswith(why)


@pytest.mark.parametrize("payload", ['{\n"v":1,\n"w":{\n"v":2}\n', '[\n{"v":1},\n{"v":2}\n', '{"w":\n{"v":1}\n'])
def test_json_over_several_lines_that_is_broken_is_refused_whole(payload: str) -> None:
    (event,) = heard(made("json", VALUE, topic="park/{thing}"), payload)
    assert event.__class__ is SanityError


@pytest.mark.parametrize("payload", ['{"b":3}', '{"b":3,"r":[]}', '{"b":3,"r":null}', '{"b":3,"r":[{}]}'])
def test_what_stands_beside_a_list_of_readings_stays_where_the_list_is_empty(payload: str) -> None:
    beside = {"name": "b", "from": "$.b"}
    assert fields(made("json", VALUE, beside, each="r", topic="park/{thing}"), payload) == {"b": 3.0}
    plain = {"name": "v", "from": "."}
    assert fields(made("json", plain, beside, each="r", topic="park/{thing}"), payload.replace("{}", "null")) == {
        "b": 3.0
    }


def test_lines_over_mqtt() -> None:
    two = made("columns", column("a", 1), column("b", 2), topic="park/{thing}")
    assert fields(two, "21.5;40") == {"a": 21.5, "b": 40.0}
    assert [type(event) for event in heard(two, "# x\n1;2\r\n3;4\n")] == [Noise, Reading, Reading]
    assert fields(made("keys", topic="park/{thing}"), "t=1,h=2") == {"temperature_c": 1.0, "humidity_pct": 2.0}
    assert fields(made("columns", column("a", 1), topic="x"), "21.5") == {"a": 21.5}
    named = made("columns", column("a", "x"), column("b", "y"), columns=["x", "y"], topic="x")
    assert [e.fields for e in heard(named, "y;x\n1;2") if isinstance(e, Reading)] == [{"a": 2.0, "b": 1.0}]
    assert fields(named, "1;2") == {"a": 1.0, "b": 2.0}, "the header line of one payload is not that of the next"


@pytest.mark.parametrize("payload", [b"", b" \r\n", b"null", b"{}", b'{"t":null}', b"[]"])
def test_a_payload_with_nothing_in_it_is_empty_and_no_fault(payload: bytes) -> None:
    (event,) = heard(made("json", topic="park/{thing}"), payload)
    assert isinstance(event, Empty)


@pytest.mark.parametrize(
    "payload", [b"offline", b"21.5", b'{"t":', b"\xff\xfe", b"[1]", b'"x"', b"[" * 5000, b'{"t":1}}']
)
def test_a_payload_of_another_shape_is_refused_with_words(payload: bytes) -> None:
    (event,) = heard(made("json", topic="park/{thing}"), payload)
    assert isinstance(event, SanityError)
    assert event.detail.startswith("expected ")
    assert event.data == payload


@pytest.mark.parametrize(
    ("separator", "assign", "text"),
    [
        (",", "=", "t=21.5,h=40"), (";", ":", "t: 21.5; h: 40;"), (" ", "=", "t=21.5 C   h = 40 %"),
        (" ", ":", "t:21.5 h: 40"), ("&", "=", "t=21.5&h=40"), ("\t", "=", "t=21.5\th=40"), (",", "=", "x t=21.5,h=40"),
        ("|", "=", "| t=21.5 | h=40 |"), (" / ", " is ", "t is 21.5 / h is 40"),
    ],
)  # fmt: skip
def test_separators_of_keys(separator: str, assign: str, text: str) -> None:
    device = made("keys", separator=separator, assign=assign)
    assert fields(device, text) == {"temperature_c": 21.5, "humidity_pct": 40.0}


@pytest.mark.parametrize(
    ("separator", "text"),
    [(";", "21.5;40"), (",", '"21.5", "40"'), (" ", "  21.5    40  7"), ("\t", "21.5\t40"), (" | ", "21.5 | 40")],
)
def test_separators_of_columns(separator: str, text: str) -> None:
    device = made("columns", column("a", 1), column("b", 2), separator=separator)
    assert fields(device, text) == {"a": 21.5, "b": 40.0}


@pytest.mark.parametrize(
    ("unit", "raw", "time_ns"),
    [
        ("s", "1700000000", 1_700_000_000_000_000_000), ("s", "1700000000.25", 1_700_000_000_250_000_000),
        ("ms", "1700000000123", 1_700_000_000_123_000_000), ("ms", '"1700000000123"', 1_700_000_000_123_000_000),
        ("us", "1700000000123456", 1_700_000_000_123_456_000), ("ns", "1700000000123456789", 1_700_000_000_123_456_789),
        ("rfc3339", '"2023-11-14T22:13:20Z"', 1_700_000_000_000_000_000),
        ("rfc3339", '"2023-11-14 23:13:20.5+01:00"', 1_700_000_000_500_000_000),
        ("ns", '"+1714550400000000001"', 1714550400000000001),
        ("s", "null", None), ("ms", '""', None), ("rfc3339", '"-"', None), ("s", "0", 0),
    ],
)  # fmt: skip
def test_times(unit: str, raw: str, time_ns: int | None) -> None:
    device = made("json", time={"from": "ts", "unit": unit})
    (event,) = heard(device, f'{{"t":1,"ts":{raw}}}')
    assert isinstance(event, Reading), event
    assert event.time_ns == time_ns


@pytest.mark.parametrize(
    ("unit", "raw"),
    [
        ("s", '"now"'), ("s", "true"), ("s", "-5"), ("s", "1e30"), ("ms", "[1]"), ("rfc3339", "5"),
        ("rfc3339", '"2023-13-14T22:13:20Z"'), ("rfc3339", '"yesterday"'),
    ],
)  # fmt: skip
def test_a_time_that_is_none_refuses_the_reading(unit: str, raw: str) -> None:
    (event,) = heard(made("json", time={"from": "ts", "unit": unit}), f'{{"t":1,"ts":{raw}}}')
    assert isinstance(event, SanityError)
    assert event.detail.startswith("time: ") or "year" in event.detail or "date" in event.detail


@pytest.mark.parametrize(
    ("raw", "thing"), [('"lamp-1"', "lamp-1"), ("7", "7"), ("null", None), ('" "', None), ('" a "', "a")]
)
def test_identities(raw: str, thing: str | None) -> None:
    (event,) = heard(made("json", thing="id", topic="park/state"), f'{{"t":1,"id":{raw}}}')
    assert isinstance(event, Reading)
    assert event.thing == thing


def test_an_identity_that_is_none_refuses_the_reading() -> None:
    (event,) = heard(made("json", thing="id", topic="park/state"), '{"t":1,"id":[1]}')
    assert event == SanityError("thing: expected a text or a whole number, got a list", b'{"t":1,"id":[1]}')


def test_a_required_field_refuses_and_an_empty_reading_does_not() -> None:
    device = made("keys", {**TEMPERATURE, "required": True}, HUMIDITY)
    assert heard(device, "h=40") == [SanityError("temperature_c is missing", b"h=40\n")]
    assert heard(device, "t=x,h=40") == [SanityError("temperature_c: expected a number, got 'x'", b"t=x,h=40\n")]
    assert heard(device, "t=nan,h=nan") == [Empty("no values", b"t=nan,h=nan\n")]


def test_colours_of_a_log_are_taken_off() -> None:
    assert fields(made("keys"), "\x1b[0;32mt=21.5,h=40\x1b[0m") == {"temperature_c": 21.5, "humidity_pct": 40.0}


def test_a_prefix_tells_readings_from_everything_else() -> None:
    device = made("json", prefix="DATA ")
    assert fields(device, 'DATA {"t":21.5}') == {"temperature_c": 21.5}
    assert heard(device, '{"t":21.5}') == [Noise(b'{"t":21.5}\n')]


@pytest.mark.parametrize(
    ("form", "first", "second", "expected"),
    [
        ("columns", "1.5;40", "21.5;40", 1), ("keys", "1.5,h=40", "t=21.5,h=40", 1), ("keys", "t=21.5", "t=21.5", 2),
        ("json", '5,"h":4}', '{"t":21.5}', 1), ("json", '{"t":1}', '{"t":21.5}', 2),
    ],
)  # fmt: skip
def test_half_a_first_line_after_a_port_was_opened_is_noise(form: str, first: str, second: str, expected: int) -> None:
    spots = (column("a", 1), column("b", 2)) if form == "columns" else (TEMPERATURE, HUMIDITY)
    device = made(form, *spots)
    assert isinstance(device, StreamDevice)
    events = device.join().feed(f"{first}\r\n{second}\r\n".encode())
    assert len([event for event in events if isinstance(event, Reading)]) == expected
    assert all(isinstance(event, Reading | Noise) for event in events)


def test_a_key_that_is_the_end_of_another_does_not_begin_a_first_line() -> None:
    device = made("keys", {"name": "pressure_pa", "from": "p", "unit": "Pa"}, {**TEMPERATURE, "from": "temp"})
    assert isinstance(device, StreamDevice)
    assert device.join().feed(b"p=21.5\n") == [Noise(b"p=21.5\n")]


@pytest.mark.parametrize(
    ("device", "data"),
    [
        (made("keys"), b"t=21.5,h=40\r\n"),
        (made("json", {**TEMPERATURE, "from": "a.b[1]", "scale": 0.1}), b'{"a":{"b":[null,215]}}\r\n'),
        (made("columns", column("temperature_c", 3, "Cel"), decimal=","), b";;21,5\r\n"),
        (made("columns", column("temperature_c", "t", "Cel"), columns=["x", "t", "y"], separator=" "), b"- 21.5 -\r\n"),
        (made("json", {**TEMPERATURE, "from": "$.t"}, each="s", topic="x"), b'{"t":21.5,"s":[null]}'),
    ],
)  # fmt: skip
def test_the_text_that_a_device_would_send(device: Device, data: bytes) -> None:
    extra = {"humidity_pct": 40.0} if b"h=40" in data else {}
    assert device.encode(Reading({"temperature_c": 21.5, **extra})) == data


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({}, "no values"), ({"x": 1.0}, "x: not mapped"), ({"temperature_c": float("nan")}, "is not a number"),
        ({"temperature_c": "x"}, "is not a number"), ({"temperature_c": 86.0}, "outside -40..85"),
        ({"note": "a,b"}, "holds the separator"), ({"note": "a\nb"}, "control character"),
        ({"note": "nan"}, "come back"),
    ],
)  # fmt: skip
def test_what_a_device_could_not_have_sent_is_refused(fields: dict[str, Any], why: str) -> None:
    device = made("keys", {**TEMPERATURE, "minimum": -40, "maximum": 85}, {"name": "note", "from": "n", "kind": "text"})
    with pytest.raises(EncodeError, match=why):
        device.encode(Reading(fields))


def test_a_type_without_a_number_carries_no_count() -> None:
    device = made("json", {"name": "door", "from": "d", "kind": "flag"})
    assert device.sequence.modulus == 1
    assert device.sequence.embed({"door": True}, 5) == {"door": True}


GOOD = """
name = "node"
format = "json"
baud = 9600
[[field]]
name = "temperature_c"
from = "t"
unit = "Cel"
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"node"', '"Node"', 'name = "Node": expected lower letters and digits'),
        ('name = "node"\n', "", "name is missing: expected lower letters"),
        ('"json"', '"xml"', 'format = "xml": expected "json", "keys", "columns" or "modbus"'),
        ("baud = 9600", "", "baud is missing: expected the baud rate of a serial line"),
        ("baud = 9600", "baud = 7", "baud = 7: expected a whole number from 50 to 4000000"),
        ("baud = 9600", 'baud = 9600\ntopic = "a/b"', "baud = 9600: expected no such key beside topic"),
        ("baud = 9600", 'topic = "a/#/b"', 'topic = "a/#/b": expected an MQTT topic filter'),
        ("baud = 9600", 'baud = 9600\nseparator = ";"', 'separator = ";": expected no such key with format "json"'),
        ("baud = 9600", 'baud = 9600\ntitel = "x"', 'titel = "x": unknown key, did you mean "title"?'),
        ("baud = 9600", 'baud = 9600\ntime = { from = "ts" }', "time.unit is missing: expected \"s\", \"ms\""),
        ("baud = 9600", "baud = 9600\ntime = 3", "time = 3: expected a table"),
        ("baud = 9600", 'baud = 9600\ncheck = "md5"', 'check = "md5": expected "xor8"'),
        ("baud = 9600", 'baud = 9600\neach = "a..b"', 'each = "a..b": expected a path'),
        ('"temperature_c"', '"temperature"', 'field[0].name = "temperature": expected a name ending in _c'),
        ('"temperature_c"', '"time"', 'field[0].name = "time": expected another name'),
        ('"Cel"', '"C"', 'field[0].unit = "C": expected a UCUM code; did you mean "Cel"?'),
        ('"Cel"', '"furlong"', 'field[0].unit = "furlong": expected one of 1, %'),
        ('from = "t"', 'from = "a..b"', 'field[0].from = "a..b": expected a path such as'),
        ('from = "t"', r'''from = '["\x"]' ''', r'field[0].from = "[\"\\x\"]": expected in ["…"] a name as JSON'),
        ('from = "t"', "from = 3", "field[0].from = 3: expected a text"),
        ('from = "t"', "scale = 0", "field[0].scale = 0: expected a number other than 0"),
        ('from = "t"', "scale = nan", "field[0].scale = nan: expected a number"),
        ('from = "t"', "minimum = 5\nmaximum = 5", "field[0].maximum = 5: expected a number above minimum, 5"),
        (
            'from = "t"',
            'kind = "state"\nstates = "on"',
            'field[0].states = "on": expected the words that may come, two at least',
        ),
        ('from = "t"', 'kind = "state"', "field[0].states is missing: expected the words that may come"),
        ('from = "t"', 'kind = "flag"\nscale = 2', 'field[0].scale = 2: expected no such key with kind = "flag"'),
        ('from = "t"', 'required = "yes"', 'field[0].required = "yes": expected true or false'),
        ('[[field]]\nname = "temperature_c"\nfrom = "t"\nunit = "Cel"', "", "field is missing: expected at least one"),
        ("[[field]]", '[[field]]\nname = "x"\n' * 2 + "[[field]]", 'field[1].name = "x": expected a name used once'),
    ],
)  # fmt: skip
def test_a_mistake_in_a_table_is_named_with_its_key_path(old: str, new: str, said: str) -> None:
    assert old in GOOD
    with pytest.raises(MappingError) as caught:
        device_type(tomllib.loads(GOOD.replace(old, new)))
    (mistake,) = caught.value.mistakes
    assert str(mistake).startswith(said)


def test_all_mistakes_of_a_table_are_said_at_once() -> None:
    table = {"name": "x", "format": "columns", "baud": 1, "field": [{"name": "A", "unit": "C"}, 3]}
    with pytest.raises(MappingError) as caught:
        device_type(table)
    assert [mistake.where for mistake in caught.value.mistakes] == [
        "field[1]", "field[0].name", "field[0].unit", "field[0].from", "baud",
    ]  # fmt: skip


@pytest.mark.parametrize("table", [None, 3, [], "x", {}, {"name": 1}, {"field": 3}, {"field": [None] * 300}])
def test_a_table_that_is_none_is_refused_and_nothing_else_happens(table: object) -> None:
    with pytest.raises(DescriptionError):
        device_type(table)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["json", "t", "Cel"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*TYPE_KEYS, *FIELD_KEYS]), inner),
    max_leaves=12,
)


@effort(200)
@given(table=st.dictionaries(st.sampled_from(TYPE_KEYS), VALUES), key=st.sampled_from(FIELD_KEYS), value=VALUES)
def test_any_table_is_a_type_or_a_list_of_mistakes(table: dict[str, Any], key: str, value: Any) -> None:
    field = {"name": "temperature_c", "from": "t", "unit": "Cel", key: value}
    for one in (table, {"name": "x", "format": "json", "baud": 9600, "field": [field], **table}):
        said: list[str] = []
        try:
            heard(device_type(one), '{"t":1}')
        except MappingError as error:
            said = [str(mistake) for mistake in error.mistakes]
        assert all(words and "\n" not in words for words in said)


def test_a_field_with_the_name_of_a_column_needs_no_from() -> None:
    device = device_type(
        {
            "name": "scale", "format": "columns", "baud": 9600, "columns": ["ts", "lid"],
            "field": [{"name": "lid", "kind": "flag"}],
        }
    )  # fmt: skip
    assert isinstance(device, StreamDevice)
    (event,) = device.decoder().feed(b"12;1\n")
    assert isinstance(event, Reading)
    assert event.fields == {"lid": True}
