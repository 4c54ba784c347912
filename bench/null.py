"""The least a subscriber can do: the gateway's own codec, counting and acknowledging.

Run as a process of its own (`python -m bench.null`). It says `ready` once subscribed, and when
`count` messages have come `done <seconds from the first message to the last acknowledgement>
<CPU seconds>`. What the whole gateway reaches is measured against this.

It reads whatever has come as soon as it has come, as any client would; the gateway's session
rests between reads and so makes the broker cheaper, too. With `--resting 1` it rests in the same
way: what is left of the difference is what the gateway does with a message. With `--protocol 3.1.1` it is a paho
client that counts.
"""

import argparse
import asyncio
import time
from typing import Any, cast

import mqtt5
import uvloop
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from gateway.sources.mqtt.flow import BRISK_S, FULL_BYTES, MANY, REST_S

BUFFER_BYTES = 1 << 18


class Null(asyncio.BufferedProtocol):
    """Implements nothing but CONNECT, SUBSCRIBE and PUBACK."""

    def __init__(self, topic: str, qos: int, count: int, resting: bool) -> None:
        self.ready = asyncio.Event()
        self.done = asyncio.Event()
        self.first = 0.0
        self._left = count
        self._topic = topic
        self._qos = qos
        self._view = memoryview(bytearray(BUFFER_BYTES))
        self._end = 0
        self._resting = resting
        self._read_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(mqtt5.ConnectPacket("bench-null", clean_start=True).write())

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._view[self._end :]

    def buffer_updated(self, nbytes: int) -> None:
        view, pos, end = self._view, 0, self._end + nbytes
        now = time.perf_counter()
        before = self._left
        acks = []
        while pos < end:
            try:
                packet, size = mqtt5.read(view[pos:end])
            except IndexError:
                break
            pos += size
            if isinstance(packet, mqtt5.PublishPacket):
                self._left -= 1
                if packet.packet_id:
                    acks.append(mqtt5.PubAckPacket(packet.packet_id).write())
            elif isinstance(packet, mqtt5.ConnAckPacket):
                level = mqtt5.QoS.AT_LEAST_ONCE if self._qos else mqtt5.QoS.AT_MOST_ONCE
                topic = mqtt5.TopicFilter(self._topic, max_qos=level)
                self._transport.write(mqtt5.SubscribePacket(1, [topic]).write())
            elif isinstance(packet, mqtt5.SubAckPacket):
                self.ready.set()
        view[: end - pos] = bytes(view[pos:end])
        self._end = end - pos
        if acks:
            self._transport.write(b"".join(acks))
        if self.ready.is_set() and not self.first:
            self.first = time.perf_counter()
        if self._left <= 0:
            self.done.set()
        elif self._resting:
            self._rest(nbytes, before - self._left, now)
        self._read_at = now

    def _rest(self, nbytes: int, taken: int, now: float) -> None:
        """Stop reading for a moment where the gateway's session would."""
        if nbytes < FULL_BYTES and (taken >= MANY or now - self._read_at < BRISK_S):
            self._transport.pause_reading()
            asyncio.get_running_loop().call_later(REST_S, self._transport.resume_reading)


async def mqtt_5(port: int, topic: str, qos: int, count: int, resting: bool) -> None:
    null = Null(topic, qos, count, resting)
    await asyncio.get_running_loop().create_connection(lambda: null, "127.0.0.1", port)
    await null.ready.wait()
    print("ready", flush=True)
    cpu = time.process_time()
    await null.done.wait()
    print(f"done {time.perf_counter() - null.first:.6f} {time.process_time() - cpu:.6f}", flush=True)


def mqtt_311(port: int, topic: str, qos: int, count: int) -> None:
    left = count
    first = 0.0

    def on_message(client: Client, _userdata: object, _message: MQTTMessage) -> None:
        nonlocal left, first
        first = first or time.perf_counter()
        left -= 1
        if left <= 0:
            client.disconnect()

    def on_connect(client: Client, *_: Any) -> None:
        client.subscribe(topic, qos)

    client = Client(CallbackAPIVersion.VERSION2, "bench-null")
    client.on_message = on_message
    client.on_connect = on_connect
    client.on_subscribe = lambda *_: print("ready", flush=True)
    client.connect("127.0.0.1", port)
    cpu = time.process_time()
    client.loop_forever()
    print(f"done {time.perf_counter() - first:.6f} {time.process_time() - cpu:.6f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--qos", type=int, choices=(0, 1), default=1)
    parser.add_argument("--protocol", choices=("5", "3.1.1"), default="5")
    parser.add_argument("--prefix", default="bench")
    parser.add_argument("--resting", type=int, choices=(0, 1), default=0)
    options = parser.parse_args()
    topic = f"{options.prefix}/+"
    if options.protocol == "5":
        uvloop.run(mqtt_5(options.port, topic, options.qos, options.count, bool(options.resting)))
    else:
        mqtt_311(options.port, topic, options.qos, options.count)


if __name__ == "__main__":
    main()
