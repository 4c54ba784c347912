"""How a SenML name and unit become a thing and a field name.

A resolved name says thing and quantity in one string. It is cut at its last separator, `:` or
`/`: `urn:dev:mac:0024befffe804ff1:temp` is the thing `urn:dev:mac:0024befffe804ff1` and the
quantity `temp`. A name that is a device URN and nothing more (RFC 9039; also urn:uuid and
urn:imei), or an IPv6 address (RFC 8428 section 5.1.7), is all thing, and `_` after such a URN
begins its component, here the quantity. A name without a separator is cut between base name and
name. Where no quantity is left, the unit gives one (`Cel` is a temperature), else it is `value`.

The field name is the quantity in lower snake, then the unit's suffix unless it is already there.
Values keep the unit on the wire: `hPa` is not turned into `Pa`, the suffix says which it is.
`C` is the coulomb and `S` the siemens in SenML, so neither gets the suffix of degree Celsius
or second.

A store gives a field one type for ever, and every vendor's `door` lands in the same field. The type
therefore stands in the name: a text ends in `_text`, a flag in `_flag`, and a number whose name
has such an ending gets `_value` behind it. Listed fields (`fields.py`) keep their names.

Limits: resolved names of 1 to 1,024 characters out of A-Z a-z 0-9 - : . / _ beginning with a
letter or digit (RFC 8428 section 4.5.1); field names of at most 128 characters, units of
at most 64; the last 4,096 names are remembered.

Sources: RFC 8428 (names, units), RFC 8798 (secondary units), RFC 9039 (device URNs).
"""

import re
from functools import lru_cache
from typing import Literal

MAX_NAME = 1024
MAX_FIELD = 128
MAX_UNIT = 64
_REMEMBERED = 4096


class NameRefused(ValueError):
    """A name or unit that SenML does not allow, or too long to be stored."""


SUFFIXES: dict[str, str] = {
    # RFC 8428 section 12.1, and what was registered there later; "" = the quantity says it all
    "m": "m", "kg": "kg", "g": "g", "s": "s", "A": "a", "K": "k", "cd": "cd", "mol": "mol",
    "Hz": "hz", "rad": "rad", "sr": "sr", "N": "n", "Pa": "pa", "J": "j", "W": "w",
    "C": "coulomb", "V": "v", "F": "farad", "Ohm": "ohm", "S": "siemens", "Wb": "wb",
    "T": "tesla", "H": "henry", "Cel": "c", "lm": "lm", "lx": "lx", "Bq": "bq", "Gy": "gy",
    "Sv": "sv", "kat": "kat", "m2": "m2", "m3": "m3", "l": "l", "m/s": "m_s", "m/s2": "m_s2",
    "m3/s": "m3_s", "l/s": "l_s", "W/m2": "w_m2", "cd/m2": "cd_m2", "bit": "bit",
    "bit/s": "bit_s", "lat": "deg", "lon": "deg", "pH": "ph", "dB": "db", "dBW": "dbw",
    "Bspl": "bspl", "count": "count", "/": "ratio", "%": "pct", "%RH": "pct", "%EL": "pct",
    "EL": "s", "1/s": "per_s", "1/min": "per_min", "beat/min": "bpm", "beats": "beats",
    "S/m": "siemens_m", "B": "bytes", "VA": "va", "VAs": "vas", "var": "var", "vars": "vars",
    "J/m": "j_m", "kg/m3": "kg_m3", "deg": "deg", "NTU": "ntu",
    # RFC 8798, secondary
    "ms": "ms", "min": "min", "h": "h", "MHz": "mhz", "kW": "kw", "kVA": "kva", "kvar": "kvar",
    "Ah": "ah", "Wh": "wh", "kWh": "kwh", "varh": "varh", "kvarh": "kvarh", "kVAh": "kvah",
    "Wh/km": "wh_km", "KiB": "kib", "GB": "gb", "Mbit/s": "mbit_s", "B/s": "bytes_s",
    "MB/s": "mb_s", "mV": "mv", "mA": "ma", "dBm": "dbm", "ug/m3": "ug_m3", "mm/h": "mm_h",
    "m/h": "m_h", "ppm": "ppm", "/100": "pct", "/1000": "permille", "hPa": "hpa", "mm": "mm",
    "cm": "cm", "km": "km", "km/h": "km_h",
}  # fmt: skip
"""SenML unit to the suffix of a field name."""

SECONDARY = frozenset(
    (
        *("ms", "min", "h", "MHz", "kW", "kVA", "kvar", "Ah", "Wh", "kWh", "varh", "kvarh", "kVAh", "Wh/km", "KiB"),
        *("GB", "Mbit/s", "B/s", "MB/s", "mV", "mA", "dBm", "ug/m3", "mm/h", "m/h", "ppm", "/100", "/1000", "hPa"),
        *("mm", "cm", "km", "km/h"),
    )
)
"""Units of RFC 8798: a pack that uses them says so with feature bit 4 of its version."""

_QUANTITY_OF_UNIT = {
    "Cel": "temperature", "K": "temperature", "%RH": "humidity", "lat": "latitude", "lon": "longitude",
    "%EL": "battery", "V": "voltage", "A": "current", "W": "power", "lx": "illuminance",
    "Pa": "pressure", "hPa": "pressure", "pH": "ph", "m/s": "speed", "kWh": "energy", "Hz": "frequency",
    "dB": "level", "dBm": "level", "beat/min": "heart_rate", "count": "count",
}  # fmt: skip

