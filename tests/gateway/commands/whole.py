"""A whole gateway with doubles of its devices on their real links: ptys, and a broker."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from devices.catalogue import built_in
from devices.spec.device import Device
from gateway.app import Gateway
from gateway.commands import Ask, Entry
from gateway.config import load
from simulators.fleet import Fleet, ThingSpec
from tests.gateway.mqtt_room import until

HEAD = '[gateway]\nname = "park"\nlisten = "127.0.0.1:0"\n'


@dataclass
class Whole:
    gateway: Gateway
    fleet: Fleet

    async def ask(self, thing: str, command: str, key: str | None = None, **arguments: object) -> Entry:
        """What has become of a command, when nothing more does."""
        entry = await self.gateway.commands.desk.ask(Ask(thing, command, arguments, key, "alice", "test"))
        async with asyncio.timeout(40):
            await entry.over.wait()
        await until(lambda: entry.id not in self.gateway.commands.desk._open, "it is put away")
        return entry

    async def heard(self, thing: str, readings: int = 1) -> None:
        """A thing has brought so many readings."""
        devices = self.gateway.stats.devices
        await until(
            lambda: any(stats.readings >= readings for (_, name), stats in devices.items() if name == thing),
            f"{readings} readings of {thing}; {devices}",
        )

    async def heard_of(self, device: str, things: int = 1) -> None:
        """So many things of a type have spoken."""
        devices = self.gateway.stats.devices.values
        await until(
            lambda: sum(each.device == device and each.readings > 0 for each in devices()) >= things,
            f"{things} of {device} are heard",
        )

    def readings(self, thing: str) -> int:
        return sum(stats.readings for (_, name), stats in self.gateway.stats.devices.items() if name == thing)


@contextlib.asynccontextmanager
async def whole(
    path: Path, toml: str, specs: Sequence[ThingSpec], broker: int = 0, more: Sequence[Device] = ()
) -> AsyncIterator[Whole]:
    """`toml` is the configuration but for [gateway]; ports are ./ports/NAME. `more` are types that it may name."""
    fleet = Fleet(specs, broker=("127.0.0.1", broker) if broker else None, port_dir=path / "ports")
    await fleet.open()
    (path / "gateway.toml").write_text(HEAD + toml)
    gateway = Gateway(load(path / "gateway.toml", {}, built_in().plus(more)))
    stop = asyncio.Event()
    speaking = asyncio.create_task(fleet.run(), name="fleet")
    running = asyncio.create_task(gateway.run(stop), name="gateway")
    try:
        async with asyncio.timeout(30):
            await gateway.ready.wait()
        yield Whole(gateway, fleet)
    finally:
        stop.set()
        async with asyncio.timeout(40):
            await running
        speaking.cancel()
        await asyncio.gather(speaking, return_exceptions=True)
        await fleet.close()
