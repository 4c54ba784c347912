"""Roomba and Braava by the broker in them: what the robot reports of its state.

    $aws/things/<blid>/shadow/update   {"state": {"reported": {"batPct": 100, "cleanMissionStatus": {"phase": "charge",
                                        "cycle": "none", "error": 0, ...}, "pose": {"theta": 61, "point": {"x": 171,
                                        "y": -113}}, ...}}}

Each message reports what has changed, so a reading has what its message had: a part of the state, never the old rest.
The object below `reported` alone (as bridges pass it on) is read as well. The thing is the topic's `<blid>`.

Described are battery, pose (mm and degrees on the robot's own map, which begins at the dock), phase and cycle of the
mission, its error, bin, dock, signal. All else is open under its names from the outermost inwards: `bbrun`, `hr` is
`bbrun_hr`. Left out is what says where somebody lives or opens a door: names and addresses of networks, the position,
the time zone, passwords, the schedule; and lists.

A subscription to `#` takes none of it at a broker that keeps to the standard: `#` is not for topics that begin with $.
The robot speaks MQTT 3.1.1 over TLS on port 8883, with `<blid>` as client id and user name, and takes one client at a
time: while the gateway is connected the telephone goes by the cloud. Newer firmware reports no pose.

Unknown: what codes of errors mean beyond the telephone's words (0 is none); the accuracy of the pose.
Source: koalazak/dorita980, README.md (state of a Roomba 980); units as given there.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from msgspec import json as msgjson

from devices.spec.device import MessageDevice
from devices.spec.errors import EncodeError
from devices.spec.events import DELETED, Empty, Event, Reading, SanityError, Value
from devices.spec.field import Field, Threshold
from devices.spec.json_object import JsonRefused, json_object
from devices.spec.names import Values, number, snake
from devices.spec.sequence import Bits, Sequence

PHASES = ("charge", "new", "run", "resume", "hmMidMsn", "recharge", "stuck", "hmUsrDock", "dock", "dockend", "evac",
          "cancelled", "stop", "pause", "hmPostMsn", "completed", "")  # fmt: skip
PRIVATE = frozenset((
    "bssid", "cloudenv", "country", "hwpartsrev", "langs", "localtimeoffset", "mac", "netinfo", "password", "pmaps",
    "position", "schedhold", "secret", "ssid", "svcendpoints", "timezone", "tz", "wifistat", "wlbssid", "wlcfg",
    "cleanschedule", "cleanschedule2", "lastcommand", "digicap", "dock_id", "cred", "token",
))  # fmt: skip
"""Keys that are not told, in small letters."""

MOST_DEEP = 6


class Key(NamedTuple):
    """Where a value stands below `reported`, and its field."""

    path: tuple[str, ...]
    field: Field


def _measure(name: str, unit: str, description: str, minimum: float, maximum: float, *,
             panel: bool = True, thresholds: tuple[Threshold, ...] = ()) -> Field:  # fmt: skip
    return Field(name, unit, description, minimum=minimum, maximum=maximum, step=1, optional=True, panel=panel,
                 thresholds=thresholds)  # fmt: skip


def _counter(name: str, description: str) -> Field:
    return Field(name, "1", description, kind="counter", minimum=0, maximum=1 << 31, step=1, optional=True)


def _flag(name: str, description: str) -> Field:
    return Field(name, "1", description, kind="flag", optional=True)


def _text(name: str, description: str) -> Field:
    return Field(name, "1", description, kind="text", optional=True, panel=False)


X = _measure("x_mm", "mm", "Position on the robot's map, x", -100_000, 100_000)
_MISSION = "cleanMissionStatus"

KEYS = (
    Key(("batPct",), _measure("battery_pct", "%", "Battery charge", 0, 100, thresholds=(
        Threshold(0.0, "bad"), Threshold(20.0, "poor"), Threshold(40.0, "good")))),
    Key(("pose", "point", "x"), X),
    Key(("pose", "point", "y"), _measure("y_mm", "mm", "Position on the robot's map, y", -100_000, 100_000)),
    Key(("pose", "theta"), _measure("theta_deg", "deg", "Orientation on the robot's map", -360, 360)),
    Key((_MISSION, "phase"), Field("phase", "1", "What it does", kind="state", states=PHASES, optional=True)),
    Key((_MISSION, "cycle"), Field("cycle", "1", "Kind of its mission, none for none", kind="text", optional=True)),
    Key((_MISSION, "error"), _counter("error_code", "Error that stopped it, 0 for none")),
    Key((_MISSION, "notReady"), _counter("not_ready_code", "Why it would not start, 0 for nothing")),
    Key((_MISSION, "initiator"), _text("initiator", "Who began the mission")),
    Key((_MISSION, "mssnM"), _measure("mission_min", "min", "Duration of the mission", 0, 1e6)),
    Key((_MISSION, "expireM"), _measure("expires_min", "min", "Until a mission that stands is given up", 0, 1e6,
                                        panel=False)),
    Key((_MISSION, "rechrgM"), _measure("recharge_min", "min", "Until a mission goes on behind a charge", 0, 1e6,
                                        panel=False)),
    Key((_MISSION, "sqft"), _measure("area_sqft", "[sft_i]", "Area that was cleaned in the mission", 0, 1e6)),
    Key((_MISSION, "nMssn"), _counter("mission_count", "Missions so far")),
    Key(("bin", "full"), _flag("bin_full", "The bin is full")),
    Key(("bin", "present"), _flag("bin_present", "The bin is there")),
    Key(("dock", "known"), _flag("dock_known", "It knows where its dock is")),
    Key(("signal", "rssi"), _measure("rssi_dbm", "dBm", "Signal of its network", -127, 20, panel=False)),
    Key(("signal", "snr"), _measure("snr_db", "dB", "Signal over noise", -50, 100, panel=False)),
    Key(("signal", "noise"), _measure("noise_dbm", "dBm", "Noise on its network", -127, 20, panel=False)),
    Key(("name",), _text("robot_name", "What its owner calls it")),
    Key(("softwareVer",), _text("software_version", "Its software")),
    Key(("sku",), _text("sku", "Its model")),
)  # fmt: skip
_BY_PATH = {key.path: key.field for key in KEYS}
FIELDS = tuple(key.field for key in KEYS)


def decode(topic: str, payload: bytes, received_ns: int) -> list[Event]:  # noqa: ARG001
    thing = _thing(topic)
    if not payload.strip():
        return [Empty(DELETED, payload, thing)]
    try:
        said = json_object(payload)
    except JsonRefused as error:
        return [SanityError(str(error), payload)]
    reported: Any = said
    for name in ("state", "reported"):
        if name in reported:
            reported = reported[name]
            if not isinstance(reported, dict):
                return [SanityError(f"{name}: expected an object, got {type(reported).__name__}", payload)]
    if reported is not said and "reported" not in (said.get("state") or said):
        return [Empty("nothing is reported", payload, thing)]  # what is wished for, or accepted
    if thing is None and reported is said and said and not any(key.path[0] in said for key in KEYS):
        return [SanityError("neither state.reported nor a part of a robot's state", payload)]
    values = Values()
    _take(reported, (), values)
    if not values.fields and not values.errors:
        return [Empty("nothing that is told", payload, thing)]
    return [Reading(values.fields, None, thing, field_errors=tuple(values.errors))]


def _thing(topic: str) -> str | None:
    levels = topic.split("/")
    return levels[2] if len(levels) > 3 and levels[:2] == ["$aws", "things"] else None


def _take(said: Mapping[str, Any], path: tuple[str, ...], values: Values) -> None:
    for name, value in said.items():
        where = (*path, name)
        if name.lower() in PRIVATE or value is None or isinstance(value, list):
            continue
        field = _BY_PATH.get(where)
        if field is not None:
            _listed(field, value, values)
        elif not isinstance(value, dict):
            values.any("_".join(snake(each) for each in where), value)
        elif len(where) < MOST_DEEP:
            _take(value, where, values)


def _listed(field: Field, value: object, values: Values) -> None:
    """A described value, if it is what it must be."""
    found: Value | None
    if field.kind == "flag":
        found = value if isinstance(value, bool) else None
    elif field.kind in ("text", "state"):
        found = value[:256] if isinstance(value, str) else None
    else:
        found = number(value)
    if found is None:
        values.wrong(f"{field.name}: expected {_EXPECTED[field.kind]}, got {str(value)[:40]!r}")
    elif isinstance(found, float) and (wrong := field.outside(found)):
        values.wrong(wrong)
    else:
        values.put(field.name, int(found) if field.kind == "counter" else found)


_EXPECTED = {"flag": "true or false", "text": "a text", "state": "a text", "counter": "a number", "measure": "a number"}


def encode(reading: Reading) -> bytes:
    """The message that reports the described fields. EncodeError for others, and for none."""
    left = dict(reading.fields)
    reported: dict[str, Any] = {}
    for key in KEYS:
        if key.field.name not in left:
            continue
        value = left.pop(key.field.name)
        room = reported
        for name in key.path[:-1]:
            room = room.setdefault(name, {})
        room[key.path[-1]] = int(value) if isinstance(value, float) and value.is_integer() else value
    if left or not reported:
        raise EncodeError(f"irobot-mqtt: {', '.join(sorted(left)) or 'nothing'}: no message reports that")
    return msgjson.encode({"state": {"reported": reported}})


DEVICE = MessageDevice(
    name="irobot-mqtt",
    title="iRobot Roomba and Braava (local MQTT)",
    domain="robot",
    source="koalazak/dorita980, README.md",
    fields=FIELDS,
    expected_every_s=60.0,
    sequence=Sequence((Bits.of(X, 6),)),
    open_fields=True,
    topic="$aws/things/{thing}/shadow/update",
    decode=decode,
    encode=encode,
)
