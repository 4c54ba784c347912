"""GY-MCU680V1: a board with a Bosch BME680 and a controller that runs Bosch's BSEC, over UART.

9600 baud, 8N1 (115200 if set), a frame about every second, later three seconds. All numbers big-endian:

    0  5A 5A            start
    2  u8               what is in it, a bit each; 3F as delivered
    3  u8               bytes of data, 0F with all of it
    4  data             in this order, what is not chosen is not there:
                        01 i16   temperature, 0.01 degC
                        02 u16   relative humidity, 0.01 %
                        04 u24   pressure, Pa
                        08 u16   bits 12..15 accuracy of the index 0..3, bits 0..11 index of air quality 0..500
                        10 u32   resistance of the gas sensor, Ohm
                        20 i16   altitude that the pressure would have in the standard atmosphere, m
    n  u8               sum8 of all bytes before it

Data of zeros throughout is what the board says while it starts: no measurement. Accuracy 0 means that BSEC
does not know the air yet (about five minutes from a cold start, days to accuracy 3): the index is then 25 or
50, whatever the air is like.

    A5 55 | what, as above | sum8       say that from now on
    A5 56 02 FD                         say it by itself (as delivered)
    A5 56 01 FC                         say it once, and only when told so
    A5 5A 01 00                         keep these settings over a restart

None of them is answered but by frames. A bit of "what" above 20, and a length that is not that of the bits, is no
frame. Unknown: the pace of firmware other than V1.
Source: GY-MCU680V1 manual and its sample program (the accuracy in the high bits); captures of PyPMS (MIT), which
takes bits 4..15 for the accuracy.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import NamedTuple

from devices.spec.checksum import sum8
from devices.spec.command import DONE, Argument, Arguments, Outcome, StreamCommand, To, framed, plain
from devices.spec.device import SerialSettings, StreamDevice
from devices.spec.errors import EncodeError
from devices.spec.events import Empty, Event, Reading
from devices.spec.field import Field, Threshold
from devices.spec.frame import BinaryFramer, Check, Frame
from devices.spec.payload import BitItem, Item, Payload
from devices.spec.sequence import Bits, Sequence

START = b"ZZ"
CHECK = Check(of=sum8, first=0, last=-1, at=-1)
WARMING_UP = "warming up: all data is zero"

TEMPERATURE = Field(
    "temperature_c", "Cel", "Temperature of the sensor", minimum=-40, maximum=85, step=0.01, optional=True
)
HUMIDITY = Field("humidity_pct", "%", "Relative humidity", minimum=0, maximum=100, step=0.01, optional=True)
PRESSURE = Field(
    "pressure_hpa", "hPa", "Air pressure at the sensor", minimum=300, maximum=1100, step=0.01, optional=True
)
ACCURACY = Field(
    "iaq_accuracy",
    "1",
    "How well the index knows the air: 0 not yet, 1 little, 2 it calibrates itself, 3 well",
    kind="counter",
    minimum=0,
    maximum=3,
    step=1,
    optional=True,
)
IAQ = Field(
    "iaq",
    "1",
    "Index of indoor air quality of BSEC, 0 is clean, 500 heavily polluted",
    minimum=0,
    maximum=500,
    step=1,
    optional=True,
    thresholds=(Threshold(0, "good"), Threshold(101, "fair"), Threshold(151, "poor"), Threshold(201, "bad")),
)
GAS = Field(
    "gas_resistance_kohm",
    "kOhm",
    "Resistance of the gas sensor, less with more volatile organic compounds",
    minimum=0,
    maximum=4294967.295,
    step=0.001,
    optional=True,
)
ALTITUDE = Field(
    "altitude_m",
    "m",
    "Altitude that has this pressure in the standard atmosphere",
    minimum=-32768,
    maximum=32767,
    step=1,
    optional=True,
)


class _Part(NamedTuple):
    """What one bit of "what" stands for; `bits` are counted from the part's own first byte."""

    choice: str
    size: int
    items: tuple[Item, ...]
    bits: tuple[BitItem, ...] = ()

    @property
    def fields(self) -> tuple[Field, ...]:
        listed = [item.field for item in self.items if item.field is not None]
        return (*listed, *(bit.field for bit in self.bits))


