"""A real influxd 1.x on 127.0.0.1, restartable on the same port with the same data.

Both of its listeners (HTTP and the RPC one for backups) take a free port; everything it stores
is in its own directory. Source: influxdb.conf of 1.6.7 (`influxd config`).
"""

import json
import ssl
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from tests.servers.process import Process, answers_http, answers_tcp, find_binary, free_port

Series = dict[str, Any]


class Influxd:
    """Not started by its constructor. `auth` makes the admin user root, password root; `https` is a
    certificate and its key; `http` and `data` are further lines of those sections."""

    def __init__(
        self,
        directory: Path,
        port: int,
        *,
        auth: bool = False,
        https: tuple[Path, Path] | None = None,
        http: tuple[str, ...] = (),
        data: tuple[str, ...] = (),
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.port = port
        self.url = f"{'https' if https else 'http'}://127.0.0.1:{port}"
        self._auth = auth
        if https:
            lines = ("https-enabled = true", f'https-certificate = "{https[0]}"', f'https-private-key = "{https[1]}"')
            http = (*http, *lines)
        conf = directory / "influxdb.conf"
        conf.write_text(
            "\n".join(
                [
                    "reporting-disabled = true",
                    f'bind-address = "127.0.0.1:{free_port()}"',
                    "[meta]",
                    f'dir = "{directory}/meta"',
                    "[data]",
                    f'dir = "{directory}/data"',
                    f'wal-dir = "{directory}/wal"',
                    "query-log-enabled = false",
                    *data,
                    "[monitor]",
                    "store-enabled = false",
                    "[http]",
                    f'bind-address = "127.0.0.1:{port}"',
                    "log-enabled = false",
                    f"auth-enabled = {'true' if auth else 'false'}",
                    *http,
                    "[continuous_queries]",
                    "enabled = false",
                    "",
                ]
            )
        )
        self.process = Process(
            "influxd",
            [find_binary("influxd") or "influxd", "-config", str(conf)],
            directory / "influxd.log",
            lambda: answers_tcp(port) if https else answers_http(f"{self.url}/ping", 204),
        )

    def start(self) -> None:
        self.process.start()
        if self._auth:
            self.query("CREATE USER root WITH PASSWORD 'root' WITH ALL PRIVILEGES")

    def stop(self) -> None:
        self.process.stop()

    def kill(self) -> None:
        self.process.kill()

    def restart(self, *, hard: bool = False) -> None:
        """End (`hard`: by SIGKILL) and start again on the same port and data."""
        if hard:
            self.kill()
        else:
            self.stop()
        self.start()

    def query(self, statement: str, database: str = "") -> list[Series]:
        """The series of all statements' results. AssertionError where the server names an error."""
        form = {"q": statement, "db": database, "epoch": "ns"}
        request = urllib.request.Request(f"{self.url}/query", urllib.parse.urlencode(form).encode())
        if self._auth:
            request.add_header("Authorization", "Basic cm9vdDpyb290")
        # whose certificate it is does not matter to the tests' own questions
        https = urllib.request.HTTPSHandler(context=ssl._create_unverified_context())
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), https)
        with opener.open(request, timeout=60.0) as response:
            reply = json.load(response)
        series: list[Series] = []
        for result in reply["results"]:
            assert "error" not in result, f"{statement}: {result['error']}"
            series += result.get("series", [])
        return series

    def rows(self, statement: str, database: str) -> list[list[Any]]:
        """The rows of the only series, empty where there is none."""
        series = self.query(statement, database)
        assert len(series) <= 1, f"{statement} gave {len(series)} series"
        return series[0]["values"] if series else []

    def count(self, database: str, measurement: str, field: str) -> int:
        """Points of `measurement` that have `field`."""
        rows = self.rows(f'SELECT COUNT("{field}") FROM "{measurement}"', database)
        return int(rows[0][1]) if rows else 0
