"""Readings to InfluxDB line protocol. Pure: no clock, no input or output.

    measurement,tag=value,... field=1.5,other=2i time_ns
    `------ prefix -------´   `---- body ----´  `-ns--´

The prefix is made once per series and held by its `Series`; a reading then costs one join.

Rules (what each server does with less was tried on InfluxDB 1.6.7 and read in 2.x and 3):
- measured values are floats and always carry a point or exponent; only declared counters are
  integers (`i`); NaN, infinities and integers beyond 64 bits are left out, as missing values, and
  counted as field errors;
- names are those of `names`; a string field has no line break;
- a field never has the name of a tag (3.x refuses it): it then ends in `_value`, and where there is a
  field of that name, too, the one that comes later has a mark;
- two readings of one series never share a timestamp, and the same reading never gets two.

Limits: string field 16,384 characters; names as in `names`.
Source: InfluxDB line protocol reference, versions 1.8, 2.7 and 3.
"""

from collections.abc import Mapping
from typing import Protocol
from zlib import crc32

from devices.spec.events import Value
from gateway.decode.names import CONTROL, MAX_NAME, clean_name, escape_measurement, escape_tag, marked, storable_tag

MAX_STRING = 16_384
MAX_KEYS = 1000
"""Field names of one measurement and set of tag names; a payload with made-up ones is refused."""

MAX_TIES = 64
"""Readings of one time, and times further back, that a series remembers to tell apart."""

MAX_TEXTS = 8192
MAX_FIELD_TEXTS = 65_536
SHORT = 7
"""How many values are remembered as text, of any field and of declared fields, and how long such a text
may be: 1 and 12 MB."""

CLOCK_STEP_NS = 2_000_000_000
"""A result time this much earlier than the last one is a clock that was set, not a tie."""

STEP_SHIFT_NS = 1009
"""What result times are late by for each such step: a clock of coarse ticks that goes through
the same seconds again would otherwise hit the very times it gave out before."""


def quote(text: str) -> str:
    """A string field value with its quotes."""
    text = CONTROL.sub(" ", text[:MAX_STRING])
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class FieldLimit(Exception):
    """A reading with yet another field name; says so in one line."""


class _Keys(dict[str, str]):
    """Field name to `escaped=`, made on first use for one measurement and set of tag names."""

    __slots__ = ("parts", "substitutes", "tags")

    def __init__(self, tags: frozenset[str]) -> None:
        self.tags = tags
        self.substitutes: dict[str, str] = {}  # a tag's name and `_value`, to the field that is called so
        self.parts = _Parts(self)

    def __missing__(self, name: str) -> str:
        if len(self) >= MAX_KEYS:
            raise FieldLimit(f"field limit: {MAX_KEYS} field names already; {clean_name(name)!r} is one more")
        clean = clean_name(name)
        if clean in self.tags:
            clean += "_value"
        if clean.removesuffix("_value") in self.tags:
            other = self.substitutes.setdefault(clean, name)
            if other != name:
                clean = marked(clean, name, MAX_NAME)  # the other one has this name
        key = self[name] = escape_tag(clean) + "="
        return key


_KEYS: dict[tuple[str, frozenset[str]], _Keys] = {}


def _keys(measurement: str, tags: frozenset[str]) -> _Keys:
    found = _KEYS.get((measurement, tags))
    if found is None:
        found = _Keys(tags)
        if len(_KEYS) < 1024:
            _KEYS[(measurement, tags)] = found
    return found


_TEXTS: dict[float, str] = {}
"""Floats lately written, and how: sensors speak in steps, so the same values come again and
again, and looking one up takes a third of the time of writing it."""


def _learn(value: float) -> str:
    text = repr(value) if value else "0.0"  # -0.0 is found under the same key
    if len(text) <= SHORT:  # a longer one hardly comes again
        if len(_TEXTS) >= MAX_TEXTS:
            _TEXTS.clear()
        _TEXTS[value] = text
    return text


class _Unusual(Exception):
    """A value that has no text in a line: NaN, an infinity, an integer beyond 64 bits."""


def body(fields: Mapping[str, Value], keys: Mapping[str, str]) -> str:
    """The field part of a line. Raises _Unusual where a value cannot be stored."""
    parts = []
    known = _TEXTS.get
    for name, value in fields.items():
        kind = value.__class__
        if kind is float:
            text = known(value)  # type: ignore[arg-type]
            if text is not None:
                parts.append(keys[name] + text)
            elif value - value == 0.0:  # type: ignore[operator]  # false for NaN and infinities
                parts.append(keys[name] + _learn(value))  # type: ignore[arg-type]
            else:
                raise _Unusual
        elif kind is bool:
            parts.append(keys[name] + ("true" if value else "false"))
        elif kind is int and -(1 << 63) <= value < 1 << 63:  # type: ignore[operator]
            parts.append(f"{keys[name]}{value}i")
        elif kind is str:
            parts.append(keys[name] + quote(value))  # type: ignore[arg-type]
        else:
            raise _Unusual
    return ",".join(parts)


def _has_text(value: Value) -> bool:
    if value.__class__ is int:
        return -(1 << 63) <= value < 1 << 63
    return value.__class__ in (bool, str) or (value.__class__ is float and value - value == 0.0)


class _Remembered:
    """How many texts of declared fields are remembered; beyond MAX_FIELD_TEXTS all are forgotten."""

    def __init__(self) -> None:
        self._count = 0
        self._tables: dict[int, _Texts] = {}

    def add(self, table: "_Texts") -> None:
        """`table` is about to remember one more."""
        if self._count >= MAX_FIELD_TEXTS:
            for each in self._tables.values():
                each.clear()
            self._tables.clear()
            self._count = 0
        self._count += 1
        self._tables[id(table)] = table


