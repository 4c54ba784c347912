"""Figures for people: tables in the terminal and a chart as an SVG file of our own drawing.

A chart has horizontal bars in one unit. Where a bar has a bound to keep, a dark line stands
across it; what is to be kept stands under the bars in words, with "kept" or "NOT kept".
"""

import re
from pathlib import Path
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

from rich.console import Console
from rich.table import Table

from bench.reach import Reach, reaches, worst

ROW, BAR, LEFT, WIDTH, TEXT, TOP, CHARACTER = 26, 16, 300, 900, 190, 72, 8
OURS, THEIRS = "#2a7f8e", "#a9b4b8"
GOOD, BAD = "#2e7d32", "#b3261e"


_METHOD = re.compile(r"<method '(.+)' of '(.+)' objects>")
"""How the profiler calls a method that is not written in Python."""

_WORDS = {
    "ratio": ("ratio to what it is compared with", ""),
    "cpu_us_per_msg": ("CPU time of a message", " µs"),
    "rss_mb": ("most memory", " MB"),
    "lost": ("lost", ""),
    "duplicates": ("stored twice", ""),
    "wrong_values": ("points with values of another message", ""),
    "last_wrong": ("series that do not end with the last message sent", ""),
    "core_share": ("share of one core", ""),
    "p50_ms": ("half of the messages within", " ms"),
    "p99_ms": ("99 of 100 messages within", " ms"),
    "cost_spread": ("dearest step above the cheapest, as a share", ""),
    "first_reading_s": ("from the start to the first reading", " s"),
    "kb_per_thing": ("memory of a thing", " KB"),
}
"""What a figure is called under a chart, and its unit."""


class Bar(NamedTuple):
    """`theirs`: not the gateway's figure but the one to compare with. `bound`: where the line stands."""

    label: str
    value: float
    text: str
    theirs: bool = False
    bound: float | None = None


class Chart(NamedTuple):
    """`unit` is what the bars' length means; `notes` are sentences with whether they are good news."""

    unit: str
    bars: list[Bar]
    notes: list[tuple[str, bool]]


def table(name: str, figures: dict[str, Any], console: Console) -> None:
    """One benchmark: lists of rows as tables, the rest as pairs with what is to be reached."""
    bounds = reaches(name, figures)
    pairs = {key: value for key, value in figures.items() if not isinstance(value, list)}
    rows = [[key, _text(value), _verdict(value, bounds.get(key))] for key, value in pairs.items()]
    for key, bound in bounds.items():
        if key not in pairs:
            value = worst(figures, key, bound)
            rows.append([f"{key} (worst)", _text(value), _verdict(value, bound)])
    if rows:
        _table(console, name, ["figure", "value", "reach"], rows)
    for key, listed in figures.items():
        if isinstance(listed, list):
            columns = list(dict.fromkeys(column for row in listed for column in row))
            _table(
                console, f"{name}: {key}", columns, [[_text(row.get(column)) for column in columns] for row in listed]
            )


def _table(console: Console, title: str, columns: list[str], rows: list[list[str]]) -> None:
    shown = Table(title=title, title_justify="left")
    for index, column in enumerate(columns):
        shown.add_column(column, justify="right" if index else "left", overflow="fold")
    for row in rows:
        shown.add_row(*row)
    console.print(shown)


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _verdict(value: Any, bound: Reach | None) -> str:
    if bound is None or value is None:
        return ""
    return f"{bound}  {'kept' if bound.kept(value) else 'not kept'}"


def chart(path: Path, title: str, drawing: Chart) -> None:
    """Write the drawing as SVG."""
    most = max((max(bar.value, bar.bound or 0) for bar in drawing.bars), default=1.0) or 1.0
    scale = (WIDTH - LEFT - TEXT) / most
    under = TOP + ROW * len(drawing.bars) + 14
    height = under + 22 * len(drawing.notes) + 14
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
        ' font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="16" y="28" font-size="16" fill="#222">{escape(title)}</text>',
        f'<text x="16" y="50" fill="#666">{escape(drawing.unit)}</text>',
    ]
    for index, bar in enumerate(drawing.bars):
        out += _bar(bar, TOP + ROW * index, scale)
    for index, (text, good) in enumerate(drawing.notes):
        colour = GOOD if good else BAD
        out.append(f'<text x="{LEFT}" y="{under + 22 * index + 12}" fill="{colour}">{escape(text)}</text>')
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*out, "</svg>", ""]), encoding="utf-8")


def _bar(bar: Bar, top: int, scale: float) -> list[str]:
    length = max(1.0, bar.value * scale)
    line = LEFT + bar.bound * scale if bar.bound is not None else None
    beside = LEFT + length + 8
    if line is not None and beside - 8 <= line < beside + CHARACTER * len(bar.text):
        beside = line + 8
    colour = THEIRS if bar.theirs else OURS
    out = [
        f'<text x="{LEFT - 10}" y="{top + 13}" text-anchor="end" fill="#444">{escape(bar.label)}</text>',
        f'<rect x="{LEFT}" y="{top}" width="{length:.1f}" height="{BAR}" rx="2" fill="{colour}"/>',
        f'<text x="{beside:.1f}" y="{top + 13}" fill="#222">{escape(bar.text)}</text>',
    ]
    if line is not None:
        out.append(f'<line x1="{line:.1f}" x2="{line:.1f}" y1="{top - 4}" y2="{top + BAR + 4}" stroke="#111"/>')
    return out


