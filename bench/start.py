"""From `parkgate run` to the first reading: one port, a sensor that speaks all the time, an influxd.

The whole catalogue is there, as always; a type costs nothing until it is named. The best of some starts counts: what
else the machine does only ever makes one slower. Memory is that of the process once readings flow.
"""

import contextlib
import os
import random
import time
import tty
from pathlib import Path
from typing import Any

from bench.parts import Gateway, influx, require, scratch
from bench.ports import frames
from devices.catalogue import built_in

SPEAK_S = 0.005
PATIENCE_S = 30.0


def start(rounds: int = 7) -> dict[str, Any]:
    seconds, memory = [], []
    require("influxd")
    with scratch() as directory, influx(directory) as store:
        for number in range(rounds):
            found = _once(directory / str(number), store.section())
            seconds.append(found[0])
            memory.append(found[1])
    return {
        "types": len(built_in()),
        "rounds": rounds,
        "first_reading_s": round(min(seconds), 3),
        "slowest_s": round(max(seconds), 3),
        "rss_mb": min(memory),
    }


def _once(directory: Path, text: str) -> tuple[float, float]:
    """Seconds to the first reading, and MB then."""
    master, slave = os.openpty()
    tty.setraw(slave)
    port = os.ttyname(slave)
    os.set_blocking(master, False)
    text += f'\n[[serial]]\nport = "{port}"\ndevice = "pms5003"\nthing = "lamp-1"\n'
    gateway = Gateway(directory, text)
    frame = frames(random.Random(1), 1)[0]
    began = time.perf_counter()
    gateway.process.begin()
    try:
        while time.perf_counter() - began < PATIENCE_S:
            with contextlib.suppress(BlockingIOError):
                os.write(master, frame)
            with contextlib.suppress(OSError):
                if gateway.health()["stages"]["decoded"]:
                    took = time.perf_counter() - began
                    time.sleep(0.5)
                    return took, gateway.peak_mb
            time.sleep(SPEAK_S)
        raise TimeoutError(f"no reading within {PATIENCE_S:g} s")
    finally:
        gateway.process.stop()
        os.close(master)
        os.close(slave)
