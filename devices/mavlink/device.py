"""MAVLink 1 and 2: vehicles, ground stations and what they carry, all that speak on one link.

    autopilot 1-1 ------.
    gimbal 1-154 --------+---- radio ---- serial port, thing `mast`:  mast-1-1, mast-1-154, mast-255-190
    ground station 255-190

Each reading is one message. Its thing is system and component id; its tag `message` is the message's name, and
`instance` which of several it is about (battery 0, 1), where the message says that. How frames are cut and what
becomes of broken ones: frame.py. What messages say: described.py (HEARTBEAT, SYS_STATUS, SYSTEM_TIME, GPS_RAW_INT,
ATTITUDE, GLOBAL_POSITION_INT, VFR_HUD, BATTERY_STATUS, STATUSTEXT), others.py (all others of pymavlink's dialects).

Link loss: each component numbers what it says (`seq`, modulo 256). Where numbers are missing they are counted: each
heartbeat of the component, and the reading behind a gap, has in `lost_count` and `received_count` how many were
missing and how many came since the last reading that said so. The sums are what was lost and what came. A number that
comes twice, and one that goes back by up to 128, is none: a repeat, a restart. More than 127 lost in a row cannot be
told from that. An unknown message that comes often counts as received where its number is the next one.

Times: `time_usec` is Unix time or time since boot, which its size tells. A time since boot becomes one of day when
SYSTEM_TIME of the same system has said both; until then the time of receipt stands for it.

Texts: STATUSTEXT of MAVLink 2 may come in pieces of 50 bytes with an id. The pieces are nothing to report (`Empty`),
the last one brings the text; a piece that did not come is `[…]` in it, and a text whose end does not come is told when
the next one of that component begins.

Signed frames are read, and `signed` says so. The signature is not verified: there is no place for a key in the
description of a port. A signature proves nothing here.

Limits: numbers of the first 256 components are followed; 16 texts in pieces at a time, of 16 pieces.
Unknown: what a message means that its dialect does not say. UDP is no serial port: bring it by `socket://`.

Source: mavlink.io (Packet Serialization, Message Signing, common message set); pymavlink 2.4.50 for the tables.
"""

from devices.mavlink.commands import commands
from devices.mavlink.described import HEARTBEAT, STATUSTEXT, SYSTEM_TIME
from devices.mavlink.dialect import Message, tables
from devices.mavlink.fields import COMPONENT, FIELDS, SEQ, SYSTEM, WIRE
from devices.mavlink.frame import LONGEST, ONE, TWO, Frame, Framer
from devices.mavlink.texts import Texts
from devices.spec.checksum import crc16_mcrf4xx
from devices.spec.device import SerialSettings, StreamDevice
from devices.spec.errors import EncodeError
from devices.spec.events import Empty, Event, Reading, Value
from devices.spec.sequence import Bits, Sequence

MOST_FOLLOWED = 256
OFTEN, OFTEN_OF, MOST_STRANGERS = 3, 1000, 64
"""An unknown message is believed to be one when it has come three times, 1,000 known ones apart at most."""

UNIX_US = 10**15
"""A `time_usec` from here on (2001) is Unix time: no system runs for 31 years."""

_BACK = 128
"""From here on a step in the numbers is one back."""


class _Count:
    """The numbers of one component, and what is to be told of them. `gap`: some are missing right before the last."""

    __slots__ = ("gap", "lost", "received", "seq", "thing")

    def __init__(self, thing: str, seq: int) -> None:
        self.thing = thing
        self.seq = seq
        self.received = 1
        self.lost = 0
        self.gap = False

    def heard(self, seq: int) -> None:
        self.received += 1
        ahead = (seq - self.seq - 1) & 0xFF
        self.gap = 0 < ahead < _BACK
        if self.gap:
            self.lost += ahead
        if ahead != 0xFF:
            self.seq = seq

    def told(self) -> tuple[int, int]:
        """Received and lost since this was last asked."""
        received, lost, self.received, self.lost = self.received, self.lost, 0, 0
        return received, lost


