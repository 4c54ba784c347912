"""Figures for people: a table in the terminal and a chart as an SVG file of our own drawing."""

from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from rich.console import Console
from rich.table import Table

ROW, BAR, LEFT, WIDTH = 26, 16, 300, 900


def table(name: str, figures: dict[str, Any], console: Console) -> None:
    """One benchmark: lists of rows as tables, the rest as pairs."""
    pairs = {key: value for key, value in figures.items() if not isinstance(value, list)}
    if pairs:
        _table(console, name, ["figure", "value"], [[key, _text(value)] for key, value in pairs.items()])
    for key, rows in figures.items():
        if isinstance(rows, list):
            columns = list(dict.fromkeys(column for row in rows for column in row))
            _table(console, f"{name}: {key}", columns, [[_text(row.get(column)) for column in columns] for row in rows])


def _table(console: Console, title: str, columns: list[str], rows: list[list[str]]) -> None:
    shown = Table(title=title, title_justify="left")
    for index, column in enumerate(columns):
        shown.add_column(column, justify="right" if index else "left")
    for row in rows:
        shown.add_row(*row)
    console.print(shown)


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def chart(path: Path, title: str, bars: list[tuple[str, float, str]]) -> None:
    """Horizontal bars: (label, value, text beside it)."""
    most = max((value for _, value, _ in bars), default=1.0) or 1.0
    height = 60 + ROW * len(bars)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif"',
        ' font-size="13">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="16" y="28" font-size="16" fill="#222">{escape(title)}</text>',
    ]
    for index, (label, value, text) in enumerate(bars):
        top = 48 + ROW * index
        length = max(1.0, value / most * (WIDTH - LEFT - 190))
        out.append(f'<text x="{LEFT - 10}" y="{top + 12}" text-anchor="end" fill="#444">{escape(label)}</text>')
        out.append(f'<rect x="{LEFT}" y="{top}" width="{length:.1f}" height="{BAR}" rx="2" fill="#2a7f8e"/>')
        out.append(f'<text x="{LEFT + length + 8:.1f}" y="{top + 12}" fill="#222">{escape(text)}</text>')
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*out, "</svg>", ""]), encoding="utf-8")


def bars(name: str, figures: dict[str, Any]) -> list[tuple[str, float, str]]:
    """What of one benchmark is worth drawing."""
    if name == "ingest":
        return [
            ("null subscriber", figures["null_msgs_per_s"], f"{figures['null_msgs_per_s']:,}/s"),
            ("whole gateway", figures["gateway_msgs_per_s"], f"{figures['gateway_msgs_per_s']:,}/s"),
        ]
    if name == "decode":
        found = []
        for row in figures["types"]:
            found.append((row["device"], row["readings_per_s"], f"{row['readings_per_s']:,}/s"))
            if "library" in row:
                found.append((row["library"], row["library_per_s"], f"{row['library_per_s']:,}/s"))
        return found
    if name == "spool":
        return [
            ("bare sender", figures["bare_points_per_s"], f"{figures['bare_points_per_s']:,} points/s"),
            ("drain beside live data", figures["drain_points_per_s"], f"{figures['drain_points_per_s']:,} points/s"),
        ]
    if name == "scale":
        return [
            (f"{row['things']:,} things", row["cpu_us_per_msg"], f"{row['cpu_us_per_msg']} us a message")
            for row in figures["steps"]
        ]
    if name == "profile":
        return [(row["function"], row["share"], f"{row['share']:.0%}") for row in figures["dearest"]]
    if name == "latency":
        return [(key, figures[f"{key}_ms"], f"{figures[f'{key}_ms']} ms") for key in ("p50", "p99", "max")]
    return [("share of one core", figures["core_share"], f"{figures['core_share']:.0%}")]
