"""Hostile clients beside a steady load: the load is in InfluxDB once, and they cost memory only up to a bound.

What mosquitto refuses itself (malformed packets, invalid UTF-8 in topic names) never reaches the
gateway; that, too, must not hurt the load. What the broker passes on ends in the quarantine
with a reason, or as a harmless point. What gets past a broker is in the other test_hostile_* modules.
"""

import asyncio
import contextlib
import random
from pathlib import Path

import mqtt5

from tests.e2e.load import Packets
from tests.faults.conftest import Start
from tests.faults.ground import audited, config, steady
from tests.servers.influxd import Influxd
from tests.servers.mosquitto import Mosquitto

RSS_MOST = 250 << 20


def rss(pid: int) -> int:
    """Resident bytes of a process (Linux)."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


async def publish(port: int, messages: list[tuple[str, bytes]]) -> None:
    """Publish at QoS 1, one after the other, each once acknowledged."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    packets = Packets(reader)
    writer.write(mqtt5.ConnectPacket("hostile", clean_start=True).write())
    await packets.next()
    for number, (topic, payload) in enumerate(messages):
        packet_id = number % 65_535 + 1
        writer.write(mqtt5.PublishPacket(topic, payload, qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=packet_id).write())
        await packets.next()
    writer.close()


async def throw(port: int, data: bytes) -> None:
    """Connect as MQTT 5, send bytes, wait until the broker hangs up or 0.2 s have passed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(mqtt5.ConnectPacket("malformed", clean_start=True).write() + data)
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(0.2):
            while await reader.read(65_536):
                pass
    writer.close()


async def test_malformed_packets_and_invalid_utf8(
    fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, gateway: Start
) -> None:
    running = await gateway(config(fresh_influxd.url, fresh_mosquitto.port))
    draw = random.Random(4)
    async with steady(fresh_mosquitto.port) as publisher:
        topic = b"park/\xff\xfe"
        await throw(fresh_mosquitto.port, b"\x30" + bytes([len(topic) + 4, 0, len(topic)]) + topic + b"\x00x")
        await throw(fresh_mosquitto.port, b"\x30\xff\xff\xff\xff\xff")
        for _ in range(10):
            await throw(fresh_mosquitto.port, draw.randbytes(200))
    assert await audited(fresh_influxd.url, [running], publisher.acknowledged) == (0, 0)


async def test_large_payloads_and_long_topics(
    fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, gateway: Start
) -> None:
    """1 MB payloads, topics of up to 65,535 bytes, payloads of nothing and of random bytes."""
    running = await gateway(config(fresh_influxd.url, fresh_mosquitto.port))
    draw = random.Random(5)
    deep = "park/" + "x" * (65_535 - 5)
    hostile = [("park/large", bytes(1_000_000)), (deep, b"{}"), (deep, draw.randbytes(100)), ("park/empty", b"")]
    hostile += [("park/nested", b"[" * 100_000), ("park/random", draw.randbytes(5000))]
    async with steady(fresh_mosquitto.port) as publisher:
        for _ in range(10):
            await publish(fresh_mosquitto.port, hostile)
    assert await audited(fresh_influxd.url, [running], publisher.acknowledged) == (0, 0)
    assert (await running.health())["stages"][
        "quarantined"
    ] == 50  # a payload of nothing deletes what was retained: no fault
    assert rss(running.process.process.pid) < RSS_MOST
