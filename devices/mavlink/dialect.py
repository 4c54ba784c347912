"""The messages that are known: tables made from the dialects of pymavlink when one is first met.

What a message looks like on the wire (struct, CRC_EXTRA, which values are extensions) is pymavlink's; what its values
are called and mean is `described` and `others`. All of pymavlink's dialects that do not contradict each other are known
(`all`: common, ArduPilot, ASLUAV, storm32, uAvionix and others). They take 13 MB and 0.1 s, so they are imported when
the first port with this type is opened.

Which values are extensions is not said there. It is found by CRC_EXTRA, which is made of the name of the message and
of all that is no extension, in the order on the wire.

Source: mavlink.io, "Packet Serialization" (order, CRC_EXTRA, extensions, trailing zeros).
"""

import struct
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

from devices.mavlink import described, others
from devices.mavlink.columns import Column, Letters, Number, Take, Word, compiled, measured
from devices.mavlink.fields import BY_NAME
from devices.spec.checksum import crc16_mcrf4xx
from devices.spec.errors import EncodeError
from devices.spec.events import Value

DIALECT = "pymavlink.dialects.v20.all"
CARRIED = 32
"""Bytes in one array from which on a message may carry frames of others."""

MOMENTS = ("time_usec", "time_unix_usec", "time_boot_ms")


class Message:
    """One kind of message. Sizes in bytes: `size` with all extensions, `base` without. `carries`: what others say
    may lie in it."""

    __slots__ = (
        "_after", "_beyond", "_columns", "_extensions", "_struct", "_takers", "base", "carries", "extra", "id",
        "instance", "moment", "name", "size",
    )  # fmt: skip

    def __init__(self, known: Any, enums: Mapping[str, Mapping[int, str]]) -> None:
        self.id: int = known.id
        self.name: str = known.msgname
        self.extra = bytes((known.crc_extra,))
        self._struct: struct.Struct = known.unpacker
        self.size = self._struct.size
        self._after = described.AFTER.get(self.id)
        layout = _layout(known)
        plain = _base_count(known, layout)
        self.base = sum(size for _, _, _, size in layout[:plain])
        kinds = dict(zip(known.fieldnames, known.fieldtypes, strict=True))
        self.carries = any(count >= CARRIED and kinds[wire] == "uint8_t" for wire, _, count, _ in layout)
        places = {wire: at for wire, at, _, _ in layout}
        self.instance: int | None = places.get(known.instance_field or "")
        self.moment: tuple[str, int] | None = next(((word, places[word]) for word in MOMENTS if word in places), None)
        columns: list[Column] = []
        extensions: list[tuple[int, Column]] = []
        beyond = 0
        for number, (wire, at, count, size) in enumerate(layout):
            made = _column(known, wire, at, count, enums)
            if made is not None and number < plain:
                columns.append(made)
            elif made is not None:
                extensions.append((beyond, made))
            beyond += size
        if self.id == described.BATTERY_STATUS:
            columns.append(described.Cells(places["voltages"], places["voltages_ext"]))
        elif self.id == described.SYS_STATUS:
            present, enabled, health = (places[described.SENSORS + word] for word in ("present", "enabled", "health"))
            columns.append(described.Sensors(present, enabled, health, enums["MAV_SYS_STATUS_SENSOR"]))
        self._columns = columns
        self._extensions = [column for _, column in extensions]
        self._takers = _takers(columns)
        self._beyond = [(start, column.take) for start, column in extensions]

    def unpack(self, payload: bytes) -> tuple[Any, ...]:
        """The raw values; trailing zeros may have been left out."""
        size = self.size
        if len(payload) != size:
            payload = payload[:size].ljust(size, b"\0")
        return self._struct.unpack(payload)

    def take(self, raws: tuple[Any, ...], sent: int, fields: dict[str, Value]) -> list[str]:
        """Put the values into `fields`; words about those that are left out. `sent` is the size of the payload:
        of an extension of which nothing was sent nothing is said."""
        wrong: list[str] = []
        for take in self._takers:
            take(raws, fields, wrong)
        for start, take in self._beyond:
            if start < sent:
                take(raws, fields, wrong)
        if self._after is not None:
            self._after(fields)
        return wrong

    def pack(self, left: dict[str, Value], version: int) -> bytes:
        """The payload that says the fields in `left`, which are taken out of it. EncodeError for what it cannot say."""
        raws: list[Any] = list(self._struct.unpack(bytes(self.size)))
        for column in self._columns:
            column.give(raws, left)
        for column in self._extensions:
            untouched, unused = raws[:], len(left)
            column.give(raws, left)
            if len(left) == unused:
                raws = untouched  # nothing was said of it: zeros, that are left out
        try:
            payload = self._struct.pack(*raws)
        except (struct.error, OverflowError) as error:
            raise EncodeError(f"{self.name}: {error}") from None
        return payload[: self.base] if version == 1 else payload[:1] + payload[1:].rstrip(b"\0")


