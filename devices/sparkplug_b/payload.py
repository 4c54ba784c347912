"""A Sparkplug B payload, read: from protobuf, from its compressed form, or from the JSON that the specification shows.

    protobuf       timestamp (ms), metrics, seq                                    schema.py
    compressed     uuid SPBV1.0_COMPRESSED, body = the payload, deflated or gzipped; a metric `algorithm` names which
    JSON           {"timestamp": 1486144502122, "metrics": [{"name": "Inputs/A", "timestamp": 1486144502122,
                     "dataType": "Boolean", "value": false}], "seq": 2}

Of each metric its name or alias, its own time, data type, value (as the wire has it: whole numbers without a sign)
and two of its properties: the engineering unit, and the quality. A property set has any names; those looked for are in
UNITS and QUALITY. Quality 0 (bad) and 500 (stale) mean that there is no value now; so does `is_null`. A metric that is
transient is not meant to be stored.

Limits: a compressed payload of at most LONGEST bytes inflated, not compressed twice; templates TEMPLATE_DEPTH deep.

Source: Eclipse Sparkplug 3.0.0, chapter 6 "Payloads", and the JSON of its examples; the form and name of compressed
payloads: Eclipse Tahu, PayloadUtil and CompressionAlgorithm.
"""

import zlib
from collections.abc import Iterable
from typing import Any, NamedTuple

from devices.sparkplug_b.schema import TYPES, payload
from devices.spec.json_parts import loads

LONGEST = 16 << 20
TEMPLATE_DEPTH = 4
MOST_SEQ = 255
COMPRESSED = "SPBV1.0_COMPRESSED"
UNITS = frozenset(("engunit", "engineeringunit", "engineeringunits", "unit", "units", "uom"))
"""Names of the property that is the unit, in lower letters without blanks and underscores."""
QUALITY = "quality"
NO_VALUE = frozenset((0, 500))

_KINDS = {
    "int_value": "int", "long_value": "int", "float_value": "number", "double_value": "number",
    "boolean_value": "bool", "string_value": "text", "bytes_value": "bytes", "dataset_value": "table",
    "template_value": "template",
}  # fmt: skip


class PayloadRefused(ValueError):
    """Bytes that are no payload; the text says where and why."""


class Raw(NamedTuple):
    """A value as it was written. `kind`: int (unsigned), signed, number, bool, text, bytes, table, template, list."""

    kind: str
    value: Any


class Metric(NamedTuple):
    """One metric. `void`: it has no value now, or none that is to be stored."""

    name: str | None = None
    alias: int | None = None
    time_ms: int | None = None
    datatype: int = 0
    raw: Raw | None = None
    unit: str = ""
    void: bool = False


class Table(NamedTuple):
    """A data set."""

    columns: list[str]
    types: list[int]
    rows: list[list[Raw | None]]


class Template(NamedTuple):
    """An instance of a template, or the definition of one, which has no values."""

    metrics: list[Metric]
    definition: bool


class Said(NamedTuple):
    """A payload."""

    time_ms: int | None
    seq: int | None
    metrics: list[Metric]


def read(data: bytes) -> Said:
    """The payload that `data` is. PayloadRefused where it is none."""
    said = _of_json(data) if data.lstrip()[:1] == b"{" else _of_protobuf(data, data)
    if said.seq is not None and said.seq > MOST_SEQ:
        raise PayloadRefused(f"seq {said.seq}, expected 0 to {MOST_SEQ}")
    return said


def _of_protobuf(data: bytes, whole: bytes) -> Said:
    from google.protobuf.message import DecodeError

    try:
        message = payload().FromString(data)
    except DecodeError as error:
        raise PayloadRefused(f"protobuf: {str(error) or 'it breaks off'}") from None
    if message.uuid == COMPRESSED:
        if data is not whole:
            raise PayloadRefused("a compressed payload in a compressed payload")
        inner = _of_protobuf(_inflated(message), whole)
        return inner if inner.seq is not None or not message.HasField("seq") else inner._replace(seq=message.seq)
    return Said(
        message.timestamp if message.HasField("timestamp") else None,
        message.seq if message.HasField("seq") else None,
        [_metric(each, TEMPLATE_DEPTH) for each in message.metrics],
    )


def _inflated(message: Any) -> bytes:
    """The payload in a compressed one. What it is compressed with stands in its first bytes, whatever it says."""
    for wbits in (47, -15):  # zlib or gzip by its head; deflate alone
        stream = zlib.decompressobj(wbits)
        try:
            data = stream.decompress(message.body, LONGEST)
        except zlib.error:
            continue
        if stream.unconsumed_tail or not stream.eof:
            how = f"more than {LONGEST >> 20} MiB" if stream.unconsumed_tail else "it breaks off"
            raise PayloadRefused(f"compressed payload: {how}")
        return data
    said = next((_text(each.string_value) for each in message.metrics if each.name == "algorithm"), "")
    raise PayloadRefused(
        f"compressed payload: expected DEFLATE or GZIP, got {said[:20]!r} and {message.body[:4].hex()}"
    )


def _metric(each: Any, depth: int) -> Metric:
    unit, void = _properties(each.properties) if each.HasField("properties") else ("", False)
    return Metric(
        _text(each.name) if each.HasField("name") else None,
        each.alias if each.HasField("alias") else None,
        each.timestamp if each.HasField("timestamp") else None,
        each.datatype,
        _raw(each, depth),
        unit,
        void or each.is_null or each.is_transient,
    )


