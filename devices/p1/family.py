"""Smart meters with a P1 port: DSMR 2.2 to 5.0 (Netherlands), e-MUCS (Belgium), Smarty (Luxembourg), H1 (Sweden),
E.ON (Hungary), and the D0 texts of EasyMeter Q3D, which are written alike.

    /ISk5\\2MT382-1000                        the meter; its name leads to a household and is not kept
    1-3:0.2.8(50)                            the version
    0-0:1.0.0(170102192002W)                 the time of the telegram
    1-0:1.8.1(000004.426*kWh) ...            obis.py
    0-1:24.1.0(003)                          on M-Bus channel 1 there is a gas meter (3)
    0-1:24.2.1(170102161005W)(00000.107*m3)  what it showed, and when
    !6EEE

Versions 2 and 3 write a meter on a channel in two lines, the value on the second:

    0-1:24.3.0(090212160000)(00)(60)(1)(0-1:24.2.1)(m3)
    (00001.001)

One telegram is one reading, with its own time. What a meter on a channel shows is a reading of its own, tagged with
its `channel`: it is as old as it says, up to an hour, and is told once for each of its times.

Limits: a telegram each second (5.0) or each ten (before). The encrypted telegrams of Luxembourg and Austria are not
read. Left out: names and numbers of meters, which are personal data; the log of power failures; what is empty.
"""

import re
from collections.abc import Iterable
from functools import partial

from devices.p1.obis import CHANNELS, HISTORY, KILO, MEDIA, OTHER, ROWS, TEXTS, UNITS, VALVE, Row, channel_field
from devices.p1.stamp import NoTime, stamp, stamp_ns
from devices.p1.telegram import LONGEST, Telegrams, sealed
from devices.spec.device import StreamDevice
from devices.spec.errors import EncodeError
from devices.spec.events import Empty, Event, Reading, SanityError, Value
from devices.spec.field import Field
from devices.spec.sequence import Bits, Sequence

FIELDS: tuple[Field, ...] = (*(row.field for row in ROWS), *CHANNELS, VALVE, *HISTORY, *TEXTS.values())
CHANNEL = "channel"
LONGEST_MESSAGE = 1024
_LINE = re.compile(r"([0-9]{1,2})-([0-9]{1,2}):([0-9]+\.[0-9]+\.[0-9]+)(?:\*[0-9]+)?((?:\([^()]*\))+)")
_MORE = re.compile(r"(?:\([^()]*\))+")
_VALUE = re.compile(r"(-?[0-9]+(?:\.[0-9]+)?)(?:\*([A-Za-z0-9]+))?")
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")
_ROWS: dict[str, tuple[Row, ...]] = {
    code: tuple(row for row in ROWS if row.code == code) for code in {row.code for row in ROWS}
}
_BY_NAME = {row.field.name: row for row in ROWS}
_CHANNEL_FIELDS = {field.name: field for field in CHANNELS}

Groups = list[str]
"""What stands between the brackets of a line."""


class Meter:
    """The decoder of one P1 port. It remembers which times of which channels were told."""

    def __init__(self) -> None:
        self._telegrams = Telegrams(self._read)
        self._told: dict[str, int] = {}
        self.feed = self._telegrams.feed
        self.flush = self._telegrams.flush

    def _read(self, data: bytes, checked: bool) -> list[Event]:
        lines = data[: data.rindex(b"!")].decode("latin-1").splitlines()[1:]
        telegram = _Telegram()
        for line in _joined(lines):
            wrong = telegram.line(line)
            if wrong and not checked:
                return [SanityError(f"{wrong}, in a telegram without a check", data)]
            if wrong:
                telegram.errors.append(wrong)
        if telegram.no_time:
            return [SanityError(telegram.no_time, data)]
        events: list[Event] = [*telegram.electricity(), *self._new(telegram.channels())]
        return events or [Empty("nothing new", data)]

    def _new(self, readings: Iterable[Reading]) -> Iterable[Reading]:
        for reading in readings:
            channel, at = reading.tags[CHANNEL], reading.time_ns
            if at is None or self._told.get(channel) != at:
                if at is not None:
                    self._told[channel] = at
                yield reading


