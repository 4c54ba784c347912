"""rtl_433: sensors that speak by radio on 433, 868 and 915 MHz, as `rtl_433 -F mqtt` publishes what a stick hears.

    rtl_433/<host>/events   {"time": "2021-12-20 20:00:59", "model": "Acurite-Tower", "id": 11041, "channel": "B",
                             "battery_ok": 1, "temperature_C": -3.5, "humidity": 71, "mic": "CHECKSUM"}
    rtl_433/<host>/states   {"enabled": 151, "frames": {...}, ...}: statistics, without a model
    rtl_433/<host>/devices/Acurite-Tower/B/11041/temperature_C   -3.5

| key | becomes |
|---|---|
| `model`, `channel`, `id` | the thing, and as they are: `model_text`, `channel` or `channel_text`, `id` or `id_text` |
| a number with its unit behind it, `wind_avg_mi_h` | a field in that unit, `wind_avg_mph`: UNITS |
| `humidity`, `moisture` | in percent |
| `battery_ok` | 1 full, 0 low, or between them |
| `rssi`, `snr`, `noise`, `freq` (with `-M level`) | `rssi_db`, `snr_db`, `noise_floor_db`, `frequency_mhz` |
| any other number, a word | a number under its own name, a text |
| nothing else but who it is: a bell, a movement | `heard_flag` |

Units are those of the sensors, as of other types; `rtl_433 -C si` converts them all. Strengths are in dB below the most
that the stick can tell.

The thing is model, channel and id, `Acurite-Tower-B-11041`. Most sensors draw a new id when their battery is changed,
and are another thing then. What is heard of neighbours, of cars (tyres) and of remote controls that pass is a thing as
well, and may be personal data. What is not wanted is kept out by its topic: with
`-F "mqtt://broker,events=rtl_433/[hostname]/events[/model][/id]"` a subscription takes one model, or one id.

Time: with `-M time:unix`, `time:utc:tz` or `time:iso:tz`, with `usec` or without, it is that of rtl_433. Otherwise it
is the local time of the host without a zone, or UTC that does not say so, and the time is that of receipt. The position
in a recording (`@0.5s`) is none.

`devices/...` is not read: there each value comes as a message of its own, without a time, and all of them come in the
event. `states` are no readings.

Unknown: models and keys are as many as decoders. Keys of versions before 2018 (`sensor_id`, `battery`) are not
translated.

Limits: those of `devices.spec.names`; 64 characters of model, channel and id each.

Source: merbanan/rtl_433: docs/DATA_FORMAT.md, src/output_mqtt.c (topics), src/r_util.c (times); facts.
"""

import re
from collections.abc import Mapping
from typing import Any

from msgspec import json as msgjson

from devices.spec.device import MessageDevice
from devices.spec.errors import EncodeError
from devices.spec.events import DELETED, Empty, Event, Reading, SanityError, Value
from devices.spec.field import Field, Threshold
from devices.spec.json_object import JsonRefused, json_object
from devices.spec.json_time import format_ns, parse_ns
from devices.spec.names import Values, number_name, snake
from devices.spec.sequence import Bits, Sequence
from devices.spec.suffixes import Suffixes, number_of

