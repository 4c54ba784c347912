"""What a key of a newcomer's board probably means: `temp`, `t`, `hum`, `pm25`, `batt`, `lat`, `dist_mm`.

    key "Temp_C" -> words temp, c      a unit behind the quantity is the unit: dist_mm, pressure_hpa
    key "hum"    -> words hum          else the quantity's usual one, where it has one
    key "dist"   -> words dist         else the unit is not known, and stays a question

Nothing here is certain, so each answer says why it was given. A name that nobody knows keeps its
own words. Pure.
"""

import re
from dataclasses import dataclass

from devices.spec.units import UNITS

UNKNOWN = ""
"""The unit of a quantity that is said in several: a question for a person."""

FAHRENHEIT = ("Cel", 5 / 9, -160 / 9)
"""Stored in degrees Celsius: the unit, and what the value is multiplied by and added to."""

_QUANTITIES: dict[str, tuple[str, str]] = {
    word: (quantity, unit)
    for words, quantity, unit in (
        ("t temp tmp temperature tmpr teplota temperatur", "temperature", "Cel"),
        ("tair airtemp airtemperature", "air_temperature", "Cel"),
        ("tsoil soiltemp soiltemperature", "soil_temperature", "Cel"),
        ("dewpoint dew", "dew_point", "Cel"),
        ("h hum humi humid humidity rh relhum relativehumidity feuchte", "humidity", "%"),
        ("p pres press pressure baro barometer airpressure", "pressure", "hPa"),
        ("pm1 pm01 pm10ug1 pm1p0", "pm1_0", "ug/m3"),
        ("pm25 pm2p5 p2", "pm2_5", "ug/m3"),
        ("pm4 pm40", "pm4_0", "ug/m3"),
        ("pm10 p1", "pm10", "ug/m3"),
        ("co2 eco2 carbondioxide", "co2", "[ppm]"),
        ("tvoc voc", "tvoc", "[ppb]"),
        ("co no2 o3 so2 nh3 ch4 h2s no ozone", "", UNKNOWN),
        ("lat latitude", "latitude", "deg"),
        ("lon lng long longitude", "longitude", "deg"),
        ("alt altitude elevation height", "altitude", "m"),
        ("heading course bearing yaw azimuth", "course", "deg"),
        ("winddir winddirection wdir", "wind_direction", "deg"),
        ("windspeed wspd wind", "wind_speed", "m/s"),
        ("gust windgust", "wind_gust", "m/s"),
        ("rain rainfall precipitation", "rain", "mm"),
        ("lux illuminance illum ambientlight", "illuminance", "lx"),
        ("light brightness", "light", UNKNOWN),
        ("uv uvi uvindex", "uv_index", "1"),
        ("noise spl laeq leq soundlevel sound dba", "sound_level", "dB[A]"),
        ("soil moisture soilmoisture vwc", "soil_moisture", "%"),
        ("ec conductivity", "conductivity", "uS/cm"),
        ("ph", "ph", "[pH]"),
        ("dist distance range", "distance", UNKNOWN),
        ("level waterlevel filllevel fill", "level", UNKNOWN),
        ("batt bat battery batterylevel akku", "battery", UNKNOWN),
        ("vbat vbatt batteryvoltage battv", "battery", "V"),
        ("soc batterypercent battpct", "battery", "%"),
        ("u v volt voltage vcc vdd", "voltage", "V"),
        ("i amp amps current ampere", "current", "A"),
        ("power watt watts", "power", "W"),
        ("energy", "energy", UNKNOWN),
        ("kwh", "energy", "kW.h"),
        ("freq frequency", "frequency", "Hz"),
        ("rssi", "rssi", "dBm"),
        ("snr", "snr", "dB"),
        ("speed velocity", "speed", UNKNOWN),
        ("weight mass", "weight", UNKNOWN),
        ("hr bpm pulse heartrate", "pulse", "/min"),
        ("spo2 oxygen", "spo2", "%"),
        ("count people persons visitors cars vehicles", "", "1"),
        ("uptime", "uptime", UNKNOWN),
    )
    for word in words.split()
}
"""Key without punctuation to quantity (empty: the key's own word) and UCUM unit."""

_UNIT_WORDS: dict[str, str] = {
    **{unit.suffix.replace("_", ""): unit.ucum for unit in UNITS.values() if unit.suffix},
    **{unit.symbol.lower(): unit.ucum for unit in UNITS.values() if unit.symbol},
    **{
        word: ucum
        for words, ucum in (
            ("c degc celsius deg_c", "Cel"), ("percent pct prozent", "%"), ("volt volts", "V"),
            ("amp amps", "A"), ("watt watts", "W"), ("hpa mbar", "hPa"), ("ugm3 µgm3 μgm3", "ug/m3"),
            ("ppm", "[ppm]"), ("ppb", "[ppb]"), ("lux", "lx"), ("meter metre meters", "m"), ("sec secs", "s"),
            ("kmh kph", "km/h"), ("mps", "m/s"), ("knots kts", "[kn_i]"), ("dba", "dB[A]"), ("bpm", "/min"),
            ("degrees", "deg"),
        )
        for word in words.split()
    },
}  # fmt: skip
"""How people write units, in lower case and without punctuation, to UCUM."""

