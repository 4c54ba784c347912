"""A false broker at the gateway's other end: what mosquitto would never pass on.

Every bad connection first brings a good message, so that the gateway has something to lose;
the last one behaves. The gateway names what was wrong, connects again and goes on. Meanwhile it
takes a steady load from a real broker, which is audited at the end of each test.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import mqtt5
import pytest

from tests.faults.conftest import Start
from tests.faults.ground import Running, audited, config, steady
from tests.faults.hostile import MEASUREMENTS, counted, holds, number, peak_mb, words
from tests.gateway.mqtt_room import FalseBroker, Script, false_broker
from tests.servers.influxd import Influxd
from tests.servers.mosquitto import Mosquitto

PEAK_MB = 250.0
QOS_1 = mqtt5.QoS.AT_LEAST_ONCE


def publish(topic: bytes, payload: bytes, packet_id: int) -> bytes:
    """A PUBLISH at QoS 1 of any bytes as topic name."""
    body = len(topic).to_bytes(2, "big") + topic + packet_id.to_bytes(2, "big") + b"\0" + payload
    size, length = len(body), b""
    while True:
        size, low = size >> 7, size & 0x7F
        length += bytes([low | (0x80 if size else 0)])
        if not size:
            return b"\x32" + length + body


Between = Callable[[Script], AbstractAsyncContextManager[Running]]


@pytest.fixture
def between(fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, gateway: Start) -> Between:
    """`async with between(script)`: a gateway on a false broker and a real one. The script goes on from the
    subscription of each connection, once the load of the real broker flows."""
    more = f"""
[mqtt.beside]
url = "{fresh_mosquitto.url}"
client_id = "gateway"

[[mqtt.beside.subscription]]
topic = "park/{{thing}}"
device = "senml"
"""

    @asynccontextmanager
    async def run(script: Script) -> AsyncIterator[Running]:
        flows = asyncio.Event()

        async def under_load(broker: FalseBroker) -> None:
            await broker.welcome()
            await flows.wait()
            await script(broker)

        async with false_broker(under_load) as url:
            running = await gateway(config(fresh_influxd.url, int(url.rpartition(":")[2]), more=more))
            await running.quiet("mqtt:beside")
            async with steady(fresh_mosquitto.port) as publisher:
                await publisher.reached(50)
                flows.set()
                yield running
            assert await audited(fresh_influxd.url, [running], publisher.acknowledged) == (0, 0)

    return run


MALFORMED = {
    "a topic name that is not UTF-8": publish(b"park/\xff\xfe", b"[]", 7),
    "a topic name with half a surrogate pair": publish(b"park/\xed\xa0\x80", b"[]", 7),
    "a topic name with a wildcard": publish(b"park/+", b"[]", 7),
    "a topic name with NUL": publish(b"park/a\0b", b"[]", 7),
    "no topic name": publish(b"", b"[]", 7),
    "packet identifier 0": publish(b"park/a", b"[]", 0),
    "a length of five bytes": b"\x32\xff\xff\xff\xff\x7f",
    "a length of 256 MB in a packet of no use": b"\x90\xff\xff\xff\x7f",
    "QoS 3": b"\x36\x05\x00\x01a\x00\x01",
    "a packet of no type": b"\x00\x00",
    "a CONNECT": mqtt5.ConnectPacket("you", clean_start=True).write(),
    "a topic name longer than its packet": b"\x32\x05\xff\xff\x61\x61\x61",
    "properties longer than their packet": b"\x32\x08\x00\x01a\x00\x01\xff\xff\x7f",
    "words out of nowhere": b"HTTP/1.1 400 Bad Request\r\n" * 5,
}


@pytest.mark.parametrize("name", MALFORMED)
async def test_malformed_packets(fresh_influxd: Influxd, between: Between, name: str) -> None:
    """Refused with words; what came before it is stored; the next connection works."""

    async def script(broker: FalseBroker) -> None:
        await broker.say(publish(b"park/lamp", number(float(broker.number)), 1))
        await broker.expect(mqtt5.PubAckPacket)
        if broker.number == 1:
            await broker.say(MALFORMED[name])
        while True:
            await broker.packet()

    async with between(script) as running:
        await holds(fresh_influxd.url, "level", {"lamp": [1.0, 2.0]})
        log = running.process.process.log_tail(20_000)
        assert "down: " in log
        assert peak_mb(running) < PEAK_MB


TOPICS = {
    "park/a\nsenml,thing=evil v=1 1": "a_senml,thing=evil v=1 1~eaa61dd1583f60b6",
    "park/tab\there": "tab_here~94d3417d3e2ea634",
    "park/\x01\x7f\x85": "___~00fb8aa2960c2f7f",
    "park/cr\rlf\n": "cr_lf_~52b071c4f17240a5",
    "park/\u2028": "_~239d78d4c3d638cc",
    "park/ ": "~144fc5787a5c7b42",
    "park/\\": "~4d7ecf73c0819682",
    "park/": None,
    "elsewhere/x": None,
    "": None,
}
"""Topic name to the thing that is stored, with the mark of its whole name.

