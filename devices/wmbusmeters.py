"""wmbusmeters: meters of water, heat, electricity and gas that speak by radio (Wireless M-Bus), as it decodes them.

    wmbusmeters/<name>   {"_": "telegram", "media": "cold water", "meter": "multical21", "name": "MyTapWater",
                          "id": "12345678", "status": "OK", "total_m3": 6.388, "target_m3": 6.377, "flow_m3h": 0.01,
                          "external_temperature_c": 23, "timestamp": "2018-02-08T09:07:22Z",
                          "device": "im871a[1234567]", "rssi_dbm": -40}

wmbusmeters publishes with whatever its `shell` says, usually
`mosquitto_pub -t wmbusmeters/$METER_NAME -m "$METER_JSON"`.

| key | becomes |
|---|---|
| `media`, `meter` (later `driver`) | tags |
| a number with its unit behind it, `flow_m3h` | a field in that unit, `flow_m3_h`: UNITS |
| a number without a unit, or with `counter`, `nr`, `factor` | a number under its own name |
| `status`, and `current_status` of older versions | `status_text`, and `ok_flag`: false for all but OK,
  absent for doors: OPEN and CLOSED |
| dates and other words | texts: `target_date_text` |
| `device` | `device_text`: the receiver |
| `timestamp_utc`, `timestamp_ut`, else `timestamp` | the time, when wmbusmeters received the telegram |
| `id`, and what else is a number or name of the meter or its customer | not stored |

The thing is the level `{thing}` of the topic, else the `name` that the meter has in wmbusmeters, else its `id`.
Several meters may have one name there (`id=*`): then the topic has to tell them apart (`wmbusmeters/$METER_ID`), or
they are one.

What flats and houses use is personal data, and so is the number of a meter, which leads to a household: name meters so
that the names lead to nobody, and keep elsewhere who is who.

Meters of Kamstrup say 127 degrees Celsius where they measure none: left out, with the meters of MUTE. A strength of
signal of 0 dBm is that of a wire: absent.

Unknown: the words of a status differ from meter to meter; units of what a driver calls without one, as version 1 did
(`flow_temperature`). Texts that are configured (`json_address`) are stored but for those in LEFT_OUT.

Limits: those of `devices.spec.names`.

Source: wmbusmeters, README ("json output"), src/units.h (units and their endings), drivers' tests (facts).
"""

import re
from collections.abc import Mapping
from typing import Any
from zlib import crc32

from msgspec import json as msgjson

from devices.spec.device import MessageDevice
from devices.spec.errors import EncodeError
from devices.spec.events import DELETED, Empty, Event, Reading, SanityError, Value
from devices.spec.field import Field, Threshold
from devices.spec.json_object import JsonRefused, json_object
from devices.spec.json_time import format_ns, parse_ns
from devices.spec.names import Values, number, number_name, snake
from devices.spec.sequence import Bits, Sequence
from devices.spec.suffixes import Suffixes, number_of

UNITS: Mapping[str, str] = {
    "s": "s", "min": "min", "h": "h", "d": "d", "month": "month", "y": "y", "m": "m", "kg": "kg", "a": "A", "k": "K",
    "kwh": "kW.h", "mj": "MJ", "gj": "GJ", "kvarh": "kvar.h", "kvah": "kV.A.h", "kw": "kW", "m3": "m3", "l": "L",
    "m3h": "m3/h", "lh": "L/h", "c": "Cel", "f": "[degF]", "v": "V", "hz": "Hz", "pa": "Pa", "bar": "bar", "rh": "%",
    "deg": "deg", "rad": "rad", "dbm": "dBm", "pct": "%", "m3c": "m3c", "m3ch": "m3ch", "hca": "hca",
}  # fmt: skip
"""Endings of keys and their units. Those of the last line but `dbm` and `pct` have no code and stay as they are."""

