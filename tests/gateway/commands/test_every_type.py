"""Each type that can be told something, told through a whole gateway: its double on its link obeys and answers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from devices.spec.device import Device, MessageDevice, PolledDevice
from devices.spec.events import Value
from gateway.commands import Refused
from simulators.fleet import ThingSpec
from tests.device_types import BUILT_IN
from tests.devices.test_commands import said
from tests.gateway.commands.whole import Whole, whole
from tests.servers.mosquitto import Mosquitto

MESSAGES = [device for device in BUILT_IN.values() if isinstance(device, MessageDevice) and device.told]
SERIAL = [device for device in BUILT_IN.values() if not isinstance(device, MessageDevice) and device.told]


def port(device: Device) -> str:
    commands = [command.name for command in device.told]
    every = "every_s = 0.3\n" if isinstance(device, PolledDevice) else ""
    return (
        f'[[serial]]\nport = "./ports/{device.name}"\ndevice = "{device.name}"\nthing = "{device.name}"\n'
        f"commands = {commands}\n{every}"
    )


def broker(device: MessageDevice, url: str) -> str:
    commands = [command.name for command in device.told]
    return (
        f'[mqtt.{device.name}]\nurl = "{url}"\nclient_id = "every-{device.name}"\n'
        f'[[mqtt.{device.name}.subscription]]\ntopic = "{device.topic}"\ndevice = "{device.name}"\n'
        f"commands = {commands}\n"
    )


def things(room: Whole, device: Device) -> Iterator[str]:
    """Those that a double of the type has brought, as the gateway calls them."""
    for (source, thing), stats in room.gateway.stats.devices.items():
        if stats.device == device.name and (stats.readings or stats.empty) and source:
            yield thing


async def tell_all(room: Whole, device: Device) -> list[str]:
    """Tell it all it can be told, the first way; what did not become of it what it should."""
    wrong: list[str] = []
    for command in device.told:
        states: list[str] = []
        for thing in list(things(room, device)):
            own = ()
            try:
                found = room.gateway.commands.desk.reached(thing)
                own = found.own(command.name) if command.open_arguments else ()
                if command.open_arguments and not own:
                    continue
                arguments: dict[str, Value] = next(iter(said(command, own)))
                entry = await room.ask(thing, command.name, **arguments)
            except Refused as refusal:
                states.append(str(refusal))
                continue
            states.append(entry.state)
            if entry.state != "done":
                states.append(entry.why)
            if entry.state == "done" or (command.answers != "always" and entry.state == "accepted"):
                break
        else:
            wrong.append(f"{device.name} {command.name}: {states}")
    return wrong


@pytest.mark.parametrize("device", SERIAL, ids=lambda device: device.name)
async def test_on_a_port(tmp_path: Path, device: Device) -> None:
    specs = [ThingSpec(device.name, device, seed=3, period_s=0.3)]
    async with whole(tmp_path, port(device), specs) as room:
        await room.heard_of(device.name)
        assert await tell_all(room, device) == []


@pytest.mark.parametrize("device", MESSAGES, ids=lambda device: device.name)
async def test_at_a_broker(mosquitto: Mosquitto, tmp_path: Path, device: MessageDevice) -> None:
    """Two doubles: of robots with these seeds one is under way at any time of day, and has an order to cancel."""
    specs = [ThingSpec(f"{device.name}-{seed}", device, seed=seed, period_s=0.3) for seed in (3, 8)]
    async with whole(tmp_path, broker(device, mosquitto.url), specs, mosquitto.port) as room:
        await room.heard_of(device.name, things=2)
        assert await tell_all(room, device) == []
