"""Sensirion SPS30: particle sensor, asked over SHDLC (shdlc.py): masses, numbers and the typical size of particles.

115200 baud, 8N1, address 0. Switched on it is idle: it has to be told to measure, once, and to be asked then.

    7E 00 00 02 01 03 F9 7E   measure, say floats     7E 00 00 00 00 FF 7E   it does
                                                      7E 00 00 43 00 BC 7E   it did already
    7E 00 03 00 FC 7E         what was measured       7E 00 03 00 28 ten numbers, check 7E
                                                      7E 00 03 00 00 FC 7E   nothing since it was asked last
                                                      7E 00 03 43 00 B9 7E   it does not measure

    ten numbers: mass up to 1, 2.5, 4, 10 um in ug/m3 | number of 0.3 up to 0.5, 1, 2.5, 4, 10 um per cm3 | typical
    size; f32 (28: 40 bytes, size in um), or u16 where it was told 01 05 (14: 20 bytes, size in nm). Both are read.

All are big-endian. There is a measurement every second; all zeros are what it says before the first. What is
refused otherwise has a state of its own. Bit 7 of the state is the error of fan, laser or fan speed.

    56                        clean the fan now, 10 s at full speed
    80 | 00 u32               clean it every so many seconds by itself, 0 for never; 604800 as delivered
    D3                        start anew

Limits: 0..1000 ug/m3, 0..3000 per cm3 by the data sheet; the integers say 65535. Steady after 8 s of 200..3000
per cm3, 30 s of less. Told to stop it would be started again by the next round, so there is no command for that.
Unknown: what a measurement with an error is worth; it is kept.
Source: Sensirion SPS30 data sheet (March 2020), 4 and 5; captures of PyPMS (MIT).
"""

import math
from collections.abc import Mapping
from struct import Struct

from devices.particulate import mass
from devices.sensirion import shdlc
from devices.spec.command import Argument, Arguments, Heard, PolledCommand, Request, Step, To
from devices.spec.device import PolledDevice, SerialSettings
from devices.spec.errors import EncodeError
from devices.spec.events import Empty, Reading, SanityError, Value
from devices.spec.field import Field
from devices.spec.polled import Question, Timing, Verdict
from devices.spec.register import shortest
from devices.spec.sequence import Bits, Sequence

START, READ, CLEAN, INTERVAL, RESET = 0x00, 0x03, 0x56, 0x80, 0xD3
FLOATS, INTEGERS = Struct(">10f"), Struct(">10H")
AS_FLOATS = b"\x01\x03"
WARMING_UP = "warming up: every number is zero"


def _number(size: str) -> Field:
    return Field(
        f"particles_below_{size}um_per_cm3",
        "/cm3",
        f"Number of particles of 0.3 up to {size.replace('_', '.')} um",
        minimum=0,
        maximum=65535,
        step=0.01,
        optional=True,
    )


PM1, PM2_5, PM4, PM10 = mass("1_0", 0.01), mass("2_5", 0.01), mass("4_0", 0.01), mass("10", 0.01)
NUMBERS = tuple(_number(size) for size in ("0_5", "1_0", "2_5", "4_0", "10"))
SIZE = Field(
    "typical_size_um", "um", "Typical size of the particles", minimum=0, maximum=65.535, step=0.001, optional=True
)
ERROR = Field("error_flag", "1", "The sensor has an error: fan, laser or the speed of the fan", kind="flag")
TABLE = (PM1, PM2_5, PM4, PM10, *NUMBERS, SIZE)


def _values(data: bytes) -> list[float]:
    """The ten numbers in the units of the fields."""
    if len(data) == FLOATS.size:
        return [shortest(number) if math.isfinite(number) else math.nan for number in FLOATS.unpack(data)]
    *numbers, nanometres = INTEGERS.unpack(data)
    return [*map(float, numbers), nanometres / 1000]


def _measured(state: int, data: bytes, frame: bytes) -> Reading | Empty | SanityError:
    if state & ~shdlc.FAULT == shdlc.NOT_NOW:
        return Empty("it does not measure (state 43)", frame)
    refused = shdlc.refusal(state, frame)
    if refused is not None:
        return refused
    if not data:
        return Empty("nothing measured since it was asked last", frame)
    if not any(data):
        return Empty(WARMING_UP, frame)
    fields: dict[str, Value] = {}
    errors: list[str] = []
    for field, value in zip(TABLE, _values(data), strict=True):
        wrong = "" if math.isnan(value) else field.outside(value)
        if not (wrong or math.isnan(value)):
            fields[field.name] = value
        elif not field.optional:
            return SanityError(wrong or f"{field.name} has no value", frame)
        elif wrong:
            errors.append(wrong)
    fields[ERROR.name] = bool(state & shdlc.FAULT)
    return Reading(fields, field_errors=tuple(errors))


