"""What InfluxDB holds, asked over /query with InfluxQL, which 1.x, 2.x and 3 all answer.

On 2.x that needs a bucket named like the database (2.7 and newer map the name by themselves); on
both the token goes along as the gateway's own writes carry it.
"""

import base64
import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any, NamedTuple

from bench.errors import BenchError

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_TIMEOUT_S = 120.0


class Credentials(NamedTuple):
    """As in the gateway's `[influxdb]`: a token, or a user's name and password, or nothing."""

    api: str = "v1"
    token: str | None = None
    username: str | None = None
    password: str | None = None
    org: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        """How the gateway writes with them is how they are used here."""
        if self.token and self.api != "v1":
            return {"Authorization": f"{'Token' if self.api == 'v2' else 'Bearer'} {self.token}"}
        if self.token or self.username:
            pair = f"{self.username or 'parkgate'}:{self.token or self.password or ''}".encode()
            return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
        return {}


class Store:
    """One database of the InfluxDB at `url`."""

    def __init__(self, url: str, database: str, credentials: Credentials | None = None) -> None:
        self.url = url.rstrip("/")
        self.database = database
        self.credentials = credentials or Credentials()

    def section(self) -> str:
        """The gateway's `[influxdb]` for it. Secrets stay in the environment."""
        text = f'\n[influxdb]\nurl = "{self.url}"\ndatabase = "{self.database}"\napi = "{self.credentials.api}"\n'
        if self.credentials.token:
            text += 'token = "${INFLUX_TOKEN}"\n'
        elif self.credentials.username:
            text += 'username = "${INFLUX_USERNAME}"\npassword = "${INFLUX_PASSWORD}"\n'
        return text + ('org = "${INFLUX_ORG}"\n' if self.credentials.org else "")

    def query(self, statement: str) -> list[dict[str, Any]]:
        """The series of the answer. BenchError with the server's words where there is none."""
        form = urllib.parse.urlencode({"q": statement, "db": self.database, "epoch": "ns"}).encode()
        result = json.loads(self.ask("POST", "/query", form))["results"][0]
        if "error" in result:
            raise BenchError(f"{self.url}: {statement}: {result['error']}")
        return list(result.get("series", []))

    def rows(self, statement: str) -> list[list[Any]]:
        return [row for series in self.query(statement) for row in series["values"]]

    def by_thing(self, statement: str) -> dict[str, list[list[Any]]]:
        """The rows of a statement that ends in GROUP BY "thing"."""
        return {series["tags"]["thing"]: series["values"] for series in self.query(statement)}

    def ask(self, method: str, path: str, body: bytes | None = None, scheme: str | None = None) -> bytes:
        """One request; the body of its answer. `scheme`: that word and the token, in place of the usual."""
        headers = {"Authorization": f"{scheme} {self.credentials.token}"} if scheme else self.credentials.headers
        request = urllib.request.Request(self.url + path, body, headers, method=method)
        try:
            with _OPENER.open(request, timeout=_TIMEOUT_S) as response:
                return bytes(response.read())
        except urllib.error.HTTPError as error:
            words = " ".join(error.read(2000).decode("utf-8", "replace").split())
            raise BenchError(f"{self.url}{path}: HTTP {error.code}: {words or error.reason}") from None
        except urllib.error.URLError as error:
            raise BenchError(f"{self.url}: cannot connect: {error.reason}") from None
        except (OSError, ValueError) as error:
            raise BenchError(f"{self.url}{path}: no whole answer: {error}") from None
