"""The local DuckDB store: columns, merging, rejecting, and what a locked or foreign file says."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import duckdb
import pytest

from gateway.intake import Accept, Batch, Keep
from gateway.sinks.local.store import LocalSink, LocalStoreError


def batch(*lines: str) -> Batch:
    return Batch(1, len(lines), len(lines), "\n".join(lines).encode())


async def test_each_kind_of_value_in_its_own_column(tmp_path: Path) -> None:
    sink = LocalSink(tmp_path / "store" / "park.duckdb")
    head = r"air\ q,thing=lamp\,\ 17,zone=lake"
    line = head + r' pm2_5_ug_m3=12.5,count=7i,ok=true,note="say \"hi\", \\o/" 1700000000123456789'
    assert await sink.write(batch(line)) == Accept([])
    assert await sink.query('DESCRIBE "air q"') == [
        ("time", "TIMESTAMP_NS", "NO", None, None, None),
        ("thing", "VARCHAR", "YES", None, None, None),
        ("zone", "VARCHAR", "YES", None, None, None),
        ("pm2_5_ug_m3", "DOUBLE", "YES", None, None, None),
        ("count", "BIGINT", "YES", None, None, None),
        ("ok", "BOOLEAN", "YES", None, None, None),
        ("note", "VARCHAR", "YES", None, None, None),
    ]
    assert await sink.query('SELECT epoch_ns(time), thing, zone, pm2_5_ug_m3, count, ok, note FROM "air q"') == [
        (1700000000123456789, "lamp, 17", "lake", 12.5, 7, True, 'say "hi", \\o/')
    ]
    await sink.close()


async def test_columns_appear_and_missing_values_are_null(tmp_path: Path) -> None:
    sink = LocalSink(tmp_path / "park.duckdb")
    assert await sink.write(batch("air,thing=a t=1.5 10", "air,thing=b n=2i 10", "air thing_count=3i 11")) == Accept([])
    assert await sink.write(batch('air,thing=a,zone=z s="x",ok=f 12')) == Accept([])
    rows = await sink.query(
        "SELECT epoch_ns(time), thing, zone, t, n, thing_count, s, ok FROM air ORDER BY time, thing"
    )
    assert rows == [
        (10, "a", None, 1.5, None, None, None, None),
        (10, "b", None, None, 2, None, None, None),
        (11, None, None, None, None, 3, None, None),
        (12, "a", "z", None, None, None, "x", False),
    ]
    await sink.close()


async def test_the_same_series_and_time_is_one_row(tmp_path: Path) -> None:
    """As InfluxDB has it: fields are united, the last value stands, within a batch and across."""
    sink = LocalSink(tmp_path / "park.duckdb")
    first = batch("air,thing=a,zone=z t=1.0,u=5.0 10", "air,zone=z,thing=a t=2.0 10", "air,thing=a t=3.0 10")
    for _ in range(3):
        assert await sink.write(first) == Accept([])
    assert await sink.write(batch("air,thing=a,zone=z v=9.0,t=4.0 10", "air,thing=b t=7.0 9")) == Accept([])
    assert await sink.query("SELECT epoch_ns(time), thing, zone, t, u, v FROM air ORDER BY t") == [
        (10, "a", None, 3.0, None, None),
        (10, "a", "z", 4.0, 5.0, 9.0),
        (9, "b", None, 7.0, None, None),
    ]
    await sink.close()


async def test_a_batch_cut_otherwise_after_a_restart_changes_nothing(tmp_path: Path) -> None:
    lines = [f"air,thing=lamp-{index % 7} t={index}.5 {index}" for index in range(1000)]
    sink = LocalSink(tmp_path / "park.duckdb")
    assert await sink.write(batch(*lines[:600])) == Accept([])
    await sink.close()
    sink = LocalSink(tmp_path / "park.duckdb")
    assert await sink.write(batch(*lines[300:])) == Accept([])
    assert await sink.query("SELECT count(*), count(DISTINCT time), sum(t) FROM air") == [(1000, 1000, 500000.0)]
    await sink.close()


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ("air,thing=a t=7i 500", 'field type conflict: "t" is integer, already exists as float'),
        ("air,thing=a t=true,new=1.0 500", 'field type conflict: "t" is boolean, already exists as float'),
        ("air,thing=a thing=7.0 500", '"thing" is both a tag and a field'),
        ("air,thing=a T=7.0 500", '"T" differs only in case from "t"'),
        ("air,thing=a t=1.0,x=1.0,X=2.0 500", '"X" occurs twice, in different case'),
        ("Air,thing=a t=7.0 500", 'measurement "Air" differs only in case from "air"'),
        ("air,time=a t=7.0 500", '"time" is no name for a tag or field'),
        ("air,thing=a t= 500", 'field "t=" is not name=value'),
        ("air,thing=a t=NaN 500", '"NaN" is no number, integer, boolean or string'),
        ("air,thing=a t=1_0 500", '"1_0" is no number, integer, boolean or string'),
        ("air,thing=a t=1e400 500", '"1e400" is beyond a 64-bit float'),
        ("air,thing=a n=9223372036854775808i 500", '"9223372036854775808i" is beyond a 64-bit integer'),
        ("air,thing=a t=1.0", "2 parts, expected measurement and tags, fields, time"),
        ("air,thing=a t=1.0 5.5", '"5.5" is no time in nanoseconds'),
        ("air,thing= t=1.0 500", 'expected ",tag=value" at ",thing="'),
        ("air,thing=a,thing=b t=1.0 500", 'tag "thing" twice'),
        ('air,thing=a s="open 500', 'expected name=value and a time after it at "s="open 500"'),
    ],
)
async def test_one_bad_point_in_1000_costs_exactly_that_point(tmp_path: Path, bad: str, words: str) -> None:
    lines = [f"air,thing=a t={index}.5 {index}" for index in range(1000)]
    lines[500] = bad
    sink = LocalSink(tmp_path / "park.duckdb")
    assert await sink.write(batch(*lines)) == Accept([(bad.encode(), words)])
    assert await sink.query("SELECT count(*) FROM air") == [(999,)]
    assert [row[0] for row in await sink.query("DESCRIBE air")] == ["time", "thing", "t"]
    await sink.close()


async def test_types_and_tags_are_remembered_across_a_restart(tmp_path: Path) -> None:
    sink = LocalSink(tmp_path / "park.duckdb")
    assert await sink.write(batch('air,thing=a t=1.0,s="x" 1')) == Accept([])
    await sink.close()
    sink = LocalSink(tmp_path / "park.duckdb")
    assert await sink.write(batch('air,thing=a t="warm" 2', "air,s=a t=1.0 3", "air,thing=b t=2.0 4")) == Accept(
        [
            (b'air,thing=a t="warm" 2', 'field type conflict: "t" is string, already exists as float'),
            (b"air,s=a t=1.0 3", '"s" is both a tag and a field'),
        ]
    )
    assert await sink.query("SELECT epoch_ns(time), thing FROM air ORDER BY time") == [(1, "a"), (4, "b")]
    await sink.close()


async def test_names_cannot_reach_sql(tmp_path: Path) -> None:
    sink = LocalSink(tmp_path / "park.duckdb")
    hostile = r'a";DROP\ TABLE\ air;--,th"ing=x\'\,y t"\ q=1.0 1'
    assert await sink.write(batch("air t=1.0 1", hostile)) == Accept([])
    assert await sink.query("SELECT count(*) FROM air") == [(1,)]
    assert await sink.query('SELECT "th""ing" FROM "a"";DROP TABLE air;--"') == [("x\\',y",)]
    await sink.close()


async def test_export_writes_a_parquet_file_per_measurement(tmp_path: Path) -> None:
    sink = LocalSink(tmp_path / "park.duckdb")
    assert await sink.write(batch("air,thing=a t=1.5 2", "air,thing=a t=0.5 1", "robot speed_m_s=0.25 1")) == Accept([])
    written = await sink.export(tmp_path / "out")
    await sink.close()
    assert [path.name for path in written] == ["air.parquet", "robot.parquet"]
    rows = duckdb.execute("SELECT epoch_ns(time), thing, t FROM read_parquet(?)", [str(written[0])]).fetchall()
    assert rows == [(1, "a", 0.5), (2, "a", 1.5)]


async def test_a_file_held_by_another_process_is_one_line_and_an_alarm(tmp_path: Path) -> None:
    path = tmp_path / "park.duckdb"
    hold = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    other = await asyncio.create_subprocess_exec(sys.executable, "-c", hold, str(path), stdin=PIPE, stdout=PIPE)
    assert other.stdout is not None
    assert await other.stdout.readline() == b"held\n"
    sink = LocalSink(path)
    try:
        with pytest.raises(LocalStoreError, match="another process has the local store open") as caught:
            await sink.open()
        assert "\n" not in str(caught.value)
        outcome = await sink.write(batch("air t=1.0 1"))
        assert isinstance(outcome, Keep)
        assert outcome.alarm
    finally:
        await other.communicate(b"")
    assert await sink.write(batch("air t=1.0 1")) == Accept([])
    await sink.close()


async def test_a_file_that_is_no_store_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "park.duckdb"
    path.write_bytes(b"not a database, " * 1000)
    sink = LocalSink(path)
    with pytest.raises(LocalStoreError, match="move the file away, or use the version that wrote it") as caught:
        await sink.open()
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == b"not a database, " * 1000
    await sink.close()


async def test_a_directory_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    sink = LocalSink(tmp_path / "file" / "park.duckdb")
    with pytest.raises(LocalStoreError, match="expected a directory this user may write"):
        await sink.open()
    await sink.close()
