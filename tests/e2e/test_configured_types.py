"""Types that a configuration describes, the whole way: simulated on ptys and a broker, run, stored, audited."""

import asyncio
from pathlib import Path

from devices.spec.device import Device, PolledDevice
from gateway.cli.demo.store import audited
from simulators.fleet.fleet import Fleet, load
from tests.device_types import BUILT_IN, BY_NAME, CONFIGURED
from tests.e2e.running import GatewayProcess
from tests.servers.mosquitto import Mosquitto
from tests.servers.process import wait_until

TYPES = Path(__file__).parents[1] / "configured_types.toml"
SENT = 60
"""Readings of each thing, at least: more than an audit count is long."""


def test_what_configured_types_say_is_stored_once_and_nothing_is_lost(
    tmp_path: Path, fresh_mosquitto: Mosquitto
) -> None:
    """Also the first line behind an opened port, of types whose lines do not say that they are whole."""
    serial = [device for device in CONFIGURED if device.link == "serial"]
    fleet_file = tmp_path / "fleet.toml"
    fleet_file.write_text(
        f'[fleet]\nbroker = "{fresh_mosquitto.url}"\nport_dir = "ports"\ntypes = "gateway.toml"\n'
        + "".join(f'[[thing]]\ndevice = "{device.name}"\nperiod_s = 0.05\n' for device in CONFIGURED)
    )
    gateway = GatewayProcess(
        tmp_path,
        f'types_dir = "types"\n[mqtt.main]\nurl = "{fresh_mosquitto.url}"\nclient_id = "types"\n'
        '[[mqtt.main.subscription]]\ntopic = "park/{thing}/state"\ndevice = "lamp-topic"\n'
        + "".join(map(_port, serial)),
    )
    (tmp_path / "types").mkdir()
    (tmp_path / "types" / "all.toml").write_bytes(TYPES.read_bytes())
    asyncio.run(_told(fleet_file, gateway, tmp_path))


def _port(device: Device) -> str:
    every = "every_s = 0.05\n" if isinstance(device, PolledDevice) else ""
    return f'[[serial]]\nport = "./ports/{device.name}"\ndevice = "{device.name}"\nthing = "{device.name}"\n{every}'


async def _told(fleet_file: Path, gateway: GatewayProcess, folder: Path) -> None:
    config = load(fleet_file, BUILT_IN)
    fleet = Fleet(config.things, broker=config.broker, port_dir=config.port_dir)
    await fleet.open()
    await asyncio.to_thread(gateway.start)
    running = asyncio.create_task(fleet.run())
    try:
        ready = lambda: all(entry.sent.total() >= SENT for entry in fleet.ledger.things.values())  # noqa: E731
        await asyncio.to_thread(wait_until, ready, "every thing has spoken", 60.0)
        fleet.stop()
        await running
        await asyncio.to_thread(gateway.drained)
    finally:
        await asyncio.to_thread(gateway.stop)
        await fleet.close()
    totals = audited(folder / "state" / "parkgate.duckdb", fleet.ledger, BY_NAME)
    assert totals.keys() == {device.name for device in CONFIGURED}
    for name, found in totals.items():
        assert (found.lost, found.duplicates) == (0, 0), name
        assert found.stored == found.sent >= SENT, name
