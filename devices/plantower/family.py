"""The Plantower family: what PMS5003, PMS3003 and PMS5003T have in common.

9600 baud, 8N1. A frame about every second in active mode (the sensor stretches it to 2.3 s
while the air does not change). All numbers big-endian:

    42 4D | length u16 | payload, `length` - 2 bytes | sum16 of all bytes before it
     B  M |

    length 28: a measurement of 32 bytes (PMS3003: length 20, 24 bytes)
    length  4: an answer of 8 bytes: 42 4D 00 04 | command | data | sum16

A payload of zeros throughout is what the sensor sends while it warms up: no measurement.
PM10 above zero with not one particle counted contradicts itself and is refused.

Commands are 7 bytes: 42 4D | command | data u16 | sum16. Asleep, the sensor answers nothing
but "wake"; its values are steady 30 s after waking.

Unknown: the meaning of single bits of the error code; how versions count.
PMS5003S and PMS5003ST use the same header and length for other fields; nothing in the
frame tells them apart, so the configuration has to name the right type.

Source: Plantower PMS5003 series data manual V2.3 (2016), PMS3003 data manual V2.5; frames,
the warm-up and the contradiction checked against captures of PyPMS (MIT).
"""

from collections.abc import Callable, Mapping

from devices.particulate import PM2_5_LEVELS, PM10_LEVELS
from devices.spec.checksum import sum16
from devices.spec.command import DONE, Arguments, Outcome, StreamCommand, To, brings, plain
from devices.spec.errors import EncodeError
from devices.spec.events import Empty, Event, Reading, SanityError, Value
from devices.spec.field import Field, Threshold
from devices.spec.frame import BinaryFramer, Check, Frame, Length
from devices.spec.payload import Item, Payload
from devices.spec.sequence import Bits

START = b"BM"
CHECK = Check(of=sum16, first=0, last=-2, at=-2, width=2)
SOURCE = "Plantower PMS5003 series data manual V2.3 (2016); captures of PyPMS (MIT)"
ANSWER_LENGTH = 4

MODES = {(0xE1, 0): "passive", (0xE1, 1): "active", (0xE4, 0): "asleep", (0xE4, 1): "awake"}
ANSWERS = {mode: code for code, mode in MODES.items()}

MODE = Field(
    "mode",
    "1",
    "Working mode the sensor confirmed in its answer to a command",
    kind="state",
    optional=True,
    states=("active", "passive", "awake", "asleep"),
    panel=False,
)
VERSION = Field("version", "1", "Firmware version byte", kind="counter", minimum=0, maximum=255, step=1, panel=False)
ERROR_CODE = Field(
    "error_code",
    "1",
    "Error byte of the sensor, 0 when it finds nothing wrong",
    kind="counter",
    minimum=0,
    maximum=255,
    step=1,
    thresholds=(Threshold(0, "good"), Threshold(1, "bad")),
)


def mass(size: str, cf1: bool = False) -> Field:
    """Mass concentration of particles up to `size` um ("1_0", "2_5", "10")."""
    air = "calibrated for standard particles (CF=1, indoor laboratory use)" if cf1 else "in outdoor air"
    levels = {"2_5": PM2_5_LEVELS, "10": PM10_LEVELS}.get(size, ())
    return Field(
        f"pm{size}_cf1_ug_m3" if cf1 else f"pm{size}_ug_m3",
        "ug/m3",
        f"PM{size.replace('_', '.')} mass concentration {air}",
        minimum=0,
        maximum=65535,
        step=1,
        thresholds=() if cf1 else levels,
        panel=not cf1,
    )


def count(size: str) -> Field:
    """Number of particles larger than `size` um per cm3; the wire counts them per 0.1 L."""
    return Field(
        f"particles_{size}um_per_cm3",
        "/cm3",
        f"Particles larger than {size.replace('_', '.')} um",
        minimum=0,
        maximum=655.35,
        step=0.01,
    )


