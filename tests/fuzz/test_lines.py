"""Line protocol from hostile words: always one point, with the tags and fields that were meant."""

import json
import random
import urllib.parse
import urllib.request
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.spec.events import Value
from gateway.decode.names import clean_name, clean_tag
from gateway.decode.point import _KEYS, Series
from gateway.sinks.local.lines import LineReader
from tests.e2e.running import influx_query
from tests.fuzz.effort import effort
from tests.servers.influxd import Influxd

T = 1_700_000_000_000_000_000
SHARP = st.sampled_from([*'\\,= "\n\r\t\0#_{}', "\x85", "\u2028", "\u2029", "\u3000", "\ud800", "é", "😀"])
WORDS = st.one_of(
    st.text(st.one_of(SHARP, st.characters()), max_size=12),
    st.lists(st.sampled_from(["\\", "\\ ", "\\,", "\\=", ",evil=1", " x=1 1\n", '"', "time", "a"]), max_size=5).map(
        "".join
    ),
)
VALUES: st.SearchStrategy[Value] = st.one_of(st.floats(), st.integers(), st.booleans(), WORDS)


@pytest.mark.parametrize(
    ("value", "clean"),
    [
        ("a\\ ", "a~f0bfdaa7f56a76b2"),
        ("a\\ \\ ", "a~fec2c184b30bbb82"),
        ("\\", "~4d7ecf73c0819682"),
        (" \\ \\", "~dd5b7f3e0e54540a"),
        ("a\\,zone=evil", "a_,zone=evil~96ad801585be063b"),
        ("a\\\\b", "a_\\b~05ac8d50228acc86"),
        ("C:\\park", "C:\\park"),
        ("a\\ b", "a_ b~8b83610b04647716"),
        ("\u2028a\x85", "_a_~dc880c58b847b3e5"),
        ("#a", "#a"),
    ],
)
def test_a_tag_value_escapes_nothing_by_itself(value: str, clean: str) -> None:
    assert clean_tag(value) == clean


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("a\\ ", "a~f0bfdaa7f56a76b2"),
        (" _x", "x~cbc33faed0c88b47"),
        ("# _#x", "x~bcf3dd5b3b46c510"),
        ("\\", "unnamed~4d7ecf73c0819682"),
        ("\\\\,a", ",a~f20cdf240692f6dc"),
        ("time", "time_"),
        ("time\\ ", "time~91fc2a9c5d732517"),
        ("_ time", "time~4228b621195496dc"),
        ("a\\=b", "a_=b~b989857d3b73a7d5"),
    ],
)
def test_a_name_escapes_nothing_by_itself(name: str, clean: str) -> None:
    assert clean_name(name) == clean


def test_a_backslash_and_a_space_at_the_end_do_not_swallow_what_follows() -> None:
    series = Series("m", {"thing": "a\\ ", "zone": "lake"})
    assert series.line({"v": 1.0}, None, T) == "m,thing=a~f0bfdaa7f56a76b2,zone=lake v=1.0 1700000000000000000"


def as_version_3_reads(head: str) -> tuple[str, dict[str, str]]:
    """Measurement and tags as InfluxDB 3 reads them: there two backslashes are one.

    Source: influxdb3_core, influxdb_line_protocol/src/lib.rs (escaped_value, escape_or_fallback).
    """
    parts = [""]
    at = 0
    while at < len(head):
        step = 1
        if head[at] == "\\" and head[at + 1 : at + 2] in ("\\", ",", "=", " "):
            at += 1
        elif head[at] in ",=":
            parts += [head[at], ""]
            step, at = 0, at + 1
        else:
            assert head[at] not in " \t\n", head
        parts[-1] += head[at : at + step]
        at += step
    names, values = parts[2::4], parts[4::4]
    assert all(name and not name.endswith("\\") for name in names + values), head
    assert all(mark == "," for mark in parts[1::4]), head
    assert all(mark == "=" for mark in parts[3::4]), head
    return parts[0], dict(zip(names, values, strict=True))


def stored(fields: Mapping[str, Value]) -> dict[str, Value]:
    """The fields that can be stored, as they should come back but for what texts lose."""
    return {
        name: value
        for name, value in fields.items()
        if not (isinstance(value, float) and value - value != 0.0)
        and not (type(value) is int and not -(1 << 63) <= value < 1 << 63)
    }


