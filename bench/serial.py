"""Serial at line rate: 64 ptys at 115200 baud, PMS5003 frames, 1 % of the bytes with a bit flipped.

CPU is that of the whole gateway, from the first byte until everything is in InfluxDB, over the
time of the load: 30 % of one core is the reach.
"""

import time
from contextlib import ExitStack
from typing import Any

from bench.parts import Gateway, Worker, gateway, influx, require, scratch
from gateway.cli.usage import UsageError
from tests.servers.process import wait_until

MAX_PORTS = 400
"""Each takes two file descriptors of the writer, of the 1,024 that a process usually may have."""


def serial(ports: int = 64, seconds: float = 10.0, flipped: float = 0.01) -> dict[str, Any]:
    if ports > MAX_PORTS:
        raise UsageError(f"--ports {ports}: expected {MAX_PORTS} at most")
    require("influxd")
    with ExitStack() as stack:
        directory = stack.enter_context(scratch())
        store = stack.enter_context(influx(directory))
        worker = Worker("bench.ports", ports=ports, seconds=seconds, flipped=flipped)
        stack.callback(worker.end)
        text = store.section()
        for number, port in enumerate(worker.ready):
            text += f'\n[[serial]]\nport = "{port}"\ndevice = "pms5003"\nthing = "lamp-{number}"\nbaud = 115200\n'
        running = stack.enter_context(gateway(directory / "gateway", text))
        running.wait(lambda health: "".join(health["problems"]).count("open but silent") == ports, "open ports", 20.0)
        cpu, began = running.cpu_s, time.perf_counter()
        worker.go()
        good, written = worker.done()
        took = time.perf_counter() - began
        readings = _settled(running, int(good))
        count = 'SELECT COUNT("pm2_5_ug_m3") FROM "pms5003"'
        wait_until(lambda: (store.rows(count) or [[0, 0]])[0][1] >= readings, "every reading in InfluxDB")
        used = running.cpu_s - cpu
        health = running.health(devices=True)
        return {
            "ports": ports,
            "bytes_per_s": round(written / took),
            "good_frames": int(good),
            "readings": _readings(health),
            "lost": max(0, int(good) - _readings(health)),
            "integrity_errors": sum(device["integrity_errors"] for device in health["devices"]),
            "noise_bytes": sum(device["noise_bytes"] for device in health["devices"]),
            "stored": store.rows(count)[0][1],
            "core_share": round(used / took, 3),
            "cpu_us_per_frame": round(used / good * 1e6, 1),
            "rss_mb": running.peak_mb,
        }


def _settled(running: Gateway, good: int) -> int:
    """Readings once none comes any more: all good frames, and the few whose damage the sum does not show."""
    before = -1
    while True:
        stages = running.wait(lambda health: health["stages"]["decoded"] >= good, "every good frame", 20.0)["stages"]
        if stages["decoded"] == before:
            return before
        before = int(stages["decoded"])
        time.sleep(0.5)


def _readings(health: Any) -> int:
    return sum(device["readings"] for device in health["devices"])
