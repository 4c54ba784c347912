"""Serial ports read as fast as they can, 1 % of the bytes flipped: what is lost, and what may be wrong.

Judged by the bytes alone. The wire is searched, at every place, for what the protocol calls a
whole, checked frame; every reading has to be one of these places, and every frame that was
sent unharmed has to be read. A reading that is none of the frames sent is then wrong, and
can only be one whose check cannot tell: the test says how many there are, by the seed, and
that none of them is due to the decoder.

    sum16, sum8, xor8   no single flipped bit passes; two can (equal and opposite, or the same bit)
"""

import asyncio
import os
import pty
import random
import tty
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from devices.spec.device import StreamDevice
from devices.spec.events import Event, IntegrityError, Noise, Reading, SanityError
from tests.device_types import BY_NAME
from tests.e2e.running import influx_query
from tests.faults.conftest import Start
from tests.faults.ground import until
from tests.faults.hostile import peak_mb
from tests.servers.influxd import Influxd

SHARE = 0.01
PEAK_MB = 200.0


def pms5003(draw: random.Random) -> bytes:
    """32 bytes: BM, length 28, 13 words, sum of all before."""
    masses = sorted(draw.randint(1, 60) for _ in range(3))
    counts = sorted((draw.randint(1, 4000) for _ in range(6)), reverse=True)
    head = b"BM\x00\x1c" + b"".join(word.to_bytes(2, "big") for word in [*masses, *masses, *counts, 0x9700])
    return head + sum(head).to_bytes(2, "big")


def sds011(draw: random.Random) -> bytes:
    """10 bytes: AA C0, PM2.5, PM10, id, sum of the six, AB."""
    body = b"".join(draw.randint(1, 900).to_bytes(2, "little") for _ in range(2)) + b"\x58\xd9"
    return b"\xaa\xc0" + body + bytes([sum(body) & 0xFF, 0xAB])


def nmea0183(draw: random.Random) -> bytes:
    """$GPVTG with course and speeds."""
    knots = draw.randint(0, 200) / 10
    body = b"GPVTG,%.1f,T,,M,%.1f,N,%.1f,K,A" % (draw.randint(0, 3599) / 10, knots, knots * 1.852)
    check = 0
    for byte in body:
        check ^= byte
    return b"$%b*%02X\r\n" % (body, check)


def is_pms5003(wire: bytes, at: int) -> int:
    frame = wire[at : at + 32]
    whole = len(frame) == 32 and frame[:4] == b"BM\x00\x1c" and sum(frame[:30]) == int.from_bytes(frame[30:], "big")
    return 32 if whole else 0


def is_sds011(wire: bytes, at: int) -> int:
    frame = wire[at : at + 10]
    return (
        10
        if len(frame) == 10 and frame[:2] == b"\xaa\xc0" and frame[9] == 0xAB and sum(frame[2:8]) & 0xFF == frame[8]
        else 0
    )


def is_nmea0183(wire: bytes, at: int) -> int:
    """A sentence whose exclusive or holds and whose line ends, without the line end."""
    if wire[at : at + 1] not in (b"$", b"!"):
        return 0
    star = wire.find(b"*", at, at + 200)
    body = wire[at + 1 : star]
    if star < 0 or b"$" in body or not body.isascii() or not body.decode().isprintable():
        return 0
    check = 0
    for byte in body:
        check ^= byte
    try:
        told = int(wire[star + 1 : star + 3], 16)
    except ValueError:
        return 0
    ended = wire[star + 3 : star + 4] in (b"\r", b"\n", b"$", b"")
    return star + 3 - at if check == told and ended else 0


Make = Callable[[random.Random], bytes]
Whole = Callable[[bytes, int], int]
KINDS: dict[str, tuple[Make, Whole]] = {
    "pms5003": (pms5003, is_pms5003),
    "sds011": (sds011, is_sds011),
    "nmea0183": (nmea0183, is_nmea0183),
}


WRONG = {"pms5003": 15, "sds011": 0, "nmea0183": 35}
"""Of 10,000 frames, those in which two or more flips cancel out in the check, as the seed has it."""


def load(make: Make, frames: int, seed: int) -> tuple[list[bytes], list[bytes]]:
    """Frames as they were sent, and as they arrive: one bit of every hundredth byte flipped."""
    draw = random.Random(seed)
    sent = [make(draw) for _ in range(frames)]
    arrived = []
    for frame in sent:
        wire = bytearray(frame)
        for at in range(len(wire)):
            if draw.random() < SHARE:
                wire[at] ^= 1 << draw.randrange(8)
        arrived.append(bytes(wire))
    return sent, arrived


def judged(wire: bytes, whole: Whole) -> list[bytes]:
    """What the protocol's own check finds in the wire, from left to right, none within another."""
    found = []
    at = 0
    while at < len(wire):
        size = whole(wire, at)
        if size:
            found.append(wire[at : at + size])
        at += size or 1
    return found


