"""The InfluxDB sink against 2.x and 3 in their own ways, and against servers in trouble."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import pytest
from aiohttp import web

from gateway.clock import SystemClock
from gateway.config import InfluxConfig
from gateway.intake import Accept, Batch, Keep
from gateway.sinks.influxdb.sink import InfluxSink
from gateway.stats import SinkStats
from tests.servers.fake_influx import FakeInflux, Fault

T0 = 1_700_000_000_000_000_000
MALFORMED = f"air,thing=a t=x {T0 + 500}"
CONFLICT = f"air,thing=a t=5i {T0 + 700}"


@asynccontextmanager
async def sink_to(server: FakeInflux, stats: SinkStats | None = None, **options: Any) -> AsyncIterator[InfluxSink]:
    options = {"token": "secret", "timeout_s": 5.0, **options}
    sink = InfluxSink(InfluxConfig(url=server.url, database="park", **options), SystemClock(), stats)
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


@pytest.mark.parametrize("generation", [2, 3])
async def test_a_database_that_a_wrong_token_kept_from_being_made_was_not_gone(generation: Literal[2, 3]) -> None:
    stats = SinkStats("influxdb")
    async with FakeInflux(generation, token="other") as server, sink_to(server, stats) as sink:
        assert isinstance(await sink.write(batch(readings(2))), Keep)
        server.token = "secret"
        assert await sink.write(batch(readings(2))) == Accept([])
    assert (stats.remade, stats.notice) == (0, "")


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


PAGE = "<html><head><title>404 Not Found</title></head><body><h1>404 Not Found</h1>nginx</body></html>"


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault(404, PAGE, {"Content-Type": "text/html"}), "HTTP 404, a web page: 404 Not Found"),
        (Fault(404, '{"message":"no Route matched with those values"}'), "no Route matched with those values"),
        (Fault(404, "404 page not found"), "404 page not found"),
        (Fault(404, ""), "HTTP 404"),
        (Fault(400, "<html>Bad Request"), "HTTP 400, a web page: Bad Request"),
        (Fault(301, "", {"Location": "https://store.example/write"}), "HTTP 301, it sends to https://store.example/"),
        (Fault(200, "<html>Log in", {"Content-Type": "text/html"}), "HTTP 200, a web page: Log in"),
    ],
)
async def test_what_is_not_influxdbs_own_answer_is_no_missing_database(fault: Fault, said: str) -> None:
    async with FakeInflux(2) as server, sink_to(server) as sink:
        server.have("park")
        server.faults.append(fault)
        outcome = await sink.write(batch(readings(3)))
        assert isinstance(outcome, Keep)
        assert outcome.alarm
        assert outcome.reason.startswith(f"{server.url}: {said}")
        assert "correct influxdb.url" in outcome.reason
        assert "make database" not in outcome.reason
        assert len(server.requests) == 1  # and nothing was made, nor sent again


@pytest.mark.parametrize("status", [401, 403])
async def test_a_page_that_wants_credentials_does_not_blame_the_token(status: int) -> None:
    async with FakeInflux(2) as server, sink_to(server) as sink:
        server.have("park")
        server.faults.append(Fault(status, PAGE.replace("404 Not Found", "Authorization Required")))
        outcome = await sink.write(batch(readings(3)))
        assert isinstance(outcome, Keep)
        assert "a proxy before it wants credentials, or does not let this gateway in" in outcome.reason
        assert "influxdb.token" not in outcome.reason


async def test_an_organization_that_is_not_there_is_no_missing_bucket() -> None:
    async with FakeInflux(3) as server, sink_to(server, api="v2", org="prak") as sink:
        server.faults.append(Fault(404, '{"code":"not found","message":"organization name \\"prak\\" not found"}'))
        outcome = await sink.write(batch(readings(3)))
        assert isinstance(outcome, Keep)
        assert outcome.reason.endswith("; correct influxdb.org ('prak')")


async def test_a_server_that_asks_to_wait_is_said_to() -> None:
    async with FakeInflux(2) as server, sink_to(server) as sink:
        server.have("park")
        server.faults.append(Fault(429, '{"error":"too many writes"}', {"Retry-After": "30"}))
        outcome = await sink.write(batch(readings(3)))
    assert outcome == Keep(f"{server.url}: too many writes; it asks to wait 30 s (HTTP 429)", 30.0, False)


async def test_victoriametrics_has_no_database_to_make(caplog: pytest.LogCaptureFixture) -> None:
    async def take(_: web.Request) -> web.Response:
        return web.Response(status=204, headers={"X-Server-Hostname": "vm"})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    caplog.set_level("INFO", logger="parkgate.sinks")
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    sink = InfluxSink(InfluxConfig(url=url, database="park"), SystemClock())
    try:
        assert await sink.write(batch(readings(3))) == Accept([])
    finally:
        await sink.close()
        await runner.cleanup()
    assert caplog.messages == [f"influxdb: {url} is VictoriaMetrics"]