UNITS: Mapping[str, str] = {
    "C": "Cel", "F": "[degF]", "K": "K", "pct": "%", "hPa": "hPa", "kPa": "kPa", "Pa": "Pa", "PSI": "[psi]",
    "psi": "[psi]", "bar": "bar", "inHg": "[in_i'Hg]", "mmHg": "mm[Hg]", "m_s": "m/s", "km_h": "km/h",
    "mi_h": "[mi_i]/h", "mph": "[mi_i]/h", "kts": "[kn_i]", "mm": "mm", "cm": "cm", "m": "m", "km": "km",
    "in": "[in_i]", "ft": "[ft_i]", "mi": "mi", "mm_h": "mm/h", "in_h": "[in_i]/h", "deg": "deg", "lux": "lx",
    "klx": "klx", "W_m2": "W/m2", "Wm2": "W/m2", "ug_m3": "ug/m3", "ppm": "[ppm]", "ppb": "[ppb]", "V": "V",
    "mV": "mV", "A": "A", "mA": "mA", "W": "W", "kW": "kW", "VA": "V.A", "kWh": "kW.h", "Wh": "W.h", "dB": "dB",
    "dBm": "dBm", "Hz": "Hz", "kHz": "kHz", "MHz": "MHz", "s": "s", "ms": "ms", "us": "us", "min": "min", "kg": "kg",
    "g": "g", "lb": "[lb_av]", "l": "L", "L": "L", "gal": "gal", "m3": "m3", "ft3": "ft3",
}  # fmt: skip
"""Endings of keys and their units; those without a code stay as they are, in lower case."""
PLAIN: Mapping[str, tuple[str, str]] = {
    "humidity": ("humidity", "%"), "moisture": ("moisture", "%"), "rssi": ("rssi", "dB"), "snr": ("snr", "dB"),
    "noise": ("noise_floor", "dB"), "freq": ("frequency", "MHz"), "freq1": ("frequency_1", "MHz"),
    "freq2": ("frequency_2", "MHz"),
}  # fmt: skip
"""Keys whose unit is not behind them: stem and unit."""

SUFFIXES = Suffixes(UNITS)
LONGEST = 64
_WHO = ("model", "channel", "id")
_ASIDE = frozenset(("devices", "states"))
_KEYS = {number_name(stem, unit): key for key, (stem, unit) in PLAIN.items()}
_ZONED = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d(?:\.\d{1,9})?)(Z|[+-]\d\d:?\d\d)")
_UNIX = re.compile(r"\d{9,10}(\.\d{1,9})?")


def _measured(name: str, unit: str, words: str, least: float, most: float, step: float, panel: bool = True) -> Field:
    return Field(name, unit, words, minimum=least, maximum=most, step=step, optional=True, panel=panel)


TEMPERATURE = _measured("temperature_c", "Cel", "Temperature", -100, 1000, 0.01)
HEARD = Field("heard_flag", "1", "It spoke, and said nothing but who it is", kind="flag", optional=True,
              panel=False)  # fmt: skip
FIELDS = (
    TEMPERATURE,
    _measured("temperature_f", "[degF]", "Temperature, of a sensor in Fahrenheit", -148, 1832, 0.01, panel=False),
    _measured("humidity_pct", "%", "Relative humidity", 0, 100, 1),
    _measured("moisture_pct", "%", "Moisture of the soil, by the probe", 0, 100, 1),
    _measured("pressure_hpa", "hPa", "Air pressure", 300, 1200, 0.1),
    _measured("pressure_kpa", "kPa", "Pressure: of the air, or in a tyre", 0, 10_000, 0.1),
    _measured("wind_avg_m_s", "m/s", "Wind speed", 0, 100, 0.1),
    _measured("wind_max_m_s", "m/s", "Gusts", 0, 100, 0.1),
    _measured("wind_avg_km_h", "km/h", "Wind speed", 0, 360, 0.1, panel=False),
    _measured("wind_max_km_h", "km/h", "Gusts", 0, 360, 0.1, panel=False),
    _measured("wind_dir_deg", "deg", "Where the wind comes from", 0, 360, 0.1),
    _measured("rain_mm", "mm", "Rain since counting began", 0, 1e6, 0.1),
    _measured("light_lx", "lx", "Light", 0, 400_000, 1),
    _measured("uvi", "1", "UV index", 0, 30, 0.1),
    _measured("power_w", "W", "Power", -1e6, 1e6, 0.1),
    _measured("energy_kwh", "kW.h", "Energy", 0, 1e9, 0.001),
    Field("battery_ok", "1", "Battery: 1 full or good, 0 low", minimum=0, maximum=1, step=0.01, optional=True,
          thresholds=(Threshold(0, "poor"), Threshold(0.2, "good"))),
    _measured("battery_v", "V", "Battery voltage", 0, 60, 0.001),
    HEARD,
    _measured("rssi_db", "dB", "Strength of the signal, below the most that the stick can tell", -200, 20, 0.1),
    _measured("snr_db", "dB", "Signal above the noise", -50, 200, 0.1),
    _measured("noise_floor_db", "dB", "Noise on the radio", -200, 20, 0.1, panel=False),
)  # fmt: skip
_BY_NAME = {field.name: field for field in FIELDS}


