"""A serial port with bits flipped in 1 % of its bytes: every whole frame is stored, no wrong value ever.

PMS5003 frames at the rate of a line of 115200 baud (360 frames of 32 bytes a second), over a
network serial port, beside a steady load over MQTT; the flips come from a seed.
"""

import asyncio
import contextlib
import random
import struct
from collections import Counter

from tests.e2e.load import pace
from tests.e2e.running import influx_query
from tests.faults.conftest import Start
from tests.faults.ground import audited, config, steady, stored_count, until
from tests.servers.influxd import Influxd
from tests.servers.mosquitto import Mosquitto

FRAMES = 1080
AT_ONCE = 18  # 50 ms of the line


def frame(value: int) -> bytes:
    """Of the manual: 13 words and their sum; `value` ug/m3 of PM2.5 and PM10."""
    words = (0, value, value, 0, value, value, 210, 70, 45, 30, 0, 0, 0x9700)
    head = b"BM\x00\x1c" + struct.pack(">13H", *words)
    return head + struct.pack(">H", sum(head))


def flipped(data: bytes, draw: random.Random) -> bytes:
    """One bit of every hundredth byte, about; one of a frame, since two may cancel out in a sum."""
    hit = next((at for at in range(len(data)) if draw.random() < 0.01), None)
    if hit is None:
        return data
    return data[:hit] + bytes([data[hit] ^ 1 << draw.randrange(8)]) + data[hit + 1 :]


async def test_line_rate_with_flipped_bits(fresh_mosquitto: Mosquitto, fresh_influxd: Influxd, gateway: Start) -> None:
    draw = random.Random(6)
    sent = [frame(number % 900 + 1) for number in range(FRAMES)]
    wire = [flipped(each, draw) for each in sent]
    whole = Counter(number % 900 + 1 for number in range(FRAMES) if wire[number] == sent[number])
    assert 700 < whole.total() < 900

    over = asyncio.Event()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            for start in range(0, FRAMES, AT_ONCE):
                writer.write(b"".join(wire[start : start + AT_ONCE]))
                await writer.drain()
                await pace(0.05)
            await over.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = f"socket://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    more = f'[[serial]]\nport = "{port}"\ndevice = "pms5003"\nthing = "lamp-17"\n'
    url = fresh_influxd.url
    try:
        running = await gateway(config(url, fresh_mosquitto.port, more=more))
        async with steady(fresh_mosquitto.port) as publisher:
            await until(lambda: stored_count(url, "pms5003", "pm2_5_ug_m3") >= whole.total(), "all whole frames stored")
        assert await audited(url, [running], publisher.acknowledged) == (0, 0)
    finally:
        over.set()
        server.close()
    rows = influx_query(url, 'SELECT "pm2_5_ug_m3" FROM "pms5003"')[0]["values"]
    assert Counter(round(value) for _, value in rows) == whole
