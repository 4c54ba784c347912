"""SenML packs (RFC 8428) in JSON and CBOR: any sensor that names and times its own values.

A pack is an array of records. Base fields (bn bt bu bv bs) hold from the record they stand in;
a record adds its name to the base name, its time to the base time, its value to the base value
(section 4.6). Records of one thing and one time become one reading; a name said twice for the
same time opens another reading, so that nothing is overwritten. Readings come out in
chronological order.

    [{"bn":"lamp-17:","bt":1752739200.5,"n":"temperature","u":"Cel","v":21.5},{"n":"open","vb":false}]
    -> thing lamp-17, 2025-07-17T08:00:00.5Z, temperature_c 21.5, open_flag false

Values: v is a float, vb a flag, vs and vd (base64url as on the wire) texts, s the integral over
time, stored as `<quantity>_sum_<unit>_sec`. A flag ends in `_flag` and a text in `_text`, so that
the number that another vendor calls the same goes into another field. The names listed in
`fields.py` keep their name and the kind given there: `seq` is a counter, `parking_occupied`
a flag even where it is sent as 0 or 1. How names and units become field names: `_senml_names.py`;
the two wire forms and versions: `_senml_pack.py`.

Time: below 2**28 seconds a time is relative to the receipt, else it is seconds since 1970 UTC.
A double holds it to less than 1 us until 2106, so times are taken to the microsecond. A pack without any
time, or time 0, leaves the reading's time open (the receipt stands for it).

Limits: absolute times before 2261; names and field names as in `_senml_names.py`;
a pack without any value is refused. Streams (SensML) are not taken: over MQTT each payload is a whole pack.

Unknown: `ut` (the longest time to the next record) is read and not used.

Sources: RFC 8428, RFC 8798, RFC 9100.
"""

import math
from collections.abc import Iterable
from typing import Literal, NamedTuple

from msgspec import UNSET, DecodeError, Struct, UnsetType
from msgspec import json as msgjson

from devices.senml.fields import FIELDS, WIRE
from devices.senml.names import (
    MAX_FIELD,
    MAX_NAME,
    PLAIN_BASE,
    PLAIN_NAME,
    SECONDARY,
    NameRefused,
    field_name,
    split,
    word_name,
)
from devices.senml.pack import PackRefused, Record, check_version, finite, only_base, read
from devices.spec.device import MessageDevice
from devices.spec.errors import EncodeError
from devices.spec.events import Event, Reading, SanityError, Value
from devices.spec.sequence import Bits, Sequence

_RELATIVE_BELOW = float(1 << 28)
_LATEST = 9.2e9
_MAX_SPOTS = 4096
_MAX_THINGS = 1 << 16
_MAX_REMEMBERED_NAME = 64
_MAX_DETAIL = 200
_MAX_COUNT = float(1 << 53)

_KINDS = {field.name: field.kind for field in FIELDS}
_Kind = Literal["measure", "counter", "flag", "text"]


class Spot(NamedTuple):
    """Where a record's value goes: field name, and what the value is turned into."""

    field: str
    kind: _Kind


class _Short(Struct, gc=False, forbid_unknown_fields=True):
    """The labels that nearly every pack makes do with; any other sends the pack the long way."""

    bn: str | UnsetType = UNSET
    bt: float | UnsetType = UNSET
    bu: str | UnsetType = UNSET
    bver: int | UnsetType = UNSET
    n: str | UnsetType = UNSET
    u: str | UnsetType = UNSET
    v: float | UnsetType = UNSET
    vb: bool | UnsetType = UNSET
    t: float | UnsetType = UNSET


_short_records = msgjson.Decoder(list[_Short])
_things: dict[str, str] = {}
_measures: dict[tuple[str | UnsetType, str | UnsetType], str] = {}
_spots: dict[tuple[str | UnsetType, str | UnsetType | None], Spot] = {}


def decode(_topic: str, payload: bytes, received_ns: int) -> list[Event]:
    """Readings of one pack in chronological order, or one SanityError saying why it is refused."""
    try:
        reading = _decode_short(payload, received_ns)
        if reading is not None:
            return [reading]
        return list(_readings(read(payload), received_ns))
    except (PackRefused, NameRefused) as error:
        return [SanityError(str(error)[:_MAX_DETAIL], payload)]