class Decoder:
    """The state of one link."""

    def __init__(self) -> None:
        self._framer = Framer(tables(), self._read, self._strange)
        self._counts: dict[int, _Count] = {}
        self._booted_ns: dict[int, int] = {}
        self._texts = Texts()
        self._strangers: dict[int, tuple[int, int]] = {}
        self._total = 0

    def feed(self, data: bytes) -> list[Event]:
        return self._framer.feed(data)

    def flush(self) -> list[Event]:
        events = self._framer.flush()
        self._texts.end()
        return events + [self._told(*text) for text in self._texts.over()]

    def _read(self, frame: Frame) -> list[Event]:
        message, data, header, length = frame
        seq, system, component = data[header - 6 : header - 3] if header == 10 else data[2:5]
        raws = message.unpack(data[header : header + length])
        count = self._heard(seq, system, component)
        fields: dict[str, Value] = {
            "seq": seq, "system_id": system, "component_id": component, "wire_version": 2 if header == 10 else 1,
        }  # fmt: skip
        wrong = message.take(raws, length, fields)
        if count.gap or message.id == HEARTBEAT:
            fields["received_count"], fields["lost_count"] = count.told()
        if len(data) > header + length + 2:
            signature = frame.signature
            fields["signed"] = True
            fields["link_id"] = signature[0]
            fields["signature_timestamp"] = int.from_bytes(signature[1:7], "little")
        over: list[Event] = []
        if message.id == STATUSTEXT and length > _CHUNK_AT and raws[2]:
            held = self._texts.piece((count.thing, raws[2]), raws[3], raws[1], fields)
            over += [self._told(*text) for text in self._texts.over()]
            if held is None:
                return [*over, Empty(f"piece {raws[3]} of text {raws[2]}", data, count.thing)]
            fields = held
        tags = {"message": message.name}
        if message.instance is not None:
            tags["instance"] = _instance(raws[message.instance])
        time_ns = None if message.moment is None else self._time_ns(system, message, raws)
        return [*over, Reading(fields, time_ns, count.thing, tags, tuple(wrong))]

    def _heard(self, seq: int, system: int, component: int) -> "_Count":
        """Count a message, and what is missing before it."""
        self._total += 1
        key = system << 8 | component
        count = self._counts.get(key)
        if count is not None:
            count.heard(seq)
            return count
        count = _Count(f"{system}-{component}", seq)
        if len(self._counts) < MOST_FOLLOWED:
            self._counts[key] = count
        return count

    def _strange(self, number: int, seq: int, system: int, component: int) -> None:
        """A message that is not known counts where its number is the next one, and such messages come often:
        one that comes once is a known one whose id was damaged."""
        times, at = self._strangers.pop(number, (0, 0))
        times = times + 1 if self._total - at < OFTEN_OF else 1
        self._strangers[number] = (times, self._total)
        if len(self._strangers) > MOST_STRANGERS:
            del self._strangers[next(iter(self._strangers))]
        count = self._counts.get(system << 8 | component)
        if times >= OFTEN and count is not None and (count.seq + 1) & 0xFF == seq:
            count.heard(seq)

    def _time_ns(self, system: int, message: Message, raws: tuple[int, ...]) -> int | None:
        assert message.moment is not None
        word, at = message.moment
        time_us = raws[at] * 1000 if word == "time_boot_ms" else raws[at]
        if time_us >= UNIX_US and word != "time_boot_ms":
            if message.id == SYSTEM_TIME:
                self._booted_ns[system] = time_us * 1000 - raws[1] * 1_000_000
            return time_us * 1000 if time_us < _MOST_US else None
        booted_ns = self._booted_ns.get(system)
        return None if booted_ns is None or not time_us else booted_ns + time_us * 1000

    @staticmethod
    def _told(thing: str, fields: dict[str, Value]) -> Reading:
        return Reading(fields, None, thing, {"message": "STATUSTEXT"})


_CHUNK_AT = 51
"""STATUSTEXT with more than severity and text says which piece it is."""

_MOST_US = (1 << 63) // 1000


def _instance(raw: int | bytes) -> str:
    return raw.partition(b"\0")[0].decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)


def encode(reading: Reading) -> bytes:
    """The frame of one message, of version 2 or of that in `wire_version`.

    EncodeError: no message of that name, values that it does not have or cannot say, signed frames.
    """
    left = dict(reading.fields)
    message = tables().named(reading.tags.get("message", ""))
    for derived in ("received_count", "lost_count"):
        left.pop(derived, None)
    if left.pop("signed", False) or "link_id" in left:
        raise EncodeError("mavlink: signed frames need a key")
    system, _, component = (reading.thing or "1-1").partition("-")
    header = [_u8(left.pop(SEQ.name, 0)), _u8(left.pop(SYSTEM.name, system)), _u8(left.pop(COMPONENT.name, component))]
    version = left.pop(WIRE.name, 2)
    payload = message.pack(left, 1 if version == 1 else 2)
    if left:
        raise EncodeError(f"mavlink: {', '.join(sorted(left))}: not in {message.name}")
    if version == 1 and message.id > 0xFF:
        raise EncodeError(f"mavlink: {message.name} has no place in version 1")
    if version == 1:
        body = bytes((len(payload), *header, message.id)) + payload
    else:
        body = bytes((len(payload), 0, 0, *header)) + message.id.to_bytes(3, "little") + payload
    crc = crc16_mcrf4xx(body + message.extra)
    return bytes((ONE if version == 1 else TWO,)) + body + crc.to_bytes(2, "little")


def _u8(value: Value) -> int:
    number = int(value) if str(value).isdecimal() else -1
    if not 0 <= number <= 0xFF:
        raise EncodeError(f"mavlink: {value!r:.20}: expected a number from 0 to 255")
    return number


DEVICE = StreamDevice(
    name="mavlink",
    title="MAVLink vehicles and ground stations",
    domain="robot",
    source="mavlink.io, common message set; pymavlink dialects",
    fields=FIELDS,
    expected_every_s=1.0,
    sequence=Sequence((Bits("seq", 8),), by_thing=True),
    open_fields=True,
    serial=SerialSettings(baud=57600),
    decoder=Decoder,
    encode=encode,
    longest_frame=LONGEST,
    shared=True,
    commands=commands(encode, Decoder),
)
