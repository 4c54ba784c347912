"""OwnTracks: where telephones are, as their owners let them say.

    owntracks/<user>/<device>                {"_type": "location", "lat": 22.42, "lon": 114.21, "tst": 1700000000, …}
    owntracks/<user>/<device>/event          {"_type": "transition", "event": "enter", "desc": "Home", …}
    owntracks/<user>/<device>/waypoint       {"_type": "waypoint", "desc": "Home", "rad": 50, …}; waypoints: several
    owntracks/<user>/<device>/status, step, beacon, …

| `_type` | reading |
|---|---|
| location | place, accuracy, altitude, speed, course, battery, …, and `online_flag` true; time: `tst` |
| transition | `transition_text` enter or leave, `region_text`, the place; time: `tst` |
| waypoint, waypoints | one for each: `waypoint_text`, its place and radius; time: `tst` |
| steps, beacon, status | their values |
| lwt | `online_flag` false, standing: its will |
| encrypted | nothing to report: only who has the key can read it |
| cmd, card, configuration, request, dump | nothing to report |

The thing is `user/device`; with `owntracks/+/{thing}/#` it is the device alone, and the user's name is stored nowhere.

Where people are is personal data: subscribe to it with their consent only, keep it no longer than it is needed, and
let nobody see a board who has no business there. Left out are initials (`tid`), the names and addresses of networks
(`SSID`, `BSSID`) and pictures (card).

A battery of -1 is unknown; a negative speed, course or accuracy is none; with a negative `acc` the place is void.
Numbers may be texts, as in waypoints.

Limits: MOST_WAYPOINTS waypoints of one message; else those of `devices.spec.names`.

Source: owntracks.org/booklet/tech/json.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from msgspec import json as msgjson

from devices.spec.device import MessageDevice
from devices.spec.errors import EncodeError
from devices.spec.events import DELETED, Empty, Event, Reading, SanityError
from devices.spec.field import Field, Threshold
from devices.spec.json_object import JsonRefused, json_object
from devices.spec.names import Values, number, snake
from devices.spec.sequence import Bits, Sequence

MOST_WAYPOINTS = 256
_EARLIEST_S = 946_684_800  # 2000-01-01
_SUFFIXES = frozenset(
    ("event", "waypoint", "waypoints", "status", "step", "steps", "beacon", "info", "cmd", "dump", "request")
)
_SILENT = frozenset(("cmd", "card", "configuration", "request", "dump", "msg"))
_BATTERY = {1: "unplugged", 2: "charging", 3: "full"}
_CONNECTIONS = {"w": "wifi", "m": "mobile", "o": "offline"}
_TRIGGERS = {"p": "ping", "c": "region", "C": "region", "b": "beacon", "r": "request", "u": "manual", "t": "timer",
             "v": "visit"}  # fmt: skip

LATITUDE = Field("latitude_deg", "deg", "Latitude, WGS 84", minimum=-90, maximum=90, step=0.000001, optional=True)
LONGITUDE = Field("longitude_deg", "deg", "Longitude, WGS 84", minimum=-180, maximum=180, step=0.000001, optional=True)
ONLINE = Field("online_flag", "1", "It says where it is; false once its connection is lost", kind="flag", optional=True)
BATTERY_STATE = Field("battery_state", "1", "What the battery does", kind="state", optional=True,
                      states=tuple(_BATTERY.values()))  # fmt: skip


class Key(NamedTuple):
    """A key of a location, its field, and whether a negative number says that there is none."""

    name: str
    field: Field
    signed: bool = False


KEYS = (
    Key("acc", Field("accuracy_m", "m", "How far off the place may be", minimum=0, maximum=1e6, step=1, optional=True)),
    Key("alt", Field("altitude_m", "m", "Altitude above the sea", minimum=-1000, maximum=100_000, step=1,
                     optional=True), signed=True),
    Key("vac", Field("vertical_accuracy_m", "m", "How far off the altitude may be", minimum=0, maximum=1e6, step=1,
                     optional=True, panel=False)),
    Key("vel", Field("speed_km_h", "km/h", "Speed", minimum=0, maximum=2000, step=1, optional=True)),
    Key("cog", Field("course_deg", "deg", "Course over ground", minimum=0, maximum=360, step=1, optional=True)),
    Key("batt", Field("battery_pct", "%", "Battery charge", minimum=0, maximum=100, step=1, optional=True,
                      thresholds=(Threshold(0.0, "bad"), Threshold(10.0, "poor"), Threshold(25.0, "good")))),
    Key("p", Field("pressure_kpa", "kPa", "Air pressure", minimum=10, maximum=200, step=0.001, optional=True)),
    Key("rad", Field("radius_m", "m", "Radius of the region that was entered or left", minimum=0, maximum=1e7, step=1,
                     optional=True, panel=False)),
)  # fmt: skip

FIELDS = (LATITUDE, LONGITUDE, *(key.field for key in KEYS), BATTERY_STATE, ONLINE)


def decode(topic: str, payload: bytes, received_ns: int) -> list[Event]:  # noqa: ARG001
    thing = _thing(topic)
    if not payload.strip():
        return [Empty(DELETED, payload, thing)]
    try:
        said = json_object(payload)
    except JsonRefused as error:
        return [SanityError(str(error), payload)]
    kind = str(said.get("_type"))
    if kind == "location":
        return [_location(said, thing, payload)]
    if kind == "lwt":
        return [Reading({ONLINE.name: False}, thing=thing, standing=True)]
    if kind == "transition":
        return [_transition(said, thing, payload)]
    if kind in ("waypoint", "waypoints"):
        return _waypoints(said, thing, payload)
    if kind == "encrypted":
        return [Empty("encrypted: nothing that can be read", payload, thing)]
    if kind in _SILENT:
        return [Empty(f"{kind}: no reading", payload, thing)]
    if kind in ("steps", "status", "beacon"):
        return [_others(kind, said, thing, payload)]
    return [SanityError(f"_type: expected location, transition, waypoint, lwt, …, got {kind[:40]!r}", payload)]


def _thing(topic: str) -> str | None:
    levels = topic.split("/")
    if levels[-1] in _SUFFIXES and len(levels) > 3:
        levels.pop()
    return "/".join(levels[-2:]) or None


def _place(values: Values, said: Mapping[str, Any], prefix: str = "") -> None:
    """The place; none where its accuracy says that it is void."""
    accuracy = number(said.get("acc"))
    if accuracy is not None and accuracy < 0:
        return
    for key, field in (("lat", LATITUDE), ("lon", LONGITUDE)):
        found = number(said.get(key))
        if found is None:
            values.wrong(f"{key}: expected a number, got {str(said.get(key))[:40]!r}")
        elif wrong := field.outside(found):
            values.wrong(wrong)
        else:
            values.put(prefix + field.name, found)


def _numbers(values: Values, said: Mapping[str, Any]) -> None:
    for key in KEYS:
        value = said.get(key.name)
        found = number(value)
        if value is None or (found is not None and found < 0 and not key.signed):
            continue
        if found is None:
            values.wrong(f"{key.name}: expected a number, got {str(value)[:40]!r}")
        elif wrong := key.field.outside(found):
            values.wrong(wrong)
        else:
            values.put(key.field.name, found)


def _location(said: Mapping[str, Any], thing: str | None, payload: bytes) -> Event:
    values = Values()
    _place(values, said)
    _numbers(values, said)
    state = said.get("bs")
    if type(state) is int and state in _BATTERY:
        values.put(BATTERY_STATE.name, _BATTERY[state])
    for key, name, words in (("t", "trigger_text", _TRIGGERS), ("conn", "connection_text", _CONNECTIONS)):
        word = said.get(key)
        if isinstance(word, str) and word:
            values.put(name, words.get(word, word[:20]))
    regions = said.get("inregions")
    if isinstance(regions, list):
        values.put("region_text", ",".join(str(each) for each in regions)[:4096])
    for key in ("poi", "tag"):
        if isinstance(said.get(key), str):
            values.text(key, said[key])
    values.put(ONLINE.name, True)
    return _event(values, said, thing, payload)


def _transition(said: Mapping[str, Any], thing: str | None, payload: bytes) -> Event:
    values = Values()
    event = said.get("event")
    if event not in ("enter", "leave"):
        return SanityError(f"transition: expected enter or leave, got {str(event)[:40]!r}", payload)
    values.put("transition_text", event)
    if isinstance(said.get("desc"), str):
        values.put("region_text", said["desc"][:4096])
    if "lat" in said or "lon" in said:
        _place(values, said)
    return _event(values, said, thing, payload)


def _waypoints(said: Mapping[str, Any], thing: str | None, payload: bytes) -> list[Event]:
    """Places that somebody has defined."""
    several = said.get("waypoints")
    rows = several if said.get("_type") == "waypoints" and isinstance(several, list) else [said]
    events: list[Event] = []
    for row in rows[:MOST_WAYPOINTS]:
        if isinstance(row, dict) and ("lat" in row or "desc" in row):
            values = Values()
            if "lat" in row:
                _place(values, {key: row.get(key) for key in ("lat", "lon")}, "waypoint_")
            if isinstance(row.get("desc"), str):
                values.put("waypoint_text", row["desc"][:4096])
            if row.get("rad") is not None:
                values.number("waypoint_radius", row["rad"], "m")
            events.append(_event(values, row, thing, payload))
    return events or [Empty("no waypoints", payload, thing)]


def _others(kind: str, said: Mapping[str, Any], thing: str | None, payload: bytes) -> Event:
    """Steps, beacons and the status of the app, by their own names."""
    values = Values()
    for name, value in said.items():
        if name in ("_type", "tst", "_id", "tid", "from", "to", "uuid"):
            continue
        if isinstance(value, dict):
            for inner, each in value.items():
                if not isinstance(each, dict | list):
                    values.any(f"{kind}_{snake(name)}_{snake(inner)}", each)
        elif kind == "beacon" and name in ("rssi", "acc"):
            values.number(
                "beacon_rssi" if name == "rssi" else "beacon_distance", value, "dBm" if name == "rssi" else "m"
            )
        elif not isinstance(value, list):
            values.any(kind if name == kind else f"{kind}_{snake(name)}", value)
    return _event(values, said, thing, payload)


def _event(values: Values, said: Mapping[str, Any], thing: str | None, payload: bytes) -> Event:
    if not values.fields and not values.errors:
        return Empty("no values", payload, thing)
    seconds = number(said.get("tst"))
    timed = seconds is not None and _EARLIEST_S <= seconds < 1e10
    time_ns = round(seconds * 1e3) * 1_000_000 if timed and seconds is not None else None
    return Reading(values.fields, time_ns, thing, field_errors=tuple(values.errors))


_NAMES = {LATITUDE.name: "lat", LONGITUDE.name: "lon", **{key.field.name: key.name for key in KEYS}}
_STATES = {word: state for state, word in _BATTERY.items()}


def encode(reading: Reading) -> bytes:
    """A location; with `online_flag` alone, and false, a last will."""
    if not reading.fields:
        raise EncodeError("owntracks: a location needs values")
    seconds = None if reading.time_ns is None else reading.time_ns // 1_000_000_000
    said: dict[str, Any] = {"_type": "location", "tid": (reading.thing or "x")[-2:]}
    if reading.fields == {ONLINE.name: False}:
        said = {"_type": "lwt"}
    for name, value in reading.fields.items():
        if name in _NAMES:
            said[_NAMES[name]] = int(value) if isinstance(value, float) and value.is_integer() else value
        elif name == BATTERY_STATE.name:
            said["bs"] = _STATES[str(value)]
        elif name != ONLINE.name:
            raise EncodeError(f"owntracks: {name} is no value of a location")
    if seconds is not None:
        said["tst"] = seconds
    return msgjson.encode(said)


DEVICE = MessageDevice(
    name="owntracks",
    title="OwnTracks telephones",
    domain="park",
    source="owntracks.org/booklet/tech/json",
    fields=FIELDS,
    expected_every_s=3600.0,
    sequence=Sequence((Bits.of(LATITUDE, 6),)),
    open_fields=True,
    topic="owntracks/+/{thing}/#",
    says_on="owntracks/+/{thing}",
    decode=decode,
    encode=encode,
)
