"""Every benchmark, in the order of docs/performance.md."""

from collections.abc import Callable
from typing import Any

from bench.decode import decode
from bench.ingest import ingest
from bench.latency import latency
from bench.outage import outage
from bench.profile import profile
from bench.scale import scale
from bench.serial import serial

SUITE: dict[str, Callable[[], dict[str, Any]]] = {
    "ingest QoS 1": lambda: ingest(qos=1, paced=True),
    "ingest QoS 0": lambda: ingest(qos=0, paced=True),
    "ingest aiomqtt": lambda: ingest(qos=1, count=50_000, protocol="3.1.1"),
    "serial": serial,
    "spool": outage,
    "decode": decode,
    "latency": latency,
    "scale": scale,
    "profile": profile,
}


def suite(began: Callable[[str], None]) -> dict[str, Any]:
    """Run all; `began` is told each name."""
    found = {}
    for name, measure in SUITE.items():
        began(name)
        found[name] = measure()
    return found
