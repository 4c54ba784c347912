"""The gateway's own state as points, `/metrics` and `/healthz`, and the HTTP server for them."""

from gateway.web.health import PERIOD_S, Health
from gateway.web.server import Page, serve

__all__ = ["PERIOD_S", "Health", "Page", "serve"]
