"""Modbus RTU: questions for registers, their answers, and what a device says when it refuses.

    request    unit | 03 or 04 | first register u16 | count u16 | CRC-16, low byte first
    answer     unit | 03 or 04 | bytes n | n bytes of registers | CRC-16
    refusal    unit | 83 or 84 | code    |                        CRC-16

Function 3 reads holding registers, 4 input registers. An answer does not say which registers it
is about: unit, function, length and check must be those of the question that waits. Unit numbers
are 1..247; 0 is for all, and is not answered. 3.5 characters of silence end a frame; they are kept
when sending and not relied upon when reading, for USB adapters lose them.

Limits: 125 registers a question, 255 bytes an answer. Two devices with one number answer together:
that is noise and failed checks.
Source: Modbus application protocol V1.1b3 (6.3, 6.4, 7); Modbus over serial line V1.02.
"""

from collections.abc import Mapping
from struct import Struct
from typing import Literal

from devices.spec.checksum import crc16_modbus
from devices.spec.events import SanityError, Value
from devices.spec.polled import Answer, NotMine, Question, Timing, Verdict
from devices.spec.register import Group, Register, grouped

UNITS = range(1, 248)
TIMING = Timing(timeout_s=0.5, silence_s=0.01, late_s=1.0)
MOST_REGISTERS = 125

EXCEPTIONS: Mapping[int, str] = {
    1: "illegal function: the device does not know this function; is it of this type?",
    2: "illegal data address: the device has no such registers; is it of this type?",
    3: "illegal data value: the device does not take this question; is it of this type?",
    4: "server device failure: the device has a fault of its own",
    5: "acknowledge: the device needs longer",
    6: "server device busy: it is asked too often, or busy with another master",
    8: "memory parity error: the device has a fault of its own",
    10: "gateway path unavailable: the Modbus gateway between is set up wrongly or overloaded",
    11: "gateway target device failed to respond: nothing answers behind the Modbus gateway",
}
"""Exception codes by name, with what to look at."""

STRANGE = (0x03, 0x04, 0x83, 0x84)
"""Functions by which another unit's answer is known, and its refusals."""

_REQUEST = Struct(">BBHH")


def sealed(body: bytes) -> bytes:
    """`body` with its CRC."""
    return body + crc16_modbus(body).to_bytes(2, "little")


def refusal(unit: int, function: int, code: int) -> bytes:
    """The bytes by which a device refuses."""
    return sealed(bytes((unit, function | 0x80, code)))


def read_request(data: bytes) -> int | None:
    """The first register that a question asks for; None for what is no whole question of function 3 or 4."""
    if len(data) != _REQUEST.size + 2 or data[1] not in (3, 4) or data != sealed(data[:-2]):
        return None
    first: int = _REQUEST.unpack(data[:-2])[2]
    return first


def questions(
    registers: tuple[Register, ...], function: Literal[3, 4], *, most: int = MOST_REGISTERS, gap: int = 0
) -> tuple[Question, ...]:
    """The questions that bring `registers`: at most `most` registers each.

    Up to `gap` registers that nobody wants are read along where that saves a question; 0 where the
    device refuses what it does not have.
    """
    return tuple(_question(group, function) for group in grouped(registers, most, gap))


def _question(group: Group, function: int) -> Question:
    length = 2 * group.length
    size = length + 5

    def request(unit: int) -> bytes:
        return sealed(_REQUEST.pack(unit, function, group.first, group.length))

    def judge(unit: int, data: bytes) -> Verdict:
        if data[0] != unit:
            return _strange(data, unit, size)
        if len(data) < 2:
            return None
        if data[1] == function | 0x80:
            return _refused(data)
        if data[1] != function or (len(data) > 2 and data[2] != length):
            return NotMine()
        if len(data) < size:
            return None
        why = _failed(data[:size])
        if why:
            return NotMine(size, why)
        event = group.parse(data[3 : size - 2])
        if isinstance(event, SanityError):
            event = SanityError(event.detail, data[:size])
        return Answer(size, event)

    def answer(unit: int, fields: Mapping[str, Value]) -> bytes:
        return sealed(bytes((unit, function, length)) + group.pack(fields))

    return Question(
        name=f"function {function}, registers {group.first}..{group.last}",
        request=request,
        judge=judge,
        answer=answer,
        fields=tuple(register.field for register in group.registers),
        size=size,
        refuse=lambda unit: refusal(unit, function, 2),
    )


def _strange(data: bytes, unit: int, longest: int) -> NotMine:
    """What does not begin with `unit`: another unit's answer or refusal is known, if no longer than `longest`."""
    if data[0] not in UNITS or (len(data) > 1 and data[1] not in STRANGE):
        return NotMine()
    if len(data) < 3:
        return NotMine(0)
    count = 0 if data[1] & 0x80 else data[2]
    size = 5 + count
    if size > longest or count % 2 or not (count or data[1] & 0x80):
        return NotMine()
    if len(data) < size:
        return NotMine(0)
    if _failed(data[:size]):
        return NotMine()
    return NotMine(size, f"an answer of unit {data[0]}, not of unit {unit}", whole=True)


def _refused(data: bytes) -> Verdict:
    if len(data) < 5:
        return None
    why = _failed(data[:5])
    if why:
        return NotMine(5, why)
    words = EXCEPTIONS.get(data[2], "not an exception of the protocol")
    return Answer(5, SanityError(f"refused with exception {data[2]}, {words}", data[:5]))


def _failed(frame: bytes) -> str:
    """What is wrong with the check of a frame, or nothing."""
    stored, computed = int.from_bytes(frame[-2:], "little"), crc16_modbus(frame[:-2])
    return "" if stored == computed else f"checksum {stored:#06x}, computed {computed:#06x}"