MASSES = (mass("1_0", True), mass("2_5", True), mass("10", True), mass("1_0"), mass("2_5"), mass("10"))
MASS_ITEMS = tuple(Item("H", field) for field in MASSES)
TAIL_ITEMS = (Item("B", VERSION), Item("B", ERROR_CODE))


def count_bits(counts: tuple[Field, ...], bits: int) -> tuple[Bits, ...]:
    """Places for the audit count in particle counts, which then never fall to zero."""
    return tuple(Bits(field.name, bits, 0.01, minimum=0.01, maximum=655.35) for field in counts)


def contradiction(fields: Mapping[str, Value]) -> str | None:
    """Why these values cannot be true, or None."""
    if fields.get("particles_0_3um_per_cm3") == 0.0 and fields["pm10_ug_m3"] != 0.0:
        return f"contradiction: PM10 is {fields['pm10_ug_m3']} ug/m3 and no particle was counted"
    return None


def framer(table: Payload) -> Callable[[], BinaryFramer]:
    """The decoder of a member of the family whose measurements are `table`."""
    length = table.size + 2

    def read(frame: bytes) -> Event:
        if frame[3] == ANSWER_LENGTH:
            mode = MODES.get((frame[4], frame[5]))
            if mode is None:
                return SanityError(f"answer to an unknown command {frame[4]:#x} {frame[5]:#x}", frame)
            return Reading({"mode": mode})
        if not any(frame[4:-2]):
            return Empty(WARMING_UP, frame)
        fields, text = table.both(frame)
        wrong = contradiction(fields)
        return table.event(frame, fields, text) if wrong is None else SanityError(wrong, frame)

    frame = Frame(START, Length(2, ">H", 4, frozenset({length, ANSWER_LENGTH})), read, CHECK)
    return lambda: BinaryFramer((frame,))


def encoder(table: Payload) -> Callable[[Reading], bytes]:
    """The bytes that a member of the family sends for a measurement or for an answer (`mode`)."""
    header = START + (table.size + 2).to_bytes(2, "big")

    def encode(reading: Reading) -> bytes:
        fields = reading.fields
        if "mode" in fields:
            code = ANSWERS.get(str(fields["mode"]))
            if code is None or len(fields) > 1:
                raise EncodeError(f"mode: an answer says one of {', '.join(ANSWERS)} and nothing else")
            return CHECK.sealed(START + bytes((0, ANSWER_LENGTH, *code)))
        body = table.pack(fields)
        if not any(body):
            raise EncodeError("zero throughout: the sensor says this only while it warms up")
        wrong = contradiction(table.parse(header + body))
        if wrong is not None:
            raise EncodeError(wrong)
        return CHECK.sealed(header + body)

    return encode


WARMING_UP = "warming up: the whole payload is zero"


def _awake(_arguments: Arguments, _to: To, event: Event) -> Outcome | None:
    """A sensor that wakes up sends frames; the first are empty."""
    if isinstance(event, Empty) and event.detail == WARMING_UP:
        return DONE
    return DONE if isinstance(event, Reading) and "mode" not in event.fields else None


def _request(command: int, data: int) -> bytes:
    return CHECK.sealed(START + bytes((command, 0, data)))


COMMANDS = (
    StreamCommand(
        name="passive",
        description="Measure on request only",
        request=plain(_request(0xE1, 0)),
        answer={"mode": "passive"},
    ),
    StreamCommand(
        name="active",
        description="Send a measurement every second by itself",
        request=plain(_request(0xE1, 1)),
        answer={"mode": "active"},
    ),
    StreamCommand(
        name="read",
        description="Send one measurement now (passive mode)",
        request=plain(_request(0xE2, 0)),
        judge=brings("pm2_5_ug_m3"),
        harmless=True,
    ),
    StreamCommand(
        name="sleep",
        description="Stop fan and laser",
        request=plain(_request(0xE4, 0)),
        answer={"mode": "asleep"},
    ),
    StreamCommand(
        name="wake",
        description="Start fan and laser; measurements follow, no answer",
        request=plain(_request(0xE4, 1)),
        judge=_awake,
        timeout_s=15.0,
    ),
)
