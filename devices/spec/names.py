"""Field names for what others call their values, and a place where values become fields under them.

A name is that of the quantity in lower snake with the suffix of its unit: `temperature` in `°C` is
`temperature_c`. A unit that is not in `units` stands behind it in lower snake as it is written
(`mired`: `color_temp_mired`); a value without a unit gets nothing. A store gives a field one type
for ever, so the type stands in the name: a boolean ends in `_flag`, a text in `_text`, and a number
that is itself called so gets `_value`.

`Values` gathers the fields of one payload; nothing in it is overwritten: a second value of a name
gets the next free one (`power_w`, `power_w_2`).

Limits: names of MAX_NAME characters, texts of MAX_TEXT, MAX_VALUES values in one payload and
MAX_ERRORS words about what was left out of it; the last 4,096 names are remembered.
"""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from devices.spec.events import Value
from devices.spec.field import Field
from devices.spec.units import UNITS, spelled

MAX_NAME = 128
MAX_TEXT = 4096
MAX_VALUES = 512
MAX_ERRORS = 32

_OTHER = re.compile(r"[^a-z0-9]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[0-9])(?=[A-Z][a-z])")
_ENDINGS = ("_text", "_flag")
_QUANTITIES = {"pm25": "pm2_5", "pm1": "pm1_0"}
_UNITLESS = frozenset(("", "lqi", "-"))
_SPOKEN = str.maketrans(
    {"³": "3", "²": "2", "µ": "u", "μ": "u", "€": "eur", "$": "usd", "£": "gbp", "Ω": "ohm", "°": "deg", "%": "pct"}
)


@lru_cache(4096)
def snake(name: str) -> str:
    """Lower snake of any name; `value` where it holds no letter or digit."""
    return _OTHER.sub("_", _CAMEL.sub("_", name[:MAX_NAME]).lower()).strip("_") or "value"


@lru_cache(1024)
def suffix(unit: str) -> str:
    """What a field name says of a unit, given as a UCUM code or as people write it."""
    if unit in _UNITLESS:
        return ""
    found = UNITS.get(unit)
    if found is None:
        ucum = spelled(unit)
        found = None if ucum is None else UNITS[ucum]
    if found is not None:
        return found.suffix
    return _OTHER.sub("_", unit[:MAX_NAME].translate(_SPOKEN).lower()).strip("_")


def number_name(stem: str, unit: str = "") -> str:
    """The field of a number; `stem` is lower snake."""
    end = suffix(unit)
    stem = _QUANTITIES.get(stem, stem)
    if end and stem != end and not stem.endswith("_" + end):
        stem = f"{stem}_{end}"
    return stem + "_value" if stem.endswith(_ENDINGS) else stem


def flag_name(stem: str) -> str:
    """The field of a boolean."""
    return stem if stem.endswith("_flag") else stem + "_flag"


def text_name(stem: str) -> str:
    """The field of a text."""
    return stem if stem.endswith("_text") else stem + "_text"


def number(value: Any) -> float | None:
    """A finite number, or a text that is one; None where it is neither."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and "_" in value:  # which Python takes for a number's own
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if found - found == 0.0 else None


def text_of(value: Any) -> str:
    """Any JSON value as a text that can be stored."""
    if isinstance(value, str):
        return value[:MAX_TEXT]
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))[:MAX_TEXT]
    return str(value).lower() if isinstance(value, bool) else str(value)[:MAX_TEXT]


class Values:
    """The values of one payload: `fields`, and `errors`, words about what was left out of them."""

    __slots__ = ("_full", "errors", "fields")

    def __init__(self) -> None:
        self.fields: dict[str, Value] = {}
        self.errors: list[str] = []
        self._full = False

    def put(self, name: str, value: Value) -> None:
        """Under its name, or where that is taken under the next free one."""
        if len(self.fields) >= MAX_VALUES:
            if not self._full:
                self._full = True
                self.errors.append(f"more than {MAX_VALUES} values")
            return
        free, count = name, 1
        while free in self.fields:
            count += 1
            free = f"{name}_{count}"
        self.fields[free] = value

    def number(self, stem: str, value: Any, unit: str = "") -> bool:
        """A number, or a text that is one, in `unit`; where it is neither it is left out, and False."""
        found = number(value)
        if found is None:
            self.wrong(f"{stem}: expected a number, got {text_of(value)[:40]!r}")
            return False
        self.put(number_name(stem, unit), found)
        return True

    def described(self, fields: Mapping[str, Field], name: str, found: float) -> None:
        """A number under its name; where that is a described field's and has no room for it, it is left out."""
        field = fields.get(name)
        wrong = None if field is None else field.outside(found)
        if wrong:
            self.wrong(wrong)
        else:
            self.put(name, found)

    def flag(self, stem: str, value: bool) -> None:
        self.put(flag_name(stem), value)

    def text(self, stem: str, value: Any) -> None:
        self.put(text_name(stem), text_of(value))

    def any(self, stem: str, value: Any, unit: str = "") -> None:
        """A value of whatever type it has; None is absent, a number that no store holds is left out."""
        if value is None:
            return
        if isinstance(value, bool):
            self.flag(stem, value)
        elif isinstance(value, int | float):
            self.number(stem, value, unit)
        else:
            self.text(stem, value)

    def wrong(self, words: str) -> None:
        """Something was left out."""
        if len(self.errors) < MAX_ERRORS:
            self.errors.append(words)
