"""The exposes of a device: what its properties are, as the bridge lists them at run time.

    {"type": "numeric", "property": "temperature", "unit": "°C", "access": 1, "value_min": ..., "value_max": ...}
    {"type": "binary", "property": "state_l1", "endpoint": "l1", "value_on": "ON", "value_off": "OFF", "access": 7}
    {"type": "enum", "property": "action", "values": ["single", "double"]}
    {"type": "text" | "list", "property": ...}          a list is kept as JSON text
    {"type": "composite", "property": "color", "features": [{"type": "numeric", "property": "x"}, ...]}
    {"type": "light" | "switch" | "climate" | "cover" | "lock" | "fan", "features": [...]}    no value of its own

Access bit 1 says that the property is in the published state; a property with other bits alone (it can
only be set) is taken all the same when it comes, without judging it by a range that is meant for setting.

A value that does not fit what is exposed is left out and named: a number outside its range, a word
where a number is due. A word that an enum does not list is kept: lists lag behind firmware.

Limits: 256 properties a device, 4 levels of features, 64 values that nothing exposes, text 4,096
characters.
Source: zigbee2mqtt.io, "Exposes" and "MQTT topics and messages".
"""

from collections.abc import Mapping
from typing import Any

from devices.spec.names import Values, flag_name, number, number_name, snake, text_name, text_of
from devices.zigbee2mqtt.fields import COMMON, UNITS_OF

MAX_PROPERTIES = 256
MAX_DEPTH = 4
MAX_UNEXPOSED = 64

_PUBLISHED = 1
_KINDS = frozenset(("numeric", "binary", "enum", "text", "list"))

Properties = Mapping[str, "Property"]


class Property:
    """One property: how its value is called and read. `parts` are the features of a composite."""

    __slots__ = ("high", "kind", "low", "name", "off", "on", "parts")

    def __init__(self, kind: str, name: str) -> None:
        self.kind = kind
        self.name = name
        self.low: float | None = None
        self.high: float | None = None
        self.on: Any = True
        self.off: Any = False
        self.parts: dict[str, Property] = {}


def properties(exposes: object) -> dict[str, Property]:
    """What a device's `exposes` say, by property; what is not as it should be is passed over."""
    found: dict[str, Property] = {}
    _collect(exposes, "", found, MAX_DEPTH, [MAX_PROPERTIES])
    return found


def _collect(exposes: object, prefix: str, found: dict[str, Property], depth: int, room: list[int]) -> None:
    if not isinstance(exposes, list) or not depth:
        return
    for expose in exposes:
        if not isinstance(expose, dict):
            continue
        kind, name = str(expose.get("type")), expose.get("property")
        if kind not in _KINDS and not (kind == "composite" and isinstance(name, str)):
            _collect(expose.get("features"), prefix, found, depth - 1, room)
            continue
        if not isinstance(name, str) or not name or not room[0]:
            continue
        stem = snake(f"{prefix}_{name}" if prefix else name)
        known = found.get(name)
        if kind == "composite":
            if known is None or known.kind != "composite":
                room[0] -= 1
                known = found[name] = Property("composite", stem)
            _collect(expose.get("features"), stem, known.parts, depth - 1, room)
        elif known is None:  # the same property twice (color_xy and color_hs): the first one says what it is
            room[0] -= 1
            found[name] = _property(kind, stem, expose)


def _property(kind: str, stem: str, expose: Mapping[str, Any]) -> Property:
    if kind == "numeric":
        unit = expose.get("unit")
        made = Property(kind, number_name(stem, unit if isinstance(unit, str) else ""))
        access = expose.get("access")
        if not isinstance(access, int) or access & _PUBLISHED:
            made.low, made.high = _bound(expose.get("value_min")), _bound(expose.get("value_max"))
        return made
    if kind == "binary":
        made = Property(kind, flag_name(stem))
        made.on, made.off = expose.get("value_on", True), expose.get("value_off", False)
        return made
    return Property(kind, text_name(stem))


def _bound(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _common() -> dict[str, Property]:
    """What is known without any list. Ranges are not judged by it: converters differ."""
    found = {}
    for name, field in COMMON.items():
        kind = {"flag": "binary", "text": "text"}.get(field.kind, "numeric")
        made = found[name] = Property(kind, field.name)
        if name == "state":
            made.on, made.off = "ON", "OFF"
        assert kind != "numeric" or made.name == number_name(snake(name), UNITS_OF[name])
    return found


class Reader(Values):
    """Reads one state: `fields` are its values, `errors` what was left out of it and why."""

    __slots__ = ("_room",)

    def __init__(self) -> None:
        super().__init__()
        self._room = MAX_UNEXPOSED

    def read(self, values: Mapping[str, Any], known: Properties, prefix: str = "", depth: int = MAX_DEPTH) -> None:
        for key, value in values.items():
            if value is None:
                continue
            prop = known.get(key)
            if prop is None:
                self._unexposed(f"{prefix}_{key}" if prefix else key, value, depth)
            elif prop.kind == "composite":
                if isinstance(value, dict) and depth:
                    self.read(value, prop.parts, prop.name, depth - 1)
                else:
                    self._wrong(key, value, "an object")
            else:
                self._exposed(key, value, prop)

    def _exposed(self, key: str, value: Any, prop: Property) -> None:
        if prop.kind == "numeric":
            found = number(value)
            if found is None:
                self._wrong(key, value, "a number")
            elif (prop.low is not None and found < prop.low) or (prop.high is not None and found > prop.high):
                self._wrong(key, value, f"{_end(prop.low)} to {_end(prop.high)}")
            else:
                self.put(prop.name, found)
        elif prop.kind == "binary":
            if _same(value, prop.on) or value is True:
                self.put(prop.name, True)
            elif _same(value, prop.off) or value is False:
                self.put(prop.name, False)
            else:
                self._wrong(key, value, f"{prop.on!r} or {prop.off!r}")
        else:
            self.put(prop.name, text_of(value))

    def _unexposed(self, name: str, value: Any, depth: int) -> None:
        """A value that the list does not name: without a unit, its type in its name."""
        if isinstance(value, dict):
            if depth:
                for key, inner in value.items():
                    if inner is not None:
                        self._unexposed(f"{name}_{key}", inner, depth - 1)
        elif self._room:
            self._room -= 1
            self.any(snake(name), value)

    def _wrong(self, key: str, value: Any, expected: str) -> None:
        self.wrong(f"{key[:60]}: expected {expected}, got {str(value)[:40]!r}")


def _same(value: Any, word: Any) -> bool:
    if isinstance(value, str) and isinstance(word, str):
        return value.upper() == word.upper()
    return type(value) is type(word) and bool(value == word)


def _end(bound: float | None) -> str:
    return "any" if bound is None else f"{bound:g}"


KNOWN: Properties = _common()
"""Properties that are known without any list."""
