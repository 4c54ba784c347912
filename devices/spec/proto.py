"""Protobuf messages from a schema that stands in the code as text, without a compiler.

    message Payload {
      optional uint64 timestamp = 1;
      repeated Metric metrics = 2;
      oneof value { uint32 int_value = 10; double double_value = 13; }
    }

`messages(text)` answers the classes by name: `found["Payload"].FromString(data)`. Numbers and types are all that is on
the wire, so messages are not nested, and stand in any order. Each schema has a pool of its own: no other library that
brings the same messages is in the way.

Limits: proto2; no enumerations (they are `uint32`), maps (a repeated message of key and value), extensions or options.
Protobuf is imported when a schema is first used.

Source: protobuf.dev, "Language Guide (proto 2)", "Encoding"; google.protobuf.descriptor_pb2.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from devices.spec.errors import DescriptionError

_TYPES = {
    "double": 1, "float": 2, "int64": 3, "uint64": 4, "int32": 5, "fixed64": 6, "fixed32": 7, "bool": 8, "string": 9,
    "bytes": 12, "uint32": 13, "sfixed32": 15, "sfixed64": 16, "sint32": 17, "sint64": 18,
}  # fmt: skip
_MESSAGE = 11
_LABELS = {"optional": 1, "required": 2, "repeated": 3}
_WORD = re.compile(r"//[^\n]*|[A-Za-z_]\w*|\d+|[{}=;]|(\S)")


@cache
def messages(text: str) -> Mapping[str, Any]:
    """The message classes of a schema, by name. DescriptionError where it is none."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(name="schema.proto", package="schema", syntax="proto2")
    words = _words(text)
    for word in words:
        _expect("message", word)
        _message(file.message_type.add(name=next(words)), words)
    names = {each.name for each in file.message_type}
    for each in file.message_type:
        for field in each.field:
            if field.type == _MESSAGE and field.type_name.rpartition(".")[2] not in names:
                raise DescriptionError(f"message {each.name}: {field.name} is of no type of this schema")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"schema.{name}")) for name in names}


def _words(text: str) -> Iterator[str]:
    for match in _WORD.finditer(text):
        if match[1]:
            raise DescriptionError(f"a schema has no {match[1]!r}")
        if not match[0].startswith("//"):
            yield match[0]


def _message(message: Any, words: Iterator[str]) -> None:
    _expect("{", next(words, ""))
    choice: int | None = None
    for word in words:
        if word == "}":
            if choice is None:
                return
            choice = None
        elif word == "oneof":
            choice = len(message.oneof_decl)
            message.oneof_decl.add(name=next(words, ""))
            _expect("{", next(words, ""))
        else:
            _field(message, word, words, choice)
    raise DescriptionError(f"message {message.name} has no end")


def _field(message: Any, word: str, words: Iterator[str], choice: int | None) -> None:
    label = _LABELS["optional"] if choice is not None else _LABELS.get(word, 0)
    if not label:
        raise DescriptionError(f"message {message.name}: expected optional, repeated or oneof, got {word!r}")
    type_ = word if choice is not None else next(words, "")
    field = message.field.add(name=next(words, ""), label=label, type=_TYPES.get(type_, _MESSAGE))
    if field.type == _MESSAGE:
        field.type_name = f".schema.{type_}"
    if choice is not None:
        field.oneof_index = choice
    _expect("=", next(words, ""))
    number = next(words, "")
    if not number.isdigit():
        raise DescriptionError(f"message {message.name}: {field.name} needs a number, got {number!r}")
    field.number = int(number)
    _expect(";", next(words, ""))


def _expect(wanted: str, word: str) -> None:
    if word != wanted:
        raise DescriptionError(f"a schema: expected {wanted!r}, got {word!r}")
