"""The Nova Fitness family: what SDS011 and SDS198 have in common.

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
from struct import Struct

from devices.spec.checksum import sum8
from devices.spec.device import Command
from devices.spec.errors import EncodeError
from devices.spec.events import Event, Reading, SanityError, Value
from devices.spec.field import Field
from devices.spec.frame import BinaryFramer, Check, Frame
from devices.spec.payload import Payload

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


def framer(second: int, table: Payload) -> Callable[[], BinaryFramer]:
    """The decoder for measurements beginning AA `second`, whose bytes 2..5 are `table`."""

    def read(frame: bytes) -> Event:
        if frame[2:6] == b"\0\0\0\0":
            return SanityError("warming up: every measured value is zero", frame)
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


def request(command: int, data: bytes = b"", identity: bytes = b"\xff\xff") -> bytes:
    """The 19 bytes of a command to the sensor `identity`, by default to whichever is there."""
    return CHECK.sealed(REQUEST.pack(b"\xaa\xb4", command, data, identity), TRAILER)


COMMANDS = (
    Command("active", "Send a measurement every second by itself", request(0x02, b"\1\0"), {"mode": "active"}),
    Command("passive", "Measure on request only", request(0x02, b"\1\1"), {"mode": "query"}),
    Command("read", "Send one measurement now (passive mode)", request(0x04)),
    Command("sleep", "Stop fan and laser", request(0x06, b"\1\0"), {"power": "asleep"}),
    Command("wake", "Start fan and laser", request(0x06, b"\1\1"), {"power": "working"}),
    Command("firmware", "Say the date of the firmware", request(0x07), {"firmware": "2015-07-10"}),
    Command("continuous", "Measure without pause", request(0x08, b"\1\0"), {"working_period_min": 0.0}),
    Command("every-5-min", "Measure for 30 s every 5 min", request(0x08, b"\1\5"), {"working_period_min": 5.0}),
)
