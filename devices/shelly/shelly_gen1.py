"""Shelly of the first generation over MQTT: most values are plain text on a topic of their own.

    shellies/<id>/relay/0                on | off | overpower
    shellies/<id>/relay/0/power          12.5, …: `paths` has all of them
    shellies/<id>/sensor/temperature     21.5
    shellies/<id>/input_event/0          {"event": "S", "event_cnt": 2}
    shellies/<id>/light/0/status         {"ison": true, "brightness": 40, …}; color, white likewise
    shellies/<id>/info, status           the whole status, the same as over HTTP
    shellies/<id>/online                 true | false, retained, the last as its will
    shellies/<id>/announce, …/command    no readings

| message | reading |
|---|---|
| a plain value | that one |
| info, status, …/status | all that is in it; time: `unixtime`, where that is more than a minute ago |
| input_event | `input_event_text` (S, SS, SSS, L, …), `input_event_count` |
| online | `online_flag`, standing |

The thing is the level behind `shellies`. A plain value has no time of its own; retained (the setting `mqtt_retain`) it
is old and is not stored.

Unknown: topics that are not in `paths`; they are counted, with nothing to report.

Limits: 32 channels; else those of `devices.spec.names`.

Source: shelly-api-docs.shelly.cloud, Gen1: "MQTT", "/status" of each device.
"""

from typing import Any

from msgspec import json as msgjson

from devices.shelly.fields import GEN1, ONLINE, RAM_FREE
from devices.shelly.paths import LISTS, OBJECTS, PLAIN, Path, ending, put, read_status, topic_path
from devices.shelly.relay import COMMANDS
from devices.spec.device import MessageDevice
from devices.spec.errors import EncodeError
from devices.spec.events import DELETED, Empty, Event, Reading, SanityError
from devices.spec.json_object import JsonRefused, json_object
from devices.spec.names import Values, flag_name, number_name
from devices.spec.sequence import Bits, Sequence

ROOT = "shellies"
KEPT_NS = 60_000_000_000
_EARLIEST_S = 946_684_800  # 2000-01-01
_SILENT = frozenset(("announce", "command", "set", "settings"))
_STATUSES = frozenset(("info", "status"))
_WORDS = {b"true": True, b"false": False}


def decode(topic: str, payload: bytes, received_ns: int) -> list[Event]:
    levels = topic.split("/")
    at = levels.index(ROOT) if ROOT in levels[:-1] else -1
    if at < 0:
        return [SanityError(f"topic {topic[:100]!r}: expected {ROOT}/ID/…", payload)]
    thing, own = levels[at + 1], levels[at + 2 :]
    if not own or own[-1] in _SILENT:
        return [Empty("an announcement or a command: no reading", payload, thing if own else None)]
    if not payload.strip():
        return [Empty(DELETED, payload, thing)]
    try:
        return [_event(own, payload, thing, received_ns)]
    except JsonRefused as error:
        return [SanityError(f"{'/'.join(own)[:60]}: {error}", payload)]


def _event(own: list[str], payload: bytes, thing: str, received_ns: int) -> Event:
    values = Values()
    if own == ["online"]:
        word = _WORDS.get(payload.strip())
        if word is None:
            return SanityError("online: expected true or false", payload)
        return Reading({ONLINE.name: word}, thing=thing, standing=True)
    time_ns = None
    if own[-1] in _STATUSES and len(own) == 1:
        status = json_object(payload)
        read_status(values, status)
        time_ns = _time_ns(status.get("unixtime"), received_ns)
    elif own[-1] == "status" and len(own) == 3:
        read_status(values, {"lights": {own[1]: json_object(payload)}})
    elif own[0] == "input_event" and len(own) == 2:
        read_status(values, {"inputs": {own[1]: json_object(payload)}})
    elif own[0] in ("ext_temperatures", "ext_humidities") and len(own) == 1:
        read_status(values, {own[0].replace("ities", "ity").removesuffix("s"): json_object(payload)})
    else:
        _plain(values, own, payload)
    if not values.fields and not values.errors:
        return Empty(f"{'/'.join(own)[:60]}: no values", payload, thing)
    return Reading(values.fields, time_ns, thing, field_errors=tuple(values.errors))


def _plain(values: Values, own: list[str], payload: bytes) -> None:
    """A value that is the payload."""
    text = payload.strip().decode("utf-8", "replace")
    if own[0] == "relay" and len(own) == 2:
        channel = ending(int(own[1])) if own[1].isdecimal() and len(own[1]) < 4 else ""
        put(values, Path("output", kind="flag"), channel, "off" if text == "overpower" else text)
        if text == "overpower":
            values.flag("overpower" + channel, True)
        return
    path, behind = topic_path(own)
    if path is None:
        return
    if text.startswith("["):
        text = ",".join(part.strip().strip('"') for part in text.strip("[]").split(",")[:16])
    put(values, path, behind, text)


def _time_ns(said: object, received_ns: int) -> int | None:
    """Of a status that was kept; one that is said now came when it was received, which is known finer."""
    if isinstance(said, bool) or not isinstance(said, int) or not _EARLIEST_S <= said < 10**10:
        return None
    time_ns = said * 1_000_000_000
    return time_ns if received_ns - time_ns > KEPT_NS else None


def _places() -> dict[str, tuple[str, str]]:
    """Field to the part of a status and the key in it, of the first that has it."""
    found: dict[str, tuple[str, str]] = {}
    for part, table in (("", PLAIN), *LISTS.items(), *OBJECTS.items()):
        for key, path in table.items():
            name = flag_name(path.stem) if path.kind == "flag" else number_name(path.stem, path.unit)
            if path.kind != "text" and "." not in key:
                found.setdefault(name, (part, key))
    return found | {"temperature_c": ("tmp", "tC"), "battery_pct": ("bat", "value"), "illuminance_lx": ("lux", "value")}


_PLACES = _places()


def encode(reading: Reading) -> bytes:
    """The `info` of a device; with `online_flag` alone true or false."""
    if not reading.fields:
        raise EncodeError("shelly-gen1: a status needs values")
    if reading.fields.keys() == {ONLINE.name}:
        return b"true" if reading.fields[ONLINE.name] else b"false"
    status: dict[str, Any] = {}
    for name, value in reading.fields.items():
        if name == ONLINE.name:
            continue
        if name not in _PLACES:
            raise EncodeError(f"shelly-gen1: {name} is no value of a status")
        part, key = _PLACES[name]
        plain = int(value) if isinstance(value, float) and value.is_integer() else value
        if not part:
            status[key] = plain
        elif part in LISTS:
            status.setdefault(part, [{}])[0][key] = plain
        else:
            status.setdefault(part, {})[key] = plain
    if reading.time_ns is not None:
        status["unixtime"] = reading.time_ns // 1_000_000_000
    return msgjson.encode(status)


DEVICE = MessageDevice(
    name="shelly-gen1",
    title="Shelly, first generation",
    domain="park",
    source="shelly-api-docs.shelly.cloud, Gen1: MQTT, /status of each device",
    fields=GEN1,
    expected_every_s=30.0,
    sequence=Sequence((Bits.of(RAM_FREE, 6),)),
    open_fields=True,
    topic=f"{ROOT}/{{thing}}/#",
    says_on=f"{ROOT}/{{thing}}/info",
    decode=decode,
    encode=encode,
    commands=COMMANDS,
)
