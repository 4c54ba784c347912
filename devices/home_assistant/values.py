"""The values that one message brings to the entities of one thing.

What Home Assistant takes for "nobody knows" (`unknown`, `unavailable`, `None`, nothing) is absent, as is a path that is
not in the payload. A value that does not fit its entity is left out and named.

`COMMON` are what most tools announce, for what is read without any announcement, and for what is simulated.
"""

from collections.abc import Mapping
from typing import Any

from devices.home_assistant.entity import Slot, written
from devices.home_assistant.fields import COMMON
from devices.home_assistant.slots import JSON_PARTS, Kind
from devices.home_assistant.template import ABSENT, WrongValue
from devices.spec.json_object import JsonRefused, json_value
from devices.spec.names import Values, number, snake, text_of

NOBODY_KNOWS = frozenset(("unknown", "unavailable", "none", "null", "nan", ""))
MAX_DEPTH = 4

Rows = list[tuple[str, Slot]]
"""Stems and slots of one thing on one topic."""


class Message:
    """A payload, as text and as JSON where that is needed."""

    __slots__ = ("_json", "_read", "error", "payload", "text")

    def __init__(self, payload: bytes) -> None:
        self.payload = payload
        self.text = payload.decode("utf-8", "replace")
        self.error = ""
        self._read = False
        self._json: Any = ABSENT

    @property
    def json(self) -> Any:
        """ABSENT where it is no JSON; `error` then says why."""
        if not self._read:
            self._read = True
            try:
                self._json = json_value(self.payload)
            except JsonRefused as error:
                self.error = str(error)
        return self._json


def read(values: Values, rows: Rows, message: Message) -> None:
    """What a message says of one thing."""
    for stem, slot in rows:
        said: Any = message.json if slot.template.json or slot.kind in ("json", "event") else ABSENT
        if slot.template.json and said is ABSENT:
            continue  # whoever calls says so once
        try:
            value = slot.template.read(message.text, said)
        except WrongValue as error:
            values.wrong(f"{stem}: {error}")
            continue
        if slot.kind == "json" and not slot.template.json:
            value = said
        if value is not ABSENT and value is not None:
            _value(values, stem, slot, value)


def _value(values: Values, stem: str, slot: Slot, value: Any) -> None:
    match slot.kind:
        case "event":
            _event(values, stem, value)
        case "json":
            _parts(values, stem, slot, value)
        case _:
            put(values, "_".join(part for part in (stem, slot.behind) if part), slot.kind, value, slot)


def put(values: Values, stem: str, kind: Kind, value: Any, slot: Slot, unit: str | None = None) -> None:
    """One value as a field."""
    text = written(value).strip()
    if text.lower() in NOBODY_KNOWS:
        return
    match kind:
        case "flag":
            _flag(values, stem, text, slot)
        case "number":
            values.number(stem, value, slot.unit if unit is None else unit)
        case "any" if number(value) is not None:
            values.number(stem, value)
        case _:
            values.text(stem, slot.words.get(text, text_of(value)))


def _flag(values: Values, stem: str, text: str, slot: Slot) -> None:
    for word, flag in ((slot.on, True), (slot.off, False)):
        if text == word:
            values.flag(stem, flag)
            return
    for word, flag in ((slot.on, True), (slot.off, False)):
        if text.lower() == word.lower():
            values.flag(stem, flag)
            return
    values.wrong(f"{stem}: expected {slot.on[:20]!r} or {slot.off[:20]!r}, got {text[:40]!r}")


def _event(values: Values, stem: str, value: Any) -> None:
    if isinstance(value, str):
        try:
            value = json_value(value.encode("utf-8", "replace"))
        except JsonRefused:
            value = None
    kind = value.get("event_type") if isinstance(value, Mapping) else None
    if isinstance(kind, str) and kind:
        values.text(stem if stem.endswith("event") else f"{stem}_event", kind)
    else:
        values.wrong(f"{stem}: expected JSON with an event_type")


def _parts(values: Values, stem: str, slot: Slot, value: Any) -> None:
    """A state that is JSON."""
    if not isinstance(value, Mapping):
        values.wrong(f"{stem}: expected a JSON object, got {text_of(value)[:40]!r}")
        return
    for key, (behind, kind, unit) in JSON_PARTS.get(slot.schema, {}).items():
        part = value.get(key)
        if part is not None:
            own = "" if slot.schema == "device_tracker" else stem
            put(values, "_".join(each for each in (own, behind) if each) or stem, kind, part, slot, unit)


def read_common(values: Values, said: Any) -> None:
    """A state that nobody has announced: what most tools mean by its keys."""
    _flat(values, "", said if isinstance(said, dict) else {"value": said}, MAX_DEPTH)


def _flat(values: Values, prefix: str, said: Mapping[str, Any], depth: int) -> None:
    for key, value in said.items():
        known = COMMON.get(key) if not prefix else None
        stem = f"{prefix}_{snake(key)}" if prefix else snake(key)
        if isinstance(value, dict):
            if depth:
                _flat(values, stem, value, depth - 1)
        elif known is not None and known.field.kind == "flag" and value in ("ON", "OFF"):
            values.flag(stem, value == "ON")
        else:
            values.any(stem, value, "" if known is None else known.field.unit)
