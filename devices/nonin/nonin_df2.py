"""Nonin OEM III, Xpod and others that speak serial data format 2: 75 frames a second, three packets a second.

    byte of a frame   0    1        2               3      4
                      01   status   pulse wave u8   value  sum of bytes 0..3

    status   bit 7 set | 6 sensor disconnected | 5 artifact | 4 out of track | 3 sensor alarm
             | 2 red, 1 green perfusion (both: yellow), at a pulse beat | 0 SYNC, the first of 25 frames

    value    1, 2   pulse, 4 beat average        3   SpO2, 4 beat       4   revision of the firmware
    (frame)  9      SpO2, 4 beat, display        10  SpO2, fast         11  SpO2, beat to beat
             14, 15 pulse, 8 beat                16  SpO2, 8 beat       17  SpO2, 8 beat, display
             20, 21 pulse, 4 beat, display       22, 23 pulse, 8 beat, display        the others are reserved

A pulse is 9 bits, the two highest in the first of its frames, 511 without a value; SpO2 is 7 bits, 127 without a value.
"Display" values change at most every 1.5 s. A packet is one reading: the values, what the status of any of its
frames says (the worst perfusion), and the 25 samples of the pulse wave as a JSON list. They are not readings of their
own, since all come at the time of the packet, and a store would show them at one moment. Framing and what
becomes of broken packets: packets.py.

While the sensor is disconnected, out-of-range values are not judged. SpO2 of 101..126 is left out otherwise.
Link: 9600 baud 8N1. Formats 1, 7, 8 and 13 are other formats. Testbed data, not for clinical use.

Unknown: bit 7 of the values (0 in all that is published); data formats of firmware older than the OEM III.

Source: Nonin, OEM III Module Specification and Technical Information; pez-globo/pufferfish-software (Apache-2.0).
"""

import json
from functools import partial

from devices.nonin.packets import FRAME, FRAMES, PACKET, SYNC, PacketFramer
from devices.spec.device import SerialSettings, StreamDevice
from devices.spec.errors import EncodeError
from devices.spec.events import Event, Reading
from devices.spec.field import Field, Threshold
from devices.spec.payload import BitItem, Item, Payload
from devices.spec.sequence import Bits, Sequence

PULSE_LEVELS = (Threshold(0, "fair"), Threshold(60, "good"), Threshold(101, "fair"))
SPO2_LEVELS = (Threshold(0, "bad"), Threshold(90, "poor"), Threshold(95, "good"))


def pulse(ending: str = "", words: str = "", most: float = 510) -> Field:
    """A pulse rate; `words` say of what average."""
    return Field(
        f"pulse_rate{ending}_bpm",
        "/min",
        f"Pulse rate{words}; an adult's at rest is 60 to 100",
        minimum=0,
        maximum=most,
        step=1,
        optional=True,
        thresholds=PULSE_LEVELS if not ending else (),
        panel=not ending,
    )


def spo2(ending: str = "", words: str = "") -> Field:
    """An oxygen saturation; `words` say of what average."""
    return Field(
        f"spo2{ending}_pct",
        "%",
        f"Oxygen saturation of the blood{words}",
        minimum=0,
        maximum=100,
        step=1,
        optional=True,
        thresholds=SPO2_LEVELS if not ending else (),
        panel=not ending,
    )


def _flag(name: str, words: str) -> Field:
    return Field(name, "1", words, kind="flag")


PULSES = (
    (0, pulse("", ", average of 4 beats")),
    (13, pulse("_extended", ", average of 8 beats")),
    (19, pulse("_display", ", average of 4 beats, for displays")),
    (21, pulse("_extended_display", ", average of 8 beats, for displays")),
)
SATURATIONS = (
    (2, spo2("", ", average of 4 beats")),
    (8, spo2("_display", ", average of 4 beats, for displays")),
    (9, spo2("_fast", ", fast")),
    (10, spo2("_beat", ", beat to beat")),
    (15, spo2("_extended", ", average of 8 beats")),
    (16, spo2("_extended_display", ", average of 8 beats, for displays")),
)
REVISION = Field(
    "firmware_revision", "1", "Revision of the firmware", kind="counter", minimum=0, maximum=255, step=1, panel=False
)
FLAGS = (
    (0x40, _flag("sensor_disconnected", "The sensor is not connected, or does not work")),
    (0x20, _flag("artifact", "A beat was disturbed by movement")),
    (0x10, _flag("out_of_track", "No good beats one after the other")),
    (0x08, _flag("sensor_alarm", "The sensor gives unusable data")),
)
PERFUSION = Field(
    "perfusion",
    "1",
    "Quality of the signal at a beat: green high, yellow medium, red low, none without a beat",
    kind="state",
    states=("none", "green", "yellow", "red"),
)
COLOURS = {0x00: "none", 0x02: "green", 0x06: "yellow", 0x04: "red"}
WAVE = Field("pleth_samples", "1", "Pulse wave, 25 samples a third of a second, JSON list", kind="text", panel=False)


