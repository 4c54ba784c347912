"""Zigbee2MQTT from the bridge's list to points with units, over a real mosquitto, across restarts of either side."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from devices.spec.events import Empty, Fetch, Reading, SanityError
from devices.zigbee2mqtt.device import Family
from devices.zigbee2mqtt.network import MOST_KEPT, MOST_KEPT_BYTES
from tests.gateway.family_room import house
from tests.gateway.mqtt_room import Publisher, until
from tests.servers.mosquitto import Mosquitto

Start = Callable[..., Mosquitto]
both = pytest.mark.parametrize("protocol", ["5", "3.1.1"])
T = 1_700_000_000_000_000_000


def device(name: str, address: str, *exposes: tuple[str, str]) -> dict[str, object]:
    """A row of bridge/devices with numeric properties and their units."""
    found = [{"type": "numeric", "name": prop, "property": prop, "unit": unit, "access": 1} for prop, unit in exposes]
    return {
        "ieee_address": address,
        "type": "EndDevice",
        "friendly_name": name,
        "definition": {"model": "m", "vendor": "v", "description": "d", "exposes": found},
    }


CLIMATE = device("lake/climate", "0x01", ("temperature", "°C"), ("humidity", "%"), ("pressure", "hPa"))
PLUG = device("plug", "0x02", ("power", "W"), ("energy", "kWh"))
LIST = json.dumps([CLIMATE, PLUG]).encode()


@both
async def test_from_the_list_of_the_bridge_to_points_with_units(
    start_mosquitto: Start, tmp_path: Path, protocol: str
) -> None:
    broker = start_mosquitto()
    bridge = Publisher(broker.port)
    bridge.send("zigbee2mqtt/bridge/state", b'{"state":"online"}', retain=True)
    bridge.send("zigbee2mqtt/bridge/devices", LIST, retain=True)
    async with house(tmp_path, broker.url, protocol=protocol) as here:
        await here.up()
        bridge.send("zigbee2mqtt/lake/climate", b'{"temperature":21.5,"humidity":40,"pressure":1013.2}')
        bridge.send("zigbee2mqtt/plug", b'{"power":0,"energy":12.25}')
        bridge.send("zigbee2mqtt/plug/availability", b'{"state":"online"}', retain=True)
        assert await here.points("lake/climate") == ["temperature_c=21.5,humidity_pct=40.0,pressure_hpa=1013.2"]
        assert await here.points("plug", 2) == ["power_w=0.0,energy_kwh=12.25", "available_flag=true"]
        assert {"available_flag=true", "device_count=2.0"} <= set(await here.points("bridge", 2))
        assert here.stats.stages.quarantined == 0


@both
async def test_states_before_the_list_are_kept_and_decoded_after_it(
    start_mosquitto: Start, tmp_path: Path, protocol: str
) -> None:
    broker = start_mosquitto()
    bridge = Publisher(broker.port)
    async with house(tmp_path, broker.url, protocol=protocol) as here:
        await here.up()
        before = here.clock.now_ns()
        bridge.send("zigbee2mqtt/lake/climate", b'{"temperature":21.5}', b'{"temperature":22}')
        await until(lambda: here.stats.stages.received == 2, "both states")
        assert here.stats.stages.decoded == 0
        (row,) = here.stats.topics.values()
        assert row.words == (
            "zigbee2mqtt/lake/climate: 2 messages, none stored: waits for zigbee2mqtt/bridge/devices to say what it is"
        )
        received = here.clock.now_ns()
        await asyncio.to_thread(bridge.send, "zigbee2mqtt/bridge/devices", LIST, retain=True)
        assert await here.points("lake/climate", 2) == ["temperature_c=21.5", "temperature_c=22.0"]
        batch = await here.spool.read(0, 100)
        assert batch is not None
        stamps = [int(line.rsplit(" ")[-1]) for line in batch.lines.decode().split("\n") if "lake/climate" in line]
        assert all(before <= stamp <= received for stamp in stamps), "the time of receipt is that of the state"


@both
async def test_units_are_known_again_after_the_gateway_was_restarted(
    start_mosquitto: Start, tmp_path: Path, protocol: str
) -> None:
    """The session is still there: its retained messages do not come again by themselves over MQTT 5."""
    broker = start_mosquitto()
    bridge = Publisher(broker.port)
    bridge.send("zigbee2mqtt/bridge/devices", LIST, retain=True)
    async with house(tmp_path, broker.url, protocol=protocol) as here:
        await here.up()
        bridge.send("zigbee2mqtt/plug", b'{"power":1}')
        await here.points("plug")
    bridge.send("zigbee2mqtt/plug", b'{"power":2}', b'{"power":3}')  # wait in the session, before any list
    async with house(tmp_path, broker.url, protocol=protocol) as here:
        await here.up()
        bridge.send("zigbee2mqtt/plug", b'{"power":4}')
        assert await here.points("plug", 4) == ["power_w=1.0", "power_w=2.0", "power_w=3.0", "power_w=4.0"]
        assert here.stats.stages.quarantined == 0


@both
async def test_points_go_on_after_the_broker_was_restarted_and_has_forgotten_everything(
    start_mosquitto: Start, tmp_path: Path, protocol: str
) -> None:
    broker = start_mosquitto()
    Publisher(broker.port).send("zigbee2mqtt/bridge/devices", LIST, retain=True)
    async with house(tmp_path, broker.url, protocol=protocol) as here:
        await here.up()
        await here.points("bridge")
        await asyncio.to_thread(broker.restart, hard=True)
        await here.up(2)
        bridge = Publisher(broker.port)
        bridge.send("zigbee2mqtt/plug", b'{"power":5}')  # before the bridge has said its list again
        assert await here.points("plug") == ["power_w=5.0"]
        renamed = json.dumps([CLIMATE, {**PLUG, "friendly_name": "kettle"}]).encode()
        bridge.send("zigbee2mqtt/bridge/devices", renamed, retain=True)
        bridge.send("zigbee2mqtt/kettle", b'{"power":6}')
        assert await here.points("kettle") == ["power_w=6.0"]


async def test_points_go_on_over_a_broker_restart_that_keeps_the_session(
    start_mosquitto: Start, tmp_path: Path
) -> None:
    broker = start_mosquitto(persistence=True)
    Publisher(broker.port).send("zigbee2mqtt/bridge/devices", LIST, retain=True)
    async with house(tmp_path, broker.url) as here:
        await here.up()
        await asyncio.to_thread(broker.restart)
        await here.up(2)
        Publisher(broker.port).send("zigbee2mqtt/plug", b'{"power":7}')
        assert await here.points("plug") == ["power_w=7.0"]


@both
async def test_one_list_published_is_one_row_though_it_is_also_fetched(
    start_mosquitto: Start, tmp_path: Path, protocol: str
) -> None:
    broker = start_mosquitto()
    bridge = Publisher(broker.port)
    async with house(tmp_path, broker.url, protocol=protocol) as here:
        await here.up()
        bridge.send("zigbee2mqtt/bridge/devices", LIST, retain=True)
        bridge.send("zigbee2mqtt/bridge/groups", b"[]", retain=True)
        bridge.send("zigbee2mqtt/plug", b'{"power":7}')
        assert await here.points("plug") == ["power_w=7.0"]
        assert await here.points("bridge", 2) == ["device_count=2.0", "group_count=0.0"]
        assert here.stats.stages.received == 3


async def test_retained_states_are_old_and_a_retained_absence_holds_now(start_mosquitto: Start, tmp_path: Path) -> None:
    broker = start_mosquitto()
    bridge = Publisher(broker.port)
    bridge.send("zigbee2mqtt/bridge/devices", LIST, retain=True)
    bridge.send("zigbee2mqtt/plug", b'{"power":1}', retain=True)
    bridge.send("zigbee2mqtt/lake/climate", b'{"temperature":3,"last_seen":"2026-01-01T00:00:00Z"}', retain=True)
    bridge.send("zigbee2mqtt/gone", b'{"power":1}', retain=True)  # removed from the bridge, never from the broker
    bridge.send("zigbee2mqtt/plug/availability", b"offline", retain=True)
    async with house(tmp_path, broker.url) as here:
        assert await here.points("plug") == ["available_flag=false"]
        assert await here.points("lake/climate") == ["temperature_c=3.0"]
        batch = await here.spool.read(0, 100)
        assert batch is not None
        assert b"zigbee2mqtt,thing=lake/climate temperature_c=3.0 1767225600000000000" in batch.lines.split(b"\n")
        await until(lambda: here.stats.stages.retained == 2, "two old states")
        assert here.stats.stages.quarantined == 0


async def test_another_base_topic_and_a_filter_that_does_not_take_the_list(
    start_mosquitto: Start, tmp_path: Path
) -> None:
    broker = start_mosquitto()
    bridge = Publisher(broker.port)
    bridge.send("home/z2m/bridge/devices", LIST, retain=True)
    async with house(tmp_path, broker.url, "home/z2m/+") as here:
        await here.up()
        bridge.send("home/z2m/plug", b'{"power":8}')
        assert await here.points("plug") == ["power_w=8.0"]


async def test_what_still_waits_when_the_gateway_stops_is_in_the_quarantine(
    start_mosquitto: Start, tmp_path: Path
) -> None:
    broker = start_mosquitto()
    async with house(tmp_path, broker.url) as here:
        await here.up()
        Publisher(broker.port).send("zigbee2mqtt/plug", b'{"power":9}')
        await until(lambda: here.stats.stages.received == 1, "the state")
    assert here.stats.stages.quarantined == 1


def told(family: Family, topic: str, payload: bytes, at_ns: int = T) -> list[object]:
    return list(family.decode(topic, payload, at_ns))


def test_the_list_is_asked_for_with_each_connection_and_when_a_name_is_not_known() -> None:
    family = Family("home/z2m/#")
    asks = [Fetch("home/z2m/bridge/devices"), Fetch("home/z2m/bridge/groups")]
    assert family.connected(True) == asks
    events = told(family, "home/z2m/lamp", b'{"power":1}')
    assert isinstance(events[0], Empty)
    assert events[1:] == asks


def test_a_name_that_the_bridge_does_not_list_is_refused_after_a_minute() -> None:
    family = Family("zigbee2mqtt/#")
    told(family, "zigbee2mqtt/bridge/devices", LIST)
    told(family, "zigbee2mqtt/stranger", b'{"power":1}')
    assert len(told(family, "zigbee2mqtt/bridge/devices", LIST, T + 59_000_000_000)) == 1
    *_, refused = told(family, "zigbee2mqtt/bridge/devices", LIST, T + 61_000_000_000)
    assert refused == SanityError(
        "a state of 'stranger': neither bridge/devices nor bridge/groups has that name", b'{"power":1}'
    )


def test_of_what_waits_a_bad_state_leaves_the_others() -> None:
    family = Family("zigbee2mqtt/#")
    told(family, "zigbee2mqtt/plug", b'{"power":1}')
    told(family, "zigbee2mqtt/plug", b"21.5")
    told(family, "zigbee2mqtt/plug", b'{"power":3}')
    found, first, bad, last = told(family, "zigbee2mqtt/bridge/devices", LIST)
    assert all(isinstance(event, Reading) for event in (found, first, last))
    assert isinstance(bad, SanityError)
    assert (bad.detail, bad.data) == ("plug: expected an object of values, got float", b"21.5")


def test_what_waits_is_bounded_in_number_and_in_bytes() -> None:
    family = Family("zigbee2mqtt/#")
    refused = 0
    for number in range(2 * MOST_KEPT):
        refused += sum(isinstance(e, SanityError) for e in told(family, f"zigbee2mqtt/d{number}", b'{"power":1}'))
    assert refused == MOST_KEPT
    assert len(family.flush()) == MOST_KEPT
    large = b'{"text":"' + b"x" * (1 << 20) + b'"}'
    refused = 0
    for number in range(10):
        refused += sum(isinstance(e, SanityError) for e in told(family, f"zigbee2mqtt/d{number}", large))
    assert MOST_KEPT_BYTES == 4 << 20
    assert refused == 7
    assert len(family.flush()) == 3


def test_devices_of_two_networks_below_one_filter_stay_apart() -> None:
    family = Family("site/+/zigbee2mqtt/#")
    assert family.connected(True) == [
        Fetch("site/+/zigbee2mqtt/bridge/devices"),
        Fetch("site/+/zigbee2mqtt/bridge/groups"),
    ]
    told(family, "site/north/zigbee2mqtt/bridge/devices", LIST)
    (reading,) = told(family, "site/north/zigbee2mqtt/plug", b'{"power":1}')
    assert isinstance(reading, Reading)
    assert (reading.thing, reading.fields) == ("north/plug", {"power_w": 1.0})
    assert isinstance(told(family, "site/south/zigbee2mqtt/plug", b'{"power":1}')[0], Empty), "the other's list"


def test_a_removed_device_is_not_known_any_more() -> None:
    family = Family("zigbee2mqtt/#")
    told(family, "zigbee2mqtt/bridge/devices", LIST)
    told(family, "zigbee2mqtt/bridge/devices", json.dumps([CLIMATE]).encode())
    assert isinstance(told(family, "zigbee2mqtt/plug", b'{"power":1}')[0], Empty)


def test_one_bad_row_of_the_list_costs_itself_alone() -> None:
    family = Family("zigbee2mqtt/#")
    rows = [7, {"friendly_name": None}, {"friendly_name": "x", "definition": {"exposes": {"a": 1}}}, PLUG, "x"]
    (reading,) = told(family, "zigbee2mqtt/bridge/devices", json.dumps(rows).encode())
    assert isinstance(reading, Reading)
    assert reading.fields == {"device_count": 2.0}
    (reading,) = told(family, "zigbee2mqtt/plug", b'{"power":1}')
    assert isinstance(reading, Reading)
    assert reading.fields == {"power_w": 1.0}
