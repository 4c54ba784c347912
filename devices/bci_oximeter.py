"""Pulse oximeters of the BCI family: Contec CMS50D+ and CMS50E, BerryMed. 5 bytes, 60 Hz.

    byte  bit 7   6           5              4            3..0
    0     1       beep        SpO2 dropping  finger out   signal strength
    1     0       pleth, 7 bits
    2     0       pulse, b7   searching      probe error  bar graph
    3     0       pulse, low 7 bits
    4     0       SpO2, 7 bits

Only byte 0 has bit 7 set: that is all there is to find a frame by. There is no checksum; a
flipped low bit passes, SpO2 of 101..126 is left out. "No value": pulse 255, SpO2 127, pleth 0,
and pulse or SpO2 of 0, SpO2 above 100, while the finger is out, the probe in error or a pulse
searched for.

The names of the flags are Contec's. BerryMed calls the same bits no signal (finger out),
probe unplugged (SpO2 dropping) and no finger (probe error).

Link: 19200 baud 8O1 (CMS50D+ before firmware 4.6, CMS50E), 4800 8N1 (older boards),
115200 8N1 (BerryMed on USB). No XON/XOFF: 11 and 13 hex are data. Firmware 4.6 and later of
the CMS50 speaks another protocol at 115200 baud. Not a medical device.

Source: BCI serial protocol as described by atbrask/CMS50Dplus (BSD-2-Clause) and
atick-faisal/berry-oximeter (MIT). SpO2 levels: WHO pulse oximetry training manual (2011),
below 95 % to be looked into, below 90 % an emergency.
"""

from collections.abc import Mapping

from devices.spec.device import SerialSettings, StreamDevice
from devices.spec.errors import EncodeError
from devices.spec.events import Event, Reading, Value
from devices.spec.field import Field, Threshold
from devices.spec.frame import PatternFramer
from devices.spec.payload import BitItem, Item, Payload
from devices.spec.sequence import Bits, Sequence

PULSE = Field(
    "pulse_rate_bpm",
    "/min",
    "Pulse rate; an adult's at rest is 60 to 100",
    minimum=0,
    maximum=254,
    step=1,
    optional=True,
    thresholds=(Threshold(0, "fair"), Threshold(60, "good"), Threshold(101, "fair")),
)
SPO2 = Field(
    "spo2_pct",
    "%",
    "Oxygen saturation of the blood",
    minimum=0,
    maximum=100,
    step=1,
    optional=True,
    thresholds=(Threshold(0, "bad"), Threshold(90, "poor"), Threshold(95, "good")),
)
PLETH = Field("pleth", "1", "Pulse wave, arbitrary units", minimum=1, maximum=127, step=1, optional=True)
BAR = Field("bar_graph", "1", "Pulse strength as a bar of 0 to 15", minimum=0, maximum=15, step=1)
SIGNAL = Field("signal_strength", "1", "Signal strength, 0 to 15", minimum=0, maximum=15, step=1)


def _flag(name: str, description: str) -> Field:
    return Field(name, "1", description, kind="flag")


BEEP = _flag("beep", "A heart beat was seen in this frame")
DROPPING = _flag("spo2_dropping", "Oxygen saturation is dropping (BerryMed: probe unplugged)")
FINGER_OUT = _flag("finger_out", "No finger in the probe (BerryMed: no signal)")
SEARCHING = _flag("searching", "Searching for a pulse")
PROBE_ERROR = _flag("probe_error", "Probe error (BerryMed: no finger)")

TABLE = Payload(
    ">",
    0,
    (Item("B", fill=0x80), Item("B"), Item("B"), Item("B"), Item("B")),
    (
        BitItem(SIGNAL, ((0, 0, 4),)),
        BitItem(FINGER_OUT, ((0, 4, 1),)),
        BitItem(DROPPING, ((0, 5, 1),)),
        BitItem(BEEP, ((0, 6, 1),)),
        BitItem(PLETH, ((1, 0, 7),), absent=(0,)),
        BitItem(BAR, ((2, 0, 4),)),
        BitItem(PROBE_ERROR, ((2, 4, 1),)),
        BitItem(SEARCHING, ((2, 5, 1),)),
        BitItem(PULSE, ((2, 6, 1), (3, 0, 7)), absent=(255,)),
        BitItem(SPO2, ((4, 0, 7),), absent=(127,)),
    ),
)
CLASSES = (rb"[\x80-\xff]", *[rb"[\x00-\x7f]"] * 4)


def _measures_nothing(fields: Mapping[str, Value]) -> bool:
    return bool(fields["finger_out"] or fields["probe_error"] or fields["searching"])


def read(frame: bytes) -> Event:
    """The reading of five bytes whose sync bits hold."""
    fields = TABLE.parse(frame)
    if _measures_nothing(fields):
        for name, most in ((PULSE.name, 254), (SPO2.name, 100)):
            value = fields.get(name)
            if value is not None and not 0 < float(value) <= most:
                del fields[name]
    return TABLE.event(frame, fields)


def decoder() -> PatternFramer:
    return PatternFramer(CLASSES, read)


def encode(reading: Reading) -> bytes:
    """Five bytes. EncodeError for values out of range, or 0 where the device has no value."""
    fields = reading.fields
    out = TABLE.pack(fields)
    if _measures_nothing(fields) and 0 in (fields.get(PULSE.name), fields.get(SPO2.name)):
        raise EncodeError(
            "pulse or SpO2 of 0 without a finger or while searching means 'no value': leave the field out"
        )
    return out


DEVICE = StreamDevice(
    name="bci-oximeter",
    title="Pulse oximeter (BCI, 5 bytes)",
    domain="health",
    source="atbrask/CMS50Dplus (BSD-2-Clause), atick-faisal/berry-oximeter (MIT)",
    fields=(PULSE, SPO2, PLETH, BAR, SIGNAL, BEEP, DROPPING, FINGER_OUT, SEARCHING, PROBE_ERROR),
    expected_every_s=1 / 60,
    sequence=Sequence((Bits.of(PLETH, 2), Bits.of(SIGNAL, 2), Bits.of(BAR, 1), Bits.of(PULSE, 1))),
    serial=SerialSettings(baud=19200, parity="O"),
    decoder=decoder,
    encode=encode,
    checked=False,
    longest_frame=5,
)
