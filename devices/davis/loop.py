"""The packets LOOP and LOOP2 of a Davis console: 99 bytes, little-endian, US units.

    byte  0 "LOO"   3 trend of the barometer i8   4 kind, 0 or 1   5..94 below   95 LF CR   97 CRC, high byte first

    LOOP                                             LOOP2
    5  next record u16                               5  unused
    7  barometer u16 /1000 inHg   9 inside i16 /10 F   11 inside % u8   12 outside i16 /10 F   14 wind u8 mph
    15 wind, 10 min, u8 mph                          15 unused
    16 wind from u16 degrees, 0 none
    18 7 extra temperatures u8 - 90 F                18 wind, 10 min, u16 /10 mph   20 2 min   22 gust of 10 min
    25 4 soil, 29 4 leaf temperatures                24 gust from u16   30 dew point i16 F
    33 outside % u8   34 7 extra %                   33 outside % u8    35 heat index   37 wind chill   39 THSW, i16 F
    41 rain an hour, clicks   43 UV u8 /10   44 sun u16 W/m2   46 rain of the storm   48 its first day   50 rain today
    52 this month   54 this year                     52 rain of 15 min   54 of an hour
    56 evaporation today u16 /1000 in
    58 this month   60 this year, /100 in            58 rain of 24 h   60 how the barometer is reduced u8
    62 4 soil moistures u8 cbar   66 4 leaves u8     61 its offset   63 its calibration, i16 /1000
    70 alarms, 16 bytes                              65 sensor   67 absolute   69 altimeter, u16 /1000 inHg
    86 batteries of transmitters   87 console u16 * 300 / 512 / 100 V   89 icons   90 forecast   91 sunrise   93 sunset

A sensor that is not there is all ones (u8), 7FFF (i16), 0 (barometer, directions), 255 or 7FFF (indices). Rain is in
clicks of the bucket, and the packet does not say what one is: 0.01 in, or 0.2 mm with the metric adapter; hence two
types. Wind gusts of the last 10 minutes are a tenth of a mph as the document says; old firmware means whole ones.

Limits: console and station renew LOOP every 2.5 s.
Source: Davis Instruments, Vantage Pro, Vantage Pro2 and Vantage Vue serial communication reference manual 2.6.1,
X.1 and X.2; ebarkie/weatherlink (MIT) for what is 0 without a sensor.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from struct import Struct

from devices.spec.checksum import crc16_xmodem
from devices.spec.errors import EncodeError
from devices.spec.events import Reading, SanityError, Value
from devices.spec.field import Field
from devices.spec.payload import BitItem, Item, Payload

SIZE = 99
HEAD, TAIL = b"LOO", b"\n\r"
KIND_AT = 4
FIRST = 3
"""The tables begin here."""
U8, I16, U16, NOWHERE, INDEX = (0xFF,), (0x7FFF,), (0xFFFF,), (0, 0x7FFF), (0x7FFF, 255)
_NAMES = {"[degF]": "f", "%": "pct", "[in_i]": "in", "[in_i]/h": "in_h", "mm": "mm", "mm/h": "mm_h"}


@dataclass(frozen=True, slots=True)
class Word:
    """A number that is a word: `code` at byte `at`; `read` gives None where there is none, `none` is written then."""

    field: Field
    at: int
    code: str
    read: Callable[[int], str | None]
    write: Callable[[str], int]
    none: int

    @property
    def struct(self) -> Struct:
        return Struct("<" + self.code)


@dataclass(frozen=True, slots=True)
class Packet:
    """One kind of packet: 0 LOOP, 1 LOOP2."""

    kind: int
    table: Payload
    words: tuple[Word, ...]
    fields: tuple[Field, ...]

    @property
    def name(self) -> str:
        return "LOOP2" if self.kind else "LOOP"

    def read(self, data: bytes) -> Reading | SanityError:
        """What a whole, checked packet says."""
        fields = self.table.parse(data)
        for word in self.words:
            value = word.read(word.struct.unpack_from(data, word.at)[0])
            if value is not None:
                fields[word.field.name] = value
        return self.table.event(data, fields)

    def write(self, fields: Mapping[str, Value]) -> bytes:
        """The packet that says these; EncodeError for what it cannot say."""
        named = {word.field.name for word in self.words}
        out = bytearray(HEAD + self.table.pack({name: fields[name] for name in fields if name not in named}) + TAIL)
        for word in self.words:
            value = fields.get(word.field.name)
            try:
                word.struct.pack_into(out, word.at, word.none if value is None else word.write(str(value)))
            except ValueError as error:
                raise EncodeError(f"{word.field.name}: {value!r} is nothing that it says") from error
        return bytes(out) + crc16_xmodem(bytes(out)).to_bytes(2, "big")


def wrong(data: bytes) -> str:
    """What is wrong with the check of a whole packet, or nothing."""
    stored, computed = int.from_bytes(data[-2:], "big"), crc16_xmodem(data[:-2])
    return "" if stored == computed else f"checksum {stored:#06x}, computed {computed:#06x}"


def _field(name: str, unit: str, words: str, low: float, high: float, step: float, panel: bool = True) -> Field:
    return Field(name, unit, words, minimum=low, maximum=high, step=step, optional=True, panel=panel)


def _counter(name: str, words: str, most: int, optional: bool = False) -> Field:
    return Field(name, "1", words, kind="counter", minimum=0, maximum=most, step=1, optional=optional, panel=False)


def _inhg(name: str, words: str, low: float = 0.001, high: float = 65.0) -> Field:
    return _field(f"{name}_inhg", "[in_i'Hg]", words, low, high, 0.001)


def _warm(name: str, words: str, step: float = 0.1) -> Field:
    return _field(f"{name}_f", "[degF]", words, -150, 250, step)


def _index(name: str, words: str) -> Item:
    return Item("h", _warm(name, words, 1), absent=INDEX)


def _small_warm(name: str, words: str) -> Item:
    return Item("B", _field(f"{name}_f", "[degF]", words, -90, 164, 1), absent=U8, offset=-90)


def _small(name: str, unit: str, words: str, high: float) -> Item:
    return Item("B", _field(name, unit, words, 0, high, 1), absent=U8)


def _mph(name: str, words: str, step: float = 1) -> Field:
    return _field(f"{name}_mph", "[mi_i]/h", words, 0, 250, step)


def _wind(name: str, words: str) -> Item:
    return Item("H", _mph(name, words, 0.1), 10, absent=(0xFFFF, 0x7FFF))


def _from(name: str, words: str) -> Item:
    return Item("H", _field(f"{name}_deg", "deg", words, 1, 360, 1), absent=NOWHERE)


def _evaporated(name: str, words: str, divisor: int) -> Item:
    return Item("H", _field(f"evaporation_{name}_in", "[in_i]", words, 0, 65534 / divisor, 1 / divisor), divisor, U16)


def _unused(item: Item) -> Item:
    """The same place, as if nothing were there."""
    return Item(item.code, fill=item.absent[0])


BAROMETER = Item("H", _inhg("barometer", "Air pressure at sea level"), 1000, absent=(0,))
INSIDE = (
    Item("h", _warm("inside_temperature", "Temperature at the console"), 10, absent=I16),
    _small("inside_humidity_pct", "%", "Relative humidity at the console", 100),
)
OUTSIDE = Item("h", _warm("temperature", "Air temperature"), 10, absent=I16)
WIND = Item("B", _mph("wind", "Wind speed"), absent=U8)
WIND_FROM = _from("wind_direction", "Where the wind comes from")
HUMIDITY = _small("humidity_pct", "%", "Relative humidity of the air", 100)
SUN = (
    Item("B", _field("uv_index", "1", "UV index", 0, 25.4, 0.1), 10, absent=U8),
    Item("H", _field("solar_w_m2", "W/m2", "Radiation of the sun", 0, 2000, 1), absent=I16),
)
EVAPORATED = _evaporated("day", "Evaporation and transpiration today", 1000)


class Rain:
    """Clicks of the bucket as rain: `per` of them are one `unit`."""

    def __init__(self, unit: str, per: int) -> None:
        self._unit, self._per = unit, per

    def fell(self, name: str, words: str) -> Item:
        suffix = _NAMES[self._unit]
        return self._item(f"rain_{name}_{suffix}", self._unit, words)

    def rate(self) -> Item:
        unit = self._unit + "/h"
        return self._item(f"rain_rate_{_NAMES[unit]}", unit, "Rain an hour, from the last two clicks")

    def _item(self, name: str, unit: str, words: str) -> Item:
        return Item("H", _field(name, unit, words, 0, 65534 / self._per, 1 / self._per), self._per, U16)


def _hour(raw: int) -> str | None:
    hour, minute = divmod(raw, 100)
    return f"{hour:02d}:{minute:02d}" if hour < 24 and minute < 60 else None


def _hour_written(text: str) -> int:
    hour, minute = text.split(":")
    return int(hour) * 100 + int(minute)


def _day(raw: int) -> str | None:
    month, day, year = raw >> 12, raw >> 7 & 31, raw & 127
    return f"{2000 + year}-{month:02d}-{day:02d}" if 1 <= month <= 12 and day else None


def _day_written(text: str) -> int:
    year, month, day = map(int, text.split("-"))
    if not (2000 <= year < 2128 and 1 <= month <= 12 and 1 <= day <= 31):
        raise ValueError(text)
    return month << 12 | day << 7 | year - 2000


def _text(name: str, words: str) -> Field:
    return Field(name, "1", words, kind="text", optional=True, panel=False)


TRENDS: Mapping[int, str] = {
    -60: "falling rapidly", -20: "falling slowly", 0: "steady", 20: "rising slowly", 60: "rising rapidly",
}  # fmt: skip
REDUCTIONS = ("user offset", "altimeter", "NOAA")
NO_TREND = 80
"""P: a console of the first revision, or one that runs for less than three hours."""


def _state(name: str, words: str, states: tuple[str, ...]) -> Field:
    return Field(name, "1", words, kind="state", states=states, optional=True)


TREND = Word(
    _state("barometer_trend", "Where the barometer went in three hours", tuple(TRENDS.values())),
    3,
    "b",
    TRENDS.get,
    lambda text: next(raw for raw, words in TRENDS.items() if words == text),
    NO_TREND,
)
STORM = Word(_text("storm_start", "First day of the storm"), 48, "H", _day, _day_written, 0xFFFF)
SUNRISE = Word(_text("sunrise", "When the sun rises, at the console's time"), 91, "H", _hour, _hour_written, 0x7FFF)
SUNSET = Word(_text("sunset", "When the sun sets, at the console's time"), 93, "H", _hour, _hour_written, 0x7FFF)
REDUCTION = Word(
    _state("barometer_reduction", "How the barometer is reduced to sea level", REDUCTIONS),
    60,
    "B",
    lambda raw: REDUCTIONS[raw] if raw < len(REDUCTIONS) else None,
    REDUCTIONS.index,
    0xFF,
)
ICONS = ("rain", "cloud", "partly_cloudy", "sun", "snow")


def loop(rain: Rain) -> Packet:
    """The packet LOOP."""
    items = (
        Item("b"),
        Item("B", fill=0),
        Item("H", _counter("next_record", "Where the console keeps its next record", 0xFFFF)),
        BAROMETER,
        *INSIDE,
        OUTSIDE,
        WIND,
        Item("B", _mph("wind_mean_10min_coarse", "Mean wind of 10 minutes, in whole mph"), absent=U8),
        WIND_FROM,
        *(_small_warm(f"extra_temperature_{n}", f"Temperature of extra station {n}") for n in range(2, 9)),
        *(_small_warm(f"soil_temperature_{n}", f"Temperature of the soil, sensor {n}") for n in range(1, 5)),
        *(_small_warm(f"leaf_temperature_{n}", f"Temperature of leaves, sensor {n}") for n in range(1, 5)),
        HUMIDITY,
        *(_small(f"extra_humidity_{n}_pct", "%", f"Humidity of extra station {n}", 100) for n in range(2, 9)),
        rain.rate(),
        *SUN,
        rain.fell("storm", "Rain of this storm"),
        Item("H", fill=0xFFFF),
        rain.fell("day", "Rain today"),
        rain.fell("month", "Rain this month"),
        rain.fell("year", "Rain this year"),
        EVAPORATED,
        _evaporated("month", "Evaporation and transpiration this month", 100),
        _evaporated("year", "Evaporation and transpiration this year", 100),
        *(_small(f"soil_moisture_{n}_cb", "cbar", f"Suction of the soil, sensor {n}", 254) for n in range(1, 5)),
        *(_small(f"leaf_wetness_{n}", "1", f"Wetness of leaves, sensor {n}: 0 dry, 15 wet", 15) for n in range(1, 5)),
        Item("B", _counter("alarms_inside", "Alarms of the inside, a bit each", 0xFF)),
        Item("B", _counter("alarms_rain", "Alarms of rain, a bit each", 0xFF)),
        Item("H", _counter("alarms_outside", "Alarms of the outside, a bit each", 0xFFFF)),
        *(Item("B", _counter(f"alarms_extra_{n}", f"Alarms of station {n}, a bit each", 0xFF)) for n in range(1, 9)),
        *(
            Item("B", _counter(f"alarms_soil_{n}", f"Alarms of soil and leaf {n}, a bit each", 0xFF))
            for n in range(1, 5)
        ),
        Item("B", _counter("transmitters_low", "Transmitters with a low battery, a bit each", 0xFF)),
        Item("H"),
        Item("B"),
        Item("B", _counter("forecast_rule", "Number of the forecast's sentence", 0xFF)),
        Item("H", fill=0x7FFF),
        Item("H", fill=0x7FFF),
    )
    console = Field("battery_v", "V", "Battery of the console", minimum=0, maximum=10, step=3 / 512)
    bits = (
        BitItem(console, ((88 - FIRST, 0, 8), (87 - FIRST, 0, 8)), divisor=512 / 3),
        *(
            BitItem(
                Field(f"forecast_{name}", "1", f"The forecast shows {name.replace('_', ' ')}", kind="flag"),
                ((89 - FIRST, bit, 1),),
            )
            for bit, name in enumerate(ICONS)
        ),
    )
    return _packet(0, items, bits, (TREND, STORM, SUNRISE, SUNSET))


def loop2(rain: Rain, alone: bool) -> Packet:
    """The packet LOOP2; where it is not `alone`, without what LOOP says as well."""
    both = (lambda item: item) if alone else _unused
    items = (
        Item("b", fill=NO_TREND),
        Item("B", fill=1),
        Item("H", fill=0x7FFF),
        both(BAROMETER),
        *map(both, INSIDE),
        both(OUTSIDE),
        both(WIND),
        Item("B", fill=0xFF),
        both(WIND_FROM),
        _wind("wind_mean_10min", "Mean wind of 10 minutes"),
        _wind("wind_mean_2min", "Mean wind of 2 minutes"),
        _wind("wind_gust_10min", "Strongest wind of 10 minutes"),
        _from("wind_gust_direction", "Where that came from"),
        Item("H", fill=0x7FFF),
        Item("H", fill=0x7FFF),
        _index("dew_point", "Dew point"),
        Item("B", fill=0xFF),
        both(HUMIDITY),
        Item("B", fill=0xFF),
        _index("heat_index", "What heat and humidity feel like"),
        _index("wind_chill", "What cold and wind feel like"),
        _index("thsw_index", "What temperature, humidity, sun and wind feel like"),
        both(rain.rate()),
        *map(both, SUN),
        both(rain.fell("storm", "Rain of this storm")),
        Item("H", fill=0xFFFF),
        both(rain.fell("day", "Rain today")),
        rain.fell("15min", "Rain of 15 minutes"),
        rain.fell("hour", "Rain of an hour"),
        both(EVAPORATED),
        rain.fell("24h", "Rain of 24 hours"),
        Item("B"),
        Item("h", _inhg("barometer_offset", "Offset that a user has set", -32.7, 32.7), 1000, I16),
        Item("h", _inhg("barometer_calibration", "Calibration of the barometer", -32.7, 32.7), 1000, I16),
        Item("H", _inhg("station_pressure", "Air pressure at the sensor, as it is measured"), 1000, absent=(0,)),
        Item("H", _inhg("absolute_pressure", "Air pressure at the sensor, calibrated"), 1000, absent=(0,)),
        Item("H", _inhg("altimeter", "Altimeter setting"), 1000, absent=(0,)),
        *(Item("B", fill=0xFF),) * 2,
        *(Item("B"),) * 10,
        *(Item("H", fill=0x7FFF),) * 6,
    )
    return _packet(1, items, (), (TREND, STORM, REDUCTION) if alone else (REDUCTION,))


def _packet(kind: int, items: tuple[Item, ...], bits: tuple[BitItem, ...], words: tuple[Word, ...]) -> Packet:
    fields = [item.field for item in items if item.field is not None]
    fields += [bit.field for bit in bits]
    fields += [word.field for word in words]
    return Packet(kind, Payload("<", FIRST, items, bits), words, tuple(fields))
