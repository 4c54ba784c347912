"""The SenML pack that says a reading."""

import math
from typing import Literal

from msgspec import json as msgjson

from devices.senml.fields import WIRE
from devices.senml.names import MAX_FIELD, SECONDARY, field_name
from devices.senml.values import KINDS, LATEST, RELATIVE_BELOW, word_spot
from devices.spec.errors import EncodeError
from devices.spec.events import Reading
from devices.spec.zone import ZONE


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
    if ZONE in reading.tags:
        records.append({"n": ZONE, "vs": reading.tags[ZONE]})
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
    if len(field) <= MAX_FIELD and KINDS.get(field, kind) == kind:
        for name in (field.removesuffix("_" + kind), field):
            if name and word_spot(name, kind).field == field:
                return name
    raise EncodeError(f"senml: {field[:40]!r} is no {kind}'s name: lower snake with _{kind} behind it")


def _base_fields(reading: Reading, records: list[dict[str, object]]) -> dict[str, object]:
    base: dict[str, object] = {}
    if reading.thing is not None:
        base["bn"] = reading.thing + ":"
    if reading.time_ns is not None:
        seconds = round(reading.time_ns / 1000) / 1e6
        if not RELATIVE_BELOW <= seconds < LATEST:
            raise EncodeError(f"senml: {seconds:g} s since 1970 cannot be said as an absolute time")
        base["bt"] = seconds
    if any(record.get("u") in SECONDARY for record in records):
        base["bver"] = 26
    return base
