"""Lines and payloads of one mapped type to events, and a reading back to its text.

What comes out of a text, in this order:

* a comment, a line without the prefix, a header line, a line in which nothing that is mapped can be read:
  noise (what a board says while it starts)
* a text that is damaged, and a reading whose time, identity or required field is bad: a sanity error
* readings; a bad value of an optional field is left out and named in `field_errors`
* none of them, and nothing bad: empty, the device is alive and has nothing to say

A text is at most one error, however many of its readings are bad. What is not mapped is left alone.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from devices.spec.errors import EncodeError
from devices.spec.events import Empty, Event, Noise, Reading, SanityError, Value
from devices.spec.mapping.forms import Columns, Form, Json, Place, form_of
from devices.spec.mapping.path import Getter
from devices.spec.mapping.table import TypeRow
from devices.spec.mapping.value import Give, Take, giver, missing, shown, taker, time_given, time_taker

MOST_ERRORS = 3
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class Spot(NamedTuple):
    """One field: where it stands, how it is read and written. `proof`: that it reads proves a reading."""

    name: str
    place: Place
    get: Getter
    take: Take
    give: Give
    required: bool
    proof: bool


class Text:
    """The texts of one type. Remembers a header line until `begin`."""

    def __init__(self, row: TypeRow) -> None:
        self._row = row
        self._form: Form = form_of(row)
        self._columns = self._form if isinstance(self._form, Columns) else None
        self._json = self._form if isinstance(self._form, Json) else None
        words = all(field.kind == "text" for field in row.fields)
        self._spots = tuple(
            Spot(
                field.name,
                field.place,
                self._form.place(field.place),
                taker(field, row.decimal),
                giver(field, row.decimal),
                field.required,
                words or field.kind != "text",
            )
            for field in row.fields
        )
        self._names = frozenset(field.name for field in row.fields)
        self._time: tuple[Getter, Callable[[object], int | None]] | None = None
        if row.time is not None:
            self._time = self._form.place(row.time.place), time_taker(row.time.unit, row.decimal)
        self._thing = self._form.place(row.thing) if row.thing is not None else None
        self.is_whole = self._form.is_whole
        self.begin = self._form.begin

    def events(self, text: str, data: bytes, alone: bool = False) -> list[Event]:
        """What a text means; `alone`: it is a whole payload, not one line of many. `data` are its bytes."""
        if "\x1b" in text:
            text = _COLOUR.sub("", text)
        try:
            readings = self._form.readings(text, alone)
        except ValueError as error:
            return [SanityError(str(error), data)]
        if readings is None:
            return [Noise(data)]
        if len(readings) == 1:
            return [self._event(*readings[0], data)]
        events: list[Event] = []
        wrong: list[str] = []
        for number, (reading, payload) in enumerate(readings, 1):
            event = self._event(reading, payload, data)
            if isinstance(event, Reading):
                events.append(event)
            elif not isinstance(event, Empty):
                wrong.append(f"reading {number}: {event.detail}")
        if wrong:
            more = f"; and {len(wrong) - MOST_ERRORS} more" if len(wrong) > MOST_ERRORS else ""
            events.append(SanityError("; ".join(wrong[:MOST_ERRORS]) + more, data))
        return events or [Empty("no values", data)]

    def _event(self, reading: object, payload: object, data: bytes) -> Event:
        if self._json is not None and (why := self._json.unfit(reading)) is not None:
            return SanityError(why, data)
        fields: dict[str, Value] = {}
        errors: list[str] = []
        refused = ""
        proof = False
        for name, _place, get, take, _give, required, proves in self._spots:
            try:
                value = take(get(reading, payload))
            except ValueError as error:
                errors.append(f"{name}: {error}")
                if required:
                    refused = refused or errors[-1]
                continue
            if value is not None:
                fields[name] = value
                proof = proof or proves
            elif required:
                refused = refused or f"{name} is missing"
        if self._columns is not None:
            if errors and not proof:
                return Noise(data)
            why = self._columns.unfit(reading)
            if why is not None:
                return SanityError(why, data) if proof else Noise(data)
        if not fields:
            return SanityError("; ".join(errors[:MOST_ERRORS]), data) if errors else Empty("no values", data)
        if refused:
            return SanityError(refused, data)
        try:
            time_ns, thing = self._stamp(reading, payload)
        except ValueError as error:
            return SanityError(str(error), data)
        return Reading(fields, time_ns, thing, field_errors=tuple(errors))

    def _stamp(self, reading: object, payload: object) -> tuple[int | None, str | None]:
        """Time and identity of a reading; ValueError where what stands there is none."""
        time_ns = thing = None
        if self._time is not None:
            get, take = self._time
            try:
                time_ns = take(get(reading, payload))
            except ValueError as error:
                raise ValueError(f"time: {error}") from None
        if self._thing is not None:
            name = self._thing(reading, payload)
            if isinstance(name, bool) or not isinstance(name, str | int | None):
                raise ValueError(f"thing: expected a text or a whole number, got {shown(name)}")
            thing = None if name is None or missing(str(name).strip()) else str(name).strip()
        return time_ns, thing

    def written(self, reading: Reading) -> str:
        """The text by which a device would say the reading, without a line end.

        EncodeError: a field that is not mapped, a value that would not come back, no value at all.
        """
        unknown = reading.fields.keys() - self._names
        if unknown:
            raise EncodeError(f"{self._row.name}: {', '.join(sorted(unknown))}: not mapped")
        values: list[tuple[Place, object]] = []
        if self._row.thing is not None and reading.thing is not None:
            values.append((self._row.thing, reading.thing))
        if self._row.time is not None and reading.time_ns is not None:
            values.append((self._row.time.place, time_given(reading.time_ns, self._row.time.unit)))
        for spot in self._spots:
            value = reading.fields.get(spot.name)
            if value is not None:
                values.append((spot.place, spot.give(value)))
            elif spot.required:
                raise EncodeError(f"{self._row.name}: {spot.name} is missing")
        if not reading.fields:
            raise EncodeError(f"{self._row.name}: no values")
        if self._json is not None:
            return self._json.written(values)
        text = self._form.written([(place, self._word(value)) for place, value in values])
        if any(char < " " and char != "\t" for char in text) or "\x7f" in text:
            raise EncodeError(f"{self._row.name}: a text holds a control character")
        return text

    def _word(self, value: object) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, float) and self._row.decimal == ",":
            return repr(value).replace(".", ",")
        return str(value)
