"""The HTTP connection to InfluxDB: one session, its TLS, its proxy, and its faults in words.

Made by the first request. A fault in TLS closes it, and silence after TLS does, so that the next
request reads the files anew: renewed certificates need no restart.

    http://    through a proxy: the proxy is asked for the whole address and answers in InfluxDB's place
    https://   through a proxy: a tunnel (CONNECT); the proxy answers for itself only while it is made

Limits: 1 MB of an answer is read; `timeout_s` for a whole request; one connection more than there are
requests under way.

Cost: a body goes out as it is, gzip level 1 (in a thread) only off loopback.
"""

import asyncio
import base64
import gzip
import os
import ssl
from collections.abc import Mapping
from typing import Any, NamedTuple

import aiohttp
from yarl import URL

from gateway.clock import Clock
from gateway.config import InfluxConfig
from gateway.network import Far, Proxy, TlsFileUnusable, in_words, is_loopback, proxy_for, tls_context
from gateway.sinks.influxdb.errors import Answer, in_one_line, read_answer

ANSWER_MAX = 1 << 20
ROUTES = {"v1": "/write", "v2": "/api/v2/write", "v3": "/api/v3/write_lp"}
_TEXT = {"Content-Type": "text/plain; charset=utf-8"}
_ZIPPED = {**_TEXT, "Content-Encoding": "gzip"}
_TLS_ALERT = ("\x15\x03", r"\x15\x03")
"""How a server that waits for TLS begins its answer to plain HTTP, and as it is quoted."""


class Unreachable(Exception):
    """No whole answer came from InfluxDB; the text says why. `alarm`: it will not mend by itself."""

    def __init__(self, why: str, *, alarm: bool = False) -> None:
        super().__init__(why)
        self.alarm = alarm


class Reply(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes


class Client:
    """Requests to the server of `config`; what they raise is Unreachable.

    ValueError where the environment names a proxy that cannot be used.
    """

    def __init__(self, config: InfluxConfig, clock: Clock) -> None:
        self.base = config.url.rstrip("/")
        self.proxy = proxy_for(config.url, os.environ)
        self._config = config
        self._clock = clock
        self._gzip = config.gzip if config.gzip is not None else not is_loopback(URL(config.url).host)
        self._target = _target(config)
        self._session: aiohttp.ClientSession | None = None
        self._answered = False  # since the session was made

    async def write(self, lines: bytes) -> Answer:
        """One request of line protocol."""
        headers = _TEXT
        if self._gzip and lines:
            lines = await asyncio.to_thread(gzip.compress, lines, 1)
            headers = _ZIPPED
        reply = await self._ask("POST", self._target, data=lines, headers=headers)
        return read_answer(reply.status, reply.headers, reply.body, self._clock.now_ns() / 1e9)

    async def ask(self, method: str, path: str, **body: Any) -> Reply:
        """Another request; `body` is `data` (a form) or `json`."""
        return await self._ask(method, URL(self.base + path), **body)

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _ask(self, method: str, url: URL, **body: Any) -> Reply:
        """A kept-alive connection that the server closed meanwhile is tried once more."""
        try:
            try:
                reply = await self._exchange(method, url, body)
            except aiohttp.ServerDisconnectedError:
                reply = await self._exchange(method, url, body)
        except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
            fault = self._fault(error)
            if fault.alarm or self._shy():
                await self.close()
            raise fault from error
        except TlsFileUnusable as error:
            raise Unreachable(str(error), alarm=True) from error
        if self.proxy is not None and url.scheme == "http" and reply.status >= 400 and _is_foreign(reply):
            said = in_one_line(reply.status, reply.body.decode("utf-8", "replace").strip())
            raise self._refused_by_proxy(self.proxy, reply.status, said)
        return reply

    async def _exchange(self, method: str, url: URL, body: dict[str, Any]) -> Reply:
        proxy = None if self.proxy is None else self.proxy.url
        async with self._open().request(method, url, allow_redirects=False, proxy=proxy, **body) as response:
            self._answered = True
            return Reply(response.status, response.headers, await _bounded(response))

    def _shy(self) -> bool:
        """Whether TLS came about and no answer ever did: a server may close in silence for want of a certificate."""
        return self._config.tls is not None and not self._answered

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._answered = False
            tls = self._config.tls
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=max(self._config.in_flight, 1) + 1, ssl=True if tls is None else tls_context(tls)
                ),
                timeout=aiohttp.ClientTimeout(total=self._config.timeout_s),
                headers=_authorization(self._config),
                max_field_size=1 << 16,
            )
        return self._session

    def _fault(self, error: Exception) -> Unreachable:
        """Why no answer came, for people."""
        if isinstance(error, TimeoutError):
            return Unreachable(f"no answer within {self._config.timeout_s:g} s")
        if isinstance(error, aiohttp.ClientHttpProxyError) and self.proxy is not None:
            return self._refused_by_proxy(self.proxy, error.status, f"HTTP {error.status} {error.message}")
        if isinstance(error, aiohttp.ServerDisconnectedError):
            wish = "; does it want a client certificate (influxdb.client_cert)?" if self._shy() else ""
            if self.proxy is not None and not self._answered:
                wish = f"; is {_named(self.proxy)} an HTTP proxy?"
            return Unreachable(f"no whole answer: {error}{wish}")
        if isinstance(error, aiohttp.ClientResponseError):
            if any(mark in error.message for mark in _TLS_ALERT):
                return Unreachable("the port is for TLS: https:// in influxdb.url", alarm=True)
            own = in_one_line(error.status, error.message)
            return Unreachable(f"what answers there is not HTTP: correct influxdb.url ({own})", alarm=True)
        if isinstance(error, aiohttp.ClientPayloadError):
            return Unreachable(f"no whole answer: {error}")
        cause = _cause(error)
        tls = isinstance(cause, ssl.SSLError)
        if self.proxy is not None and not tls and not self._answered:
            # connections are made to the proxy alone; TLS is spoken with the server behind it
            far = Far("the proxy", self.proxy.host, self.proxy.variable)
            return Unreachable(f"{_named(self.proxy)}: {in_words(cause, far)}")
        far = Far("InfluxDB", URL(self.base).host or "", "influxdb.url", "http://", "https://", self._config.tls)
        return Unreachable(in_words(cause, far), alarm=tls)

    def _refused_by_proxy(self, proxy: Proxy, status: int, own: str) -> Unreachable:
        if status == 407:
            what = f"it wants credentials: http://user:password@host:port in {proxy.variable}"
        elif status in (401, 403):
            what = f"it does not let this gateway through to {self.base}"
        elif status in (502, 503, 504):
            what = f"it does not reach {self.base}"
        else:
            what = f"it does not serve this address; is it a proxy? Else NO_PROXY={URL(self.base).host}"
        return Unreachable(f"{_named(proxy)}: {what} ({own})", alarm=status < 500)


