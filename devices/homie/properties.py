"""One property of a Homie device: what its description says of it, and its values.

    {"name": "Engine temperature", "datatype": "float", "format": "-20:120", "unit": "°C"}      of version 5
    .../engine/temperature/$datatype float, .../$format -20:120, .../$unit °C                   of versions 3 and 4

| datatype | payload | stored as |
|---|---|---|
| integer, float | `21.5`; a format `min:max` or `min:max:step` is its range | `engine_temperature_c` |
| boolean | `true`, `false` | `lights_power_flag` |
| string, enum, color, datetime | as it is; in version 5 an empty string is one byte 00 | `..._text` |
| duration | `PT1H2M3.5S` | in seconds, `..._s` |
| json | an object: each of its values under its key | `station_temperature_c`, `..._flag`, `..._text` |

The name is that of the node and that of the property; of two that are the same one is left out, and the number behind
an array's node stays (`lights_1_power`). A value that is none of its datatype is left out and named. An enum's word
that its format does not list is kept. An integer is stored like any measured value, as a float; beyond 2^53 it is not
exact.

Without a description a value is read by its looks: a number, true or false, JSON, else a text. `USUAL` are the units
that the convention's examples have for some names; they are taken for one message that is read all alone.

Limits: 3 levels of JSON; else those of `devices.spec.names`.

Source: homieiot.github.io, Homie convention 5.0.0 and 4.0.0: "Payload", "Properties"; JSON: RFC 8259.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from devices.spec.json_object import JsonRefused, json_value
from devices.spec.names import Values, number, snake

MAX_DEPTH = 3
USUAL: Mapping[str, str] = {
    "temperature": "°C", "humidity": "%", "battery": "%", "voltage": "V", "current": "A", "power": "W",
}  # fmt: skip

_UNITS: Mapping[str, str] = {"#": "", "MK⁻¹": "mired", "μg/m³": "µg/m³"}
_DURATION = re.compile(r"PT(?=\d)(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9}(?:\.\d{1,9})?)S)?")
_WORDS = {"true": True, "false": False}
_NUMBER = re.compile(r"-?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?")


class Property(NamedTuple):
    """What is known of a property. An empty datatype: nothing, its values are read by their looks."""

    datatype: str = ""
    unit: str = ""
    low: float | None = None
    high: float | None = None


def property_of(datatype: object, unit: object, spread: object) -> Property:
    """A property as it is described; what is not as it should be is passed over."""
    low = high = None
    if datatype in ("integer", "float") and isinstance(spread, str):
        bounds = spread.split(":")
        if 2 <= len(bounds) <= 3:
            low, high = number(bounds[0]), number(bounds[1])
    written = unit if isinstance(unit, str) else ""
    kind = datatype if isinstance(datatype, str) and datatype else "string"
    return Property(kind, _UNITS.get(written, written), low, high)


def stem_of(node: str, name: str) -> str:
    """The stem of a property's fields."""
    first, last = snake(node), snake(name)
    return first if first == last else f"{first}_{last}"


def read(values: Values, node: str, name: str, prop: Property, payload: bytes) -> None:
    """The values of one payload."""
    text = "" if payload == b"\0" else payload.decode("utf-8", "replace")
    stem = stem_of(node, name)
    match prop.datatype:
        case "integer" | "float":
            _number(values, stem, text, prop)
        case "boolean":
            if text in _WORDS:
                values.flag(stem, _WORDS[text])
            else:
                values.wrong(f"{stem}: expected true or false, got {text[:40]!r}")
        case "duration":
            _duration(values, stem, text)
        case "json":
            _json(values, stem, payload, prop)
        case "":
            _looks(values, stem, text, payload, prop)
        case _:
            values.text(stem, text)


def _number(values: Values, stem: str, text: str, prop: Property) -> None:
    found = number(text) if _NUMBER.fullmatch(text) else None
    if found is None or (prop.datatype == "integer" and not found.is_integer()):
        values.wrong(f"{stem}: expected {_kind(prop.datatype)}, got {text[:40]!r}")
    elif (prop.low is not None and found < prop.low) or (prop.high is not None and found > prop.high):
        low = "any" if prop.low is None else f"{prop.low:g}"
        high = "any" if prop.high is None else f"{prop.high:g}"
        values.wrong(f"{stem}: {found:g} is outside {low}..{high}")
    else:
        values.number(stem, found, prop.unit)


def _kind(datatype: str) -> str:
    return "a whole number" if datatype == "integer" else "a number"


def _duration(values: Values, stem: str, text: str) -> None:
    found = _DURATION.fullmatch(text)
    if found is None:
        values.wrong(f"{stem}: expected a duration like PT1H2M3S, got {text[:40]!r}")
        return
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    values.number(stem, hours * 3600 + minutes * 60 + seconds, "s")


def _json(values: Values, stem: str, payload: bytes, prop: Property) -> None:
    said = json_value(payload)
    if isinstance(said, dict):
        _flat(values, stem, said, MAX_DEPTH)
    else:
        values.any(stem, said, prop.unit)


def _flat(values: Values, stem: str, said: Mapping[str, Any], depth: int) -> None:
    for key, value in said.items():
        inner = f"{stem}_{snake(key)}"
        if isinstance(value, dict):
            if depth:
                _flat(values, inner, value, depth - 1)
        else:
            values.any(inner, value)


def _looks(values: Values, stem: str, text: str, payload: bytes, prop: Property) -> None:
    """What nothing has described."""
    if text in _WORDS:
        values.flag(stem, _WORDS[text])
    elif text[:1] in ("{", "["):
        _json(values, stem, payload, prop)
    elif _NUMBER.fullmatch(text) and number(text) is not None:
        values.number(stem, text, prop.unit)
    else:
        values.text(stem, text)


def usual(name: str) -> Property:
    """What a property of that name is, as far as anybody can tell who has heard no description."""
    return Property("", USUAL.get(name, ""))


__all__ = ["USUAL", "JsonRefused", "Property", "property_of", "read", "stem_of", "usual"]
