"""Line protocol as the gateway writes it, read back: nothing is refused and nothing changes."""

import re

from hypothesis import given
from hypothesis import strategies as st

from gateway.decode.point import Series
from gateway.sinks.local.lines import LineReader

TEXT = st.text(alphabet="abC é,= \"\\#'日\t0", min_size=1, max_size=12)
WORD = st.text(alphabet="abC é,= \"#'日\t0", min_size=1, max_size=12)
WRITTEN = {"a\\": "a~774276ed46edbe79", "b\\,": "b_,~e0c50630904a7523"}
"""Names with a backslash that would escape what follows, and what is written instead.

Behind them is the mark of the whole name, BLAKE2b.
"""
MARK = re.compile(r"~[0-9a-f]{16}\Z")
"""Behind a tag value that was changed, too."""

NAMES = st.sampled_from(["pm2_5_ug_m3", "a b", "a,b", "a=b", 'a"b', "日本", *WRITTEN])
VALUES = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(1 << 63), (1 << 63) - 1),
    st.booleans(),
    TEXT.filter(lambda text: "\t" not in text),
)


@given(st.dictionaries(NAMES, VALUES, min_size=1), st.dictionaries(st.sampled_from(["thing", "zo,ne"]), WORD))
def test_what_is_written_is_read(fields: dict[str, float | int | bool | str], tags: dict[str, str]) -> None:
    line = Series("air, so", tags).line(fields, 1_700_000_000_123_456_789, 1)
    assert line is not None
    points, refused = LineReader({}).read(line.encode())
    assert refused == []
    [measurement] = points
    assert measurement == "air, so"
    table = points[measurement]
    assert table.times == [1_700_000_000_123_456_789]
    read = {name: column.values[0] for name, column in table.columns.items()}
    expected = {WRITTEN.get(name, name): value for name, value in fields.items()}
    assert read == expected
    assert {name: type(value) for name, value in read.items()} == {name: type(v) for name, v in expected.items()}
    stored = {MARK.sub("", value) for _, value in table.heads[0].tags}
    assert stored <= {text.replace("\t", "_").strip() for text in tags.values()}


@given(st.text(alphabet='airt=,1. \\"i5\n', max_size=40))
def test_whatever_comes_is_read_or_refused_and_never_else(text: str) -> None:
    points, refused = LineReader({}).read(text.encode())
    rows = sum(len(table.times) for table in points.values())
    assert rows + len(refused) <= len([line for line in text.split("\n") if line])
    assert bool(rows or refused) == bool(text.strip("\n"))