def _raw(each: Any, depth: int) -> Raw | None:
    """The value of a metric, a property, a parameter or an element of a data set."""
    which = each.WhichOneof("value")
    if which is None:
        return None
    kind = _KINDS.get(which, "other")
    value = getattr(each, which)
    if kind == "table":
        rows = [[_raw(element, depth) for element in row.elements] for row in value.rows]
        return Raw(kind, Table([_text(column) for column in value.columns], list(value.types), rows))
    if kind == "template":
        members = [_metric(member, depth - 1) for member in value.metrics] if depth else []
        return Raw(kind, Template(members, value.is_definition))
    return Raw(kind, _text(value) if kind == "text" else value)


def _text(value: str | bytes) -> str:
    """A text of the wire, which protobuf gives as bytes where it is no UTF-8."""
    return value if isinstance(value, str) else value.decode("utf-8", "replace")


def _properties(properties: Any) -> tuple[str, bool]:
    """The unit, and whether the quality says that there is no value."""
    unit, void = "", False
    for key, value in zip(properties.keys, properties.values, strict=False):
        if value.is_null:
            continue
        raw = _raw(value, 0)
        if raw is not None:
            unit, void = _property(_text(key), raw, unit, void)
    return unit, void


def _property(key: str, raw: Raw, unit: str, void: bool) -> tuple[str, bool]:
    name = key.lower().replace("_", "").replace(" ", "")
    if name in UNITS and raw.kind == "text":
        return unit or str(raw.value), void
    if name == QUALITY and raw.kind in ("int", "signed"):
        return unit, void or raw.value in NO_VALUE
    return unit, void


def _of_json(data: bytes) -> Said:
    try:
        said = loads(data)
    except (ValueError, RecursionError) as error:
        raise PayloadRefused("JSON: nested too deeply" if isinstance(error, RecursionError) else str(error)) from None
    if not isinstance(said, dict):
        raise PayloadRefused(f"JSON: expected an object, got {type(said).__name__}")
    metrics = said.get("metrics", [])
    if not isinstance(metrics, list) or not all(isinstance(each, dict) for each in metrics):
        raise PayloadRefused("JSON: metrics: expected an array of objects")
    seq = _whole(said, "seq")
    return Said(_whole(said, "timestamp"), seq, [_json_metric(each, TEMPLATE_DEPTH) for each in metrics])


def _whole(said: dict[str, Any], label: str) -> int | None:
    """A whole number of 64 bits without a sign, which JSON may also have as a text."""
    value = said.get(label)
    if isinstance(value, str) and value.isdecimal() and len(value) <= 20:
        value = int(value)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1 or not 0 <= value < 1 << 64:
        raise PayloadRefused(f"JSON: {label}: expected a whole number, got {value!r:.40}")
    return int(value)


def _json_metric(said: dict[str, Any], depth: int) -> Metric:
    name, type_ = said.get("name"), said.get("dataType", said.get("datatype", said.get("type", 0)))
    if name is not None and not isinstance(name, str):
        raise PayloadRefused(f"JSON: name: expected a text, got {name!r:.40}")
    datatype = TYPES.get(type_, 0) if isinstance(type_, str) else type_
    unit, void = _json_properties(said.get("properties"))
    value = said.get("value")
    return Metric(
        name,
        _whole(said, "alias"),
        _whole(said, "timestamp"),
        datatype if isinstance(datatype, int) and 0 <= datatype < len(TYPES) else 0,
        None if value is None else _json_raw(value, depth),
        unit,
        void or value is None or any(said.get(key) is True for key in _VOID),
    )


_VOID = ("is_null", "isNull", "is_transient", "isTransient")


def _json_properties(said: object) -> tuple[str, bool]:
    unit, void = "", False
    pairs: Iterable[tuple[str, Any]] = said.items() if isinstance(said, dict) else ()
    for key, value in pairs:
        inner = value.get("value") if isinstance(value, dict) else value
        raw = None if inner is None else _json_raw(inner, 0)
        if raw is not None:
            unit, void = _property(str(key), raw, unit, void)
    return unit, void


def _json_raw(value: Any, depth: int) -> Raw:
    if isinstance(value, bool):
        return Raw("bool", value)
    if isinstance(value, int):
        return Raw("signed", value)
    if isinstance(value, float):
        return Raw("number", value)
    if isinstance(value, str):
        return Raw("text", value)
    if isinstance(value, list):
        return Raw("list", [None if each is None else _json_raw(each, 0) for each in value])
    if isinstance(value, dict) and isinstance(value.get("metrics"), list) and depth:
        members = [_json_metric(each, depth - 1) for each in value["metrics"] if isinstance(each, dict)]
        return Raw("template", Template(members, value.get("isDefinition") is True))
    if isinstance(value, dict) and isinstance(value.get("rows"), list):
        return Raw("table", _json_table(value))
    return Raw("other", value)


def _json_table(said: dict[str, Any]) -> Table:
    columns = [str(each) for each in said.get("columns") or ()]
    types = [TYPES.get(each, 0) if isinstance(each, str) else 0 for each in said.get("types") or ()]
    rows = [
        [None if each is None else _json_raw(each, 0) for each in row] for row in said["rows"] if isinstance(row, list)
    ]
    return Table(columns, types, rows)
