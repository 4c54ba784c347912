"""Cayenne Low Power Payload: channel, type and value, one after the other until the payload ends.

    03 67 01 10   05 67 00 FF            channel 3: temperature 27.2 °C, channel 5: 25.5 °C
    06 71 04 D2 FB 2E 00 00              channel 6: acceleration 1.234, -1.234, 0 g

Numbers are big-endian. `TYPES` is the table; a field is called quantity, channel, axis and unit:
`temperature_3_c`, `acceleration_6_x_gn`, `gps_1_latitude_deg`. Digital inputs, presence and switches stay numbers: the
format has a whole byte for them. Where a payload says the same type on the same channel again, the next ones get
a number of their own behind the channel: `temperature_3_2_c`, nothing is overwritten.

An unknown type ends decoding, since nothing says how long its value is; so does a value that breaks off. What
came before stays. A polyline (240) says its own length and is passed over. A place that is none (latitude
beyond 90) is left out alone.

Types 0 to 3, 101 to 104, 113, 115, 134 and 136 are those of the format itself; the others are what its common
libraries add (IPSO object number less 3200), 137, 138 and 188 to 195 are RAKwireless's.

Unknown: whether channels mean the same on two devices; the unit of `analog` and `generic` values.

Limits: 255 values a payload (the longest LoRaWAN payload is 242 bytes).

Sources: myDevices, "Cayenne Low Power Payload"; ElectronicCats/CayenneLPP, src/CayenneLPP.h (MIT);
smlng/pycayennelpp, lpp_type.py (MIT), for 122; RAKwireless, "Standardized LoRaWAN Packet Format".
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from devices.lorawan.codec import Decoded, Raw
from devices.spec.errors import EncodeError
from devices.spec.events import Value
from devices.spec.units import UNITS

MOST_VALUES = 255
POLYLINE = 240


class Part(NamedTuple):
    """One number of a value: its bytes, what divides it, its unit; `axis` where there are several."""

    size: int
    divisor: int = 1
    unit: str = "1"
    signed: bool = False
    axis: str = ""
    most: float | None = None


class Type(NamedTuple):
    """One data type."""

    quantity: str
    parts: tuple[Part, ...]


def _axes(names: str, size: int, divisor: int, unit: str) -> tuple[Part, ...]:
    return tuple(Part(size, divisor, unit, True, axis) for axis in names.split())


def _place(size: int, divisor: int) -> tuple[Part, ...]:
    return (
        Part(size, divisor, "deg", True, "latitude", 90.0),
        Part(size, divisor, "deg", True, "longitude", 180.0),
        Part(3, 100, "m", True, "altitude"),
    )


TYPES: Mapping[int, Type] = {
    0: Type("digital_in", (Part(1),)),
    1: Type("digital_out", (Part(1),)),
    2: Type("analog_in", (Part(2, 100, signed=True),)),
    3: Type("analog_out", (Part(2, 100, signed=True),)),
    100: Type("generic", (Part(4),)),
    101: Type("illuminance", (Part(2, 1, "lx"),)),
    102: Type("presence", (Part(1),)),
    103: Type("temperature", (Part(2, 10, "Cel", True),)),
    104: Type("humidity", (Part(1, 2, "%"),)),
    113: Type("acceleration", _axes("x y z", 2, 1000, "[g]")),
    115: Type("pressure", (Part(2, 10, "hPa"),)),
    116: Type("voltage", (Part(2, 100, "V"),)),
    117: Type("current", (Part(2, 1000, "A"),)),
    118: Type("frequency", (Part(4, 1, "Hz"),)),
    120: Type("percentage", (Part(1, 1, "%"),)),
    121: Type("altitude", (Part(2, 1, "m", True),)),
    122: Type("load", (Part(3, 1000, "kg", True),)),
    125: Type("concentration", (Part(2, 1, "[ppm]"),)),
    128: Type("power", (Part(2, 1, "W"),)),
    130: Type("distance", (Part(4, 1000, "m"),)),
    131: Type("energy", (Part(4, 1000, "kW.h"),)),
    132: Type("direction", (Part(2, 1, "deg"),)),
    133: Type("unix_time", (Part(4, 1, "s"),)),
    134: Type("rotation", _axes("x y z", 2, 100, "deg/s")),
    135: Type("colour", tuple(Part(1, axis=axis) for axis in ("red", "green", "blue"))),
    136: Type("gps", _place(3, 10_000)),
    137: Type("gps", _place(4, 1_000_000)),
    138: Type("voc_index", (Part(2),)),
    142: Type("switch", (Part(1),)),
    188: Type("soil_moisture", (Part(2, 10, "%"),)),
    190: Type("wind", (Part(2, 100, "m/s"),)),
    191: Type("wind_direction", (Part(2, 1, "deg"),)),
    192: Type("conductivity", (Part(2, 1000, "mS/cm"),)),
    194: Type("acidity", (Part(2, 10, "[pH]"),)),
    193: Type("acidity", (Part(2, 100, "[pH]"),)),
    195: Type("solar", (Part(2, 1, "W/m2"),)),
}
"""Type number to what it says. Of one quantity the coarser type comes first."""

_QUANTITIES = {
    of.quantity: [number for number, other in TYPES.items() if other.quantity == of.quantity] for of in TYPES.values()
}
_NAME = re.compile(
    r"(?P<quantity>[a-z][a-z0-9_]*?)_(?P<channel>\d{1,3})(?:_(?P<again>\d{1,3}))?(?:_(?P<rest>[a-z]\w*))?"
)


def decode(data: bytes) -> Decoded:
    """The fields of a payload; in `errors` where and why it ends early, and each value left out."""
    fields: dict[str, Value] = {}
    errors: list[str] = []
    at = said = 0
    while at < len(data):
        if said == MOST_VALUES:
            errors.append(f"byte {at}: more than {MOST_VALUES} values")
            break
        if at + 2 > len(data):
            errors.append(f"byte {at}: expected channel and type, the payload ends behind {data[at]:02x}")
            break
        channel, number = data[at], data[at + 1]
        kind = TYPES.get(number)
        if kind is None and number != POLYLINE:
            errors.append(f"byte {at + 1}: type {number} on channel {channel} is not known; nothing behind it is read")
            break
        at += 2
        size = sum(part.size for part in kind.parts) if kind is not None else data[at] if at < len(data) else 1
        value = data[at : at + size]
        if len(value) < size or not size:
            errors.append(
                f"byte {at}: type {number} on channel {channel} wants {size or 8} bytes, {len(value)} are left"
            )
            break
        at += size
        said += 1
        if kind is None:
            errors.append(f"channel {channel}: a polyline of {size} bytes, which is not stored")
        else:
            _take(kind, channel, value, fields, errors)
    return Decoded(fields, tuple(errors))


def codec(raw: Raw) -> Decoded | None:
    """The same as a codec of raw LoRaWAN payloads, where their server has not decoded them."""
    return None if raw.decoded else decode(raw.data)


def _take(kind: Type, channel: int, value: bytes, fields: dict[str, Value], errors: list[str]) -> None:
    again = 1
    while field_name(kind, kind.parts[0], channel, again) in fields:
        again += 1
    at = 0
    for part in kind.parts:
        number = int.from_bytes(value[at : at + part.size], "big", signed=part.signed) / part.divisor
        at += part.size
        name = field_name(kind, part, channel, again)
        if part.most is not None and abs(number) > part.most:
            errors.append(f"{name}: {number:g} is outside -{part.most:g}..{part.most:g}")
        else:
            fields[name] = number


def field_name(kind: Type, part: Part, channel: int, again: int = 1) -> str:
    """What a number is called: quantity, channel, which one on it from the second on, axis, unit."""
    words = (kind.quantity, str(channel), str(again) if again > 1 else "", part.axis, UNITS[part.unit].suffix)
    return "_".join(word for word in words if word)


def encode(fields: Mapping[str, Value]) -> bytes:
    """The payload that says `fields`, in their order, each with the coarsest type that says it. EncodeError where
    no payload can."""
    found: dict[tuple[str, int, int], dict[str, float]] = {}
    for name, value in fields.items():
        if isinstance(value, bool | str):
            raise EncodeError(f"cayenne-lpp: {name} is {value!r:.40}, expected a number")
        quantity, channel, again, axis = _place_of(name)
        found.setdefault((quantity, channel, again), {})[axis] = value
    return b"".join(_written(quantity, channel, axes) for (quantity, channel, _), axes in found.items())


def _written(quantity: str, channel: int, axes: Mapping[str, float]) -> bytes:
    numbers = _QUANTITIES[quantity]
    for number in numbers:
        parts = TYPES[number].parts
        if axes.keys() != {part.axis for part in parts}:
            raise EncodeError(f"cayenne-lpp: {quantity} of channel {channel} needs all of its values")
        scaled = [axes[part.axis] * part.divisor for part in parts]
        if number != numbers[-1] and any(abs(value - round(value)) > 1e-3 for value in scaled):
            continue  # the finer type says it
        raws = [_raw(quantity, channel, value, part) for value, part in zip(scaled, parts, strict=True)]
        return bytes((channel, number)) + b"".join(raws)
    raise EncodeError(f"cayenne-lpp: {quantity} has no type")


def _raw(quantity: str, channel: int, scaled: float, part: Part) -> bytes:
    low, high = -(1 << part.size * 8 - 1) * part.signed, (1 << part.size * 8 - part.signed) - 1
    if not low - 0.5 <= scaled <= high + 0.5:
        said, least, most = (f"{number / part.divisor:g}" for number in (scaled, low, high))
        raise EncodeError(f"cayenne-lpp: {quantity} of channel {channel} is {said}, expected {least} to {most}")
    return round(scaled).to_bytes(part.size, "big", signed=part.signed)


def _place_of(name: str) -> tuple[str, int, int, str]:
    """Quantity, channel, which one on it, and axis, of a field's name. EncodeError."""
    match = _NAME.fullmatch(name)
    if match is not None and match["quantity"] in _QUANTITIES and int(match["channel"]) <= 255:
        kind = TYPES[_QUANTITIES[match["quantity"]][0]]
        channel, again = int(match["channel"]), int(match["again"] or 1)
        for part in kind.parts:
            if field_name(kind, part, channel, again) == name:
                return kind.quantity, channel, again, part.axis
    raise EncodeError(f"cayenne-lpp: {name[:40]!r} is no field of a payload: expected one like temperature_3_c")