BYTE = Item("B")
PARTS = (
    _Part("temperature", 2, (Item("h", TEMPERATURE, divisor=100),)),
    _Part("humidity", 2, (Item("H", HUMIDITY, divisor=100),)),
    _Part("pressure", 3, (BYTE,) * 3, (BitItem(PRESSURE, ((0, 0, 8), (1, 0, 8), (2, 0, 8)), divisor=100),)),
    _Part("iaq", 2, (BYTE,) * 2, (BitItem(ACCURACY, ((0, 4, 4),)), BitItem(IAQ, ((0, 0, 4), (1, 0, 8))))),
    _Part("gas", 4, (Item("I", GAS, divisor=1000),)),
    _Part("altitude", 2, (Item("h", ALTITUDE),)),
)
FIELDS = tuple(field for part in PARTS for field in part.fields)
ALL = (1 << len(PARTS)) - 1


def parts(what: int) -> list[_Part]:
    """What is in a frame with these bits."""
    return [part for bit, part in enumerate(PARTS) if what & 1 << bit]


@cache
def table(what: int) -> Payload:
    """The data of a frame with these bits."""
    items: list[Item] = []
    bits: list[BitItem] = []
    at = 0
    for part in parts(what):
        items += part.items
        for bit in part.bits:
            bits.append(replace(bit, pieces=tuple((at + byte, shift, width) for byte, shift, width in bit.pieces)))
        at += part.size
    return Payload(">", 4, tuple(items), tuple(bits))


def _read(frame: bytes) -> Event:
    if not any(frame[4:-1]):
        return Empty(WARMING_UP, frame)
    found = table(frame[2])
    return found.event(frame, found.parse(frame))


def _encode(reading: Reading) -> bytes:
    names = reading.fields.keys()
    what = sum(1 << bit for bit, part in enumerate(PARTS) if not names.isdisjoint(field.name for field in part.fields))
    if not what:
        raise EncodeError(f"a frame says at least one of {', '.join(field.name for field in FIELDS)}")
    body = table(what).pack(reading.fields)
    if not any(body):
        raise EncodeError("zero throughout: the board says this only while it starts")
    return CHECK.sealed(START + bytes((what, len(body))) + body)


def _frame(what: int) -> Frame:
    size = sum(part.size for part in parts(what))
    return Frame(START + bytes((what, size)), size + 5, _read, CHECK)


FRAMES = tuple(_frame(what) for what in range(1, ALL + 1))

CHOICES = tuple(Field(part.choice, "1", f"Say the {part.choice}", kind="flag") for part in PARTS)
_SELECT = framed(
    b"\xa5\x55",
    Payload(">", 2, (BYTE,), tuple(BitItem(field, ((0, bit, 1),)) for bit, field in enumerate(CHOICES))),
    CHECK,
)


def chosen(arguments: Mapping[str, object]) -> set[str]:
    """The fields that the board says after `select`."""
    return {field.name for part in PARTS if arguments[part.choice] for field in part.fields}


def _selected(arguments: Arguments, _to: To, event: Event) -> Outcome | None:
    """A frame that says what was chosen; what is left out of it has words of its own."""
    if not isinstance(event, Reading):
        return None
    said = event.fields.keys() | {words.partition(":")[0] for words in event.field_errors}
    return DONE if said == chosen(arguments) else None


def _measured(_arguments: Arguments, _to: To, event: Event) -> Outcome | None:
    return DONE if isinstance(event, Reading) or (isinstance(event, Empty) and event.detail == WARMING_UP) else None


COMMANDS = (
    StreamCommand(
        name="select",
        description="Say only some of what is measured; until a restart, unless it is told to save",
        arguments=tuple(Argument(field, default=True) for field in CHOICES),
        answers="maybe",
        request=_SELECT,
        judge=_selected,
    ),
    StreamCommand(
        name="active",
        description="Send a measurement every few seconds by itself",
        request=plain(bytes.fromhex("a55602fd")),
        judge=_measured,
    ),
    StreamCommand(
        name="read",
        description="Send one measurement now, and none by itself from now on",
        request=plain(bytes.fromhex("a55601fc")),
        judge=_measured,
    ),
    StreamCommand(
        name="save",
        description="Keep the settings over a restart",
        answers="never",
        request=plain(bytes.fromhex("a55a0100")),
    ),
)

DEVICE = StreamDevice(
    name="mcu680",
    title="Bosch BME680 on a GY-MCU680 board: temperature, humidity, pressure, air quality",
    domain="air",
    source="GY-MCU680V1 manual; captures of PyPMS (MIT)",
    fields=FIELDS,
    expected_every_s=3.0,
    sequence=Sequence((Bits.of(TEMPERATURE, 4), Bits.of(HUMIDITY, 4))),
    serial=SerialSettings(baud=9600),
    decoder=lambda: BinaryFramer(FRAMES),
    encode=_encode,
    longest_frame=20,
    commands=COMMANDS,
)
