"""What a resolved SenML record says: into which field its value goes, as what kind, and when it was true."""

from typing import Literal, NamedTuple

from devices.senml.fields import FIELDS
from devices.senml.names import field_name, word_name
from devices.senml.pack import RecordRefused
from devices.spec.events import Value

RELATIVE_BELOW = float(1 << 28)
"""Seconds from which on a time is absolute."""
LATEST = 9.2e9
MAX_COUNT = float(1 << 53)
KINDS = {field.name: field.kind for field in FIELDS}
Kind = Literal["measure", "counter", "flag", "text"]


class Spot(NamedTuple):
    """Where a record's value goes: field name, and what the value is turned into."""

    field: str
    kind: Kind


def number_spot(quantity: str | None, unit: str | None) -> Spot:
    name = field_name(quantity, unit)
    kind = KINDS.get(name)
    return Spot(name, kind if kind in ("counter", "flag") else "measure")


def word_spot(quantity: str | None, kind: Literal["flag", "text"]) -> Spot:
    listed = field_name(quantity, None)
    return Spot(listed if listed in KINDS else word_name(quantity, kind), kind)


def as_kind(value: Value, spot: Spot) -> Value:
    """The value in the kind of its field; RecordRefused where it cannot be that."""
    name, kind = spot
    listed = KINDS.get(name, kind)
    if listed == "counter":
        if type(value) is float and value.is_integer() and 0 <= value <= MAX_COUNT:
            return int(value)
    elif listed == "flag":
        if value is True or value is False:
            return value
        if value in (0.0, 1.0):
            return bool(value)
    elif listed == kind:
        return value
    raise RecordRefused(f"{name}: expected a {listed}, got {value!r:.40}")


def time_ns_of(seconds: float, received_ns: int) -> int:
    """Nanoseconds since 1970 of a SenML time, to the microsecond."""
    if seconds >= LATEST or seconds <= -LATEST:
        raise RecordRefused(f"time {seconds:g} s is out of range")
    nanoseconds = round(seconds * 1e6) * 1000
    if seconds < RELATIVE_BELOW:
        nanoseconds += received_ns
        if nanoseconds < 0:
            raise RecordRefused(f"time {seconds:g} s is before 1970")
    return nanoseconds
