"""InfluxDB 2.x and 3 Core as far as a writer sees them, on 127.0.0.1; also a slow, stalled or failing one.

    2.x   /ping 204, X-Influxdb-Version v2.7.12 · /api/v2/orgs, /api/v2/buckets · /write, /api/v2/write
          missing bucket 404 · malformed line 400, nothing stored · type conflict 422, the others stored
    3     /ping 200 JSON, wants the token · /api/v3/configure/database 200, exists 409 · databases are
          made by writing · /write 400, nothing stored, the first bad line named · /api/v3/write_lp 400
          "partial write", the others stored, all bad lines listed

A `Fault` in `faults` is the answer to one write, in place of what the server would do. What is
stored is by series and time, as the real ones keep it.

Source: influxdb 2.7.12 (http/write_handler.go, kit/platform/errors) and influxdb3 3.10.1
(influxdb3_server/src/http.rs), read; not every message is word for word.
"""

import asyncio
import base64
import gzip
import re
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web

_LINE = re.compile(r"([^ ,]+)((?:,[^ ,=]+=[^ ,=]+)*) ([^ ]+) (-?\d+)")
_NUMBER = re.compile(r"-?\d+(\.\d*)?(e[-+]?\d+)?i?")


@dataclass(frozen=True, slots=True)
class Fault:
    """One answer. `how`: "answer" whole; "stall" after the header and half a body until released;
    "cut" the connection there; "silent" without a header until released; "hang up" without a
    header. `stores` the lines first."""

    status: int = 500
    body: str = '{"error":"timeout"}'
    headers: dict[str, str] = field(default_factory=dict)
    how: Literal["answer", "stall", "cut", "silent", "hang up"] = "answer"
    stores: bool = False