class _Telegram:
    """What was found in one telegram, line by line."""

    def __init__(self) -> None:
        self.fields: dict[str, Value] = {}
        self.errors: list[str] = []
        self.no_time = ""
        self._time_ns: int | None = None
        self._channels: dict[str, dict[str, Groups]] = {}

    def line(self, line: str) -> str:
        """Take a line; what is wrong with it, or nothing."""
        found = _LINE.fullmatch(line)
        if found is None:
            return f"{line[:40]!r} is no line of OBIS"
        groups = found[4][1:-1].split(")(")
        channel, code = found[2], found[3]
        if channel != "0" and found[1] == "0":
            self._channels.setdefault(channel, {})[code] = groups
            return ""
        if code == "1.0.0":
            return self._time(groups[0])
        if code in TEXTS:
            return self._text(TEXTS[code], groups[0])
        if code == "98.1.0":
            return self._history(groups)
        if channel != "0":
            return ""  # of current transformers, and others
        return _row(_ROWS.get(code, ()), groups, self.fields)

    def _time(self, text: str) -> str:
        try:
            self._time_ns = stamp_ns(text)
        except NoTime:
            pass
        except ValueError as error:
            self.no_time = f"0-0:1.0.0: {error}"
        return ""

    def _text(self, field: Field, said: str) -> str:
        if field.name.startswith("message") and _HEX.fullmatch(said):
            said = "".join(filter(str.isprintable, bytes.fromhex(said).decode("latin-1")))
        if said:
            self.fields[field.name] = said[:LONGEST_MESSAGE]
        return ""

    def _history(self, groups: Groups) -> str:
        """Belgium: how many, two codes, then for each month its time, that of the maximum, and the maximum."""
        if len(groups[0]) > 2:
            return ""  # Hungary: what the counters showed at the end of last month
        maxima = [group for group in groups[3:] if "*" in group]
        return "; ".join(
            filter(None, (_put(field, maximum, self.fields) for field, maximum in zip(HISTORY, maxima, strict=False)))
        )

    def electricity(self) -> list[Reading]:
        if not self.fields and not self.errors:
            return []
        return [Reading(self.fields, self._time_ns, field_errors=tuple(self.errors))]

    def channels(self) -> Iterable[Reading]:
        for channel, lines in self._channels.items():
            for code in ("24.2.1", "24.2.3", "24.3.0"):
                if code in lines:
                    reading = _channel(channel, lines, lines[code])
                    if reading is not None:
                        yield reading
                    break


def _joined(lines: list[str]) -> Iterable[str]:
    """The lines that are not empty; one that is only values belongs to the line before."""
    waiting = ""
    for line in lines:
        if _MORE.fullmatch(line) and waiting:
            waiting += line
            continue
        if waiting:
            yield waiting
        waiting = line
    if waiting:
        yield waiting


def _row(rows: tuple[Row, ...], groups: Groups, fields: dict[str, Value]) -> str:
    """Put the value of a line where it belongs; what is wrong with it, or nothing."""
    if not rows or groups == [""]:
        return ""
    for group in groups:
        unit = _unit(group)
        for row in rows:
            if unit is not None and unit in KILO[row.field.unit]:
                return _put(row.field, group, fields)
    names = " or ".join(row.field.name for row in rows)
    return f"{names}: expected a number of {rows[0].field.unit}, got {')('.join(groups)[:40]!r}"


def _unit(group: str) -> str | None:
    """The unit of a value, empty where it has none; None where it is no value."""
    found = _VALUE.fullmatch(group)
    return None if found is None else found[2] or ""


def _put(field: Field, group: str, fields: dict[str, Value]) -> str:
    """Put a value into `fields`; what is wrong with it, or nothing."""
    found = _VALUE.fullmatch(group)
    times = None if found is None else KILO[field.unit].get(found[2] or "")
    if found is None or times is None:
        return f"{field.name}: expected a number of {field.unit}, got {group[:40]!r}"
    number = float(found[1])
    value = number if times == 1 else number / round(1 / times) if times < 1 else number * times
    wrong = field.outside(value)
    if wrong:
        return wrong
    fields[field.name] = int(value) if field.kind == "counter" else value
    return ""


def _channel(channel: str, lines: dict[str, Groups], groups: Groups) -> Reading | None:
    """What the meter on a channel showed, and when; None where it says that there is nothing."""
    kind = lines.get("24.1.0", [""])[0]
    medium = MEDIA.get(int(kind), OTHER) if kind.isascii() and kind.isdigit() else OTHER
    value = groups[-1]
    if len(groups) == 7 and "*" not in value:  # versions 2 and 3: the unit stands before the value
        value = f"{value}*{groups[5]}"
    tags = {CHANNEL: channel}
    try:
        time_ns = stamp_ns(groups[0])
    except NoTime:
        return None
    except ValueError as error:
        return Reading({}, None, tags=tags, field_errors=(f"{medium} on channel {channel}: {error}",))
    unit = next((unit for unit in UNITS if (_unit(value) or "") in KILO[unit]), "m3")
    field = channel_field(medium, unit)
    if field.name not in _CHANNEL_FIELDS:
        field = channel_field(OTHER, unit)
    fields: dict[str, Value] = {}
    wrong = _put(field, value, fields)
    if "24.4.0" in lines and fields:
        _put(VALVE, lines["24.4.0"][0], fields)
    return Reading(fields, time_ns, tags=tags, field_errors=(wrong,) if wrong else ())