def _says(_unit: int, fields: Mapping[str, Value]) -> bytes:
    unknown = fields.keys() - {field.name for field in (*TABLE, ERROR)}
    if unknown:
        raise EncodeError(f"{', '.join(sorted(unknown))}: not in this answer")
    numbers = []
    for field in TABLE:
        value = fields.get(field.name)
        if value is None and field.optional:
            numbers.append(math.nan)
        elif value is None or isinstance(value, str) or field.outside(value):
            raise EncodeError(f"{field.name}: {value!r} is not within {field.minimum}..{field.maximum}")
        else:
            numbers.append(float(value))
    if not any(numbers):
        raise EncodeError("zero throughout: the sensor says this only while it warms up")
    return shdlc.answer(READ, FLOATS.pack(*numbers), shdlc.FAULT if fields.get(ERROR.name) else 0)


def _started(state: int, _data: bytes, frame: bytes) -> Empty | SanityError:
    if state & ~shdlc.FAULT == shdlc.NOT_NOW:
        return Empty("it measures already (state 43)", frame)
    return shdlc.refusal(state, frame) or Empty("it measures from now on", frame)


_judge_start = shdlc.judge(START, frozenset((0,)), _started)
_judge_read = shdlc.judge(READ, frozenset((0, INTEGERS.size, FLOATS.size)), _measured)


def _start(_unit: int, data: bytes) -> Verdict:
    return _judge_start(data)


def _read(_unit: int, data: bytes) -> Verdict:
    return _judge_read(data)


QUESTIONS = (
    Question(
        name="start measurement",
        request=lambda _unit: shdlc.request(START, AS_FLOATS),
        judge=_start,
        answer=lambda _unit, _fields: shdlc.answer(START),
        fields=(),
        size=shdlc.longest(0),
        harmless=False,
        starts=True,
    ),
    Question(
        name="read measured values",
        request=lambda _unit: shdlc.request(READ),
        judge=_read,
        answer=_says,
        fields=(*TABLE, ERROR),
        size=shdlc.longest(FLOATS.size),
    ),
)

EVERY = Field(
    "cleaning_interval_s", "s", "Time of measuring between two cleanings, 0 for never", minimum=0, maximum=4294967295,
    step=1,
)  # fmt: skip
_U32 = Struct(">I")


def _told(command: int, request: Request) -> Step:
    """A command is done where its answer has state 0."""

    def taken(state: int, _data: bytes, frame: bytes) -> Empty | SanityError:
        return shdlc.refusal(state, frame) or Empty("done", frame)

    judged = shdlc.judge(command, frozenset((0,)), taken)
    return Step(
        request=request,
        judge=lambda _arguments, _unit, data: judged(data),
        answer=lambda _arguments, _unit: shdlc.answer(command),
        size=shdlc.longest(0),
    )


def _plain(command: int) -> Step:
    said = shdlc.request(command)
    return _told(command, Request(lambda _a, _to: said, lambda data, _to: _begins(data, said, {})))


def _begins(data: bytes, said: bytes, arguments: dict[str, Value]) -> Heard | None:
    return Heard(len(said), arguments) if data.startswith(said) else None


def _set_interval(arguments: Arguments, _to: To) -> bytes:
    return shdlc.request(INTERVAL, b"\0" + _U32.pack(round(float(arguments[EVERY.name]))))


def _interval_heard(data: bytes, to: To) -> Heard | None:
    end = data.find(shdlc.FLAG, 1)
    body = shdlc.unstuffed(data[1:end]) if data[:1] == bytes((shdlc.FLAG,)) and end > 1 else None
    if body is None or len(body) != 9 or body[:4] != bytes((0, INTERVAL, 5, 0)):
        return None
    arguments: dict[str, Value] = {EVERY.name: float(_U32.unpack(body[4:8])[0])}
    return _begins(data, _set_interval(arguments, to), arguments)


COMMANDS = (
    PolledCommand(name="clean-fan", description="Clean the fan now: 10 s at full speed", steps=(_plain(CLEAN),)),
    PolledCommand(
        name="cleaning-interval",
        description="Clean the fan by itself, each time it has measured so long; kept without power",
        arguments=(Argument(EVERY),),
        steps=(_told(INTERVAL, Request(_set_interval, _interval_heard)),),
    ),
    PolledCommand(name="restart", description="Start anew, as after power on", steps=(_plain(RESET),)),
)

DEVICE = PolledDevice(
    name="sps30",
    title="Sensirion SPS30 particle sensor",
    domain="air",
    source="Sensirion SPS30 data sheet (March 2020); captures of PyPMS (MIT)",
    fields=(*TABLE, ERROR),
    expected_every_s=5.0,
    sequence=Sequence((Bits.of(PM1, 4), Bits.of(PM2_5, 4))),
    serial=SerialSettings(baud=115200),
    questions=QUESTIONS,
    timing=Timing(timeout_s=0.2, silence_s=0.01, late_s=0.5),
    commands=COMMANDS,
)