def _decode_short(payload: bytes, received_ns: int) -> Reading | None:
    """The reading of a pack whose base fields all stand in the first record and whose records
    are all of one time; None where the pack needs the long way (also to say what is wrong).

    This is the gateway's hot path: a dictionary look-up and some attributes a record, no call.
    """
    try:
        records = _short_records.decode(payload)
    except (DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not records:
        return None
    first = records[0]
    base = first.bn
    thing: str | None = None
    if base is not UNSET:
        thing = _things.get(base) or _learn_thing(base)
        if thing is None:
            return None
    base_unit = first.bu
    fields: dict[str, Value] = {}
    for record in records:
        unit = record.u
        if unit is UNSET:
            unit = base_unit
        value = record.v
        field = _measures.get((record.n, unit))
        if field is not None and value is not UNSET and record.vb is UNSET:
            fields[field] = value
        elif not _take(record, unit, thing, fields):
            return None
        if record is not first and (
            record.t is not UNSET
            or record.bn is not UNSET
            or record.bt is not UNSET
            or record.bu is not UNSET
            or record.bver is not UNSET
        ):
            return None
    if len(fields) != len(records):
        return None
    seconds = 0.0 if first.bt is UNSET else first.bt
    if first.t is not UNSET:
        if len(records) > 1:
            return None
        seconds += first.t
    if first.bver is not UNSET:
        check_version(first.bver)
    return Reading(fields, _time_ns(seconds, received_ns) if seconds else None, thing)


def _learn_thing(base: str) -> str | None:
    """The thing of a base name that is a thing and a separator; None where it is not."""
    if len(base) > MAX_NAME - MAX_FIELD or PLAIN_BASE.fullmatch(base) is None:
        return None
    if len(base) <= _MAX_REMEMBERED_NAME and len(_things) < _MAX_THINGS:
        _things[base] = base[:-1]
    return base[:-1]


def _take(record: _Short, unit: str | UnsetType, thing: str | None, fields: dict[str, Value]) -> bool:
    """Put the value of a counter, a flag or a name not met before into `fields`; False: the long way."""
    value = record.v
    flag = record.vb
    if flag is UNSET:
        if value is UNSET:
            return False
        spot = _spots.get((record.n, unit)) or _learn(record, unit, thing)
        if spot is None:
            return False
        fields[spot[0]] = value if spot[1] == "measure" else _as_kind(value, spot)
        return True
    if value is not UNSET:
        return False
    spot = _spots.get((record.n, None)) or _learn(record, unit, thing)
    if spot is None:
        return False
    fields[spot[0]] = _as_kind(flag, spot)
    return True


def _learn(record: _Short, unit: str | UnsetType, thing: str | None) -> Spot | None:
    """Remember where a plain name with this unit goes; None where the name is not plain."""
    name = record.n
    quantity = None if name is UNSET else name
    if quantity is None and thing is None:
        return None
    if quantity is not None and (len(quantity) > MAX_FIELD or PLAIN_NAME.fullmatch(quantity) is None):
        return None
    is_flag = record.vb is not UNSET
    spot = _word_spot(quantity, "flag") if is_flag else _number_spot(quantity, None if unit is UNSET else unit)
    if quantity is not None:
        if len(_spots) >= _MAX_SPOTS:
            _spots.clear()
            _measures.clear()
        _spots[(name, None if is_flag else unit)] = spot
        if spot.kind == "measure":
            _measures[(name, unit)] = spot.field
    return spot


def _number_spot(quantity: str | None, unit: str | None) -> Spot:
    name = field_name(quantity, unit)
    kind = _KINDS.get(name)
    return Spot(name, kind if kind in ("counter", "flag") else "measure")


def _word_spot(quantity: str | None, kind: Literal["flag", "text"]) -> Spot:
    listed = field_name(quantity, None)
    return Spot(listed if listed in _KINDS else word_name(quantity, kind), kind)


def _as_kind(value: Value, spot: Spot) -> Value:
    """The value in the kind of its field; PackRefused where it cannot be that."""
    name, kind = spot
    listed = _KINDS.get(name, kind)
    if listed == "counter":
        if type(value) is float and value.is_integer() and 0 <= value <= _MAX_COUNT:
            return int(value)
    elif listed == "flag":
        if value is True or value is False:
            return value
        if value in (0.0, 1.0):
            return bool(value)
    elif listed == kind:
        return value
    raise PackRefused(f"{name}: expected a {listed}, got {value!r:.40}")


def _time_ns(seconds: float, received_ns: int) -> int:
    """Nanoseconds since 1970 of a SenML time, to the microsecond."""
    if seconds >= _LATEST or seconds <= -_LATEST:
        raise PackRefused(f"time {seconds:g} s is out of range")
    nanoseconds = round(seconds * 1e6) * 1000
    if seconds < _RELATIVE_BELOW:
        nanoseconds += received_ns
        if nanoseconds < 0:
            raise PackRefused(f"time {seconds:g} s is before 1970")
    return nanoseconds


class _Base:
    """The base fields in force, record by record."""

    __slots__ = ("name", "seconds", "sum", "unit", "value", "version")

    def __init__(self) -> None:
        self.name = ""
        self.seconds = 0.0
        self.unit: str | None = None
        self.value: float | None = None
        self.sum: float | None = None
        self.version: int | None = None

    def take(self, record: Record) -> None:
        if record.bn is not UNSET:
            self.name = record.bn
        if record.bt is not UNSET:
            self.seconds = record.bt
        if record.bu is not UNSET:
            self.unit = record.bu
        if record.bv is not UNSET:
            self.value = record.bv
        if record.bs is not UNSET:
            self.sum = record.bs
        if record.bver is not UNSET:
            check_version(record.bver)
            if self.version not in (None, record.bver):
                raise PackRefused(f"bver {self.version} and {record.bver} in one pack")
            self.version = record.bver


def _readings(records: list[Record], received_ns: int) -> Iterable[Reading]:
    """Resolve every record (RFC 8428 section 4.6) and gather them by thing and time."""
    base = _Base()
    latest: dict[tuple[str | None, int | None], Reading] = {}
    readings: list[Reading] = []
    for index, record in enumerate(records):
        base.take(record)
        if only_base(record):
            continue
        seconds = base.seconds + (0.0 if record.t is UNSET else record.t)
        time_ns = _time_ns(seconds, received_ns) if seconds else None
        thing, quantity = split(base.name, "" if record.n is UNSET else record.n)
        fields = dict(_values(record, base, quantity, index))
        reading = latest.get((thing, time_ns))
        if reading is None or not fields.keys().isdisjoint(reading.fields):
            reading = latest[(thing, time_ns)] = Reading({}, time_ns, thing)
            readings.append(reading)
        reading.fields.update(fields)
    if not readings:
        raise PackRefused("the pack holds no record with a value")
    readings.sort(key=lambda reading: received_ns if reading.time_ns is None else reading.time_ns)
    return readings


def _values(record: Record, base: _Base, quantity: str | None, index: int) -> Iterable[tuple[str, Value]]:
    """Field names and values of one record: its value, its sum, or both."""
    unit = base.unit if record.u is UNSET else record.u
    given = sum(value is not UNSET for value in (record.v, record.vb, record.vs, record.vd))
    summed = record.s is not UNSET or base.sum is not None
    if given > 1:
        raise PackRefused(f"record {index}: more than one of v, vs, vb, vd")
    if not given and not summed and base.value is None:
        raise PackRefused(f"record {index}: expected one of v, vs, vb, vd or s")
    if record.v is not UNSET or (not given and base.value is not None and record.s is UNSET):
        number = (base.value or 0.0) + (0.0 if record.v is UNSET else record.v)
        spot = _number_spot(quantity, unit)
        yield spot.field, _as_kind(finite(number, "v", index), spot)
    elif record.vb is not UNSET:
        spot = _word_spot(quantity, "flag")
        yield spot.field, _as_kind(record.vb, spot)
    elif given:
        text = record.vs if record.vs is not UNSET else record.vd
        spot = _word_spot(quantity, "text")
        yield spot.field, _as_kind(str(text), spot)
    if summed:
        total = (base.sum or 0.0) + (0.0 if record.s is UNSET else record.s)
        yield field_name(quantity, unit, "sum") + "_sec", finite(total, "s", index)


def encode(reading: Reading) -> bytes:
    """The JSON pack a device would send: one record a field, base name and time in the first.

    Listed fields go out with their registered unit, other numbers under their own name without
    one, other flags and texts without the ending that decoding gives them.
    EncodeError: no field, a name that decoding would change, a number that is not finite, an
    absolute time before 1978-07-04.
    """
    records: list[dict[str, object]] = []
    for field, value in reading.fields.items():
        if isinstance(value, bool):
            records.append({"n": _word(field, "flag"), "vb": value})
        elif isinstance(value, str):
            records.append({"n": _word(field, "text"), "vs": value})
        else:
            records.append(_number(field, value))
    if not records:
        raise EncodeError("senml: a pack needs at least one field")
    records[0] = _base_fields(reading, records) | records[0]
    return msgjson.encode(records)


def _number(field: str, value: float) -> dict[str, object]:
    if not math.isfinite(value):
        raise EncodeError(f"senml: {field[:40]} is {value}, expected a finite number")
    if field in WIRE:
        name, unit = WIRE[field]
        return {"n": name, "u": unit, "v": value}
    if len(field) > MAX_FIELD or field_name(field, None) != field:
        raise EncodeError(f"senml: {field[:40]!r} is no number's name: lower snake, without _text or _flag behind it")
    return {"n": field, "v": value}


def _word(field: str, kind: Literal["flag", "text"]) -> str:
    """The name under which decoding makes `field` of a flag or text."""
    if len(field) <= MAX_FIELD and _KINDS.get(field, kind) == kind:
        for name in (field.removesuffix("_" + kind), field):
            if name and _word_spot(name, kind).field == field:
                return name
    raise EncodeError(f"senml: {field[:40]!r} is no {kind}'s name: lower snake with _{kind} behind it")


def _base_fields(reading: Reading, records: list[dict[str, object]]) -> dict[str, object]:
    base: dict[str, object] = {}
    if reading.thing is not None:
        base["bn"] = reading.thing + ":"
    if reading.time_ns is not None:
        seconds = round(reading.time_ns / 1000) / 1e6
        if not _RELATIVE_BELOW <= seconds < _LATEST:
            raise EncodeError(f"senml: {seconds:g} s since 1970 cannot be said as an absolute time")
        base["bt"] = seconds
    if any(record.get("u") in SECONDARY for record in records):
        base["bver"] = 26
    return base


DEVICE = MessageDevice(
    name="senml",
    title="SenML sensor pack",
    domain="park",
    source="RFC 8428, RFC 8798, RFC 9100",
    fields=FIELDS,
    expected_every_s=60.0,
    sequence=Sequence((Bits("seq", 32),)),
    open_fields=True,
    topic="park/{thing}/senml",
    decode=decode,
    encode=encode,
)
