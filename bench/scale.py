"""Many things: what one message costs, and what one thing costs in memory, as things grow.

The same number of messages each time, spread over 100 to 100,000 things which the gateway has
met before: each has sent one message, whose cost is `first_us_per_thing`. Memory per thing is
the growth of the gateway's peak from the smallest to the largest run over the things added.
"""

from typing import Any

from bench.audit import audit
from bench.ingest import gateway_run
from bench.parts import broker, influx, require, scratch

STEPS = (100, 1_000, 10_000, 100_000)


def scale(count: int = 200_000, steps: tuple[int, ...] = STEPS) -> dict[str, Any]:
    require("mosquitto", "influxd")
    rows: list[dict[str, Any]] = []
    for things in steps:
        with scratch() as directory, broker(directory) as mosquitto, influx(directory) as store:
            run = gateway_run(directory / "run", mosquitto, store, 1, count, things, warm=things)
            found = audit(store, things + count, things)
            rows.append(
                {
                    "things": things,
                    "cpu_us_per_msg": round(run["cpu_us"], 2),
                    "first_us_per_thing": round(run["first_us"], 1),
                    "rss_mb": run["rss_mb"],
                    "lost": found["lost"],
                    "duplicates": found["duplicates"],
                }
            )
    costs = [row["cpu_us_per_msg"] for row in rows]
    per_thing = (rows[-1]["rss_mb"] - rows[0]["rss_mb"]) * 1e3 / (rows[-1]["things"] - rows[0]["things"])
    return {
        "messages": count,
        "steps": rows,
        "cost_spread": round(max(costs) / min(costs) - 1, 3),
        "kb_per_thing": round(per_thing, 2),
    }
