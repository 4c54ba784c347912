"""One codec process: begun, written to, its output cut into lines, ended.

Its arguments are the limits of a call; it is told nothing else of this one: no environment, no files, no arguments.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

LONGEST_LINE = 1 << 19
GOODBYE_S = 1.0

ENVIRONMENT = {"TZ": "UTC", "LC_ALL": "C.UTF-8"} | {
    name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ
}
"""All that the process is told: tokens and passwords are not for codecs. Python needs the last on Windows."""

WORKER = Path(__file__).parent / "worker.py"


class Child(asyncio.SubprocessProtocol):
    """`over` is done once it has ended and all that it said was heard; `heard` gets each line, an empty one where it
    has no end."""

    def __init__(self, heard: Callable[[bytes], None]) -> None:
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._heard = heard
        self._transport: asyncio.SubprocessTransport | None = None
        self._rest = b""
        self._open = 2  # its output, and itself

    async def begin(self, arguments: Sequence[str]) -> None:
        """Start it. OSError where that cannot be."""
        command = (sys.executable, "-P", "-B", str(WORKER), *arguments)
        await asyncio.get_running_loop().subprocess_exec(lambda: self, *command, stderr=None, env=ENVIRONMENT)

    @property
    def pid(self) -> int | None:
        return None if self._transport is None else self._transport.get_pid()

    @property
    def code(self) -> int | None:
        """Its exit code, below zero for a signal; None while it lives."""
        return None if self._transport is None else self._transport.get_returncode()

    def send(self, data: bytes) -> None:
        pipe = None if self._transport is None else self._transport.get_pipe_transport(0)
        if pipe is not None and not pipe.is_closing():
            cast(asyncio.WriteTransport, pipe).write(data)

    def kill(self) -> None:
        if self._transport is not None:
            with contextlib.suppress(ProcessLookupError):
                self._transport.kill()

    async def end(self) -> None:
        """Kill it where it still lives, and wait for its end."""
        if not self.over.done():
            self.kill()
            await asyncio.wait({self.over}, timeout=GOODBYE_S)
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.SubprocessTransport, transport)  # uvloop's is no subclass of it

    def pipe_data_received(self, fd: int, data: bytes) -> None:  # noqa: ARG002
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._heard(line)
        if len(self._rest) > LONGEST_LINE:
            self._rest = b""
            self._heard(b"")

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:  # noqa: ARG002
        if fd == 1:
            self._end()

    def process_exited(self) -> None:
        self._end()

    def _end(self) -> None:
        self._open -= 1
        if not self._open and not self.over.done():
            self.over.set_result(None)
