"""What a key of a newcomer's board probably means: `temp`, `t`, `hum`, `pm25`, `batt`, `lat`, `dist_mm`.

    key "Temp_C" -> words temp, c      a unit behind the quantity is the unit: dist_mm, pressure_hpa
    key "hum"    -> words hum          else the quantity's usual one, where it has one
    key "dist"   -> words dist         else the unit is not known, and stays a question

Nothing here is certain, so each answer says why it was given. A name that nobody knows keeps its
own words. Pure.
"""

import re
from dataclasses import dataclass

from devices.spec.units import UNITS, spelled

UNKNOWN = ""
"""The unit of a quantity that is said in several: a question for a person."""

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

_SUFFIXES = {unit.suffix: unit.ucum for unit in UNITS.values() if unit.suffix}
_WORDS = {
    word: ucum
    for words, ucum in (
        ("degc celsius", "Cel"), ("degf fahrenheit", "[degF]"), ("percent pct prozent", "%"), ("volt volts", "V"),
        ("amp amps", "A"), ("watt watts", "W"), ("mbar", "hPa"), ("lux", "lx"), ("meter metre meters", "m"),
        ("sec secs", "s"), ("kmh kph", "km/h"), ("mps", "m/s"), ("knots kts", "[kn_i]"), ("degrees", "deg"),
        ("ugm3", "ug/m3"),
    )
    for word in words.split()
}  # fmt: skip
"""Endings of keys, in lower case, that are units but not the suffix of one."""

_SPLIT = re.compile(r"[^A-Za-z0-9µμ°%]+|(?<=[a-z])(?=[A-Z])")
_NAME = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a key probably means. `unit` is UCUM, UNKNOWN where only a person can say it; `why` says what it
    was taken from."""

    quantity: str
    unit: str
    why: str = ""


def meaning_of(key: str, written_unit: str = "") -> Meaning:
    """What `key` means; `written_unit` is the unit that stands behind its values, if one does."""
    words = [word for word in _SPLIT.split(key) if word]
    told = spelled(written_unit) if written_unit else None
    if told is not None:
        quantity, _ = _quantity(words)
        return Meaning(quantity, told, f"unit {written_unit} stands behind the value")
    for cut in (3, 2, 1):
        ending = "_".join(words[-cut:])
        ucum = _SUFFIXES.get(ending.lower()) or _WORDS.get(ending.lower()) if len(words) > cut else None
        if ucum is not None:
            quantity, _ = _quantity(words[:-cut])
            return Meaning(quantity, ucum, f"the key ends in {ending}")
    quantity, unit = _quantity(words)
    if unit is None:
        return Meaning(quantity, UNKNOWN, "the key says nothing of a unit")
    if unit == UNKNOWN:
        return Meaning(quantity, UNKNOWN, f"{quantity} is said in several units")
    return Meaning(quantity, unit, f"usual for {quantity}" if unit != "1" else "a count")


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