def encode(reading: Reading) -> bytes:
    """The telegram of version 5 that says a reading, or what a meter on a channel shows."""
    channel = reading.tags.get(CHANNEL)
    lines = _channel_lines(channel, reading) if channel else _lines(reading)
    return sealed(_text("/PGT5parkgate", lines))


def encode_v2(reading: Reading) -> bytes:
    """The same in version 2: no version, no time of the telegram, no check, and two lines a meter on a channel."""
    channel = reading.tags.get(CHANNEL)
    if not channel and (reading.time_ns is not None or "version" in reading.fields):
        raise EncodeError("a telegram of version 2 says neither its version nor its time")
    lines = map(_in_two, _channel_lines(channel, reading)) if channel else _lines(reading)
    return _text("/PGT2parkgate", lines).encode("ascii") + b"\r\n"


def _text(name: str, lines: Iterable[str]) -> str:
    return "".join((name, "\r\n\r\n", *(line + "\r\n" for line in lines), "!"))


def _in_two(line: str) -> str:
    """A line of a channel as version 2 writes it."""
    found = _LINE.fullmatch(line)
    if found is None or found[3] != "24.2.1":
        return line
    time, value = found[4][1:-1].split(")(")
    number, _, unit = value.partition("*")
    return f"0-{found[2]}:24.3.0({time[:-1]})(00)(60)(1)(0-{found[2]}:24.2.1)({unit})\r\n({number})"


def joined(telegrams: Iterable[bytes]) -> bytes:
    """One telegram that says what several say, all made by `encode` or all by `encode_v2`."""
    texts = [one.decode("ascii").split("!")[0].split("\r\n") for one in telegrams]
    body = _text(texts[0][0], (line for text in texts for line in text[2:-1]))
    return sealed(body) if body.startswith("/PGT5") else body.encode("ascii") + b"\r\n"


def _lines(reading: Reading) -> Iterable[str]:
    unknown = reading.fields.keys() - _BY_NAME.keys() - {"version"}
    if unknown:
        raise EncodeError(f"{', '.join(sorted(unknown))}: not said in such a telegram")
    if "version" in reading.fields:
        yield f"1-3:0.2.8({reading.fields['version']})"
    if reading.time_ns is not None:
        yield f"0-0:1.0.0({stamp(reading.time_ns)})"
    for row in ROWS:
        value = reading.fields.get(row.field.name)
        if value is not None:
            yield f"{row.prefix}:{row.code}({_written(row.field, value, row.digits)})"


def _written(field: Field, value: Value, digits: tuple[int, int]) -> str:
    if isinstance(value, str) or field.outside(value):
        raise EncodeError(f"{field.name}: {value!r} is none that a meter says")
    before, behind = digits
    width = before + behind + bool(behind)
    unit = next(iter(KILO[field.unit]))
    return f"{value:0{width}.{behind}f}" + (f"*{unit}" if unit else "")


def _channel_lines(channel: str, reading: Reading) -> Iterable[str]:
    named = [name for name in reading.fields if name in _CHANNEL_FIELDS]
    rest = reading.fields.keys() - set(named) - {VALVE.name}
    if len(named) != 1 or rest or reading.time_ns is None or channel not in set("123456789"):
        raise EncodeError("a meter on channel 1 to 9 says one value and its time")
    field = _CHANNEL_FIELDS[named[0]]
    medium = field.name.removesuffix("_" + UNITS[field.unit][0])
    number = next((number for number, words in MEDIA.items() if words == medium), 0)
    yield f"0-{channel}:24.1.0({number:03d})"
    yield f"0-{channel}:24.2.1({stamp(reading.time_ns)})({_written(field, reading.fields[field.name], (5, 3))})"
    if VALVE.name in reading.fields:
        yield f"0-{channel}:24.4.0({_written(VALVE, reading.fields[VALVE.name], (1, 0))})"


meter = partial(
    StreamDevice,
    domain="park",
    source="DSMR P1 companion standard 2.2 to 5.0.2; Fluvius e-MUCS P1 1.7.1; sources in devices/p1",
    fields=FIELDS,
    decoder=Meter,
    longest_frame=LONGEST,
    sequence=Sequence((Bits.of(_BY_NAME["power_import_kw"].field, 6),)),
)
"""A type of such meters."""
