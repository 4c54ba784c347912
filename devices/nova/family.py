"""The Nova Fitness family: what SDS011, SDS018, SDS021 and SDS198 have in common.

9600 baud, 8N1, one frame a second. Numbers little-endian; sum8 is over bytes 2..7:

    AA | C0 (SDS198: CF) | 4 bytes of measurement | id, 2 bytes | sum8 | AB      a measurement
    AA | C5 | command | 3 bytes of data           | id, 2 bytes | sum8 | AB      an answer

    answer   data                                     fields
    02       set 0/1, mode 0/1, 0                     mode: active, query
    05       0, 0, 0 (the id is the new one)          device_id alone
    06       set 0/1, power 0/1, 0                    power: asleep, working
    07       year, month, day of the firmware         firmware
    08       set 0/1, minutes 0..30, 0                working_period_min, 0 is without pause

Commands are 19 bytes: AA B4 | command | 12 bytes of data | id or FF FF for all | sum8 of
bytes 2..16 | AB. Measured values of zero throughout mean that the sensor warms up.

The id is given in the order of the wire ("58D9" for 58 D9). Asleep, the sensor answers only
command 06. The laser lives about 8000 h: a working period is worth setting.

Source: Nova Fitness, Laser Dust Sensor Control Protocol V1.3 (2015); captures of PyPMS (MIT).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from struct import Struct

from devices.spec.checksum import sum8
from devices.spec.command import DONE, Argument, Arguments, Outcome, StreamCommand, To, brings, framed, plain
from devices.spec.errors import EncodeError
from devices.spec.events import Empty, Event, Reading, SanityError, Value
from devices.spec.field import Field
from devices.spec.frame import BinaryFramer, Check, Frame
from devices.spec.payload import Item, Payload

CHECK = Check(of=sum8, first=2, last=-2, at=-2)
ANSWER_START = b"\xaa\xc5"
TRAILER = b"\xab"
SIZE = 10
SOURCE = "Nova Fitness, Laser Dust Sensor Control Protocol V1.3 (2015); captures of PyPMS (MIT)"

MODES = ("active", "query")
POWERS = ("asleep", "working")
WORDS = {0x02: ("mode", MODES), 0x06: ("power", POWERS)}

DEVICE_ID = Field(
    "device_id", "1", "Identity burnt into the sensor, four hex digits", kind="text", optional=True, panel=False
)
MODE = Field(
    "mode",
    "1",
    "Reporting mode the sensor confirmed in its answer to a command",
    kind="state",
    optional=True,
    states=MODES,
    panel=False,
)
POWER = Field(
    "power",
    "1",
    "Working or asleep, as the sensor confirmed in its answer to a command",
    kind="state",
    optional=True,
    states=POWERS,
    panel=False,
)
FIRMWARE = Field("firmware", "1", "Date of the firmware, from an answer", kind="text", optional=True, panel=False)
WORKING_PERIOD = Field(
    "working_period_min",
    "min",
    "Minutes between measurements, 0 is without pause; from an answer",
    minimum=0,
    maximum=30,
    step=1,
    optional=True,
    panel=False,
)
ANSWER_FIELDS = (DEVICE_ID, MODE, POWER, FIRMWARE, WORKING_PERIOD)
WARMING_UP = "warming up: every measured value is zero"
_ANSWERED = {field.name for field in ANSWER_FIELDS}


def framer(second: int, table: Payload) -> Callable[[], BinaryFramer]:
    """The decoder for measurements beginning AA `second`, whose bytes 2..5 are `table`."""

    def read(frame: bytes) -> Event:
        if frame[2:6] == b"\0\0\0\0":
            return Empty(WARMING_UP, frame)
        fields = table.parse(frame)
        fields["device_id"] = frame[6:8].hex().upper()
        return table.event(frame, fields)

    frames = (
        Frame(bytes((0xAA, second)), SIZE, read, CHECK, TRAILER),
        Frame(ANSWER_START, SIZE, _read_answer, CHECK, TRAILER),
    )
    return lambda: BinaryFramer(frames)


def encoder(second: int, table: Payload) -> Callable[[Reading], bytes]:
    """The bytes sent for a measurement or an answer. Without `device_id` the id is 00 00."""
    start = bytes((0xAA, second))

    def encode(reading: Reading) -> bytes:
        fields = dict(reading.fields)
        identity = _identity(fields.pop("device_id", "0000"))
        if not fields.keys() & table.names:
            return CHECK.sealed(ANSWER_START + _pack_answer(fields) + identity, TRAILER)
        body = table.pack(fields)
        if not any(body):
            raise EncodeError("zero throughout: the sensor says this only while it warms up")
        return CHECK.sealed(start + body + identity, TRAILER)

    return encode


def _read_answer(frame: bytes) -> Event:
    command, first, second, third = frame[2:6]
    fields: dict[str, Value] = {"device_id": frame[6:8].hex().upper()}
    wrong: tuple[str, ...] = ()
    if command in WORDS:
        name, words = WORDS[command]
        if second < len(words):
            fields[name] = words[second]
        else:
            wrong = (f"{name}: {second}, expected 0 for {words[0]} or 1 for {words[1]}",)
    elif command == 0x07:
        fields["firmware"] = f"20{first:02d}-{second:02d}-{third:02d}"
    elif command == 0x08:
        if second <= 30:
            fields["working_period_min"] = float(second)
        else:
            wrong = (f"working_period_min: {second} is outside 0..30",)
    elif command != 0x05:
        return SanityError(f"answer {frame[2:6].hex()} is not in the protocol", frame)
    return Reading(fields, field_errors=wrong)


def _pack_answer(fields: Mapping[str, Value]) -> bytes:
    """Command and data bytes of the answer that says `fields`; settings are said as just set."""
    if len(fields) > 1:
        raise EncodeError(f"{', '.join(sorted(fields))}: an answer says one thing")
    for name, value in fields.items():
        if name == "mode" and value in MODES:
            return bytes((0x02, 1, MODES.index(str(value)), 0))
        if name == "power" and value in POWERS:
            return bytes((0x06, 1, POWERS.index(str(value)), 0))
        if name == "firmware" and isinstance(value, str):
            return bytes((0x07, *_date(value)))
        if name == "working_period_min" and not isinstance(value, str) and 0 <= value <= 30:
            return bytes((0x08, 1, round(value), 0))
        raise EncodeError(f"{name}: {value!r} is not in the protocol")
    return bytes((0x05, 0, 0, 0))


def _date(text: str) -> tuple[int, int, int]:
    try:
        year, month, day = (int(part) for part in text.removeprefix("20").split("-"))
    except ValueError as error:
        raise EncodeError(f"firmware: {text!r} is not a date") from error
    if not (0 <= year < 256 and 0 <= month < 256 and 0 <= day < 256):
        raise EncodeError(f"firmware: {text!r} is not a date")
    return year, month, day


def _identity(value: Value) -> bytes:
    try:
        identity = bytes.fromhex(str(value))
    except ValueError as error:
        raise EncodeError(f"device_id: {value!r} is not four hex digits") from error
    if len(identity) != 2:
        raise EncodeError(f"device_id: {value!r} is not four hex digits")
    return identity


REQUEST = Struct("2s B 12s 2s")
HEAD = b"\xaa\xb4"


def request(command: int, data: bytes = b"", identity: bytes = b"\xff\xff") -> bytes:
    """The 19 bytes of a command to the sensor `identity`, by default to whichever is there."""
    return CHECK.sealed(REQUEST.pack(HEAD, command, data, identity), TRAILER)


PERIOD = replace(WORKING_PERIOD, description="Pause between measurements of 30 s, 0 is without", optional=False)
SET_PERIOD = framed(
    HEAD + b"\x08\1",
    Payload("<", 4, (Item("B", PERIOD), *(Item("B"),) * 10, Item("H", fill=0xFFFF))),
    CHECK,
    TRAILER,
)


def _measured(_arguments: Arguments, _to: To, event: Event) -> Outcome | None:
    """A measurement, if only one of warming up: an answer has no field beside those of answers."""
    if isinstance(event, Empty) and event.detail == WARMING_UP:
        return DONE
    return DONE if isinstance(event, Reading) and not event.fields.keys() <= _ANSWERED else None


COMMANDS = (
    StreamCommand(
        name="active",
        description="Send a measurement every second by itself",
        request=plain(request(0x02, b"\1\0")),
        answer={"mode": "active"},
    ),
    StreamCommand(
        name="passive",
        description="Measure on request only",
        request=plain(request(0x02, b"\1\1")),
        answer={"mode": "query"},
    ),
    StreamCommand(
        name="read",
        description="Send one measurement now (passive mode)",
        request=plain(request(0x04)),
        judge=_measured,
        harmless=True,
    ),
    StreamCommand(
        name="sleep",
        description="Stop fan and laser",
        request=plain(request(0x06, b"\1\0")),
        answer={"power": "asleep"},
    ),
    StreamCommand(
        name="wake",
        description="Start fan and laser",
        request=plain(request(0x06, b"\1\1")),
        answer={"power": "working"},
    ),
    StreamCommand(
        name="firmware",
        description="Say the date of the firmware",
        request=plain(request(0x07)),
        answer={"firmware": "2015-07-10"},
        judge=brings("firmware"),
        harmless=True,
    ),
    StreamCommand(
        name="period",
        description="Measure for 30 s, pause for so many minutes",
        arguments=(Argument(PERIOD),),
        request=SET_PERIOD,
        answer=lambda arguments, _to: {"working_period_min": arguments["working_period_min"]},
    ),
)
