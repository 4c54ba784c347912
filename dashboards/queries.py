"""The InfluxQL that panels send: built here, checked here.

Every query stays inside the subset that InfluxDB 1.x, 2.x and 3 answer alike: SELECT with
aggregates, selectors, derivatives and arithmetic, WHERE, GROUP BY time() and tags, fill(),
ORDER BY time, LIMIT, one subquery in FROM, and SHOW TAG VALUES. Not in it: SLIMIT, SOFFSET, INTO, SHOW SERIES,
SAMPLE, Holt-Winters, subscriptions to a second statement, writes of any kind.

Grafana replaces `$timeFilter`, `$__interval`, `$thing` and `$zone` before it sends. A thing
without a zone has no such tag; `/^.*$/` matches it all the same.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

THINGS = '"thing" =~ /^$thing$/ AND "zone" =~ /^$zone$/'
"""The condition of every query about things."""

GATEWAYS = '"gateway" =~ /^$gateway$/'

_FUNCTIONS = """
    count distinct integral mean median mode spread stddev sum
    bottom first last max min percentile top
    abs ceil floor round sqrt pow
    derivative non_negative_derivative difference non_negative_difference cumulative_sum moving_average elapsed
    time fill tz now
"""
_FORBIDDEN = """
    into slimit soffset drop delete create alter grant revoke kill explain insert sample holt_winters
    series cardinality subscription continuous database databases
"""
FUNCTIONS = frozenset(_FUNCTIONS.split())
FORBIDDEN = frozenset(_FORBIDDEN.split())
WORDS_BEFORE_PARENTHESIS = frozenset(["and", "or", "as", "in", "by", "from"])


@dataclass(frozen=True, slots=True)
class Query:
    """One target of a panel. `alias` names the series in legends ($tag_thing, $m, $col).

    `columns` are the columns of a table in their order, where that is known beforehand.
    """

    text: str
    alias: str = ""
    format: Literal["time_series", "table"] = "time_series"
    columns: tuple[str, ...] = ()


def quoted(name: str) -> str:
    """`name` as an InfluxQL identifier."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def one_of(measurements: Iterable[str]) -> str:
    """The FROM clause over one or several measurements."""
    names = sorted(set(measurements))
    if len(names) == 1:
        return quoted(names[0])
    return "/^(" + "|".join(re.escape(name) for name in names) + ")$/"


def _where(condition: str) -> str:
    return "WHERE $timeFilter" + (f" AND {condition}" if condition else "")


def _tags(by: Iterable[str]) -> str:
    return ", ".join(quoted(tag) for tag in by)


def trend(
    source: str,
    field: str,
    function: str = "mean",
    by: tuple[str, ...] = ("thing",),
    where: str = THINGS,
    alias: str = "$tag_thing",
    every: str = "$__interval",
) -> Query:
    """One value per bucket and series. `source` comes from `one_of` or `quoted`.

    fill(null) keeps the gaps: no line is drawn through an outage.
    """
    value = f"{function}({quoted(field)}) AS {quoted(field)}"
    return Query(f"SELECT {value} FROM {source} {_where(where)} GROUP BY time({every}), {_tags(by)} fill(null)", alias)


def rate(
    source: str,
    field: str,
    by: tuple[str, ...],
    where: str,
    alias: str,
    per: str = "1s",
) -> Query:
    """Increments per `per` of a counter; a restart's fall to zero is no rate."""
    value = f"non_negative_derivative(max({quoted(field)}), {per}) AS {quoted(field)}"
    return Query(
        f"SELECT {value} FROM {source} {_where(where)} GROUP BY time($__interval), {_tags(by)} fill(none)", alias
    )


def states(
    source: str,
    field: str,
    by: tuple[str, ...] = ("thing",),
    where: str = THINGS,
    alias: str = "$tag_thing",
) -> Query:
    """The last state or flag of each bucket: at most one row a pixel, however fast the source."""
    value = f"last({quoted(field)}) AS {quoted(field)}"
    return Query(
        f"SELECT {value} FROM {source} {_where(where)} GROUP BY time($__interval), {_tags(by)} fill(none)", alias
    )


