"""InfluxDB as a sink: one batch of line protocol, one POST, and what follows from each answer.

    api    request                                                       credentials
    v1     /write?db=D&precision=ns                                      Basic; on 2.x and 3 the token is the password
    v2     /api/v2/write?org=O&bucket=D&precision=ns                     Token
    v3     /api/v3/write_lp?db=D&precision=nanosecond&accept_partial=true  Bearer

    accept   2xx; also 400 and 422, once the bad lines are found and rejected one by one
    reject   a line that the server refuses alone, or that it names, or that is too large alone
    keep     everything else: no connection, no answer, 408, 429, 5xx; with an alarm 401, 403,
             404 for good, faults of TLS, and answers that are not InfluxDB's

Finding bad lines: those that the answer names are taken out and the others are sent again;
where it names none, the request is halved, down to one line. One bad point in a batch of 1,000
costs that point and about 20 small requests.

A probe writes nothing: it asks which server it is, makes the database where that is allowed, and
sends an empty request, whose answer shows credentials and a missing database all the same.

Limits: requests of up to 1 MB (smaller after a 413, larger again after 100 batches without
one), halved at a line end. A batch refused as a whole in words that are not about points is kept:
REFUSALS_MAX lines tried alone, none taken, is the server's trouble.

Source: the answers of each generation are tabled in errors.py.
"""

import asyncio
import logging

from gateway.clock import Clock
from gateway.config import InfluxConfig
from gateway.intake import Accept, Batch, Keep, Outcome
from gateway.sinks.cut import halve, pieces
from gateway.sinks.influxdb.admin import Generation, Server, detect, ensure_database, retention_seconds
from gateway.sinks.influxdb.advice import advice
from gateway.sinks.influxdb.client import Client, Unreachable
from gateway.sinks.influxdb.errors import Answer, Verdict, take_out
from gateway.sinks.influxdb.size import RequestSize
from gateway.stats import SinkStats

log = logging.getLogger("parkgate.sinks")

REFUSALS_MAX = 8


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


