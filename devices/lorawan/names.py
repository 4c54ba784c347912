"""Field names for what a LoRaWAN payload formatter calls things.

The Things Stack says nothing about units; the formatter's author chooses the names. A number whose
name ends in a word listed here gets the unit that this word nearly always has (`soil_temperature`
is in degrees Celsius), any other number keeps its bare name. Words
that have several usual units (`battery`, `pressure`, `distance`, `rain`, `speed`) are not listed.
A channel number stays behind the quantity: `temperature_0` becomes `temperature_0_c`.

A store gives a field one type for ever, and every formatter's `door` lands in the same field. The
type therefore stands in the name: a text ends in `_text`, a boolean in `_flag`, and a number whose
name has such an ending gets `_value` behind it. What the network says of any message (`ENVELOPE`)
keeps its name; a formatter's value of that name gets `payload_` before it.

An object of a `value` with a `unit` or a name for people is that value, and its unit is the one it says:
`"air": {"displayName": "Air temperature", "value": 21.5, "unit": "°C"}` is `air_c`.

The normalised payload (second table) has fixed units, section by section.

Limits: 256 values and 8 levels in one payload, names of at most 128 characters, finite numbers; a value
beyond them is left out.

Sources: The Things Stack documentation, "Payload Formatters" and "CayenneLPP"; the schema of
the normalised payload in TheThingsNetwork/lorawan-devices, `lib/payload.json`.
"""

import re
from collections.abc import Mapping

from devices.spec.events import Value
from devices.spec.names import number_name as unit_name

MAX_VALUES = 256
MAX_DEPTH = 8
MAX_NAME = 128
_MAX_CACHE = 4096
_LONGEST_PATH = 512


class PayloadRefused(ValueError):
    """A decoded value that cannot be stored; the text says where and why."""


class TooManyValues(Exception):
    """The payload has more values than are taken."""


_WORDS: dict[str, tuple[str, str]] = {
    "temperature": ("temperature", "c"), "temp": ("temperature", "c"), "tempc": ("temperature", "c"),
    "temp_c": ("temperature", "c"),
    "temperature_c": ("temperature", "c"), "humidity": ("humidity", "pct"), "hum": ("humidity", "pct"),
    "relative_humidity": ("humidity", "pct"), "barometric_pressure": ("pressure", "hpa"),
    "barometer": ("pressure", "hpa"), "atmospheric_pressure": ("pressure", "hpa"), "co2": ("co2", "ppm"),
    "pm1": ("pm1", "ug_m3"), "pm1_0": ("pm1", "ug_m3"), "pm2_5": ("pm2_5", "ug_m3"), "pm25": ("pm2_5", "ug_m3"),
    "pm10": ("pm10", "ug_m3"), "illuminance": ("illuminance", "lx"), "lux": ("illuminance", "lx"),
    "moisture": ("moisture", "pct"), "soil_moisture": ("soil_moisture", "pct"),
    "wind_speed": ("wind", "m_s"), "wind_direction": ("wind_direction", "deg"),
    "battery_voltage": ("battery", "v"), "bat_v": ("battery", "v"), "batv": ("battery", "v"),
    "vbat": ("battery", "v"), "battery_percentage": ("battery", "pct"), "battery_percent": ("battery", "pct"),
    "battery_level": ("battery", "pct"), "latitude": ("latitude", "deg"), "longitude": ("longitude", "deg"),
    "altitude": ("altitude", "m"), "laeq": ("noise", "dba"), "noise": ("noise", "dba"),
}  # fmt: skip
"""Last words of a name to (quantity, suffix)."""

_NORMALISED: dict[str, str] = {
    "air_temperature": "air_temperature_c", "air_relative_humidity": "air_humidity_pct",
    "air_pressure": "air_pressure_hpa", "air_co2": "air_co2_ppm", "air_light_intensity": "air_illuminance_lx",
    "soil_temperature": "soil_temperature_c", "soil_moisture": "soil_moisture_pct", "soil_depth": "soil_depth_cm",
    "soil_ec": "soil_conductivity_ds_m", "soil_p_h": "soil_ph", "soil_n": "soil_nitrogen_ppm",
    "soil_p": "soil_phosphorus_ppm", "soil_k": "soil_potassium_ppm", "wind_speed": "wind_m_s",
    "wind_direction": "wind_direction_deg", "battery": "battery_v", "rain_intensity": "rain_mm_h",
    "rain_cumulative": "rain_cumulative_mm", "water_temperature_min": "water_temperature_min_c",
    "water_temperature_max": "water_temperature_max_c", "water_temperature_avg": "water_temperature_avg_c",
    "water_temperature_current": "water_temperature_c", "metering_water_total": "metering_water_total_l",
    "position_latitude": "latitude_deg", "position_longitude": "longitude_deg",
}  # fmt: skip

_MEASURED = frozenset(("value", "unit", "displayName", "name", "label"))
_SUFFIXES = frozenset(suffix for _, suffix in _WORDS.values())
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z]$)")
_OTHER = re.compile(r"[^a-z0-9]+")
_CHANNEL = re.compile(r"(.+?)_(\d+)")
_RESERVED = frozenset(("time", "thing"))
_WORD_ENDINGS = ("_text", "_flag")

ENVELOPE = frozenset(
    (
        *(
            "device_id",
            "device_name",
            "dev_eui",
            "f_port",
            "f_cnt",
            "payload_hex",
            "gateways",
            "gateway_id",
            "rssi_dbm",
            "snr_db",
        ),
        *("spreading_factor", "bandwidth_hz", "frequency_hz", "airtime_s", "confirmed", "simulated", "event"),
    )
)
"""Fields of an uplink that do not come from its decoded payload."""

