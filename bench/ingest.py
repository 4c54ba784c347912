"""MQTT to InfluxDB, whole: a publisher, mosquitto, the gateway with its fsynced spool, influxd.

Measured against a null subscriber: the same MQTT session in a process of its own that counts
and acknowledges. Both are timed from the publisher's start to the last acknowledgement (QoS 0:
to the last commit). CPU per message is the gateway's whole process until everything is in
InfluxDB, writes included.

`ratio` is against a null subscriber that reads as any client does, as soon as bytes are there.
The gateway's session rests between reads while messages come thick, which makes the broker's
work cheaper; `ratio_resting` is against a null subscriber that rests in the same way.
"""

import time
from pathlib import Path
from typing import Any

from bench.audit import audit
from bench.parts import Gateway, Worker, broker, gateway, influx, require, scratch
from bench.store import Store
from gateway.cli.usage import UsageError
from tests.servers.mosquitto import Mosquitto

PACES = (1.1, 1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
PACED_S = 8.0
BACKLOG_S = 1.0
MAX_THINGS = 200_000


def config(port: int, store: Store, qos: int, protocol: str = "5") -> str:
    return f"""{store.section()}
[mqtt.bench]
url = "mqtt://127.0.0.1:{port}"
client_id = "bench-gateway"
protocol = "{protocol}"
max_things = {MAX_THINGS}

[[mqtt.bench.subscription]]
topic = "bench/{{thing}}"
device = "senml"
qos = {qos}
"""


def subscribed(running: Gateway) -> None:
    running.wait(lambda health: not any("mqtt" in problem for problem in health["problems"]), "subscribed", 20.0)


def null_rate(
    mosquitto: Mosquitto, qos: int, count: int, things: int, protocol: str = "5", resting: bool = False
) -> float:
    """Messages a second that a subscriber gets which does nothing with them; `resting` between reads."""
    rest = int(resting)
    subscriber = Worker("bench.null", port=mosquitto.port, count=count, qos=qos, protocol=protocol, resting=rest)
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
    directory: Path, mosquitto: Mosquitto, store: Store, qos: int, count: int, things: int,
    rate: float = 0.0, protocol: str = "5",
) -> dict[str, Any]:  # fmt: skip
    """One load through a gateway of its own; see `load`."""
    with gateway(directory, config(mosquitto.port, store, qos, protocol)) as running:
        subscribed(running)
        return load(running, mosquitto, qos, 0, count, things, rate)


def load(
    running: Gateway, mosquitto: Mosquitto, qos: int, first: int, count: int, things: int, rate: float = 0.0
) -> dict[str, Any]:
    """Messages `first` and on, after as many that it has had: rates, CPU, memory, the most points that waited."""
    publisher = Worker(
        "bench.publisher", port=mosquitto.port, first=first, count=count, things=things, qos=qos, rate=rate
    )
    try:
        cpu, before = running.cpu_s, running.health()["stages"]["spooled"]
        began = time.perf_counter()
        publisher.go()
        backlog = 0
        while True:
            health = running.health()
            backlog = max(backlog, health["spool"]["points"])
            if health["stages"]["decoded"] >= first + count and health["stages"]["spooled"] >= before + count:
                break
            time.sleep(0.1)
        seconds = time.perf_counter() - began
        running.wait(lambda health: health["spool"]["points"] == 0, "the spool to drain")
        return {
            "rate": count / seconds,
            "cpu_us": (running.cpu_s - cpu) / count * 1e6,
            "rss_mb": running.peak_mb,
            "decoded": health["stages"]["decoded"] - first,
            "backlog": backlog,
            "drained_s": time.perf_counter() - began,
        }
    finally:
        publisher.end()


def ingest(
    qos: int = 1,
    count: int = 300_000,
    things: int = 1000,
    protocol: str = "5",
    influx_url: str | None = None,
    paced: bool = False,
) -> dict[str, Any]:
    """The burst: `count` messages as fast as the broker takes them. With `paced` also the highest
    steady rate whose backlog does not grow. `influx_url`: one that is there already (target.py)."""
    if things > MAX_THINGS:
        raise UsageError(f"--things {things}: expected {MAX_THINGS} at most")
    require("mosquitto", *([] if influx_url else ["influxd"]))
    with scratch() as directory, broker(directory) as mosquitto, influx(directory, influx_url) as store:
        null = null_rate(mosquitto, qos, count, things)
        resting = null_rate(mosquitto, qos, count, things, resting=True) if protocol == "5" else None
        run = gateway_run(directory / "burst", mosquitto, store, qos, count, things, protocol=protocol)
        found = {
            "qos": qos,
            "null_msgs_per_s": round(null),
            "gateway_msgs_per_s": round(run["rate"]),
            "ratio": round(run["rate"] / null, 3),
            "cpu_us_per_msg": round(run["cpu_us"], 2),
            "rss_mb": run["rss_mb"],
            **audit(store, count, things),
        }
        # a message that was taken twice is stored over itself, since it carries its time
        found["duplicates"] += max(0, run["decoded"] - count)
        if resting is None:
            found["protocol"] = protocol
        else:
            found |= {"null_resting_msgs_per_s": round(resting), "ratio_resting": round(run["rate"] / resting, 3)}
        if paced:
            found["paced_msgs_per_s"] = highest_paced(directory, mosquitto, store, qos, things, run["rate"])
        return found


def highest_paced(
    directory: Path, mosquitto: Mosquitto, store: Store, qos: int, things: int, burst: float
) -> int | None:
    """The highest of PACES of the burst rate at which no more than BACKLOG_S of points wait."""
    for pace in PACES:
        rate = burst * pace
        name = directory / f"paced-{pace}"
        run = gateway_run(name, mosquitto, store, qos, int(rate * PACED_S), things, rate=rate)
        if run["backlog"] <= rate * BACKLOG_S and run["rate"] >= rate * 0.95:
            return round(rate)
    return None
