"""Nonin handhelds that print: PalmSAT 2500, 8500, 8600, 9600, 9847, Avant 4000. A line of text a second.

    SPO2=097 HR=072            without a value: ---
    12:34:56 SPO2=097 HR=072   models with a clock in the line; without a date it is not the reading's time
                        F      behind it: the fast-responding values
                        B      a breath in the last second (9847)
                        *      an event was marked by hand; also without a blank before it

When it is switched on a header tells the format, date and time: noise. There is no check; a line is believed where all
of it reads like one. `---` for both is `Empty`.

Link: 9600 baud 8N1 (the ninth bit of the manuals is always mark). Avant 9600: two stop bits, which changes nothing.
Testbed data, not for clinical use.

Source: Nonin, operator's manuals of 2500 PalmSAT, 8500, 8600V, 9600, 9847 and Avant 4000, serial output.
"""

import re
from functools import partial

from devices.nonin.nonin_df2 import pulse, spo2
from devices.spec.device import SerialSettings, StreamDevice
from devices.spec.errors import EncodeError
from devices.spec.events import Empty, Event, Noise, Reading, SanityError, Value
from devices.spec.field import Field
from devices.spec.line import LineFramer
from devices.spec.sequence import Bits, Sequence

LONGEST = 64
PULSE, SPO2 = pulse(most=999), spo2()


def _flag(name: str, words: str) -> Field:
    return Field(name, "1", words, kind="flag")


FAST = _flag("fast", "The values are the fast-responding ones")
BREATH = _flag("breath", "A breath was detected in the last second")
MARKED = _flag("marked", "An event was marked by hand")
SUFFIXES = {"F": FAST, "B": BREATH, "*": MARKED}
_LINE = re.compile(r"(?:\d\d:\d\d:\d\d\s+)?SPO2=(\d{1,3}|---)\s+HR=(\d{1,3}|---)((?:\s*[FB*]){0,3})\s*")


def read(text: str, line: bytes) -> Event:
    """What one line says."""
    found = _LINE.fullmatch(text)
    if found is None:
        return SanityError(f"expected SPO2=097 HR=072, got {text[:40]!r}", line) if "SPO2=" in text else Noise(line)
    fields: dict[str, Value] = {}
    wrong = []
    for field, word in ((SPO2, found[1]), (PULSE, found[2])):
        if word != "---":
            words = field.outside(float(word))
            if words is None:
                fields[field.name] = float(word)
            else:
                wrong.append(words)
    if not fields and not wrong:
        return Empty("no data: SPO2=--- HR=---", line)
    for letter, field in SUFFIXES.items():
        fields[field.name] = letter in found[3]
    return Reading(fields, field_errors=tuple(wrong))


def encode(reading: Reading) -> bytes:
    """The line of a reading. EncodeError where it has other fields, or values of more than three digits."""
    fields = dict(reading.fields)
    words = []
    for label, field in (("SPO2", SPO2), ("HR", PULSE)):
        value = fields.pop(field.name, None)
        if value is not None and (isinstance(value, str) or field.outside(value)):
            raise EncodeError(f"{field.name}: {value!r} is outside {field.minimum}..{field.maximum}")
        words.append(f"{label}={'---' if value is None else f'{round(value):03d}'}")
    if words == ["SPO2=---", "HR=---"]:
        raise EncodeError("nonin-palmsat: a line without values is no reading")
    words += [letter for letter, field in SUFFIXES.items() if fields.pop(field.name, False)]
    if fields:
        raise EncodeError(f"nonin-palmsat: {', '.join(sorted(fields))}: not in this line")
    return " ".join(words).encode() + b"\r\n"


def _whole(text: str) -> bool:
    """Whether the first line after a port was opened is all there."""
    return text.startswith("SPO2=") or re.match(r"\d\d:\d\d:\d\d\s", text) is not None


DEVICE = StreamDevice(
    name="nonin-palmsat",
    title="Nonin handheld oximeter, printed lines",
    domain="health",
    source="Nonin, operator's manuals of 2500 PalmSAT, 8500, 8600V, 9600, 9847, Avant 4000",
    fields=(SPO2, PULSE, FAST, BREATH, MARKED),
    expected_every_s=1.0,
    sequence=Sequence((Bits.of(PULSE, 3), Bits.of(SPO2, 2))),
    serial=SerialSettings(baud=9600),
    decoder=partial(LineFramer, read, longest=LONGEST),
    encode=encode,
    joined=partial(LineFramer, read, longest=LONGEST, joined=_whole),
    checked=False,
    longest_frame=LONGEST,
    line_end=b"\r\n",
)