class FakeInflux:
    """`async with FakeInflux(2) as server`. `may_create` False: the token may only write."""

    def __init__(self, generation: Literal[2, 3], *, token: str = "secret", may_create: bool = True) -> None:
        self.generation = generation
        self.token = token
        self.may_create = may_create
        self.databases: dict[str, dict[str, Any]] = {}
        self.stored: dict[tuple[str, str, int], dict[str, str]] = {}
        self.faults: deque[Fault] = deque()
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.bodies: list[int] = []
        self.release = asyncio.Event()
        self.url = ""
        self._types: dict[tuple[str, str], str] = {}
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> "FakeInflux":
        app = web.Application(client_max_size=64 << 20)
        app.router.add_get("/ping", self._ping)
        for path in ("/write", "/api/v2/write", *(["/api/v3/write_lp"] if self.generation == 3 else [])):
            app.router.add_post(path, self._write)
        if self.generation == 2:
            app.router.add_get("/api/v2/orgs", self._orgs)
            app.router.add_get("/api/v2/buckets", self._buckets)
            app.router.add_post("/api/v2/buckets", self._make_bucket)
        else:
            app.router.add_post("/api/v3/configure/database", self._make_database)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.release.set()
        if self._runner is not None:
            await self._runner.cleanup()

    def have(self, name: str) -> None:
        """Have a database or bucket of this name already."""
        self.databases[name] = {"name": name, "orgID": "0000000000000001", "retentionRules": []}

    def times(self) -> list[int]:
        """The times of all stored points, in order."""
        return sorted(time for _, _, time in self.stored)

    # -- answers ---------------------------------------------------------------------------

    def _allowed(self, request: web.Request) -> bool:
        kind, _, secret = request.headers.get("Authorization", "").partition(" ")
        if kind == "Basic" and request.path == "/write":
            return base64.b64decode(secret).decode().partition(":")[2] == self.token
        return secret == self.token and kind in ({"Token", "Bearer"} if self.generation == 2 else {"Bearer", "Token"})

    def _refused(self) -> web.Response:
        if self.generation == 2:
            return web.json_response({"code": "unauthorized", "message": "unauthorized access"}, status=401)
        return web.Response(status=401, text='{"error": "the request was not authenticated"}')

    async def _ping(self, request: web.Request) -> web.Response:
        if self.generation == 2:
            return web.Response(status=204, headers={"X-Influxdb-Version": "v2.7.12", "X-Influxdb-Build": "OSS"})
        kind, _, secret = request.headers.get("Authorization", "").partition(" ")
        if kind == "Basic":
            secret = base64.b64decode(secret).decode().partition(":")[2]
        if secret != self.token:
            return self._refused()
        return web.json_response({"version": "3.10.1", "revision": "0000000", "process_id": "1"})

    async def _orgs(self, request: web.Request) -> web.Response:
        if not self._allowed(request):
            return self._refused()
        return web.json_response({"orgs": [{"id": "0000000000000001", "name": "park"}]})

    async def _buckets(self, request: web.Request) -> web.Response:
        if not self._allowed(request):
            return self._refused()
        wanted = request.query.get("name")
        return web.json_response({"buckets": [b for n, b in self.databases.items() if n == wanted]})

    async def _make_bucket(self, request: web.Request) -> web.Response:
        if not self._allowed(request) or not self.may_create:
            return self._refused()
        wish = await request.json()
        bucket = {"id": "0000000000000002", "retentionRules": [], **wish}
        self.databases[wish["name"]] = bucket
        return web.json_response(bucket, status=201)

    async def _make_database(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization", "").partition(" ")[0] != "Basic" and not self._allowed(request):
            return self._refused()
        if not self.may_create:
            return web.Response(status=403, text='{"error": "forbidden"}')
        wish = await request.json()
        known = wish["db"] in self.databases
        self.databases.setdefault(wish["db"], wish)
        return web.Response(status=409 if known else 200)

    async def _write(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        if request.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.requests.append((request.path, dict(request.query)))
        self.bodies.append(len(body))
        lines = body.decode().split("\n")
        if self.faults:
            fault = self.faults.popleft()
            if fault.stores:
                self._store(lines)
            return await self._fail(request, fault)
        if not self._allowed(request):
            return self._refused()
        database = request.query.get("db") or request.query.get("bucket") or ""
        if self.generation == 2:
            return self._write_2(database, lines)
        self.databases.setdefault(database, {})
        return self._write_3(lines, partial=request.query.get("accept_partial") == "true")

    async def _fail(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        if fault.how == "answer":
            return web.Response(status=fault.status, text=fault.body, headers=fault.headers)
        if fault.how == "silent":
            await self.release.wait()
            return web.Response(status=fault.status, text=fault.body)
        assert request.transport is not None
        if fault.how == "hang up":
            request.transport.close()
            return web.Response()
        response = web.StreamResponse(status=fault.status, headers={**fault.headers, "Content-Length": "1000"})
        await response.prepare(request)
        await response.write(fault.body.encode())
        if fault.how == "stall":
            await self.release.wait()
        request.transport.abort()
        return response

    def _write_2(self, database: str, lines: list[str]) -> web.Response:
        if database not in self.databases:
            message = f'bucket "{database}" not found'
            return web.json_response({"code": "not found", "message": message}, status=404)
        malformed = [f"unable to parse '{line}': {words}" for line in lines if (words := _malformed(line))]
        if malformed:
            return web.json_response({"code": "invalid", "message": "\n".join(malformed)}, status=400)
        bad = self._store(lines)
        if bad:
            words = f"failure writing points to database: partial write: {bad[0][1]} dropped={len(bad)}"
            return web.json_response({"code": "unprocessable entity", "message": words}, status=422)
        return web.Response(status=204)

    def _write_3(self, lines: list[str], *, partial: bool) -> web.Response:
        bad = [(number, words) for number, line in enumerate(lines, 1) if (words := _malformed(line))]
        if not bad or partial:
            bad += self._store([line for line in lines if partial or not bad], commit=partial)
        if not bad:
            self._store(lines)
            return web.Response(status=204)
        listed = [
            {"original_line": lines[number - 1], "line_number": number, "error_message": words}
            for number, words in sorted(bad)
        ]
        error = "partial write of line protocol occurred" if partial else "parsing failed for write_lp endpoint"
        return web.json_response({"error": error, "data": listed if partial else listed[0]}, status=400)

    def _store(self, lines: list[str], *, commit: bool = True) -> list[tuple[int, str]]:
        """Keep the good lines; the numbers of those whose type conflicts, with the words."""
        bad = []
        for number, line in enumerate(lines, 1):
            found = _LINE.fullmatch(line)
            if found is None or _malformed(line):
                continue
            measurement, tags, fields, time = found.groups()
            values = dict(part.split("=", 1) for part in fields.split(","))
            kinds = {name: "integer" if raw.endswith("i") else "float" for name, raw in values.items()}
            clash = [n for n, kind in kinds.items() if self._types.get((measurement, n), kind) != kind]
            if clash:
                words = f'field type conflict: input field "{clash[0]}" on measurement "{measurement}"'
                bad.append((number, words))
            elif commit:
                self._types.update({(measurement, name): kind for name, kind in kinds.items()})
                self.stored.setdefault((measurement, tags, int(time)), {}).update(values)
        return bad


def _malformed(line: str) -> str | None:
    found = _LINE.fullmatch(line)
    if found is None:
        return "missing fields"
    for part in found.group(3).split(","):
        name, _, raw = part.partition("=")
        if not name or not _NUMBER.fullmatch(raw):
            return "invalid number" if raw else "missing field value"
    return None
