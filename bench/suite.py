"""Every benchmark, in the order of docs/performance.md.

    PARKGATE_BENCH=quick make bench

runs all with a small load in about a minute, to see that they run: its figures are mostly the
cost of starting, and say nothing about what is to be reached.
"""

import os
from collections.abc import Callable
from functools import partial
from typing import Any

from bench.codecs import codecs
from bench.decode import decode
from bench.ingest import ingest
from bench.latency import latency
from bench.outage import outage
from bench.profile import profile
from bench.scale import scale
from bench.serial import serial
from bench.start import start
from gateway.cli.usage import UsageError

Measures = dict[str, Callable[[], dict[str, Any]]]

SUITE: Measures = {
    "ingest QoS 1": partial(ingest, qos=1, paced=True),
    "ingest QoS 0": partial(ingest, qos=0, paced=True),
    "ingest aiomqtt": partial(ingest, qos=1, count=50_000, protocol="3.1.1"),
    "serial": serial,
    "spool": outage,
    "decode": decode,
    "codecs": codecs,
    "start": start,
    "latency": latency,
    "scale": scale,
    "profile": profile,
}

QUICK: Measures = {
    "ingest QoS 1": partial(ingest, qos=1, count=10_000, things=100),
    "ingest QoS 0": partial(ingest, qos=0, count=10_000, things=100),
    "ingest aiomqtt": partial(ingest, qos=1, count=5_000, things=100, protocol="3.1.1"),
    "serial": partial(serial, ports=8, seconds=2.0),
    "spool": partial(outage, points=50_000, things=100),
    "decode": partial(decode, seconds=0.15),
    "codecs": partial(codecs, seconds=0.5, burst=500),
    "start": partial(start, rounds=1),
    "latency": partial(latency, rate=1000.0, seconds=3.0, things=100),
    "scale": partial(scale, count=5_000, steps=(100, 1_000)),
    "profile": partial(profile, count=10_000),
}


def suite(began: Callable[[str], None]) -> dict[str, Any]:
    """Run all; `began` is told each name."""
    effort = os.environ.get("PARKGATE_BENCH", "")
    if effort not in ("", "quick"):
        raise UsageError(f"PARKGATE_BENCH={effort}: expected quick, or nothing for the whole load")
    found = {}
    for name, measure in (QUICK if effort else SUITE).items():
        began(name)
        found[name] = measure()
    return found
