"""The device types for tests over all of them: those that parkgate brings, some that are made from a table, and those
that the papers show how to write."""

import re
import tomllib
from pathlib import Path
from typing import Any

from devices.catalogue import built_in
from devices.spec.device import Device
from devices.tables import device_type

ROOT = Path(__file__).parent.parent


def blocks(language: str) -> list[str]:
    """The code blocks of docs/devices.md in one language."""
    text = (ROOT / "docs" / "devices.md").read_text()
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def _shown() -> list[Device]:
    """The types that docs/devices.md shows whole, with their examples."""
    examples = [tomllib.loads(block)["device"] for block in blocks("toml") if "[[example]]" in block]
    shown: list[Device] = []
    for block in blocks("python"):
        if any(f'name="{name}"' in block for name in examples):
            room: dict[str, Any] = {"__name__": "papers"}
            exec(compile(block, "docs/devices.md", "exec"), room)
            shown.append(room["DEVICE"])
    return [device for device in shown if device.name not in BUILT_IN]  # whoever follows the papers has it there


TABLES = tomllib.loads((ROOT / "tests" / "configured_types.toml").read_text())["type"]
CONFIGURED = tuple(device_type(table) for table in TABLES)
BUILT_IN = built_in()
SHOWN = tuple(_shown())
BY_NAME = BUILT_IN.plus([*CONFIGURED, *SHOWN])
DEVICES = tuple(BY_NAME.values())
