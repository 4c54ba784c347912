"""NMEA 0183: what satellite receivers, and instruments on board, say. Text, 1 to 10 Hz.

    $GNRMC,103607.00,A,5327.03942,N,00214.42462,W,0.046,77.52,060321,,,A,V*0E CR LF
     | |   time      | latitude     longitude     knots course date      |    exclusive or, hex
     | sentence      status A/V                                         mode
     talker: GP GPS, GL GLONASS, GA Galileo, GB or BD BeiDou, GQ QZSS, GI NavIC, GN several

Each sentence is a reading with tags `sentence` and `talker` (and `signal` for GSV); the
rows are in sentences.py, the groups of GSV in sky.py, the wire in lines.py.

* Time: RMC, ZDA and PUBX,04 bring the date; sentences with a time of day alone take the date
  last seen in the stream, also across midnight. Before that they carry `utc_time` and no time.
  Two-digit years from 80 on are 19xx. A date that cannot be is left out, and the reading has no time.
* A void fix (status V, fix quality 0, mode N) never becomes a position: only what tells of the
  fix itself is kept, and its time is not believed (`utc_time` only).
  What is left out of it is not judged: receivers put in placeholders (8960.0, 36000.0, 050180).
* An item that cannot be read or is out of range is left out, and named in `field_errors`; the rest of
  the sentence is kept (salvage.py). A time of day that cannot be refuses the sentence, as do a status
  and a place. Without a checksum every item has to be as it must.
* A sentence that is whole and checked but not in the table is kept as `text`. Its address is a letter
  and up to 31 letters, digits, `_`, `-` or `.`; anything else there is a sanity error.
* A sentence that has no value in it is `Empty`: receivers and instruments say this until they have one.

Limits: dates 1980 to 2079; receivers with the GPS week counter rolled over say dates 1024
weeks off, which is for the gateway to notice, as it has a clock and this has none.
Source: NMEA 0183 as described by gpsd (BSD-2-Clause), pynmeagps (BSD-3-Clause), pynmea2 (MIT).
"""

import math
import re
from datetime import date
from functools import lru_cache

from devices.nmea0183.fields import BY_NAME, FIELDS, FIX, KNOT, LIMITS
from devices.nmea0183.lines import LONGEST, NmeaLines
from devices.nmea0183.reasons import NothingSaid
from devices.nmea0183.row import Row
from devices.nmea0183.salvage import salvage
from devices.nmea0183.sentences import OLD_VTG, SENTENCES
from devices.nmea0183.sky import Sky, group_items, ublox_satellites
from devices.spec.checksum import xor8
from devices.spec.device import SerialSettings, StreamDevice
from devices.spec.errors import EncodeError
from devices.spec.events import Event, Reading, Value
from devices.spec.sequence import Bits, ListBits, Sequence

SECOND = 1_000_000_000
DAY = 86400 * SECOND
EPOCH = date(1970, 1, 1).toordinal()
ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,31}", re.ASCII)
MINUTES = {f"{number // 60:02d}{number % 60:02d}": 60 * number * SECOND for number in range(24 * 60)}
SECONDS = {f"{number:02d}": number * SECOND for number in range(61)}
FRACTION = re.compile(r"(\.\d*)?", re.ASCII)
MIDNIGHT = re.compile(r"240000(\.0*)?", re.ASCII)
LOOSE = re.compile(r"[_ ]|\d[eE][-+]?\d")
"""What float() takes and no receiver writes: not taken where no checksum vouches for it."""
KEPT_WHEN_VOID = frozenset(field.name for field in FIX) | {"utc_time", "text", "lock_status"}
VTG = SENTENCES["VTG"]
DERIVED = frozenset({"speed_m_s", "utc_time"})


@lru_cache(maxsize=256)
def _address(address: str) -> tuple[str, str, Row | None]:
    """Talker, sentence and row of an address; proprietary sentences have no talker."""
    if address in SENTENCES:
        return "", address, SENTENCES[address]
    if address == "PQGSV":
        return "PQ", "GSV", None  # Quectel's talker of BeiDou, though P stands for proprietary
    if address.startswith("P") or len(address) != 5:
        return "", address, None
    return address[:2], address[2:], SENTENCES.get(address[2:])


