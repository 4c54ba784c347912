"""JSON messages that could not be read whole: read part by part, keeping what can be.

A message type reads its payload whole, into `msgspec` structs. Where that fails, `parts` reads the same
structs value by value: one that has the wrong type or is out of range is left out where it is optional,
and named with its key path (`$.rx_metadata[0].snr`). An object that lacks what it must have is left out
as a whole. Where the value is required the message is refused.

    {"headerId": 7.0, "velocity": {"vx": "fast"}}   7, a velocity without vx, and words about $.velocity.vx

Whole numbers may be written `7.0` or `1e2`, as JSON Schema and proto3 have them; with `texts` numbers
may also be texts (proto3: "868100000"). Beside JSON no NaN and no infinity.

`plain` is the text without a byte order mark, which RFC 8259 lets a reader ignore; UTF-16 is named.

Limits: nesting as deep as Python recurses (RecursionError); ten times as slow as reading whole.
Source: RFC 8259 sections 7 and 8.1; JSON Schema draft 2020-12, core, 4.2.3; ProtoJSON format.
"""

import json
import math
import re
from collections.abc import Mapping
from functools import lru_cache
from operator import and_
from typing import Any, NamedTuple, NoReturn, TypeVar, get_args, get_origin

import msgspec
from msgspec import NODEFAULT, Struct
from msgspec.structs import fields as struct_fields

S = TypeVar("S", bound=Struct)

MARK = b"\xef\xbb\xbf"
WIDE_MARKS = (b"\xff\xfe\0\0", b"\0\0\xfe\xff")
NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?", re.ASCII)
BEYOND = 10**400
"""Stands for a number that no double holds."""
LONGEST = 200
"""Characters of a reason."""


class PartRefused(ValueError):
    """A value that cannot be read; the text says where and why."""


def plain(payload: bytes) -> bytes:
    """The payload without a UTF-8 byte order mark. ValueError for UTF-16 and UTF-32."""
    if payload.startswith(MARK):
        return payload[len(MARK) :]
    if payload[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in payload[:2]:
        wide = "UTF-32" if payload[:4].count(0) > 2 or payload[:4] in WIDE_MARKS else "UTF-16"
        raise ValueError(f"JSON: {wide} text, expected UTF-8")
    return payload


def loads(payload: bytes) -> Any:
    """Any JSON. ValueError where it is none; a number that no double holds is a whole one."""
    try:
        return json.loads(payload.decode(), parse_constant=_no_number, parse_float=_float)
    except UnicodeDecodeError as error:
        raise ValueError(f"JSON: {error}") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"JSON is malformed: {error}") from None


def several(text: bytes) -> list[object]:
    """The messages of a text: an object, an array of them, or one a line; in the place of a broken line its error.

    ValueError where it is none of these.
    """
    try:
        value = loads(text)
    except ValueError:
        lines = [_line(line) for line in text.splitlines() if line.strip()]
        whole = [isinstance(line, dict) for line in lines]
        if not (len(lines) > 1 and whole[0]) and not any(map(and_, whole, whole[1:])):
            raise  # one message over several lines: a comma or a bracket stands between two objects
        return lines
    if not isinstance(value, dict | list):
        raise ValueError("expected an object or an array")
    return value if isinstance(value, list) else [value]


def _line(text: bytes) -> object:
    """The object of a line, or the ValueError that says why it is none."""
    try:
        value: object = loads(text)
    except ValueError as broken:
        return broken
    return value if isinstance(value, dict) else ValueError("expected an object")


def _float(text: str) -> float | int:
    number = float(text)
    return number if math.isfinite(number) else BEYOND


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"JSON is malformed: {word} is no number")