class _Texts(dict[Value, str]):
    """The values of one declared field, each to `name=text`; made as they come.

    Only for a field whose values are of one class: 1, 1.0 and True are one key.
    """

    __slots__ = ("_head",)

    def __init__(self, head: str) -> None:
        self._head = head

    def __missing__(self, value: Value) -> str:
        text = body({"": value}, {"": self._head})
        if len(text) - len(self._head) <= SHORT:
            _REMEMBERED.add(self)
            self[value] = text
        return text


_REMEMBERED = _Remembered()


class _Parts(dict[str, _Texts]):
    """The declared fields of one measurement and set of tag names."""

    __slots__ = ("_keys",)

    def __init__(self, keys: _Keys) -> None:
        self._keys = keys

    def __missing__(self, name: str) -> _Texts:
        found = self[name] = _Texts(self._keys[name])
        return found


class Counts(Protocol):
    """Where values that cannot be stored are counted: the counters of a thing."""

    field_errors: int


class Series:
    """One measurement and tag set: its prefix, and the times it has used.

    Where each field is `declared`, and so always has values of one class, a line is made out of
    what has been written before: nearly half the time for the twelve fields of a particle sensor.

    `line(fields, time_ns, received_ns)` gives the finished line, or None where no value can
    be stored. `time_ns` is the phenomenon time or None; `received_ns` the result time. Values left
    out of a line that others are in are counted on `counts`.
    """

    __slots__ = (
        "_base_ns",
        "_bodies",
        "_body",
        "_counts",
        "_keys",
        "_last_ns",
        "_late",
        "_parts",
        "_received_ns",
        "_shift_ns",
        "prefix",
    )

    def __init__(
        self, measurement: str, tags: Mapping[str, str], *, declared: bool = False, counts: Counts | None = None
    ) -> None:
        clean = {clean_name(name): storable_tag(value) for name, value in tags.items()}
        words = sorted((escape_tag(name), escape_tag(value)) for name, value in clean.items() if value)
        name = escape_measurement(clean_name(measurement))
        self.prefix = ",".join([name, *(f"{key}={value}" for key, value in words)]) + " "
        self._keys = _keys(name, frozenset(clean))
        self._parts = self._keys.parts if declared else None
        self._counts = counts
        self._received_ns = 0  # the last result time given out
        self._shift_ns = 0  # STEP_SHIFT_NS for each time the clock was set back
        self._base_ns = 0  # the last phenomenon time as the device said it
        self._last_ns = 0  # the last phenomenon time given out: base, or a tie broken after it
        self._body = ""
        self._bodies: dict[str, int] | None = None
        self._late: dict[int, dict[str, int]] | None = None

    def line(
        self, fields: Mapping[str, Value], time_ns: int | None, received_ns: int, written: str | None = None
    ) -> str | None:
        """`written` are the fields as text, where the caller has it and no field has the name of a tag."""
        parts = self._parts
        try:
            if written is not None:
                text = written
            elif parts is None:
                text = body(fields, self._keys)
            else:
                text = ",".join([parts[name][value] for name, value in fields.items()])
        except _Unusual:
            text = self._storable(fields)
        if not text:
            return None
        if time_ns is None:
            last = self._received_ns
            stamp = received_ns + self._shift_ns
            if stamp <= last:
                if last - stamp > CLOCK_STEP_NS:
                    self._shift_ns += STEP_SHIFT_NS
                    stamp += STEP_SHIFT_NS
                else:
                    stamp = last + 1
            if stamp == self._last_ns:
                stamp += 1
            self._received_ns = stamp
        elif time_ns > self._last_ns:
            stamp = self._base_ns = self._last_ns = time_ns
            self._body = text
            self._bodies = None
        else:
            stamp = self._tie(text, time_ns)
        return f"{self.prefix}{text} {stamp}"

    def _storable(self, fields: Mapping[str, Value]) -> str:
        """The field part of what can be stored; empty where nothing can."""
        kept = {name: value for name, value in fields.items() if _has_text(value)}
        if kept and self._counts is not None:
            self._counts.field_errors += len(fields) - len(kept)
        return body(kept, self._keys)

    def _tie(self, text: str, time_ns: int) -> int:
        """The time for a phenomenon time that is not later than the last one.

        The same values again (a publisher's repeat) get the same time, so that storing them
        again changes nothing; other values get the next free nanosecond. A time before the
        last one altogether (backfill) stands as it is, once: further values for it lie behind
        it within the millisecond, where their own words put them. What is not known is what a
        time so far back was given before: values for it then replace the older ones.
        """
        if time_ns < self._base_ns:
            return self._backfill(text, time_ns)
        if text == self._body and time_ns == self._base_ns:
            return time_ns
        if self._bodies is None:
            self._bodies = {}
        known = self._bodies.get(text)
        if known is not None:
            return known
        self._last_ns += 1
        if len(self._bodies) < MAX_TIES:
            self._bodies[text] = self._last_ns
        return self._last_ns

    def _backfill(self, text: str, time_ns: int) -> int:
        if self._late is None:
            self._late = {}
        given = self._late.get(time_ns)
        if given is None:
            if len(self._late) >= MAX_TIES:
                del self._late[next(iter(self._late))]
            given = self._late[time_ns] = {}
        stamp = given.get(text)
        if stamp is None:
            stamp = time_ns + 1 + crc32(text.encode()) % 999_999 if given else time_ns
            if len(given) < MAX_TIES:
                given[text] = stamp
        return stamp
