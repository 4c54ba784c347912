"""Things that announce or describe themselves, from their announcements to points, over a real mosquitto."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.routes import matcher
from tests.gateway.family_room import House, house
from tests.gateway.mqtt_room import Publisher, until
from tests.servers.mosquitto import Mosquitto

Start = Callable[..., Mosquitto]
both = pytest.mark.parametrize("protocol", ["5", "3.1.1"])
HA = ("homeassistant/#", "home-assistant")


def sensor(name: str, key: str, unit: str, thing: str = "esp-1", topic: str = "esp/kitchen/state") -> bytes:
    about = {"ids": [thing], "name": "Kitchen"}
    return json.dumps(
        {"name": name, "dev": about, "stat_t": topic, "val_tpl": f"{{{{ value_json.{key} }}}}", "unit_of_meas": unit,
         "avty_t": "esp/kitchen/status"}
    ).encode()  # fmt: skip


async def listens(here: House, *topics: str) -> None:
    """Until the broker has granted what brings these."""

    def granted() -> bool:
        filters = [matcher(each) for each in here.source._subscriptions._granted]
        return all(any(each.match(topic) for each in filters) for topic in topics)

    await until(granted, f"{topics[:3]} granted")


async def said(here: House, thing: str, *bodies: str) -> None:
    """Until a thing has points with these fields."""
    for count in range(1, 50):
        if set(bodies) <= set(await here.points(thing, count)):
            return
    raise AssertionError(f"{bodies} of {thing}")


@both
async def test_states_anywhere_are_found_by_what_is_announced(
    start_mosquitto: Start, tmp_path: Path, protocol: str
) -> None:
    broker = start_mosquitto()
    tool = Publisher(broker.port)
    tool.send("homeassistant/sensor/esp/t/config", sensor("Temperature", "t", "°C"), retain=True)
    tool.send("esp/kitchen/status", b"online", retain=True)
    tool.send("esp/kitchen/state", b'{"t":3}', retain=True)  # old
    async with house(tmp_path, broker.url, *HA, protocol=protocol) as here:
        await here.up()
        await said(here, "esp-1", "online_flag=true", "entity_count=1.0")
        tool.send("homeassistant/sensor/esp/h/config", sensor("Humidity", "h", "%"), retain=True)
        await said(here, "esp-1", "entity_count=2.0,online_flag=true")
        await listens(here, "esp/kitchen/state")
        tool.send("esp/kitchen/state", b'{"t":21.5,"h":40}')
        tool.send("esp/kitchen/status", b"offline", retain=True)
        await said(here, "esp-1", "online_flag=false", "temperature_c=21.5,humidity_pct=40.0")
        assert here.stats.stages.quarantined == 0
        assert not [body for body in await here.points("esp-1") if "temperature_c=3.0" in body]


async def test_a_new_process_asks_for_announcements_and_goes_on(start_mosquitto: Start, tmp_path: Path) -> None:
    broker = start_mosquitto()
    tool = Publisher(broker.port)
    tool.send("homeassistant/sensor/esp/t/config", sensor("Temperature", "t", "°C"), retain=True)
    async with house(tmp_path, broker.url, *HA) as here:
        await here.up()
        await here.points("esp-1")
        await listens(here, "esp/kitchen/state")
    tool.send("esp/kitchen/state", b'{"t":20}')  # waits in the session
    (tmp_path / "two").mkdir()
    async with house(tmp_path / "two", broker.url, *HA) as here:
        await here.up()
        await here.points("esp-1")
        await listens(here, "esp/kitchen/state")
        tool.send("esp/kitchen/state", b'{"t":21}')
        await said(here, "esp-1", "temperature_c=21.0")


async def test_many_tools_come_to_few_filters(start_mosquitto: Start, tmp_path: Path) -> None:
    broker = start_mosquitto()
    tool = Publisher(broker.port)
    nodes = [f"n{number}" for number in range(60)]
    for node in nodes:
        for key in "abc":
            topic = f"tools/{node}/{key}/state"
            config = json.dumps({"name": key, "dev": {"ids": node}, "stat_t": topic, "unit_of_meas": "W"}).encode()
            tool.send(f"homeassistant/sensor/{node}/{key}/config", config, retain=True)
    async with house(tmp_path, broker.url, *HA) as here:
        await here.up()
        await listens(here, *(f"tools/{node}/{key}/state" for node in nodes for key in "abc"))
        for node in nodes:
            await asyncio.to_thread(tool.send, f"tools/{node}/b/state", b"5")
        for node in nodes:
            await said(here, node, "b_w=5.0")
        assert len(here.source._subscriptions._fetched) < 30
        assert here.stats.stages.quarantined == 0


@both
async def test_a_homie_device_describes_itself_and_is_lost(
    start_mosquitto: Start, tmp_path: Path, protocol: str
) -> None:
    broker = start_mosquitto()
    device = Publisher(broker.port)
    about = {"homie": "5.0", "nodes": {"engine": {"properties": {"temperature": {"datatype": "float", "unit": "°C"}}}}}
    device.send("homie/5/car/$description", json.dumps(about).encode(), retain=True)
    device.send("homie/5/car/$state", b"ready", retain=True)
    device.send("homie/5/car/engine/temperature", b"3", retain=True)  # old
    async with house(tmp_path, broker.url, "homie/#", "homie", protocol=protocol) as here:
        await here.up()
        await here.points("car", 2)
        device.send("homie/5/car/engine/temperature", b"21.5", retain=True)
        device.send("homie/5/car/$state", b"lost", retain=True)
        await said(
            here,
            "car",
            'device_state="ready",online_flag=true',
            "property_count=1.0",
            "engine_temperature_c=21.5",
            'device_state="lost",online_flag=false',
        )
        assert here.stats.stages.quarantined == 0
