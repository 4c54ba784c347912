"""InfluxDB as a sink: one batch of line protocol, one POST, and the right word for every answer.

    api    request                                                       credentials
    v1     /write?db=D&precision=ns                                      Basic; on 2.x and 3 the token is the password
    v2     /api/v2/write?org=O&bucket=D&precision=ns                     Token
    v3     /api/v3/write_lp?db=D&precision=nanosecond&accept_partial=true  Bearer

    accept   2xx; also 400 and 422, once the bad lines are found and rejected one by one
    reject   a line that the server refuses alone, or that it names, or that is too large alone
    keep     everything else: no connection, no answer, 408, 429, 5xx; with an alarm 401, 403,
             404 for good, and answers that are not InfluxDB's

Finding bad lines: those that the answer names are taken out and the others are sent again;
where it names none, the request is halved, down to one line. One bad point in a batch of 1,000
costs that point and about 20 small requests.

Limits: requests of up to 1 MB (smaller after a 413, larger again after 100 batches without
one), halved at a line end; 1 MB of an answer is read; `timeout_s` for a whole request. A batch
refused as a whole in words that are not about points is kept: REFUSALS_MAX lines tried alone,
none taken, is the server's trouble.

Cost: the batch's bytes go out as they are, gzip level 1 (in a thread) only off loopback.
Source: the answers of each generation are tabled in _influx_errors.py.
"""

import asyncio
import base64
import gzip
import ipaddress
import logging
import os
from typing import NamedTuple

import aiohttp
from yarl import URL

from gateway.clock import Clock
from gateway.config import InfluxConfig
from gateway.intake import Accept, Batch, Keep, Outcome
from gateway.sinks.cut import halve, pieces
from gateway.sinks.influxdb.admin import Generation, Server, detect, ensure_database, retention_seconds
from gateway.sinks.influxdb.errors import Answer, Verdict, read_answer, take_out

log = logging.getLogger("parkgate.sinks")

REQUEST_MAX = 1_000_000
CALM_BATCHES = 100
ANSWER_MAX = 1 << 20
REFUSALS_MAX = 8
_ROUTES = {"v1": "/write", "v2": "/api/v2/write", "v3": "/api/v3/write_lp"}


class _Kept(Exception):
    """Ends a write half-way: `keep` is its outcome."""

    def __init__(self, keep: Keep) -> None:
        super().__init__(keep.reason)
        self.keep = keep


class _Tally:
    """What became of one batch so far."""

    __slots__ = ("rejected", "taken")

    def __init__(self) -> None:
        self.rejected: list[tuple[bytes, str]] = []
        self.taken = False


class _Target(NamedTuple):
    url: URL
    headers: dict[str, str]


