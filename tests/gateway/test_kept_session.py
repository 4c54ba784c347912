"""What decoders ask for because of messages that waited at the broker for the gateway, over a real mosquitto."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

import mqtt5
import pytest

from devices.sparkplug_b.device import DEVICE
from devices.sparkplug_b.encode import aliased, aliases_of, birth, death, encode
from devices.spec.events import Reading
from tests.gateway.family_room import house
from tests.gateway.mqtt_room import Publisher
from tests.servers.mosquitto import Mosquitto

Start = Callable[..., Mosquitto]
both = pytest.mark.parametrize("protocol", ["5", "3.1.1"])
PLANT = ("spBv1.0/#", "sparkplug-b")
T = 1_700_000_000_000_000_000


def data(seq: int, level: float) -> bytes:
    """A payload that says its one metric by an alias only."""
    return aliased(encode(Reading({"level": level, "seq": seq}, T + seq)), aliases_of(Reading({"level": level})))


def born(session: int | None, seq: int = 0) -> bytes:
    return birth(Reading({"level": 0.5}, T), session=session, seq=seq, with_aliases=True)


async def asked(node: Publisher) -> str:
    """The topic of the next command that comes to a node; TimeoutError where none does."""
    packet = await asyncio.to_thread(node.next_packet)
    assert isinstance(packet, mqtt5.PublishPacket)
    (said,) = DEVICE.decode(packet.topic, bytes(packet.payload), T)
    assert isinstance(said, Reading)
    assert said.fields == {"node_control_rebirth_flag": True}
    return packet.topic


@both
async def test_a_node_is_asked_for_its_births_by_what_waited_at_the_broker(
    start_mosquitto: Start, tmp_path: Path, protocol: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing more comes that would ask it again: the first request has to arrive."""
    caplog.set_level(logging.INFO)
    broker = start_mosquitto()
    async with house(tmp_path / "one", broker.url, *PLANT, protocol=protocol) as here:
        await here.up()
    node, sender = Publisher(broker.port), Publisher(broker.port)
    node.subscribe("spBv1.0/plant/NCMD/edge")
    sender.send("spBv1.0/plant/NDATA/edge", data(7, 1.5))
    sender.send("spBv1.0/plant/DDATA/edge/tank", data(8, 2.5))
    async with house(tmp_path / "two", broker.url, *PLANT, protocol=protocol) as here:
        assert await asked(node) == "spBv1.0/plant/NCMD/edge"
        sender.send("spBv1.0/plant/NBIRTH/edge", born(1))
        sender.send("spBv1.0/plant/DBIRTH/edge/tank", born(None, seq=1))
        assert (await here.points("edge", 2))[1] == "seq=7i,level=1.5"
        assert (await here.points("edge/tank", 2))[1] == "seq=8i,level=2.5"
        assert here.stats.stages.quarantined == 0
    said = [record.getMessage() for record in caplog.records if "births" in record.getMessage()]
    assert said == ["mqtt:main: node 'edge' of group 'plant' is asked for its births"]


@both
async def test_a_node_that_dies_before_its_births_takes_the_devices_that_waited_along(
    start_mosquitto: Start, tmp_path: Path, protocol: str
) -> None:
    broker = start_mosquitto()
    async with house(tmp_path / "one", broker.url, *PLANT, protocol=protocol) as here:
        await here.up()
    sender = Publisher(broker.port)
    sender.send("spBv1.0/plant/DDATA/edge/tank", data(8, 2.5))
    sender.send("spBv1.0/plant/NDEATH/edge", death(1, 5))
    async with house(tmp_path / "two", broker.url, *PLANT, protocol=protocol) as here:
        assert await here.points("edge") == ['online_flag=false,message_type="NDEATH",bd_seq=1i']
        assert await here.points("edge/tank") == ["online_flag=false"]
        assert here.stats.stages.quarantined == 1
