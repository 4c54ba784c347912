"""Commands by HTTP: who may, what is refused with which status, waiting, keys, the ledger."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from devices.spec.command import refused
from tests.gateway.commands.desk_room import Way
from tests.gateway.mqtt_room import until
from tests.gateway.web_room import PLAIN, WebRoom, open_room

LAMP = "/api/v1/things/lamp-1/commands"
TOKEN = "sixteen-characters-at-least"


@contextlib.asynccontextmanager
async def served(path: Path, way: Way, toml: str = PLAIN, listen: str | None = None) -> AsyncIterator[WebRoom]:
    room = await open_room(path, toml, listen=listen, reaches=[way])
    assert room.desk is not None
    task = asyncio.create_task(room.desk.run())
    try:
        yield room
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await room.close()


async def test_what_is_told_is_waited_for_and_answered(tmp_path: Path) -> None:
    way = Way()
    async with served(tmp_path, way) as room:
        asking = asyncio.create_task(
            room.post(LAMP, {"command": "light", "arguments": {"level_pct": 7}, "by": "alice", "key": "k"})
        )
        await until(lambda: way.told != [], "it is told")
        way.answer()
        status, body = await asking
        assert (status, body["state"], body["arguments"]) == (200, "done", {"level_pct": 7.0})
        assert (body["by"], body["via"], body["key"]) == ("alice at 127.0.0.1", "api", "k")
        assert body["ended"] is not None
        assert await room.post(LAMP, {"command": "light", "arguments": {"level_pct": "7"}, "key": "k"}) == (200, body)
        assert len(way.told) == 1
        assert await room.get(f"/api/v1/commands/{body['id']}") == (200, body)


async def test_who_does_not_wait_asks_later(tmp_path: Path) -> None:
    way = Way()
    async with served(tmp_path, way) as room:
        status, body = await room.post(f"{LAMP}?wait=0", {"command": "light"})
        assert (status, body["state"], body["ended"]) == (202, "accepted", None)
        path = f"/api/v1/commands/{body['id']}"
        assert (await room.get(path))[1]["ended"] is None
        await until(lambda: way.told != [], "it is told")
        asking = asyncio.create_task(room.get(f"{path}?wait=20"))
        way.answer(refused("too hot"))
        status, body = await asking
        assert (status, body["state"], body["why"]) == (200, "refused", "too hot")


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("/api/v1/things/lamp-9/commands", {"command": "light"}, 404, "no thing 'lamp-9' that can be told something"),
        (LAMP, {"command": "dance"}, 404, "lamp-1 (acme-co2) has no command 'dance'"),
        (LAMP, {"command": "break"}, 403, "break is not allowed for lamp-1: write commands = "),
        (LAMP, {"command": "light", "arguments": {"level_pct": 101}}, 400, "light: level_pct = 101: expected a whole"),
        (LAMP, {"command": "light", "arguments": {"level_pct": None}}, 400, "light: level_pct = None: expected a"),
        (LAMP, {"command": "light", "argument": {}}, 400, "unknown field `argument`"),
        (LAMP, {"command": 1}, 400, "Expected `str`, got `int`"),
        (LAMP, {"command": "light", "key": ""}, 400, "key: expected a text of 1 to 200 characters"),
        (LAMP, [], 400, "Expected `object`, got `array`"),
        (LAMP, b"{", 400, "expected JSON such as"),
        (LAMP, b"\xff", 400, "expected JSON such as"),
        (LAMP, b'{"command": "light", "by": "' + b"x" * 20_000 + b'"}', 413, "expected a body of at most 16384 bytes"),
        (f"{LAMP}?wait=61", {"command": "light"}, 400, "wait = '61': expected seconds from 0 to 60"),
        (f"{LAMP}?often=1", {"command": "light"}, 400, "unknown parameter 'often': expected wait"),
    ],
)
async def test_what_cannot_be_is_refused_in_words(
    tmp_path: Path, path: str, body: object, status: int, words: str
) -> None:
    way = Way()
    async with served(tmp_path, way) as room:
        found, answer = await room.post(path, body)
        assert found == status, answer
        assert words in answer["error"]
        assert way.orders == []


async def test_one_at_a_time_and_not_too_often(tmp_path: Path) -> None:
    way = Way()
    async with served(tmp_path, way, PLAIN + "[commands]\nper_minute = 2\n") as room:
        status, _ = await room.post(f"{LAMP}?wait=0", {"command": "light"})
        assert status == 202
        status, answer = await room.post(LAMP, {"command": "light"})
        assert (status, answer["state"]) == (409, "refused")
        assert answer["error"].startswith("lamp-1 is busy: light (")
        async with room.client.post(room.url + LAMP, json={"command": "light"}) as response:
            assert response.status == 429
            assert 1 <= int(response.headers["Retry-After"]) <= 60


async def test_a_page_of_another_site_cannot_tell_anything(tmp_path: Path) -> None:
    way = Way()
    async with served(tmp_path, way) as room:
        body = {"command": "blink"}
        for headers in (
            {"Origin": "http://evil.example"},
            {"Sec_Fetch_Site": "cross-site"},
            {"Host": "rebound.example"},
        ):
            status, answer = await room.post(LAMP, body, **headers)
            assert status == 403, answer
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
            status, answer = await room.post(LAMP, body, Content_Type=kind)
            assert status == 415
            assert "expected application/json" in answer["error"]
        assert way.orders == []
        assert (await room.post(LAMP, body))[0] == 200


async def test_beyond_loopback_a_token_is_demanded(tmp_path: Path) -> None:
    way = Way()
    async with served(tmp_path, way, listen="0.0.0.0:0") as room:
        for path in (LAMP, "/api/v1/commands", "/api/v1/commands/x"):
            status, answer = await room.get(path)
            assert status == 403
            assert "has a token" in answer["error"]
        status, answer = await room.post(LAMP, {"command": "blink"})
        assert status == 403
        assert way.orders == []


async def test_with_a_token_who_has_it_may(tmp_path: Path) -> None:
    way = Way()
    async with served(tmp_path, way, PLAIN + f'api_token = "{TOKEN}"\n', "0.0.0.0:0") as room:
        assert (await room.post(LAMP, {"command": "blink"}))[0] == 401
        assert (await room.post(LAMP, {"command": "blink"}, Authorization="Bearer wrong"))[0] == 401
        assert way.orders == []
        assert (await room.post(LAMP, {"command": "blink"}, Authorization=f"Bearer {TOKEN}"))[0] == 200


async def test_what_a_thing_can_be_told(tmp_path: Path) -> None:
    async with served(tmp_path, Way(names=("hall/lamp",))) as room:
        status, answer = await room.get("/api/v1/things/hall%2Flamp/commands")
        assert status == 200
        assert answer == (await room.get("/api/v1/things/hall/lamp/commands"))[1]
        assert (answer["thing"], answer["device"], answer["source"]) == ("hall/lamp", "acme-co2", "serial:/dev/lamp")
        assert [(each["name"], each["allowed"], each["answers"]) for each in answer["commands"]] == [
            ("light", True, "always"),
            ("blink", True, "never"),
            ("beep", True, "maybe"),
            ("break", False, "never"),
        ]
        assert answer["commands"][0]["arguments"] == [
            {
                "name": "level_pct",
                "description": "How bright",
                "unit": "%",
                "expected": "a whole number from 0 to 100 (%)",
                "required": False,
                "default": 50,
            }
        ]
        assert (await room.get("/api/v1/things/other/commands"))[0] == 404
        status, answer = await room.post("/api/v1/things/hall%2Flamp/commands", {"command": "blink"})
        assert (status, answer["thing"]) == (200, "hall/lamp")


async def test_the_ledger_is_read_page_by_page(tmp_path: Path) -> None:
    async with served(tmp_path, Way()) as room:
        for thing in ("lamp-1", "lamp-2", "lamp-1"):
            await room.post(f"/api/v1/things/{thing}/commands", {"command": "blink"})
        await room.post(LAMP, {"command": "break"})
        status, answer = await room.get("/api/v1/commands?limit=3")
        assert status == 200
        assert [(each["number"], each["command"], each["state"]) for each in answer["commands"]] == [
            (4, "break", "refused"),
            (3, "blink", "accepted"),
            (2, "blink", "accepted"),
        ]
        assert answer["next"] == 2
        answer = (await room.get("/api/v1/commands?limit=3&before=2"))[1]
        assert ([each["number"] for each in answer["commands"]], answer["next"]) == ([1], None)
        answer = (await room.get("/api/v1/commands?thing=lamp-2"))[1]
        assert [each["number"] for each in answer["commands"]] == [2]
        for query in ("limit=0", "limit=x", "before=-1", "thign=x"):
            assert (await room.get(f"/api/v1/commands?{query}"))[0] == 400
        status, answer = await room.get("/api/v1/commands/nothing")
        assert (status, answer["error"]) == (404, "no command 'nothing'; /api/v1/commands lists them")


async def test_other_methods_are_told_what_there_is(tmp_path: Path) -> None:
    async with served(tmp_path, Way()) as room, room.client.put(room.url + LAMP) as response:
        assert response.status == 405
        assert response.headers["Allow"] == "GET, HEAD, POST"
        body: Any = json.loads(await response.read())
        assert body["error"] == "PUT: expected GET, HEAD, POST"
