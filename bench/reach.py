"""What the gateway is meant to reach: a bound for a figure, and whether it is kept."""

from typing import Any, NamedTuple


class Reach(NamedTuple):
    """`most`: the figure may be `bound` at most; else it must be that at least."""

    bound: float
    most: bool = True

    def kept(self, value: float) -> bool:
        return value <= self.bound if self.most else value >= self.bound

    def __str__(self) -> str:
        if self.most and not self.bound:
            return "0"
        return f"{'≤' if self.most else '≥'} {self.bound:,g}"


_NOTHING = Reach(0)
_REACHES = {
    "ingest": {"cpu_us_per_msg": Reach(12), "rss_mb": Reach(150), "lost": _NOTHING, "duplicates": _NOTHING},
    "serial": {"lost": _NOTHING, "core_share": Reach(0.30)},
    "spool": {
        "ratio": Reach(0.8, most=False),
        "rss_mb": Reach(200),
        "lost": _NOTHING,
        "duplicates": _NOTHING,
        "wrong_values": _NOTHING,
        "last_wrong": _NOTHING,
    },
    "decode": {"ratio": Reach(1, most=False)},
    "start": {"first_reading_s": Reach(1)},
    "latency": {"p50_ms": Reach(60), "p99_ms": Reach(200)},
    "scale": {"cost_spread": Reach(0.20), "kb_per_thing": Reach(2), "lost": _NOTHING, "duplicates": _NOTHING},
}


def reaches(name: str, figures: dict[str, Any]) -> dict[str, Reach]:
    """The bounds of one benchmark, by the key of the figure. MQTT 3.1.1 is there to compare with: none."""
    kind = name.split()[0]
    found = dict(_REACHES.get(kind, {}))
    if kind == "ingest":
        if "protocol" in figures:
            return {}
        found["ratio"] = Reach(0.75 if figures["qos"] else 0.70, most=False)
    return found


def worst(figures: dict[str, Any], key: str, bound: Reach) -> float | None:
    """The figure that is nearest to the bound or farthest beyond it: of the rows where there are rows."""
    if key in figures:
        return figures[key]  # type: ignore[no-any-return]
    values = [row[key] for rows in figures.values() if isinstance(rows, list) for row in rows if key in row]
    return (max(values) if bound.most else min(values)) if values else None
