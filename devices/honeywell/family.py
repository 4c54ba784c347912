"""The Honeywell HPM series: what HPMA115S0 (standard) and HPMA115C0 (compact) have in common.

9600 baud, 8N1. Switched on, the sensor sends a frame every second by itself ("auto send"); told to stop, it
measures on and says so when it is read. All numbers big-endian:

    42 4D | 00 1C | 13 x u16             | sum16 of all bytes before it     by itself, 32 bytes
    40 05 04 | PM2.5 | PM10              | check                            read, HPMA115S0
    40 0D 04 | PM1 PM2.5 PM4 PM10 | 0 0  | check                            read, HPMA115C0
    40 02 10 | coefficient u8            | check                            its adjustment, read
    A5 A5                                                                   done
    96 96                                                                   refused

The check makes the sum of all bytes of an answer 0 (modulo 256). Which of the 13 words are what differs by type,
and nothing in the frame says which type it is; the answers do. A frame of an HPMA115S0 has no PM10 where the
HPMA115C0 has it, and is told from the latter's by its being less than PM4.0. Masses of zero throughout are
what the sensor says while it starts, and may say in the cleanest air: nothing to report.

    68 01 01 96   start fan and laser         68 01 02 95   stop them
    68 01 40 57   send by itself              68 01 20 77   only when read
    68 01 04 93   read                        68 02 08 | coefficient | check
    68 01 10 87   read the coefficient

The frame is also that of a Plantower PMS5003, whose words mean other things: the configuration has to name the type.

Limits: 0..1000 ug/m3 by the data sheet; the wire says 65535. Coefficient 30..200, 100 as delivered.
Unknown: what stands in the reserved words. Two bytes without a check are what done and refused are: noise can
read so.
Source: Honeywell HPM Series data sheet 32322550, issue F, tables 4 to 7; captures of PyPMS (MIT).
"""

from collections.abc import Mapping

from devices.particulate import mass
from devices.spec.checksum import negated_sum8, sum16
from devices.spec.command import (
    DONE,
    Argument,
    Arguments,
    Outcome,
    StreamCommand,
    To,
    brings,
    framed,
    plain,
    refused,
)
from devices.spec.device import SerialSettings, StreamDevice
from devices.spec.errors import EncodeError
from devices.spec.events import Empty, Event, Reading, SanityError, Value
from devices.spec.field import Field
from devices.spec.frame import BinaryFramer, Check, Frame
from devices.spec.payload import Item, Payload
from devices.spec.sequence import Bits, Sequence

SOURCE = "Honeywell HPM Series data sheet 32322550, issue F; captures of PyPMS (MIT)"
SUM = Check(of=sum16, first=0, last=-2, at=-2, width=2)
CHECK = Check(of=negated_sum8, first=0, last=-1, at=-1)
START = b"BM\0\x1c"
WORDS = 13
ACK, NACK = b"\xa5\xa5", b"\x96\x96"
ACKNOWLEDGED = "A5A5: done"
REFUSED = "9696: refused"
WARMING_UP = "warming up: every mass is zero"


PM1, PM2_5, PM4, PM10 = mass("1_0"), mass("2_5"), mass("4_0"), mass("10")
COEFFICIENT = Field(
    "adjustment_pct",
    "%",
    "What the sensor multiplies its values by, from an answer",
    minimum=30,
    maximum=200,
    step=1,
    optional=True,
    panel=False,
)

STANDARD = b"\x40\x05\x04"
COMPACT = b"\x40\x0d\x04"
ADJUSTMENT = b"\x40\x02\x10"
READ: Mapping[bytes, Payload] = {
    STANDARD: Payload(">", 3, (Item("H", PM2_5), Item("H", PM10))),
    COMPACT: Payload(">", 3, (Item("H", PM1), Item("H", PM2_5), Item("H", PM4), Item("H", PM10), Item("I"))),
}
ADJUSTED = Payload(">", 3, (Item("B", COEFFICIENT),))


def _masses(table: Payload, frame: bytes) -> Event:
    fields, text = table.both(frame)
    return table.event(frame, fields, text) if any(fields.values()) else Empty(WARMING_UP, frame)


def _answer(start: bytes, own: bytes) -> Frame:
    """The answer to `read` that begins with `start`; one that is not `own` is another type's."""
    table = READ[start]

    def read(frame: bytes) -> Event:
        if start != own:
            other = "HPMA115C0" if start == COMPACT else "HPMA115S0"
            return SanityError(f"the answer of an {other}: is the type right?", frame)
        return _masses(table, frame)

    return Frame(start, len(start) + table.size + 1, read, CHECK)


