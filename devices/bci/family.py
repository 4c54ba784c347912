"""Pulse oximeters of the BCI family: five bytes a sample. What the makes have in common.

    byte  bit 7   6           5              4             3..0
    0     1       beep        a flag         a flag        signal strength
    1     0       pulse wave, 7 bits
    2     0       pulse, b7   searching      a flag        bar graph
    3     0       pulse, low 7 bits
    4     0       SpO2, 7 bits

Only byte 0 has bit 7 set: that is all there is to find a frame by. There is no checksum; a flipped low bit passes,
SpO2 of 101..126 is left out. "No value": pulse 255, SpO2 127, pulse wave 0, and pulse or SpO2 of 0, SpO2 above 100,
while one of the three flags or `searching` says that nothing is measured. Three of the bits mean something else with
each make; the bytes do not tell whose they are, so the configuration has to name the type.

No XON/XOFF: 11 and 13 hex are data. Testbed data, not for clinical use.

Source: BCI serial protocol as described by atbrask/CMS50Dplus (BSD-2-Clause) and atick-faisal/berry-oximeter (MIT).
SpO2 levels: WHO pulse oximetry training manual (2011), below 95 % to be looked into, below 90 % an emergency.
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


def flag(name: str, description: str) -> Field:
    """One bit."""
    return Field(name, "1", description, kind="flag")


BEEP = flag("beep", "A heart beat was seen in this frame")
SEARCHING = flag("searching", "Searching for a pulse")
CLASSES = (rb"[\x80-\xff]", *[rb"[\x00-\x7f]"] * 4)


def table(bit_0_4: Field, bit_0_5: Field, bit_2_4: Field) -> Payload:
    """The five bytes, with the three flags of a make by byte and bit."""
    return Payload(
        ">",
        0,
        (Item("B", fill=0x80), Item("B"), Item("B"), Item("B"), Item("B")),
        (
            BitItem(SIGNAL, ((0, 0, 4),)),
            BitItem(bit_0_4, ((0, 4, 1),)),
            BitItem(bit_0_5, ((0, 5, 1),)),
            BitItem(BEEP, ((0, 6, 1),)),
            BitItem(PLETH, ((1, 0, 7),), absent=(0,)),
            BitItem(BAR, ((2, 0, 4),)),
            BitItem(bit_2_4, ((2, 4, 1),)),
            BitItem(SEARCHING, ((2, 5, 1),)),
            BitItem(PULSE, ((2, 6, 1), (3, 0, 7)), absent=(255,)),
            BitItem(SPO2, ((4, 0, 7),), absent=(127,)),
        ),
    )


def device(
    name: str,
    title: str,
    serial: SerialSettings,
    rate_hz: float,
    flags: tuple[Field, Field, Field],
    voids: tuple[str, ...],
    source: str,
) -> StreamDevice:
    """The type of a make: `flags` are bits 0.4, 0.5 and 2.4, `voids` those that say that nothing is measured."""
    frame = table(*flags)
    nothing = (*voids, SEARCHING.name)

    def measures_nothing(fields: Mapping[str, Value]) -> bool:
        return any(fields[name] for name in nothing)

    def read(data: bytes) -> Event:
        fields = frame.parse(data)
        if measures_nothing(fields):
            for name, most in ((PULSE.name, 254), (SPO2.name, 100)):
                value = fields.get(name)
                if value is not None and not 0 < float(value) <= most:
                    del fields[name]
        return frame.event(data, fields)

    def encode(reading: Reading) -> bytes:
        fields = reading.fields
        out = frame.pack(fields)
        if measures_nothing(fields) and 0 in (fields.get(PULSE.name), fields.get(SPO2.name)):
            raise EncodeError(
                "pulse or SpO2 of 0 without a finger or while searching means 'no value': leave the field out"
            )
        return out

    return StreamDevice(
        name=name,
        title=title,
        domain="health",
        source=source,
        fields=(PULSE, SPO2, PLETH, BAR, SIGNAL, BEEP, *flags, SEARCHING),
        expected_every_s=1 / rate_hz,
        sequence=Sequence((Bits.of(PLETH, 2), Bits.of(SIGNAL, 2), Bits.of(BAR, 1), Bits.of(PULSE, 1))),
        serial=serial,
        decoder=lambda: PatternFramer(CLASSES, read),
        encode=encode,
        checked=False,
        longest_frame=5,
    )


CONTEC_FLAGS = (
    flag("finger_out", "No finger in the probe, or searching for too long"),
    flag("spo2_dropping", "Oxygen saturation is dropping"),
    flag("probe_error", "Probe error"),
)
"""What Contec and the original BCI boards call them."""
