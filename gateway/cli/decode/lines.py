"""One short coloured line an event, for a terminal. No colour where NO_COLOR is set."""

import shutil
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from gateway.cli.values import PLACE, short, value_text

if TYPE_CHECKING:
    from devices.spec.device import Device
    from devices.spec.events import Event, Value

STYLES = {"noise": "yellow", "integrity": "red", "sanity": "magenta", "empty": "dim", "bytes": "yellow"}


class Lines:
    """Writes the lines. `live` events get the time of day they were seen at, others that of the reading."""

    def __init__(self, live: bool) -> None:
        self._live = live
        self._console = Console(highlight=False, soft_wrap=True)

    def say(self, values: Mapping[str, Any], event: "Event | None", device: "Device | None") -> None:
        """`values` are the event's in JSON; `event` is the reading behind them, where it is one."""
        self._console.print(self.line(values, event, device), no_wrap=True, crop=False, overflow="ignore")

    def note(self, words: str) -> None:
        """A remark about what was seen."""
        self._console.print(Text(words, style="bold cyan"), no_wrap=True, crop=False, overflow="ignore")

    def line(self, values: Mapping[str, Any], event: "Event | None", device: "Device | None") -> Text:
        line = Text()
        moment = self._moment(values)
        if moment:
            line.append(f"{moment}  ", "dim")
        if values["event"] == "reading" and event is not None and device is not None:
            name = values.get("thing") or device.name
            line.append(f"{name}  ", "bold cyan")
            _fields(line, event.fields, device)  # type: ignore[union-attr]  # a reading, as `values` say
            for words in values.get("field_errors", ()):
                line.append(f"  left out: {words}", "yellow")
            return line
        return line.append_text(_other(values))

    def _moment(self, values: Mapping[str, Any]) -> str:
        if self._live:
            now = time.time()
            return time.strftime("%H:%M:%S", time.localtime(now)) + f".{int(now % 1 * 1000):03d}"
        return str(values.get("time") or "")


def _other(values: Mapping[str, Any]) -> Text:
    """What is no reading: its kind, the reason, and the bytes as text and in hex."""
    if values["event"] == "text":
        return Text(str(values["text"]))
    kind = str(values.get("kind", values["event"]))
    detail = f": {values['detail']}" if values.get("detail") else ""
    count = values["bytes"]
    line = Text(f"{kind}{detail}, {count} byte{'' if count == 1 else 's'}", STYLES.get(kind, ""))
    more = "…" if count > len(values["hex"]) // 2 else ""
    line.append(f"  {values['ascii']}{more}", "bold")
    line.append(f"  {bytes.fromhex(values['hex']).hex(' ')}{more}", "dim")
    return line


def _fields(line: Text, fields: "Mapping[str, Value]", device: "Device") -> None:
    """As many fields as the terminal is wide, what the type shows first; how many more there are."""
    width = shutil.get_terminal_size().columns
    order = {field.name: (not field.panel, at) for at, field in enumerate(device.fields)}
    names = sorted(fields, key=lambda name: (name not in PLACE, order.get(name, (False, len(order)))))
    for at, name in enumerate(names):
        words, value = short(name, device), value_text(device, name, fields[name])
        left = f"+{len(names) - at}"
        if at and line.cell_len + len(words) + len(value) + 3 + len(left) > width:
            line.append(left, "dim")
            return
        line.append(f"{words} ", "dim")
        line.append(value)
        line.append("  ")
    line.rstrip()
