"""Line protocol: literal lines for literal readings."""

import math

import pytest

from gateway.decode.names import clean_name, clean_tag
from gateway.decode.point import Series

T = 1_700_000_000_000_000_000


def line(fields, tags=None, measurement="pms5003"):
    return Series(measurement, {"thing": "lamp-17"} if tags is None else tags).line(fields, None, T)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"pm2_5_ug_m3": 8.0}, "pms5003,thing=lamp-17 pm2_5_ug_m3=8.0 1700000000000000000"),
        ({"pm2_5_ug_m3": 0.0}, "pms5003,thing=lamp-17 pm2_5_ug_m3=0.0 1700000000000000000"),
        ({"ok": False, "on": True}, "pms5003,thing=lamp-17 ok=false,on=true 1700000000000000000"),
        ({"count": 12}, "pms5003,thing=lamp-17 count=12i 1700000000000000000"),
        ({"x": 1e-7}, "pms5003,thing=lamp-17 x=1e-07 1700000000000000000"),
        ({"mode": 'a"b\\c'}, 'pms5003,thing=lamp-17 mode="a\\"b\\\\c" 1700000000000000000'),
        ({"mode": "two\nlines\r"}, 'pms5003,thing=lamp-17 mode="two lines " 1700000000000000000'),
        ({"a b,c=d": 1.0}, "pms5003,thing=lamp-17 a\\ b\\,c\\=d=1.0 1700000000000000000"),
        ({"time": 1.0}, "pms5003,thing=lamp-17 time_=1.0 1700000000000000000"),
        ({"_hidden": 1.0}, "pms5003,thing=lamp-17 hidden~ccfdf99f72ab81bc=1.0 1700000000000000000"),
        ({"thing": "x"}, 'pms5003,thing=lamp-17 thing_value="x" 1700000000000000000'),
        ({"a": math.nan, "b": math.inf, "c": 2.5}, "pms5003,thing=lamp-17 c=2.5 1700000000000000000"),
        ({"big": 1 << 63, "low": -(1 << 63)}, "pms5003,thing=lamp-17 low=-9223372036854775808i 1700000000000000000"),
    ],
)
def test_a_reading_becomes_one_line(fields, expected):
    assert line(fields) == expected


@pytest.mark.parametrize("fields", [{}, {"a": math.nan}, {"a": 1 << 64}])
def test_a_reading_without_a_storable_value_becomes_no_line(fields):
    assert line(fields) is None


@pytest.mark.parametrize(
    ("tags", "prefix"),
    [
        ({"zone": "lake", "thing": "a"}, "m,thing=a,zone=lake "),
        ({"thing": "lamp 17,a=b"}, "m,thing=lamp\\ 17\\,a\\=b "),
        ({"thing": "a\n,evil=1 x=1 1\n"}, "m,thing=a_\\,evil\\=1\\ x\\=1\\ 1_~49a8d0bb02e3294d "),
        ({"thing": "ends in \\\\"}, "m,thing=ends\\ in~324229f2127ddf5b "),
        ({"thing": "a", "zone": ""}, "m,thing=a "),
        ({"thing": "é\ud800"}, "m,thing=é_~4bff73141aaa807f "),
    ],
)
def test_tags_are_sorted_escaped_and_never_empty(tags, prefix):
    assert Series("m", tags).prefix == prefix


def test_tag_values_and_names_are_bounded():
    assert len(clean_tag("x" * 70_000)) == 256
    assert len(clean_name("x" * 70_000)) == 128
    assert clean_name("__") == "unnamed~a82363d80be6ab49"


class Counted:
    field_errors = 0


@pytest.mark.parametrize("declared", [False, True])
def test_a_value_that_cannot_be_stored_is_left_out_and_counted(declared):
    counts = Counted()
    series = Series("m", {"thing": "a"}, declared=declared, counts=counts)
    fields = {"v": 1.5, "w": float("nan"), "n": 1 << 63, "x": float("-inf"), "t": "up"}
    assert series.line(fields, None, T) == 'm,thing=a v=1.5,t="up" 1700000000000000000'
    assert counts.field_errors == 3
    assert series.line({"v": 1.5}, None, T) == "m,thing=a v=1.5 1700000000000000001"
    assert series.line({"w": float("nan")}, None, T) is None
    assert counts.field_errors == 3, "a reading without any value is refused whole"


def test_a_field_named_like_a_tag_and_one_named_like_its_substitute_stay_two():
    series = Series("m", {"thing": "a"})
    fields = {"thing": 1.0, "thing_value": 2.0}
    assert series.line(fields, None, T) == (
        "m,thing=a thing_value=1.0,thing_value~2134d23ce79cf5b6=2.0 1700000000000000000"
    )


def stamps(series, calls):
    return [int(series.line(*call).rsplit(" ", 1)[1]) - T for call in calls]


def test_result_times_of_one_series_never_tie():
    series = Series("m", {"thing": "a"})
    same = {"v": 1.0}
    assert stamps(series, [(same, None, T), (same, None, T), (same, None, T), (same, None, T + 1)]) == [0, 1, 2, 3]


def test_a_clock_set_back_is_followed():
    series = Series("m", {"thing": "a"})
    hour = 3_600_000_000_000
    assert stamps(series, [({"v": 1.0}, None, T), ({"v": 1.0}, None, T - hour)]) == [0, 1009 - hour]


def test_a_coarse_clock_that_is_set_back_hits_no_time_twice():
    series = Series("m", {"thing": "a"})
    value, hour = {"v": 1.0}, 3_600_000_000_000
    calls = [(value, None, when) for when in (T, T, T + hour, T, T, T + hour, T)]
    assert stamps(series, calls) == [0, 1, hour, 1009, 1010, hour + 1009, 2018]


def test_a_repeat_gets_the_same_time_and_another_reading_the_next():
    series = Series("m", {"thing": "a"})
    one, two, three = {"v": 1.0}, {"v": 2.0}, {"v": 3.0}
    calls = [(one, T, T + 9), (one, T, T + 9), (two, T, T + 9), (two, T, T + 9), (three, T, T + 9), (one, T, T + 9)]
    assert stamps(series, calls) == [0, 0, 1, 1, 2, 0]


def test_backfill_keeps_its_own_time():
    series = Series("m", {"thing": "a"})
    calls = [({"v": 1.0}, T, T), ({"v": 2.0}, T - 500, T), ({"v": 3.0}, T + 500, T)]
    assert stamps(series, calls) == [0, -500, 500]


def test_backfill_of_one_time_is_told_apart_and_repeats_change_nothing():
    series = Series("m", {"thing": "a"})
    late = [({"v": 2.0}, T - 500, T), ({"v": 3.0}, T - 500, T)]
    first = stamps(series, [({"v": 1.0}, T, T), *late])
    assert first[:2] == [0, -500]
    assert -500 < first[2] < 999_500
    assert stamps(series, late) == first[1:]


def test_zero_is_written_without_a_sign():
    series = Series("m", {"thing": "a"})
    assert series.line({"v": -0.0}, None, T) == "m,thing=a v=0.0 1700000000000000000"
    assert series.line({"v": 0.0}, None, T) == "m,thing=a v=0.0 1700000000000000001"


def test_result_times_between_do_not_move_phenomenon_times():
    series = Series("m", {"thing": "a"})
    calls = [({"v": 1.0}, T, T + 70), ({"w": 2.0}, None, T + 80), ({"v": 3.0}, T + 60, T + 90)]
    assert stamps(series, calls) == [0, 80, 60]