class InfluxSink:
    """`config.url` may carry a path, as behind a proxy. ValueError for a retention that is none."""

    def __init__(self, config: InfluxConfig, clock: Clock) -> None:
        if config.retention:
            retention_seconds(config.retention)
        self.name = "influxdb"
        self.server: Server | None = None
        self._config = config
        self._clock = clock
        self._base = config.url.rstrip("/")
        self._gzip = config.gzip if config.gzip is not None else not is_loopback(URL(config.url).host)
        self._target = _target(config)
        self._session: aiohttp.ClientSession | None = None
        self._preparing = asyncio.Lock()
        self.request_max = REQUEST_MAX
        self._calm = 0  # batches since a request was too large

    async def write(self, batch: Batch) -> Outcome:
        """Write the whole batch; several writes may be under way at once."""
        tally = _Tally()
        try:
            if self.server is None:
                await self._prepare()
            for piece in pieces(batch.lines.rstrip(b"\n"), self.request_max):
                await self._store(piece, tally)
        except _Kept as kept:
            return kept.keep
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return Keep(f"{self._base}: {_in_words(error, self._config.timeout_s)}")
        self._grow()
        return Accept(tally.rejected)

    def _grow(self) -> None:
        """Try larger requests again after a while: one long line, or a proxy's bad hour, is no limit for ever."""
        if self.request_max == REQUEST_MAX:
            return
        self._calm += 1
        if self._calm >= CALM_BATCHES:
            self.request_max, self._calm = min(REQUEST_MAX, 2 * self.request_max), 0

    async def open(self) -> None:
        """Nothing to look at: a server that is away now may be there for the first batch."""

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _prepare(self) -> None:
        """Once: find out what answers, and make the database where that is allowed."""
        async with self._preparing:
            if self.server is not None:
                return
            server, status = await detect(self._open(), self._base)
            if status in (401, 403):
                raise _Kept(Keep(f"{self._base}/ping: HTTP {status}: {self._credentials()}", alarm=True))
            if status in (408, 429) or status >= 500:
                raise _Kept(Keep(f"{self._base}/ping: HTTP {status}"))
            log.info("influxdb: %s is InfluxDB %s", self._base, server.version or server.generation.value)
            await self._ensure(server)
            self.server = server

    async def _ensure(self, server: Server) -> None:
        obstacle = await ensure_database(self._open(), self._base, server, self._config)
        if obstacle is not None:
            log.warning("influxdb: could not make database %r (%s); going on", self._config.database, obstacle)

    async def _store(self, lines: bytes, tally: _Tally) -> None:
        """Have every line stored or rejected; raises _Kept where neither is certain."""
        answer = await self._post(lines)
        if answer.verdict is Verdict.MISSING:
            answer = await self._post_after_making(lines)
        if answer.verdict is Verdict.STORED:
            tally.taken = True
        elif answer.verdict is Verdict.TOO_LARGE:
            await self._store_smaller(lines, answer, tally)
        elif answer.verdict is Verdict.CULPRITS:
            await self._store_without_culprits(lines, answer, tally)
        else:
            raise _Kept(self._keep(answer))

    async def _post_after_making(self, lines: bytes) -> Answer:
        await self._ensure(self.server or Server(Generation.UNKNOWN, ""))
        answer = await self._post(lines)
        if answer.verdict is Verdict.MISSING:
            what = f"{self._base}: {answer.words}; make database or bucket {self._config.database!r}"
            hint = "" if self._config.api == "v1" else f', or set api = "v1" if it has no {_ROUTES[self._config.api]}'
            raise _Kept(Keep(what + hint, alarm=True))
        return answer

    async def _store_smaller(self, lines: bytes, answer: Answer, tally: _Tally) -> None:
        halves = halve(lines)
        if halves is None:
            tally.rejected.append((lines, answer.words))
            return
        smaller = max(len(half) for half in halves)
        if smaller < self.request_max:
            log.info("influxdb: %d bytes are too large for the server; sending %d at most", len(lines), smaller)
            self.request_max = smaller
        self._calm = 0
        for half in halves:
            await self._store(half, tally)

    async def _store_without_culprits(self, lines: bytes, answer: Answer, tally: _Tally) -> None:
        bad, rest = take_out(lines, answer.named)
        if bad:
            tally.rejected += bad
            if rest:
                await self._store(rest, tally)
            return
        halves = halve(lines)
        if halves is None:
            tally.rejected.append((lines, answer.words))
            if not (tally.taken or answer.certain) and len(tally.rejected) >= REFUSALS_MAX:
                raise _Kept(Keep(f"{self._base} refuses every point: {answer.words}", alarm=True))
        elif answer.dropped == lines.count(b"\n") + 1:
            # The count is of points dropped for good in this very request: all of them.
            tally.rejected += [(line, answer.words) for line in lines.split(b"\n")]
        else:
            for half in halves:
                await self._store(half, tally)

    async def _post(self, lines: bytes) -> Answer:
        """One request. A kept-alive connection that the server closed meanwhile is tried once more."""
        headers = self._target.headers
        if self._gzip:
            lines = await asyncio.to_thread(gzip.compress, lines, 1)
            headers = {**headers, "Content-Encoding": "gzip"}
        try:
            return await self._exchange(lines, headers)
        except aiohttp.ServerDisconnectedError:
            return await self._exchange(lines, headers)

    async def _exchange(self, body: bytes, headers: dict[str, str]) -> Answer:
        async with self._open().post(self._target.url, data=body, headers=headers, allow_redirects=False) as response:
            said = await _bounded(response)
            return read_answer(response.status, response.headers, said, self._clock.now_ns() / 1e9)

    def _keep(self, answer: Answer) -> Keep:
        alarm = answer.verdict is Verdict.ALARM
        words = f"{answer.words}: {self._credentials()}" if answer.status in (401, 403) else answer.words
        return Keep(f"{self._base}: {words}", answer.retry_after_s, alarm)

    def _credentials(self) -> str:
        if self._config.token:
            return "check that influxdb.token is valid and may write to the database"
        if self._config.username:
            return "check influxdb.username and influxdb.password, and that the user may write to the database"
        return "the server wants credentials: set influxdb.token, or influxdb.username and influxdb.password"

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=max(self._config.in_flight, 1) + 1),
                timeout=aiohttp.ClientTimeout(total=self._config.timeout_s),
                headers=_authorization(self._config),
                max_field_size=1 << 16,
            )
        return self._session


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


def _target(config: InfluxConfig) -> _Target:
    query = {
        "v1": {"db": config.database, "precision": "ns"},
        "v2": {"org": config.org or "", "bucket": config.database, "precision": "ns"},
        "v3": {"db": config.database, "precision": "nanosecond", "accept_partial": "true"},
    }[config.api]
    url = URL(config.url.rstrip("/") + _ROUTES[config.api]).with_query(query)
    return _Target(url, {"Content-Type": "text/plain; charset=utf-8"})


def _authorization(config: InfluxConfig) -> dict[str, str]:
    if config.token and config.api != "v1":
        return {"Authorization": f"{'Token' if config.api == 'v2' else 'Bearer'} {config.token}"}
    if config.token or config.username:
        user, password = config.username or "parkgate", config.password or ""
        pair = f"{user}:{config.token or password}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
    return {}


def is_loopback(host: str | None) -> bool:
    """Whether `host` is this machine by name or number."""
    if host in (None, "localhost"):
        return True
    try:
        return ipaddress.ip_address(str(host)).is_loopback
    except ValueError:
        return False


def _in_words(error: Exception, timeout_s: float) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {timeout_s:g} s"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"cannot connect: {os.strerror(error.errno) if error.errno else error.os_error}"
    return f"no whole answer: {error or type(error).__name__}"
