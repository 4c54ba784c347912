"""InfluxDB refuses in every way it has, under load, and heals: everything is there once.

Each generation answers in its own words: 1.x is a real influxd behind `Front`, 2.x and 3 are
the fakes of tests/servers/fake_influx.py. 413 comes last, since the gateway's requests stay
small after it. An answer may come although the lines were stored
(a timeout inside the server): writing them again must change nothing.
"""

import asyncio
import re
from collections import deque
from collections.abc import Callable
from typing import Literal

import pytest

from tests.e2e.load import pace
from tests.e2e.running import audit
from tests.faults.conftest import Start
from tests.faults.front import Front
from tests.faults.ground import THINGS, Running, audited, config, steady
from tests.servers.fake_influx import FakeInflux, Fault
from tests.servers.influxd import Influxd
from tests.servers.mosquitto import Mosquitto

JSON = {"Content-Type": "application/json"}


def _json(status: int, body: str, *, stores: bool = False, **headers: str) -> Fault:
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return Fault(status, body, {**JSON, **more}, stores=stores)


ANSWERS: dict[int, list[Fault]] = {
    1: [
        _json(400, '{"error":"partial write: unable to parse \'m,\': missing tag key dropped=0"}', stores=True),
        _json(401, '{"error":"authorization failed"}'),
        _json(422, '{"error":"unprocessable entity"}'),
        _json(429, '{"error":"too many requests"}'),
        _json(429, '{"error":"too many requests"}', Retry_After="1"),
        _json(500, '{"error":"timeout"}', stores=True),
        _json(500, '{"error":"engine: cache-max-memory-size exceeded: (2048/1024)"}'),
        _json(503, '{"error":"request throttled, queue full"}'),
        Fault(502, "<html><body>Bad Gateway</body></html>", {"Content-Type": "text/html"}),
        Fault(400, "<html><body>Bad Request</body></html>", {"Content-Type": "text/html"}),
        Fault(200, "<html><body>Welcome to the Wi-Fi of the park</body></html>", {"Content-Type": "text/html"}),
        _json(413, '{"error":"Request Entity Too Large"}'),
    ],
    2: [
        _json(400, '{"code":"invalid","message":"unable to parse \'m,\': missing tag key"}'),
        _json(401, '{"code":"unauthorized","message":"unauthorized access"}'),
        _json(
            422,
            '{"code":"unprocessable entity","message":"failure writing points to database: partial write: '
            'points beyond retention policy dropped=1"}',
        ),
        _json(429, '{"code":"too many requests","message":"you have exceeded your limit"}'),
        _json(429, '{"code":"too many requests","message":"you have exceeded your limit"}', Retry_After="1"),
        _json(500, '{"code":"internal error","message":"unexpected error writing points to database: timeout"}'),
        _json(500, '{"code":"internal error","message":"unexpected error writing points: timeout"}', stores=True),
        _json(503, '{"code":"unavailable","message":"service is unavailable"}', Retry_After="1"),
        _json(413, '{"code":"request too large","message":"unable to read data: points batch is too large"}'),
    ],
    3: [
        _json(
            400,
            '{"error":"parsing failed for write_lp endpoint","data":{"original_line":"m,","line_number":1,'
            '"error_message":"missing tag key"}}',
        ),
        Fault(401, '{"error": "the request was not authenticated"}'),
        _json(422, '{"error":"unprocessable entity"}'),
        Fault(429, "too many requests"),
        Fault(429, "too many requests", {"Retry-After": "1"}),
        Fault(500, "internal server error"),
        Fault(500, "internal server error", stores=True),
        Fault(503, "the server is shutting down"),
        _json(413, '{"error":"maximum request size exceeded"}'),
    ],
}


def fake_seqs(server: FakeInflux) -> dict[str, list[int]]:
    """By thing, the counts a fake holds; as `stored_seqs` has them from a real one."""
    found: dict[str, list[int]] = {}
    for (measurement, tags, _), fields in server.stored.items():
        thing = re.search(r",thing=([^,]+)", tags)
        if measurement == "senml" and thing is not None and "seq" in fields:
            found.setdefault(thing.group(1), []).append(int(float(fields["seq"].rstrip("i"))))
    return found


