"""From publish to queryable: probes among a steady load, each asked for until InfluxDB has it.

The clock stops when a query returns the probe; the queries are POLL_S apart, which is the
resolution. A probe is a SenML message of thing `probe` with a count.
"""

import json
import socket
import statistics
import time
from contextlib import ExitStack
from typing import Any

import mqtt5

from bench.errors import BenchError
from bench.ingest import config, subscribed
from bench.parts import Worker, broker, gateway, influx, require, scratch
from bench.publisher import connect
from bench.store import Store
from gateway.cli.usage import UsageError

POLL_S = 0.005
PROBE_EVERY_S = 0.05
PATIENCE_S = 30.0
MOST_MESSAGES = 10_000_000
"""All are encoded beforehand, some 200 bytes each."""


def _probe(link: socket.socket, store: Store, number: int) -> float:
    """Publish one probe and wait until it can be queried; seconds."""
    payload = json.dumps([{"n": "probe", "v": number}]).encode()
    packet = mqtt5.PublishPacket("bench/probe", payload, qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=number % 65_535 + 1)
    began = time.perf_counter()
    link.sendall(packet.write())
    query = f'SELECT "probe" FROM "senml" WHERE "thing" = \'probe\' AND "probe" = {number}'
    while not store.rows(query):
        if time.perf_counter() - began > PATIENCE_S:
            raise BenchError(f"a message could not be queried within {PATIENCE_S:g} s: the load is too much here")
        time.sleep(POLL_S)
    return time.perf_counter() - began


def latency(rate: float = 5000.0, seconds: float = 30.0, things: int = 1000) -> dict[str, Any]:
    if not rate * (seconds + 10) <= MOST_MESSAGES:
        raise UsageError(f"--rate {rate:g} for --seconds {seconds:g}: expected {MOST_MESSAGES:,} messages at most")
    require("mosquitto", "influxd")
    with ExitStack() as stack:
        directory = stack.enter_context(scratch())
        mosquitto, store = stack.enter_context(broker(directory)), stack.enter_context(influx(directory))
        text = config(mosquitto.port, store, 1)
        running = stack.enter_context(gateway(directory / "gateway", text))
        subscribed(running)
        count = int(rate * (seconds + 10))
        load = Worker("bench.publisher", port=mosquitto.port, count=count, things=things, rate=rate)
        link = connect(mosquitto.port, "bench-probe")
        link.settimeout(0.0)
        load.go()
        running.wait(lambda health: health["stages"]["written"] > rate, "the load to flow", 30.0)
        found: list[float] = []
        cpu, before = running.cpu_s, running.health()["stages"]["decoded"]
        until = time.perf_counter() + seconds
        while time.perf_counter() < until or len(found) < 2:
            found.append(_probe(link, store, len(found) + 1))
            time.sleep(PROBE_EVERY_S)
        cost = (running.cpu_s - cpu) / (running.health()["stages"]["decoded"] - before)
        link.close()
        load.end()
    cuts = statistics.quantiles(found, n=100, method="inclusive")
    return {
        "msgs_per_s": round(rate),
        "probes": len(found),
        "p50_ms": round(cuts[49] * 1000),
        "p99_ms": round(cuts[98] * 1000),
        "max_ms": round(max(found) * 1000),
        "cpu_us_per_msg": round(cost * 1e6, 1),
    }