def bars(name: str, figures: dict[str, Any]) -> Chart:
    """What of one benchmark is worth drawing."""
    bounds = reaches(name, figures)
    drawn, unit = {
        "ingest": _ingest,
        "decode": _decode,
        "codecs": _codecs,
        "spool": _spool,
        "scale": _scale,
        "profile": _profile,
        "latency": _latency,
        "serial": _serial,
        "start": _start,
    }[name.split()[0]](figures, bounds)
    notes = []
    for key, bound in bounds.items():
        value = worst(figures, key, bound)
        if value is not None:
            notes.append((_note(key, value, bound), bound.kept(value)))
    return Chart(unit, drawn, notes)


def _note(key: str, value: float, bound: Reach) -> str:
    """A figure and its bound in a sentence."""
    label, unit = _WORDS.get(key, (key, ""))
    kept = "kept" if bound.kept(value) else "NOT kept"
    return f"{label}: {_text(value)}{unit}; to be {bound}{unit if bound.bound else ''}: {kept}"


_Drawn = tuple[list[Bar], str]


def _start(figures: dict[str, Any], bounds: dict[str, Reach]) -> _Drawn:
    first, slowest = figures["first_reading_s"], figures["slowest_s"]
    bound = bounds["first_reading_s"].bound
    return [
        Bar("best start", first, f"{first} s", bound=bound),
        Bar("slowest start", slowest, f"{slowest} s"),
    ], "seconds"


def _ingest(figures: dict[str, Any], bounds: dict[str, Reach]) -> _Drawn:
    null, own = figures["null_msgs_per_s"], figures["gateway_msgs_per_s"]
    bound = bounds["ratio"].bound * null if "ratio" in bounds else None
    found = [Bar("null subscriber", null, f"{null:,}/s", theirs=True)]
    resting = figures.get("null_resting_msgs_per_s")
    if resting is not None:
        found.append(Bar("null subscriber that rests", resting, f"{resting:,}/s", theirs=True))
    found.append(Bar("whole gateway, burst", own, f"{own:,}/s", bound=bound))
    paced = figures.get("paced_msgs_per_s")
    if paced is not None:
        found.append(Bar("whole gateway, steady", paced, f"{paced:,}/s"))
    protocol = figures.get("protocol", "5")
    line = f"; line: {bounds['ratio'].bound:g} of the null subscriber" if bound is not None else ""
    return found, f"messages a second, MQTT {protocol}, QoS {figures['qos']}{line}"


def _decode(figures: dict[str, Any], _bounds: dict[str, Reach]) -> _Drawn:
    found = []
    for row in figures["types"]:
        found.append(Bar(row["device"], row["readings_per_s"], f"{row['readings_per_s']:,}/s"))
        if "library" in row:
            text = f"{row['library_per_s']:,}/s, ours {row['ratio']:g} times"
            found.append(Bar(f"the same with {row['library']}", row["library_per_s"], text, theirs=True))
    return found, "readings a second on one core"


def _codecs(figures: dict[str, Any], _bounds: dict[str, Reach]) -> _Drawn:
    found = []
    for row in figures["codecs"]:
        found.append(Bar(f"{row['codec']}: its process", row["process_cpu_us"], f"{row['process_cpu_us']} µs"))
        found.append(Bar("the gateway", row["gateway_cpu_us"], f"{row['gateway_cpu_us']} µs"))
    return found, f"CPU microseconds an uplink, {figures['rate_per_s']} uplinks a second"


def _spool(figures: dict[str, Any], bounds: dict[str, Reach]) -> _Drawn:
    bare, drain = figures["bare_points_per_s"], figures["drain_points_per_s"]
    found = [
        Bar("bare sender", bare, f"{bare:,}/s", theirs=True),
        Bar("drain beside live messages", drain, f"{drain:,}/s", bound=bounds["ratio"].bound * bare),
    ]
    return found, f"points a second into InfluxDB; line: {bounds['ratio'].bound:g} of the bare sender"


def _scale(figures: dict[str, Any], bounds: dict[str, Reach]) -> _Drawn:
    costs = [row["cpu_us_per_msg"] for row in figures["steps"]]
    flat = min(costs) * (1 + bounds["cost_spread"].bound)
    found = [
        Bar(f"{row['things']:,} things", row["cpu_us_per_msg"], f"{row['cpu_us_per_msg']} µs", bound=flat)
        for row in figures["steps"]
    ]
    return found, f"CPU microseconds a message; line: {bounds['cost_spread'].bound:.0%} above the cheapest"


def _profile(figures: dict[str, Any], _bounds: dict[str, Reach]) -> _Drawn:
    found = [
        Bar(_METHOD.sub(r"\2.\1", row["function"]), row["share"], f"{row['share']:.1%}") for row in figures["dearest"]
    ]
    return found, f"share of the CPU time of a message, {figures['cpu_us_per_msg']} µs without the profiler"


def _latency(figures: dict[str, Any], bounds: dict[str, Reach]) -> _Drawn:
    found = []
    for key in ("p50_ms", "p99_ms", "max_ms"):
        bound = bounds[key].bound if key in bounds else None
        found.append(Bar(key.removesuffix("_ms"), figures[key], f"{figures[key]} ms", bound=bound))
    rate = f"{figures['msgs_per_s']:,} messages a second"
    return found, f"milliseconds from publish to queryable in InfluxDB, at {rate}; lines: what is to be kept"


def _serial(figures: dict[str, Any], bounds: dict[str, Reach]) -> _Drawn:
    share, bound = figures["core_share"], bounds["core_share"].bound
    found = [
        Bar("whole gateway", share, f"{share:.1%} of one core", bound=bound),
        Bar("one core", 1.0, "100.0%", theirs=True),
    ]
    return found, f"share of one core, {figures['ports']} ports at 115200 baud; line: {bound:.0%}"