DOWNLINK = frozenset(
    (
        *("downlink_f_port", "downlink_f_cnt", "downlink_payload_hex", "downlink_priority", "downlink_confirmed"),
        *("service", "error"),
    )
)
"""Fields of the other messages."""

_TAKEN = ENVELOPE | DOWNLINK

_numbers: dict[str, str] = {}


def snake(name: str) -> str:
    """Lower snake of any name; `value` where it holds no letter or digit."""
    return _OTHER.sub("_", _CAMEL.sub("_", name).lower()).strip("_") or "value"


def number_name(name: str) -> str:
    """Field name of a number that the formatter calls `name` (a path joined with `_`)."""
    found = _numbers.get(name)
    if found is None:
        if len(name) > _LONGEST_PATH:
            raise PayloadRefused(f"name of {len(name)} characters, at most {_LONGEST_PATH}")
        if len(_numbers) >= _MAX_CACHE:
            _numbers.clear()
        found = _with_unit(snake(name))
        if found in _RESERVED or found.endswith(_WORD_ENDINGS):
            found += "_value"
        _numbers[name] = _bounded(found)
    return found


def word_name(name: str, ending: str) -> str:
    """Field name of a text (`ending` is `_text`) or boolean (`_flag`) that the formatter calls `name`."""
    stem = snake(name)
    return _bounded(stem if stem.endswith(ending) else stem + ending)


def _with_unit(stem: str) -> str:
    channel = ""
    known = _known(stem)
    if known is None:
        match = _CHANNEL.fullmatch(stem)
        known = match and _known(match[1])
        if match is None or known is None:
            return stem
        channel = "_" + match[2]
    quantity, suffix = known
    return f"{quantity}{channel}_{suffix}"


def _known(stem: str) -> tuple[str, str] | None:
    """Quantity and suffix by the longest listed word that `stem` is or ends in."""
    words = stem.split("_")
    for first in range(len(words)):
        found = _WORDS.get("_".join(words[first:]))
        if found is not None:
            return "_".join((*words[:first], found[0])), found[1]
    return None


def _bounded(name: str) -> str:
    if len(name) > MAX_NAME:
        raise PayloadRefused(f"name of {len(name)} characters, at most {MAX_NAME}")
    return name


def flatten(payload: object, fields: dict[str, Value], wrong: list[str], normalised: bool = False) -> None:
    """Put the values of a decoded (or normalised) payload into `fields`; into `wrong` why others are left out.

    Objects and lists are joined with `_`, null is absent. A name that `fields` already has, or
    that the network uses, gets `payload_` before it, then a number: nothing is overwritten.
    """
    budget = [MAX_VALUES]
    try:
        _walk("", payload, fields, normalised, MAX_DEPTH, budget, wrong)
    except TooManyValues:
        wrong.append(f"payload of more than {MAX_VALUES} values")


def _walk(
    path: str,
    value: object,
    fields: dict[str, Value],
    normalised: bool,
    depth: int,
    budget: list[int],
    wrong: list[str],
) -> None:
    kind = type(value)
    if kind is float or kind is int:
        name = _NORMALISED.get(snake(path)) if normalised else None
        name = name or _numbers.get(path) or number_name(path)
        number = value if kind is float else _number(value, path)
        fields[name if name not in fields and name not in _TAKEN else _free(name, "", fields)] = number  # type: ignore[assignment]
    elif kind is str or kind is bool:
        ending = "_text" if kind is str else "_flag"
        name = word_name(path, ending)
        fields[name if name not in fields else _free(name, ending, fields)] = value  # type: ignore[assignment]
    elif kind is dict and "value" in value and _measured(path, value, fields):  # type: ignore[operator,arg-type]
        pass
    elif isinstance(value, (dict, list)):
        if depth == 0:
            raise PayloadRefused(f"payload nested more than {MAX_DEPTH} deep at {path[:40]!r}")
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in items:
            if budget[0] <= 0:
                raise TooManyValues
            try:
                _walk(f"{path}_{key}" if path else str(key), inner, fields, normalised, depth - 1, budget, wrong)
            except PayloadRefused as refused:
                wrong.append(str(refused))
                budget[0] -= 1
        return
    budget[0] -= 1


def _measured(path: str, value: Mapping[str, object], fields: dict[str, Value]) -> bool:
    """Put the number of an object of a value and what is said of it into `fields`; whether it is one."""
    number = value["value"]
    if len(value) < 2 or not value.keys() <= _MEASURED or type(number) not in (int, float):
        return False
    unit = value.get("unit", "")
    if not isinstance(unit, str):
        return False
    name = _bounded(unit_name(snake(path), unit)) if unit else number_name(path)
    fields[free_name(name, fields)] = _number(number, path)
    return True


def _number(value: object, path: str) -> float:
    """A whole number of JSON as a float; it may have any number of digits."""
    try:
        return float(value)  # type: ignore[arg-type]
    except OverflowError:
        raise PayloadRefused(f"{path[:40]!r} is out of range") from None


def free_name(name: str, fields: Mapping[str, Value], ending: str = "") -> str:
    """`name`, or where a field or the network has it the next free one: `payload_` before it, then a number."""
    return name if name not in fields and name not in _TAKEN else _free(name, ending, fields)


def _free(name: str, ending: str, fields: Mapping[str, Value]) -> str:
    stem = "payload_" + name.removesuffix(ending)
    number = 2
    free = stem + ending
    while free in fields:
        free = f"{stem}_{number}{ending}"
        number += 1
    return free
