"""Queries as text, and the check of the portable subset."""

import pytest

from dashboards import queries

GOOD = [
    'SELECT mean("v") AS "v" FROM "m" WHERE $timeFilter AND "thing" =~ /^$thing$/ '
    'GROUP BY time($__interval), "thing" fill(null)',
    'SELECT * FROM "m" WHERE $timeFilter ORDER BY time DESC LIMIT 5',
    'SELECT last("drop") FROM "series" WHERE $timeFilter',
    'SELECT mean("v") FROM /^(pms5003|sds011)$/ WHERE $timeFilter GROUP BY time(1h), "thing" fill(none)',
    'SELECT count("v") FROM "m" WHERE $timeFilter AND "a" = \'into; drop\'',
    'SHOW TAG VALUES FROM "m" WITH KEY = "thing" WHERE "zone" =~ /^$zone$/',
]


@pytest.mark.parametrize("text", GOOD)
def test_the_portable_subset_passes(text: str) -> None:
    assert queries.problems(text) == []


BAD = [
    ('SELECT "v" INTO "x" FROM "m" WHERE $timeFilter', "uses INTO, which not every InfluxDB answers"),
    ('SELECT "v" FROM "m" WHERE $timeFilter GROUP BY "t" SLIMIT 3', "uses SLIMIT, which not every InfluxDB answers"),
    ('SELECT sample("v", 3) FROM "m" WHERE $timeFilter', "uses SAMPLE, which not every InfluxDB answers"),
    ('SELECT mean("v") FROM "m"', "does not follow the time range ($timeFilter is missing)"),
    ('SELECT mean("v") FROM "m" WHERE $timeFilter; DROP MEASUREMENT "m"', "holds more than one statement"),
    ('SELECT mean("v" FROM "m" WHERE $timeFilter', "has unbalanced parentheses"),
    ('SELECT triple_exponential("v") FROM "m" WHERE $timeFilter', "calls triple_exponential(), which is outside"),
    ("SHOW SERIES", "is neither SELECT nor SHOW TAG VALUES"),
    ('from(bucket: "b")', "is neither SELECT nor SHOW TAG VALUES"),
]


@pytest.mark.parametrize(("text", "finding"), BAD)
def test_everything_else_is_named(text: str, finding: str) -> None:
    assert any(found.startswith(finding) for found in queries.problems(text)), queries.problems(text)


def test_trend() -> None:
    query = queries.trend('"pms5003"', "pm2_5_ug_m3")
    assert query.text == (
        'SELECT mean("pm2_5_ug_m3") AS "pm2_5_ug_m3" FROM "pms5003" '
        'WHERE $timeFilter AND "thing" =~ /^$thing$/ AND "zone" =~ /^$zone$/ '
        'GROUP BY time($__interval), "thing" fill(null)'
    )
    assert (query.alias, query.format) == ("$tag_thing", "time_series")


def test_one_of() -> None:
    assert queries.one_of(["sds011"]) == '"sds011"'
    assert queries.one_of(["sds011", "pms5003", "sds011"]) == "/^(pms5003|sds011)$/"


def test_names_are_quoted() -> None:
    assert queries.quoted('a"b\\c') == '"a\\"b\\\\c"'


def test_rate_of_a_counter_ignores_restarts() -> None:
    query = queries.rate('"gateway"', "received", ("gateway",), queries.GATEWAYS, "$tag_gateway")
    assert query.text == (
        'SELECT non_negative_derivative(max("received"), 1s) AS "received" FROM "gateway" '
        'WHERE $timeFilter AND "gateway" =~ /^$gateway$/ GROUP BY time($__interval), "gateway" fill(none)'
    )


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ('SELECT last("v") AS "a b", "w" FROM "m" WHERE $timeFilter GROUP BY "t", "u"', {"Time", "a b", "w", "t", "u"}),
        ('SELECT mean("v") AS "v" FROM "m" WHERE "x" = 1 GROUP BY time(1s), "t" fill(none)', {"Time", "v", "t"}),
        ('SELECT count("n") AS "c" FROM (SELECT last("o") AS "n" FROM "m" GROUP BY "t") LIMIT 1', {"Time", "c", "t"}),
        ('SELECT * FROM "m"', None),
    ],
)
def test_columns_of_a_table(text: str, columns: set[str] | None) -> None:
    assert queries.answered(text) == columns
