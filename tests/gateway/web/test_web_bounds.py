"""The HTTP server's bounds, over real sockets: who may connect, how long a request may take, who is let go.

The limits are small here, so that nobody waits; the waits are for the server to close, not for time.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.web.bounds import Bounds, Limits, _network
from tests.gateway.web_room import Stream, WebRoom, open_room

GET = b"GET /healthz?devices=0 HTTP/1.1\r\nHost: localhost\r\n\r\n"
LIMITS = Limits(connections=20, by_address=10, turned_away=5, idle_s=0.3, body_s=0.2, stall_s=0.3, turn_away_s=0.2)
PATIENT = Limits(connections=20, by_address=10, turned_away=5, idle_s=60.0, body_s=0.2, stall_s=0.3, turn_away_s=60.0)


@pytest.fixture
async def hasty(tmp_path: Path) -> AsyncIterator[WebRoom]:
    """A server that waits for nobody."""
    room = await open_room(tmp_path, limits=LIMITS)
    yield room
    await room.close()


@pytest.fixture
async def patient(tmp_path: Path) -> AsyncIterator[WebRoom]:
    """A server that lets connections stand."""
    room = await open_room(tmp_path, limits=PATIENT)
    yield room
    await room.close()


class Client:
    """A socket and what came over it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, room: WebRoom) -> "Client":
        return cls(*await asyncio.open_connection("127.0.0.1", room.port))

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> bytes:
        """One answer: its header and body."""
        async with asyncio.timeout(10):
            header = await self.reader.readuntil(b"\r\n\r\n")
            length = next(int(line[16:]) for line in header.split(b"\r\n") if line.startswith(b"Content-Length: "))
            return header + await self.reader.readexactly(length)

    async def until_closed(self) -> bytes:
        """Everything until the server closes."""
        async with asyncio.timeout(10):
            try:
                return await self.reader.read()
            except ConnectionError:
                return b""

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()


async def test_a_connection_that_says_nothing_is_closed(hasty: WebRoom) -> None:
    client = await Client.connect(hasty)
    assert await client.until_closed() == b""
    await client.close()


async def test_a_header_that_comes_byte_by_byte_is_given_up(hasty: WebRoom) -> None:
    client = await Client.connect(hasty)
    closed = asyncio.ensure_future(client.until_closed())
    for byte in b"GET /healthz HTTP/1.1\r\nX-Slow: " + b"a" * 100_000:
        if closed.done():
            break
        try:
            await client.say(bytes([byte]))
        except ConnectionError:
            break
        await asyncio.wait({closed}, timeout=0.01)
    assert await closed == b""
    await client.close()


async def test_a_connection_kept_alive_is_closed_when_it_stays_idle(hasty: WebRoom) -> None:
    client = await Client.connect(hasty)
    for _ in range(2):
        await client.say(GET)
        assert (await client.answer()).startswith(b"HTTP/1.1 200 OK\r\n")
    assert await client.until_closed() == b""
    await client.close()


async def test_a_body_that_never_ends_is_not_waited_for(hasty: WebRoom) -> None:
    client = await Client.connect(hasty)
    await client.say(b"GET /healthz?devices=0 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nabc")
    assert (await client.until_closed()).startswith(b"HTTP/1.1 200 OK\r\n")
    await client.close()


async def test_a_client_that_takes_nothing_of_its_answer_is_let_go(hasty: WebRoom) -> None:
    stream = await Stream.open(hasty)
    tee = hasty.pipeline.tee
    async with asyncio.timeout(10):
        while tee.lookers:  # the test reads nothing more: the socket's buffers fill, then the stall counts
            tee.passed(0, "s", "", (), "", b"x" * 100_000, (), 0)
            await asyncio.sleep(0)
    stream.close()


