"""A little HTTP proxy on 127.0.0.1: passes whole requests on, and makes tunnels (CONNECT).

`credentials`, "user:password", are wanted where they are given. `refuses` is a status that is answered
to everything. What was asked for is in `asked`: "GET http://..." or "CONNECT host:port".
"""

import asyncio
import base64
import contextlib
from types import TracebackType
from urllib.parse import urlsplit


class Proxy:
    """`async with Proxy() as proxy`; `proxy.url` is what goes into HTTP_PROXY."""

    def __init__(self, *, credentials: str = "", refuses: str = "") -> None:
        self.asked: list[str] = []
        self.url = ""
        self._refuses = refuses
        self._wanted = f"Basic {base64.b64encode(credentials.encode()).decode()}" if credentials else ""
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "Proxy":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._answer(reader, writer)
        except (OSError, EOFError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, target, _ = head[0].split(" ")
        self.asked.append(f"{method} {target}")
        headers = {line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in head[1:-2]}
        if self._wanted and headers.get("proxy-authorization") != self._wanted:
            await self._refuse(writer, "407 Proxy Authentication Required")
        elif self._refuses:
            await self._refuse(writer, self._refuses)
        elif method == "CONNECT":
            host, _, port = target.rpartition(":")
            there, far = await asyncio.open_connection(host, int(port))
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await _pass_both(reader, writer, there, far)
        else:
            parts = urlsplit(target)
            there, far = await asyncio.open_connection(parts.hostname, parts.port)
            path = f"{parts.path}?{parts.query}" if parts.query else parts.path
            kept = [line for line in head[1:-2] if not line.lower().startswith(("proxy-", "connection:"))]
            far.write("\r\n".join([f"{method} {path} HTTP/1.1", *kept, "Connection: close", "", ""]).encode())
            far.write(await reader.readexactly(int(headers.get("content-length", "0"))))
            await _pass(there, writer)
            far.close()

    async def _refuse(self, writer: asyncio.StreamWriter, status: str) -> None:
        page = f"<html><body><h1>{status}</h1>the proxy</body></html>"
        head = f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {len(page)}\r\nConnection: close\r\n"
        writer.write(f"{head}\r\n{page}".encode())
        await writer.drain()


async def _pass(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(65_536):
        target.write(data)
        await target.drain()


async def _pass_both(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, there: asyncio.StreamReader, far: asyncio.StreamWriter
) -> None:
    ways = [asyncio.ensure_future(_pass(reader, far)), asyncio.ensure_future(_pass(there, writer))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        with contextlib.suppress(OSError):
            far.close()
