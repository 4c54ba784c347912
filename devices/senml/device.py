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
the number that another vendor calls the same goes into another field. A text `zone` is a tag. The names listed in
`fields.py` keep their name and the kind given there: `seq` is a counter, `parking_occupied`
a flag even where it is sent as 0 or 1. How names and units become field names: `names.py`;
the two wire forms and versions: `pack.py`.

Time: below 2**28 seconds a time is relative to the receipt, else it is seconds since 1970 UTC.
A double holds it to less than 1 us until 2106, so times are taken to the microsecond. A pack without any
time, or time 0, leaves the reading's time open (the receipt stands for it).

A record that cannot be resolved (no name or no value, two values, a value of another kind than its field
has, a time out of range) is left out and named in `field_errors`, of a reading of the same thing where
there is one; the pack stands. What refuses a whole pack says `pack.py`. A pack without a record, or with
base fields alone, is `Empty`.

Limits: absolute times before 2261; names and field names as in `names.py`. Streams (SensML) are not
taken: over MQTT each payload is a whole pack.

Unknown: `ut` (the longest time to the next record) is read and not used.

Sources: RFC 8428, RFC 8798, RFC 9100.
"""

from collections.abc import Iterable

from msgspec import UNSET, DecodeError, Struct, UnsetType
from msgspec import json as msgjson

from devices.senml.encode import encode
from devices.senml.fields import FIELDS
from devices.senml.names import MAX_FIELD, MAX_NAME, PLAIN_BASE, PLAIN_NAME, NameRefused, field_name, split
from devices.senml.pack import (
    BaseFields,
    Broken,
    PackRefused,
    Record,
    RecordRefused,
    check_version,
    finite,
    only_base,
    read,
)
from devices.senml.values import Spot, as_kind, number_spot, time_ns_of, word_spot
from devices.spec.device import MessageDevice
from devices.spec.events import DELETED, Empty, Event, Reading, SanityError, Value
from devices.spec.sequence import Bits, Sequence
from devices.spec.zone import take_zone

_MAX_SPOTS = 4096
_MAX_THINGS = 1 << 16
_MAX_REMEMBERED_NAME = 64
_MAX_DETAIL = 200


class _Short(Struct, gc=False, forbid_unknown_fields=True):
    """The labels of nearly every pack; a pack with any other is read the long way."""

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
    """Readings of one pack in chronological order; or `Empty`, or one SanityError saying why it is refused."""
    try:
        try:
            reading = _decode_short(payload, received_ns)
        except (RecordRefused, NameRefused):
            reading = None  # the long way keeps the other records
        if reading is not None:
            return [reading]
        readings = _readings(read(payload), received_ns)
        return [*readings] if readings else [Empty("the pack holds no record with a value", payload)]
    except PackRefused as error:
        return [SanityError(str(error)[:_MAX_DETAIL], payload) if payload else Empty(DELETED, payload)]


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
    return Reading(fields, time_ns_of(seconds, received_ns) if seconds else None, thing)


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
        fields[spot[0]] = value if spot[1] == "measure" else as_kind(value, spot)
        return True
    if value is not UNSET:
        return False
    spot = _spots.get((record.n, None)) or _learn(record, unit, thing)
    if spot is None:
        return False
    fields[spot[0]] = as_kind(flag, spot)
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
    spot = word_spot(quantity, "flag") if is_flag else number_spot(quantity, None if unit is UNSET else unit)
    if quantity is not None:
        if len(_spots) >= _MAX_SPOTS:
            _spots.clear()
            _measures.clear()
        _spots[(name, None if is_flag else unit)] = spot
        if spot.kind == "measure":
            _measures[(name, unit)] = spot.field
    return spot


class _Base:
    """The base fields in force, record by record."""

    __slots__ = ("name", "seconds", "sum", "unit", "value", "version")

    def __init__(self) -> None:
        self.name = ""
        self.seconds = 0.0
        self.unit: str | None = None
        self.value: float | None = None
        self.sum: float | None = None
        self.version: float | None = None

    def take(self, record: Record | BaseFields) -> None:
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
                raise PackRefused(f"bver {self.version:g} and {record.bver:g} in one pack")
            self.version = record.bver


def _readings(records: list[Record | Broken], received_ns: int) -> list[Reading]:
    """Resolve every record (RFC 8428 section 4.6) and gather them by thing and time.

    Empty where no record has a value; PackRefused where all that have one are broken.
    """
    base = _Base()
    latest: dict[tuple[str | None, int | None], Reading] = {}
    readings: list[Reading] = []
    wrong: list[tuple[str, str]] = []
    for index, record in enumerate(records):
        if isinstance(record, Broken):
            base.take(record.base)
            wrong.append((base.name, record.words))
            continue
        base.take(record)
        if only_base(record):
            continue
        try:
            seconds = base.seconds + (0.0 if record.t is UNSET else record.t)
            time_ns = time_ns_of(seconds, received_ns) if seconds else None
            thing, quantity = split(base.name, "" if record.n is UNSET else record.n)
            fields = dict(_values(record, base, quantity))
        except (RecordRefused, NameRefused) as refused:
            wrong.append((base.name, f"record {index}: {refused}"))
            continue
        reading = latest.get((thing, time_ns))
        if reading is None or not fields.keys().isdisjoint(reading.fields):
            reading = latest[(thing, time_ns)] = Reading({}, time_ns, thing)
            readings.append(reading)
        reading.fields.update(fields)
    if not readings and wrong:
        raise PackRefused(wrong[0][1])
    for reading in readings:
        take_zone(reading)
    readings.sort(key=lambda reading: received_ns if reading.time_ns is None else reading.time_ns)
    if wrong:
        _tell(wrong, readings)
    return readings


def _tell(wrong: list[tuple[str, str]], readings: list[Reading]) -> None:
    """Say at the first reading of the same thing, else at the first of all, what was left out."""
    first = {reading.thing: index for index, reading in reversed([*enumerate(readings)])}
    told: dict[int, list[str]] = {}
    for base, words in wrong:
        told.setdefault(first.get(base.rstrip(":/_"), 0), []).append(words[:_MAX_DETAIL])
    for index, errors in told.items():
        readings[index].field_errors = tuple(errors)


def _values(record: Record, base: _Base, quantity: str | None) -> Iterable[tuple[str, Value]]:
    """Field names and values of one record: its value, its sum, or both."""
    unit = base.unit if record.u is UNSET else record.u
    given = sum(value is not UNSET for value in (record.v, record.vb, record.vs, record.vd))
    summed = record.s is not UNSET or base.sum is not None
    if given > 1:
        raise RecordRefused("more than one of v, vs, vb, vd")
    if not given and not summed and base.value is None:
        raise RecordRefused("expected one of v, vs, vb, vd or s")
    if record.v is not UNSET or (not given and base.value is not None and record.s is UNSET):
        number = (base.value or 0.0) + (0.0 if record.v is UNSET else record.v)
        spot = number_spot(quantity, unit)
        yield spot.field, as_kind(finite(number, "v"), spot)
    elif record.vb is not UNSET:
        spot = word_spot(quantity, "flag")
        yield spot.field, as_kind(record.vb, spot)
    elif given:
        text = record.vs if record.vs is not UNSET else record.vd
        spot = word_spot(quantity, "text")
        yield spot.field, as_kind(str(text), spot)
    if summed:
        total = (base.sum or 0.0) + (0.0 if record.s is UNSET else record.s)
        yield field_name(quantity, unit, "sum") + "_sec", finite(total, "s")


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
