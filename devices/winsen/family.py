"""The Winsen MH-Z family: what MH-Z19B and MH-Z19C have in common. Asked and answering in 9 bytes.

    request  FF 01 86 00 00 00 00 00 79
    answer   FF 86 | CO2 u16, ppm | temperature + 40, degC | status | u16 | check

The check added to the sum of bytes 1..7 gives 0 (modulo 256). 9600 baud, 8N1; no unit number: it is
alone on its line. Temperature and status are not in the data sheets, whose examples have 0 there; the
temperature is that inside the sensor, absent where the byte is 0 or FF, and left out where air cannot be so
warm. Nothing but zeros is what a sensor says before it has measured.

    command  FF 01 79 | A0 or 00, then 0 | check            self-calibration on, off
             FF 01 87 | 0                | check            the air around it is 400 ppm
    answer   FF, the command, 01, 0 ...  | check            of some; by the manuals there is none

An answer to another command is told by its number; it is never a measurement.

Limits: 0..5000 ppm (0..10,000 in some ranges). They calibrate themselves against the least of 24 hours
as 400 ppm: only right where there is fresh air once a day.
Source: Winsen MH-Z19B user manual V1.0 (2016), MH-Z19C user manual V1.2 (2021); captures of PyPMS (MIT);
observations of the undocumented bytes as in ESPEasy P049 and revspace.nl/MHZ19.
"""

from collections.abc import Mapping
from struct import Struct

from devices.particulate import CO2_LEVELS
from devices.spec.checksum import negated_sum8
from devices.spec.command import Arguments, PolledCommand, Request, Step, plain
from devices.spec.device import PolledDevice, SerialSettings
from devices.spec.errors import EncodeError
from devices.spec.events import Empty, Reading, SanityError, Value
from devices.spec.field import Field
from devices.spec.frame import Check
from devices.spec.polled import Answer, NotMine, Question, Timing, Verdict
from devices.spec.sequence import Bits, Sequence

CO2 = Field("co2_ppm", "[ppm]", "Carbon dioxide", minimum=0, maximum=10000, step=1, thresholds=CO2_LEVELS)
TEMPERATURE = Field(
    "temperature_c",
    "Cel",
    "Temperature inside the sensor, to a degree",
    minimum=-39,
    maximum=120,
    step=1,
    optional=True,
)

CHECK = Check(of=negated_sum8, first=1, last=-1, at=-1)
START = b"\xff\x86"
REQUEST = bytes.fromhex("ff0186000000000079")
STARTING = 15000
NO_TEMPERATURE = (0x00, 0xFF)
SIZE = 9
_ANSWER = Struct(">2sHBBH")


def _strange(data: bytes) -> NotMine:
    """What does not begin like the answer: that to another command is known by its check."""
    if data[0] != START[0] or data[1] == START[0]:
        return NotMine()
    if len(data) < SIZE:
        return NotMine(0)
    if CHECK.of(data[CHECK.first : SIZE - 1]) != data[SIZE - 1]:
        return NotMine()
    return NotMine(SIZE, f"an answer to command {data[1]:02x}, not to 86", whole=True)


def _judge(_unit: int, data: bytes) -> Verdict:
    if data[:2] != START[: len(data)]:
        return _strange(data) if len(data) > 1 else NotMine()
    if len(data) < SIZE:
        return None
    frame = data[:SIZE]
    computed, stored = CHECK.of(frame[CHECK.first : CHECK.last]), frame[CHECK.at]
    if computed != stored:
        return NotMine(SIZE, f"checksum {stored:#04x}, computed {computed:#04x}")
    _, co2, temperature, _, counter = _ANSWER.unpack_from(frame)
    if counter == STARTING:
        return Answer(SIZE, Empty("starting: not a measurement yet", frame))
    if not any(frame[2:-1]):
        return Answer(SIZE, Empty("starting: the whole answer is zero", frame))
    if co2 > 10000:
        return Answer(SIZE, SanityError(f"co2_ppm: {co2} is outside 0..10000", frame))
    fields: dict[str, Value] = {"co2_ppm": float(co2)}
    wrong: tuple[str, ...] = ()
    if temperature not in NO_TEMPERATURE:
        if temperature - 40 <= 120:
            fields["temperature_c"] = float(temperature - 40)
        else:
            wrong = (f"temperature_c: {temperature - 40} is outside -39..120",)
    return Answer(SIZE, Reading(fields, field_errors=wrong))


def _answer(_unit: int, fields: Mapping[str, Value]) -> bytes:
    unknown = fields.keys() - {"co2_ppm", "temperature_c"}
    if unknown:
        raise EncodeError(f"{', '.join(sorted(unknown))}: not in this frame")
    co2, temperature = fields.get("co2_ppm"), fields.get("temperature_c")
    if not isinstance(co2, float | int) or not 0 <= co2 <= 10000:
        raise EncodeError(f"co2_ppm: {co2!r} is outside 0..10000")
    if isinstance(temperature, str) or (temperature is not None and not -39 <= temperature <= 120):
        raise EncodeError(f"temperature_c: {temperature!r} is outside -39..120")
    raw = NO_TEMPERATURE[0] if temperature is None else round(temperature) + 40
    if not raw and not round(co2):
        raise EncodeError("zero throughout: the sensor says this only while it starts")
    return CHECK.sealed(_ANSWER.pack(START, round(co2), raw, 0, 0))


def starting() -> bytes:
    """What an MH-Z19B answers until it measures."""
    return CHECK.sealed(_ANSWER.pack(START, 400, 64, 0, STARTING))


def step(command: int, request: Request) -> Step:
    """A command is answered, where it is, with its number and a 1."""
    answered = CHECK.sealed(bytes((0xFF, command, 1)) + bytes(5))

    def judge(_arguments: Arguments, _unit: int, data: bytes) -> Verdict:
        if data.startswith(answered):
            return Answer(SIZE, Empty("taken", answered))
        return None if answered.startswith(data) else NotMine()

    return Step(request=request, judge=judge, answer=lambda _arguments, _unit: answered, size=SIZE)


def plainly(command: int, data: int) -> Step:
    return step(command, plain(CHECK.sealed(bytes((0xFF, 1, command, data)) + bytes(4))))


CALIBRATION = (
    PolledCommand(
        name="self-calibration-on",
        description="Take the least of each 24 hours as 400 ppm",
        answers="maybe",
        steps=(plainly(0x79, 0xA0),),
    ),
    PolledCommand(
        name="self-calibration-off",
        description="Leave the zero where it is, as where there is no fresh air once a day",
        answers="maybe",
        steps=(plainly(0x79, 0x00),),
    ),
    PolledCommand(
        name="calibrate-zero",
        description="Take the air around it as 400 ppm, after 20 minutes outdoors",
        answers="maybe",
        steps=(plainly(0x87, 0),),
    ),
)


def sensor(name: str, title: str, source: str, commands: tuple[PolledCommand, ...]) -> PolledDevice:
    """The description of a member of the family."""
    return PolledDevice(
        name=name,
        title=title,
        domain="air",
        source=source,
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
        commands=commands,
    )
