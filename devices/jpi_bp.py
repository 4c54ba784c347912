"""Blood pressure monitors of Japan Precision Instruments for two users: Visomat Double Comfort, Prevention DS-2200PV.

    host    02 R00 03              send the memory
    device  02 M106 <6 records> M207 <7 records> 03      all ASCII
            02 M1001 M201 <1 record> 03                  user 1 has none

    block   M | user, 1 digit | records, 2 digits | the records, or where there are none one character without a meaning
    record  yymmdd HHMM f sss ddd ppp, without blanks: 20 digits; flag, systolic and diastolic in mmHg, pulse

Each record is a reading at its own time, with the tag `user`. The memory is asked for every ASKED_EVERY_S, and what was
told since the port was opened is not told again; what is told again after a restart is the same under the same time.

The clock has no zone and is taken as UTC: set it to UTC. Before it is set it begins at 2010-01-01 12:00, and so say the
records. There is no integrity check: a packet must be digits all through and as long as its counts say. What is beyond
that (a systolic pressure below the diastolic) is stored as it is told.

The monitor is USB (1247:00f8, "USB COMMUNICATION BRIDGE"), two bulk endpoints. Linux's cdc_acm has refused it for its
descriptors; it needs a driver that gives it a port, such as usbserial with vendor= and product=.

Unknown: what the flag says (in the published memories it is 1 with systolic pressures above 150, 0 with all others);
how many records a user has room for (two digits are 99); the answer to R02, the date and time; how a measurement is
begun; whether the speed of the port matters, and whether newer kernels and usbserial take the monitor. Not tried with
one.

Privacy: what two people measure; the numbers are theirs. Keep who is who elsewhere. Testbed data, not for clinical use.

Source: visomat-utils (git.ao2.it), README; facts, and its two memories as examples.
"""

import re
from collections.abc import Iterable

from devices.pressure import DIASTOLIC_LEVELS, PULSE_LEVELS, SYSTOLIC_LEVELS
from devices.spec.device import SerialSettings, StreamDevice
from devices.spec.errors import EncodeError
from devices.spec.events import Empty, Event, IntegrityError, Noise, Reading, SanityError, Value
from devices.spec.field import Field
from devices.spec.json_time import format_ns, parse_ns
from devices.spec.sequence import Bits, Sequence

STX, ETX = b"\x02", b"\x03"
ASKED_EVERY_S = 300.0
RECORD = 20
MOST = 99
USERS = ("1", "2")
USER = "user"
LONGEST = 2 + len(USERS) * (4 + MOST * RECORD)

_NEXT = re.compile(rb"[\x02\x03]")
_BLOCK = re.compile(r"M([0-9])([0-9]{2})")
_MINUTE_NS = 60_000_000_000

FLAG = Field("record_flag", "1", "Flag of the record; what it says is not known", kind="counter", minimum=0, maximum=9,
             step=1, panel=False)  # fmt: skip
SYSTOLIC = Field("systolic_mmhg", "mm[Hg]", "Systolic blood pressure", minimum=0, maximum=999, step=1,
                 thresholds=SYSTOLIC_LEVELS)  # fmt: skip
DIASTOLIC = Field("diastolic_mmhg", "mm[Hg]", "Diastolic blood pressure", minimum=0, maximum=999, step=1,
                  thresholds=DIASTOLIC_LEVELS)  # fmt: skip
PULSE = Field("pulse_rate_bpm", "/min", "Pulse rate; an adult's at rest is 60 to 100", minimum=0, maximum=999, step=1,
              thresholds=PULSE_LEVELS)  # fmt: skip
FIELDS = (SYSTOLIC, DIASTOLIC, PULSE, FLAG)


class Packets:
    """The decoder of a stream of packets. With `once` it tells each record once."""

    __slots__ = ("_once", "_rest", "_told")

    def __init__(self, once: bool = False) -> None:
        self._rest = b""
        self._once = once
        self._told: set[tuple[str, str]] = set()

    def feed(self, data: bytes) -> list[Event]:
        buffer = self._rest + data if self._rest else bytes(data)
        events: list[Event] = []
        at = 0
        while True:
            start = buffer.find(STX, at)
            _noise(buffer[at : start if start >= 0 else len(buffer)], events)
            if start < 0:
                self._rest = b""
                return events
            end = _NEXT.search(buffer, start + 1)
            if end is None:
                self._rest = buffer[start:]
                if len(self._rest) > LONGEST:
                    _noise(self._rest, events)
                    self._rest = b""
                return events
            if end[0] == STX:
                at = end.start()
                _noise(buffer[start:at], events)
                continue
            at = end.end()
            events += self._packet(buffer[start:at])

    def flush(self) -> list[Event]:
        rest, self._rest = self._rest, b""
        return [Noise(rest)] if rest else []

    def _packet(self, packet: bytes) -> list[Event]:
        if len(packet) > LONGEST or packet[1:2] != b"M":
            return [Noise(packet, "" if len(packet) > LONGEST else "a packet that is no memory")]
        try:
            records = list(_records(packet[1:-1].decode("ascii")))
        except ValueError as error:  # bytes that are no ASCII, too
            return [IntegrityError(f"the memory: {error}"[:200], packet)]
        new = [record for record in records if record not in self._told]
        if self._once:
            self._told = set(records)
        events = [_reading(user, record) for user, record in new]
        wrong = [event.detail for event in events if isinstance(event, SanityError)]
        if events and len(wrong) == len(events):
            return [SanityError(wrong[0], packet)]
        return [*events] or [Empty("nothing new in the memory" if records else "the memory is empty", packet)]


