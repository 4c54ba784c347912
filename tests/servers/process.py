"""One server process of the tests' own: spawn, wait until it answers, end it by its own pid.

Limits: a start has 20 s, an orderly stop 10 s (then SIGKILL). A port that was free when asked
for may be taken by the time the server binds it; `start` says so with the end of the server's
log, and whoever chose the port may choose another (`on_free_port`).
"""

import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

START_S = 20.0
STOP_S = 10.0
POLL_S = 0.01
# Debian keeps servers in /usr/sbin, which is not on every user's PATH.
SEARCH_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin"])


class ServerError(Exception):
    """A server did not start, or did not end; carries the end of its log."""


class Startable(Protocol):
    def start(self) -> None: ...


_S = TypeVar("_S", bound=Startable)


def find_binary(name: str) -> str | None:
    """The path of a server's binary, or None where it is not installed."""
    return shutil.which(name, path=SEARCH_PATH)


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers_tcp(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
    except OSError:
        return False
    return True


def answers_http(url: str, status: int = 200) -> bool:
    """True once a GET of `url` gives `status`. Proxies of the environment are not asked."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=2.0) as response:
            return bool(response.status == status)
    except urllib.error.HTTPError as error:
        return error.code == status
    except OSError:
        return False


def wait_until(condition: Callable[[], bool], what: str, seconds: float = START_S) -> None:
    """Poll `condition` until it holds; after `seconds` raise ServerError naming `what`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise ServerError(f"{what}: not within {seconds:g} s")
        time.sleep(POLL_S)


class Process:
    """A child process with its output in a log file. Start, stop and kill may be repeated."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        log: Path,
        ready: Callable[[], bool],
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self._argv = list(argv)
        self._ready = ready
        self._env = {**os.environ, **env} if env else None
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        if self._child is None:
            raise ServerError(f"{self.name} is not running")
        return self._child.pid

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def begin(self) -> None:
        """Start, and return at once."""
        if self.running:
            raise ServerError(f"{self.name} runs already (pid {self.pid})")
        with self.log.open("ab") as out:
            self._child = subprocess.Popen(
                self._argv, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=self._env
            )

    def start(self, seconds: float = START_S) -> None:
        """Start and return once it answers."""
        self.begin()
        deadline = time.monotonic() + seconds
        while not self._ready():
            if not self.running:
                raise ServerError(f"{self.name} ended while starting:\n{self.log_tail()}")
            if time.monotonic() > deadline:
                self.kill()
                raise ServerError(f"{self.name} did not answer within {seconds:g} s:\n{self.log_tail()}")
            time.sleep(POLL_S)
        if not self.running:  # another server answered on that port
            raise ServerError(f"{self.name} ended while starting:\n{self.log_tail()}")

    def stop(self) -> None:
        """SIGTERM, wait, SIGKILL if it will not go."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL: nothing is saved, nothing is said to clients."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """SIGSTOP: the server is there and says nothing. `unpause` before stopping."""
        os.kill(self.pid, signal.SIGSTOP)

    def unpause(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def log_tail(self, characters: int = 2000) -> str:
        return self.log.read_text("utf-8", "replace")[-characters:] if self.log.exists() else ""

    def _end(self, how: signal.Signals) -> None:
        child = self._child
        if child is None:
            return
        if child.poll() is None:
            child.send_signal(how)
            child.send_signal(signal.SIGCONT)
            try:
                child.wait(STOP_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait(STOP_S)
        self._child = None


def on_free_port(make: Callable[[int], _S], tries: int = 3) -> _S:
    """Make and start a server on a free port; on a lost race for the port try another."""
    for left in reversed(range(tries)):
        server = make(free_port())
        try:
            server.start()
        except ServerError:
            if not left:
                raise
        else:
            return server
    raise ValueError("tries must be at least 1")
