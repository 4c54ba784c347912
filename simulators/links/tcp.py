"""A device behind a serial server: its bytes over TCP."""

import asyncio
from collections.abc import Callable

from simulators.links.pty import MOST_COMMAND


class TcpLink:
    """A serial server: the device's bytes to one TCP client at a time (`socket://host:port`)."""

    def __init__(self, on_bytes: Callable[[bytes], bytes], host: str = "127.0.0.1", port: int = 0) -> None:
        self._on_bytes = on_bytes
        self._host, self._asked_port = host, port
        self._server: asyncio.Server | None = None
        self._writer: asyncio.StreamWriter | None = None

    @property
    def port(self) -> str:
        assert self._server is not None
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"socket://[{host}]:{port}" if ":" in host else f"socket://{host}:{port}"

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, self._host, self._asked_port)

    def listening(self) -> bool:
        return self._writer is not None and not self._writer.is_closing()

    def write(self, data: bytes) -> bool:
        """False when nobody listens or the client is more than 64 KiB behind."""
        if self._writer is None or self._writer.is_closing():
            return False
        if self._writer.transport.get_write_buffer_size() > 1 << 16:
            return False
        self._writer.write(data)
        return True

    def flush(self) -> bool:
        return True

    def unread(self) -> int:
        """Bytes that have not left this side yet."""
        return self._writer.transport.get_write_buffer_size() if self._writer is not None else 0

    def unplug(self, half: bytes = b"") -> None:
        """Drop the client, after `half` a frame got out; it may come again at once."""
        if self._writer is not None:
            self._writer.write(half)
            self._writer.close()
            self._writer = None

    def plug(self) -> None:
        """The server has been listening all along."""

    def close(self) -> None:
        self.unplug()
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.listening():
            writer.close()
            return
        self._writer = writer
        try:
            while data := await reader.read(MOST_COMMAND):
                answer = self._on_bytes(data)
                if answer:
                    writer.write(answer)
        except ConnectionError:
            pass
        finally:
            writer.close()
            if self._writer is writer:
                self._writer = None
