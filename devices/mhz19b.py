"""Winsen MH-Z19B: CO2 sensor, asked and answering in 9 bytes.

    request  FF 01 86 00 00 00 00 00 79
    answer   FF 86 | CO2 u16, ppm | temperature + 40, degC | status | u16 | check

The check added to the sum of bytes 1..7 gives 0 (modulo 256). 9600 baud, 8N1; no unit number: it is
alone on its line. While it starts, and only then, bytes 6..7 say 15000: no measurement. During the
three minutes of preheating after that it gives values like any other (many clones a flat 400, 410 or
500), which cannot be told from measurements. Temperature and status are not in the data sheet; the temperature is that
inside the sensor and left out where air cannot be so warm or cold.

    command  FF 01 79 | A0 or 00, then 0 | check            self-calibration on, off
             FF 01 87 | 0                | check            the air around it is 400 ppm
             FF 01 88 | ppm u16, then 0  | check            the air around it is of so many ppm
             FF 01 99 | 0 0 0 | ppm u16  | check            range
    answer   FF, the command, 01, 0 ...  | check            of some; by the manual there is none

Limits: 0..5000 ppm (0..10,000 in some ranges). It calibrates itself against the least of 24 hours
as 400 ppm: only right where there is fresh air once a day.
Source: Winsen MH-Z19B user manual V1.0 (2016); captures of PyPMS (MIT); observations of the status
bytes and of the range command as in ESPEasy P049 and revspace.nl/MHZ19.
"""

from collections.abc import Mapping
from struct import Struct

from devices.spec.checksum import negated_sum8
from devices.spec.command import Argument, Arguments, PolledCommand, Request, Step, framed, plain
from devices.spec.device import PolledDevice, SerialSettings
from devices.spec.errors import EncodeError
from devices.spec.events import Empty, Reading, SanityError, Value
from devices.spec.field import Field
from devices.spec.frame import Check
from devices.spec.payload import Item, Payload
from devices.spec.polled import Answer, NotMine, Question, Timing, Verdict
from devices.spec.sequence import Bits, Sequence

CO2 = Field("co2_ppm", "[ppm]", "Carbon dioxide", minimum=0, maximum=10000, step=1)
TEMPERATURE = Field(
    "temperature_c",
    "Cel",
    "Temperature inside the sensor, to a degree",
    minimum=-40,
    maximum=120,
    step=1,
    optional=True,
)

CHECK = Check(of=negated_sum8, first=1, last=-1, at=-1)
REQUEST = bytes.fromhex("ff0186000000000079")
STARTING = 15000
NO_TEMPERATURE = 0xFF
SIZE = 9
_ANSWER = Struct(">2sHBBH")


def _judge(_unit: int, data: bytes) -> Verdict:
    if data[:2] != b"\xff\x86"[: len(data)]:
        return NotMine()
    if len(data) < SIZE:
        return None
    frame = data[:SIZE]
    computed, stored = CHECK.of(frame[CHECK.first : CHECK.last]), frame[CHECK.at]
    if computed != stored:
        return NotMine(SIZE, f"checksum {stored:#04x}, computed {computed:#04x}")
    _, co2, temperature, _, counter = _ANSWER.unpack_from(frame)
    if counter == STARTING:
        return Answer(SIZE, Empty("starting: not a measurement yet", frame))
    if co2 > 10000:
        return Answer(SIZE, SanityError(f"co2_ppm: {co2} is outside 0..10000", frame))
    fields: dict[str, Value] = {"co2_ppm": float(co2)}
    if temperature - 40 <= 120:
        fields["temperature_c"] = float(temperature - 40)
        return Answer(SIZE, Reading(fields))
    wrong = () if temperature == NO_TEMPERATURE else (f"temperature_c: {temperature - 40} is outside -40..120",)
    return Answer(SIZE, Reading(fields, field_errors=wrong))