SUFFIXES = Suffixes(UNITS)
LEFT_OUT = frozenset(
    (
        *("_", "id", "name", "media", "meter", "driver", "timestamp", "timestamp_ut", "timestamp_utc", "timestamp_lt"),
        *("customer", "customer_location", "enhanced_id", "fabrication_no", "serial_number", "location", "address"),
        *("ownership_number", "access_number_counter", "parameter_set", "city", "street"),
    )
)
"""Keys that are no values, and those that lead to a household."""
MUTE = frozenset(("multical21", "kamwater", "flowiq2200", "flowiq3100"))
_NONE_C = 127.0
_STATUS = ("status", "current_status")
_NO_FAULT = frozenset(("OK", ""))
_DOORS = frozenset(("OPEN", "CLOSED"))
_SECONDS = re.compile(r"\d{9,10}(\.\d+)?")


def _measured(name: str, unit: str, words: str, least: float, most: float, step: float, panel: bool = True) -> Field:
    return Field(name, unit, words, minimum=least, maximum=most, step=step, optional=True, panel=panel)


TOTAL = _measured("total_m3", "m3", "Volume since counting began", 0, 1e8, 0.001)
OK = Field("ok_flag", "1", "The meter reports no fault", kind="flag", optional=True)
STATUS = Field("status_text", "1", "What the meter says of itself: OK, or its faults", kind="text", optional=True,
               panel=False)  # fmt: skip
RSSI = Field("rssi_dbm", "dBm", "Strength of the signal at the receiver", minimum=-150, maximum=0, step=1,
             optional=True, thresholds=(Threshold(-150, "poor"), Threshold(-95, "good")))  # fmt: skip
FIELDS = (
    TOTAL,
    _measured("target_m3", "m3", "Volume at the end of the last period", 0, 1e8, 0.001),
    _measured("flow_m3_h", "m3/h", "Flow", -1e5, 1e5, 0.001),
    _measured("volume_flow_m3_h", "m3/h", "Flow of a heat meter", -1e5, 1e5, 0.001),
    _measured("total_volume_m3", "m3", "Volume of a heat meter", 0, 1e8, 0.001),
    _measured("total_energy_consumption_kwh", "kW.h", "Energy used since counting began", 0, 1e9, 0.001),
    _measured("total_energy_production_kwh", "kW.h", "Energy fed in since counting began", 0, 1e9, 0.001),
    _measured("current_power_consumption_kw", "kW", "Power drawn", 0, 1e5, 0.001),
    _measured("current_power_production_kw", "kW", "Power fed in", 0, 1e5, 0.001),
    _measured("power_kw", "kW", "Heat power", -1e5, 1e5, 0.001),
    *(_measured(f"voltage_at_phase_{phase}_v", "V", f"Voltage of phase {phase}", 0, 1000, 0.1) for phase in (1, 2, 3)),
    _measured("flow_temperature_c", "Cel", "Temperature of what flows", -60, 300, 0.01),
    _measured("return_temperature_c", "Cel", "Temperature of what flows back", -60, 300, 0.01),
    _measured("external_temperature_c", "Cel", "Temperature around the meter", -60, 150, 0.01),
    _measured("temperature_c", "Cel", "Temperature", -60, 300, 0.01),
    _measured("humidity_pct", "%", "Relative humidity", 0, 100, 0.1),
    _measured("remaining_battery_life_y", "1", "Years that the battery will last", 0, 100, 0.01, panel=False),
    OK,
    STATUS,
    RSSI,
)
_BY_NAME = {field.name: field for field in FIELDS}


