"""Where a Modbus RTU frame may end, told by its function alone, for who only listens.

A question and its answer have the same function, and nothing says which of the two a frame is: all sizes are tried that
either may have, as far as what it counts is possible. Both are laid out in modbus_rtu.py.

Limits: functions 1 to 8, 11, 12, 15 to 17, 20 to 24, and their refusals with exceptions 1 to 11.
Source: Modbus application protocol V1.1b3, 6 and 7.
"""

from collections.abc import Iterable

from devices.modbus.rtu import MOST_REGISTERS
from devices.spec.checksum import crc16_modbus

LONGEST = 256
MOST_BITS = 2000
MOST_WRITTEN = {15: 1968, 16: 123, 23: 121}
EXCEPTIONS = range(1, 12)
COUNTED = (12, 17, 20, 21)
BARE = (7, 11, 12, 17)
FUNCTIONS = frozenset((*range(1, 9), 11, 12, 15, 16, 17, 20, 21, 22, 23, 24))


def frame_at(data: bytes) -> tuple[int, str]:
    """How many of the first bytes are a frame: 0 where more have to come, -1 where none begins here.

    With a reason, so many bytes began like one, and are none.
    """
    found = sizes(data)
    if found is None:
        return 0, ""
    for size in found:
        if size <= len(data) and holds(data[:size]):
            return size, ""
    if not found:
        return -1, ""
    if len(data) < found[-1]:
        return 0, ""
    window = data[: found[-1]]
    for start in range(1, len(window)):
        if sizes(window[start:]) != ():
            break
    return start, f"checksum does not hold for {' or '.join(map(str, found))} bytes of function {data[1] & 0x7F}"


def holds(frame: bytes) -> bool:
    return crc16_modbus(frame[:-2]) == int.from_bytes(frame[-2:], "little")


def sizes(data: bytes) -> tuple[int, ...] | None:
    """How many bytes a frame that begins with `data` may have, the fewest first; None where more bytes have to come."""
    if len(data) < 2:
        return None
    function = data[1]
    if function & 0x80:
        return _refused(data)
    if function not in FUNCTIONS:
        return ()
    if function in (5, 6, 8, 22):
        return (10,) if function == 22 else (8,)
    if len(data) < 3:
        return None
    return tuple(sorted({*_asked(data), *_answered(data)}))


def _refused(data: bytes) -> tuple[int, ...] | None:
    if data[1] & 0x7F not in FUNCTIONS:
        return ()
    if len(data) < 3:
        return None
    return (5,) if data[2] in EXCEPTIONS else ()


def _asked(data: bytes) -> Iterable[int]:
    """The sizes of a question; `data` has three bytes or more, and what is not yet there may be anything."""
    function = data[1]
    if function in BARE:
        yield 4
    elif function in (20, 21):
        if 7 <= data[2] <= 251:
            yield 5 + data[2]
    elif function == 24:
        yield 6
    elif function <= 4:
        if _within(data, 4, MOST_BITS if function < 3 else MOST_REGISTERS):
            yield 8
    elif function in (15, 16):
        if _within(data, 4, MOST_WRITTEN[function]):
            yield 8  # the answer, which has the first bytes of the question
            yield from _written(data, 4)
    elif function == 23 and _within(data, 4, MOST_REGISTERS) and _within(data, 8, MOST_WRITTEN[23]):
        yield from _written(data, 8)


def _answered(data: bytes) -> Iterable[int]:
    function, length = data[1], data[2]
    registers = function in (3, 4, 23) and not length % 2
    if (registers or function in (1, 2)) and 1 <= length <= 250:
        yield 5 + length
    elif function == 7:
        yield 5
    elif function == 11:
        yield 8
    elif function in COUNTED and 1 <= length <= 251:
        yield 5 + length
    elif function == 24 and len(data) > 3 and not length and not data[3] % 2 and 2 <= data[3] <= 64:
        yield 6 + data[3]


def _within(data: bytes, at: int, most: int) -> bool:
    """Whether the number at `at` may be from 1 to `most`."""
    if len(data) < at + 2:
        return len(data) <= at or data[at] << 8 <= most
    return 1 <= int.from_bytes(data[at : at + 2]) <= most


def _written(data: bytes, at: int) -> Iterable[int]:
    """The size of a question that writes as many as the number at `at` says, the bytes of it counted behind."""
    if len(data) < at + 2:
        yield LONGEST
        return
    count = int.from_bytes(data[at : at + 2])
    length = (count + 7) // 8 if data[1] == 15 else 2 * count
    if data[at + 2 : at + 3] in (b"", bytes((length,))):
        yield at + 5 + length
