"""Integrity checks of serial frames. All take bytes and give an unsigned integer.

sum8 and sum16, negated or not, catch any single flipped bit but not two bytes swapped; xor8 likewise.
Sources: Plantower PMS5003 series data manual (sum16), Nova SDS011 control protocol V1.3
(sum8), NMEA 0183 (xor8), u-blox receiver protocol description (Fletcher, after RFC 1145),
Modbus over serial line V1.02, 6.2.2 (CRC-16: polynomial A001 reflected, begins with FFFF), DSMR P1 companion
standard 5.0.2, 6.2 (the same, begins with 0), Davis serial communication reference 2.6.1, XII (polynomial 1021),
MAVLink's "Packet Serialization" (CRC-16/MCRF4XX: the same, reflected).
A CRC of 16 bits catches any burst of up to 16 bits, and one in 65,536 of all others passes.
"""

from binascii import crc_hqx
from collections.abc import Callable
from functools import reduce
from operator import xor
from zlib import adler32

SHORT = 256
"""Bytes up to which the low half of an Adler-32 is their sum and one (it is taken modulo 65,521, and
255 x 256 is less): found by zlib in a third of the time of `sum`."""


def sum8(data: bytes) -> int:
    """Sum of all bytes, modulo 2^8."""
    return sum16(data) & 0xFF


def sum16(data: bytes) -> int:
    """Sum of all bytes, modulo 2^16."""
    if len(data) <= SHORT:
        return (adler32(data) & 0xFFFF) - 1
    return sum(data) & 0xFFFF


def negated_sum8(data: bytes) -> int:
    """What makes the sum of all bytes a multiple of 2^8: two's complement, as MH-Z19B and Modbus ASCII have it."""
    return -sum8(data) & 0xFF


def negated_sum16(data: bytes) -> int:
    """What makes the sum of all bytes a multiple of 2^16."""
    return -sum16(data) & 0xFFFF


def inverted_sum8(data: bytes) -> int:
    """The sum of all bytes with every bit turned over: one's complement, as Sensirion's SHDLC has it."""
    return ~sum8(data) & 0xFF


def xor8(data: bytes) -> int:
    """Exclusive or of all bytes."""
    return reduce(xor, data, 0)


def fletcher16(data: bytes) -> int:
    """The 8-bit Fletcher sum as u-blox sends it: first sum in the high byte, second in the low."""
    first = second = 0
    for byte in data:
        first = (first + byte) & 0xFF
        second = (second + first) & 0xFF
    return first << 8 | second


def crc8(polynomial: int) -> Callable[[bytes], int]:
    """The CRC of 8 bits with this polynomial: not reflected, begins with 0, nothing turned over at the end."""
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte << 1 ^ (polynomial if byte & 0x80 else 0)) & 0xFF
        table.append(byte)
    steps = bytes(table)

    def of(data: bytes) -> int:
        crc = 0
        for byte in data:
            crc = steps[crc ^ byte]
        return crc

    return of


def _reflected_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0xA001 if byte & 1 else 0)
        table.append(byte)
    return tuple(table)


_REFLECTED = _reflected_table()


def crc16_modbus(data: bytes, crc: int = 0xFFFF) -> int:
    """CRC-16/MODBUS; on the wire its low byte comes first. `crc` is what it begins with."""
    for byte in data:
        crc = crc >> 8 ^ _REFLECTED[(crc ^ byte) & 0xFF]
    return crc


_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def crc16_mcrf4xx(data: bytes) -> int:
    """CRC-16/MCRF4XX, the X.25 of MAVLink (which does not turn the bits over at the end): reflected, begins with FFFF.

    By way of `crc_hqx`, which takes each byte from the other end: two bytes mirrored in, two mirrored out.
    """
    crc = crc_hqx(data.translate(_MIRRORED), 0xFFFF)
    return _MIRRORED[crc & 0xFF] << 8 | _MIRRORED[crc >> 8]


def crc16_arc(data: bytes) -> int:
    """CRC-16/ARC, as smart meters have it at their P1 port: that of Modbus, but begins with 0."""
    return crc16_modbus(data, 0)


def crc16_xmodem(data: bytes) -> int:
    """CRC-16/XMODEM (CRC-CCITT that begins with 0), as Davis has it; on the wire its high byte comes first.

    Over data and check together it is 0.
    """
    return crc_hqx(data, 0)
