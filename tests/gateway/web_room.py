"""A web server on a free port over a gateway that a test fills by hand; no source runs and no sink."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from devices.spec.device import MessageDevice, StreamDevice
from gateway.clock import SystemClock
from gateway.commands import Book, Desk, Ledger, Reach
from gateway.config import Config, load
from gateway.decode import BrokerIntake, PortIntake, Subscription
from gateway.pipeline import Pipeline
from gateway.spool import Spool
from gateway.stats import Stats
from gateway.watch import DiskWatch, Watchdog
from gateway.web import Api, CommandApi, Health, Latest, serve
from gateway.web.bounds import Limits

NOW = 1_767_225_600_000_000_000  # 2026-01-01 00:00:00 UTC

PLAIN = '[gateway]\nname = "park-east"\n'


class Standing(SystemClock):
    """A time of day that a test sets; waits are real."""

    def __init__(self) -> None:
        self.time_ns = NOW

    def now_ns(self) -> int:
        return self.time_ns


class Nobody:
    """A broker connection to which nothing matters."""

    def acknowledge(self, packet_ids: list[int]) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...


@dataclass
class WebRoom:
    """One gateway as the web server sees it. `brokers` and `ports` are the intakes by source."""

    config: Config
    clock: Standing
    stats: Stats
    pipeline: Pipeline
    watchdog: Watchdog
    health: Health
    api: Api
    brokers: dict[str, BrokerIntake]
    ports: dict[str, PortIntake]
    runner: web.AppRunner
    client: aiohttp.ClientSession
    desk: Desk | None = None

    @property
    def port(self) -> int:
        return int(self.runner.addresses[0][1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def get(self, path: str, **headers: str) -> tuple[int, Any]:
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        async with self.client.get(self.url + path, headers=named) as response:
            return response.status, await response.json(content_type=None)

    async def post(self, path: str, body: object, **headers: str) -> tuple[int, Any]:
        """A body of bytes goes as it is, any other as JSON."""
        named = {"Content-Type": "application/json"} | {key.replace("_", "-"): text for key, text in headers.items()}
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self.client.post(self.url + path, data=data, headers=named) as response:
            return response.status, await response.json(content_type=None)

    def publish(self, topic: str, payload: bytes) -> None:
        self.brokers["mqtt:main"].message(Nobody(), topic, payload, None, False)

    async def close(self) -> None:
        await self.client.close()
        await self.runner.cleanup()
        if self.desk is not None and self.desk.book is not None:
            await self.desk.book.close()
        await self.pipeline.spool.close()


async def open_room(
    path: Path,
    toml: str = PLAIN,
    *,
    limits: Limits | None = None,
    listen: str | None = None,
    reaches: Sequence[Reach] = (),
) -> WebRoom:
    """Serve what `toml` describes on a free port of 127.0.0.1; `listen` is what it is told to listen on.

    With `reaches` things can be told something while the room's `desk` runs.
    """
    file = path / "gateway.toml"
    file.write_text(toml)
    config = load(file, {})
    clock, stats = Standing(), Stats()
    pipeline = Pipeline(Spool.open(path / "spool.db", config.spool, clock), clock, stats)
    watchdog = Watchdog(config.gateway.name, config.watchdog, pipeline, clock, stats)
    disks = DiskWatch((), clock)
    health = Health(
        config.gateway.name, "0.0", stats, pipeline.spool, pipeline, watchdog, clock, clock.monotonic(), disks
    )
    api = Api(config, stats, pipeline.tee, clock, Latest(pipeline.tee, clock), watchdog)
    brokers, ports = {}, {}
    for broker in config.mqtt:
        name = f"mqtt:{broker.name}"
        subscriptions = []
        for each in broker.subscriptions:
            device = config.devices[each.device]
            assert isinstance(device, MessageDevice)
            subscriptions.append(Subscription(each, device))
        brokers[name] = BrokerIntake(pipeline, broker, subscriptions, name)
    for port in config.serial:
        stream = config.devices[port.device]
        assert isinstance(stream, StreamDevice)
        ports[f"serial:{port.port}"] = PortIntake(pipeline, port, stream, f"serial:{port.port}")
    desk = None
    if reaches:
        book = Book(Ledger(path / "commands.db", 30, clock.now_ns()), config.gateway.name, pipeline)
        desk = Desk(config.gateway.name, config.commands.per_minute, reaches, book, clock)
    commands = None if desk is None else CommandApi(desk)
    runner = await serve(listen or "127.0.0.1:0", health, api, {}, limits, commands)
    client = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20))
    return WebRoom(config, clock, stats, pipeline, watchdog, health, api, brokers, ports, runner, client, desk)


class Stream:
    """A client of `/api/v1/events`, read entry by entry."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.text = ""

    @classmethod
    async def open(cls, room: WebRoom, query: str = "") -> "Stream":
        stream = cls(await room.client.get(f"{room.url}/api/v1/events{query}"))
        assert stream._response.status == 200
        await stream.next()
        return stream

    async def next(self) -> str:
        """The next entry or comment, whole."""
        lines = []
        async with asyncio.timeout(10):
            while (line := (await self._response.content.readline()).decode()) != "\n":
                assert line, "the stream has ended"
                lines.append(line)
        entry = "".join(lines)
        self.text += entry + "\n"
        return entry

    async def ended(self) -> bool:
        """Whether nothing more comes: waits for the end."""
        async with asyncio.timeout(10):
            return await self._response.content.read() == b""

    def close(self) -> None:
        self._response.close()
