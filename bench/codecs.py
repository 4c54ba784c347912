"""LoRaWAN codecs in their process: what an uplink costs on either side, how long it takes, what starting costs.

Codecs as makers publish them (those of the tests), payloads that they published. `gateway_cpu_us` and
`process_cpu_us` are processor time of an uplink on either side, `p50_us` and `p99_us` from question to answer at a
steady rate; `first_ms` from the first question to its answer, with the process to start; `rss_mb` is that process with
all of them.
"""

import asyncio
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.parts import ROOT
from devices.spec.coded import CodecRefused, Coded, Raw
from gateway.clock import SystemClock
from gateway.codecs import Codecs, Limits
from tests.devices.published import payload, published

VENDOR = ROOT / "tests" / "gateway" / "codecs" / "vendor"
FOR = {"milesight": "Milesight AM319", "elsys": "Elsys ERS smart", "decentlab-dl-sht35": "Decentlab DL-SHT35"}
TICK_S = 0.01


def codecs(rate: float = 300.0, seconds: float = 5.0, burst: int = 20_000) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        for name in FOR:
            shutil.copy(VENDOR / f"{name}.js", folder)
        return asyncio.run(_codecs(Path(folder), rate, seconds, burst))


async def _codecs(folder: Path, rate: float, seconds: float, burst: int) -> dict[str, Any]:
    room = Codecs(folder, "network", Limits(), SystemClock())
    running = asyncio.create_task(room.run())
    vectors = published("lorawan-payload")
    raws = []
    for name, device in FOR.items():
        vector = next(vector for vector in vectors if vector["device"].startswith(device))
        raws.append(Raw(payload(vector), vector["fport"], profile=name))
    began = time.perf_counter()
    await _asked(room, raws[0])
    first = time.perf_counter() - began
    for raw in raws:
        await _asked(room, raw)
    rows = []
    for raw in raws:
        steady = await _steady(room, raw, rate, seconds)
        began = time.perf_counter()
        await asyncio.gather(*(_asked(room, raw) for _ in range(burst)))
        most = round(burst / (time.perf_counter() - began))
        rows.append({"codec": raw.profile, **steady, "burst_per_s": most})
    figures = {
        "rate_per_s": round(rate),
        "first_ms": round(first * 1000, 1),
        "rss_mb": _rss_mb(room.process.pid),
        "codecs": rows,
    }
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return figures


async def _asked(room: Codecs, raw: Raw) -> float:
    """Seconds until a codec has answered."""
    told: asyncio.Future[Coded | CodecRefused] = asyncio.get_running_loop().create_future()
    began = time.perf_counter()
    ask = room.choose(raw)
    assert ask is not None
    assert ask(raw, 0, told.set_result) is None
    assert isinstance(await told, Coded)
    return time.perf_counter() - began


async def _steady(room: Codecs, raw: Raw, rate: float, seconds: float) -> dict[str, Any]:
    pid = room.process.pid
    own, theirs, began = time.process_time(), _cpu_s(pid), time.perf_counter()
    took: list[float] = []
    while (now := time.perf_counter() - began) < seconds:
        if len(took) >= now * rate:
            await asyncio.sleep((len(took) + 1) / rate - now)
        took.append(await _asked(room, raw))
    cuts = statistics.quantiles(took, n=100, method="inclusive")
    return {
        "gateway_cpu_us": round((time.process_time() - own) / len(took) * 1e6),
        "process_cpu_us": round((_cpu_s(pid) - theirs) / len(took) * 1e6),
        "p50_us": round(cuts[49] * 1e6),
        "p99_us": round(cuts[98] * 1e6),
    }


def _cpu_s(pid: int | None) -> float:
    words = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) * TICK_S


def _rss_mb(pid: int | None) -> float:
    return round(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / 1e6, 1)
