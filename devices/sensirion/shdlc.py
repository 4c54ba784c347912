"""SHDLC: how Sensirion's sensors are asked and answer over a serial line.

    request   7E | address | command | length      | data | check | 7E
    answer    7E | address | command | state | length | data | check | 7E

Between the two 7E bytes are stuffed: 7E, 7D, 11 and 13 are written 7D and themselves with bit 5 turned over
(7D 5E, 7D 5D, 7D 31, 7D 33). They are unstuffed byte by byte: replacing pairs one after the other makes 11 of
7D 5D 31. Length and check are those of the unstuffed bytes; the check is their sum with every bit turned over.

Of the state, bit 7 says that the sensor has a fault in its status register; the others are 0, or why it refuses.
An answer is as long as its bytes make it. Of one that is broken the last 7E may be the first of the next.

Limits: data of 255 bytes, 522 bytes a frame. The address of a sensor is 0 but where several share a line.
Source: Sensirion SPS30 data sheet (March 2020), 5.1; Sensirion/embedded-uart-sps (BSD-3-Clause).
"""

from collections.abc import Callable, Mapping

from devices.spec.checksum import inverted_sum8
from devices.spec.events import Empty, Reading, SanityError
from devices.spec.polled import Answer, NotMine, Verdict

FLAG, ESCAPE, TURNED = 0x7E, 0x7D, 0x20
STUFFED = frozenset((FLAG, ESCAPE, 0x11, 0x13))
_RAW = {byte ^ TURNED: byte for byte in STUFFED}
_STUFFED_BYTE = [bytes((ESCAPE, byte ^ TURNED)) if byte in STUFFED else bytes((byte,)) for byte in range(256)]
FAULT = 0x80

STATES: Mapping[int, str] = {
    0x01: "wrong length: the sensor expects other data with this command",
    0x02: "unknown command: is it of this type, and its firmware new enough?",
    0x03: "no access right for this command",
    0x04: "illegal parameter, or one out of its range",
    0x28: "internal function argument out of range",
    0x43: "not allowed in its present state",
}
"""Why a command is refused."""

NOT_NOW = 0x43

Read = Callable[[int, bytes, bytes], Reading | Empty | SanityError]
"""State, data and whole frame of an answer in; what it says out."""


def framed(body: bytes) -> bytes:
    """`body` with its check, stuffed, between its flags."""
    whole = body + bytes((inverted_sum8(body),))
    return bytes((FLAG,)) + b"".join([_STUFFED_BYTE[byte] for byte in whole]) + bytes((FLAG,))


def request(command: int, data: bytes = b"", address: int = 0) -> bytes:
    """The bytes that ask for, or tell, something."""
    return framed(bytes((address, command, len(data))) + data)


def answer(command: int, data: bytes = b"", state: int = 0, address: int = 0) -> bytes:
    """The bytes that a sensor answers with."""
    return framed(bytes((address, command, state, len(data))) + data)


def longest(data: int) -> int:
    """Bytes of an answer with so many bytes of data, all of them stuffed."""
    return 2 + 2 * (4 + data + 1)


def unstuffed(data: bytes) -> bytes | None:
    """The bytes between two flags as they were; None where a byte is escaped that never is, or the last is missing."""
    if ESCAPE not in data:
        return data
    out = bytearray()
    bytes_ = iter(data)
    for byte in bytes_:
        if byte == ESCAPE:
            raw = _RAW.get(next(bytes_, 0))
            if raw is None:
                return None
            out.append(raw)
        else:
            out.append(byte)
    return bytes(out)


def wrong(body: bytes | None) -> str:
    """What is wrong with the unstuffed bytes of an answer, or nothing."""
    if body is None:
        return "a byte that is never escaped stands behind 7d"
    if len(body) < 5:
        return f"{len(body)} bytes between the flags, expected 5 or more"
    if body[3] != len(body) - 5:
        return f"{len(body) - 5} bytes of data, its length says {body[3]}"
    computed = inverted_sum8(body[:-1])
    return "" if body[-1] == computed else f"checksum {body[-1]:#04x}, computed {computed:#04x}"


def judge(command: int, lengths: frozenset[int], read: Read) -> Callable[[bytes], Verdict]:
    """What bytes are to who waits for the answer to `command`, which has as many bytes of data as `lengths` say.

    A refusal has none; `read` makes the event of an answer, refusals among them.
    """
    head = bytes((0, command))
    most = longest(max(lengths))

    def verdict(data: bytes) -> Verdict:
        if data[0] != FLAG:
            return NotMine()
        end = data.find(FLAG, 1, most)
        if end < 0:
            return _waiting(data[1:], head) if len(data) < most else NotMine()
        if end == 1:
            return NotMine()  # the end of a frame, and the beginning of the next
        body = unstuffed(data[1:end])
        why = wrong(body)
        mine = body is None or body.startswith(head)
        if why or body is None:
            return NotMine(end, why) if mine else NotMine()
        if not mine:
            return NotMine(end + 1, f"an answer of {body[0]:02x} to command {body[1]:02x}", whole=True)
        if body[3] not in (frozenset((0,)) if body[2] & ~FAULT else lengths):
            return NotMine(end, f"{body[3]} bytes of data in state {body[2]:02x}, expected {_listed(lengths)}")
        return Answer(end + 1, read(body[2], body[4:-1], data[: end + 1]))

    return verdict


def refusal(state: int, frame: bytes) -> SanityError | None:
    """Why the sensor refuses, where it does."""
    code = state & ~FAULT
    if not code:
        return None
    return SanityError(f"refused in state {code:02x}, {STATES.get(code, 'which is not in the protocol')}", frame)


def _waiting(begun: bytes, head: bytes) -> Verdict:
    """What a frame without its end is, by its first bytes."""
    body = unstuffed(begun.rstrip(bytes((ESCAPE,)))) or b""
    return None if body[:2] == head[: len(body)] else NotMine(0)


def _listed(lengths: frozenset[int]) -> str:
    return " or ".join(str(length) for length in sorted(lengths))
