"""Modbus RTU: a line on which others ask and answer, listened to.

    question   unit | function | what is asked      | CRC-16, low byte first
    answer     unit | function | what is answered   | CRC-16
    refusal    unit | function + 80 | exception     | CRC-16

For finding out what is on a line, who asks what, and what is said; meters are read with their own types, or with a
table of registers. One frame is one reading, tagged with its `unit`; any number from 0 to 255 is taken, also such as
the standard reserves. What is in it:

| function | question | answer |
|---|---|---|
| 1, 2 read bits | `address`, `count` | `coil_N`, `discrete_N` |
| 3, 4 read registers | `address`, `count` | `holding_N`, `input_N` |
| 5, 6 write one | `address`, `written_…_N` | `address`, `coil_N`, `holding_N` |
| 15, 16 write many | `address`, `count`, `written_…_N` | `address`, `count` |
| 22 mask, 23 write and read | `data_hex` | `data_hex`, `holding_N` |
| 7, 8, 11, 12, 17, 20, 21, 24 | `data_hex` | `data_hex` |
| any of these, refused | | `exception_code` |

N is the number on the wire, from 0. An answer does not say what it answers: N is known where the question, of the same
unit, function and length, was heard just before; otherwise it is `word_N` or `bit_N`, counted within the answer. Two
registers in a row may be a float of 32 bits, high word first: where that makes a likely number (from 0.001 to a
billion) it is said, too, as `word_0_f32`. That is a guess, for people who look.

Nothing marks where a frame begins, and the 3.5 characters of silence between frames are lost in USB adapters and
networks: a frame is what can be one by its function, its length and its check. Of two sizes that a function may have
the shorter is tried first. One broken byte can make up to 256 bytes wait until it is certain that they are none.

Frames of other functions (41 to 43, 65 to 72, 100 to 110) have no length that could be known; where one is all that
there is in a recording, its check is enough, and it is told with its `data_hex`.

Limits: 256 bytes a frame. A false frame among noise: one in 65,536 places that could be one. Modbus ASCII and TCP are
not read.
Source: Modbus application protocol V1.1b3 (6, 7); Modbus over serial line V1.02.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from struct import Struct, unpack
from typing import NoReturn

from devices.modbus.cut import LONGEST, MOST_BITS, frame_at, holds
from devices.modbus.rtu import refusal, sealed
from devices.spec.device import SerialSettings, StreamDevice
from devices.spec.errors import EncodeError
from devices.spec.events import Event, IntegrityError, Noise, Reading, Value
from devices.spec.field import Field
from devices.spec.register import shortest
from devices.spec.sequence import Bits, Sequence

KEPT = 64
FORGOTTEN = 4
"""Bytes of noise behind a question after which what comes is no longer taken for its answer."""

UNIT = "unit"
READS = {1: "coil", 2: "discrete", 3: "holding", 4: "input", 23: "holding"}
ONE = {5: "coil", 6: "holding"}
MANY = {15: "coil", 16: "holding"}
BITS = (1, 2, 5, 15)
ON = b"\xff\x00"
LIKELY = (1e-3, 1e9)
_PAIR = Struct(">HH")

MESSAGE = Field("message", "1", "What kind of frame", kind="state", states=("question", "answer", "refusal", "unknown"))
FUNCTION = Field("function_code", "1", "Function", kind="counter", minimum=0, maximum=255, step=1)
EXCEPTION = Field("exception_code", "1", "Why it was refused", kind="counter", minimum=1, maximum=11, step=1,
                  optional=True)  # fmt: skip
ADDRESS = Field("address", "1", "First register or bit, from 0", kind="counter", minimum=0, maximum=65535, step=1,
                optional=True)  # fmt: skip
COUNT = Field("count", "1", "How many registers or bits", kind="counter", minimum=1, maximum=MOST_BITS, step=1,
              optional=True)  # fmt: skip
DATA = Field("data_hex", "1", "What the frame says, where its function is not taken apart", kind="text", optional=True)
WORD = Field("word_0", "1", "First register of an answer whose question was not heard", minimum=0, maximum=65535,
             step=1, optional=True)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """The last question on the line: its frame, and where and how much it reads."""

    frame: bytes
    first: int = 0
    count: int = 0

    def size(self, function: int) -> int:
        """How many bytes of data its answer has."""
        return (self.count + 7) // 8 if function in BITS else 2 * self.count


class Line:
    """The decoder of a line. It remembers the last question, and the first bytes as long as they are nothing yet."""

    __slots__ = ("_asked", "_first", "_kept", "_noise", "_rest")

    def __init__(self) -> None:
        self._rest = b""
        self._kept = b""
        self._first = True
        self._asked: Asked | None = None
        self._noise = 0

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes, however they were cut; answer the events they complete."""
        return self._known(self._found(data))

    def flush(self) -> list[Event]:
        """The recording has ended: what waited for its rest is dropped byte by byte."""
        whole = self._kept + self._rest if self._first else b""
        if len(whole) >= 4 and holds(whole):
            self._kept = self._rest = b""
            return [_told(whole, {MESSAGE.name: "unknown", FUNCTION.name: whole[1], DATA.name: whole[2:-2].hex()})]
        events: list[Event] = []
        while self._rest:
            rest, self._rest = self._rest, b""
            self._quiet(1)
            events += self._known([Noise(rest[:1]), *self._found(rest[1:])])
        if self._kept:
            events.append(Noise(self._kept, _all(self._kept)))
        self._kept = b""
        return events

    def _known(self, events: list[Event]) -> list[Event]:
        """Keep the first bytes back while nothing but them has come."""
        out: list[Event] = []
        for event in events:
            if self._first and isinstance(event, Noise) and len(self._kept) + len(event.data) <= KEPT:
                self._kept += event.data
                continue
            if self._kept:
                out.append(Noise(self._kept))
                self._kept = b""
            self._first = False
            out.append(event)
        return out

    def _found(self, data: bytes) -> list[Event]:
        buffer = self._rest + data
        events: list[Event] = []
        at = noise = 0
        while at < len(buffer):
            size, why = frame_at(buffer[at : at + LONGEST])
            if size == 0:
                break
            if size < 0:
                at += 1
                self._quiet(1)
                continue
            if at > noise:
                events.append(Noise(buffer[noise:at]))
            frame = buffer[at : at + size]
            if why:
                self._quiet(size)
                events.append(IntegrityError(why, frame))
            else:
                events.append(self._read(frame))
            at += size
            noise = at
        if at > noise:
            events.append(Noise(buffer[noise:at]))
        self._rest = buffer[at:]
        return events

    def _quiet(self, size: int) -> None:
        """So many bytes are no frame."""
        self._noise += size
        if self._noise >= FORGOTTEN:
            self._asked = None

    def _read(self, frame: bytes) -> Reading:
        asked, self._asked, self._noise = self._asked, None, 0
        if asked is not None and (asked.frame[0], asked.frame[1]) != (frame[0], frame[1] & 0x7F):
            asked = None
        if frame[1] & 0x80:
            fields: dict[str, Value] = {
                MESSAGE.name: "refusal", FUNCTION.name: frame[1] & 0x7F, EXCEPTION.name: frame[2],
            }  # fmt: skip
        elif _is_answer(frame, asked):
            fields = {MESSAGE.name: "answer", FUNCTION.name: frame[1], **_answer(frame, asked)}
        else:
            fields = {MESSAGE.name: "question", FUNCTION.name: frame[1], **_question(frame)}
            self._asked = Asked(frame, *_PAIR.unpack_from(frame, 2)) if len(frame) >= 8 else Asked(frame)
        return _told(frame, fields)


