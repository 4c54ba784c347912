"""The gateway's own state as points, health and metrics; the API; the HTTP server for them."""

from gateway.web.api import Api
from gateway.web.commands import CommandApi
from gateway.web.guard import is_loopback, no_token
from gateway.web.health import Health
from gateway.web.latest import Latest
from gateway.web.points import PERIOD_S, OwnPoints
from gateway.web.server import Page, serve

__all__ = ["PERIOD_S", "Api", "CommandApi", "Health", "Latest", "OwnPoints", "Page", "is_loopback", "no_token", "serve"]
