"""Where the time of a message goes: the functions of the hot path, dearest first.

In one process and without servers: the bytes of QoS 1 PUBLISH packets through the session's
receiver, the decoder and the line writer into the spool, committed (fsync) every COMMIT messages.
cProfile adds about a third of a microsecond to each call, so shares are truer than times.
"""

import asyncio
import cProfile
import pstats
import time
from pathlib import Path
from typing import Any

from bench.parts import scratch
from bench.publisher import BLOCK, blocks
from devices.catalogue import built_in
from devices.spec.device import MessageDevice
from gateway.clock import SystemClock
from gateway.config import MqttConfig, SpoolConfig, SubscriptionConfig
from gateway.decode.broker import BrokerIntake
from gateway.decode.subscription import Subscription
from gateway.pipeline import Pipeline
from gateway.sources.mqtt.receive import Receiver
from gateway.spool.spool import Spool
from gateway.stats import Stats

COMMIT = 2 * BLOCK
DEAREST = 10


class _Connection:
    def acknowledge(self, packet_ids: list[int]) -> None:
        pass

    def pause(self) -> None:
        pass

    def resume(self) -> None:
        pass


async def _run(directory: Path, load: list[bytes], things: int, profile: cProfile.Profile | None) -> float:
    """Take the whole load; CPU seconds of this process."""
    spool = Spool.open(directory / "spool.db", SpoolConfig(), SystemClock())
    pipeline = Pipeline(spool, SystemClock(), Stats())
    device = built_in()["senml"]
    assert isinstance(device, MessageDevice)
    wanted = SubscriptionConfig("bench/{thing}", "senml")
    config = MqttConfig("bench", "mqtt://127.0.0.1", "bench", (wanted,), max_things=2 * things)
    intake = BrokerIntake(pipeline, config, [Subscription(wanted, device)], "mqtt:bench")
    connection = _Connection()
    receiver = Receiver(connection, intake, lambda _packet: None, config.max_payload, intake.topics)
    began = time.process_time()
    for number, block in enumerate(load):
        if profile is not None:
            profile.enable()
        space = receiver.space()
        space[: len(block)] = block
        receiver.take(len(block))
        intake.chunk_end(connection)
        if profile is not None:
            profile.disable()
        if (number + 1) * BLOCK % COMMIT == 0:
            await pipeline.finish()
    await pipeline.finish()
    used = time.process_time() - began
    await spool.close()
    return used


def profile(count: int = 100_000, things: int = 1000) -> dict[str, Any]:
    load = blocks(0, count, things, 1, "bench")
    with scratch() as directory:
        plain = asyncio.run(_run(directory / "plain", load, things, None))
        profiler = cProfile.Profile()
        asyncio.run(_run(directory / "profiled", load, things, profiler))
    stats = pstats.Stats(profiler).stats  # type: ignore[attr-defined]
    whole = sum(own for _, _, own, _, _ in stats.values())
    rows = sorted(((own, calls, where) for where, (calls, _, own, _, _) in stats.items()), reverse=True)
    return {
        "messages": count,
        "cpu_us_per_msg": round(plain / count * 1e6, 2),
        "dearest": [
            {
                "function": f"{name} ({Path(file).name}:{line})" if line else name,
                "share": round(own / whole, 3),
                "profiled_us_per_msg": round(own / count * 1e6, 2),
                "calls_per_msg": round(calls / count, 2),
            }
            for own, calls, (file, line, name) in rows[:DEAREST]
        ],
    }