def latest(
    source: str,
    fields: Iterable[tuple[str, str]],
    by: tuple[str, ...] = ("thing", "zone"),
    where: str = THINGS,
) -> Query:
    """A table: one row a series, `fields` as (name, column heading).

    With one field the Time column is the reading's; with several it is the range's start.
    """
    named = list(fields)
    values = ", ".join(f"last({quoted(name)}) AS {quoted(column)}" for name, column in named)
    text = f"SELECT {values} FROM {source} {_where(where)} GROUP BY {_tags(by)}"
    return Query(text, "", "table", ("Time", *by, *(column for _, column in named)))


def current(
    source: str,
    field: str,
    function: str = "last",
    by: tuple[str, ...] = ("thing",),
    where: str = THINGS,
    alias: str = "$tag_thing",
) -> Query:
    """One number a series over the whole range, for stat, gauge and bar panels."""
    group = f" GROUP BY {_tags(by)}" if by else ""
    return Query(f"SELECT {function}({quoted(field)}) AS {quoted(field)} FROM {source} {_where(where)}{group}", alias)


def newest_rows(source: str, limit: int, columns: Iterable[str] = (), where: str = THINGS) -> Query:
    """A table of the newest rows, newest first: every column, or the named ones."""
    named = tuple(columns)
    wanted = ", ".join(quoted(column) for column in named) or "*"
    text = f"SELECT {wanted} FROM {source} {_where(where)} ORDER BY time DESC LIMIT {limit}"
    return Query(text, "", "table", ("Time", *named) if named else ())


def tag_values(key: str, source: str | None = None, where: str = "") -> str:
    """The query of a variable: every value of a tag."""
    origin = f" FROM {source}" if source else ""
    condition = f" WHERE {where}" if where else ""
    return f"SHOW TAG VALUES{origin} WITH KEY = {quoted(key)}{condition}"


_LITERALS = re.compile(r"'(?:[^'\\]|\\.)*'")
_IDENTIFIERS = re.compile(r'"(?:[^"\\]|\\.)*"')
_PATTERNS = re.compile(r"(?<=[~\s])/(?:[^/\\\n]|\\.)+/(?=[\s)]|$)")


_SELECTED = re.compile(r"\s*SELECT\s+(.*?)\s+FROM\s", re.IGNORECASE | re.DOTALL)
_NAMED = re.compile(r'\bAS\s+"([^"]+)"|(?:^|,)\s*"([^"]+)"\s*(?=,|$)', re.IGNORECASE)
_GROUPED = re.compile(r"\bGROUP\s+BY\s((?:(?!\bGROUP\s+BY\b).)*)\Z", re.IGNORECASE | re.DOTALL)


def answered(text: str) -> frozenset[str] | None:
    """The columns of a SELECT in table form: named fields and tags grouped by; None for SELECT *."""
    selected = _SELECTED.match(text)
    if selected is None or selected[1].strip() == "*":
        return None
    grouped = _GROUPED.search(text)
    tags = re.findall(r'"([^"]+)"', grouped[1]) if grouped else []
    return frozenset(["Time", *tags, *(alias or plain for alias, plain in _NAMED.findall(selected[1]))])


def problems(text: str) -> list[str]:
    """What keeps a query out of the portable subset; empty when it is inside."""
    found: list[str] = []
    bare = _PATTERNS.sub(" ", _LITERALS.sub(" ", _IDENTIFIERS.sub(" ", text)))
    words = [word.lower() for word in re.findall(r"[A-Za-z_]+", re.sub(r"\$\w+", " ", bare))]
    if ";" in bare:
        found.append("holds more than one statement")
    for word in sorted(FORBIDDEN.intersection(words)):
        found.append(f"uses {word.upper()}, which not every InfluxDB answers")
    for name in re.findall(r"([A-Za-z_]+)\s*\(", bare):
        if name.lower() not in FUNCTIONS | WORDS_BEFORE_PARENTHESIS:
            found.append(f"calls {name}(), which is outside the portable subset")
    if words[:1] == ["select"]:
        if "$timeFilter" not in bare:
            found.append("does not follow the time range ($timeFilter is missing)")
        if bare.count("(") != bare.count(")"):
            found.append("has unbalanced parentheses")
    elif words[:3] != ["show", "tag", "values"]:
        found.append("is neither SELECT nor SHOW TAG VALUES")
    return found