class Reader(NamedTuple):
    """How the parts of a message are read.

    `required` are labels that may not be left out, though the struct has a default for them: their
    object is refused. `instead` are values that stand for what was left out, where that is not the same
    as what was not there. `each`: a bad entry of a list is left out, not the list.
    """

    required: Mapping[type[Struct], frozenset[str]] = {}
    instead: Mapping[type[Struct], Mapping[str, Any]] = {}
    each: bool = False
    texts: bool = False

    def read(self, value: object, kind: type[S], path: str = "$") -> tuple[S, tuple[str, ...]]:
        """The struct, and what is wrong with the values left out. PartRefused."""
        wrong: list[str] = []
        return self._struct(value, kind, path, wrong), tuple(wrong)

    def _struct(self, value: object, kind: type[S], path: str, wrong: list[str]) -> S:
        if not isinstance(value, dict):
            raise _refused(f"Expected `object`, got `{_kind(value)}`", path)
        made: dict[str, Any] = {}
        held = self.required.get(kind, frozenset())
        for name, label, type_, needed in _fields(kind):
            if label not in value:
                if needed:
                    raise _refused(f"Object missing required field `{label}`", path)
                continue
            where = f"{path}.{label}"
            try:
                made[name] = self._value(value[label], type_, where, wrong)
            except PartRefused as refused:
                if needed or label in held:
                    raise
                wrong.append(str(refused))
                if kind in self.instead and label in self.instead[kind]:
                    made[name] = self.instead[kind][label]
        return kind(**made)

    def _value(self, value: Any, type_: Any, path: str, wrong: list[str]) -> Any:
        inner, nullable = _without_none(type_)
        if value is None and nullable:
            return None
        if isinstance(inner, type) and issubclass(inner, Struct):
            return self._struct(value, inner, path, wrong)
        entries = _entries(inner)
        if entries is None:
            return _scalar(value, type_, path, self.texts)
        if not isinstance(value, get_origin(inner)):
            raise _refused(
                f"Expected `{'array' if get_origin(inner) is list else 'object'}`, got `{_kind(value)}`", path
            )
        keyed = value.items() if isinstance(value, dict) else enumerate(value)
        made = {}
        for key, entry in keyed:
            try:
                made[key] = self._struct(entry, entries, f"{path}[{key}]", wrong)
            except PartRefused as refused:
                if not self.each:
                    raise
                wrong.append(str(refused))
        return made if isinstance(value, dict) else list(made.values())


def _scalar(value: Any, type_: Any, path: str, texts: bool) -> Any:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1 << 63:
        value = int(value)  # a float takes a whole number, too
    try:
        return msgspec.convert(value, type_)
    except msgspec.ValidationError as error:
        made = _number_of_text(value, type_) if texts and isinstance(value, str) else None
        if made is None:
            raise _refused(str(error), path) from None
        return made
    except OverflowError:
        raise _refused("Number out of range", path) from None


def _number_of_text(text: str, type_: Any) -> Any:
    """The number that a text says where a number is expected; None where it says none."""
    if len(text) > LONGEST or NUMBER.fullmatch(text) is None:
        return None
    try:
        return _scalar(json.loads(text, parse_float=_float), type_, "", texts=False)
    except ValueError:
        return None


def _refused(words: str, path: str) -> PartRefused:
    words = words.partition(" - at `$")[0]
    return PartRefused(f"{words[:LONGEST]} - at `{path[:LONGEST]}`")


def _kind(value: object) -> str:
    kinds = {dict: "object", list: "array", type(None): "null"}
    return kinds.get(type(value), type(value).__name__)


@lru_cache(maxsize=256)
def _fields(kind: type[Struct]) -> tuple[tuple[str, str, Any, bool], ...]:
    """Name, label, type and whether it is required, of each field of a struct."""
    return tuple(
        (field.name, field.encode_name, field.type, field.default is NODEFAULT and field.default_factory is NODEFAULT)
        for field in struct_fields(kind)
    )


def _without_none(type_: Any) -> tuple[Any, bool]:
    """The type beside None, and whether there was one. A union of several is left as it is."""
    options = get_args(type_)
    if type(None) not in options:
        return type_, False
    others = [option for option in options if option is not type(None)]
    return (others[0] if len(others) == 1 else type_), True


def _entries(type_: Any) -> type[Struct] | None:
    """The struct that the entries of a list or dict are, None for other types."""
    if get_origin(type_) not in (list, dict):
        return None
    entry = get_args(type_)[-1]
    return entry if isinstance(entry, type) and issubclass(entry, Struct) else None
