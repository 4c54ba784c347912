"""Units that stand behind the keys of a payload, as wmbusmeters and rtl_433 write them.

    flow_m3h        m3/h: the field flow_m3_h
    wind_avg_mi_h   miles an hour: the field wind_avg_mph

A table says what each ending means. Of several the longest is the unit (`mm_h`, not `h`); a key that is nothing but an
ending has none. `key` goes the other way, from a field back to the key.
"""

from collections.abc import Mapping
from typing import Any

from devices.spec.events import Value
from devices.spec.field import Field
from devices.spec.names import Values, number, suffix, text_of


class Suffixes:
    """The endings of keys; `units` has for each its unit, a UCUM code or as people write it."""

    __slots__ = ("_endings", "_units")

    def __init__(self, units: Mapping[str, str]) -> None:
        self._units = dict(units)
        self._endings: dict[str, str] = {}
        for ending, unit in units.items():
            self._endings.setdefault(suffix(unit), ending)

    def split(self, key: str) -> tuple[str, str]:
        """What stands before the unit, and the unit ("" where there is none)."""
        return _split(key, self._units) or (key, "")

    def key(self, name: str) -> str:
        """The key of a number that is the field `name`."""
        found = _split(name, self._endings)
        return name if found is None else f"{found[0]}_{found[1]}"

    def said(self, name: str, value: Value) -> tuple[str, Value]:
        """A field as a payload has it: its key, and the value, whole where it is a whole number."""
        if isinstance(value, bool):
            return name.removesuffix("_flag"), value
        if isinstance(value, str):
            return name.removesuffix("_text"), value
        return self.key(name), int(value) if isinstance(value, float) and value.is_integer() else value


def number_of(
    values: Values, fields: Mapping[str, Field], value: Any, unit: str, name: str, plain: str
) -> float | None:
    """The number that a value is, for the field `name` in `unit`; None where there is none.

    What is no number goes to `values`: as it is under `plain`, or as an error where a described field wants one.
    """
    if value is None or (value == "" and unit):
        return None
    found = number(value) if unit or not isinstance(value, str) else None
    if found is None:
        if unit and name in fields:
            values.wrong(f"{name}: expected a number, got {text_of(value)[:40]!r}")
        else:
            values.any(plain, value)
    return found


def _split(key: str, endings: Mapping[str, str]) -> tuple[str, str] | None:
    at = key.find("_")
    while at >= 0:
        found = endings.get(key[at + 1 :])
        if found is not None and at:
            return key[:at], found
        at = key.find("_", at + 1)
    return None