async def test_a_stream_is_not_idle(hasty: WebRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.web.stream.BEAT_S", 0.1)
    stream = await Stream.open(hasty)
    for _ in range(8):  # 0.8 s, where idle is 0.3 s
        assert await stream.next() == ": alive\n"
    stream.close()


async def test_who_asks_for_nothing_makes_room_for_who_does(patient: WebRoom) -> None:
    idle = [await Client.connect(patient) for _ in range(10)]
    for client in idle[1:]:
        await client.say(GET)
        assert (await client.answer()).startswith(b"HTTP/1.1 200 OK\r\n")
    another = await Client.connect(patient)
    await another.say(GET)
    assert (await another.answer()).startswith(b"HTTP/1.1 200 OK\r\n")
    assert await idle[0].until_closed() == b"", "it never asked"
    await idle[1].say(GET)
    assert (await idle[1].answer()).startswith(b"HTTP/1.1 200 OK\r\n")
    for client in (*idle, another):
        await client.close()


async def test_too_many_from_one_address_are_told_so_and_closed(patient: WebRoom) -> None:
    """Ten streams from one address: nobody waits, so there is nobody who could make room."""
    streams = [await Stream.open(patient) for _ in range(10)]
    refused = await Client.connect(patient)
    assert (await refused.until_closed()) == (
        b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nRetry-After: 5\r\n"
        b"Connection: close\r\nContent-Length: 38\r\n\r\ntoo many connections; try again later\n"
    )
    await refused.close()
    streams[0].close()
    async with asyncio.timeout(10):
        while True:  # until the server has noticed
            again = await Client.connect(patient)
            await again.say(GET)
            answer = await again.answer()
            await again.close()
            if answer.startswith(b"HTTP/1.1 200 OK\r\n"):
                break
    for stream in streams:
        stream.close()


async def test_half_open_connections_cannot_crowd_the_server(tmp_path: Path) -> None:
    """500 of them, with the limits as they are: 64 stay, and whoever asks is answered."""
    room = await open_room(tmp_path)
    clients = [await Client.connect(room) for _ in range(500)]
    for client in clients:
        with contextlib.suppress(ConnectionError):
            await client.say(b"GET / HTTP/1.1\r\nX-Slow: ")
    assert (await room.get("/healthz?devices=0"))[0] == 200
    for client in clients[: 500 - 64]:
        assert await client.until_closed() == b""
    assert not clients[-1].reader.at_eof()
    for client in clients:
        await client.close()
    await room.close()


async def test_those_being_turned_away_are_few_and_not_waited_for(hasty: WebRoom) -> None:
    streams = [await Stream.open(hasty) for _ in range(10)]
    clients = [await Client.connect(hasty) for _ in range(30)]
    said = [await client.until_closed() for client in clients]
    told = [answer for answer in said if answer.startswith(b"HTTP/1.1 503 ")]
    assert len(told) == 5
    assert said.count(b"") == 25
    for client in clients:
        await client.close()
    for stream in streams:
        stream.close()


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 9000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: a\r\n" * 100 + b"\r\n",
        b"\x00\x01\x02\r\n\r\n",
    ],
    ids=["line", "field", "fields", "not http"],
)
async def test_a_request_that_is_too_large_is_refused(patient: WebRoom, request_: bytes) -> None:
    client = await Client.connect(patient)
    await client.say(request_)
    assert (await client.until_closed()).startswith(b"HTTP/1.0 400 Bad Request\r\n")
    await client.close()


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /healthz HTTP/1.1\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00 a TLS hello\r\n\r\n",
        b"GET /healthz HTTP/9.9\r\nHost: a\r\n\r\n",
    ],
    ids=["a long header", "without a host", "TLS", "another version"],
)
async def test_a_request_that_is_none_leaves_no_traceback_in_the_log(
    patient: WebRoom, request_: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    client = await Client.connect(patient)
    await client.say(request_)
    assert (await client.answer()).startswith(b"HTTP/1.0 400 Bad Request\r\n")
    await client.close()
    assert [record.name for record in caplog.records if record.exc_info] == []


async def test_a_body_that_comes_anyway_is_not_kept(patient: WebRoom) -> None:
    client = await Client.connect(patient)
    await client.say(b"POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n0123456789")
    assert (await client.answer()).startswith(b"HTTP/1.1 405 Method Not Allowed\r\n")
    await client.say(GET)
    assert (await client.answer()).startswith(b"HTTP/1.1 200 OK\r\n")
    await client.close()


class Told(asyncio.Transport):
    """A transport that only notes its end."""

    ended = False

    def abort(self) -> None:
        self.ended = True


def test_what_was_turned_away_is_said_once_and_again_when_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    bounds = Bounds(Limits(connections=4, by_address=2))
    first, second, third, fourth = Told(), Told(), Told(), Told()
    with bounds.answering(None):
        assert bounds.enter(first, "10.0.0.1")
    assert bounds.enter(second, "10.0.0.1")
    with bounds.answering(first):
        assert bounds.enter(third, "10.0.0.1")
        assert (first.ended, second.ended) == (False, True)
        with bounds.answering(third):
            assert not bounds.enter(fourth, "10.0.0.1")
    assert bounds.enter(fourth, "10.0.0.1")
    assert (first.ended, third.ended) == (False, True), "the one that was answered last waits shortest"
    assert [record.getMessage() for record in caplog.records] == [
        "2 connections to the web server are open, 2 of them from 10.0.0.1: those that ask for nothing make room"
    ]
    for each in (second, third, first, fourth):
        bounds.leave(each)
    assert [record.getMessage() for record in caplog.records][1:] == [
        "the web server has room again; 3 connections were closed or turned away"
    ]


@pytest.mark.parametrize(
    ("peer", "counted"),
    [
        (("10.0.0.1", 4711), "10.0.0.1"),
        (("::ffff:10.0.0.1", 4711, 0, 0), "10.0.0.1"),
        (("2001:db8:1:2:3:4:5:6", 4711, 0, 0), "2001:db8:1:2::/64"),
        (("fe80::1%eth0", 4711, 0, 2), "fe80::/64"),
        (("::1", 4711, 0, 0), "::1"),
        (None, ""),
    ],
)
def test_a_client_is_counted_by_the_address_that_it_cannot_choose(peer: object, counted: str) -> None:
    assert _network(peer) == counted