def _named(proxy: Proxy) -> str:
    return f"the proxy {proxy.shown} ({proxy.variable})"


def _cause(error: BaseException) -> BaseException:
    """The system's error inside one of aiohttp's."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return error.certificate_error
    if isinstance(error, aiohttp.ClientConnectorError):
        return error.os_error
    return error.__cause__ if isinstance(error.__cause__, OSError) else error


def _is_foreign(reply: Reply) -> bool:
    """Whether an answer is surely not one of InfluxDB's own: no JSON, no name of its."""
    named = any(name.lower() in ("x-influxdb-version", "x-server-hostname") for name in reply.headers)
    return not named and bool(reply.body.strip()) and reply.body.lstrip()[:1] != b"{"


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    """Up to ANSWER_MAX bytes of an answer; the connection is not used again if there are more."""
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_any():
        parts.append(part)
        size += len(part)
        if size >= ANSWER_MAX:
            response.close()
            break
    return b"".join(parts)[:ANSWER_MAX]


def _target(config: InfluxConfig) -> URL:
    query = {
        "v1": {"db": config.database, "precision": "ns"},
        "v2": {"org": config.org or "", "bucket": config.database, "precision": "ns"},
        "v3": {"db": config.database, "precision": "nanosecond", "accept_partial": "true"},
    }[config.api]
    return URL(config.url.rstrip("/") + ROUTES[config.api]).with_query(query)


def _authorization(config: InfluxConfig) -> dict[str, str]:
    if config.token and config.api != "v1":
        return {"Authorization": f"{'Token' if config.api == 'v2' else 'Bearer'} {config.token}"}
    if config.token or config.username:
        user, password = config.username or "parkgate", config.password or ""
        pair = f"{user}:{config.token or password}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
    return {}
