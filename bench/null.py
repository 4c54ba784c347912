"""The least a subscriber can do: the gateway's own MQTT session, counting and acknowledging.

Run as a process of its own (`python -m bench.null`). It says `ready` once subscribed, and when
`count` messages have come `done <seconds from the first message to the last acknowledgement>
<CPU seconds>`. What the whole gateway reaches is measured against this.
"""

import argparse
import asyncio
import time

import uvloop

from gateway.clock import SystemClock
from gateway.config import MqttConfig, SubscriptionConfig
from gateway.intake import Acknowledger
from gateway.sources.mqtt import make_mqtt_source
from gateway.stats import SourceStats


class Counter:
    """Implements `MessageIntake`: acknowledges each received chunk at once."""

    def __init__(self, count: int) -> None:
        self.left = count
        self.first = 0.0
        self.done = asyncio.Event()
        self._packet_ids: list[int] = []

    def message(
        self,
        connection: Acknowledger,
        topic: str,
        payload: bytes,
        packet_id: int | None,
        duplicate: bool,
        retained: bool = False,
    ) -> None:
        self.left -= 1
        if packet_id is not None:
            self._packet_ids.append(packet_id)

    def oversize(
        self, connection: Acknowledger, topic: str, head: bytes, size: int, packet_id: int | None, duplicate: bool
    ) -> None:
        raise AssertionError("the load has no large messages")

    def chunk_end(self, connection: Acknowledger) -> None:
        self.first = self.first or time.perf_counter()
        if self._packet_ids:
            connection.acknowledge(self._packet_ids)
            self._packet_ids = []
        if self.left <= 0:
            self.done.set()


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--qos", type=int, choices=(0, 1), default=1)
    parser.add_argument("--protocol", choices=("5", "3.1.1"), default="5")
    parser.add_argument("--prefix", default="bench")
    options = parser.parse_args()
    counter = Counter(options.count)
    subscription = SubscriptionConfig(f"{options.prefix}/+", "senml", qos=options.qos)
    config = MqttConfig(
        "null",
        f"mqtt://127.0.0.1:{options.port}",
        "bench-null",
        (subscription,),
        protocol=options.protocol,
        session_expiry_s=0,
    )
    stats = SourceStats("null")
    source = make_mqtt_source(config, counter, SystemClock(), stats)
    running = asyncio.create_task(source.run())
    while not source.subscribed:
        await asyncio.sleep(0.01)
    print("ready", flush=True)
    cpu = time.process_time()
    await counter.done.wait()
    print(f"done {time.perf_counter() - counter.first:.6f} {time.process_time() - cpu:.6f}", flush=True)
    source.stop_reading()
    running.cancel()
    await source.close()


if __name__ == "__main__":
    uvloop.run(main())
