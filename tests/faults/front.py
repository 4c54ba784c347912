"""An InfluxDB 1.x that answers as told: HTTP in front of a real influxd, what it stores is real.

`faults` are answers to the next writes, in place of passing them on (`Fault` of
tests/servers/fake_influx.py, of which "answer" is understood here); `always` is the answer to
every write as long as it is set. A fault that `stores` passes the write on first. `stored`
counts the writes that went through.
"""

from collections import deque

import aiohttp
from aiohttp import web

from tests.servers.fake_influx import Fault


class Front:
    """`async with Front(influxd.url) as front`, then write to `front.url`."""

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.url = ""
        self.faults: deque[Fault] = deque()
        self.always: Fault | None = None
        self.stored = 0
        self._session: aiohttp.ClientSession | None = None
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> "Front":
        self._session = aiohttp.ClientSession()
        app = web.Application(client_max_size=64 << 20)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._session is not None
        assert self._runner is not None
        await self._runner.cleanup()
        await self._session.close()

    async def _answer(self, request: web.Request) -> web.Response:
        assert self._session is not None
        fault = None
        if request.path == "/write":
            fault = self.always or (self.faults.popleft() if self.faults else None)
        passed = None
        if fault is None or fault.stores:
            url = f"{self.upstream}{request.path_qs}"
            keep = {name: request.headers[name] for name in ("Content-Type",) if name in request.headers}
            async with self._session.request(request.method, url, data=await request.read(), headers=keep) as answer:
                names = ("X-Influxdb-Version", "Content-Type")
                headers = {name: answer.headers[name] for name in names if name in answer.headers}
                passed = web.Response(status=answer.status, body=await answer.read(), headers=headers)
        if fault is None:
            assert passed is not None
            self.stored += request.path == "/write" and passed.status == 204
            return passed
        return web.Response(status=fault.status, text=fault.body, headers=fault.headers)