async def shower(faults: list[Fault], queue: deque[Fault], stored: Callable[[], int]) -> None:
    """One answer after the other; the next when the last has been given and a write has gone through."""
    for fault in faults:
        queue.append(fault)
        async with asyncio.timeout(30):
            while queue:
                await pace(0.005)
            before = stored()
            while stored() == before:
                await pace(0.005)


async def audited_fake(server: FakeInflux, running: Running, sent: int) -> tuple[int, int]:
    async with asyncio.timeout(60):
        while sum(map(len, fake_seqs(server).values())) < sent:  # on the loop that the fake stores on
            await pace(0.05)
    await asyncio.to_thread(running.process.drained)
    return audit(fake_seqs(server), sent, THINGS)


async def test_every_answer_of_1x(fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, gateway: Start) -> None:
    async with Front(fresh_influxd.url) as front:
        running = await gateway(config(front.url, fresh_mosquitto.port))
        async with steady(fresh_mosquitto.port) as publisher:
            await shower(ANSWERS[1], front.faults, lambda: front.stored)
        assert await audited(fresh_influxd.url, [running], publisher.acknowledged) == (0, 0)
        assert (await running.health())["stages"]["rejected"] == 0


@pytest.mark.parametrize(("generation", "api"), [(2, "v1"), (2, "v2"), (3, "v1"), (3, "v3")])
async def test_every_answer_of_2x_and_3(
    fresh_mosquitto: Mosquitto, gateway: Start, generation: Literal[2, 3], api: str
) -> None:
    async with FakeInflux(generation) as server:
        lines = f'token = "secret"\napi = "{api}"\norg = "park"'
        running = await gateway(config(server.url, fresh_mosquitto.port, influx=lines))
        async with steady(fresh_mosquitto.port) as publisher:
            await shower(ANSWERS[generation], server.faults, lambda: len(server.stored))
        assert await audited_fake(server, running, publisher.acknowledged) == (0, 0)
        assert (await running.health())["stages"]["rejected"] == 0


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "alarm: "),
        (403, "alarm: "),
        (429, "too many requests"),
        (500, "down: "),
        (503, "queue full"),
    ],
)
async def test_refused_for_a_while_by_1x(
    fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, gateway: Start, status: int, said: str
) -> None:
    """Every write is refused until /healthz has said so; then the server heals."""
    words = {401: "authorization failed", 403: "forbidden", 429: "too many requests", 500: "timeout"}
    async with Front(fresh_influxd.url) as front:
        running = await gateway(config(front.url, fresh_mosquitto.port))
        async with steady(fresh_mosquitto.port) as publisher:
            await publisher.reached(200)
            front.always = _json(status, f'{{"error":"{words.get(status, "request throttled, queue full")}"}}')
            await running.says(said)
            await publisher.reached(publisher.acknowledged + 400)
            front.always = None
            await running.quiet("influxdb: ")
        assert await audited(fresh_influxd.url, [running], publisher.acknowledged) == (0, 0)


@pytest.mark.parametrize("generation", [2, 3])
async def test_token_withdrawn_and_given_back(
    fresh_mosquitto: Mosquitto, gateway: Start, generation: Literal[2, 3]
) -> None:
    async with FakeInflux(generation) as server:
        running = await gateway(config(server.url, fresh_mosquitto.port, influx='token = "secret"'))
        async with steady(fresh_mosquitto.port) as publisher:
            await publisher.reached(200)
            server.token = "another"
            await running.says("alarm: ")
            await running.says("check that influxdb.token is valid")
            server.token = "secret"
            await running.quiet("influxdb: ")
        assert await audited_fake(server, running, publisher.acknowledged) == (0, 0)


@pytest.mark.parametrize("generation", [2, 3])
async def test_answer_that_stops_half_way(
    fresh_mosquitto: Mosquitto, gateway: Start, generation: Literal[2, 3]
) -> None:
    """The lines are stored, but their answer stalls, is cut, or never begins: sent again, stored once."""
    async with FakeInflux(generation) as server:
        running = await gateway(config(server.url, fresh_mosquitto.port, influx='token = "secret"\ntimeout_s = 1'))
        faults = [Fault(204, how="stall", stores=True), Fault(200, how="cut", stores=True)]
        async with steady(fresh_mosquitto.port) as publisher:
            await shower([*faults, Fault(how="silent", stores=True)], server.faults, lambda: len(server.stored))
        assert await audited_fake(server, running, publisher.acknowledged) == (0, 0)
