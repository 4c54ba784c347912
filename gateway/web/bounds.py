"""What the HTTP server grants to whoever connects: so many connections, so much time, no more.

    kernel --> admitted (by address, in all) --> aiohttp's own protocol
           |-> no room: the one that has asked for nothing for longest makes it
           '-> all are being answered: 503 and close; beyond `turned_away` at a time, just closed

So half-open and idle connections, however many, keep nobody out.

Time. A whole request header must be there `idle_s` after the connection or the last answer; a body
that nobody asked for is read for `body_s`; a client that takes nothing of its answer is let go after
`stall_s`. Sizes: request line and each header field MAX_LINE bytes, MAX_HEADERS fields; requests sent
ahead of their answers are bounded by aiohttp. An IPv6 client counts by its /64, which is one network.

Event streams hold a connection as long as they like, within the same caps and `streams` of their own.
"""

import asyncio
import ipaddress
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

from aiohttp import web

log = logging.getLogger("parkgate.web")

MAX_LINE = 8190
MAX_HEADERS = 64

_TOO_MANY = b"too many connections; try again later\n"
_TURNED_AWAY = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nRetry-After: 5\r\n"
    b"Connection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(_TOO_MANY), _TOO_MANY)
)


@dataclass(frozen=True, slots=True)
class Limits:
    """Counts of connections, and seconds."""

    connections: int = 256
    by_address: int = 64
    streams: int = 16
    turned_away: int = 64
    idle_s: float = 30.0
    body_s: float = 5.0
    stall_s: float = 30.0
    turn_away_s: float = 1.0


class Bounds:
    """Who is connected, by address and in all; of these, who waits and who is being answered."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.leaving = 0
        self._open: dict[asyncio.BaseTransport, str] = {}
        self._waiting: dict[asyncio.BaseTransport, None] = {}  # the one that has waited longest first
        self._by_address: Counter[str] = Counter()
        self._refused = 0

    def enter(self, transport: asyncio.Transport, address: str) -> bool:
        """Count one more, if there is room for it or somebody who waits can make it."""
        if self._by_address[address] >= self.limits.by_address:
            room = self._make_room([each for each in self._waiting if self._open[each] == address], address)
        elif len(self._open) >= self.limits.connections:
            room = self._make_room(list(self._waiting), address)
        else:
            room = True
        if room:
            self._open[transport] = address
            self._waiting[transport] = None
            self._by_address[address] += 1
        return room

    def leave(self, transport: asyncio.BaseTransport) -> None:
        address = self._open.pop(transport, None)
        self._waiting.pop(transport, None)
        if address is None:
            return  # it made room, and is not counted any more
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]
        half = self.limits.connections // 2, self.limits.by_address // 2
        if self._refused and len(self._open) <= half[0] and max(self._by_address.values(), default=0) <= half[1]:
            log.info("the web server has room again; %d connections were closed or turned away", self._refused)
            self._refused = 0

    @contextmanager
    def answering(self, transport: asyncio.BaseTransport | None) -> Iterator[None]:
        """While its request is being answered, a connection is not one that waits."""
        if transport is None or transport not in self._open:
            yield
            return
        self._waiting.pop(transport, None)
        try:
            yield
        finally:
            if transport in self._open:
                self._waiting[transport] = None

    def _make_room(self, waiting: list[asyncio.BaseTransport], address: str) -> bool:
        if not self._refused:
            log.warning(
                "%d connections to the web server are open, %d of them from %s: those that ask for nothing make room",
                len(self._open), self._by_address[address], address,
            )  # fmt: skip
        self._refused += 1
        if not waiting:
            return False
        cast(asyncio.Transport, waiting[0]).abort()
        self._by_address[self._open.pop(waiting[0])] -= 1
        del self._waiting[waiting[0]]
        return True


class _Connection(asyncio.Protocol):
    """One connection: admitted, and then aiohttp's; or turned away."""

    def __init__(self, bounds: Bounds, make: Callable[[], asyncio.Protocol]) -> None:
        self._bounds = bounds
        self._make = make
        self._inner: asyncio.Protocol | None = None
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if self._bounds.enter(self._transport, _network(transport.get_extra_info("peername"))):
            self._inner = self._make()
            self._inner.connection_made(transport)
            return
        self._bounds.leaving += 1
        if self._bounds.leaving > self._bounds.limits.turned_away:
            self._transport.abort()
            return
        self._transport.write(_TURNED_AWAY)
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self._abort_after(self._bounds.limits.turn_away_s)

    def data_received(self, data: bytes) -> None:
        if self._inner is not None:
            self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return None if self._inner is None else self._inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        if self._inner is None or self._transport is None:
            self._bounds.leaving -= 1
            return
        self._bounds.leave(self._transport)
        self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        if self._inner is not None:
            self._abort_after(self._bounds.limits.stall_s)
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        if self._inner is not None:
            self._stop_timer()
            self._inner.resume_writing()

    def _abort_after(self, seconds: float) -> None:
        assert self._transport is not None
        self._timer = asyncio.get_running_loop().call_later(seconds, self._transport.abort)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


def _network(peer: object) -> str:
    """The address to count by."""
    host = str(peer[0]) if isinstance(peer, tuple) and peer else ""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        if not address.is_loopback:
            return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


class BoundedSite(web.BaseSite):
    """A `web.TCPSite` whose connections are counted."""

    def __init__(self, runner: web.BaseRunner, host: str, port: int, bounds: Bounds) -> None:
        super().__init__(runner)
        self._host = host
        self._port = port
        self._bounds = bounds

    @property
    def name(self) -> str:
        return f"http://{self._host}:{self._port}"

    async def start(self) -> None:
        await super().start()
        make = self._runner.server
        assert make is not None
        self._server = await asyncio.get_running_loop().create_server(
            lambda: _Connection(self._bounds, make), self._host, self._port
        )