class InfluxSink:
    """`config.url` may carry a path, as behind a proxy. A database that had to be made again is said in
    `stats.notice`. ValueError for a retention that is none, or a proxy that cannot be used."""

    def __init__(self, config: InfluxConfig, clock: Clock, stats: SinkStats | None = None) -> None:
        if config.retention:
            retention_seconds(config.retention)
        self.name = "influxdb"
        self.server: Server | None = None
        self._size = RequestSize()
        self._stats = stats or SinkStats(self.name)
        self._config = config
        self._client = Client(config, clock)
        self._preparing = asyncio.Lock()
        self._obstacle: str | None = None  # why the database could not be made, as it was said last
        self._made = 0
        self._known = False  # the database was there once, while this gateway ran

    @property
    def request_max(self) -> int:
        """The largest request in bytes, as far as is known."""
        return self._size.most

    async def open(self) -> None:
        """Nothing to look at: a server that is away now may be there for the first batch."""

    async def probe(self) -> Keep | None:
        """Whether a batch would be taken now: None, or what stands in the way."""
        try:
            answer = await self._post(b"", await self._prepare())
        except _Kept as kept:
            return kept.keep
        except Unreachable as fault:
            return Keep(f"{self._client.base}: {fault}", alarm=fault.alarm)
        # that an empty request is refused as empty (400) says that it came as far as points
        return self._keep(answer) if answer.verdict in (Verdict.LATER, Verdict.ALARM) else None

    async def write(self, batch: Batch) -> Outcome:
        """Write the whole batch; several writes may be under way at once."""
        tally = _Tally()
        try:
            server = self.server or await self._prepare()
            for piece in pieces(batch.lines.rstrip(b"\n"), self._size.most):
                await self._store(piece, tally, server)
        except _Kept as kept:
            return kept.keep
        except Unreachable as fault:
            return Keep(f"{self._client.base}: {fault}", alarm=fault.alarm)
        self._size.grow()
        return Accept(tally.rejected)

    async def close(self) -> None:
        await self._client.close()

    async def _prepare(self) -> Server:
        """Once: find out what answers, and make the database where that is allowed."""
        async with self._preparing:
            if self.server is not None:
                return self.server
            server, answer = await detect(self._client)
            if not 200 <= answer.status < 300 and answer.status not in (404, 405):  # some lookalikes have no /ping
                alarm = answer.verdict not in (Verdict.LATER, Verdict.MISSING)
                words = advice(answer, self._config, server)
                raise _Kept(Keep(f"{self._client.base}/ping: {words}", answer.retry_after_s, alarm))
            log.info("influxdb: %s is %s", self._client.base, server)
            await self._ensure(server)
            self.server = server
            return server

    async def _ensure(self, server: Server) -> None:
        """Make the database where that is allowed; say why not, once."""
        obstacle = await ensure_database(self._client, server, self._config)
        if obstacle is not None and obstacle != self._obstacle:
            log.warning("influxdb: could not make database %r (%s); going on", self._config.database, obstacle)
        self._obstacle = obstacle

    async def _post(self, lines: bytes, server: Server) -> Answer:
        """One request, and a second one where the database was missing and could be made."""
        made = self._made
        answer = await self._client.write(lines)
        if answer.verdict is Verdict.MISSING:
            async with self._preparing:
                first = made == self._made  # of the requests under way that found it missing
                if first:
                    await self._ensure(server)
                answer = await self._client.write(lines)
                if answer.verdict is Verdict.MISSING:
                    raise _Kept(Keep(f"{self._client.base}: {advice(answer, self._config, server)}", alarm=True))
                if first:
                    self._made += 1
                    self._say_made()
        if answer.verdict in (Verdict.STORED, Verdict.CULPRITS):
            self._known = True
        return answer

    def _say_made(self) -> None:
        """A database was missing and has been made, by this gateway or by somebody else."""
        if self._known:
            self._stats.remade += 1
            self._stats.notice = f"database {self._config.database!r} was gone and has been made again, empty"
            log.warning("influxdb: %s; what it held before is lost", self._stats.notice)

    async def _store(self, lines: bytes, tally: _Tally, server: Server) -> None:
        """Have every line stored or rejected; raises _Kept where neither is certain."""
        answer = await self._post(lines, server)
        if answer.verdict is Verdict.STORED:
            tally.taken = True
        elif answer.verdict is Verdict.TOO_LARGE:
            await self._store_smaller(lines, answer, tally, server)
        elif answer.verdict is Verdict.CULPRITS:
            await self._store_without_culprits(lines, answer, tally, server)
        else:
            raise _Kept(self._keep(answer))

    async def _store_smaller(self, lines: bytes, answer: Answer, tally: _Tally, server: Server) -> None:
        halves = halve(lines)
        if halves is None:
            tally.rejected.append((lines, answer.words))
            return
        self._size.shrink(len(lines), max(len(half) for half in halves))
        for half in halves:
            await self._store(half, tally, server)

    async def _store_without_culprits(self, lines: bytes, answer: Answer, tally: _Tally, server: Server) -> None:
        bad, rest = take_out(lines, answer.named)
        if bad:
            tally.rejected += bad
            if rest:
                await self._store(rest, tally, server)
            return
        halves = halve(lines)
        if halves is None:
            tally.rejected.append((lines, answer.words))
            if not (tally.taken or answer.certain) and len(tally.rejected) >= REFUSALS_MAX:
                raise _Kept(Keep(f"{self._client.base} refuses every point: {answer.words}", alarm=True))
        elif answer.dropped == lines.count(b"\n") + 1:
            # The count is of points dropped for good in this very request: all of them.
            tally.rejected += [(line, answer.words) for line in lines.split(b"\n")]
        else:
            for half in halves:
                await self._store(half, tally, server)

    def _keep(self, answer: Answer) -> Keep:
        server = self.server or Server(Generation.UNKNOWN, "")
        words = f"{self._client.base}: {advice(answer, self._config, server)}"
        return Keep(words, answer.retry_after_s, answer.verdict is Verdict.ALARM)