None: no thing can be told, the message is kept in the quarantine.
"""


async def test_control_characters_in_topic_names(fresh_influxd: Influxd, between: Between) -> None:
    """mosquitto refuses these; another broker may not. Each is acknowledged."""
    topics = [topic for topic in TOPICS if topic]
    acknowledged: list[int] = []
    done = asyncio.Event()

    async def script(broker: FalseBroker) -> None:
        for at, topic in enumerate(topics, 1):
            await broker.say(publish(topic.encode(), number(at), at))
        while len(acknowledged) < len(topics):
            acknowledged.append((await broker.expect(mqtt5.PubAckPacket)).packet_id)
        done.set()
        while True:
            await broker.packet()

    async with between(script) as running:
        async with asyncio.timeout(30):
            await done.wait()
        assert acknowledged == list(range(1, len(topics) + 1))
        stages = await counted(running, quarantined=2)
        assert stages["quarantined"] == 2
        await holds(
            fresh_influxd.url,
            "level",
            {thing: [float(at)] for at, thing in enumerate(TOPICS.values(), 1) if thing},
        )
        assert words(fresh_influxd.url, "SHOW MEASUREMENTS") <= MEASUREMENTS
        assert words(fresh_influxd.url, 'SHOW TAG KEYS FROM "senml"') == {"thing"}


async def test_endless_packets_cost_no_memory(fresh_influxd: Influxd, between: Between) -> None:
    """A PUBLISH of 200 MB and one that claims 256 MB and never ends; between them the gateway takes messages."""
    size = 200 << 20
    head = b"\x32" + bytes([size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14 & 0x7F | 0x80, size >> 21 & 0x7F])

    async def script(broker: FalseBroker) -> None:
        if broker.number == 1:
            start = b"\x00\x0apark/large\x00\x07\x00"
            await broker.say(head + start)
            left = size - len(start)
            while left:
                step = min(left, 1 << 20)
                await broker.say(bytes(step))
                left -= step
            acknowledged = await broker.expect(mqtt5.PubAckPacket)
            assert acknowledged.packet_id == 7
        await broker.say(publish(b"park/lamp", number(float(broker.number)), 1))
        await broker.expect(mqtt5.PubAckPacket)
        if broker.number == 1:
            await broker.say(b"\x32\xff\xff\xff\x7f\x00\x0apark/large\x00\x07\x00" + bytes(1 << 20))
            return  # and hangs up in the middle of it
        while True:
            await broker.packet()

    async with between(script) as running:
        await counted(running, quarantined=1)
        await holds(fresh_influxd.url, "level", {"lamp": [1.0, 2.0]})
        assert peak_mb(running) < PEAK_MB


async def test_40000_poisonous_messages_at_once_are_all_kept(fresh_influxd: Influxd, between: Between) -> None:
    """More than may wait for a commit, at QoS 0, in a few receive buffers: each has its place in the quarantine."""
    message = b"\x30\x0a\x00\x06park/a\x00?"

    async def script(broker: FalseBroker) -> None:
        await broker.say(message * 40_000)
        await broker.say(publish(b"park/lamp", number(1.0), 1))
        while True:
            await broker.packet()

    async with between(script) as running:
        stages = await counted(running, received=40_001, quarantined=40_000)
        assert (stages["quarantined"], stages["unkept"]) == (40_000, 0)
        await holds(fresh_influxd.url, "level", {"lamp": [1.0]})
        assert peak_mb(running) < PEAK_MB
