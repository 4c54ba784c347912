"""The Plantower family: what its members have in common.

9600 baud, 8N1. A frame about every second in active mode (the sensor stretches it to 2.3 s
while the air does not change). All numbers big-endian:

    42 4D | length u16 | payload, `length` - 2 bytes | sum16 of all bytes before it
     B  M |

    length 28: a measurement of 32 bytes (PMS3003: length 20, 24 bytes; PMS5003ST: length 36, 40 bytes)
    length  4: an answer of 8 bytes: 42 4D 00 04 | command | data | sum16

    word        0..2      3..5   6..11             12               13   14   15         16
    PMS3003     PM CF=1   PM     2 x reserved, then version, error
    PMS5003     PM CF=1   PM     counts            version, error                          (PMS7003, PMSA003 too)
    PMS5003T    PM CF=1   PM     4 counts, T, RH   version, error
    PMS5003S    PM CF=1   PM     counts            HCHO
    PMS5003ST   PM CF=1   PM     counts            HCHO             T    RH   reserved   version, error

A payload of zeros throughout is what the sensor sends while it warms up: no measurement.
Mass with not one particle counted contradicts itself and is refused. A count is that of all particles
above its size, so none can be more than that of a smaller size: of the two largest, whose places are a
temperature and a humidity in the PMS5003T, one that is more is left out.

Commands are 7 bytes: 42 4D | command | data u16 | sum16. Asleep, the sensor answers nothing
but "wake"; its values are steady 30 s after waking.

Unknown: the meaning of single bits of the error code; how versions count.
PMS5003S and PMS5003T use the header and length of the PMS5003 for other fields; nothing in the
frame tells them for sure, so the configuration has to name the right type.

Source: Plantower PMS5003 series data manual V2.3 (2016), PMS3003 data manual V2.5; frames,
the warm-up and the contradiction checked against captures of PyPMS (MIT); places of the PMS5003S and
PMS5003ST as PyPMS and ESPHome (pmsx003) read them.
"""

from collections.abc import Callable, Mapping
from struct import Struct

from devices.particulate import mass
from devices.spec.checksum import sum16
from devices.spec.command import DONE, Arguments, Outcome, StreamCommand, To, brings, plain
from devices.spec.device import SerialSettings, StreamDevice
from devices.spec.errors import EncodeError
from devices.spec.events import Empty, Event, Reading, SanityError, Value
from devices.spec.field import Field, Threshold
from devices.spec.frame import BinaryFramer, Check, Frame, Length
from devices.spec.payload import Item, Payload
from devices.spec.sequence import Bits, Sequence

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


def for_standard_particles(size: str) -> Field:
    """Mass of particles up to `size` um, as calibrated in the laboratory."""
    of = "calibrated for standard particles (CF=1, indoor laboratory use)"
    return mass(size, name=f"pm{size}_cf1_ug_m3", air=of, panel=False)


def outdoors(size: str) -> Field:
    """Mass of particles up to `size` um, as corrected for the atmosphere."""
    return mass(size, air="in outdoor air")


def count(size: str) -> Field:
    """Number of particles larger than `size` um per cm3; the wire counts them per 0.1 L."""
    return Field(
        f"particles_{size}um_per_cm3",
        "/cm3",
        f"Particles larger than {size.replace('_', '.')} um",
        minimum=0,
        maximum=655.35,
        step=0.01,
        optional=size in ("5_0", "10"),
    )


FORMALDEHYDE = Field(
    "formaldehyde_mg_m3", "mg/m3", "Formaldehyde (HCHO)", minimum=0, maximum=65.535, step=0.001, optional=True
)
TEMPERATURE = Field(
    "temperature_c",
    "Cel",
    "Temperature inside the sensor, above that of the air around it",
    minimum=-99,
    maximum=99,
    step=0.1,
    optional=True,
)
HUMIDITY = Field(
    "humidity_pct",
    "%",
    "Relative humidity inside the sensor",
    minimum=0,
    maximum=119,
    step=0.1,
    optional=True,
)
AIR_ITEMS = (Item("h", TEMPERATURE, divisor=10), Item("H", HUMIDITY, divisor=10))
COUNTS = tuple(count(size) for size in ("0_3", "0_5", "1_0", "2_5", "5_0", "10"))
SIZES = ("1_0", "2_5", "10")
MASSES = (*map(for_standard_particles, SIZES), *map(outdoors, SIZES))
MASS_ITEMS = tuple(Item("H", field) for field in MASSES)
COUNT_ITEMS = tuple(Item("H", field, divisor=100) for field in COUNTS)
TAIL_ITEMS = (Item("B", VERSION), Item("B", ERROR_CODE))
MEASURED = Payload(">", 4, (*MASS_ITEMS, *COUNT_ITEMS, *TAIL_ITEMS))
"""What PMS5003, PMS7003 and PMSA003 send."""

