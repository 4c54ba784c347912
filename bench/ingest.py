"""MQTT to InfluxDB, whole: a publisher, mosquitto, the gateway with its fsynced spool, influxd.

Measured against a null subscriber: the same MQTT session in a process of its own that counts
and acknowledges. Both are timed from the publisher's start to the last acknowledgement (QoS 0:
to the last commit). CPU per message is the gateway's whole process until everything is in
InfluxDB, writes included.
"""

import time
from pathlib import Path
from typing import Any

from bench.parts import Gateway, Worker, broker, gateway, influx, require, scratch
from bench.publisher import START_S
from tests.servers.influxd import Influxd
from tests.servers.mosquitto import Mosquitto


def config(port: int, influx_url: str, database: str, qos: int, protocol: str = "5") -> str:
    return f"""
[influxdb]
url = "{influx_url}"
database = "{database}"

[mqtt.bench]
url = "mqtt://127.0.0.1:{port}"
client_id = "bench-gateway"
protocol = "{protocol}"
max_things = 200000

[[mqtt.bench.subscription]]
topic = "bench/{{thing}}"
device = "senml"
qos = {qos}
"""


def subscribed(running: Gateway) -> None:
    running.wait(lambda health: not any("mqtt" in problem for problem in health["problems"]), "subscribed", 20.0)


def null_rate(mosquitto: Mosquitto, qos: int, count: int, things: int, protocol: str = "5") -> float:
    """Messages a second that a subscriber gets which does nothing with them."""
    subscriber = Worker("bench.null", port=mosquitto.port, count=count, qos=qos, protocol=protocol)
    publisher = Worker("bench.publisher", port=mosquitto.port, count=count, things=things, qos=qos)
    try:
        began = time.perf_counter()
        publisher.go()
        subscriber.done()
        seconds = time.perf_counter() - began
    finally:
        publisher.end()
        subscriber.end()
    return count / seconds


def gateway_run(
    directory: Path, mosquitto: Mosquitto, url: str, database: str, qos: int, count: int, things: int,
    rate: float = 0.0, protocol: str = "5",
) -> dict[str, Any]:  # fmt: skip
    """One load through a whole gateway: rates, CPU, memory, and the most points that waited."""
    with gateway(directory, config(mosquitto.port, url, database, qos, protocol)) as running:
        subscribed(running)
        publisher = Worker("bench.publisher", port=mosquitto.port, count=count, things=things, qos=qos, rate=rate)
        try:
            cpu = running.cpu_s
            began = time.perf_counter()
            publisher.go()
            backlog = 0
            while True:
                health = running.health()
                backlog = max(backlog, health["spool"]["points"])
                if health["stages"]["decoded"] >= count and health["stages"]["spooled"] >= count:
                    break
                time.sleep(0.1)
            seconds = time.perf_counter() - began
            running.wait(lambda health: health["spool"]["points"] == 0, "the spool to drain")
            return {
                "rate": count / seconds,
                "cpu_us": (running.cpu_s - cpu) / count * 1e6,
                "rss_mb": running.peak_mb,
                "backlog": backlog,
                "drained_s": time.perf_counter() - began,
            }
        finally:
            publisher.end()


def stored(influxd: Influxd, database: str, count: int, things: int) -> dict[str, int]:
    """What InfluxDB holds of messages 0..count-1 against what was sent, by thing."""
    end_ns = START_S * 1_000_000_000 + -(-count // things) * 10_000_000
    held = {
        row["tags"]["thing"]: int(row["values"][0][1])
        for row in influxd.query(
            f'SELECT COUNT("temperature_c") FROM "senml" WHERE time < {end_ns} GROUP BY "thing"', database
        )
    }
    lost = duplicates = 0
    for thing in range(things):
        expected = len(range(thing, count, things))
        found = held.get(f"t{thing}", 0)
        lost += max(0, expected - found)
        duplicates += max(0, found - expected)
    return {"sent": count, "stored": sum(held.values()), "lost": lost, "duplicates": duplicates}


def ingest(qos: int = 1, count: int = 300_000, things: int = 1000, protocol: str = "5") -> dict[str, Any]:
    """The burst: `count` messages as fast as the broker takes them."""
    require("mosquitto", "influxd")
    with scratch() as directory, broker(directory) as mosquitto, influx(directory) as influxd:
        null = null_rate(mosquitto, qos, count, things)
        run = gateway_run(directory / "burst", mosquitto, influxd.url, "burst", qos, count, things, protocol=protocol)
        return {
            "qos": qos,
            "null_msgs_per_s": round(null),
            "gateway_msgs_per_s": round(run["rate"]),
            "ratio": round(run["rate"] / null, 3),
            "cpu_us_per_msg": round(run["cpu_us"], 2),
            "rss_mb": run["rss_mb"],
            **stored(influxd, "burst", count, things),
        }
