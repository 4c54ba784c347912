"""The gateway's HTTP server: health, metrics, the API, and the pages it is given (map tiles); `/` lists them.

Listens on loopback unless the config says otherwise, within `bounds`. It only reads, but for commands (`commands`).
"""

import logging
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Middleware

from gateway.web.answer import error, json
from gateway.web.api import Api
from gateway.web.bounds import MAX_HEADERS, MAX_LINE, BoundedSite, Bounds, Limits
from gateway.web.commands import MOST_BODY, CommandApi
from gateway.web.guard import Guard
from gateway.web.health import Health
from gateway.web.metrics import metrics
from gateway.web.stream import Streams

Page = tuple[str, bytes]
"""Content type and body."""

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]

STOP_S = 1.0
"""What an answer under way is given when the gateway stops."""

_log = logging.getLogger("parkgate.web.server")
"""What aiohttp says of the server: a failure of ours, with its traceback."""


def _is_ours(record: logging.LogRecord) -> bool:
    """A request that is no HTTP is told so in its answer; anybody could fill the log with it."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError)


_HEALTH: web.AppKey[Health] = web.AppKey("health", Health)
_CORS = {"Access-Control-Allow-Origin": "*"}
"""The map is drawn by the browser from another origin (Grafana)."""


async def _healthz(request: web.Request) -> web.Response:
    """`?devices=0` leaves out the list of things."""
    report = request.app[_HEALTH].report(devices=request.query.get("devices") != "0")
    return json(report, 503 if report["status"] == "failing" else 200)


async def _livez(request: web.Request) -> web.Response:
    """Any answer shows that the process and its event loop run."""
    health = request.app[_HEALTH]
    return json({"alive": True, "uptime_s": round(health.clock.monotonic() - health.started, 1)})


async def _readyz(request: web.Request) -> web.Response:
    reasons = request.app[_HEALTH].unready()
    return json({"ready": not reasons, "reasons": reasons}, 503 if reasons else 200)


async def _addresses(request: web.Request) -> web.Response:
    """What there is to ask for."""
    known = sorted({each.canonical for each in request.app.router.resources()} - {"/"})
    return json({"addresses": known})


async def _metrics(request: web.Request) -> web.Response:
    return web.Response(text=metrics(request.app[_HEALTH]), content_type="text/plain", charset="utf-8")


async def serve(
    listen: str,
    health: Health,
    api: Api,
    pages: Mapping[str, Page],
    limits: Limits | None = None,
    commands: CommandApi | None = None,
) -> web.AppRunner:
    """Listen on `listen` (host:port). `pages` maps routes such as `/map/park.geojson`; a route may
    have aiohttp's `{name}` parts. OSError where the address is taken."""
    bounds = Bounds(limits or Limits())
    guard = Guard(listen, api.config.gateway.api_token)
    streams = Streams(api.tee, api.clock, bounds.limits.streams)
    app = web.Application(middlewares=[_counted(bounds)], client_max_size=MOST_BODY)
    app[_HEALTH] = health
    app.router.add_get("/", _addresses)
    app.router.add_get("/healthz", _healthz)
    app.router.add_get("/livez", _livez)
    app.router.add_get("/readyz", _readyz)
    app.router.add_get("/metrics", _metrics)
    app.router.add_get("/api/v1/things", _guarded(guard, api.things))
    app.router.add_get("/api/v1/sources", _guarded(guard, api.sources))
    app.router.add_get("/api/v1/events", _guarded(guard, streams.answer), allow_head=False)
    if commands is not None:
        app.router.add_post("/api/v1/things/{thing:.+}/commands", _guarded(guard, commands.tell))
        app.router.add_get("/api/v1/things/{thing:.+}/commands", _guarded(guard, commands.told))
        app.router.add_get("/api/v1/commands", _guarded(guard, commands.ledger))
        app.router.add_get("/api/v1/commands/{id}", _guarded(guard, commands.one))
    for route, (content_type, body) in pages.items():
        app.router.add_get(route, _page(content_type, body))
    app.on_shutdown.append(streams.end)
    _log.addFilter(_is_ours)
    runner = web.AppRunner(
        app,
        logger=_log,
        access_log=None,
        handler_cancellation=True,
        shutdown_timeout=STOP_S,
        keepalive_timeout=bounds.limits.idle_s,
        lingering_time=bounds.limits.body_s,
        max_line_size=MAX_LINE,
        max_field_size=MAX_LINE,
        max_headers=MAX_HEADERS,
    )
    await runner.setup()
    host, _, port = listen.rpartition(":")
    try:
        await BoundedSite(runner, host.strip("[]"), int(port), bounds).start()
    except OSError:
        await runner.cleanup()
        raise
    return runner


def _counted(bounds: Bounds) -> Middleware:
    @web.middleware
    async def counted(request: web.Request, handler: Answer) -> web.StreamResponse:
        with bounds.answering(request.transport):
            try:
                return await handler(request)
            except (web.HTTPNotFound, web.HTTPMethodNotAllowed) as refused:
                return _refused(request, refused)

    return counted


def _refused(request: web.Request, refused: web.HTTPException) -> web.Response:
    """No such address, or not in this way; in JSON like whatever else is wrong."""
    if isinstance(refused, web.HTTPMethodNotAllowed):
        allow = ", ".join(sorted(refused.allowed_methods))
        return error(405, f"{request.method[:20]}: expected {allow}", {"Allow": allow})
    return error(404, f"{request.path[:100]}: no such address; / lists those there are")


def _guarded(guard: Guard, answer: Answer) -> Answer:
    async def guarded(request: web.Request) -> web.StreamResponse:
        return guard.refusal(request) or await answer(request)

    return guarded


def _page(content_type: str, body: bytes) -> Answer:
    async def page(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=body, content_type=content_type, headers=_CORS)

    return page
