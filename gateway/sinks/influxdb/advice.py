"""What to do about an answer that keeps a batch waiting, for the person who can mend it. Pure.

A server that was recognised is told apart: 1.x takes no token, 3 nothing else; and an
answer that is not InfluxDB's own is said to be so, before anything else is concluded from it.
"""

import re

from gateway.config import InfluxConfig
from gateway.sinks.influxdb.admin import Generation, Server
from gateway.sinks.influxdb.client import ROUTES
from gateway.sinks.influxdb.errors import Answer, Verdict

_TLS_PORT = re.compile(r"HTTP request (was sent )?to (an )?HTTPS", re.IGNORECASE)


def advice(answer: Answer, config: InfluxConfig, server: Server) -> str:
    """The server's words and what to do; the words alone where there is nothing to do but wait."""
    if answer.status in (401, 403):
        return f"{answer.words}: {_credentials(answer, config, server)}"
    hint = _hint(answer, config)
    return f"{answer.words}; {hint}" if hint else answer.words


def _hint(answer: Answer, config: InfluxConfig) -> str:
    if answer.status == 407:
        return "a proxy on the way wants credentials; name it in HTTP_PROXY or HTTPS_PROXY"
    if _TLS_PORT.search(answer.words):
        return "the port is for TLS: https:// in influxdb.url"
    if 300 <= answer.status < 400:
        return "correct influxdb.url"
    if answer.verdict is Verdict.MISSING:
        return f"make database or bucket {config.database!r}"
    if answer.status == 404 and "organization" in answer.words:
        return f"correct influxdb.org ({config.org!r})"
    if answer.status == 404 or "unsupported path" in answer.words:
        route = ROUTES[config.api]
        api = "" if config.api == "v1" else f', or set api = "v1" if it has no {route}'
        return f"no InfluxDB answers at {config.url.rstrip('/')}{route}; correct influxdb.url (host, port, path){api}"
    if answer.retry_after_s:
        return f"it asks to wait {answer.retry_after_s:g} s (HTTP {answer.status})"
    if answer.verdict is Verdict.ALARM and (answer.foreign or answer.status < 300):
        return "this is not InfluxDB's answer; correct influxdb.url (host, port, path), or see what stands before it"
    return ""


def _credentials(answer: Answer, config: InfluxConfig, server: Server) -> str:
    if config.token and server.generation is Generation.V1:
        return f"{server} takes no token: set influxdb.username and influxdb.password instead of influxdb.token"
    if answer.foreign:
        return "this is not InfluxDB's answer: a proxy before it wants credentials, or does not let this gateway in"
    if config.username and server.generation is Generation.V3:
        return f"{server} takes a token only: set influxdb.token instead of influxdb.username and influxdb.password"
    if config.token:
        return "check that influxdb.token is valid and may write to the database"
    if config.username and answer.status == 403:
        return f"user {config.username!r} (influxdb.username) may not write to {config.database!r}; give it that right"
    if config.username:
        return "check influxdb.username and influxdb.password, and that the user may write to the database"
    if server.generation is Generation.V1:
        return "the server wants credentials: set influxdb.username and influxdb.password"
    return "the server wants credentials: set influxdb.token, or influxdb.username and influxdb.password"
