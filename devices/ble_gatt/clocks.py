"""Times in a characteristic's value. They become the time of the reading."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from devices.ble_gatt.parts import ALWAYS, Found, When
from devices.spec.events import Value
from devices.spec.field import Field

_EPOCH = datetime(1970, 1, 1)
_SECOND = 1_000_000_000
_SINCE_1900, _SINCE_2000 = -2_208_988_800, 946_684_800


@dataclass(frozen=True, slots=True)
class Clock:
    """Date and time of the device, 7 bytes: year u16, month, day, hour, minute, second; no zone, taken as UTC.

    Year, month or day 0 is not known: then there is no time. So it is where one of the flags `unset` is set.
    """

    when: When = ALWAYS
    unset: int = 0
    size: int = 7
    fields: tuple[Field, ...] = ()

    def read(self, data: bytes, flags: int, found: Found) -> None:
        if flags & self.unset or not (data[0] or data[1]) or not data[2] or not data[3]:
            return
        try:
            moment = datetime(data[0] | data[1] << 8, *data[2:])
        except ValueError as error:
            found.errors.append(f"time stamp: {error}, in {data.hex(' ')}")
            return
        since = moment - _EPOCH
        found.time_ns = (since.days * 86400 + since.seconds) * _SECOND

    def flags(self, _fields: Mapping[str, Value], time_ns: int | None) -> int | None:
        return None if time_ns is None else self.when[1]

    def write(self, _fields: Mapping[str, Value], time_ns: int | None) -> bytes:
        if time_ns is None:
            return bytes(7)
        at = _EPOCH + timedelta(seconds=time_ns // _SECOND)
        return at.year.to_bytes(2, "little") + bytes((at.month, at.day, at.hour, at.minute, at.second))


@dataclass(frozen=True, slots=True)
class Minutes:
    """Minutes, i16, that the value is later than the clock before it; 7FFF and 8000 are beyond what can be said."""

    when: When = ALWAYS
    size: int = 2
    fields: tuple[Field, ...] = ()

    def read(self, data: bytes, _flags: int, found: Found) -> None:
        minutes = int.from_bytes(data, "little", signed=True)
        if abs(minutes) >= 0x7FFF:
            found.time_ns = None
            found.errors.append("time offset: beyond what two bytes can say")
        elif found.time_ns is not None:
            found.time_ns += minutes * 60 * _SECOND

    def flags(self, _fields: Mapping[str, Value], _time_ns: int | None) -> int | None:
        return None

    def write(self, _fields: Mapping[str, Value], _time_ns: int | None) -> bytes:
        return bytes(2)


@dataclass(frozen=True, slots=True)
class Seconds:
    """Seconds, u32, UTC, since 1900, or since 2000 where the flag `since_2000` is set; read over unless `taken`."""

    when: When
    since_2000: int
    taken: bool = True
    size: int = 4
    fields: tuple[Field, ...] = ()

    def read(self, data: bytes, flags: int, found: Found) -> None:
        begin = _SINCE_2000 if flags & self.since_2000 else _SINCE_1900
        if self.taken:
            found.time_ns = (begin + int.from_bytes(data, "little")) * _SECOND

    def flags(self, _fields: Mapping[str, Value], time_ns: int | None) -> int | None:
        return self.when[1] | self.since_2000 if self.taken and time_ns is not None else None

    def write(self, _fields: Mapping[str, Value], time_ns: int | None) -> bytes:
        return max(0, (time_ns or 0) // _SECOND - _SINCE_2000).to_bytes(4, "little")
