"""One gateway's way from a broker to its spool, with codecs: put together as `app` does, and uplinks for it."""

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

from devices.spec.device import MessageDevice
from gateway.clock import SystemClock
from gateway.codecs.process import Limits
from gateway.codecs.room import Codecs
from gateway.config import MqttConfig, SpoolConfig, SubscriptionConfig
from gateway.decode.broker import BrokerIntake
from gateway.decode.subscription import Subscription
from gateway.pipeline import Pipeline
from gateway.sources.mqtt.source import make_mqtt_source
from gateway.spool.spool import Spool
from gateway.stats import Stats
from tests.device_types import BY_NAME
from tests.gateway.mqtt_room import HastyClock, until

LIMITS = Limits(0.25, 16 << 20)
QUICK = """
function decodeUplink(input) {
  return { data: { value: input.bytes[0], port: input.fPort } };
}
"""


def topic(thing: str) -> str:
    return f"v3/app@ttn/devices/{thing}/up"


def uplink(
    thing: str, data: bytes, port: int = 1, *, model: str = "", count: int = 0, decoded: dict[str, object] | None = None
) -> bytes:
    """A message of The Things Stack with a raw payload; `model` is brand/model."""
    brand, _, kind = model.partition("/")
    up: dict[str, object] = {"f_port": port, "f_cnt": count, "frm_payload": base64.b64encode(data).decode()}
    if model:
        up["version_ids"] = {"brand_id": brand, "model_id": kind}
    if decoded is not None:
        up["decoded_payload"] = decoded
    at = f"2026-01-01T00:00:{count % 60:02d}.{count:06d}Z"
    return json.dumps({"end_device_ids": {"device_id": thing}, "received_at": at, "uplink_message": up}).encode()


class Park:
    """Source, intake, pipeline, spool and codecs."""

    def __init__(self, directory: Path, url: str, folder: Path, prefer: str = "network", **settings: object) -> None:
        self.clock, self.stats = SystemClock(), Stats()
        wanted = SubscriptionConfig("v3/+/devices/{thing}/up", "ttn-v3")
        config = MqttConfig("main", url, "gateway", (wanted,), **settings)  # type: ignore[arg-type]
        kind = BY_NAME["ttn-v3"]
        assert isinstance(kind, MessageDevice)
        self.codecs = Codecs(folder, prefer, LIMITS, self.clock)  # type: ignore[arg-type]
        self.spool = Spool.open(directory / "spool.db", SpoolConfig(), self.clock)
        self.pipeline = Pipeline(self.spool, self.clock, self.stats)
        self.intake = BrokerIntake(self.pipeline, config, [Subscription(wanted, kind, self.codecs)], "mqtt:main")
        stats = self.stats.source("mqtt:main")
        self.source = make_mqtt_source(config, self.intake, HastyClock(), stats, self.intake.connected)

    @property
    def due(self) -> list[int]:
        """What has come since the first uplink for a codec and is not acknowledged."""
        order = self.intake._ledger._order
        assert order is not None
        return order.due

    async def up(self, connects: int = 1) -> None:
        stats = self.stats.sources["mqtt:main"]
        await until(
            lambda: self.source.subscribed and stats.connects >= connects, f"{connects} connects, {stats.state}"
        )

    async def points(self, thing: str) -> list[str]:
        """The field parts of a thing's points that are in the spool."""
        batch = await self.spool.read(0, 1_000_000)
        lines = [] if batch is None else batch.lines.decode().split("\n")
        return [line.split(" ", 1)[1] for line in lines if line.startswith("ttn_v3,") and f"thing={thing} " in line]

    async def stored(self, thing: str, count: int = 1, seconds: float = 20.0) -> list[str]:
        """The points of a thing, once there are so many."""
        found: list[str] = []
        for _ in range(round(seconds * 100)):
            found = await self.points(thing)
            if len(found) >= count:
                return found
            await asyncio.sleep(0.01)
        raise AssertionError(f"{count} points of {thing}, not {len(found)}: {found[:3]}")

    async def quarantined(self, count: int, seconds: float = 20.0) -> list[str]:
        """The reasons in the quarantine, once there are so many."""
        found: list[str] = []
        for _ in range(round(seconds * 100)):
            found = [item.reason for item in await self.spool.quarantine_rows(1000)]
            if len(found) >= count:
                return found
            await asyncio.sleep(0.01)
        raise AssertionError(f"{count} in the quarantine, not {found}")


@contextlib.asynccontextmanager
async def park(directory: Path, url: str, folder: Path, **settings: object) -> AsyncIterator[Park]:
    """One that runs; stopped in order, as `app` does."""
    here = Park(directory, url, folder, **settings)  # type: ignore[arg-type]
    running = [asyncio.create_task(run()) for run in (here.source.run, here.codecs.run, here.pipeline.run)]
    try:
        yield here
    finally:
        here.source.stop_reading()
        await here.codecs.finish(2.0)
        here.intake.end()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await here.pipeline.finish()
        await here.source.close()
        await here.spool.close()