@lru_cache(maxsize=64)
def _day(text: str) -> int:
    """Days since 1970 of ddmmyy; ValueError if there is no such day."""
    if len(text) != 6 or not text.isdecimal():
        raise ValueError(f"date {text!r} is not ddmmyy")
    year = int(text[4:6])
    try:
        return _ordinal(year + (1900 if year >= 80 else 2000), int(text[2:4]), int(text[:2]))
    except ValueError as error:
        raise ValueError(f"date {text!r}: {error}") from None


def _calendar_day(parts: list[str]) -> int | None:
    """Days since 1970 of year, month and day; None if one is empty."""
    year, month, day = parts
    try:
        return _ordinal(int(year), int(month), int(day)) if year and month and day else None
    except ValueError as error:
        raise ValueError(f"date {'-'.join(parts)!r}: {error}") from None


def _ordinal(year: int, month: int, day: int) -> int:
    if not 1980 <= year < 2080:
        raise ValueError(f"year {year} is outside 1980..2079")
    return date(year, month, day).toordinal() - EPOCH


def _nanoseconds(text: str) -> int:
    """Nanoseconds since midnight of hhmmss.ss; ValueError if there is no such time.

    240000 is the midnight that ends the day, and second 60 the next minute: by rounding, or a leap second.
    """
    try:
        whole = MINUTES[text[:4]] + SECONDS[text[4:6]]
        return whole + _fraction(text[6:]) if len(text) > 6 else whole
    except (KeyError, ValueError):
        if MIDNIGHT.fullmatch(text) is not None:
            return DAY
        raise ValueError(f"time {text!r} is not hhmmss.ss") from None


@lru_cache(maxsize=32)
def _fraction(text: str) -> int:
    """Nanoseconds of `.ss`, digits behind the ninth cut off."""
    if FRACTION.fullmatch(text) is None:
        raise ValueError(f"{text!r} is not a fraction")
    return int(text[1:10].ljust(9, "0"))


def _readable(text: str) -> str:
    """hhmmss.ss as hh:mm:ss.ssZ, without zeros at the end of the fraction."""
    return f"{text[:2]}:{text[2:4]}:{text[4:6]}{_shortest(text[6:])}Z"


def _void_time(clock: str, fields: dict[str, Value]) -> None:
    """The time of day of a sentence without a fix; not judged, left out where there is no such time."""
    try:
        _nanoseconds(clock)
    except ValueError:
        return
    fields["utc_time"] = _readable(clock)


@lru_cache(maxsize=32)
def _shortest(fraction: str) -> str:
    return fraction.rstrip("0").rstrip(".")


