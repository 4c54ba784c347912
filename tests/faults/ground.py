"""What every fault test stands on: a gateway process, its config, a load without times, the audit.

`Stamped` sends messages without a time of their own: the gateway stamps them, so a message
stored twice becomes two points and the audit sees it. Where the publisher itself may send a
message twice (its broker was restarted) use `tests.e2e.load.Publisher`, whose messages carry
their times: sending again is then no duplicate.
"""

import asyncio
import json
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.e2e.load import Publisher
from tests.e2e.running import GatewayProcess, audit, get_json, stored_seqs
from tests.servers.process import ServerError, wait_until

THINGS = 10
RATE = 600.0
"""Messages a second of a steady load."""


class Stamped(Publisher):
    """Messages without time: their points get the time at which the gateway took them."""

    def message(self, number: int) -> tuple[str, bytes]:
        thing = f"t{number % self.things}"
        records = [
            {"bn": f"{thing}/", "n": "temperature", "u": "Cel", "v": 20.5},
            {"n": "seq", "v": number // self.things},
        ]
        return f"{self.prefix}/{thing}", json.dumps(records).encode()


@asynccontextmanager
async def steady(port: int, rate: float = RATE) -> AsyncIterator[Stamped]:
    """A load that goes on until the block ends; then `acknowledged` is what was sent, 200 or more."""
    publisher, stop = Stamped(port), asyncio.Event()

    async def publish() -> None:
        while not stop.is_set():
            await publisher.run(200, first=publisher.acknowledged, rate=rate)

    async with asyncio.timeout(90), asyncio.TaskGroup() as group:
        group.create_task(publish())
        yield publisher
        stop.set()


def config(
    influx_url: str,
    broker_port: int,
    *,
    influx: str = "",
    mqtt: str = "",
    more: str = "",
    topic: str = "park/{thing}",
    client_id: str = "gateway",
) -> str:
    """MQTT to InfluxDB; `influx` and `mqtt` are further lines of their tables, `more` further tables."""
    return f"""
[influxdb]
url = "{influx_url}"
database = "parkgate"
{influx}

[mqtt.main]
url = "mqtt://127.0.0.1:{broker_port}"
client_id = "{client_id}"
{mqtt}

[[mqtt.main.subscription]]
topic = "{topic}"
device = "senml"

{more}
"""


async def until(condition: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
    """Wait for what another process does; the test's own loop (load, proxy, fakes) goes on meanwhile."""
    await asyncio.to_thread(wait_until, condition, what, seconds)


@dataclass
class Running:
    """A gateway process for tests whose own event loop must not stand still."""

    process: GatewayProcess

    async def start(self) -> None:
        await asyncio.to_thread(self.process.start)

    async def kill(self) -> None:
        await asyncio.to_thread(self.process.kill)

    async def health(self) -> Any:
        return await asyncio.to_thread(self.process.health)

    def metrics(self, name: str, thing: str) -> int:
        """One counter of one thing, from /metrics; 0 where there is none. Blocking."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://127.0.0.1:{self.process.port}/metrics", timeout=10.0) as response:
            for line in response.read().decode().splitlines():
                if line.startswith(f"parkgate_{name}{{") and f'thing="{thing}"' in line:
                    return round(float(line.rsplit(" ", 1)[1]))
        return 0

    async def subscribed(self) -> None:
        await self.quiet("mqtt:main")

    async def says(self, words: str, seconds: float = 30.0) -> None:
        """Wait until /healthz names `words` among the problems."""
        await until(lambda: words in " | ".join(self.process.health()["problems"]), f"/healthz says {words!r}", seconds)

    async def quiet(self, words: str, seconds: float = 60.0) -> None:
        """Wait until /healthz names `words` no more."""
        await until(lambda: words not in " | ".join(self.process.health()["problems"]), f"{words!r} is mended", seconds)

    async def spooled(self, count: int) -> None:
        await until(lambda: self.process.health()["stages"]["spooled"] >= count, f"{count} readings spooled", 60.0)


async def audited(url: str, gateways: list[Running], sent: int, things: int = THINGS) -> tuple[int, int]:
    """(lost, duplicates) in a real InfluxDB, once as many points as messages are there and the spools are empty."""
    await _settled(lambda: stored_count(url), gateways, sent)
    return await asyncio.to_thread(lambda: audit(stored_seqs(url), sent, things))


async def _settled(count: Callable[[], int], gateways: list[Running], sent: int) -> None:
    try:
        await until(lambda: count() >= sent, f"{sent} readings in InfluxDB", 60.0)
        for gateway in gateways:
            await asyncio.to_thread(gateway.process.drained)
    except ServerError as late:
        print(f"{late}; the audit tells what is missing")


def stored_count(url: str, measurement: str = "senml", field: str = "seq") -> int:
    """Points of one measurement; 0 as long as nobody has made the database."""
    arguments = urllib.parse.urlencode({"db": "parkgate", "q": f'SELECT COUNT("{field}") FROM "{measurement}"'})
    result = get_json(f"{url}/query?{arguments}")["results"][0]
    if "database not found" in result.get("error", ""):
        return 0
    assert "error" not in result, result
    return int(result["series"][0]["values"][0][1]) if "series" in result else 0
