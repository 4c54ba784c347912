"""The gateway's small web face: `/healthz`, `/metrics`, the pages it is given (map tiles), and `/`, which lists them.

Listens on loopback unless the config says otherwise. It only reads.
"""

from collections.abc import Mapping

import msgspec
from aiohttp import web

from gateway.web.health import Health

Page = tuple[str, bytes]
"""Content type and body."""

_HEALTH: web.AppKey[Health] = web.AppKey("health", Health)
_CORS = {"Access-Control-Allow-Origin": "*"}
"""The map is drawn by the browser from another origin (Grafana)."""


async def _healthz(request: web.Request) -> web.Response:
    """`?devices=0` leaves out the list of things."""
    report = request.app[_HEALTH].report(devices=request.query.get("devices") != "0")
    status = 503 if report["status"] == "failing" else 200
    return web.Response(body=msgspec.json.encode(report), content_type="application/json", status=status)


async def _addresses(request: web.Request) -> web.Response:
    """What there is to ask for."""
    known = sorted({each.canonical for each in request.app.router.resources()} - {"/"})
    return web.Response(body=msgspec.json.encode({"addresses": known}), content_type="application/json")


async def _metrics(request: web.Request) -> web.Response:
    return web.Response(text=request.app[_HEALTH].metrics(), content_type="text/plain", charset="utf-8")


async def serve(listen: str, health: Health, pages: Mapping[str, Page]) -> web.AppRunner:
    """Listen on `listen` (host:port). `pages` maps routes such as `/map/park.geojson`; a route may
    have aiohttp's `{name}` parts. OSError where the address is taken."""
    app = web.Application()
    app[_HEALTH] = health
    app.router.add_get("/", _addresses)
    app.router.add_get("/healthz", _healthz)
    app.router.add_get("/metrics", _metrics)
    for route, (content_type, body) in pages.items():
        app.router.add_get(route, _page(content_type, body))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    host, _, port = listen.rpartition(":")
    try:
        await web.TCPSite(runner, host.strip("[]"), int(port)).start()
    except OSError:
        await runner.cleanup()
        raise
    return runner


def _page(content_type: str, body: bytes):  # type: ignore[no-untyped-def]
    async def page(_request: web.Request) -> web.Response:
        return web.Response(body=body, content_type=content_type, headers=_CORS)

    return page
