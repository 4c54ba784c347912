"""What a Shelly of the second generation publishes for a reading: the inverse of `components`.

With `online_flag` alone the word of its will, else a NotifyStatus of the components that have such values. A value with
the number of its component behind it is not said.

Source: shelly-api-docs.shelly.cloud, Gen2+: "Notifications".
"""

from typing import Any

from msgspec import json as msgjson

from devices.shelly.components import NAMED, NAMELESS, Key
from devices.shelly.fields import ONLINE
from devices.spec.errors import EncodeError
from devices.spec.events import Reading
from devices.spec.names import flag_name, number_name

_FLAGS = frozenset(("state", "alarm", "output", "external.present", "connected"))
_FIRST = ("switch", "em", "emdata", "temperature", "humidity", "illuminance", "voltmeter", "devicepower", "input",
          "smoke", "flood", "sys", "wifi")  # fmt: skip


def _places() -> dict[str, tuple[str, str]]:
    """Field to component and path, of the first component that has it."""
    found: dict[str, tuple[str, str]] = {"output_flag": ("switch", "output")}
    for kind in _FIRST:
        table, before = (NAMELESS[kind], "") if kind in NAMELESS else (NAMED[kind], kind)
        for path, key in table.items():
            found.setdefault(_name(before, path, key), (kind, path))
    return found


def _name(before: str, path: str, key: Key) -> str:
    stem = "_".join(part for part in (before, key.stem) if part)
    return flag_name(stem) if path in _FLAGS else number_name(stem, key.unit)


_PLACES = _places()
_WITHOUT_ID = frozenset(("sys", "wifi", "cloud"))


def encode(reading: Reading) -> bytes:
    """A NotifyStatus; with `online_flag` alone true or false."""
    if not reading.fields:
        raise EncodeError("shelly-gen2: a notification needs values")
    if reading.fields.keys() == {ONLINE.name}:
        return b"true" if reading.fields[ONLINE.name] else b"false"
    params: dict[str, Any] = {}
    if reading.time_ns is not None:
        params["ts"] = round(reading.time_ns / 1e9, 2)
    for name, value in reading.fields.items():
        if name == ONLINE.name:
            continue
        place = _PLACES.get(name)
        if place is None:
            raise EncodeError(f"shelly-gen2: {name} is no value of its components")
        kind, path = place
        own = kind if kind in _WITHOUT_ID else f"{kind}:0"
        inside = params.setdefault(own, {} if kind in _WITHOUT_ID else {"id": 0})
        *outer, last = path.split(".")
        for key in outer:
            inside = inside.setdefault(key, {})
        inside[last] = int(value) if isinstance(value, float) and value.is_integer() else value
    source = reading.thing or "shellyplus1pm-000000000000"
    return msgjson.encode({"src": source, "dst": f"{source}/events", "method": "NotifyStatus", "params": params})