def decode(topic: str, payload: bytes, received_ns: int) -> list[Event]:  # noqa: ARG001
    if not payload.strip():
        return [Empty(DELETED, payload)]
    if _ASIDE & set(topic.split("/")[:-1]) or topic.endswith("/states"):
        return [Empty("values one by one, or statistics: events have all readings", payload)]
    try:
        said = json_object(payload)
    except JsonRefused as error:
        return [SanityError(str(error), payload)]
    model = _word(said.get("model"))
    if not model:
        if "frames" in said or "stats" in said:
            return [Empty("statistics: no reading", payload)]
        return [SanityError("no event of rtl_433: expected a model", payload)]
    values = Values()
    for key, value in said.items():
        if key != "time":
            _value(values, key, value)
    if not said.keys() - {"time", *_WHO}:
        values.put(HEARD.name, True)
    return [Reading(values.fields, _time_ns(said.get("time")), _thing(said), field_errors=tuple(values.errors))]


def _thing(said: Mapping[str, Any]) -> str:
    return "-".join(filter(None, (_word(said.get(key)) for key in _WHO)))


def _word(value: object) -> str:
    """A part of who it is, a text or a number; "" for none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return (f"{value:g}" if isinstance(value, float) else str(value)).strip()[:LONGEST]


def _time_ns(said: object) -> int | None:
    """A time with its zone, or seconds since 1970; any other is nobody's."""
    text = str(said) if isinstance(said, str | int | float) and not isinstance(said, bool) else ""
    if _UNIX.fullmatch(text):
        whole, _, rest = text.partition(".")
        return int(whole) * 1_000_000_000 + int(rest.ljust(9, "0"))
    found = _ZONED.fullmatch(text)
    if found is None:
        return None
    try:
        return parse_ns(f"{found[1]}T{found[2]}{found[3]}")
    except ValueError:
        return None


def _value(values: Values, key: str, value: Any) -> None:
    stem, unit = PLAIN.get(key) or SUFFIXES.split(key)
    name = number_name(snake(stem.lower()), unit)
    found = number_of(values, _BY_NAME, value, unit, name, snake(key.lower()))
    if found is not None:
        values.described(_BY_NAME, name, found)


def encode(reading: Reading) -> bytes:
    """The event that says a reading; without a model the thing is its model.

    EncodeError for one without values, and for a thing that is another than model, channel and id make.
    """
    if not reading.fields:
        raise EncodeError("rtl-433: an event needs values")
    said: dict[str, Value] = {}
    if reading.time_ns is not None:
        said["time"] = format_ns(reading.time_ns)
    said["model"] = reading.fields.get("model_text", reading.thing or "sensor")
    for field, value in reading.fields.items():
        if field == HEARD.name:
            continue
        key, plain = SUFFIXES.said(field, value)
        said[_KEYS.get(field, key)] = plain
    if reading.thing is not None and _thing(said) != reading.thing:
        raise EncodeError(f"rtl-433: the thing {reading.thing[:60]!r}, but model, channel and id are {_thing(said)!r}")
    return msgjson.encode(said)


DEVICE = MessageDevice(
    name="rtl-433",
    title="Radio sensors (rtl_433)",
    domain="park",
    source="merbanan/rtl_433: docs/DATA_FORMAT.md, src/output_mqtt.c",
    fields=FIELDS,
    expected_every_s=60.0,
    sequence=Sequence((Bits.of(TEMPERATURE, 6),)),
    open_fields=True,
    topic="rtl_433/+/events",
    decode=decode,
    encode=encode,
)
