"""The two wire forms of a SenML pack, brought to one list of records.

JSON (RFC 8428 section 5) is an array of objects with text labels. CBOR (section 6) is an array
of maps with integer labels; text labels are taken too. Refused: another top level than an array,
trailing bytes, wrong types, null, NaN and infinities, a label ending in `_` (an extension that
must be understood), a version whose feature bits are unknown.

Versions (RFC 9100): `bver` is a bit field. Bits 0 to 3 are reserved and ask for nothing (so 5,
10 and 11 are all plain SenML), bit 4 is secondary units; any higher bit is refused.

Limits: container nesting 16 deep in CBOR; the semantic tags taken are 2, 3 (bignum), 4 (decimal
fraction) and 5 (bigfloat) with parts that fit a double, all others are refused before they build anything.
"""

import math
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from io import BytesIO
from typing import NoReturn

import cbor2
import msgspec
from msgspec import UNSET, UnsetType


class PackRefused(ValueError):
    """A payload that is no SenML pack; the text says where and why."""


class Record(msgspec.Struct, gc=False):
    """One SenML record as it is on the wire. Times in seconds, `vd` base64url text."""

    bn: str | UnsetType = UNSET
    bt: float | UnsetType = UNSET
    bu: str | UnsetType = UNSET
    bv: float | UnsetType = UNSET
    bs: float | UnsetType = UNSET
    bver: int | UnsetType = UNSET
    n: str | UnsetType = UNSET
    u: str | UnsetType = UNSET
    v: float | UnsetType = UNSET
    vs: str | UnsetType = UNSET
    vb: bool | UnsetType = UNSET
    vd: str | UnsetType = UNSET
    s: float | UnsetType = UNSET
    t: float | UnsetType = UNSET
    ut: float | UnsetType = UNSET


def finite(number: float, label: str, index: int) -> float:
    """`number`; PackRefused where base and value together are more than a double holds."""
    if not math.isfinite(number):
        raise PackRefused(f"record {index}: {label} is out of range")
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
_NUMBERS = frozenset(("bt", "bv", "bs", "v", "s", "t", "ut"))
_KNOWN_FEATURES = 0b1_1111
_MAX_EXPONENT = 1100
_TAGS_REFUSED = (0, 1, 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004, 43000, 55799)

_json_records = msgspec.json.Decoder(list[Record])
_json_anything = msgspec.json.Decoder()


def read(payload: bytes) -> list[Record]:
    """The records of one payload, JSON or CBOR by its first byte; PackRefused if it is no pack."""
    first = payload[:1]
    if b"\x80" <= first <= b"\x9f":
        return _read_cbor(payload)
    if first == b"[" or payload[:64].lstrip(b" \t\r\n")[:1] == b"[":
        return _read_json(payload)
    raise PackRefused("expected a JSON or CBOR array of records")


def check_version(version: int) -> None:
    """PackRefused where the version asks for a feature that is not known here."""
    if version <= 0:
        raise PackRefused(f"bver {version}: expected a positive integer")
    if version & ~_KNOWN_FEATURES:
        raise PackRefused(f"bver {version}: asks for features beyond secondary units")


def _read_json(payload: bytes) -> list[Record]:
    try:
        records = _json_records.decode(payload)
        # A label can only end in "_" where `_"` or an escape stands in the bytes.
        if b'_"' in payload or b"\\" in payload:
            for item in _json_anything.decode(payload):
                _refuse_must_understand(item)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise PackRefused(f"JSON: {error}") from None
    except RecursionError:
        raise PackRefused("JSON: nested too deeply") from None
    return records


def _refuse_must_understand(labels: Mapping[object, object]) -> None:
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


def _read_cbor(payload: bytes) -> list[Record]:
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
    return [_record(item, index) for index, item in enumerate(items)]


def _record(item: object, index: int) -> Record:
    if not isinstance(item, Mapping):
        raise PackRefused(f"CBOR: record {index} is not a map")
    _refuse_must_understand(item)
    values: dict[str, object] = {}
    for key, value in item.items():
        label = _LABELS.get(key) if type(key) is int else key
        if isinstance(label, str):
            values[label] = _plain(label, value, index)
    try:
        return msgspec.convert(values, Record)
    except (msgspec.ValidationError, OverflowError) as error:
        raise PackRefused(f"CBOR: record {index}: {error}") from None


def _plain(label: str, value: object, index: int) -> object:
    """A CBOR value in the type that the JSON form would give."""
    if label in _NUMBERS and type(value) in (int, float):
        try:
            number = float(value)  # type: ignore[arg-type]
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise PackRefused(f"CBOR: record {index}: {label} is not a finite number")
        return number
    if label == "vd" and isinstance(value, bytes):
        return urlsafe_b64encode(value).rstrip(b"=").decode("ascii")
    return value
