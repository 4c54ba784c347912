"""The benchmarks run, and what they print for other programs keeps its form. Figures are not judged here."""

import asyncio
import json
import os
import re
import subprocess
import sys
import urllib.parse
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import aiohttp
import pytest
from aiohttp import web

from bench import report
from bench.audit import audit, gaps, held, last_wrong
from bench.reach import Reach, reaches
from bench.store import Store
from tests.servers.fake_influx import FakeInflux
from tests.servers.influxd import Influxd
from tests.servers.process import on_free_port

COMMAND = Path(sys.executable).with_name("parkgate")
INGEST = [
    "qos", "null_msgs_per_s", "gateway_msgs_per_s", "ratio", "cpu_us_per_msg", "rss_mb",
    "sent", "stored", "lost", "duplicates", "null_resting_msgs_per_s", "ratio_resting",
]  # fmt: skip
SMALL = ("ingest", "--count", "1000", "--things", "50")


def run(*words: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    """The command with no INFLUX_ variable but those named."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("INFLUX_", "PARKGATE_BENCH"))}
    return subprocess.run(
        [COMMAND, "bench", *words], capture_output=True, text=True, timeout=100.0, env={**clean, **environ}
    )


def bench(*words: str, **environ: str) -> Any:
    """The one JSON object that is alone on standard output."""
    done = run(*words, "--json", **environ)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


def counted(figures: Any) -> list[int]:
    return [figures[key] for key in ("sent", "stored", "lost", "duplicates")]


@pytest.mark.services("mosquitto", "influxd")
@pytest.mark.parametrize("qos", [0, 1])
def test_ingest_loses_nothing_and_prints_its_figures(qos: int) -> None:
    figures = bench("ingest", "--qos", str(qos), "--count", "3000", "--things", "50")
    assert list(figures) == INGEST
    assert figures["qos"] == qos
    assert counted(figures) == [3000, 3000, 0, 0]


@pytest.mark.services("influxd")
def test_serial_loses_no_good_frame() -> None:
    figures = bench("serial", "--ports", "4", "--seconds", "1")
    assert figures["lost"] == 0
    assert figures["stored"] == figures["readings"] >= figures["good_frames"] > 500


def test_codecs_are_measured_on_both_sides() -> None:
    figures = bench("codecs", "--rate", "100")
    assert [row["codec"] for row in figures["codecs"]] == ["milesight", "elsys", "decentlab-dl-sht35"]
    assert all(row["p99_us"] >= row["p50_us"] > 0 and row["burst_per_s"] > 100 for row in figures["codecs"])
    assert 0 < figures["first_ms"] < 10_000
    assert 5 < figures["rss_mb"] < 60


@pytest.mark.services("influxd")
def test_the_start_is_measured_until_the_first_reading() -> None:
    figures = bench("start", "--rounds", "1")
    assert figures["types"] > 10
    assert 0 < figures["first_reading_s"] == figures["slowest_s"] < 30
    assert figures["rss_mb"] > 10


@pytest.mark.services("mosquitto", "influxd")
def test_the_outage_is_audited_with_the_messages_that_came_meanwhile() -> None:
    figures = bench("spool", "--points", "20000")
    assert figures["live_sent"] > 0
    assert figures["live_stored"] == figures["live_sent"]
    assert figures["sent"] == 20000 + figures["live_sent"] == figures["stored"]
    assert [figures[key] for key in ("lost", "duplicates", "wrong_values", "last_wrong")] == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("words", "environ", "said"),
    [
        ("ingest --protocol 4", {}, "--protocol 4: expected 5 or 3.1.1"),
        ("ingest --qos 2", {}, "bench ingest --qos: expected a number less than or equal to 1"),
        ("ingest --things 200001", {}, "--things 200001: expected 200000 at most"),
        ("serial --ports 401", {}, "--ports 401: expected 400 at most"),
        (
            "latency --rate inf", {},
            "--rate inf for --seconds 30: expected 10,000,000 messages at most",
        ),
        ("all", {"PARKGATE_BENCH": "fast"}, "PARKGATE_BENCH=fast: expected quick, or nothing for the whole load"),
    ],
)  # fmt: skip
def test_a_wrong_word_is_said_in_one_line(words: str, environ: dict[str, str], said: str) -> None:
    done = run(*words.split(), "--json", **environ)
    assert [done.returncode, done.stdout, done.stderr] == [2, "", f"parkgate: {said}\n"]


@pytest.mark.services("mosquitto")
@pytest.mark.parametrize(
    ("url", "environ", "said"),
    [
        ("influx:8086", {}, "--influx influx:8086: expected a URL such as http://127.0.0.1:8086"),
        ("http://127.0.0.1:1", {"INFLUX_API": "v9"}, "INFLUX_API=v9: expected v1, v2 or v3"),
        ("http://127.0.0.1:1", {"INFLUX_API": "v2"}, "INFLUX_API=v2 needs INFLUX_ORG and INFLUX_TOKEN"),
        (
            "http://127.0.0.1:1", {"INFLUX_USERNAME": "root"},
            "INFLUX_USERNAME and INFLUX_PASSWORD: expected both or none",
        ),
        (
            "http://root:hidden@127.0.0.1:1", {},
            "--influx http://…@127.0.0.1:1: no credentials in the URL; the credentials are taken from INFLUX_TOKEN, "
            "or INFLUX_USERNAME and INFLUX_PASSWORD",
        ),
    ],
)  # fmt: skip
def test_an_influxdb_that_cannot_be_meant_is_said_in_one_line(url: str, environ: dict[str, str], said: str) -> None:
    done = run(*SMALL, "--influx", url, "--json", **environ)
    assert [done.returncode, done.stdout, done.stderr] == [2, "", f"parkgate: {said}\n"]


@pytest.mark.services("mosquitto")
def test_an_influxdb_that_is_not_there_is_said_in_one_line() -> None:
    done = run(*SMALL, "--influx", "http://127.0.0.1:1", "--json")
    assert [done.returncode, done.stderr] == [1, "parkgate: http://127.0.0.1:1: cannot connect: Connection refused\n"]


@pytest.mark.services("mosquitto", "influxd")
def test_an_influxdb_with_users_keeps_what_it_had(tmp_path: Path) -> None:
    server = on_free_port(lambda port: Influxd(tmp_path, port, auth=True))
    try:
        server.query("CREATE DATABASE mine")
        figures = bench(*SMALL, "--influx", server.url, INFLUX_USERNAME="root", INFLUX_PASSWORD="root")
        assert counted(figures) == [1000, 1000, 0, 0]
        stranger = run(*SMALL, "--influx", server.url, INFLUX_TOKEN="stolen")
        other_route = run(
            *SMALL, "--influx", server.url, INFLUX_API="v3", INFLUX_USERNAME="root", INFLUX_PASSWORD="root"
        )
        assert server.query("SHOW DATABASES")[0]["values"] == [["mine"]]
    finally:
        server.stop()
    assert stranger.returncode == 1
    assert re.fullmatch(r"parkgate: .*could not make database .*: authorization failed; .*\n", stranger.stderr)
    assert other_route.returncode == 1
    assert re.fullmatch(
        r"parkgate: .*404 page not found; .*set api = \"v1\" if it has no /api/v3/write_lp.*\n", other_route.stderr
    )


# -- InfluxDB 2.x and 3: the fake that takes writes, and before it what answers queries and deletes ------


@asynccontextmanager
async def front(fake: FakeInflux) -> AsyncIterator[str]:
    """The URL of a server that answers queries from what `fake` stores and hands it all else."""
    session = aiohttp.ClientSession()

    async def query(request: web.Request) -> web.Response:
        assert request.headers["Authorization"].split(" ")[0] in ("Token", "Bearer", "Basic")
        form = await request.post()
        assert form["db"] in fake.databases
        return web.json_response({"results": [{"series": answer(str(form["q"]), fake)}]})

    async def delete(request: web.Request) -> web.Response:
        if request.headers["Authorization"] not in (f"Token {fake.token}", f"Bearer {fake.token}"):
            return web.Response(status=401)
        fake.databases.clear()
        return web.Response(status=204)

    async def pass_on(request: web.Request) -> web.Response:
        url = fake.url + str(request.rel_url)
        kept = ("Authorization", "Content-Type", "Content-Encoding")
        headers = {name: request.headers[name] for name in kept if name in request.headers}
        async with session.request(request.method, url, data=await request.read(), headers=headers) as found:
            version = {k: v for k, v in found.headers.items() if k in ("X-Influxdb-Version", "Content-Type")}
            return web.Response(status=found.status, body=await found.read(), headers=version)

    app = web.Application(client_max_size=64 << 20)
    app.router.add_post("/query", query)
    app.router.add_delete("/api/v2/buckets/{id}", delete)
    app.router.add_delete("/api/v3/configure/database", delete)
    app.router.add_route("*", "/{path:.*}", pass_on)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
        await session.close()


def answer(statement: str, fake: FakeInflux) -> list[dict[str, Any]]:
    """The three statements that ingest asks."""
    points = sorted((time, tags, values) for (name, tags, time), values in fake.stored.items() if name == "senml")
    if statement == "SHOW MEASUREMENTS":
        return []
    if statement == 'SELECT COUNT("temperature_c") FROM "senml"':
        return [{"values": [[0, len(points)]]}]
    span = re.search(r"time >= (\d+) AND time < (\d+) GROUP BY \"thing\"$", statement)
    assert span is not None, statement
    found: dict[str, list[list[float]]] = {}
    for time, tags, values in points:
        if int(span[1]) <= time < int(span[2]):
            thing = urllib.parse.parse_qs(tags.replace(",", "&"))["thing"][0]
            found.setdefault(thing, []).append([time, float(values["temperature_c"]), float(values["humidity_pct"])])
    return [{"tags": {"thing": thing}, "values": rows} for thing, rows in found.items()]


@pytest.mark.services("mosquitto")
@pytest.mark.parametrize(("generation", "api"), [(2, "v2"), (3, "v1"), (3, "v3")])
async def test_newer_generations_take_a_token(generation: Literal[2, 3], api: str) -> None:
    async with FakeInflux(generation) as fake, front(fake) as url:
        environ = {"INFLUX_TOKEN": "secret", "INFLUX_API": api, "INFLUX_ORG": "park"}
        figures = await asyncio.to_thread(bench, *SMALL, "--influx", url, **environ)
        assert counted(figures) == [1000, 1000, 0, 0]
        assert fake.databases == {}
        refused = await asyncio.to_thread(run, *SMALL, "--influx", url, **{**environ, "INFLUX_TOKEN": "stolen"})
        assert refused.returncode == 1
        assert re.fullmatch(
            r"parkgate: .*: HTTP 401.*taken from INFLUX_TOKEN.*\n|parkgate: .*HTTP 401; .*\n", refused.stderr
        )


# -- the audit ---------------------------------------------------------------------------------


@pytest.mark.services("influxd")
def test_the_audit_finds_what_is_lost_doubled_strange_or_wrong(tmp_path: Path) -> None:
    """Nine messages of two things: 0 to 8, steps of 10 ms; each step's humidity is its own."""
    server = on_free_port(lambda port: Influxd(tmp_path, port))
    try:
        store = Store(server.url, "load")
        store.query("CREATE DATABASE load")
        base = 1_790_000_000_000_000_000
        lines = [
            f"senml,thing=t{n % 2} temperature_c={20 + n % 2 / 10},humidity_pct={40 + n // 2 / 10} "
            f"{base + n // 2 * 10_000_000}"
            for n in range(9)
        ]
        post(store, lines)
        assert audit(store, 9, 2) == {"sent": 9, "stored": 9, "lost": 0, "duplicates": 0}
        assert last_wrong(store, 9, 2) == 0
        assert gaps(store, ["t0", "t1"]) == 0
        assert audit(store, 11, 2) == {"sent": 11, "stored": 9, "lost": 2, "duplicates": 0}
        assert last_wrong(store, 11, 2) == 2
        post(
            store,
            [
                f"senml,thing=t0 temperature_c=20,humidity_pct=40 {base + 1}",  # message 0 a second time
                f"senml,thing=t1 temperature_c=20.1,humidity_pct=40.9 {base + 60_000_000}",  # belongs to none
                f"senml,thing=t7 temperature_c=20,humidity_pct=40 {base}",  # belongs to none
                f"senml,thing=t1 temperature_c=20.1,humidity_pct=47 {base + 10_000_000}",  # message 3 rewritten
            ],
        )
        found = held(store, 9, 2)
        assert [found.strangers, found.wrong] == [2, 1]
        assert found.part(0, 4) == {"sent": 4, "stored": 5, "lost": 0, "duplicates": 1}
        assert found.part(4, 9) == {"sent": 5, "stored": 5, "lost": 0, "duplicates": 0}
        # message 3 as it was sent is not there
        assert audit(store, 9, 2) == {"sent": 9, "stored": 12, "lost": 1, "duplicates": 3}
        assert gaps(store, ["t1"]) == 1
    finally:
        server.stop()


def post(store: Store, lines: list[str]) -> None:
    store.ask("POST", "/write?db=load&precision=ns", "\n".join(lines).encode())


# -- tables and charts -------------------------------------------------------------------------


def test_what_is_to_be_reached() -> None:
    assert reaches("ingest QoS 1", {"qos": 1})["ratio"] == Reach(0.75, most=False)
    assert reaches("ingest", {"qos": 0})["ratio"] == Reach(0.70, most=False)
    assert reaches("ingest aiomqtt", {"qos": 1, "protocol": "3.1.1"}) == {}
    assert [Reach(12).kept(12.0), Reach(12).kept(12.1), Reach(0.8, most=False).kept(0.79)] == [True, False, False]


def test_a_chart_says_what_it_measures_and_what_is_not_reached(tmp_path: Path) -> None:
    figures = {
        "queued": 1_000_000, "bare_points_per_s": 400_000, "drain_points_per_s": 300_000, "ratio": 0.75,
        "rss_mb": 91.0, "lost": 0, "duplicates": 0,
    }  # fmt: skip
    report.chart(tmp_path / "spool.svg", "parkgate bench spool", report.bars("spool", figures))
    drawn = (tmp_path / "spool.svg").read_text(encoding="utf-8")
    assert "points a second into InfluxDB; line: 0.8 of the bare sender" in drawn
    assert "300,000/s" in drawn
    assert "ratio to what it is compared with: 0.75; to be ≥ 0.8: NOT kept" in drawn
    assert "most memory: 91.0 MB; to be ≤ 200 MB: kept" in drawn