def _value(frame: int, shift: int, width: int) -> tuple[int, int, int]:
    """Bits of the value of a frame, counted from 0."""
    return FRAME * frame + 3, shift, width


TABLE = Payload(
    ">",
    0,
    tuple(Item("B", fill=fill) for _ in range(FRAMES) for fill in (0x01, 0x80, 0, 0, 0)),
    (
        *(BitItem(field, (_value(at, 0, 2), _value(at + 1, 0, 7)), absent=(511,)) for at, field in PULSES),
        *(BitItem(field, (_value(at, 0, 7),), absent=(127,)) for at, field in SATURATIONS),
        BitItem(REVISION, (_value(3, 0, 8),)),
    ),
)


def read(packet: bytes) -> Event:
    """The reading of 25 frames whose checks hold."""
    fields = TABLE.parse(packet)
    said = 0
    worst = "none"
    for status in packet[1::FRAME]:
        said |= status
        colour = COLOURS[status & 0x06]
        if PERFUSION.states.index(colour) > PERFUSION.states.index(worst):
            worst = colour
    if said & FLAGS[0][0]:
        for _, field in (*PULSES, *SATURATIONS):
            value = fields.get(field.name)
            if value is not None and (not value or field.outside(float(value))):
                del fields[field.name]
    for bit, field in FLAGS:
        fields[field.name] = bool(said & bit)
    fields[PERFUSION.name] = worst
    fields[WAVE.name] = json.dumps(list(packet[2::FRAME]), separators=(",", ":"))
    return TABLE.event(packet, fields)


def encode(reading: Reading) -> bytes:
    """125 bytes; what the status says, each of the frames says. EncodeError for values out of range."""
    fields = dict(reading.fields)
    if fields.get(FLAGS[0][1].name) and any(fields.get(field.name) == 0 for _, field in (*PULSES, *SATURATIONS)):
        raise EncodeError("a pulse or SpO2 of 0 without a sensor means 'no value': leave the field out")
    status = sum(bit for bit, field in FLAGS if fields.pop(field.name, False))
    colour = fields.pop(PERFUSION.name, "none")
    bits = [bits for bits, name in COLOURS.items() if name == colour]
    if not bits:
        raise EncodeError(f"{PERFUSION.name}: {colour!r} is none of {', '.join(PERFUSION.states)}")
    samples = _samples(fields.pop(WAVE.name, None))
    packet = bytearray(TABLE.pack(fields))
    for at in range(FRAMES):
        frame = FRAME * at
        packet[frame + 1] |= status | (SYNC if at == 0 else 0) | (bits[0] if at == FRAMES - 1 else 0)
        packet[frame + 2] = samples[at]
        packet[frame + 4] = sum(packet[frame : frame + 4]) & 0xFF
    return bytes(packet)


def _samples(text: object) -> bytes:
    try:
        samples = bytes(json.loads(str(text)))
    except (ValueError, TypeError):
        samples = b""
    if len(samples) != FRAMES:
        raise EncodeError(f"{WAVE.name}: expected a JSON list of {FRAMES} numbers from 0 to 255")
    return samples


DEVICE = StreamDevice(
    name="nonin-df2",
    title="Nonin pulse oximeter (serial data format 2)",
    domain="health",
    source="Nonin OEM III specification; pez-globo/pufferfish-software (Apache-2.0)",
    fields=(
        *(field for _, field in PULSES),
        *(field for _, field in SATURATIONS),
        *(field for _, field in FLAGS),
        PERFUSION,
        REVISION,
        WAVE,
    ),
    expected_every_s=1 / 3,
    sequence=Sequence(tuple(Bits.of(field, 2) for _, field in (*PULSES, SATURATIONS[0]))),
    serial=SerialSettings(baud=9600),
    decoder=partial(PacketFramer, read),
    encode=encode,
    joined=partial(PacketFramer, read, joined=True),
    longest_frame=PACKET,
)
