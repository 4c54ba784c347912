"""What InfluxDB holds, asked over its own query endpoint."""

import json
import urllib.parse
import urllib.request
from typing import Any

from bench.publisher import START_S

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Store:
    """One database of the InfluxDB at `url` (InfluxQL, so 1.x, or 2.x and 3 without authentication)."""

    def __init__(self, url: str, database: str) -> None:
        self.url = url.rstrip("/")
        self.database = database

    def query(self, statement: str) -> list[dict[str, Any]]:
        """The series of the answer. RuntimeError with the server's words where it refuses."""
        form = urllib.parse.urlencode({"q": statement, "db": self.database, "epoch": "ns"}).encode()
        with _OPENER.open(f"{self.url}/query", form, timeout=120.0) as response:
            result = json.load(response)["results"][0]
        if "error" in result:
            raise RuntimeError(f"{statement}: {result['error']}")
        return list(result.get("series", []))

    def rows(self, statement: str) -> list[list[Any]]:
        return [row for series in self.query(statement) for row in series["values"]]

    def drop(self) -> None:
        self.query(f'DROP DATABASE "{self.database}"')

    def audit(self, count: int, things: int) -> dict[str, int]:
        """Messages 0..count-1 of the load: what is there against what was sent, by thing."""
        end_ns = START_S * 1_000_000_000 + -(-count // things) * 10_000_000
        statement = f'SELECT COUNT("temperature_c") FROM "senml" WHERE time < {end_ns} GROUP BY "thing"'
        held = {row["tags"]["thing"]: int(row["values"][0][1]) for row in self.query(statement)}
        lost = duplicates = 0
        for thing in range(things):
            expected = len(range(thing, count, things))
            found = held.get(f"t{thing}", 0)
            lost += max(0, expected - found)
            duplicates += max(0, found - expected)
        return {"sent": count, "stored": sum(held.values()), "lost": lost, "duplicates": duplicates}