def _told(frame: bytes, fields: dict[str, Value]) -> Reading:
    return Reading(fields, tags={UNIT: str(frame[0])})


def _all(data: bytes) -> str:
    """What is told of the only bytes of a recording, where they are no frame."""
    return f"no frame; the CRC of Modbus over these {len(data)} bytes is {sealed(data)[-2:].hex(' ')}"


def _is_answer(frame: bytes, asked: Asked | None) -> bool:
    """Whether a frame is an answer; `asked` is the question of its kind that was heard just before, if any."""
    function, size = frame[1], len(frame)
    if function in (1, 2) and size == 8:
        return asked is not None and asked.frame != frame and frame[2] == 3 == (asked.count + 7) // 8
    if function in (1, 2, 3, 4):
        return size != 8
    if function in (15, 16):
        return size == 8
    if function == 23:
        return size == 5 + frame[2] and not (size > 13 and size == 13 + frame[10])
    if function == 20:
        return asked is not None or frame[3] != 6
    if function in (7, 11, 12, 17, 24):
        return size > (6 if function == 24 else 4)
    return asked is not None and asked.frame == frame


def _question(frame: bytes) -> Mapping[str, Value]:
    function, body = frame[1], frame[2:-2]
    if function not in (1, 2, 3, 4, *ONE, *MANY):
        return _data(body)
    first, count = _PAIR.unpack_from(body)
    if function in ONE:
        return {ADDRESS.name: first, f"written_{ONE[function]}_{first}": _one(function, body)}
    fields: dict[str, Value] = {ADDRESS.name: first, COUNT.name: count}
    if function in MANY:
        fields |= _numbered(f"written_{MANY[function]}", first, _values(function, body[5:], count))
    return fields