_SUFFIXES = {unit.suffix: unit.ucum for unit in UNITS.values() if unit.suffix}
_FAHRENHEIT = frozenset({"f", "degf", "fahrenheit", "°f"})
_SCALED: dict[str, tuple[str, float, float]] = {
    "mv": ("V", 0.001, 0.0), "ma": ("A", 0.001, 0.0), "mw": ("W", 0.001, 0.0), "kw": ("W", 1000.0, 0.0),
    "wh": ("kW.h", 0.001, 0.0), "cm": ("m", 0.01, 0.0), "kpa": ("hPa", 10.0, 0.0), "g": ("kg", 0.001, 0.0),
    "inhg": ("hPa", 33.8639, 0.0), "mph": ("m/s", 0.44704, 0.0),
}  # fmt: skip
"""Units that are stored in another one: unit, factor, offset."""

_SPLIT = re.compile(r"[^A-Za-z0-9µμ°%]+|(?<=[a-z])(?=[A-Z])")
_NAME = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a key probably means. `unit` is UCUM, UNKNOWN where only a person can say it; `scale` and
    `offset` bring the value into that unit; `why` says what it was taken from."""

    quantity: str
    unit: str
    scale: float = 1.0
    offset: float = 0.0
    why: str = ""


def unit_of(text: str) -> tuple[str, float, float] | None:
    """The unit that `text` names (`C`, `°C`, `%`, `mV`): UCUM code, factor, offset; None where it names none."""
    word = text.strip().lower().replace("/", "").replace("^", "").replace("³", "3").replace("²", "2")
    if word in _FAHRENHEIT:
        return FAHRENHEIT
    if word in _SCALED and _UNIT_WORDS.get(word) is None:
        return _SCALED[word]
    for form in (word, text.strip().lower(), word.lstrip("°")):
        if form in _UNIT_WORDS:
            return _UNIT_WORDS[form], 1.0, 0.0
    if text.strip() in UNITS:
        return text.strip(), 1.0, 0.0
    return None


def meaning_of(key: str, written_unit: str = "") -> Meaning:
    """What `key` means; `written_unit` is the unit that stands behind its values, if one does."""
    words = [word for word in _SPLIT.split(key) if word]
    told = unit_of(written_unit) if written_unit else None
    if told is not None:
        quantity, _ = _quantity(words)
        return Meaning(quantity, *told, why=f"unit {written_unit} stands behind the value")
    for cut in (3, 2, 1):
        ending = "_".join(words[-cut:])
        found = _unit_ending(ending) if len(words) > cut else None
        if found is not None:
            quantity, _ = _quantity(words[:-cut])
            return Meaning(quantity, *found, why=f"the key ends in {ending}")
    quantity, unit = _quantity(words)
    if unit is None:
        return Meaning(quantity, UNKNOWN, why="the key says nothing of a unit")
    if unit == UNKNOWN:
        return Meaning(quantity, UNKNOWN, why=f"{quantity} is said in several units")
    return Meaning(quantity, unit, why=f"usual for {quantity}" if unit != "1" else "a count")


def _unit_ending(ending: str) -> tuple[str, float, float] | None:
    """The unit that one to three words at the end of a key name: `mm`, `m_s`, `ug_m3`."""
    if "_" not in ending:
        return unit_of(ending)
    ucum = _SUFFIXES.get(ending.lower())
    return None if ucum is None else (ucum, 1.0, 0.0)


def _quantity(words: list[str]) -> tuple[str, str | None]:
    """The quantity that the words name, and its usual unit: UNKNOWN where there are several, None where it is
    not in the table, and the words themselves are its name."""
    own = _NAME.sub("_", "_".join(words).lower()).strip("_") or "value"
    if own[0].isdigit():
        own = f"value_{own}"
    found = _QUANTITIES.get(own.replace("_", ""))
    if found is not None:
        return found[0] or own, found[1]
    if len(words) > 1:  # room_temp, temp2: a known quantity with a place or a number
        last = _QUANTITIES.get(words[-1].lower())
        if last is not None:
            head = _NAME.sub("_", "_".join(words[:-1]).lower()).strip("_")
            return f"{head}_{last[0] or words[-1].lower()}", last[1]
    numbered = re.fullmatch(r"([a-z]+?)_?(\d+)", own)
    if numbered is not None and numbered[1] in _QUANTITIES:
        quantity, unit = _QUANTITIES[numbered[1]]
        return f"{quantity or numbered[1]}_{numbered[2]}", unit
    return own, None