class NmeaStream:
    """The decoder of one stream: remembers the date, and the groups of GSV that are open."""

    __slots__ = ("_clock", "_days", "_lines", "_moment", "_sky", "_text")

    def __init__(self) -> None:
        self._lines = NmeaLines(self._sentence)
        self._sky = Sky()
        self._days: int | None = None
        self._clock = 0
        self._text = ""
        self._moment = 0

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes; answer the events they complete, in the order of the bytes."""
        return self._lines.feed(data)

    def flush(self) -> list[Event]:
        """The stream has ended: a checked sentence without line end counts, open groups are given."""
        return [*self._lines.flush(), *self._sky.close()]

    def _sentence(self, body: str, checked: bool, events: list[Event]) -> None:
        items = body.split(",")
        talker, sentence, row = _address(items[0])
        if row is None and sentence == "PUBX" and len(items) > 1:
            talker, sentence, row = _address("PUBX" + items[1])
        # one for each reading: of a common one, a change to any reading's tags would be in all; 2 % faster
        tags = {"sentence": sentence, "talker": talker} if talker else {"sentence": sentence}
        try:
            if not checked and LOOSE.search(body):
                raise ValueError("an item that no receiver writes")
            if row is not None:
                row = OLD_VTG if row is VTG and len(items) == 5 else row
                events.append(self._reading(row, items, tags, checked))
            elif sentence == "GSV":
                events += self._sky.take(talker, items, checked)
            elif sentence == "PUBX03":
                events.append(self._ublox(items, tags, checked))
            else:
                events.append(self._unknown(body, tags, checked))
        except NothingSaid as said:
            raise NothingSaid(f"{sentence}: {said}") from None
        except ValueError as error:
            raise ValueError(f"{sentence}: {error}") from None

    @staticmethod
    def _unknown(body: str, tags: dict[str, str], checked: bool) -> Event:
        """A sentence that is not in the table. ValueError where it is not believable."""
        address = body.partition(",")[0]
        if not checked or ADDRESS.fullmatch(address) is None:
            raise ValueError(f"{address!r} is not a sentence that is known")
        return Reading({"text": body}, tags=tags)

    @staticmethod
    def _ublox(items: list[str], tags: dict[str, str], checked: bool) -> Reading:
        fields, wrong = ublox_satellites(items)
        if wrong and not checked:
            raise ValueError(wrong[0])
        return Reading(fields, tags=tags, field_errors=tuple(wrong))

    def _reading(self, row: Row, items: list[str], tags: dict[str, str], checked: bool) -> Reading:
        """The reading of a sentence. ValueError where it cannot be read, NothingSaid where it has no values."""
        wrong: tuple[str, ...] = ()
        try:
            fields, void = row.read(items)
        except ValueError:
            fields, void, wrong = salvage(row, items)
        clock = items[row.clock] if row.clock else ""
        time_ns = None
        if void:
            fields = {name: value for name, value in fields.items() if name in KEPT_WHEN_VOID}
            if clock:
                _void_time(clock, fields)
        elif clock:
            try:
                if row.date:
                    date_text = items[row.date]
                    days = _day(date_text) if date_text else None
                else:
                    days = _calendar_day([items[at] for at in row.calendar]) if row.calendar else None
            except ValueError as error:
                _nanoseconds(clock)  # without a time of day either there is nothing to keep
                wrong += (str(error),)
            else:
                time_ns = self._time(clock, days)
            if time_ns is None or not fields:
                fields["utc_time"] = _readable(clock)
        if wrong and (not checked or not fields):
            raise ValueError(wrong[0])
        if not fields:
            raise NothingSaid("no values")
        return Reading(fields, time_ns, None, tags, wrong)

    def _time(self, clock: str, days: int | None) -> int | None:
        """Nanoseconds since 1970, with the date of the sentence or the last one of the stream."""
        if clock == self._text and (days is None or days == self._days):
            return self._moment  # the sentences of one fix say the same time
        since = _nanoseconds(clock)
        if days is None:
            if self._days is None:
                return None
            days = self._days
            if since > self._clock + DAY // 2:
                return (days - 1) * DAY + since
            if since < self._clock - DAY // 2:
                days += 1
        self._days, self._clock, self._text = days, since, clock
        self._moment = days * DAY + since
        return self._moment


def _clock_items(reading: Reading) -> dict[str, Value]:
    """`utc_time` and the date in the form of the wire."""
    if reading.time_ns is None:
        readable = str(reading.fields.get("utc_time", ""))
        if not readable:
            return {}
        whole, _, decimals = readable.removesuffix("Z").replace(":", "").partition(".")
        return {"utc_time": f"{whole}.{decimals:0<2}"}
    days, since = divmod(reading.time_ns, DAY)
    seconds, fraction = divmod(since, SECOND)
    today = date.fromordinal(EPOCH + days)
    decimals = f"{fraction:09d}".rstrip("0").ljust(2, "0")
    return {
        "utc_time": f"{seconds // 3600:02d}{seconds // 60 % 60:02d}{seconds % 60:02d}.{decimals}",
        "utc_date": f"{today:%d%m%y}",
        "day": today.day,
        "month": today.month,
        "year": today.year,
    }


def _checked_fields(reading: Reading, row: Row) -> dict[str, Value]:
    """The fields of a reading as the row writes them; what every receiver says is filled in."""
    fields = {name: value for name, value in reading.fields.items() if name not in DERIVED}
    for name, value in fields.items():
        low, high = LIMITS.get(name, (-math.inf, math.inf))
        if not isinstance(value, str) and not low <= value <= high:
            raise EncodeError(f"{name}: {value} is outside {low}..{high}")
    speed = reading.fields.get("speed_m_s")
    if speed is not None and not isinstance(speed, str) and "speed_kn" in row.names:
        fields.setdefault("speed_kn", speed / KNOT)
    if "latitude_deg" in row.names:
        found = "latitude_deg" in fields
        for name, value in (("status", "A" if found else "V"), ("fix_quality", 1 if found else 0)):
            if name in row.names:
                fields.setdefault(name, value)
    if row.is_void(fields):
        for name in fields:
            if name not in KEPT_WHEN_VOID:
                raise EncodeError(f"{name}: a receiver without a fix does not say it")
    for column in row.columns:
        for name in column.tells_of:
            if fields.get(column.field) == "V" and name in fields:
                raise EncodeError(f"{name}: with {column.field} V a device does not say it")
    stamps = {name: value for name, value in _clock_items(reading).items() if name in row.names}
    return {**fields, **stamps}


def sentence_bytes(address: str, items: list[str]) -> bytes:
    """`$address,items*hh` and the line end."""
    body = ",".join((address, *items)).encode("ascii")
    return b"$%b*%02X\r\n" % (body, xor8(body))


def encode(reading: Reading) -> bytes:
    """The sentence (for GSV: all of its group) that says the reading.

    Tag `sentence` names it, RMC if there is none, tag `talker` the talker, GP if there is
    none. Numbers are written as u-blox receivers do. EncodeError for fields that the sentence
    does not have, values out of range, and positions without a fix.
    """
    sentence = reading.tags.get("sentence", "RMC")
    talker = reading.tags.get("talker", "" if sentence.startswith("P") else "GP")
    if sentence == "GSV":
        groups = group_items(reading.fields, reading.tags.get("signal", ""))
        return b"".join(sentence_bytes(talker + "GSV", items) for items in groups)
    row = SENTENCES.get(sentence)
    if row is None:
        return _unlisted(reading, talker + sentence)
    items = row.write(_checked_fields(reading, row))
    if sentence.startswith("PUBX"):
        return sentence_bytes("PUBX", [sentence[4:], *items[1:]])
    if not any(items):
        raise EncodeError(f"{sentence}: no values")
    return sentence_bytes(talker + sentence, items)


def _unlisted(reading: Reading, address: str) -> bytes:
    text = str(reading.fields.get("text", ""))
    if len(reading.fields) != 1 or text.partition(",")[0] != address or not text.isascii() or "*" in text:
        raise EncodeError(f"{address}: not in the table, and no text that is this sentence")
    return sentence_bytes(address, text.split(",")[1:])


SEQUENCE = Sequence(
    parts=(Bits.of(BY_NAME["speed_kn"], 3), Bits.of(BY_NAME["course_deg"], 3)),
    others=(
        (Bits.of(BY_NAME["altitude_m"], 3), Bits.of(BY_NAME["hdop"], 3)),
        (ListBits("satellites", "azimuth_deg", each=1, entries=6, maximum=359),),
    ),
)
"""RMC and VTG carry the count in speed and course, GGA in height and HDOP, GSV in azimuths."""

DEVICE = StreamDevice(
    name="nmea0183",
    title="Satellite receiver (NMEA 0183)",
    domain="robot",
    source="NMEA 0183 as described by gpsd (BSD-2-Clause), pynmeagps (BSD-3-Clause) and pynmea2 (MIT)",
    fields=FIELDS,
    expected_every_s=1.0,
    sequence=SEQUENCE,
    serial=SerialSettings(baud=9600),
    decoder=NmeaStream,
    encode=encode,
    longest_frame=LONGEST,
    clock_rolls_over=True,
)