def decode(topic: str, payload: bytes, received_ns: int) -> list[Event]:  # noqa: ARG001
    if not payload.strip():
        return [Empty(DELETED, payload)]
    try:
        said = json_object(payload)
    except JsonRefused as error:
        return [SanityError(str(error), payload)]
    thing = _thing(said)
    if said.get("_", "telegram") != "telegram":
        return [Empty(f"{str(said['_'])[:60]}: no reading", payload, thing)]
    if not {"media", "meter", "driver"} & said.keys():
        return [SanityError("no telegram of wmbusmeters: expected media and meter", payload)]
    try:
        time_ns = _time_ns(said)
    except ValueError as error:
        return [SanityError(f"timestamp: {error}"[:200], payload)]
    values = Values()
    _status(values, said)
    mute = str(said.get("meter", said.get("driver"))) in MUTE
    for key, value in said.items():
        if key not in LEFT_OUT and key not in _STATUS:
            _value(values, key, value, mute)
    if not values.fields and not values.errors:
        return [Empty("no values", payload, thing)]
    tags = {
        name: said[key][:64]
        for key, name in (("media", "media"), ("driver", "meter"), ("meter", "meter"))
        if isinstance(said.get(key), str) and said[key]
    }
    return [Reading(values.fields, time_ns, thing, tags, tuple(values.errors))]


def _thing(said: Mapping[str, Any]) -> str | None:
    for key in ("name", "id"):
        word = said.get(key)
        if isinstance(word, str) and word.strip():
            return word.strip()[:128]
    return None


def _time_ns(said: Mapping[str, Any]) -> int | None:
    """When the telegram was received. ValueError for what is no time."""
    unix = said.get("timestamp_ut")
    seconds = number(unix) if isinstance(unix, int | float | str) else None
    if seconds is not None and 0 < seconds < 1e10:
        return round(seconds * 1e3) * 1_000_000
    word = said.get("timestamp_utc", said.get("timestamp"))
    if word is None:
        return None
    if isinstance(word, str) and _SECONDS.fullmatch(word):
        return round(float(word) * 1e3) * 1_000_000
    return parse_ns(word if isinstance(word, str) else str(word))


def _status(values: Values, said: Mapping[str, Any]) -> None:
    words = [said[key].strip() for key in _STATUS if isinstance(said.get(key), str)]
    if not words:
        return
    word = next((each for each in words if each not in _NO_FAULT), words[0]) or "OK"
    values.put(STATUS.name, word[:4096])
    if word not in _DOORS:
        values.put(OK.name, word in _NO_FAULT)


def _value(values: Values, key: str, value: Any, mute: bool) -> None:
    stem, unit = SUFFIXES.split(key.lower())
    stem = snake(stem)
    name = number_name(stem, unit)
    found = number_of(values, _BY_NAME, value, unit, name, snake(key))
    if found is None:
        return
    if (mute and unit == "Cel" and found == _NONE_C) or (unit == "dBm" and found == 0):
        return
    values.described(_BY_NAME, name, found)


def encode(reading: Reading) -> bytes:
    """The telegram that says a reading. EncodeError for one without values."""
    if not reading.fields:
        raise EncodeError("wmbusmeters: a telegram needs values")
    name = reading.thing or "meter"
    said: dict[str, Value] = {
        "_": "telegram",
        "media": reading.tags.get("media", "water"),
        "meter": reading.tags.get("meter", "iperl"),
        "name": name,
        "id": f"{crc32(name.encode()) % 100_000_000:08d}",
    }
    fields = dict(reading.fields)
    ok = fields.pop(OK.name, None)
    word = fields.pop(STATUS.name, None if ok is None else "OK" if ok else "PERMANENT_ERROR")
    if word is not None:
        said["status"] = word
    for field, value in fields.items():
        key, plain = SUFFIXES.said(field, value)
        said[key] = plain
    if reading.time_ns is not None:
        said["timestamp"] = format_ns(reading.time_ns)
    return msgjson.encode(said)


DEVICE = MessageDevice(
    name="wmbusmeters",
    title="Meters by radio (wmbusmeters)",
    domain="park",
    source="wmbusmeters: README, src/units.h, tests of the drivers",
    fields=FIELDS,
    expected_every_s=3600.0,
    sequence=Sequence((Bits.of(TOTAL, 6),)),
    open_fields=True,
    topic="wmbusmeters/{thing}",
    decode=decode,
    encode=encode,
)
