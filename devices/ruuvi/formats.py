"""The data formats of Ruuvi's advertisements: the manufacturer specific data behind the company's number, 0x0499.

Each begins with its number; numbers are big-endian. "No value" is the largest number that an unsigned field has and
the smallest of a signed one; format 3 has none.

    3   03 | RH u8 0.5 % | T sign and whole u8, hundredths u8 | P u16 | X Y Z i16 mg | battery u16 mV       14 bytes
    5   05 | T i16 | RH u16 | P u16 | X Y Z i16 mg | power u16 | movements u8 | sequence u16 | MAC 6        24 bytes
    C5  C5 | T | RH | P | power | movements | sequence | MAC                                                18 bytes
    6   06 | T | RH | P | PM2.5 u16 | CO2 u16 | VOC u8 | NOX u8 | light u8 | FF | sequence u8 | flags |
             the lower half of the MAC                                                                      20 bytes
    E1  E1 | T | RH | P | PM1.0 2.5 4.0 10 u16 | CO2 u16 | VOC u8 | NOX u8 | light u24 | FF x 3 |
             sequence u24 | flags | FF x 5 | MAC                                                            40 bytes

T in 0.005 degrees Celsius, RH in 0.0025 %, P in Pa above 50,000, PM in 0.1 ug/m3, light of E1 in 0.01 lx. Power: the
upper 11 bits the battery in mV above 1600, the lower 5 the sending power, 2 dBm a step from -40. VOC and NOX have
9 bits, the lowest of them are bits 6 and 7 of the flags; bit 0: calibrating. Light of format 6 is logarithmic:
exp(code * ln(65536) / 254) - 1, at most 65,535 lx however bright it is.

Limits: what a field has room for is what is taken; humidity goes beyond 100 %.

Unknown: the reserved bytes, which newer firmware uses for sound levels; formats 2 and 4 (URLs) and 8 (encrypted) are
not read.

Source: docs.ruuvi.com, "Bluetooth advertisements" (ruuvi/docs, BSD-3-Clause), data formats 3, 5, 6, C5 and E1.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from devices.ruuvi.fields import (
    ACCELERATION,
    BATTERY,
    CALIBRATING,
    CO2,
    HUMIDITY,
    ILLUMINANCE,
    MOVEMENTS,
    NOX,
    PM,
    PRESSURE,
    SEQUENCE,
    TEMPERATURE,
    TX_POWER,
    VOC,
)
from devices.spec.errors import EncodeError
from devices.spec.events import Value
from devices.spec.payload import BitItem, Item, Payload

_U16, _I16 = (0xFFFF,), (-0x8000,)
_CLIMATE = (
    Item("h", TEMPERATURE, 200, _I16),
    Item("H", HUMIDITY, 400, _U16),
    Item("H", PRESSURE, absent=_U16, offset=50_000),
)
_AXES = tuple(Item("h", field, 1000, _I16) for field in ACCELERATION)
_PM = tuple(Item("H", field, 10, _U16) for field in PM)
_CO2 = Item("H", CO2, absent=_U16)
_LIGHT_STEP = math.log(65_536) / 254
_MOST_LIGHT = 65_535
"""The code 254: what a sensor in brighter light says, too."""


def _power(at: int) -> tuple[BitItem, BitItem]:
    """Battery and sending power in the two bytes from `at` on."""
    return (
        BitItem(BATTERY, ((at, 0, 8), (at + 1, 5, 3)), 1000, (0x7FF,), 1600),
        BitItem(TX_POWER, ((at + 1, 0, 5),), 0.5, (31,), -20),
    )


def _indices(at: int, flags: int) -> tuple[BitItem, BitItem, BitItem]:
    """VOC, NOX and whether it is calibrating."""
    return (
        BitItem(VOC, ((at, 0, 8), (flags, 6, 1)), absent=(0x1FF,)),
        BitItem(NOX, ((at + 1, 0, 8), (flags, 7, 1)), absent=(0x1FF,)),
        BitItem(CALIBRATING, ((flags, 0, 1),)),
    )


@dataclass(frozen=True, slots=True)
class Format:
    """One format: how long it is, its table from byte 1 on, and the bytes of the address at its end.

    `read` and `write` are for what is no whole number over a divisor: they add it to the fields (or say why not),
    and to the bytes.
    """

    name: str
    size: int
    table: Payload
    mac: int = 6
    read: Callable[[bytes, dict[str, Value]], str] | None = None
    write: Callable[[Mapping[str, Value], bytearray], None] | None = None
    apart: str = ""

    def decode(self, data: bytes) -> tuple[dict[str, Value], tuple[str, ...]]:
        """The fields of a payload of this format, and what is wrong with those left out."""
        fields = self.table.parse(data)
        wrong = self.read(data, fields) if self.read is not None else ""
        return fields, (wrong,) if wrong else ()

    def encode(self, fields: Mapping[str, Value], mac: bytes) -> bytes:
        """The payload that says `fields`. EncodeError for what it cannot say."""
        out = bytearray((int(self.name, 16),))
        out += self.table.pack({name: value for name, value in fields.items() if name != self.apart})
        if self.write is not None:
            self.write(fields, out)
        return bytes(out) + (mac[-self.mac :] if self.mac else b"")


def _read_3(data: bytes, fields: dict[str, Value]) -> str:
    sign, whole, hundredths = data[2] & 0x80, data[2] & 0x7F, data[3]
    if hundredths > 99:
        return f"{TEMPERATURE.name}: {hundredths} hundredths, expected 0 to 99"
    value = (whole * 100 + hundredths) / 100
    fields[TEMPERATURE.name] = -value if sign else value
    return ""


def _write_3(fields: Mapping[str, Value], out: bytearray) -> None:
    value = fields.get(TEMPERATURE.name)
    if value is None or isinstance(value, str) or not abs(value) < 127.995:
        raise EncodeError(f"temperature_c: {value!r:.40}, expected -127.99 to 127.99")
    whole, out[3] = divmod(round(abs(value) * 100), 100)
    out[2] = whole | (0x80 if value < 0 else 0)


def _read_6(data: bytes, fields: dict[str, Value]) -> str:
    if data[13] != 0xFF:
        fields[ILLUMINANCE.name] = round(math.exp(data[13] * _LIGHT_STEP) - 1, 2)
    return ""


def _write_6(fields: Mapping[str, Value], out: bytearray) -> None:
    value = fields.get(ILLUMINANCE.name)
    if value is None:
        out[13] = 0xFF
    elif isinstance(value, str) or ILLUMINANCE.outside(value):
        raise EncodeError(f"illuminance_lx: {value!r:.40}, expected 0 to {ILLUMINANCE.maximum}")
    else:
        out[13] = round(math.log(min(value, _MOST_LIGHT) + 1) / _LIGHT_STEP)


_RESERVED = Item("B", fill=0xFF)
_BYTE = Item("B")
_COUNTS = (Item("B", MOVEMENTS, absent=(0xFF,)), Item("H", SEQUENCE, absent=_U16))
_3 = Payload(
    ">",
    1,
    (
        Item("B", replace(HUMIDITY, maximum=127.5, step=0.5), 2),
        Item("H"),  # the temperature
        Item("H", replace(PRESSURE, maximum=115_535), offset=50_000),
        *(Item("h", replace(field, minimum=-32.768), 1000) for field in ACCELERATION),
        Item("H", replace(BATTERY, minimum=0, maximum=65.535), 1000),
    ),
)
_5 = Payload(">", 1, (*_CLIMATE, *_AXES, Item("H"), *_COUNTS), _power(12))
_C5 = Payload(">", 1, (*_CLIMATE, Item("H"), *_COUNTS), _power(6))
_6 = Payload(
    ">",
    1,
    (
        *(*_CLIMATE, _PM[1], _CO2, _BYTE, _BYTE, _BYTE, _RESERVED),
        *(Item("B", replace(SEQUENCE, maximum=255)), _BYTE),
    ),
    _indices(10, 15),
)
_E1 = Payload(
    ">",
    1,
    (*_CLIMATE, *_PM, _CO2, *[_BYTE] * 5, *[_RESERVED] * 3, *[_BYTE] * 4, *[_RESERVED] * 5),
    (
        *_indices(16, 27),
        BitItem(ILLUMINANCE, ((18, 0, 8), (19, 0, 8), (20, 0, 8)), 100, (0xFFFFFF,)),
        BitItem(replace(SEQUENCE, maximum=0xFFFFFE), ((24, 0, 8), (25, 0, 8), (26, 0, 8)), absent=(0xFFFFFF,)),
    ),
)
FORMATS: Mapping[int, Format] = {
    0x03: Format("3", 14, _3, 0, _read_3, _write_3, TEMPERATURE.name),
    0x05: Format("5", 24, _5),
    0xC5: Format("C5", 18, _C5),
    0x06: Format("6", 20, _6, 3, _read_6, _write_6, ILLUMINANCE.name),
    0xE1: Format("E1", 40, _E1),
}
"""By the first byte."""

OTHERS: Mapping[int, str] = {0x02: "2 (a URL)", 0x04: "4 (a URL)", 0x08: "8 (encrypted)"}
"""Formats that are not read."""
