"""The two wire forms of a SenML pack, brought to one list of records.

JSON (RFC 8428 section 5) is an array of objects with text labels. CBOR (section 6) is an array
of maps with integer labels; text labels are taken too. The pack is refused for another top level than
an array, trailing bytes, what is no JSON or CBOR, a label ending in `_` (an extension that must be
understood), a version whose feature bits are unknown, and a base field of the wrong type, for it would
hold for all records behind it. A record that is no object, or has a value, time, name or unit of the
wrong type, null, NaN or an infinity in it, is `Broken`: its base fields hold, the rest is left out. `ut`
is not used, so it is not judged. A byte order mark before JSON is ignored, UTF-16 is named.

Versions (RFC 9100): `bver` is a bit field. Bits 0 to 3 are reserved and ask for nothing (so 5,
10 and 11 are all plain SenML), bit 4 is secondary units; any higher bit is refused.

Limits: container nesting 16 deep in CBOR; the semantic tags taken are 2, 3 (bignum), 4 (decimal
fraction) and 5 (bigfloat) with parts that fit a double, all others are refused before they build anything.
"""

import math
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from io import BytesIO
from typing import NamedTuple, NoReturn

import cbor2
import msgspec
from msgspec import UNSET, UnsetType

from devices.spec.json_parts import plain


class PackRefused(ValueError):
    """A payload that is no SenML pack; the text says where and why."""


class RecordRefused(ValueError):
    """A record that cannot be read; the others of its pack can."""


class Record(msgspec.Struct, gc=False):
    """One SenML record as it is on the wire. Times in seconds, `vd` base64url text."""

    bn: str | UnsetType = UNSET
    bt: float | UnsetType = UNSET
    bu: str | UnsetType = UNSET
    bv: float | UnsetType = UNSET
    bs: float | UnsetType = UNSET
    bver: float | UnsetType = UNSET
    n: str | UnsetType = UNSET
    u: str | UnsetType = UNSET
    v: float | UnsetType = UNSET
    vs: str | UnsetType = UNSET
    vb: bool | UnsetType = UNSET
    vd: str | UnsetType = UNSET
    s: float | UnsetType = UNSET
    t: float | UnsetType = UNSET
    ut: object = UNSET


class BaseFields(msgspec.Struct, gc=False):
    """What of a record holds for those behind it."""

    bn: str | UnsetType = UNSET
    bt: float | UnsetType = UNSET
    bu: str | UnsetType = UNSET
    bv: float | UnsetType = UNSET
    bs: float | UnsetType = UNSET
    bver: float | UnsetType = UNSET


class Broken(NamedTuple):
    """A record of which only the base fields can be read, and why."""

    base: BaseFields
    words: str


def finite(number: float, label: str) -> float:
    """`number`; RecordRefused where base and value together are more than a double holds."""
    if not math.isfinite(number):
        raise RecordRefused(f"{label} is out of range")
    return number


def only_base(record: Record) -> bool:
    """Whether a record does nothing but set base fields for those behind it (RFC 8428 section 5.1.7).

    One with a base value or a base sum does more: a missing value counts as zero, and the two are added.
    """
    regular = (record.n, record.u, record.v, record.vs, record.vb, record.vd, record.s, record.t, record.ut)
    numbers = (record.bv, record.bs)
    base = (record.bn, record.bt, record.bu, record.bver)
    return all(value is UNSET for value in regular + numbers) and any(value is not UNSET for value in base)


_LABELS = {
    -1: "bver", -2: "bn", -3: "bt", -4: "bu", -5: "bv", -6: "bs",
    0: "n", 1: "u", 2: "v", 3: "vs", 4: "vb", 5: "s", 6: "t", 7: "ut", 8: "vd",
}  # fmt: skip
_BASE_LABELS = frozenset(BaseFields.__struct_fields__)
_NUMBERS = frozenset(("bt", "bv", "bs", "bver", "v", "s", "t"))
_KNOWN_FEATURES = 0b1_1111
_MAX_EXPONENT = 1100
_TAGS_REFUSED = (0, 1, 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004, 43000, 55799)

_json_records = msgspec.json.Decoder(list[Record])
_json_record = msgspec.json.Decoder(Record)
_json_base = msgspec.json.Decoder(BaseFields)
_json_labels = msgspec.json.Decoder(dict[str, msgspec.Raw])
_json_parts = msgspec.json.Decoder(list[msgspec.Raw])


def read(payload: bytes) -> list[Record | Broken]:
    """The records of one payload, JSON or CBOR by its first byte; PackRefused if it is no pack."""
    first = payload[:1]
    if b"\x80" <= first <= b"\x9f":
        return _read_cbor(payload)
    try:
        text = plain(payload)
    except ValueError as error:
        raise PackRefused(str(error)) from None
    if text[:64].lstrip(b" \t\r\n")[:1] == b"[":
        return _read_json(text)
    raise PackRefused("expected a JSON or CBOR array of records")