def _noise(data: bytes, events: list[Event]) -> None:
    if data:
        events.append(Noise(data))


def _records(memory: str) -> Iterable[tuple[str, str]]:
    """User and digits of each record. ValueError where the memory is none."""
    at = 0
    while at < len(memory):
        block = _BLOCK.match(memory, at)
        if block is None:
            raise ValueError(f"expected a block such as M106 at character {at}, got {memory[at : at + 4]!r}")
        user, count = block[1], int(block[2])
        at = block.end() + (count * RECORD or 1)
        digits = memory[block.end() : at]
        if len(digits) < (count * RECORD or 1):
            raise ValueError(f"user {user} has {count} records, expected {count * RECORD} digits, got {len(digits)}")
        if count and not (digits.isascii() and digits.isdigit()):
            raise ValueError(f"user {user}: expected digits, got {digits[:RECORD]!r}")
        yield from ((user, digits[place : place + RECORD]) for place in range(0, count * RECORD, RECORD))


def _reading(user: str, record: str) -> Reading | SanityError:
    year, month, day, hour, minute = (record[place : place + 2] for place in range(0, 10, 2))
    try:
        time_ns = parse_ns(f"20{year}-{month}-{day}T{hour}:{minute}:00Z")
    except ValueError:
        return SanityError(f"user {user}: {record[:10]} is no date and time, yymmddHHMM", record.encode())
    fields: dict[str, Value] = {
        SYSTOLIC.name: float(record[11:14]),
        DIASTOLIC.name: float(record[14:17]),
        PULSE.name: float(record[17:20]),
        FLAG.name: int(record[10]),
    }
    return Reading(fields, time_ns, tags={USER: user})


def encode(reading: Reading) -> bytes:
    """The memory that has just this record. EncodeError for one without a time of whole minutes in 2000 to 2099."""
    user = reading.tags.get(USER, USERS[0])
    if user not in USERS:
        raise EncodeError(f"jpi-bp: user {user[:20]!r}, expected one of {', '.join(USERS)}")
    if reading.time_ns is None or reading.time_ns % _MINUTE_NS:
        raise EncodeError("jpi-bp: a record has a time of whole minutes")
    stamp = re.sub(r"\D", "", format_ns(reading.time_ns))[:12]
    if not stamp.startswith("20"):
        raise EncodeError(f"jpi-bp: {stamp[:4]}: a record has a year from 2000 to 2099")
    numbers = "".join(_digits(reading, field, 3) for field in (SYSTOLIC, DIASTOLIC, PULSE))
    record = stamp[2:] + _digits(reading, FLAG, 1) + numbers
    memory = "".join(f"M{each}01{record}" if each == user else f"M{each}000" for each in USERS)
    return STX + memory.encode("ascii") + ETX


def _digits(reading: Reading, field: Field, width: int) -> str:
    value = reading.fields.get(field.name)
    if value is None or isinstance(value, str) or field.outside(value):
        raise EncodeError(f"{field.name}: {value!r}, expected 0 to {10**width - 1}")
    return f"{round(value):0{width}d}"


def _once() -> Packets:
    return Packets(once=True)


DEVICE = StreamDevice(
    name="jpi-bp",
    title="Blood pressure monitor (JPI, Visomat Double Comfort)",
    domain="health",
    source="visomat-utils (git.ao2.it), README",
    fields=FIELDS,
    expected_every_s=86_400.0,
    sequence=Sequence((Bits.of(SYSTOLIC, 4), Bits.of(DIASTOLIC, 4))),
    serial=SerialSettings(baud=9600),
    decoder=Packets,
    joined=_once,
    encode=encode,
    checked=False,
    longest_frame=LONGEST,
    opening=STX + b"R00" + ETX,
    opening_every_s=ASKED_EVERY_S,
)
