"""The values of one Tasmota object, by the rule of `keys`.

ON and OFF are flags, `0T05:00:12` (days, hours, minutes, seconds) is in seconds, null is absent. A number that is
written as a text is a number where its key has a unit; `nan` there, and a listed field outside its range, are left
out and named.

Limits: 4 levels below a sensor, 16 places of a list; else those of `devices.spec.names`.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from devices.spec.names import Values, number, number_name, text_of
from devices.tasmota.fields import BY_NAME
from devices.tasmota.keys import (
    ENERGY,
    KEYS,
    LEFT_OUT,
    OWN,
    SPEED,
    SPEEDS,
    UNITS_SAID,
    WIFI,
    Key,
    find,
    plain_stem,
    sensor,
)

MAX_DEPTH = 4
MAX_PLACES = 16

_SPAN = re.compile(r"(\d{1,5})T(\d\d):(\d\d):(\d\d)")
_WORDS = {"ON": True, "OFF": False}
_NO_NUMBER = frozenset(("nan", "-nan", "inf", "-inf"))
"""What C prints of a float that is none."""

_TABLES: Mapping[str, Mapping[str, Key]] = {"ENERGY": ENERGY, "Wifi": WIFI}
_NAMELESS = frozenset((*_TABLES, "StatusSNS", "StatusSTS"))
"""Objects whose keys are the module's own."""


@lru_cache(256)
def _table(name: str) -> Mapping[str, Key]:
    """The keys of a sensor, which may have a number or an address behind its name."""
    own = OWN.get(re.split(r"[-_]", name, maxsplit=1)[0])
    return KEYS if own is None else {**KEYS, **own}


class Reader:
    """Reads one message. `values` are those of the module; `nodes` those of devices that it stands for."""

    __slots__ = ("nodes", "units", "values")

    def __init__(self) -> None:
        self.values = Values()
        self.nodes: dict[str, Values] = {}
        self.units: dict[str, str] = dict(UNITS_SAID)

    def read(self, message: Mapping[str, Any]) -> None:
        """All of a SENSOR, a STATE or a status."""
        for key in UNITS_SAID:
            said = message.get(key)
            if isinstance(said, str):
                self.units[key] = said
        for name, value in message.items():
            if name in LEFT_OUT:
                continue
            if name == "ZbReceived" and isinstance(value, dict):
                self._nodes(value)
            elif name in _NAMELESS and isinstance(value, dict):
                self._object(value, "", _TABLES.get(name, KEYS), None, MAX_DEPTH)
            elif isinstance(value, dict):
                self._object(value, sensor(name), _table(name), None, MAX_DEPTH)
            else:
                self._value(name, value, "", KEYS, None, MAX_DEPTH)

    def _nodes(self, nodes: Mapping[str, Any]) -> None:
        """What a Zigbee bridge hears, by the name or else the address of each device."""
        own = self.values
        for address, said in nodes.items():
            if isinstance(said, dict):
                named = said.get("Name")
                self.values = self.nodes.setdefault(named if isinstance(named, str) and named else address, Values())
                rest = {key: each for key, each in said.items() if key not in ("Device", "Name", "IEEEAddr")}
                self._object(rest, "", KEYS, None, MAX_DEPTH)
        self.values = own

    def _object(
        self, said: Mapping[str, Any], prefix: str, table: Mapping[str, Key], above: Key | None, depth: int
    ) -> None:
        for name, value in said.items():
            if name not in LEFT_OUT:
                self._value(name, value, prefix, table, above, depth)

    def _value(
        self, name: str, value: Any, prefix: str, table: Mapping[str, Key], above: Key | None, depth: int
    ) -> None:
        """One key: `above` is that of the object around it, where it has a unit."""
        key = None if above is not None else find(table, name)
        inner = Key(key.stem if key else plain_stem(name), key.unit if key else above.unit if above else "")
        stem = f"{prefix}_{inner.stem}" if prefix else inner.stem
        if isinstance(value, dict):
            if depth:
                self._object(value, stem, KEYS, inner if inner.unit else None, depth - 1)
        elif isinstance(value, list):
            self._places(stem, value, inner, depth)
        elif value is not None:
            self._put(stem, value, inner, name)

    def _places(self, stem: str, places: list[Any], key: Key, depth: int) -> None:
        for place, value in enumerate(places[:MAX_PLACES], 1):
            if isinstance(value, dict):
                if depth:
                    self._object(value, f"{stem}_{place}", KEYS, None, depth - 1)
            elif isinstance(value, list):
                if depth:
                    self._places(f"{stem}_{place}", value, key, depth - 1)
            elif value is not None:
                self._put(f"{stem}_{place}", value, key, "")

    def _put(self, stem: str, value: Any, key: Key, name: str) -> None:
        values = self.values
        if not isinstance(value, str):
            if isinstance(value, bool) or not isinstance(value, int | float):
                values.any(stem, value)
            else:
                self._number(stem, value, key)
        elif value in _WORDS and name != "Action":
            values.flag(stem, _WORDS[value])
        elif (span := _SPAN.fullmatch(value)) is not None:
            days, hours, minutes, seconds = (int(part) for part in span.groups())
            values.number(stem, ((days * 24 + hours) * 60 + minutes) * 60 + seconds, "s")
        elif key.unit and (number(value) is not None or value.lower() in _NO_NUMBER):
            self._number(stem, value, key)
        else:
            values.put(stem if stem.endswith("_text") else stem + "_text", text_of(value))

    def _number(self, stem: str, value: Any, key: Key) -> None:
        said = self.units.get(key.unit, key.unit)
        unit = SPEEDS.get(said, said) if key.unit == SPEED else said
        found, name = number(value), number_name(stem, unit)
        field = BY_NAME.get(name)
        if field is not None and found is not None and (wrong := field.outside(found)):
            self.values.wrong(wrong)
        else:
            self.values.number(stem, value, unit)
