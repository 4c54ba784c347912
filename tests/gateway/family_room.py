"""One gateway's way from a broker to its spool, for a type with state: as `app` puts it together."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from devices.spec.device import MessageDevice
from gateway.clock import SystemClock
from gateway.config import MqttConfig, SpoolConfig, SubscriptionConfig
from gateway.decode.broker import BrokerIntake
from gateway.decode.subscription import Subscription
from gateway.pipeline import Pipeline
from gateway.sources.mqtt.source import make_mqtt_source
from gateway.spool.spool import Spool
from gateway.stats import Stats
from tests.device_types import BY_NAME
from tests.gateway.mqtt_room import HastyClock, until


class House:
    """Source, intake, pipeline and spool of one gateway, as `app` puts them together."""

    def __init__(
        self, directory: Path, url: str, topic: str = "zigbee2mqtt/#", device: str = "zigbee2mqtt", **settings: object
    ) -> None:
        self.clock, self.stats = SystemClock(), Stats()
        wanted = SubscriptionConfig(topic, device)
        config = MqttConfig("main", url, "gateway", (wanted,), **settings)  # type: ignore[arg-type]
        kind = BY_NAME[device]
        assert isinstance(kind, MessageDevice)
        self._series = f"{kind.measurement},"
        self.spool = Spool.open(directory / "spool.db", SpoolConfig(), self.clock)
        self.pipeline = Pipeline(self.spool, self.clock, self.stats)
        self.intake = BrokerIntake(self.pipeline, config, [Subscription(wanted, kind)], "mqtt:main")
        stats = self.stats.source("mqtt:main")
        self.source = make_mqtt_source(
            config, self.intake, HastyClock(), stats, self.intake.connected, None, self.intake.asks
        )

    async def up(self, connects: int = 1) -> None:
        stats = self.stats.sources["mqtt:main"]
        await until(
            lambda: self.source.subscribed and stats.connects >= connects, f"{connects} connects, {stats.state}"
        )

    async def points(self, thing: str, count: int = 1) -> list[str]:
        """The field parts of a thing's points, once there are so many."""
        found: list[str] = []
        for _ in range(2000):
            await self.pipeline.finish()
            batch = await self.spool.read(0, 1_000_000)
            lines = [] if batch is None else batch.lines.decode().split("\n")
            mine = [line.partition(" ") for line in lines if line.startswith(self._series)]
            found = [rest.rpartition(" ")[0] for series, _, rest in mine if f"thing={thing}" in series.split(",")]
            if len(found) >= count:
                return found
            await asyncio.sleep(0.005)
        raise AssertionError(f"{count} points of {thing}, not {found}")


@contextlib.asynccontextmanager
async def house(directory: Path, url: str, *topic: str, **settings: object) -> AsyncIterator[House]:
    """One that runs; stopped in order, as `app` does."""
    here = House(directory, url, *topic, **settings)
    running = asyncio.create_task(here.source.run())
    try:
        yield here
    finally:
        here.source.stop_reading()
        here.intake.end()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await here.pipeline.finish()
        await here.source.close()
        await here.spool.close()
