"""The processes of a benchmark: real servers, the gateway as its user runs it, helpers that talk by lines."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from select import select
from tempfile import TemporaryDirectory
from typing import Any

from bench.errors import BenchError
from bench.store import Store
from bench.target import own_database
from tests.servers.influxd import Influxd
from tests.servers.mosquitto import Mosquitto
from tests.servers.process import Process, answers_http, find_binary, free_port, on_free_port

ROOT = Path(__file__).parent.parent
POLL_S = 0.1
"""How often a benchmark asks the gateway for its counters: each costs it about a millisecond."""

PATIENCE_S = 300.0
"""How long a helper process may take for one step."""

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def require(*binaries: str) -> None:
    packages = {"mosquitto": "mosquitto", "influxd": "influxdb"}
    missing = [name for name in binaries if find_binary(name) is None]
    if missing:
        raise BenchError(
            f"{' and '.join(missing)} not found; apt-get install {' '.join(packages[name] for name in missing)}"
        )


@contextmanager
def scratch() -> Iterator[Path]:
    with TemporaryDirectory(prefix="parkgate-bench-") as directory:
        yield Path(directory)


@contextmanager
def broker(directory: Path) -> Iterator[Mosquitto]:
    server = on_free_port(lambda port: Mosquitto(directory / "mosquitto", port))
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def influx(directory: Path, url: str | None = None) -> Iterator[Store]:
    """An influxd of the benchmark's own, or a database of its own in the InfluxDB at `url` (see target.py)."""
    if url is not None:
        with own_database(url, os.environ) as store:
            yield store
        return
    server = on_free_port(lambda port: Influxd(directory / "influxd", port))
    try:
        yield Store(server.url, "parkgate")
    finally:
        server.stop()


class Gateway:
    """`parkgate run` in a process of its own, with its counters, CPU time and memory."""

    def __init__(self, directory: Path, config: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        path = directory / "gateway.toml"
        head = f'[gateway]\nname = "bench"\nstate_dir = "{directory / "state"}"\nlisten = "127.0.0.1:{self.port}"\n'
        path.write_text(head + config)
        command = [str(Path(sys.executable).with_name("parkgate")), "run", "--config", str(path)]
        ready = f"http://127.0.0.1:{self.port}/metrics"
        self.process = Process("parkgate", command, directory / "gateway.log", lambda: answers_http(ready))

    def health(self, devices: bool = False) -> Any:
        """The counters; with `devices` those of each thing, too, which costs the gateway more."""
        url = f"http://127.0.0.1:{self.port}/healthz?devices={int(devices)}"
        with _OPENER.open(url, timeout=30.0) as response:
            return json.load(response)

    def wait(self, condition: Callable[[Any], bool], what: str, seconds: float = 300.0) -> Any:
        """Poll the counters until `condition` holds; they, or BenchError."""
        deadline = time.monotonic() + seconds
        while not condition(health := self.health()):
            if time.monotonic() > deadline:
                raise BenchError(f"{what}: not within {seconds:g} s; {json.dumps(health['stages'])}")
            time.sleep(POLL_S)
        return health

    @property
    def cpu_s(self) -> float:
        return cpu_s(self.process.pid)

    @property
    def peak_mb(self) -> float:
        """The most resident memory since the start, MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
        return round(int(kilobytes) / 1000, 1)


@contextmanager
def gateway(directory: Path, config: str) -> Iterator[Gateway]:
    running = Gateway(directory, config)
    running.process.start()
    try:
        yield running
    finally:
        running.process.stop()


def cpu_s(pid: int) -> float:
    """User and system seconds of a process and all its threads."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


class Worker:
    """A helper process that says `ready`, is told to go, and says `done …`."""

    def __init__(self, module: str, **options: object) -> None:
        arguments = [word for key, value in options.items() for word in (f"--{key}", str(value))]
        self._child = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        )  # fmt: skip
        self.ready = self._expect("ready")
        """What the helper said behind `ready`."""

    @property
    def pid(self) -> int:
        return self._child.pid

    def go(self) -> None:
        self._say("go")

    def stop(self) -> None:
        """Have a paced publisher end early; `done` then says how many messages it sent."""
        self._say("stop")

    def done(self) -> list[float]:
        """Wait for `done`; the figures behind it."""
        return [float(word) for word in self._expect("done")]

    def _say(self, word: str) -> None:
        assert self._child.stdin is not None
        self._child.stdin.write(f"{word}\n")
        self._child.stdin.flush()

    def _expect(self, word: str) -> list[str]:
        assert self._child.stdout is not None
        if not select([self._child.stdout], [], [], PATIENCE_S)[0]:
            self._child.kill()
            raise BenchError(f"helper process {self._child.args!r} did not say {word} within {PATIENCE_S:g} s")
        line = self._child.stdout.readline().split()
        if not line or line[0] != word:
            raise BenchError(f"helper process {self._child.args!r} ended instead of saying {word}")
        return line[1:]

    def end(self) -> None:
        if self._child.stdin is not None:
            self._child.stdin.close()
        self._child.terminate()
        self._child.wait(10.0)
