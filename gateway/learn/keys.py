"""What a key of a newcomer's board probably means: `temp`, `t`, `hum`, `pm25`, `batt`, `lat`, `dist_mm`.

    key "Temp_C" -> words temp, c      a unit behind the quantity is the unit: dist_mm, pressure_hpa
    key "hum"    -> words hum          else the quantity's usual one, where it has one
    key "dist"   -> words dist         else the unit is not known, and stays a question

Nothing here is certain, so each answer says why it was given. A name that nobody knows keeps its
own words. Pure.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

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
        ("rpm revs rotation", "speed", "{rev}/min"),
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

_LIKELY: dict[str, tuple[tuple[str, float, float], ...]] = {
    quantity: units
    for quantities, units in (
        ("temperature air_temperature soil_temperature dew_point", (("Cel", -90, 150), ("K", 183, 423))),
        ("humidity soil_moisture", (("%", -5, 110),)),
        ("spo2", (("%", 0, 110),)),
        ("pressure", (("hPa", 250, 1200), ("Pa", 25_000, 120_000), ("kPa", 25, 120), ("bar", 0.25, 1.2))),
        ("pm1_0 pm2_5 pm4_0 pm10", (("ug/m3", 0, 20_000),)),
        ("co2", (("[ppm]", 0, 100_000),)),
        ("tvoc", (("[ppb]", 0, 100_000),)),
        ("latitude", (("deg", -90, 90),)),
        ("longitude", (("deg", -180, 360),)),
        ("altitude", (("m", -500, 50_000), ("mm", 50_000, 9_000_000))),
        ("course wind_direction", (("deg", -360, 360),)),
        ("wind_speed wind_gust", (("m/s", 0, 120),)),
        ("rain", (("mm", 0, 20_000),)),
        ("illuminance", (("lx", 0, 250_000),)),
        ("uv_index", (("1", 0, 50),)),
        ("sound_level", (("dB[A]", -10, 200),)),
        ("ph", (("[pH]", -1, 15),)),
        ("battery", (("V", 0, 100), ("mV", 500, 100_000), ("%", 0, 100))),
        ("voltage", (("V", -1000, 1000), ("mV", -1_000_000, 1_000_000))),
        ("current", (("A", -500, 500), ("mA", -500_000, 500_000))),
        ("rssi", (("dBm", -250, 50),)),
        ("snr", (("dB", -150, 150),)),
        ("pulse", (("/min", 0, 400),)),
    )
    for quantity in quantities.split()
}
"""Quantity to its units, the usual one first, and what values in them are likely to be, from and to."""

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
    likely: "Likely" = ()
    """Units with the values that are likely in them, where the unit is but the usual one."""

    def held_against(self, values: Sequence[float]) -> "Meaning":
        """In the unit in which most of the values are likely; UNKNOWN where there is none."""
        if not values or not self.likely or self.unit not in (unit for unit, _, _ in self.likely):
            return self
        for unit, low, high in sorted(self.likely, key=lambda each: each[0] != self.unit):
            if 2 * sum(low <= value <= high for value in values) >= len(values):
                why = f"{values[0]:g} is likely in it, not in {UNITS[self.unit].symbol}"
                return self if unit == self.unit else replace(self, unit=unit, why=why)
        why = f"{values[0]:g} {UNITS[self.unit].symbol} is not likely"
        return replace(self, unit=UNKNOWN, why=why)


def is_known(key: str) -> bool:
    """Whether it is a word that boards use for a quantity."""
    return _quantity([word for word in _SPLIT.split(key) if word])[1] is not None


def meaning_of(key: str, written_unit: str = "") -> Meaning:
    """What `key` means; `written_unit` is the unit that stands behind its values, if one does."""
    words = [word for word in _SPLIT.split(key) if word]
    told = spelled(written_unit) if written_unit else None
    if told is not None:
        quantity, *_ = _quantity(words, told)
        return Meaning(quantity, told, f"unit {written_unit} stands behind the value")
    for cut in (3, 2, 1):
        ending = "_".join(words[-cut:])
        ucum = _SUFFIXES.get(ending.lower()) or _WORDS.get(ending.lower()) if len(words) > cut else None
        if ucum is not None:
            quantity, *_ = _quantity(words[:-cut], ucum)
            return Meaning(quantity, ucum, f"the key ends in {ending}")
    quantity, unit, likely = _quantity(words)
    if unit is None:
        return Meaning(quantity, UNKNOWN, "the key says nothing of a unit")
    if unit == UNKNOWN:
        return Meaning(quantity, UNKNOWN, f"{quantity} is said in several units")
    return Meaning(quantity, unit, f"usual for {quantity}" if unit != "1" else "a count", likely)


Likely = tuple[tuple[str, float, float], ...]


def _quantity(words: list[str], told: str = "") -> tuple[str, str | None, Likely]:
    """The quantity that the words name, its usual unit, and what is likely.

    The unit is UNKNOWN where there are several, None where the quantity is not in the table, and the words
    themselves are its name. `told`: the unit, where it is known already.
    """
    own = _NAME.sub("_", "_".join(words).lower()).strip("_") or "value"
    if own[0].isdigit():
        own = f"value_{own}"
    if told and own == UNITS[told].suffix and own.replace("_", "") not in _QUANTITIES:
        return "value", None, ()  # ppm=400 ppm
    found = _QUANTITIES.get(own.replace("_", ""))
    if found is not None:
        return found[0] or own, found[1], _LIKELY.get(found[0], ())
    if len(words) > 1:  # room_temp, temp2: a known quantity with a place or a number
        last = _QUANTITIES.get(words[-1].lower())
        if last is not None:
            place = own.removesuffix(words[-1].lower()).strip("_") or "value"
            return f"{place}_{last[0] or words[-1].lower()}", last[1], _LIKELY.get(last[0], ())
    numbered = re.fullmatch(r"([a-z]+?)_?(\d+)", own)
    if numbered is not None and numbered[1] in _QUANTITIES:
        quantity, unit = _QUANTITIES[numbered[1]]
        return f"{quantity or numbered[1]}_{numbered[2]}", unit, _LIKELY.get(quantity, ())
    return own, None, ()


def quantity_in(key: str) -> str:
    """The quantity that `key` names, whatever place, number or unit it says beside it; empty where it names none."""
    words = [word for word in _SPLIT.split(key) if word]
    plain = "".join(words).lower()
    if re.fullmatch(r"[a-z]\d", plain) and plain != "o3":  # p1 and t2 are names
        return ""
    for word in (plain, *reversed([each.lower() for each in words])):
        numbered = re.fullmatch(r"([a-z]+?)\d+", word)
        for each in (word, numbered[1]) if numbered is not None else (word,):
            if each in _QUANTITIES:
                return _QUANTITIES[each][0] or each
    return ""
