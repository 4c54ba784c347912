"""The gateway as its user runs it: a real process with a config file, and an audit of its store."""

import json
import os
import sys
import urllib.parse
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

from tests.servers.process import Process, answers_http, free_port, wait_until

COMMAND = Path(sys.executable).with_name("parkgate")
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def get_json(url: str) -> Any:
    with _OPENER.open(url, timeout=10.0) as response:
        return json.load(response)


def answer(url: str) -> Any:
    """JSON of an URL whatever its status (`/healthz` answers 503 while it takes nothing)."""
    try:
        return get_json(url)
    except urllib.error.HTTPError as error:
        return json.load(error)


class GatewayProcess:
    """`parkgate run` with `config` (TOML, `{listen}` and `{state}` filled in), restartable on its state."""

    def __init__(self, directory: Path, config: str, env: dict[str, str] | None = None) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.state = directory / "state"
        self.config = directory / "gateway.toml"
        head = f'[gateway]\nname = "test"\nstate_dir = "{self.state}"\nlisten = "127.0.0.1:{self.port}"\n'
        self.config.write_text(head + config)
        url = f"http://127.0.0.1:{self.port}/metrics"
        self.process = Process(
            "parkgate",
            [str(COMMAND), "run", "--config", str(self.config)],
            directory / "gateway.log",
            lambda: answers_http(url),
            env={**os.environ, **(env or {})},
        )

    def start(self) -> None:
        self.process.start()

    def stop(self) -> None:
        self.process.stop()

    def kill(self) -> None:
        self.process.kill()

    def health(self) -> Any:
        return answer(f"http://127.0.0.1:{self.port}/healthz")

    def drained(self, seconds: float = 60.0) -> None:
        """Wait until the spool is empty and nothing is coming."""
        wait_until(lambda: self.health()["spool"]["points"] == 0, "the spool is empty", seconds)


def influx_query(url: str, query: str, database: str = "parkgate") -> list[dict[str, Any]]:
    """The series of an InfluxQL answer, none while the database is not there yet; AssertionError
    where the server reports another error."""
    arguments = urllib.parse.urlencode({"db": database, "q": query, "epoch": "ns"})
    body = get_json(f"{url}/query?{arguments}")
    result = body["results"][0]
    if result.get("error", "").startswith("database not found"):
        return []
    assert "error" not in result, body
    return result.get("series", [])


def stored_seqs(url: str, measurement: str = "senml") -> dict[str, list[int]]:
    """By thing, the counts the store holds in time order."""
    series = influx_query(url, f'SELECT "seq" FROM "{measurement}" GROUP BY "thing"')
    return {row["tags"]["thing"]: [value for _, value in row["values"]] for row in series}


def audit(stored: dict[str, list[int]], sent: int, things: int) -> tuple[int, int]:
    """(lost, duplicates) of `sent` messages of the load over `things` things."""
    lost = duplicates = 0
    for index in range(things):
        expected = len(range(index, sent, things))
        counts = Counter(stored.get(f"t{index}", []))
        lost += sum(counts[seq] == 0 for seq in range(expected))
        duplicates += sum(counts.values()) - len(counts)
    return lost, duplicates
