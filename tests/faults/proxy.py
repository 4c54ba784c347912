"""A TCP proxy between two ends of the tests' own, that does to the bytes what networks do.

    client --TO_SERVER--> Proxy --TO_SERVER--> server on 127.0.0.1:`upstream`
           <--TO_CLIENT--       <--TO_CLIENT--

    cut()                reset every connection now (RST on both sides, not a FIN)
    cut_after(way, n)    reset the connection on which the n-th next byte goes `way`, right after it
    stall(way) flow()    let nothing pass until `flow`; the sender fills up and waits
    stall_after(way, n)  the same, once n more bytes have gone `way`
    delay(seconds)       every chunk arrives that much later, in order
    trickle(n, every_s)  n bytes at a time
    half_close(way)      FIN to the receiver of `way`; the other way stays open
    refuse() accept()    reset whoever connects

A command without a way means both. Delays are the fault itself: nothing is asserted on them.
"""

import asyncio
import socket
import struct
from enum import Enum

from tests.e2e.load import pace

CHUNK = 65_536


class Way(Enum):
    TO_SERVER = "to the server"
    TO_CLIENT = "to the client"


TO_SERVER, TO_CLIENT = Way.TO_SERVER, Way.TO_CLIENT


class _Countdown:
    """Bytes still to go one way before something happens."""

    def __init__(self, left: int, *, cuts: bool) -> None:
        self.left = left
        self.cuts = cuts
        self.done = asyncio.Event()


class _Pair:
    """One client's connection and the one to the server."""

    def __init__(self, client: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
        self.reader = {TO_SERVER: client[0]}
        self.writer = {TO_CLIENT: client[1]}

    def meet(self, server: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
        self.reader[TO_CLIENT] = server[0]
        self.writer[TO_SERVER] = server[1]

    def reset(self) -> None:
        for writer in self.writer.values():
            _reset(writer)


class Proxy:
    """`async with Proxy(port) as proxy`, then connect to `proxy.port`. Belongs to one event loop."""

    def __init__(self, upstream: int) -> None:
        self.upstream = upstream
        self.port = 0
        self.accepted = 0
        self.passed = {TO_SERVER: 0, TO_CLIENT: 0}
        self._pairs: set[_Pair] = set()
        self._open = {TO_SERVER: asyncio.Event(), TO_CLIENT: asyncio.Event()}
        self._countdown: dict[Way, _Countdown] = {}
        self._delay_s = 0.0
        self._trickle: tuple[int, float] | None = None
        self._refusing = False
        self._arrived = asyncio.Event()
        self._server: asyncio.Server | None = None
        self.flow()

    async def __aenter__(self) -> "Proxy":
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        self.flow()

    # -- commands --------------------------------------------------------------------------

    def cut(self) -> None:
        for pair in self._pairs:
            pair.reset()

    def cut_after(self, way: Way, count: int) -> asyncio.Event:
        """The event is set when it has happened."""
        countdown = self._countdown[way] = _Countdown(count, cuts=True)
        return countdown.done

    def stall_after(self, way: Way, count: int) -> asyncio.Event:
        """The event is set when it has happened."""
        countdown = self._countdown[way] = _Countdown(count, cuts=False)
        return countdown.done

    def stall(self, way: Way | None = None) -> None:
        for each in self._open if way is None else (way,):
            self._open[each].clear()

    def flow(self) -> None:
        """Let everything pass again, at full speed."""
        self._delay_s, self._trickle = 0.0, None
        for each in self._open.values():
            each.set()

    def delay(self, seconds: float) -> None:
        self._delay_s = seconds

    def trickle(self, count: int, every_s: float) -> None:
        self._trickle = (count, every_s)

    def half_close(self, way: Way) -> None:
        for pair in self._pairs:
            pair.writer[way].write_eof()

    def refuse(self) -> None:
        self._refusing = True

    def accept(self) -> None:
        self._refusing = False

    async def connected(self, times: int) -> None:
        """Wait until clients have connected so often in all."""
        while self.accepted < times:
            self._arrived.clear()
            await self._arrived.wait()

    # -- bytes -----------------------------------------------------------------------------

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        self._arrived.set()
        if self._refusing:
            _reset(writer)
            return
        pair = _Pair((reader, writer))
        self._pairs.add(pair)
        try:
            pair.meet(await asyncio.open_connection("127.0.0.1", self.upstream))
            await asyncio.gather(self._pump(pair, TO_SERVER), self._pump(pair, TO_CLIENT))
        except OSError:  # an end is gone: so is the other
            pair.reset()
        finally:
            self._pairs.discard(pair)
            for each in pair.writer.values():
                each.close()

    async def _pump(self, pair: _Pair, way: Way) -> None:
        """Carry one way until its sender is done, then pass the FIN on."""
        while True:
            data = await pair.reader[way].read(CHUNK)
            if self._delay_s:
                await pace(self._delay_s)
            if not data:
                break
            while data:
                await self._open[way].wait()
                size, every_s = self._trickle or (CHUNK, 0.0)
                countdown = self._countdown.get(way)
                if countdown is not None:
                    size = min(size, countdown.left)
                piece, data = data[:size], data[size:]
                await self._carry(pair, way, piece, countdown)
                if every_s:
                    await pace(every_s)
        await self._open[way].wait()
        if not pair.writer[way].is_closing():
            pair.writer[way].write_eof()

    async def _carry(self, pair: _Pair, way: Way, piece: bytes, countdown: _Countdown | None) -> None:
        if pair.writer[way].is_closing():
            raise ConnectionResetError
        pair.writer[way].write(piece)
        await pair.writer[way].drain()
        self.passed[way] += len(piece)
        if countdown is None:
            return
        countdown.left -= len(piece)
        if countdown.left > 0:
            return
        self._countdown.pop(way, None)
        if countdown.cuts:
            pair.reset()
        else:
            self._open[way].clear()
        countdown.done.set()


def _reset(writer: asyncio.StreamWriter) -> None:
    """RST instead of FIN: what is still on its way is thrown away."""
    connection = writer.get_extra_info("socket")
    if connection is not None and not writer.transport.is_closing():
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