def compact(fields: Mapping[str, Value]) -> bytes:
    """The answer to `read`, of either type."""
    start = COMPACT if PM1.name in fields else STANDARD
    return CHECK.sealed(start + READ[start].pack(fields))


def _acknowledged(_arguments: Arguments, _to: To, event: Event) -> Outcome | None:
    if isinstance(event, Empty) and event.detail == ACKNOWLEDGED:
        return DONE
    return refused("the sensor does not take it") if _is_refusal(event) else None


def _is_refusal(event: Event) -> bool:
    return isinstance(event, SanityError) and event.detail == REFUSED


def _measured(_arguments: Arguments, _to: To, event: Event) -> Outcome | None:
    if isinstance(event, Empty) and event.detail == WARMING_UP:
        return DONE
    if _is_refusal(event):
        return refused("the sensor does not measure: is it asleep?")
    return DONE if isinstance(event, Reading) and PM2_5.name in event.fields else None


def _telling(name: str, description: str, request: str) -> StreamCommand:
    return StreamCommand(
        name=name,
        description=description,
        request=plain(bytes.fromhex(request)),
        answer=ACK,
        judge=_acknowledged,
    )


COMMANDS = (
    _telling("active", "Send a measurement every second by itself", "68014057"),
    _telling("passive", "Measure, and say it only when read", "68012077"),
    StreamCommand(
        name="read",
        description="Send one measurement now (passive mode)",
        request=plain(bytes.fromhex("68010493")),
        judge=_measured,
        harmless=True,
    ),
    _telling("sleep", "Stop fan and laser", "68010295"),
    _telling("wake", "Start fan and laser", "68010196"),
    StreamCommand(
        name="adjust",
        description="Multiply the values by so much from now on",
        arguments=(Argument(Field("adjustment_pct", "%", "100 as delivered", minimum=30, maximum=200, step=1)),),
        request=framed(b"\x68\x02\x08", ADJUSTED, CHECK),
        answer=ACK,
        judge=_acknowledged,
    ),
    StreamCommand(
        name="adjustment",
        description="Say what the values are multiplied by",
        request=plain(bytes.fromhex("68011087")),
        answer={"adjustment_pct": 100.0},
        judge=brings(COEFFICIENT.name),
        harmless=True,
    ),
)


def contradiction(fields: Mapping[str, Value]) -> str | None:
    """Why the words of a frame are another type's, or None: all that counts for PM4.0 counts for PM10."""
    least, most = fields.get(PM4.name), fields[PM10.name]
    if least is None or isinstance(least, str) or isinstance(most, str) or most >= least:
        return None
    return f"PM10 is {most} and PM4.0 {least}: is it an HPMA115S0?"


def sensor(name: str, title: str, items: tuple[Item, ...], own: bytes, carrier: Field) -> StreamDevice:
    """The description of a type that has `items` first among its words, and answers `read` with `own`.

    `carrier` holds the audit count.
    """
    table = Payload(">", 4, (*items, *(Item("H"),) * (WORDS - len(items))))
    masses = tuple(item.field for item in items if item.field is not None)

    def read(frame: bytes) -> Event:
        event = _masses(table, frame)
        wrong = contradiction(event.fields) if isinstance(event, Reading) else None
        return event if wrong is None else SanityError(wrong, frame)

    frames = (
        Frame(START, len(START) + 2 * WORDS + 2, read, SUM),
        *(_answer(start, own) for start in READ),
        Frame(ADJUSTMENT, 5, lambda frame: ADJUSTED.event(frame, ADJUSTED.parse(frame)), CHECK),
        Frame(ACK, 2, lambda frame: Empty(ACKNOWLEDGED, frame)),
        Frame(NACK, 2, lambda frame: SanityError(REFUSED, frame)),
    )

    def encode(reading: Reading) -> bytes:
        if COEFFICIENT.name in reading.fields:
            return CHECK.sealed(ADJUSTMENT + ADJUSTED.pack(reading.fields))
        body = table.pack(reading.fields)
        if not any(body):
            raise EncodeError("zero throughout: the sensor says this only while it starts")
        wrong = contradiction(reading.fields)
        if wrong is not None:
            raise EncodeError(wrong)
        return SUM.sealed(START + body)

    return StreamDevice(
        name=name,
        title=title,
        domain="air",
        source=SOURCE,
        fields=(*masses, COEFFICIENT),
        expected_every_s=1.0,
        sequence=Sequence((Bits(carrier.name, 4, 1.0, 1.0, 65535.0),)),
        serial=SerialSettings(baud=9600),
        decoder=lambda: BinaryFramer(frames),
        encode=encode,
        longest_frame=32,
        commands=COMMANDS,
    )