@effort(300)
@given(tags=st.dictionaries(WORDS, WORDS, max_size=4), fields=st.dictionaries(WORDS, VALUES, max_size=5))
def test_any_reading_is_one_point_or_none(tags: dict[str, str], fields: dict[str, Value]) -> None:
    clean_tags = {clean_name(name): clean_tag(value) for name, value in tags.items()}
    clean_tags = {name: value for name, value in clean_tags.items() if value}
    if len({clean_name(name).casefold() for name in [*tags, *fields]}) < len({*tags}) + len({*fields}):
        return  # a field with the name of a tag, or names that differ by case alone: not for columns
    _KEYS.clear()  # a process takes 1000 field names of a measurement, all cases together have more
    line = Series("senml", tags).line(fields, None, T)
    expected = stored(fields)
    assert (line is None) == (not expected)
    if line is None:
        return
    assert "\n" not in line
    points, refused = LineReader({}).read(line.encode())
    assert not refused
    assert list(points) == ["senml"]
    point = points["senml"]
    assert point.times == [T]
    assert dict(point.heads[0].tags) == clean_tags
    assert as_version_3_reads(Series("senml", tags).prefix[:-1]) == ("senml", clean_tags)
    assert len(point.columns) == len(expected)
    for name, value in expected.items():
        found = point.columns[clean_name(name)].values[0]
        assert type(found) is type(value)
        if isinstance(value, str) and not value.isprintable():
            continue
        assert found == value


def hostile_points(count: int, seed: int) -> dict[str, tuple[dict[str, str], dict[str, Value]]]:
    """Line to tags and fields, drawn from what breaks line protocol. Every field keeps one kind."""
    chance = random.Random(seed)
    alphabet = [*"\\\\\\,= \"'\n\r\t\0#_ab;:/", "\x85", "\u2028", "\ud800", "é", "😀", "\\ ", ",x=1", " y=2 3\n"]

    def word(most: int) -> str:
        return "".join(chance.choice(alphabet) for _ in range(chance.randint(0, most)))

    found: dict[str, tuple[dict[str, str], dict[str, Value]]] = {}
    for number in range(count):
        tags = {"thing": f"t{number}{word(8)}", "zone": word(300 if number % 50 == 0 else 6)}
        fields: dict[str, Value] = {
            "float": chance.choice([0.0, -0.0, 1e308, 5e-324, -1.5, 0.1]),
            "text": word(20_000 if number % 50 == 1 else 30),
            "count": chance.choice([0, -(1 << 63), (1 << 63) - 1, 7]),
            "flag": chance.random() < 0.5,
            f"{word(4)}text{number % 7}": word(10),
        }
        line = Series("hostile", tags).line(fields, None, T + number)
        assert line is not None
        found[line] = (tags, fields)
    return found


def write(influxd: Influxd, database: str, lines: str) -> int:
    url = f"{influxd.url}/write?" + urllib.parse.urlencode({"db": database})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(url, lines.encode(), method="POST"), timeout=10) as answer:
        return int(answer.status)


def test_influxd_takes_200_hostile_points_as_they_are_meant(influxd: Influxd) -> None:
    influxd.query('CREATE DATABASE "hostile"')
    points = hostile_points(200, seed=20_260_115)
    assert len(points) == 200
    assert write(influxd, "hostile", "\n".join(points)) == 204
    names = {clean_name(name) for _, fields in points.values() for name in fields}
    rows = influx_query(influxd.url, "SHOW MEASUREMENTS", "hostile")
    assert rows[0]["values"] == [["hostile"]]
    tag_keys = influx_query(influxd.url, "SHOW TAG KEYS", "hostile")[0]["values"]
    assert tag_keys == [["thing"], ["zone"]]
    field_keys = influx_query(influxd.url, "SHOW FIELD KEYS", "hostile")[0]["values"]
    assert {name for name, _ in field_keys} == names
    rows = influx_query(influxd.url, 'SELECT * FROM "hostile"', "hostile")
    columns = rows[0]["columns"]
    assert len(rows[0]["values"]) == 200
    for row, (tags, fields) in zip(rows[0]["values"], points.values(), strict=True):
        found = dict(zip(columns, row, strict=True))
        assert found["thing"] == clean_tag(tags["thing"])
        assert (found["zone"] or "") == clean_tag(tags["zone"])
        assert found["float"] == fields["float"]
        assert found["count"] == fields["count"]
        assert found["flag"] == fields["flag"]
        text = str(fields["text"])
        if text.isprintable() and len(text) <= 16_384:
            assert found["text"] == text, json.dumps(text)
