"""Tasmota: what a module publishes, in whatever order its full topic has the levels.

    tele/<topic>/SENSOR     {"Time": "2024-05-06T07:08:09", "AM2301": {"Temperature": 21.5}, "TempUnit": "C"}
    tele/<topic>/STATE      {"Uptime": "0T05:00:00", "UptimeSec": 18000, "POWER": "ON", "Wifi": {"Signal": -64, ...}}
    tele/<topic>/LWT        Online | Offline, retained, the last as its will
    stat/<topic>/RESULT     {"POWER": "ON"}, {"Switch1": {"Action": "ON"}}, ... : answers and events
    stat/<topic>/POWER2     ON | OFF
    stat/<topic>/STATUS8    {"StatusSNS": {...}}; 10 likewise, 11 {"StatusSTS": {...}}, 0 with all of them
    cmnd/<topic>/...        commands: no readings

| message | reading |
|---|---|
| SENSOR, STATE and other objects below tele | all values: `values`, `keys` |
| LWT | `online_flag`, standing |
| STATUS... | those of StatusSNS and StatusSTS |
| RESULT, and answers on topics of their own below stat | the state of relays, lights, shutters, switches and buttons;
  answers about settings have nothing to report |
| INFO1 to INFO3, HASS_STATE, tasmota/discovery/... | nothing to report |

The full topic is set in the module (`%prefix%/%topic%/`, `%topic%/%prefix%/`, with words around): the prefix is the
first level that is tele, stat or cmnd, and the thing is what is left without the prefix and the last level; with
`{thing}` in the subscription it is that level. A Zigbee bridge's devices (`ZbReceived`) are readings of the bridge with
the tag `node`.

`Time` is the local time of the module without a zone, so the time is that of receipt. Where the module has been told to
say its offset (SetOption52), that time is the reading's. A retained message without a zone is old and is not stored.

Unknown: prefixes and words (StateText, LWT) that were compiled in or set otherwise.

Limits: those of `values`.

Source: tasmota.github.io/docs, "MQTT", "Commands", "JSON Status Responses".
"""

import re
from typing import Any

from devices.spec.device import MessageDevice
from devices.spec.events import DELETED, Empty, Event, Reading, SanityError
from devices.spec.json_object import JsonRefused, json_object, json_value
from devices.spec.json_time import parse_ns
from devices.spec.sequence import Bits, Sequence
from devices.tasmota.commands import COMMANDS
from devices.tasmota.encode import PREFIXES, encode
from devices.tasmota.fields import FIELDS, ONLINE, POWER
from devices.tasmota.values import Reader

_WILL = {"ONLINE": True, "OFFLINE": False}
_SILENT = frozenset(("HASS_STATE", "INFO", "INFO1", "INFO2", "INFO3", "LOGGING", "MARGINS"))
_STATES = re.compile(
    r"(POWER|Dimmer|Channel|Shutter|Switch|Button)\d*|White|CT|Color|HSBColor|FanSpeed|StatusSNS|StatusSTS|"
    r"[A-Z][A-Za-z]+Received"
)
_POWER = re.compile(r"POWER\d*")
_STATUS = re.compile(r"STATUS\d*")
_ZONE = re.compile(r"(Z|[+-]\d\d:?\d\d)$")


def decode(topic: str, payload: bytes, received_ns: int) -> list[Event]:  # noqa: ARG001
    levels = topic.split("/")
    last, levels = levels[-1], levels[:-1]
    at = next((place for place, level in enumerate(levels) if level in PREFIXES), None)
    if at is None:
        if levels[:1] == ["tasmota"]:
            return [Empty("an announcement: no reading", payload)]
        return [SanityError(f"topic {topic[:100]!r}: expected a level tele, stat or cmnd", payload)]
    thing = "/".join((*levels[:at], *levels[at + 1 :])) or None
    prefix = levels[at]
    if prefix == "cmnd":
        return [Empty("a command, no reading", payload, thing)]
    if not payload.strip():
        return [Empty(DELETED, payload, thing)]
    if last == "LWT":
        return [_will(payload, thing)]
    if last in _SILENT:
        return [Empty(f"{last}: no reading", payload, thing)]
    try:
        if prefix == "stat" and _POWER.fullmatch(last):
            return _readings({last: _word(payload)}, thing, payload)
        if prefix == "tele":
            return _readings(json_object(payload), thing, payload)
        return _answer(last, json_value(payload), thing, payload)
    except JsonRefused as error:
        if prefix == "stat" and last != "RESULT" and payload[:1] not in b"{[":
            return [Empty(f"{last[:60]}: no reading", payload, thing)]
        return [SanityError(f"{last[:60]}: {error}", payload)]


def _will(payload: bytes, thing: str | None) -> Event:
    word = _WILL.get(payload.strip().decode("utf-8", "replace").upper())
    if word is None:
        return SanityError("LWT: expected Online or Offline", payload)
    return Reading({ONLINE.name: word}, thing=thing, standing=True)


def _word(payload: bytes) -> str:
    return payload.strip().decode("utf-8", "replace")


def _answer(last: str, said: Any, thing: str | None, payload: bytes) -> list[Event]:
    """What is below stat: the answer to a command, or what has happened."""
    if not isinstance(said, dict):
        return [Empty(f"{last[:60]}: no reading", payload, thing)]
    kept = {key: value for key, value in said.items() if _STATES.fullmatch(key)}
    if not kept:
        return [Empty(f"{last[:60]}: an answer about settings", payload, thing)]
    if not _STATUS.fullmatch(last):
        return _readings(kept, thing, payload)
    events: list[Event] = []
    for key in ("StatusSNS", "StatusSTS"):
        if isinstance(kept.get(key), dict):
            events += _readings(kept[key], thing, payload)
    return events or [Empty(f"{last[:60]}: no reading", payload, thing)]


def _readings(message: dict[str, Any], thing: str | None, payload: bytes) -> list[Event]:
    reader = Reader()
    reader.read(message)
    time_ns = _time_ns(message.get("Time"))
    events: list[Event] = [
        Reading(values.fields, time_ns, thing, {"node": node[:64]}, tuple(values.errors))
        for node, values in reader.nodes.items()
    ]
    own = reader.values
    if own.fields or own.errors:
        events.append(Reading(own.fields, time_ns, thing, field_errors=tuple(own.errors)))
    return events or [Empty("no values", payload, thing)]


def _time_ns(said: object) -> int | None:
    """A time with its zone; one without is nobody's."""
    if not isinstance(said, str) or len(said) > 40 or not _ZONE.search(said[19:]):
        return None
    try:
        return parse_ns(said)
    except ValueError:
        return None


DEVICE = MessageDevice(
    name="tasmota",
    title="Tasmota modules",
    domain="park",
    source="tasmota.github.io/docs: MQTT, JSON Status Responses, Power Monitoring",
    fields=FIELDS,
    expected_every_s=300.0,
    sequence=Sequence((Bits.of(POWER, 6),)),
    open_fields=True,
    topic="tele/{thing}/+",
    says_on="tele/{thing}/SENSOR",
    decode=decode,
    encode=encode,
    commands=COMMANDS,
)