def _answer(frame: bytes, asked: Asked | None) -> Mapping[str, Value]:
    function, body = frame[1], frame[2:-2]
    if function in ONE:
        first = int.from_bytes(body[:2])
        return {ADDRESS.name: first, f"{ONE[function]}_{first}": _one(function, body)}
    if function in MANY:
        first, count = _PAIR.unpack(body)
        return {ADDRESS.name: first, COUNT.name: count}
    if function not in READS:
        return _data(body)
    data = body[1:]
    name, first, count = ("bit", 0, 8 * len(data)) if function in BITS else ("word", 0, len(data) // 2)
    if asked is not None and asked.size(function) == len(data):
        name, first, count = READS[function], asked.first, asked.count
    fields = _numbered(name, first, _values(function, data, count))
    if function not in BITS:
        fields |= {f"{name}_{first + index}_f32": value for index, value in _floats(data)}
    return fields


def _one(function: int, body: bytes) -> Value:
    return body[2:4] == ON if function in BITS else float(int.from_bytes(body[2:4]))


def _values(function: int, data: bytes, count: int) -> list[Value]:
    if function in BITS:
        return [bool(data[index // 8] >> index % 8 & 1) for index in range(count)]
    return [float(word) for word in unpack(f">{count}H", data)]


def _numbered(name: str, first: int, values: list[Value]) -> dict[str, Value]:
    return {f"{name}_{first + index}": value for index, value in enumerate(values)}


def _floats(data: bytes) -> Iterable[tuple[int, float]]:
    for index in range(len(data) // 4):
        value = unpack(">f", data[4 * index : 4 * index + 4])[0]
        if LIKELY[0] <= abs(value) <= LIKELY[1]:
            yield 2 * index, shortest(value)


def _data(body: bytes) -> Mapping[str, Value]:
    return {DATA.name: body.hex()} if body else {}


def encode(reading: Reading) -> bytes:
    """The frame that a reading was."""
    fields = reading.fields
    message, function = fields.get(MESSAGE.name), fields.get(FUNCTION.name)
    unit = reading.tags.get(UNIT, "1")
    if message not in MESSAGE.states or not isinstance(function, int) or not unit.isdecimal() or int(unit) > 255:
        raise EncodeError("a frame has a unit from 0 to 255, says what kind of message it is and has a function")
    head = bytes((int(unit), function))
    if message == "refusal":
        return refusal(int(unit), function, _whole(fields, EXCEPTION.name))
    if DATA.name in fields:
        return sealed(head + bytes.fromhex(str(fields[DATA.name])))
    if function in ONE:
        name = ("written_" if message == "question" else "") + ONE[function]
        value = _listed(fields, name)[0]
        word = (ON if value else b"\0\0") if function in BITS else int(value).to_bytes(2)
        return sealed(head + _whole(fields, ADDRESS.name).to_bytes(2) + word)
    if message == "answer" and function in READS:
        data = _packed(
            function, _listed(fields, *(("bit", READS[function]) if function in BITS else ("word", READS[function])))
        )
        return sealed(head + bytes((len(data),)) + data)
    if function in (1, 2, 3, 4, *MANY):
        body = _PAIR.pack(_whole(fields, ADDRESS.name), _whole(fields, COUNT.name))
        if function in MANY and message == "question":
            data = _packed(function, _listed(fields, f"written_{MANY[function]}"))
            body += bytes((len(data),)) + data
        return sealed(head + body)
    return sealed(head)


def _whole(fields: Mapping[str, Value], name: str) -> int:
    value = fields.get(name)
    return int(value) if isinstance(value, int | float) else _lacks(name)


def _listed(fields: Mapping[str, Value], *names: str) -> list[float]:
    """The values of `names`, in the order of their numbers."""
    found = {
        int(number): float(value)
        for name, _, number in (key.rpartition("_") for key in fields)
        if name in names and number.isdecimal() and not isinstance(value := fields[f"{name}_{number}"], str)
    }
    return [found[number] for number in sorted(found)] or _lacks(f"{names[0]}_0")


def _lacks(name: str) -> NoReturn:
    raise EncodeError(f"the frame needs {name}")


def _packed(function: int, values: list[float]) -> bytes:
    if function in BITS:
        number = sum(bool(value) << index for index, value in enumerate(values))
        return number.to_bytes((len(values) + 7) // 8, "little")
    return b"".join(int(value).to_bytes(2) for value in values)


DEVICE = StreamDevice(
    name="modbus-rtu",
    title="Modbus RTU line, listened to",
    domain="park",
    source="Modbus application protocol V1.1b3; Modbus over serial line V1.02",
    fields=(MESSAGE, FUNCTION, EXCEPTION, ADDRESS, COUNT, DATA, WORD),
    expected_every_s=1.0,
    sequence=Sequence((Bits.of(WORD, 6),)),
    open_fields=True,
    serial=SerialSettings(baud=9600),
    decoder=Line,
    encode=encode,
    longest_frame=LONGEST,
)
