"""The InfluxDB sink against a real influxd 1.x."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gateway.clock import SystemClock
from gateway.config import InfluxConfig
from gateway.intake import Accept, Batch, Keep
from gateway.sinks.influxdb.sink import InfluxSink
from gateway.stats import SinkStats
from tests.servers.influxd import Influxd

T0 = 1_700_000_000_000_000_000


@asynccontextmanager
async def sink_to(url: str, database: str, **options: Any) -> AsyncIterator[InfluxSink]:
    sink = InfluxSink(InfluxConfig(url=url, database=database, **options), SystemClock())
    try:
        yield sink
    finally:
        await sink.close()


def batch(lines: list[str]) -> Batch:
    return Batch(1, 1, len(lines), "\n".join(lines).encode())


def readings(number: int) -> list[str]:
    return [f"air,thing=lamp-{index % 10} pm2_5_ug_m3=12.5 {T0 + index}" for index in range(number)]


async def test_the_database_is_made_and_points_are_stored(influxd: Influxd) -> None:
    async with sink_to(influxd.url, "made", retention="10000d") as sink:
        outcome = await sink.write(batch(["air,thing=a pm2_5_ug_m3=1.5,ok=true,n=3i 1700000000000000001"]))
    assert outcome == Accept([])
    assert sink.server is not None
    assert sink.server.generation.value == "1.x"
    series = influxd.query('SELECT * FROM "air"', "made")
    assert series[0]["columns"] == ["time", "n", "ok", "pm2_5_ug_m3", "thing"]
    assert series[0]["values"] == [[1700000000000000001, 3, True, 1.5, "a"]]
    policies = influxd.rows('SHOW RETENTION POLICIES ON "made"', "made")
    assert [row[:2] for row in policies] == [["autogen", "240000h0m0s"]]


async def test_writing_again_changes_nothing(influxd: Influxd) -> None:
    async with sink_to(influxd.url, "again") as sink:
        for _ in range(3):
            assert await sink.write(batch(readings(1000))) == Accept([])
    assert influxd.count("again", "air", "pm2_5_ug_m3") == 1000


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ("air,thing=lamp-3 pm2_5_ug_m3= 1700000000000000500", "missing field value"),
        ("air,thing=lamp-3 pm2_5_ug_m3=7i 1700000000000000500", "field type conflict"),
        ("air,thing=lamp-3 pm2_5_ug_m3=NaN 1700000000000000500", "invalid number"),
        ("air,thing= pm2_5_ug_m3=1.5 1700000000000000500", "missing tag value"),
        ('air,thing=lamp-3 note="open,pm2_5_ug_m3=1.5 1700000000000000500', "unbalanced quotes"),
    ],
)
async def test_one_bad_point_in_1000_costs_exactly_that_point(influxd: Influxd, bad: str, words: str) -> None:
    database = f"bad {words}"
    lines = readings(1000)
    lines[500] = bad
    async with sink_to(influxd.url, database) as sink:
        assert await sink.write(batch(readings(1))) == Accept([])
        outcome = await sink.write(batch(lines))
    assert isinstance(outcome, Accept)
    assert [line for line, _ in outcome.rejected] == [bad.encode()]
    assert words in outcome.rejected[0][1]
    assert influxd.count(database, "air", "pm2_5_ug_m3") == 999


async def test_many_bad_points_of_both_kinds(influxd: Influxd) -> None:
    lines = readings(1000)
    for index in range(100, 160):
        lines[index] = f"air,thing=lamp-1 pm2_5_ug_m3={index}i {T0 + index}"
    for index in (0, 7, 300, 999):
        lines[index] = f"air,thing=lamp-1 pm2_5_ug_m3=x{index} {T0 + index}"
    async with sink_to(influxd.url, "many") as sink:
        assert await sink.write(batch([readings(2)[1]])) == Accept([])
        outcome = await sink.write(batch(lines))
    assert isinstance(outcome, Accept)
    assert {line for line, _ in outcome.rejected} == {
        lines[index].encode() for index in [*range(100, 160), 0, 7, 300, 999]
    }
    assert len(outcome.rejected) == 64
    assert influxd.count("many", "air", "pm2_5_ug_m3") == 936


async def test_points_older_than_the_retention_are_rejected_not_retried(influxd: Influxd) -> None:
    async with sink_to(influxd.url, "old", retention="1d") as sink:
        outcome = await sink.write(
            batch(["air,thing=a v=1.0 1700000000000000000", "air,thing=a v=2.0 1700000000000000001"])
        )
    assert isinstance(outcome, Accept)
    assert [line for line, _ in outcome.rejected] == [
        b"air,thing=a v=1.0 1700000000000000000",
        b"air,thing=a v=2.0 1700000000000000001",
    ]
    assert "beyond retention policy" in outcome.rejected[0][1]


async def test_a_body_that_is_too_large_is_halved_and_the_size_remembered(
    start_influxd: Callable[..., Influxd],
) -> None:
    server = start_influxd(http=("max-body-size = 10000",))
    long = 'air,thing=a note="' + "x" * 12_000 + f'" {T0}'
    async with sink_to(server.url, "small") as sink:
        assert await sink.write(batch([*readings(1000), long])) == Accept([(long.encode(), "Request Entity Too Large")])
        assert sink.request_max < 10_000
        small = sink.request_max
        for index in range(100):
            await sink.write(batch([f"air,thing=later t=1.0 {T0 + index}"]))
        assert sink.request_max == 2 * small
    assert server.count("small", "air", "pm2_5_ug_m3") == 1000


async def test_no_server_then_a_server(start_influxd: Callable[..., Influxd]) -> None:
    server = start_influxd()
    server.stop()
    async with sink_to(server.url, "later") as sink:
        outcome = await sink.write(batch(readings(10)))
        assert isinstance(outcome, Keep)
        assert outcome.reason == (
            f"{server.url}: nothing listens there; start InfluxDB or correct influxdb.url (connection refused)"
        )
        assert not outcome.alarm
        server.start()
        assert await sink.write(batch(readings(10))) == Accept([])
        server.restart(hard=True)
        assert await sink.write(batch(readings(20))) == Accept([])
    assert server.count("later", "air", "pm2_5_ug_m3") == 20


async def test_a_database_dropped_meanwhile_is_made_again(influxd: Influxd) -> None:
    async with sink_to(influxd.url, "dropped") as sink:
        assert await sink.write(batch(readings(5))) == Accept([])
        influxd.query('DROP DATABASE "dropped"')
        assert await sink.write(batch(readings(7))) == Accept([])
    assert influxd.count("dropped", "air", "pm2_5_ug_m3") == 7


async def test_a_database_that_was_dropped_is_not_made_again_in_silence(
    influxd: Influxd, caplog: pytest.LogCaptureFixture
) -> None:
    stats = SinkStats("influxdb")
    sink = InfluxSink(InfluxConfig(influxd.url, "gone"), SystemClock(), stats)
    try:
        assert await sink.write(batch(readings(5))) == Accept([])
        assert (stats.remade, stats.notice, caplog.messages) == (0, "", [])
        influxd.query('DROP DATABASE "gone"')
        several = [sink.write(batch(readings(7))) for _ in range(2)]
        assert await asyncio.gather(*several) == [Accept([]), Accept([])]
    finally:
        await sink.close()
    assert (stats.remade, stats.notice) == (1, "database 'gone' was gone and has been made again, empty")
    assert caplog.messages == [
        "influxdb: database 'gone' was gone and has been made again, empty; what it held before is lost"
    ]


async def test_a_database_that_may_not_be_made_is_said_once(
    start_influxd: Callable[..., Influxd], caplog: pytest.LogCaptureFixture
) -> None:
    server = start_influxd(auth=True)
    server.query("CREATE USER writer WITH PASSWORD 'w'")
    async with sink_to(server.url, "park", username="writer", password="w") as sink:
        for _ in range(20):
            outcome = await sink.write(batch(readings(3)))
            assert isinstance(outcome, Keep)
            assert outcome.reason.endswith("; make database or bucket 'park'")
        server.query('CREATE DATABASE "park"')
        server.query('GRANT WRITE ON "park" TO "writer"')
        assert await sink.write(batch(readings(3))) == Accept([])
    [said] = caplog.messages
    assert said.startswith("influxdb: could not make database 'park' (")


async def test_a_probe_finds_what_a_batch_would_find_and_writes_nothing(start_influxd: Callable[..., Influxd]) -> None:
    server = start_influxd(auth=True)
    server.query("CREATE USER writer WITH PASSWORD 'w'")
    async with sink_to(server.url, "park", username="writer", password="wrong") as sink:
        found = await sink.probe()
        assert found is not None
        assert found.alarm
        assert "check influxdb.username and influxdb.password" in found.reason
    async with sink_to(server.url, "park", username="root", password="root") as sink:
        assert await sink.probe() is None
    assert server.rows("SHOW MEASUREMENTS", "park") == []
    server.stop()
    async with sink_to(server.url, "park") as sink:
        found = await sink.probe()
        assert found is not None
        assert "nothing listens there" in found.reason


async def test_a_token_towards_1_x_is_told_that_it_takes_none(start_influxd: Callable[..., Influxd]) -> None:
    server = start_influxd(auth=True)
    async with sink_to(server.url, "park", token="bad") as sink:
        outcome = await sink.write(batch(readings(1)))
    assert isinstance(outcome, Keep)
    assert outcome.alarm
    assert sink.server is not None
    assert outcome.reason.endswith(
        f": InfluxDB {sink.server.version} takes no token: set influxdb.username and influxdb.password "
        "instead of influxdb.token"
    )


async def test_credentials(start_influxd: Callable[..., Influxd]) -> None:
    server = start_influxd(auth=True)
    server.query('CREATE DATABASE "park"')
    server.query("CREATE USER writer WITH PASSWORD 'w'")
    server.query('GRANT WRITE ON "park" TO "writer"')
    async with sink_to(server.url, "park") as sink:
        outcome = await sink.write(batch(readings(10)))
        assert isinstance(outcome, Keep)
        assert outcome.alarm
        assert "the server wants credentials: set influxdb.username and influxdb.password" in outcome.reason
    async with sink_to(server.url, "park", username="writer", password="wrong") as sink:
        outcome = await sink.write(batch(readings(10)))
        assert isinstance(outcome, Keep)
        assert outcome.alarm
        assert "check influxdb.username and influxdb.password" in outcome.reason
    async with sink_to(server.url, "park", username="writer", password="w") as sink:
        assert await sink.write(batch(readings(10))) == Accept([])
    async with sink_to(server.url, "elsewhere", username="writer", password="w") as sink:
        outcome = await sink.write(batch(readings(10)))
        assert isinstance(outcome, Keep)
        assert outcome.alarm
    assert server.count("park", "air", "pm2_5_ug_m3") == 10


async def test_api_v2_on_a_server_without_it_is_an_alarm_that_says_so(influxd: Influxd) -> None:
    async with sink_to(influxd.url, "two", api="v2", token="root:root") as sink:
        outcome = await sink.write(batch(readings(3)))
    assert isinstance(outcome, Keep)
    assert outcome.alarm
    assert 'set api = "v1" if it has no /api/v2/write' in outcome.reason


async def test_gzip(influxd: Influxd) -> None:
    async with sink_to(influxd.url, "zipped", gzip=True) as sink:
        assert await sink.write(batch(readings(500))) == Accept([])
    assert influxd.count("zipped", "air", "pm2_5_ug_m3") == 500
