"""docs/catalogue.md, made from the catalogue: `make catalogue` writes it, a test holds that it is current.

Of each type: how it is reached, what it is asked and can be told, its fields, its double, and where the literal
examples come from that its tests hold it to.
"""

import json
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from devices.catalogue import ALIASES, built_in
from devices.spec.device import Device, MessageDevice, PolledDevice
from devices.spec.field import Field
from devices.spec.units import UNITS
from simulators.things import EPOCHS, PEERS
from tests.devices.published import VECTORS

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "catalogue.md"
DOMAINS = {
    "air": "Air",
    "health": "Health (testbed data, not for clinical use)",
    "robot": "Position and robots",
    "park": "Park: weather, soil, energy, buildings",
    "lorawan": "LoRaWAN networks",
}

HEAD = """# The catalogue

Made from the descriptions by `make catalogue`; not written by hand. `parkgate devices NAME` says the same of one type,
and of those in a configuration. Fields in *italics* may be absent from a reading. How to add a type:
[devices.md](devices.md).
"""


def page() -> str:
    """The whole page."""
    devices = built_in()
    parts = [HEAD]
    for domain, title in DOMAINS.items():
        rows = [device for device in devices.values() if device.domain == domain]
        parts.append(f"## {title}\n")
        parts.append(_table(("type", "what it is", "link", "fields"), (_row(device) for device in rows)))
        parts += [_section(device) for device in rows]
    return "\n".join(parts)


def _row(device: Device) -> tuple[str, ...]:
    return f"[`{device.name}`](#{device.name})", device.title, _reached(device), _count(device)


def _count(device: Device) -> str:
    return f"{len(device.fields)}{' and what a payload brings' if device.open_fields else ''}"


def _reached(device: Device) -> str:
    if isinstance(device, MessageDevice):
        return f"MQTT, `{device.topic}`"
    serial = device.serial
    asked = ", asked" if isinstance(device, PolledDevice) else ""
    return f"serial, {serial.baud} {serial.bits}{serial.parity}{serial.stop}{asked}"


def _section(device: Device) -> str:
    lines = [f"### {device.name}\n", f"{device.title}. {_how(device)}\n"]
    lines.append(f"Source: {' '.join(device.source.split())}.\n".replace("..\n", ".\n"))
    if device.fields:
        lines.append(_table(("field", "unit", "kind", "range", "meaning"), map(_field, device.fields)))
    if device.open_fields:
        lines.append("And whatever else a payload brings.\n")
    lines += _commands(device)
    lines.append(f"{_double(device)} {_examples(device)}\n")
    return "\n".join(lines)


def _how(device: Device) -> str:
    words = [f"{_reached(device)[:1].upper()}{_reached(device)[1:]}; expected every {device.expected_every_s:.4g} s."]
    if isinstance(device, PolledDevice):
        if device.units:
            words.append(f"Unit {device.units[0]} to {device.units[-1]}, {device.unit} as delivered.")
        words.append(f"Asked: {', '.join(question.name for question in device.questions)}.")
    aliases = [f"`{name}`" for name, types in sorted(ALIASES.items()) if device.name in types]
    if aliases:
        words.append(f"Also answers to {', '.join(aliases)}.")
    return " ".join(words)


def _field(field: Field) -> tuple[str, ...]:
    name = f"*`{field.name}`*" if field.optional else f"`{field.name}`"
    return name, UNITS[field.unit].symbol or "-", field.kind, _range(field), field.description


def _range(field: Field) -> str:
    if field.states:
        shown = ", ".join(f"`{state}`" for state in field.states[:8])
        return f"{shown} and {len(field.states) - 8} more" if len(field.states) > 8 else shown
    if field.minimum is None and field.maximum is None:
        return "-"
    low = "" if field.minimum is None else f"{field.minimum:.10g}"
    high = "" if field.maximum is None else f"{field.maximum:.10g}"
    step = f", step {field.step:.10g}" if field.step is not None else ""
    return f"{low} to {high}{step}".strip()


def _commands(device: Device) -> Iterator[str]:
    if not device.commands:
        return
    rows = []
    for command in device.commands:
        arguments = "; ".join(f"`{each.name}`: {each.words}" for each in command.arguments)
        rows.append((f"`{command.name}`", command.description, arguments or "-", command.answers))
    yield "Can be told:\n"
    yield _table(("command", "what it does", "arguments", "answers"), rows)


def _double(device: Device) -> str:
    if device.name in PEERS or device.name in EPOCHS:
        return "Its double has behaviour of its own beside the description."
    return "Its double is made from the description."


def _examples(device: Device) -> str:
    file = ROOT / "tests" / "devices" / f"{device.name.replace('-', '_')}.toml"
    kinds = Counter(each["kind"] for each in tomllib.loads(file.read_text(encoding="utf-8"))["example"])
    said = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    protocols = {name for name, types in ALIASES.items() if device.name in types} | {device.name}
    lines = VECTORS.read_text(encoding="utf-8").splitlines()
    vectors = sum(json.loads(line)["protocol"] in protocols for line in lines)
    shared = f"; {vectors} published vectors of its protocol" if vectors else ""
    return f"Held to {sum(kinds.values())} examples ({said}){shared}."


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    cells = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(each.replace("|", "\\|") for each in row) + " |" for row in cells) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.exit(0)