_ALIASES = {
    "Cel": {"temp": "temperature", "t": "temperature", "tmp": "temperature"},
    "%RH": {"hum": "humidity", "h": "humidity", "rh": "humidity", "relative_humidity": "humidity"},
    "%EL": {"bat": "battery", "batt": "battery", "battery_level": "battery"},
    "V": {"bat": "battery", "batt": "battery", "battery_voltage": "battery"},
    "lat": {"lat": "latitude"},
    "lon": {"lon": "longitude", "lng": "longitude", "long": "longitude"},
    "lx": {"light": "illuminance", "lux": "illuminance"},
}
"""Short words that mean a listed quantity once the unit confirms it."""

_FINER = {"db": ("dba", "dbc", "dbz")}
"""Suffixes in a name that say more than the unit does: SenML has no dB(A)."""

_RESERVED = frozenset(("time", "thing"))
_WORD_ENDINGS = ("_text", "_flag")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-:./_]*")
_DEVICE_URN = r"urn:dev:[a-z0-9]+:[A-Za-z0-9.\-]+|urn:(?:uuid|imei):[A-Za-z0-9\-]+"
_IPV6 = r"[0-9A-Fa-f]{4}(?::[0-9A-Fa-f]{1,4}){7}|[0-9A-Fa-f]{4}(?::[0-9A-Fa-f]{1,4}){0,5}:(?::[0-9A-Fa-f]{1,4}){1,6}"
_WHOLE = re.compile(_DEVICE_URN)
_ADDRESS = re.compile(_IPV6)
_COMPONENT = re.compile(rf"({_DEVICE_URN})_([^:/]+)")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z][a-z])")
_OTHER = re.compile(r"[^a-z0-9]+")

PLAIN_BASE = re.compile(rf"(?:(?:{_DEVICE_URN})|(?!urn:)[A-Za-z0-9][A-Za-z0-9\-:./_]*[A-Za-z0-9\-._])[:/]")
"""A base name that is a thing and one separator, whatever plain name follows."""

PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-._]*")
"""A name that is a quantity and nothing else."""


def snake(name: str) -> str:
    """Lower snake of any name; empty where it holds no letter or digit."""
    return _OTHER.sub("_", _CAMEL.sub("_", name).lower()).strip("_")


def split(base: str, name: str) -> tuple[str | None, str | None]:
    """(thing, quantity) of base name + name; either may be None. NameRefused if it is no name."""
    length = len(base) + len(name)
    if length > MAX_NAME:
        raise NameRefused(f"name of {length} characters, at most {MAX_NAME}")
    return _split(base, name)


@lru_cache(_REMEMBERED)
def _split(base: str, name: str) -> tuple[str | None, str | None]:
    full = base + name
    if _NAME.fullmatch(full) is None:
        raise NameRefused(f"name {full[:80]!r}: expected A-Z a-z 0-9 - : . / _ beginning with a letter or digit")
    component = _COMPONENT.fullmatch(full)
    if component is not None:
        return component[1], component[2]
    bare = full.rstrip(":/")
    if bare != full:
        return bare, None
    cut = max(full.rfind(":"), full.rfind("/"))
    if _ADDRESS.fullmatch(full) is not None:
        return full, None
    if cut < 0 or _WHOLE.fullmatch(full) is not None:
        if base and name:
            return base.rstrip(":/_"), name
        return (full, None) if base or cut >= 0 else (None, full)
    return full[:cut].rstrip(":/") or None, full[cut + 1 :]


def field_name(quantity: str | None, unit: str | None, middle: str = "") -> str:
    """Field name of a quantity in `unit` (None: it has none). `middle` goes before the suffix."""
    if (unit is not None and len(unit) > MAX_UNIT) or (quantity is not None and len(quantity) > MAX_NAME):
        raise NameRefused(f"unit or name too long: at most {MAX_UNIT} and {MAX_NAME} characters")
    return _field_name(quantity, unit, middle)


@lru_cache(_REMEMBERED)
def _field_name(quantity: str | None, unit: str | None, middle: str) -> str:
    stem = snake(quantity) if quantity else ""
    if unit == "C" and "temp" in stem:
        unit = "Cel"  # the commonest slip: C is the coulomb
    if unit is not None:
        stem = _ALIASES.get(unit, {}).get(stem, stem) or _QUANTITY_OF_UNIT.get(unit, "")
        if unit in ("lat", "lon"):
            stem = _position(stem, unit)
    stem = stem or "value"
    suffix = "" if unit is None else _suffix(unit)
    if middle or not _has(stem, suffix):
        stem = "_".join(part for part in (stem, middle, suffix) if part)
    if stem in _RESERVED or stem.endswith(_WORD_ENDINGS):
        stem += "_value"
    return _bounded(stem)


@lru_cache(_REMEMBERED)
def word_name(quantity: str | None, kind: Literal["text", "flag"]) -> str:
    """Field name of a quantity that is no number: its kind is the ending, once."""
    stem = (snake(quantity) if quantity else "") or "value"
    ending = "_" + kind
    return _bounded(stem if stem.endswith(ending) else stem + ending)


def _bounded(name: str) -> str:
    if len(name) > MAX_FIELD:
        raise NameRefused(f"field name of {len(name)} characters, at most {MAX_FIELD}")
    return name


def _position(stem: str, unit: str) -> str:
    whole = "latitude" if unit == "lat" else "longitude"
    if stem.endswith((whole, whole + "_deg")):
        return stem
    return f"{stem.removesuffix(unit).rstrip('_')}_{whole}".lstrip("_")


def _suffix(unit: str) -> str:
    known = SUFFIXES.get(unit)
    if known is not None:
        return known
    return snake(unit.replace("%", "pct").replace("°", "").replace("µ", "u").replace("μ", "u"))


def _has(stem: str, suffix: str) -> bool:
    if not suffix:
        return True
    return any(stem == word or stem.endswith("_" + word) for word in (suffix, *_FINER.get(suffix, ())))
