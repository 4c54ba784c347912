"""The API over real sockets: every example of docs/api.md to the letter, paging, who may ask, live events."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.config import load
from gateway.intake import Intake
from gateway.stats import DeviceStats, SourceStats
from gateway.tee import Fate
from gateway.watch.thing import Layer, Thing
from gateway.web.bounds import Limits
from tests.gateway.web_room import NOW, Stream, WebRoom, open_room

DOCS = (Path(__file__).parents[3] / "docs" / "api.md").read_text()
TOKEN = "0123456789abcdef0123"

AIR = b'[{"n":"temperature","u":"Cel","v":21.5},{"n":"humidity","u":"%RH","v":40}]'


def example(after: str, language: str = "") -> str:
    """The fenced block of docs/api.md that follows the line `after`."""
    assert DOCS.count(f"\n{after}\n") == 1, after
    found = re.search(rf"```{language}\n(.*?)\n```", DOCS.partition(f"\n{after}\n")[2], re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture
async def park(tmp_path: Path) -> AsyncIterator[WebRoom]:
    """The gateway of the examples, with nothing in it yet."""
    toml = example("The examples below are answers of a gateway with this configuration:", "toml")
    room = await open_room(tmp_path, toml.replace("${MQTT_PASSWORD}", "not for everybody"))
    for name in ("mqtt:main", "serial:/dev/ttyUSB0"):
        room.stats.source(name)
    yield room
    await room.close()


def live(room: WebRoom) -> None:
    """What the examples begin with."""
    room.publish("park/lamp-4/air", AIR)
    room.publish("park/lamp-4/air", b'{"t":21.5}')
    room.ports["serial:/dev/ttyUSB0"].bytes(b"\x00\x01\x02")


async def test_things_and_their_last_values_as_in_the_docs(park: WebRoom) -> None:
    live(park)
    park.clock.time_ns = NOW + 2_500_000_000
    status, things = await park.get("/api/v1/things")
    assert (status, things) == (200, json.loads(example("`GET /api/v1/things`", "json")))
    _, first = await park.get("/api/v1/things?values=1&thing=lamp-4")
    assert first["things"][0]["values"] is None
    park.publish("park/lamp-4/air", AIR.replace(b"21.5", b"22").replace(b"40", b"41"))
    _, again = await park.get("/api/v1/things?values=1&thing=lamp-4")
    after = "`GET /api/v1/things?values=1&thing=lamp-4` after `lamp-4` has spoken again"
    assert again == json.loads(example(after, "json"))


async def test_sources_as_in_the_docs_and_without_secrets(park: WebRoom) -> None:
    broker = park.stats.source("mqtt:main")
    broker.state = "down: 127.0.0.1:1883: connection refused"
    broker.state, broker.connects, broker.bytes_in = "up", 2, 5120
    status, sources = await park.get("/api/v1/sources")
    assert (status, sources) == (200, json.loads(example("`GET /api/v1/sources`", "json")))
    assert "not for everybody" not in json.dumps(sources)


async def test_the_things_of_a_polled_line_are_settings_of_its_port(tmp_path: Path) -> None:
    room = await open_room(tmp_path)
    file = tmp_path / "line.toml"
    file.write_text(
        '[[serial]]\nport = "/dev/ttyUSB1"\n[[serial.thing]]\nthing = "meter-1"\ndevice = "sdm120"\nunit = 1\n'
    )
    room.api.config = load(file, {})
    _, found = await room.get("/api/v1/sources")
    assert [(each["source"], each["settings"]) for each in found["sources"]] == [
        (
            "serial:/dev/ttyUSB1",
            {"port": "/dev/ttyUSB1", "things": [{"device": "sdm120", "thing": "meter-1", "unit": 1}]},
        )
    ]
    await room.close()


async def test_events_as_in_the_docs(park: WebRoom) -> None:
    stream = await Stream.open(park)
    live(park)
    await park.pipeline.finish()
    for _ in range(4):
        await stream.next()
    assert stream.text.strip() == example("`GET /api/v1/events`, two messages and a read of the port")
    stream.close()


async def test_events_of_one_thing_and_what_becomes_of_its_points(park: WebRoom) -> None:
    stream = await Stream.open(park, "?thing=lamp-17")
    live(park)
    tee = park.pipeline.tee
    tee.tell(Fate("dropped", NOW, "", "lamp-4", 1, "full"))
    tee.tell(Fate("dropped", NOW, "", "lamp-17", 2, "full"))
    tee.tell(Fate("rejected", NOW, "influxdb", "lamp-17", 1, "type conflict", b"air,thing=lamp-17 v=1 1"))
    tee.tell(Fate("held", NOW, why="spool full"))
    tee.tell(Fate("flowing", NOW))
    entries = [await stream.next() for _ in range(5)]
    assert entries[0].startswith('id: 1\nevent: passed\ndata: {"number":3,')
    assert entries[1:] == [
        'id: 2\nevent: dropped\ndata: {"time":"2026-01-01T00:00:00.000000Z","thing":"lamp-17","why":"full",'
        '"points":2}\n',
        'id: 3\nevent: rejected\ndata: {"time":"2026-01-01T00:00:00.000000Z","source":"influxdb","thing":"lamp-17",'
        '"why":"type conflict","points":1,"text":"air,thing=lamp-17 v=1 1"}\n',
        'id: 4\nevent: held\ndata: {"time":"2026-01-01T00:00:00.000000Z","why":"spool full"}\n',
        'id: 5\nevent: flowing\ndata: {"time":"2026-01-01T00:00:00.000000Z"}\n',
    ]
    stream.close()


async def test_a_slow_client_is_told_how_many_it_missed(park: WebRoom) -> None:
    stream = await Stream.open(park)
    for _ in range(1500):  # in one turn of the loop: nobody can have read any
        park.publish("park/lamp-4/air", AIR)
    for _ in range(1000):
        await stream.next()
    assert await stream.next() == 'id: 1001\nevent: missed\ndata: {"entries":500}\n'
    stream.close()


async def test_quiet_is_filled_with_comments(park: WebRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.web.stream.BEAT_S", 0.01)
    stream = await Stream.open(park)
    assert await stream.next() == ": alive\n"
    assert await stream.next() == ": alive\n"
    stream.close()


async def test_a_client_that_goes_away_is_no_longer_looking(park: WebRoom) -> None:
    stream = await Stream.open(park)
    assert len(park.pipeline.tee.lookers) == 1
    stream.close()
    async with asyncio.timeout(10):
        while park.pipeline.tee.lookers:  # noqa: ASYNC110 - the end of a connection has no event here
            await asyncio.sleep(0)


async def test_streams_are_bounded_and_end_with_the_gateway(tmp_path: Path) -> None:
    room = await open_room(tmp_path, limits=Limits(streams=2))
    first, second = await Stream.open(room), await Stream.open(room)
    assert await room.get("/api/v1/events") == (503, {"error": "2 event streams are open already"})
    await room.runner.cleanup()
    assert (await first.ended(), await second.ended()) == (True, True)
    assert room.pipeline.tee.lookers == ()
    await room.close()


async def test_last_values_are_kept_while_somebody_asks(park: WebRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(park.clock, "monotonic", lambda: now)
    await park.get("/api/v1/things?values=1")
    live(park)
    now = 60.0
    assert len(park.pipeline.tee.lookers) == 1
    now = 61.0
    live(park)
    assert park.pipeline.tee.lookers == ()
    _, things = await park.get("/api/v1/things?values=1&thing=lamp-4")
    assert things["things"][0]["values"] is None


async def test_values_of_things_that_the_payload_names(tmp_path: Path) -> None:
    toml = (
        '[mqtt.main]\nurl = "mqtt://127.0.0.1"\nclient_id = "x"\n'
        '[[mqtt.main.subscription]]\ntopic = "senml"\ndevice = "senml"\n'
    )
    room = await open_room(tmp_path, toml)
    await room.get("/api/v1/things?values=1")
    room.publish(
        "senml", b'[{"bn":"a/","n":"temperature","u":"Cel","v":1},{"bn":"b/","n":"temperature","u":"Cel","v":2}]'
    )
    _, things = await room.get("/api/v1/things?values=1")
    assert [(each["thing"], each["values"]["fields"]) for each in things["things"]] == [
        ("a", {"temperature_c": 1.0}),
        ("b", {"temperature_c": 2.0}),
    ]
    await room.close()


async def test_things_are_paged_in_order_of_first_appearance(park: WebRoom) -> None:
    park.stats.devices.clear()
    for number in range(250):
        device = "senml" if number % 2 else "ttn-v3"
        park.stats.devices["mqtt:main", f"t{number}"] = DeviceStats("mqtt:main", device, f"t{number}")

    async def page(query: str) -> tuple[Any, ...]:
        status, found = await park.get(f"/api/v1/things{query}")
        assert status == 200
        names = [each["thing"] for each in found["things"]]
        return found["total"], found["next"], len(names), names[0] if names else None

    assert await page("") == (250, 100, 100, "t0")
    assert await page("?offset=100") == (250, 200, 100, "t100")
    assert await page("?offset=200") == (250, None, 50, "t200")
    assert await page("?offset=999") == (250, None, 0, None)
    assert await page("?limit=1000") == (250, None, 250, "t0")
    assert await page("?device=senml&limit=10&offset=10") == (125, 20, 10, "t21")
    assert await page("?thing=t7&source=mqtt:main") == (1, None, 1, "t7")
    assert await page("?source=elsewhere") == (0, None, 0, None)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("things?limit=0", "limit = '0': expected a whole number from 1 to 1000"),
        ("things?limit=1001", "limit = '1001': expected a whole number from 1 to 1000"),
        ("things?limit=x", "limit = 'x': expected a whole number from 1 to 1000"),
        ("things?offset=-1", "offset = '-1': expected a whole number, 0 or more"),
        ("things?values=yes", "values = 'yes': expected 0 or 1"),
        ("things?thng=a", "unknown parameter 'thng': expected one of device, limit, offset, source, thing, values"),
        ("events?topic=a", "unknown parameter 'topic': expected source or thing"),
    ],
)
async def test_a_wrong_question_is_answered_with_what_was_expected(park: WebRoom, path: str, words: str) -> None:
    assert await park.get(f"/api/v1/{path}") == (400, {"error": words})


PATHS = ("/api/v1/things", "/api/v1/sources", "/api/v1/events")


@pytest.mark.parametrize("path", PATHS)
async def test_elsewhere_than_on_loopback_the_api_needs_a_token(tmp_path: Path, path: str) -> None:
    room = await open_room(tmp_path, listen="0.0.0.0:0")
    assert await room.get(path) == (
        403,
        {
            "error": "listen = '0.0.0.0:0' is not loopback, so the API answers nobody, here neither, until it "
            'has a token: set api_token = "${PARKGATE_API_TOKEN}" in [gateway] and send it as a bearer token'
        },
    )
    assert (await room.get("/healthz"))[0] == 200
    async with room.client.get(f"{room.url}/metrics") as response:
        assert response.status == 200
    await room.close()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("listen", ["127.0.0.1:0", "0.0.0.0:0"])
async def test_a_token_that_is_set_must_be_sent(tmp_path: Path, path: str, listen: str) -> None:
    room = await open_room(tmp_path, f'[gateway]\napi_token = "{TOKEN}"\n', listen=listen)
    assert await room.get(path) == (401, {"error": "send Authorization: Bearer, and the token"})
    for wrong in (f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Bearer", f"Basic {TOKEN}", "Bearer \u00fc"):
        assert await room.get(path, Authorization=wrong) == (
            401,
            {"error": "the token is not that of [gateway] api_token"},
        )
    headers = {"Authorization": f"Bearer {TOKEN}", "Host": "gateway.example"}
    async with room.client.get(room.url + path, headers=headers) as response:
        assert response.status == 200
    async with room.client.get(room.url + path) as response:
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="parkgate"'
    await room.close()


@pytest.mark.parametrize("path", PATHS)
async def test_a_page_of_the_internet_cannot_ask_through_a_browser(park: WebRoom, path: str) -> None:
    status, said = await park.get(path, Host="rebound.example:8080")
    assert (status, said["error"][:34]) == (403, "asked for as 'rebound.example:8080")
    other = "asked for by a page of another site; the API answers its own host only"
    assert await park.get(path, Origin="http://evil.example") == (403, {"error": other})
    assert await park.get(path, Origin="null") == (403, {"error": other})
    assert await park.get(path, Sec_Fetch_Site="cross-site") == (403, {"error": other})


@pytest.mark.parametrize("host", ["localhost:8080", "LOCALHOST", "127.0.0.1", "127.1.2.3:80", "[::1]:8080", "[::1]"])
async def test_the_names_of_loopback_may_ask(park: WebRoom, host: str) -> None:
    assert (await park.get("/api/v1/things", Host=host, Origin=f"http://{host}"))[0] == 200


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1.evil.example",
        "evil-localhost",
        "[::1].evil.example",
        "[::1]evil",
        "localhost:80:80",
        "10.0.0.1",
        "2130706433",
    ],
)
async def test_what_only_looks_like_loopback_may_not(park: WebRoom, host: str) -> None:
    assert (await park.get("/api/v1/things", Host=host))[0] == 403


def test_the_last_trouble_of_a_source_is_remembered_when_it_is_over() -> None:
    source = SourceStats("mqtt:main")
    assert (source.connected, source.last_error) == (False, "")
    source.state = "connecting to 127.0.0.1:1883"
    assert (source.connected, source.last_error) == (False, "")
    source.state = "down: 127.0.0.1:1883: connection refused"
    assert (source.connected, source.last_error) == (False, "127.0.0.1:1883: connection refused")
    source.state = "up, but 1 of 2 subscriptions refused: 'a' not authorized; asking again"
    assert source.connected
    source.state = "up"
    assert (source.connected, source.last_error) == (
        True,
        "up, but 1 of 2 subscriptions refused: 'a' not authorized; asking again",
    )
    source.state = "stopped"
    assert not source.connected
    for words in ("bytes but no frames: 342 bytes so far", "bytes but no answers: 7 bytes so far"):
        source.state = words
        assert (source.connected, source.last_error) == (True, words)


async def test_alive_ready_and_well_are_three_questions(park: WebRoom) -> None:
    assert await park.get("/readyz") == (
        503,
        {"ready": False, "reasons": ["mqtt:main: starting", "serial:/dev/ttyUSB0: starting"]},
    )
    park.stats.source("mqtt:main").state = "up"
    assert await park.get("/readyz") == (200, {"ready": True, "reasons": []})
    park.pipeline.state = "disk full: no room"
    assert await park.get("/readyz") == (503, {"ready": False, "reasons": ["disk full: no room"]})
    status, alive = await park.get("/livez")
    assert (status, alive["alive"]) == (200, True)
    status, report = await park.get("/healthz?devices=0")
    assert (status, report["status"]) == (503, "failing")
    _, known = await park.get("/")
    assert known["addresses"] == [
        "/api/v1/events",
        "/api/v1/sources",
        "/api/v1/things",
        "/healthz",
        "/livez",
        "/metrics",
        "/readyz",
    ]


async def test_points_waiting_are_not_touched_by_looking(park: WebRoom) -> None:
    await park.pipeline.spool.append(Intake(lines=["m v=1 1"]))
    stream = await Stream.open(park)
    live(park)
    await park.pipeline.finish()
    batch = await park.pipeline.spool.read(0, 100)
    assert batch is not None
    assert batch.lines == (
        b"m v=1 1\nsenml,thing=lamp-4,zone=lake temperature_c=21.5,humidity_pct=40.0 1767225600000000000"
    )
    stream.close()


@pytest.mark.parametrize("path", ["/api/v1/thngs", "/api/", "/api/v1/things/lamp-4", "/nothing"])
async def test_an_unknown_address_is_answered_in_json(park: WebRoom, path: str) -> None:
    async with park.client.get(park.url + path) as response:
        assert (response.status, response.content_type) == (404, "application/json")
        assert await response.json() == {"error": f"{path}: no such address; / lists those there are"}


async def test_another_method_than_get_is_refused_in_json(park: WebRoom) -> None:
    async with park.client.post(f"{park.url}/api/v1/things") as response:
        assert (response.status, response.content_type) == (405, "application/json")
        assert response.headers["Allow"] == "GET, HEAD"
        assert await response.json() == {"error": "POST: expected GET, HEAD"}


async def test_a_dead_thing_has_the_watchdogs_words(park: WebRoom) -> None:
    stats = DeviceStats("serial:/dev/ttyUSB0", "sdm120", "meter-1")
    park.stats.devices[stats.source, stats.thing] = stats
    thing, path = Thing(stats, 0.0), f"/api/v1/things?thing={stats.thing}"
    _, found = await park.get(path)
    assert found["things"][0]["last_error"] is None
    stats.silent = True
    park.watchdog.faults.thing(thing, Layer.DEVICE, "asked once, no answer", 200.0, 20.0)
    words = "no reading yet, in 3 min (expected every 60 s); asked once, no answer"
    _, found = await park.get(path)
    assert found["things"][0]["last_error"] == words
    stats.last_error = "checksum 0x12, computed 0x13"
    _, found = await park.get(path)
    assert found["things"][0]["last_error"] == f"{words}; the last error: checksum 0x12, computed 0x13"
    stats.silent = False
    park.watchdog.faults.well(thing, "speaks again", 210.0)
    _, found = await park.get(path)
    assert found["things"][0]["last_error"] == "checksum 0x12, computed 0x13"