def check_version(version: float) -> None:
    """PackRefused where the version asks for a feature that is not known here."""
    if version <= 0 or version != int(version):
        raise PackRefused(f"bver {version:g}: expected a positive integer")
    if int(version) & ~_KNOWN_FEATURES:
        raise PackRefused(f"bver {version:g}: asks for features beyond secondary units")


def _read_json(payload: bytes) -> list[Record | Broken]:
    try:
        # A label can only end in "_" where `_"` or an escape stands in the bytes.
        if b'_"' in payload or b"\\" in payload:
            for part in _json_parts.decode(payload):
                if bytes(part)[:1] == b"{":
                    _refuse_must_understand(_json_labels.decode(part))
        try:
            records: list[Record | Broken] = list(_json_records.decode(payload))
        except msgspec.ValidationError:
            records = [_json_one(part, index) for index, part in enumerate(_json_parts.decode(payload))]
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise PackRefused(f"JSON: {error}") from None
    except RecursionError:
        raise PackRefused("JSON: nested too deeply") from None
    return records


def _json_one(part: msgspec.Raw, index: int) -> Record | Broken:
    try:
        return _json_record.decode(part)
    except msgspec.ValidationError as error:
        words = f"JSON: record {index}: {error}"
    if bytes(part)[:1] != b"{":
        return Broken(BaseFields(), words)
    try:
        return Broken(_json_base.decode(part), words)
    except msgspec.ValidationError as error:
        raise PackRefused(f"JSON: record {index}: {error}") from None


def _refuse_must_understand(labels: Iterable[object]) -> None:
    for label in labels:
        if isinstance(label, str) and label.endswith("_"):
            raise PackRefused(f"label {label[:40]!r} must be understood and is not")


def _refuse_tag(_value: object, _immutable: bool) -> NoReturn:
    raise cbor2.CBORDecodeError("semantic tag is not used in SenML")


def _fraction(value: object, _immutable: bool) -> float:
    """Tag 4, mantissa times a power of ten. cbor2's own takes seconds for a mantissa of 250 kB."""
    exponent, mantissa = _pair(value)
    return float(f"{mantissa}e{exponent}")


def _bigfloat(value: object, _immutable: bool) -> float:
    """Tag 5, mantissa times a power of two."""
    exponent, mantissa = _pair(value)
    return math.ldexp(mantissa, exponent)


def _pair(value: object) -> tuple[int, int]:
    if isinstance(value, list | tuple) and len(value) == 2 and all(type(part) is int for part in value):
        exponent, mantissa = value
        if abs(exponent) <= _MAX_EXPONENT and mantissa.bit_length() <= _MAX_EXPONENT:
            return exponent, mantissa
    raise cbor2.CBORDecodeError("expected an exponent and a mantissa that a double can hold")


_semantic = dict.fromkeys(_TAGS_REFUSED, _refuse_tag) | {4: _fraction, 5: _bigfloat}


def _read_cbor(payload: bytes) -> list[Record | Broken]:
    stream = BytesIO(payload)
    decoder = cbor2.CBORDecoder(
        stream, tag_hook=_refuse_tag, semantic_decoders=_semantic, max_depth=16, allow_duplicate_keys=False
    )
    try:
        items = decoder.decode()
    except (cbor2.CBORError, ValueError, OverflowError, MemoryError, RecursionError) as error:
        raise PackRefused(f"CBOR: {error}") from None
    try:
        decoder.read(1)
    except cbor2.CBORError:
        pass
    else:
        raise PackRefused("CBOR: bytes after the pack")
    if not isinstance(items, list):
        raise PackRefused("CBOR: expected an array of records")
    return [_cbor_one(item, index) for index, item in enumerate(items)]


def _cbor_one(item: object, index: int) -> Record | Broken:
    if not isinstance(item, Mapping):
        return Broken(BaseFields(), f"CBOR: record {index} is not a map")
    _refuse_must_understand(item)
    values: dict[str, object] = {}
    for key, value in item.items():
        label = _LABELS.get(key) if type(key) is int else key
        if isinstance(label, str):
            values[label] = value
    try:
        return msgspec.convert({label: _plain(label, value) for label, value in values.items()}, Record)
    except (RecordRefused, msgspec.ValidationError, OverflowError) as error:
        words = f"CBOR: record {index}: {error}"
    base = {label: value for label, value in values.items() if label in _BASE_LABELS}
    try:
        return Broken(msgspec.convert({label: _plain(label, base[label]) for label in base}, BaseFields), words)
    except (RecordRefused, msgspec.ValidationError, OverflowError) as error:
        raise PackRefused(f"CBOR: record {index}: {error}") from None


def _plain(label: str, value: object) -> object:
    """A CBOR value in the type that the JSON form would give. RecordRefused for a number that no double holds."""
    if label in _NUMBERS and type(value) in (int, float):
        try:
            number = float(value)  # type: ignore[arg-type]
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise RecordRefused(f"{label} is not a finite number")
        return number
    if label == "vd" and isinstance(value, bytes):
        return urlsafe_b64encode(value).rstrip(b"=").decode("ascii")
    return value
