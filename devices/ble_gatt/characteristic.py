"""One characteristic: its number, its name, the parts of its value; read and written by the same table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from devices.ble_gatt.clocks import Clock, Seconds
from devices.ble_gatt.parts import Found, Part, ValueRefused
from devices.spec.errors import EncodeError
from devices.spec.events import Value
from devices.spec.field import Field

FLAGS = Field(
    "flags",
    "1",
    "Flags of the value as sent: which parts it has, and in which units",
    kind="counter",
    minimum=0,
    maximum=65535,
    step=1,
    optional=True,
    panel=False,
)


@dataclass(frozen=True)
class Characteristic:
    """`uuid` is the 16-bit number, `name` the one of the assigned numbers in lower snake.

    The value begins with `flags` bytes of flags. `others` are flags that no part depends on. `void` takes from what was
    found what the device itself declares void.
    """

    uuid: int
    name: str
    parts: tuple[Part, ...]
    flags: int = 0
    others: int = 0
    void: Callable[[Found], None] | None = None

    @cached_property
    def names(self) -> frozenset[str]:
        """The fields that it may bring."""
        return frozenset(field.name for field in self.fields)

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """The same as they are described; those of several parts stand here several times."""
        own = tuple(field for part in self.parts for field in part.fields)
        return (*own, FLAGS) if self.flags else own

    @cached_property
    def has_clock(self) -> bool:
        """Whether it may carry a time."""
        return any(isinstance(part, Clock | Seconds) for part in self.parts)

    @cached_property
    def known(self) -> int:
        """The flags that mean something."""
        mask = self.others
        for part in self.parts:
            mask |= part.when[0]
        return mask

    def reserved(self, data: bytes) -> bool:
        """Whether flags are set that mean nothing."""
        return int.from_bytes(data[: self.flags], "little") & ~self.known != 0

    def read(self, data: bytes) -> Found:
        """What the bytes say. ValueRefused where they are none of this characteristic."""
        if len(data) < self.flags:
            raise ValueRefused(f"{self.name}: expected {_bytes(self.flags)} of flags, got {_bytes(len(data))}")
        flags, at = int.from_bytes(data[: self.flags], "little"), self.flags
        found = Found()
        for part in self.parts:
            mask, value = part.when
            if flags & mask != value:
                continue
            size = len(data) - at if part.size is None else part.size
            if at + size > len(data):
                raise ValueRefused(f"{self.name}: expected {self._least(flags)}, got {_bytes(len(data))}")
            part.read(data[at : at + size], flags, found)
            at += size
        if at < len(data) and not self.reserved(data):
            raise ValueRefused(f"{self.name}: expected {_bytes(at)}, got {_bytes(len(data))}")
        if self.void is not None:
            self.void(found)
        if found.fields:
            found.fields |= found.aside
            if self.flags:
                found.fields[FLAGS.name] = flags
        return found

    def _least(self, flags: int) -> str:
        sizes = [part.size or 0 for part in self.parts if flags & part.when[0] == part.when[1]]
        return _bytes(self.flags + sum(sizes)) + (f" as its flags {flags:#04x} say" if self.flags else "")

    def write(self, fields: Mapping[str, Value], time_ns: int | None = None) -> bytes:
        """The bytes that say it. EncodeError where the characteristic cannot say that, or has other `flags` for it."""
        unknown = fields.keys() - self.names
        if unknown:
            raise EncodeError(f"{self.name} does not say {', '.join(sorted(unknown))}")
        flags = decided = 0
        for part in self.parts:
            wanted = part.flags(fields, time_ns)
            if wanted is None:
                continue
            mask = part.when[0] | wanted
            if (flags ^ wanted) & decided & mask:
                raise EncodeError(f"{self.name}: {part.fields[0].name} goes with other units than the rest")
            flags |= wanted
            decided |= mask
        if fields.get(FLAGS.name, flags) != flags:
            raise EncodeError(f"{self.name}: {FLAGS.name} {fields[FLAGS.name]!r}, but its fields say {flags}")
        body = b"".join(part.write(fields, time_ns) for part in self.parts if flags & part.when[0] == part.when[1])
        return flags.to_bytes(self.flags, "little") + body


def _bytes(count: int) -> str:
    return f"{count} byte{'' if count == 1 else 's'}"
