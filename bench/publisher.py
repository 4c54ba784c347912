"""The load of the benchmarks, as cheap as Python allows: packets made beforehand, sent in blocks.

Run as a process of its own (`python -m bench.publisher`). It says `ready` when everything is
encoded and connected, waits for a line on standard input, publishes, and says `done <seconds>
<messages>` once the broker has acknowledged everything (QoS 1) or taken everything (QoS 0). At a
`--rate` a second line ends the load early, at a whole number of blocks.

Message n is a SenML pack of thing `t<n % things>` with three values and its own time
START_NS + (n // things) * STEP_NS, so every stored point is accounted for by thing and time.
"""

import argparse
import json
import socket
import sys
import time
from select import select

import mqtt5

START_S = 1_790_000_000
"""2026-09-21: message times begin here and step by 10 ms a thing."""

BLOCK = 250
"""Messages sent in one write."""


def temperature(thing: int) -> float:
    """What every message of a thing says, degrees Celsius."""
    return 20 + thing % 50 / 10


def humidity(step: int) -> float:
    """What the message of a step says, per cent."""
    return 40 + step % 100 / 10


def payload(number: int, things: int) -> bytes:
    thing, step = number % things, number // things
    records = [
        {"bn": f"t{thing}:", "bt": START_S + step / 100, "n": "temperature", "u": "Cel", "v": temperature(thing)},
        {"n": "humidity", "u": "%RH", "v": humidity(step)},
        {"n": "battery", "u": "V", "v": 3.6},
    ]
    return json.dumps(records, separators=(",", ":")).encode()


def blocks(first: int, count: int, things: int, qos: int, prefix: str) -> list[bytes]:
    """Messages first..first+count-1 as bytes, BLOCK messages each."""
    level = mqtt5.QoS.AT_LEAST_ONCE if qos else mqtt5.QoS.AT_MOST_ONCE
    found = []
    for begin in range(first, first + count, BLOCK):
        packets = [
            mqtt5.PublishPacket(
                f"{prefix}/t{number % things}",
                payload(number, things),
                qos=level,
                packet_id=number % 65_535 + 1 if qos else None,
            ).write()
            for number in range(begin, min(begin + BLOCK, first + count))
        ]
        found.append(b"".join(packets))
    return found


def connect(port: int, client_id: str) -> socket.socket:
    link = socket.create_connection(("127.0.0.1", port))
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    link.sendall(mqtt5.ConnectPacket(client_id, clean_start=True).write())
    buffer = b""
    while True:
        buffer += link.recv(4096)
        try:
            packet, used = mqtt5.read(memoryview(buffer))
        except IndexError:
            continue
        assert isinstance(packet, mqtt5.ConnAckPacket)
        assert packet.reason_code == mqtt5.ConnAckReasonCode.SUCCESS
        assert used == len(buffer)
        return link


class Acknowledged:
    """Counts PUBACKs in a byte stream without decoding them."""

    def __init__(self, link: socket.socket) -> None:
        self.count = 0
        self._link = link
        self._rest = b""

    def receive(self) -> None:
        data = self._rest + self._link.recv(1 << 16)
        pos, end = 0, len(data)
        while pos + 2 <= end and pos + 2 + data[pos + 1] <= end:
            self.count += data[pos] == 0x40
            pos += 2 + data[pos + 1]
        self._rest = data[pos:]


def publish(link: socket.socket, load: list[bytes], count: int, qos: int, rate: float, window: int) -> int:
    """Send everything; `rate` messages a second (0: as fast as the broker takes them). The number sent."""
    acknowledged = Acknowledged(link)
    sent = 0
    started = time.perf_counter()
    for block in load:
        if rate:
            ahead = sent / rate - (time.perf_counter() - started)
            if ahead > 0:
                time.sleep(ahead)
            if select([sys.stdin], [], [], 0)[0]:
                break
        while qos and sent - acknowledged.count > window:
            acknowledged.receive()
        link.sendall(block)
        sent = min(sent + BLOCK, count)
    while qos and acknowledged.count < sent:
        acknowledged.receive()
    return sent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--things", type=int, default=1000)
    parser.add_argument("--qos", type=int, choices=(0, 1), default=1)
    parser.add_argument("--rate", type=float, default=0.0)
    parser.add_argument("--window", type=int, default=2000)
    parser.add_argument("--prefix", default="bench")
    options = parser.parse_args()
    load = blocks(options.first, options.count, options.things, options.qos, options.prefix)
    link = connect(options.port, "bench-publisher")
    print("ready", flush=True)
    sys.stdin.readline()
    started = time.perf_counter()
    sent = publish(link, load, options.count, options.qos, options.rate, options.window)
    print(f"done {time.perf_counter() - started:.6f} {sent}", flush=True)
    sys.stdin.readline()  # stay connected until told: nothing is to be torn down while others measure


if __name__ == "__main__":
    main()