def alone(device: StreamDevice, frame: bytes) -> list[dict[str, object]]:
    """The values of one frame, read by itself."""
    decoder = device.decoder()
    events = decoder.feed(frame) + decoder.flush()
    return [dict(event.fields) for event in events if isinstance(event, Reading)]


def stream(device: StreamDevice, wire: bytes, seed: int) -> list[Event]:
    draw = random.Random(seed)
    decoder = device.decoder()
    events: list[Event] = []
    at = 0
    while at < len(wire):
        step = draw.choice((1, 7, 64, 512, 4096))
        events += decoder.feed(wire[at : at + step])
        at += step
    return events + decoder.flush()


@pytest.mark.parametrize("name", KINDS)
def test_no_good_frame_is_lost_and_what_is_wrong_is_a_collision(name: str) -> None:
    device = BY_NAME[name]
    assert isinstance(device, StreamDevice)
    make, whole = KINDS[name]
    sent, arrived = load(make, 10_000, seed=11)
    wire = b"".join(arrived)
    events = stream(device, wire, seed=12)
    read = [dict(event.fields) for event in events if isinstance(event, Reading)]
    unharmed = [frame for frame, wired in zip(sent, arrived, strict=True) if frame == wired]
    assert 0.4 * len(sent) < len(unharmed) < 0.95 * len(sent)
    found = judged(wire, whole)
    assert not Counter(frame[: whole(frame, 0)] for frame in unharmed) - Counter(found)
    expected = [values for frame in found for values in alone(device, frame)]
    assert read == expected  # every reading is a place where the check holds, and no such place is left out
    wrong = Counter(found) - Counter(frame[: whole(frame, 0)] for frame in sent)
    assert wrong.total() <= WRONG[name]
    lost = sum(len(event.data) for event in events if isinstance(event, Noise | IntegrityError))
    assert lost >= sum(map(len, arrived)) - sum(map(len, found)) - 2 * len(found)
    assert sum(isinstance(event, IntegrityError) for event in events) > 100
    assert not any(isinstance(event, SanityError) for event in events) or name == "nmea0183"


async def write_all(master: int, data: bytes) -> None:
    """Write as fast as the other end reads."""
    loop = asyncio.get_running_loop()
    os.set_blocking(master, False)
    left = memoryview(data)
    while left:
        writable = asyncio.Event()
        loop.add_writer(master, writable.set)
        await writable.wait()
        loop.remove_writer(master)
        left = left[os.write(master, left[:4096]) :]


async def test_a_gateway_on_three_ports_at_full_speed(tmp_path: Path, fresh_influxd: Influxd, gateway: Start) -> None:
    """The readings in InfluxDB are those that the wire holds; errors are counted, in bounded memory."""
    ports = {name: pty.openpty() for name in KINDS}
    text = f'[influxdb]\nurl = "{fresh_influxd.url}"\ndatabase = "parkgate"\n'
    try:
        for name, (_, slave) in ports.items():
            tty.setraw(slave)
            text += f'\n[[serial]]\nport = "{os.ttyname(slave)}"\ndevice = "{name}"\nthing = "{name}-1"\n'
        running = await gateway(text, subscribed=False)
        await running.quiet("down")
        wires = {name: b"".join(load(make, 3000, seed=21)[1]) for name, (make, _) in KINDS.items()}
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            for name, (master, _) in ports.items():
                group.create_task(write_all(master, wires[name]))
        for name, (_, whole) in KINDS.items():
            device = BY_NAME[name]
            assert isinstance(device, StreamDevice)
            expected = [values for frame in judged(wires[name], whole) for values in alone(device, frame)]
            field = {"pms5003": "pm2_5_ug_m3", "sds011": "pm2_5_ug_m3", "nmea0183": "course_deg"}[name]
            values = Counter(each[field] for each in expected if field in each)

            def there(name: str = name, field: str = field, values: Counter[object] = values) -> bool:
                return _stored(fresh_influxd.url, name, field).total() >= values.total()

            await until(there, f"{values.total()} readings of {name}", 60.0)
            assert _stored(fresh_influxd.url, name, field) == values
        report = await running.health()
        assert len(report["devices"]) == 3
        assert all(each["integrity_errors"] > 50 for each in report["devices"]), report["devices"]
        assert (report["stages"]["dropped"], report["stages"]["unkept"]) == (0, 0)
        assert peak_mb(running) < PEAK_MB
    finally:
        for master, slave in ports.values():
            os.close(master)
            os.close(slave)


def _stored(url: str, measurement: str, field: str) -> Counter[object]:
    series = influx_query(url, f'SELECT "{field}" FROM "{measurement}"')
    return Counter(value for row in series for _, value in row["values"])