_LARGE = Struct(">3H")
_LARGE_AT = 22
"""Where the counts above 2.5, 5 and 10 um stand."""


def count_bits(counts: tuple[Field, ...], bits: int) -> tuple[Bits, ...]:
    """Places for the audit count in particle counts, which then never fall to zero.

    Not in those above 2.5 um: there is little of them, and the order of their sizes has to stay.
    """
    return tuple(Bits(field.name, bits, 0.01, minimum=0.01, maximum=655.35) for field in counts)


def contradiction(fields: Mapping[str, Value]) -> str | None:
    """Why these values cannot be true, or None."""
    if fields.get("particles_0_3um_per_cm3") == 0.0:
        ug_m3 = fields["pm10_ug_m3"] or fields["pm10_cf1_ug_m3"]
        if ug_m3:
            return f"contradiction: PM10 is {ug_m3} ug/m3 and no particle was counted"
    return None


def overcounted(frame: bytes) -> dict[str, str]:
    """Those of the two largest counts that cannot be, and what is wrong with them."""
    most, large, largest = _LARGE.unpack_from(frame, _LARGE_AT)
    wrong: dict[str, str] = {}
    if most >= large >= largest:
        return wrong
    for field, count in zip(COUNTS[4:], (large, largest), strict=True):
        if count > most:
            than = f"{count / 100} is more than the {most / 100} above a smaller size"
            wrong[field.name] = f"{field.name}: {than}: is it another type of the family?"
        else:
            most = count
    return wrong


def framer(table: Payload) -> Callable[[], BinaryFramer]:
    """The decoder of a member of the family whose measurements are `table`."""
    length = table.size + 2
    counted = COUNTS[-1].name in table.names

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
        if wrong is not None:
            return SanityError(wrong, frame)
        left_out = overcounted(frame) if counted else None
        if not left_out:
            return table.event(frame, fields, text)
        event = table.event(frame, {name: value for name, value in fields.items() if name not in left_out})
        if isinstance(event, Reading):
            event.field_errors += tuple(left_out.values())
        return event

    frame = Frame(START, Length(2, ">H", 4, frozenset({length, ANSWER_LENGTH})), read, CHECK)
    return lambda: BinaryFramer((frame,))


def encoder(table: Payload) -> Callable[[Reading], bytes]:
    """The bytes that a member of the family sends for a measurement or for an answer (`mode`)."""
    header = START + (table.size + 2).to_bytes(2, "big")
    counted = COUNTS[-1].name in table.names

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
        frame = CHECK.sealed(header + body)
        left_out = overcounted(frame) if counted else {}
        wrong = contradiction(table.parse(frame)) or "; ".join(left_out.values())
        if wrong:
            raise EncodeError(wrong)
        return frame

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


def member(name: str, title: str, source: str, table: Payload, measured: tuple[Field, ...]) -> StreamDevice:
    """The description of a type that sends `table`, counts and all, and takes the commands."""
    return StreamDevice(
        name=name,
        title=title,
        domain="air",
        source=source,
        fields=(*measured, MODE),
        expected_every_s=1.0,
        sequence=Sequence(count_bits(COUNTS[:3], 4)),
        serial=SerialSettings(baud=9600),
        decoder=framer(table),
        encode=encoder(table),
        longest_frame=table.size + 6,
        commands=COMMANDS,
    )


def counter(name: str, title: str, source: str) -> StreamDevice:
    """The description of a type that sends exactly what the PMS5003 sends."""
    return member(name, title, source, MEASURED, (*MASSES, *COUNTS, VERSION, ERROR_CODE))