def _answer(_unit: int, fields: Mapping[str, Value]) -> bytes:
    co2, temperature = fields.get("co2_ppm"), fields.get("temperature_c", float(NO_TEMPERATURE - 40))
    unknown = fields.keys() - {"co2_ppm", "temperature_c"}
    if unknown:
        raise EncodeError(f"{', '.join(sorted(unknown))}: not in this frame")
    if not isinstance(co2, float | int) or not 0 <= co2 <= 10000:
        raise EncodeError(f"co2_ppm: {co2!r} is outside 0..10000")
    if isinstance(temperature, str) or not -40 <= temperature <= 215:
        raise EncodeError(f"temperature_c: {temperature!r} is outside -40..120")
    return CHECK.sealed(_ANSWER.pack(b"\xff\x86", round(co2), round(temperature) + 40, 0, 0))


def _step(command: int, request: Request) -> Step:
    """A command is answered, where it is, with its number and a 1."""
    answered = CHECK.sealed(bytes((0xFF, command, 1)) + bytes(5))

    def judge(_arguments: Arguments, _unit: int, data: bytes) -> Verdict:
        if data.startswith(answered):
            return Answer(SIZE, Empty("taken", answered))
        return None if answered.startswith(data) else NotMine()

    return Step(request=request, judge=judge, answer=lambda _arguments, _unit: answered, size=SIZE)


def _plain(command: int, data: int) -> Step:
    return _step(command, plain(CHECK.sealed(bytes((0xFF, 1, command, data)) + bytes(4))))


SPAN = Field("span_ppm", "[ppm]", "What the air around it has had for 20 minutes", minimum=1000, maximum=5000, step=1)
RANGE = Field("range_ppm", "[ppm]", "End of the range", minimum=1000, maximum=10000, step=1)
_TO_SPAN = framed(b"\xff\1\x88", Payload(">", 3, (Item("H", SPAN), Item("B"), Item("H"))), CHECK)
_TO_RANGE = framed(b"\xff\1\x99", Payload(">", 3, (Item("B"), Item("H"), Item("H", RANGE))), CHECK)

COMMANDS = (
    PolledCommand(
        name="self-calibration-on",
        description="Take the least of each 24 hours as 400 ppm",
        answers="maybe",
        steps=(_plain(0x79, 0xA0),),
    ),
    PolledCommand(
        name="self-calibration-off",
        description="Leave the zero where it is, as where there is no fresh air once a day",
        answers="maybe",
        steps=(_plain(0x79, 0x00),),
    ),
    PolledCommand(
        name="calibrate-zero",
        description="Take the air around it as 400 ppm, after 20 minutes outdoors",
        answers="maybe",
        steps=(_plain(0x87, 0),),
    ),
    PolledCommand(
        name="calibrate-span",
        description="Take the air around it as so many ppm, after the zero",
        arguments=(Argument(SPAN),),
        answers="maybe",
        steps=(_step(0x88, _TO_SPAN),),
    ),
    PolledCommand(
        name="range",
        description="Measure up to so many ppm (2000, 5000, some sensors 10000)",
        arguments=(Argument(RANGE),),
        answers="maybe",
        steps=(_step(0x99, _TO_RANGE),),
    ),
)

DEVICE = PolledDevice(
    name="mhz19b",
    title="Winsen MH-Z19B CO2 sensor",
    domain="air",
    source="Winsen MH-Z19B user manual V1.0 (2016); captures of PyPMS (MIT)",
    fields=(CO2, TEMPERATURE),
    expected_every_s=10.0,
    sequence=Sequence((Bits.of(CO2, 6),)),
    serial=SerialSettings(baud=9600),
    questions=(
        Question(
            name="command 86",
            request=lambda _unit: REQUEST,
            judge=_judge,
            answer=_answer,
            fields=(CO2, TEMPERATURE),
            size=SIZE,
        ),
    ),
    timing=Timing(timeout_s=0.5, silence_s=0.05, late_s=1.0),
    commands=COMMANDS,
)
