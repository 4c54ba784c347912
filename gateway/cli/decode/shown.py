"""Events as JSON values, one object a line, or as one short line each for a terminal.

    06:11:23.104  lamp-17  pm1.0 10 µg/m³  pm2.5 14 µg/m³  pm10 18 µg/m³  +9
    06:11:23.104  noise, 7 bytes  b'AT\\r\\nOK\\x00'  41 54 0d 0a 4f 4b 00

Of bytes that are no reading the first MOST_SHOWN are shown.
"""

import json
import re
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from devices.spec.device import Device
    from devices.spec.events import Event, Reading
    from gateway.cli.decode.lines import Lines

MOST_SHOWN = 64

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNSEEN = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Controls, line ends to some readers, and halves of characters, which no encoding can write."""


def rfc3339(time_ns: int) -> str | None:
    """UTC with three, six or nine decimals, as many as the time needs; None outside years 1 to 9999."""
    seconds, ns = divmod(time_ns, 1_000_000_000)
    digits = f"{ns:09d}"
    fraction = digits[:3] if digits.endswith("000000") else digits[:6] if digits.endswith("000") else digits
    try:
        whole = _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        return None
    return f"{whole.isoformat()[:19]}.{fraction}Z"


def shown(event: "Event", device: "Device", topic: str | None) -> dict[str, Any]:
    """One event as JSON values."""
    from devices.spec.events import Empty, IntegrityError, Noise, Reading

    if isinstance(event, Reading):
        return _shown_reading(event, device, topic)
    told: dict[str, Any] = {"bytes": len(event.data), **bytes_shown(event.data)}
    if isinstance(event, Empty):
        return {"event": "empty", "detail": event.detail, **told}
    if isinstance(event, Noise):
        return {"event": "noise", **({"detail": event.why} if event.why else {}), **told}
    kind = "integrity" if isinstance(event, IntegrityError) else "sanity"
    return {"event": "error", "kind": kind, "detail": event.detail, **told}


def bytes_shown(data: bytes) -> dict[str, str]:
    """The first MOST_SHOWN bytes, as hex and as ASCII with a dot for what is none."""
    head = data[:MOST_SHOWN]
    return {"hex": head.hex(), "ascii": "".join(chr(byte) if 32 <= byte < 127 else "." for byte in head)}


def _shown_reading(event: "Reading", device: "Device", topic: str | None) -> dict[str, Any]:
    from devices.spec.device import MessageDevice

    thing = event.thing
    if isinstance(device, MessageDevice) and topic is not None:
        from gateway.routes import matcher

        match = matcher(device.topic).match(topic)
        if match is not None:
            thing = match.groupdict().get("thing") or thing
    return {
        "event": "reading",
        "device": device.name,
        "fields": event.fields,
        "time": None if event.time_ns is None else rfc3339(event.time_ns),
        "thing": thing,
        "tags": event.tags,
        "units": units(event, device),
        **({"field_errors": list(event.field_errors)} if event.field_errors else {}),
    }


def units(event: "Reading", device: "Device") -> dict[str, str]:
    """UCUM units of the fields present: as described, else as the ending of an open field's name says."""
    from devices.spec.units import UNITS

    described = {field.name: field.unit for field in device.fields}
    found: dict[str, str] = {}
    for name, value in event.fields.items():
        if name in described:
            found[name] = described[name]
        elif device.open_fields and isinstance(value, float):
            ends = [unit for unit in UNITS.values() if unit.suffix and name.endswith("_" + unit.suffix)]
            if ends:
                found[name] = max(ends, key=lambda unit: len(unit.suffix)).ucum
    return found


def lines(live: bool) -> "Lines":
    """What writes lines at a terminal. It brings rich, which no other command is to wait for."""
    from gateway.cli.decode.lines import Lines

    return Lines(live)


class Printed:
    """Events as lines on standard output. Adjacent noise becomes one line, with less than `hold`
    bytes of it kept back at the end of a list of events, for more may follow.

    With `terminal` one short line each, else JSON. `live` events have the present time.
    """

    def __init__(
        self, device: "Device", topic: str | None, hold: int, *, terminal: bool = False, live: bool = False
    ) -> None:
        self._device = device
        self._topic = topic
        self._hold = hold
        self._noise = 0
        self._head = b""
        self._lines = lines(live) if terminal else None

    def events(self, events: "list[Event]") -> None:
        from devices.spec.events import Noise

        for event in events:
            if isinstance(event, Noise) and not event.why:
                if self._noise < MOST_SHOWN:
                    self._head += event.data[: MOST_SHOWN - self._noise]
                self._noise += len(event.data)
            else:
                self._say_noise()
                self._say(shown(event, self._device, self._topic), event)
        if self._noise >= self._hold:
            self._say_noise()
        sys.stdout.flush()

    def end(self) -> None:
        self._say_noise()
        sys.stdout.flush()

    def _say_noise(self) -> None:
        if self._noise:
            values: dict[str, Any] = {"event": "noise", "bytes": self._noise, **bytes_shown(self._head)}
            self._say(values, None)
            self._noise, self._head = 0, b""

    def _say(self, values: dict[str, Any], event: "Event | None") -> None:
        if self._lines is None:
            sys.stdout.write(one_line(values) + "\n")
        else:
            self._lines.say(values, event, self._device)


def one_line(values: dict[str, Any]) -> str:
    """JSON that is one line to every reader; letters of any script stay as they are."""
    return _UNSEEN.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(values, ensure_ascii=False))
