"""The InfluxDB sink against 2.x and 3 in their own ways, and against servers in trouble."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import pytest

from gateway.clock import SystemClock
from gateway.config.load import InfluxConfig
from gateway.intake import Accept, Batch, Keep
from gateway.sinks.influxdb.sink import InfluxSink
from tests.servers.fake_influx import FakeInflux, Fault

T0 = 1_700_000_000_000_000_000
MALFORMED = f"air,thing=a t=x {T0 + 500}"
CONFLICT = f"air,thing=a t=5i {T0 + 700}"


@asynccontextmanager
async def sink_to(server: FakeInflux, **options: Any) -> AsyncIterator[InfluxSink]:
    options = {"token": "secret", "timeout_s": 5.0, **options}
    sink = InfluxSink(InfluxConfig(url=server.url, database="park", **options), SystemClock())
    try:
        yield sink
    finally:
        await sink.close()


def batch(lines: list[str]) -> Batch:
    return Batch(1, 1, len(lines), "\n".join(lines).encode())


def readings(number: int) -> list[str]:
    return [f"air,thing=a t={index}.5 {T0 + index}" for index in range(number)]


@pytest.mark.parametrize(
    ("generation", "api", "path", "query"),
    [
        (2, "v1", "/write", {"db": "park", "precision": "ns"}),
        (2, "v2", "/api/v2/write", {"org": "lake", "bucket": "park", "precision": "ns"}),
        (3, "v1", "/write", {"db": "park", "precision": "ns"}),
        (3, "v2", "/api/v2/write", {"org": "lake", "bucket": "park", "precision": "ns"}),
        (3, "v3", "/api/v3/write_lp", {"db": "park", "precision": "nanosecond", "accept_partial": "true"}),
    ],
)
@pytest.mark.parametrize("bad", [[], [MALFORMED], [CONFLICT], [MALFORMED, CONFLICT]])
async def test_every_way_of_writing_costs_the_bad_points_alone(
    generation: Literal[2, 3], api: str, path: str, query: dict[str, str], bad: list[str]
) -> None:
    async with FakeInflux(generation) as server, sink_to(server, api=api, org="lake") as sink:
        assert await sink.write(batch(readings(1))) == Accept([])
        lines = readings(1000)
        for line in bad:
            lines[int(line.rpartition(" ")[2]) - T0] = line
        outcome = await sink.write(batch(lines))
        assert isinstance(outcome, Accept)
        assert sorted(line for line, _ in outcome.rejected) == sorted(line.encode() for line in bad)
        assert all(words for _, words in outcome.rejected)
        assert len(server.stored) == 1000 - len(bad)
        assert server.requests[0] == (path, query)


async def test_the_servers_words_go_with_the_point() -> None:
    async with FakeInflux(3) as server, sink_to(server, api="v3") as sink:
        assert await sink.write(batch([*readings(3), MALFORMED])) == Accept([(MALFORMED.encode(), "invalid number")])


async def test_a_bucket_is_made_in_the_only_organization_with_its_retention() -> None:
    async with FakeInflux(2) as server, sink_to(server, retention="30d") as sink:
        assert await sink.write(batch(readings(2))) == Accept([])
        assert server.databases["park"]["orgID"] == "0000000000000001"
        assert server.databases["park"]["retentionRules"][0]["everySeconds"] == 2_592_000
        assert sink.server is not None
        assert sink.server.version == "v2.7.12"


async def test_a_bucket_that_may_not_be_made_is_an_alarm_until_a_person_makes_it() -> None:
    async with FakeInflux(2, may_create=False) as server, sink_to(server) as sink:
        outcome = await sink.write(batch(readings(2)))
        assert isinstance(outcome, Keep)
        assert outcome.alarm
        assert "make database or bucket 'park'" in outcome.reason
        server.have("park")
        assert await sink.write(batch(readings(2))) == Accept([])


async def test_a_senseless_answer_about_buckets_does_not_stop_writing() -> None:
    async with FakeInflux(2) as server, sink_to(server) as sink:
        server.databases["park"] = {"name": 7}
        assert await sink.write(batch(readings(2))) == Accept([])


async def test_a_write_only_token_on_3_goes_on_without_making_a_database() -> None:
    async with FakeInflux(3, may_create=False) as server, sink_to(server) as sink:
        assert await sink.write(batch(readings(2))) == Accept([])
        assert sink.server is not None
        assert sink.server.version == "3.10.1"


@pytest.mark.parametrize("generation", [2, 3])
async def test_a_wrong_token_is_an_alarm_and_a_right_one_ends_it(generation: Literal[2, 3]) -> None:
    async with FakeInflux(generation, token="other") as server, sink_to(server) as sink:
        server.have("park")
        outcome = await sink.write(batch(readings(2)))
        assert isinstance(outcome, Keep)
        assert outcome.alarm
        assert "check that influxdb.token is valid" in outcome.reason
        server.token = "secret"
        assert await sink.write(batch(readings(2))) == Accept([])


@pytest.mark.parametrize(
    ("fault", "keep"),
    [
        (Fault(429, '{"error":"limit"}', {"Retry-After": "7"}), ("limit", 7.0, False)),
        (Fault(503, "queue full", {"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}), ("queue full", 0.0, False)),
        (Fault(503, '{"error":"timeout"}'), ("timeout", None, False)),
        (Fault(500, '{"error":"engine: cache-max-memory-size exceeded"}'), ("engine: cache-max", None, False)),
        (Fault(500, '{"error":"retention policy not found: x"}'), ("retention policy not found: x", None, True)),
        (Fault(408, ""), ("HTTP 408", None, False)),
        (Fault(401, '{"message":"unauthorized"}'), ("unauthorized: check that influxdb.token", None, True)),
        (Fault(403, '{"message":"forbidden"}'), ("forbidden: check that influxdb.token", None, True)),
        (Fault(302, "", {"Location": "http://elsewhere.example/"}), ("HTTP 302", None, True)),
        (
            Fault(400, "<html>The plain HTTP request was sent to HTTPS port"),
            ("HTTP 400, a web page: The plain HTTP request was sent to HTTPS port", None, True),
        ),
        (Fault(400, '{"error":"database is required"}'), ("database is required", None, True)),
        (Fault(200, "<html>Log in", {"Content-Type": "text/html"}), ("HTTP 200, a web page: Log in", None, True)),
        (Fault(500, '{"error":"ti', how="cut"), ("no whole answer", None, False)),
        (Fault(200, "", how="cut"), ("no whole answer", None, False)),
        (Fault(500, '{"error":"ti', how="stall"), ("no answer within 0.3 s", None, False)),
        (Fault(204, "", how="silent"), ("no answer within 0.3 s", None, False)),
    ],
)
async def test_trouble_keeps_the_batch_and_costs_no_point(fault: Fault, keep: tuple[str, float | None, bool]) -> None:
    async with FakeInflux(2) as server, sink_to(server, timeout_s=0.3) as sink:
        server.have("park")
        assert await sink.write(batch(readings(1))) == Accept([])
        server.faults.append(fault)
        outcome = await sink.write(batch(readings(100)))
        assert isinstance(outcome, Keep)
        assert outcome.reason.startswith(f"{server.url}: {keep[0]}")
        assert (outcome.retry_after_s, outcome.alarm) == keep[1:]
        assert await sink.write(batch(readings(100))) == Accept([])
        assert len(server.stored) == 100


async def test_stored_but_not_answered_is_sent_again_and_stored_once() -> None:
    async with FakeInflux(2) as server, sink_to(server, timeout_s=0.3) as sink:
        assert await sink.write(batch(readings(1))) == Accept([])
        server.faults.append(Fault(204, "", how="silent", stores=True))
        assert isinstance(await sink.write(batch(readings(100))), Keep)
        assert len(server.stored) == 100
        assert await sink.write(batch(readings(100))) == Accept([])
        assert len(server.stored) == 100


async def test_trouble_while_looking_for_the_bad_point_keeps_all() -> None:
    async with FakeInflux(2) as server, sink_to(server) as sink:
        assert await sink.write(batch(readings(1))) == Accept([])
        nameless = '{"code":"invalid","message":"line protocol is not valid"}'
        server.faults += [Fault(400, nameless), Fault(400, nameless), Fault(503, "busy")]
        assert isinstance(await sink.write(batch(readings(100))), Keep)
        assert await sink.write(batch(readings(100))) == Accept([])
        assert len(server.stored) == 100


async def test_a_server_that_refuses_everything_in_unknown_words_gets_no_quarantine() -> None:
    async with FakeInflux(2) as server, sink_to(server) as sink:
        assert await sink.write(batch(readings(1))) == Accept([])
        server.faults += [Fault(400, '{"error":"computer says no"}')] * 1000
        outcome = await sink.write(batch(readings(500)))
        assert outcome == Keep(f"{server.url} refuses every point: computer says no", None, True)
        assert len(server.requests) < 50


async def test_words_about_a_point_are_kept_short() -> None:
    async with FakeInflux(2) as server, sink_to(server) as sink:
        assert await sink.write(batch(readings(1))) == Accept([])
        line = f"air,thing=a t={'x' * 70_000} {T0}"
        outcome = await sink.write(batch([*readings(3), line]))
        assert isinstance(outcome, Accept)
        [(rejected, words)] = outcome.rejected
        assert rejected == line.encode()
        assert len(words) == 500
        assert words.startswith("unable to parse 'air,thing=a t=xxxxxxxx")


async def test_an_endless_answer_is_not_read_to_its_end() -> None:
    async with FakeInflux(2) as server, sink_to(server) as sink:
        assert await sink.write(batch(readings(1))) == Accept([])
        server.faults.append(Fault(503, "busy " * 1_000_000))
        outcome = await sink.write(batch(readings(3)))
        assert isinstance(outcome, Keep)
        assert len(outcome.reason) < 600


async def test_a_retention_that_is_no_duration_is_named() -> None:
    with pytest.raises(ValueError, match=r'influxdb.retention: "thirty days" is not a duration'):
        InfluxSink(InfluxConfig(url="http://127.0.0.1:1", database="x", retention="thirty days"), SystemClock())


async def test_a_kept_alive_connection_that_the_server_closed_is_no_trouble() -> None:
    async with FakeInflux(2) as server, sink_to(server) as sink:
        assert await sink.write(batch(readings(1))) == Accept([])
        server.faults.append(Fault(how="hang up"))
        assert await sink.write(batch(readings(100))) == Accept([])
        assert len(server.stored) == 100
        server.faults += [Fault(how="hang up"), Fault(how="hang up")]
        outcome = await sink.write(batch(readings(100)))
        assert outcome == Keep(f"{server.url}: no whole answer: Server disconnected", None, False)
