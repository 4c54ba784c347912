"""Contec CMS50D+ and CMS50E, download of the stored data: 3 bytes for each second.

    byte  bit 7   6..0
    0     1       1 1 1 0 0 0, pulse b7      F0 or F1
    1     1       pulse, low 7 bits
    2     0       SpO2, 7 bits

The download begins with F2 80 00 three times and a length in three bytes; they are not part
of any record and come out as noise. The device does not say when it recorded: the records
are one second apart, and without a start time they are stored at the time of receipt.
There is no checksum; SpO2 of 101..126 is left out. "No value": pulse 255, SpO2 127, as live. Zero
is what the device says while it has no value; it is kept, since the records carry no flag that
would tell it from a value.

Link: 19200 baud 8O1. Source: atbrask/CMS50Dplus (BSD-2-Clause).
"""

from devices.bci.family import SPO2
from devices.spec.command import StreamCommand, brings, plain
from devices.spec.device import SerialSettings, StreamDevice
from devices.spec.events import Event, Reading
from devices.spec.field import Field
from devices.spec.frame import PatternFramer
from devices.spec.payload import BitItem, Item, Payload
from devices.spec.sequence import Bits, Sequence

PULSE = Field("pulse_rate_bpm", "/min", "Pulse rate as recorded", minimum=0, maximum=254, step=1, optional=True)

TABLE = Payload(
    ">",
    0,
    (Item("B", fill=0xF0), Item("B", fill=0x80), Item("B")),
    (BitItem(PULSE, ((0, 0, 1), (1, 0, 7)), absent=(255,)), BitItem(SPO2, ((2, 0, 7),), absent=(127,))),
)
CLASSES = (rb"[\xf0\xf1]", rb"[\x80-\xff]", rb"[\x00-\x7f]")


def read(frame: bytes) -> Event:
    return TABLE.event(frame, TABLE.parse(frame))


def decoder() -> PatternFramer:
    return PatternFramer(CLASSES, read)


def encode(reading: Reading) -> bytes:
    """Three bytes. EncodeError for values out of range."""
    return TABLE.pack(reading.fields)


DEVICE = StreamDevice(
    name="contec-recorded",
    title="Contec oximeter, stored data",
    domain="health",
    source="atbrask/CMS50Dplus (BSD-2-Clause)",
    fields=(PULSE, SPO2),
    expected_every_s=86400.0,
    sequence=Sequence((Bits.of(PULSE, 3), Bits.of(SPO2, 2))),
    serial=SerialSettings(baud=19200, parity="O"),
    decoder=decoder,
    encode=encode,
    checked=False,
    longest_frame=3,
    commands=(
        StreamCommand(
            name="download",
            description="Send the stored data",
            request=plain(b"\xf5\xf5"),
            judge=brings("spo2_pct"),
        ),
        StreamCommand(
            name="live",
            description="End the download, go back to live data",
            request=plain(b"\xf6\xf6\xf6"),
            answers="never",
        ),
    ),
)
