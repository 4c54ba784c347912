"""Many things: what one message costs, and what one thing costs in memory, as things grow.

The same number of messages each time, spread over 100 to 100,000 things which the gateway has
met before: each has sent one message, whose cost is `first_us_per_thing`. Memory per thing is
the growth of the gateway's peak from the smallest to the largest run over the things added.

A machine is not as fast in one minute as in the next. So the gateways of all steps live at the
same time, each with a broker and a store of its own, take their loads in turn, ROUNDS times,
and the cheapest round of each counts.
"""

from contextlib import ExitStack
from typing import Any, NamedTuple

from bench.audit import audit
from bench.ingest import config, load, subscribed
from bench.parts import Gateway, broker, gateway, influx, require, scratch
from bench.store import Store
from tests.servers.mosquitto import Mosquitto

STEPS = (100, 1_000, 10_000, 100_000)
ROUNDS = 8


class _Step(NamedTuple):
    things: int
    mosquitto: Mosquitto
    store: Store
    running: Gateway


def scale(count: int = 100_000, steps: tuple[int, ...] = STEPS) -> dict[str, Any]:
    """`count` messages a step and round."""
    require("mosquitto", "influxd")
    with ExitStack() as stack:
        rooms = [_step(stack, things) for things in steps]
        firsts = [load(room.running, room.mosquitto, 1, 0, room.things, room.things) for room in rooms]
        rounds = [
            [load(room.running, room.mosquitto, 1, room.things + turn * count, count, room.things) for room in rooms]
            for turn in range(ROUNDS)
        ]
        rows = []
        for room, first, runs in zip(rooms, firsts, zip(*rounds, strict=True), strict=True):
            found = audit(room.store, room.things + ROUNDS * count, room.things)
            rows.append(
                {
                    "things": room.things,
                    "cpu_us_per_msg": round(min(run["cpu_us"] for run in runs), 2),
                    "first_us_per_thing": round(first["cpu_us"], 1),
                    "rss_mb": room.running.peak_mb,
                    "lost": found["lost"],
                    "duplicates": found["duplicates"],
                }
            )
    costs = [row["cpu_us_per_msg"] for row in rows]
    per_thing = (rows[-1]["rss_mb"] - rows[0]["rss_mb"]) * 1e3 / (rows[-1]["things"] - rows[0]["things"])
    return {
        "messages": ROUNDS * count,
        "steps": rows,
        "cost_spread": round(max(costs) / min(costs) - 1, 3),
        "kb_per_thing": round(per_thing, 2),
    }


def _step(stack: ExitStack, things: int) -> _Step:
    directory = stack.enter_context(scratch())
    mosquitto = stack.enter_context(broker(directory))
    store = stack.enter_context(influx(directory))
    running = stack.enter_context(gateway(directory / "run", config(mosquitto.port, store, 1)))
    subscribed(running)
    return _Step(things, mosquitto, store, running)
