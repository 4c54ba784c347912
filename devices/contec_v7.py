"""Contec oximeters of protocol V7.0: CMS50D+ from firmware 4.6, CMS50EW, CMS50F. Live, nine bytes, 60 Hz.

    byte  bit 7   6              5        4                      3..0
    0     0       type of the packet: 01 live data
    1     1       bit 7 of bytes 8 ... 2, here in bits 6 ... 0
    2     1       beep           -        searching too long     signal strength         bit 7: finger out
    3     1       pulse wave, 7 bits                                                     bit 7: searching
    4     1       -              -        no perfusion index     bar graph
    5     1       pulse                                                                  255: none
    6     1       SpO2                                                                   above 100: none
    7, 8  1       perfusion index, u16, the low byte first                               FFFF: none

Only byte 0 has bit 7 clear: that is all there is to find a frame by. There is no checksum. Pulse and SpO2 of 0 while
the finger is out or a pulse is searched for are void. Host to device: `7D 81`, a command, six bytes 80. `A1` starts
the live data, which end after 30 s; so it is said again every 15 s. Answers of other types (0C, 02 ...) are noise here.

Link: 115200 baud 8N1. Testbed data, not for clinical use.

Unknown: bit 5 of byte 2, bits 5 and 6 of byte 4, the unit of the perfusion index (kept as it is sent). Stored data
(command A6, packets of type 0F) are not read.

Source: Contec, Communication protocol of pulse oximeter V7.0 (2010); captures of headrotor/contec_data and
MarkMLl/contec (2019 to 2021); fields as gagistech/bedsidemon names them.
"""

from devices.bci.family import BAR, BEEP, PLETH, PULSE, SEARCHING, SIGNAL, SPO2, flag
from devices.spec.command import StreamCommand, brings, plain
from devices.spec.device import SerialSettings, StreamDevice
from devices.spec.errors import EncodeError
from devices.spec.events import Event, Reading
from devices.spec.field import Field
from devices.spec.frame import PatternFramer
from devices.spec.payload import BitItem, Item, Payload
from devices.spec.sequence import Bits, Sequence

FINGER_OUT = flag("finger_out", "No finger in the probe")
TOO_LONG = flag("search_too_long", "Searching for a pulse for too long")
NO_INDEX = flag("_no_index", "Whether the perfusion index says nothing")
INDEX = Field(
    "perfusion_index",
    "1",
    "Perfusion index as it is sent; its unit is not published",
    minimum=0,
    maximum=65534,
    step=1,
    optional=True,
    panel=False,
)
NONE = (127, *range(101, 127), *range(128, 256))
TABLE = Payload(
    ">",
    0,
    (Item("B", fill=1), *[Item("B", fill=0x80)] * 8),
    (
        BitItem(SIGNAL, ((2, 0, 4),)),
        BitItem(TOO_LONG, ((2, 4, 1),)),
        BitItem(BEEP, ((2, 6, 1),)),
        BitItem(FINGER_OUT, ((1, 0, 1),)),
        BitItem(PLETH, ((3, 0, 7),), absent=(0,)),
        BitItem(SEARCHING, ((1, 1, 1),)),
        BitItem(BAR, ((4, 0, 4),)),
        BitItem(NO_INDEX, ((4, 4, 1),)),
        BitItem(PULSE, ((1, 3, 1), (5, 0, 7)), absent=(255,)),
        BitItem(SPO2, ((1, 4, 1), (6, 0, 7)), absent=NONE),
        BitItem(INDEX, ((1, 6, 1), (8, 0, 7), (1, 5, 1), (7, 0, 7)), absent=(0xFFFF,)),
    ),
)
CLASSES = (rb"\x01", *[rb"[\x80-\xff]"] * 8)
VOIDS = (FINGER_OUT.name, SEARCHING.name, TOO_LONG.name)


def read(frame: bytes) -> Event:
    """The reading of nine bytes whose sync bits hold."""
    fields = TABLE.parse(frame)
    if fields.pop(NO_INDEX.name):
        fields.pop(INDEX.name, None)
    if any(fields[name] for name in VOIDS):
        for name in (PULSE.name, SPO2.name):
            if not fields.get(name):
                fields.pop(name, None)
    return TABLE.event(frame, fields)


def encode(reading: Reading) -> bytes:
    """Nine bytes. EncodeError for values out of range, or 0 where the device has no value."""
    fields = reading.fields
    out = TABLE.pack({**fields, NO_INDEX.name: INDEX.name not in fields})
    if any(fields[name] for name in VOIDS) and 0 in (fields.get(PULSE.name), fields.get(SPO2.name)):
        raise EncodeError(
            "pulse or SpO2 of 0 without a finger or while searching means 'no value': leave the field out"
        )
    return out


def request(command: int) -> bytes:
    """The nine bytes of a command."""
    return bytes((0x7D, 0x81, command)) + b"\x80" * 6


DEVICE = StreamDevice(
    name="contec-v7",
    title="Contec pulse oximeter (protocol V7.0)",
    domain="health",
    source="Contec, Communication protocol of pulse oximeter V7.0 (2010); captures of headrotor/contec_data",
    fields=(PULSE, SPO2, PLETH, BAR, SIGNAL, BEEP, FINGER_OUT, SEARCHING, TOO_LONG, INDEX),
    expected_every_s=1 / 60,
    sequence=Sequence((Bits.of(PLETH, 2), Bits.of(SIGNAL, 2), Bits.of(BAR, 1), Bits.of(PULSE, 1))),
    serial=SerialSettings(baud=115200),
    decoder=lambda: PatternFramer(CLASSES, read),
    encode=encode,
    checked=False,
    longest_frame=9,
    opening=request(0xA1),
    opening_every_s=15.0,
    commands=(
        StreamCommand(
            name="live",
            description="Send live data, for 30 s",
            request=plain(request(0xA1)),
            judge=brings("signal_strength"),
            harmless=True,
        ),
        StreamCommand(
            name="stop",
            description="End the live data; with a gateway on the port they begin again",
            request=plain(request(0xA2)),
            answers="never",
        ),
    ),
)