def _takers(columns: list[Column]) -> list[Take]:
    """What takes the values of the columns: numbers all at once, in the order of the others."""
    found: list[Take] = []
    numbers: list[Number] = []
    for column in columns:
        if isinstance(column, Number):
            numbers.append(column)
        else:
            found.append(column.take)
    return [compiled(numbers), *found] if numbers else found


class Tables:
    """All messages, each made when it is first asked for."""

    def __init__(self) -> None:
        dialect = import_module(DIALECT)
        self._known: dict[int, Any] = dialect.mavlink_map
        self._ids = {known.msgname: number for number, known in self._known.items()}
        self._enums: Mapping[str, Mapping[int, str]] = _Enums(dialect.enums)
        self._made: dict[int, Message] = {}

    def message(self, number: int) -> Message | None:
        """The message of that id, None for one that is not known."""
        made = self._made.get(number)
        if made is None and number in self._known:
            made = self._made[number] = Message(self._known[number], self._enums)
        return made

    def named(self, name: str) -> Message:
        """The message of that name. EncodeError where there is none."""
        if name not in self._ids:
            raise EncodeError(f"no message {name!r:.60}")
        made = self.message(self._ids[name])
        assert made is not None
        return made


@cache
def tables() -> Tables:
    """Made once, when they are first needed."""
    return Tables()


class _Enums(dict[str, Mapping[int, str]]):
    """The words of an enumeration by number, without the marker at its end."""

    def __init__(self, enums: Mapping[str, Mapping[int, Any]]) -> None:
        self._enums = enums

    def __missing__(self, name: str) -> Mapping[int, str]:
        entries = self._enums.get(name, {})
        found = {number: entry.name for number, entry in entries.items() if not entry.name.endswith("_ENUM_END")}
        self[name] = found
        return found


def _layout(known: Any) -> list[tuple[str, int, int, int]]:
    """The values in the order on the wire: name, place among those that the struct unpacks, count in an array or 0,
    size in bytes."""
    kinds = dict(zip(known.fieldnames, known.fieldtypes, strict=True))
    found, at = [], 0
    for wire, length, count in zip(known.ordered_fieldnames, known.lengths, known.array_lengths, strict=True):
        size = _SIZES[kinds[wire]] * max(count, 1)
        found.append((wire, at, count, size))
        at += 1 if kinds[wire] == "char" else length
    return found


_SIZES = {
    "char": 1, "uint8_t": 1, "int8_t": 1, "uint16_t": 2, "int16_t": 2, "uint32_t": 4, "int32_t": 4, "float": 4,
    "uint64_t": 8, "int64_t": 8, "double": 8,
}  # fmt: skip


def _base_count(known: Any, layout: list[tuple[str, int, int, int]]) -> int:
    """How many of the values are no extension: so many that CRC_EXTRA is theirs. The most of them, where it is so
    for several numbers, whose sizes do not rise (extensions are not sorted among the others)."""
    kinds = dict(zip(known.fieldnames, known.fieldtypes, strict=True))
    words = f"{known.msgname} ".encode()
    found, last = len(layout), 8
    fits = []
    for number, (wire, _, count, _) in enumerate(layout, 1):
        if _SIZES[kinds[wire]] > last:
            break
        last = _SIZES[kinds[wire]]
        words += f"{kinds[wire]} {wire} ".encode() + (bytes((count,)) if count else b"")
        crc = crc16_mcrf4xx(words)
        if crc & 0xFF ^ crc >> 8 == known.crc_extra:
            fits.append(number)
    return fits[-1] if fits else found


def _column(known: Any, wire: str, at: int, count: int, enums: Mapping[str, Mapping[int, str]]) -> Column | None:
    """What a value becomes; None where another column has it."""
    parts = described.PARTS.get(known.id)
    if parts is not None:
        part = parts.get(wire)
        return None if part is None else _described(part, at, count, known, wire, enums)
    if wire in others.SECRETS or (known.msgname, wire) == ("AUTH_KEY", "key"):
        return None
    kinds = dict(zip(known.fieldnames, known.fieldtypes, strict=True))
    bits = known.fielddisplays_by_name.get(wire) == "bitmask"
    words = {} if bits else enums[known.fieldenums_by_name.get(wire, "")]
    none = others.ABSENT.get(known.msgname, {}).get(wire)
    absent = frozenset() if none is None else frozenset((none,))
    return others.column(
        known.msgname, at, wire, kinds[wire], count, known.fieldunits_by_name.get(wire, ""), words, absent
    )


def _described(
    part: described.Part, at: int, count: int, known: Any, wire: str, enums: Mapping[str, Mapping[int, str]]
) -> Column:
    if part.enum:
        return Word(at, part.field, enums[part.enum], frozenset(part.absent))
    listed = BY_NAME[part.field]
    if listed.kind == "text":
        return Letters(at, part.field, count)
    real = dict(zip(known.fieldnames, known.fieldtypes, strict=True))[wire] == "float"
    number: Number = measured(at, listed, part.over, part.times, part.absent, real=real)
    return described.Modes(number) if wire == "base_mode" else number
