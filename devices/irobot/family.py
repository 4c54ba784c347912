"""The stream of iRobot's Open Interface: what a robot says every 15 ms once it has been asked to (opcode 148).

    13  N  [id, its bytes] ...  sum           N: bytes between it and the sum; all bytes together are 0 modulo 256

Once asked for, every frame has the same packets. A sum of 8 bits holds by chance, so a frame with other packets than
before is only believed when they come a second time; and packets are asked for one by one, not as a group, so that
the ids between them show where two halves of frames have grown together. What a robot prints at power-up
(`bl-start`, lines about its battery) is noise.

A packet that is not known has no length that could be known: what stands before it is read, the rest is left out and
named. A frame that begins with one is none.

A robot that nobody touches sleeps after five minutes in passive mode, and says nothing. The opening wakes what can be
woken by bytes; Create 2 wants a pulse on its BRC line, which no serial port of ours gives.

Limits: 258 bytes the longest frame. At 115200 baud 172 bytes go out in 15 ms, 86 at 57600.
Source: iRobot, Create 2 Open Interface specification (2018), opcode 148 and appendix; Create Open Interface (2006).
"""

from collections.abc import Iterable
from functools import partial

from devices.irobot.packets import Table
from devices.spec.checksum import negated_sum8
from devices.spec.command import StreamCommand, plain
from devices.spec.device import SerialSettings, StreamDevice
from devices.spec.errors import EncodeError
from devices.spec.events import Event, Reading
from devices.spec.frame import BinaryFramer, Check, Frame, Length
from devices.spec.sequence import Bits, Sequence

HEADER = b"\x13"
START, STREAM = 128, 148
LONGEST = 258
_LENGTH = Length(at=1, code=">B", extra=3, allowed=frozenset(range(256)))

WITH_HEADER = Check(of=negated_sum8, first=0, last=-1, at=-1)
WITHOUT_HEADER = Check(of=negated_sum8, first=1, last=-1, at=-1)

COMMANDS = (
    StreamCommand(
        name="clean", description="Begin to clean, or stop", request=plain(b"\x87"), answers="never",
    ),
    StreamCommand(name="spot", description="Clean around where it stands", request=plain(b"\x86"), answers="never"),
    StreamCommand(name="dock", description="Drive to the dock", request=plain(b"\x8f"), answers="never"),
)  # fmt: skip


def opening(ids: Iterable[int]) -> bytes:
    """Start the interface (passive mode), and stream these packets."""
    asked = bytes(ids)
    return bytes((START, STREAM, len(asked))) + asked


class Decoder:
    """The state of one port: which packets the stream has."""

    def __init__(self, table: Table, check: Check) -> None:
        self._table = table
        self._known: bytes | None = None
        self._other = b""
        self._framer = BinaryFramer((Frame(HEADER, _LENGTH, self._read, check, possible=self._possible),))

    def feed(self, data: bytes) -> list[Event]:
        return self._framer.feed(data)

    def flush(self) -> list[Event]:
        return self._framer.flush()

    def _possible(self, frame: bytes) -> bool:
        ids, taken = self._table.walk(frame[2:-1])
        if not ids or (taken < len(frame) - 3 and frame[2 + taken] in self._table.sizes):
            return False  # a packet that is known, and not all of it is there
        layout = bytes((len(frame), *ids))
        if self._known in (None, layout) or self._other == layout:
            self._known, self._other = layout, b""
            return True
        self._other = layout
        return False

    def _read(self, frame: bytes) -> Event:
        data = frame[2:-1]
        ids, taken = self._table.walk(data)
        fields, wrong = self._table.take(data, ids)
        if taken < len(data):
            wrong.append(f"packet {data[taken]} is not known: {len(data) - taken} bytes are left out")
        return Reading(fields, field_errors=tuple(wrong))


def _encode(table: Table, check: Check, reading: Reading) -> bytes:
    said = table.give(reading.fields)
    if not 0 < len(said) <= 255:
        raise EncodeError(f"a frame of {len(said)} bytes of packets: expected 1 to 255")
    return check.sealed(HEADER + bytes((len(said),)) + said)


def robot(name: str, title: str, source: str, table: Table, check: Check, baud: int, asked: Iterable[int],
          count: Bits) -> StreamDevice:  # fmt: skip
    """A robot of the family: its packets, its sum, and which packets it is asked for."""
    return StreamDevice(
        name=name,
        title=title,
        domain="robot",
        source=source,
        fields=table.fields,
        expected_every_s=0.015,
        sequence=Sequence((count,)),
        serial=SerialSettings(baud=baud),
        decoder=partial(Decoder, table, check),
        encode=partial(_encode, table, check),
        longest_frame=LONGEST,
        commands=COMMANDS,
        opening=opening(asked),
    )
