"""Shelly of the second generation and later (Plus, Pro, Mini, Gen3, Gen4, Wall Display, BLU gateways) over MQTT.

    <prefix>/events/rpc               {"src": "shellyplus1pm-…", "method": "NotifyStatus",
                                       "params": {"ts": 1631186545.04, "switch:0": {"id": 0, "apower": 0.8}}}
                                      NotifyFullStatus likewise with all components, NotifyEvent with events
    <prefix>/status/<component>       {"id": 0, "apower": 0.8, …}, where `status_ntf` is on
    <prefix>/online                   true | false, retained, the last as its will
    <prefix>/rpc, command, debug/log  questions, answers, commands: no readings

| message | reading |
|---|---|
| NotifyFullStatus, NotifyStatus | the values of all components in it (`components`); time: `ts` |
| NotifyEvent | one for each event: `<component>_event_text`; time: its `ts`. Of `shelly-blu` the values of the BLU
  device, with its address as the tag `node` |
| status/... | those of the component; without a time |
| online | `online_flag`, standing |

A NotifyStatus says what has changed, and a reading has just that: nothing is added from before. The thing is the prefix
(`mqtt.topic_prefix`, the device's id unless it is set); with `{thing}` in the subscription it is that level. Where
`rpc_ntf` and `status_ntf` are both on, a value comes twice, with and without its time.

A time before 2000 is that of a device that has no clock yet; the time is then that of receipt.

Unknown: units of scaled values (`xpercent`, `xvoltage`) and of BTHome sensors behind a gateway (`bthomesensor:…`):
they are in its configuration only. Such values are kept without a unit.

Limits: 64 components and 64 events in a message; else those of `devices.spec.names`.

Source: shelly-api-docs.shelly.cloud, Gen2+: "Notifications", "RPC Protocol", "MQTT", "Component and Services".
"""

from collections.abc import Mapping
from typing import Any

from devices.shelly.commands import COMMANDS
from devices.shelly.components import BEACON, component, read
from devices.shelly.fields import GEN2, ONLINE, POWER
from devices.shelly.notify import encode
from devices.spec.device import MessageDevice
from devices.spec.events import DELETED, Empty, Event, Reading, SanityError
from devices.spec.json_object import JsonRefused, json_object
from devices.spec.names import Values, snake
from devices.spec.sequence import Bits, Sequence

MOST = 64
_EARLIEST_S = 946_684_800  # 2000-01-01
_SILENT = (("rpc",), ("command",), ("debug", "log"))
_WORDS = {b"true": True, b"false": False}


def decode(topic: str, payload: bytes, received_ns: int) -> list[Event]:  # noqa: ARG001
    levels = topic.split("/")
    try:
        if levels[-1] == "online" and payload.strip():
            return [_online("/".join(levels[:-1]), payload)]
        if not payload.strip():
            return [Empty(DELETED, payload)]
        if levels[-2:] == ["events", "rpc"]:
            return _notified(json_object(payload), "/".join(levels[:-2]), payload)
        if len(levels) > 1 and levels[-2] == "status":
            return [_status(levels[-1], json_object(payload), "/".join(levels[:-2]), payload)]
        if "command" in levels or any(tuple(levels[-len(last) :]) == last for last in _SILENT):
            return [Empty("no notification: no reading", payload)]
    except JsonRefused as error:
        return [SanityError(f"{'/'.join(levels[-2:])[:60]}: {error}", payload)]
    expected = "expected …/events/rpc, …/status/COMPONENT or …/online"
    return [SanityError(f"topic {topic[:100]!r}: {expected}", payload)]


def _online(thing: str, payload: bytes) -> Event:
    word = _WORDS.get(payload.strip())
    if word is None:
        return SanityError("online: expected true or false", payload)
    return Reading({ONLINE.name: word}, thing=thing or None, standing=True)


def _status(name: str, status: Mapping[str, Any], thing: str, payload: bytes) -> Event:
    which, values = component(name), Values()
    if which is None:
        return Empty(f"status of {name[:60]}: no values", payload, thing or None)
    read(values, which, status)
    return _event(values, None, thing, payload)


def _event(values: Values, time_ns: int | None, thing: str, payload: bytes) -> Event:
    if not values.fields and not values.errors:
        return Empty("no values", payload, thing or None)
    return Reading(values.fields, time_ns, thing or None, field_errors=tuple(values.errors))


def _notified(frame: Mapping[str, Any], prefix: str, payload: bytes) -> list[Event]:
    source, method, params = frame.get("src"), frame.get("method"), frame.get("params")
    thing = prefix or (source if isinstance(source, str) else "")
    if method is None and params is None:
        method, params = "NotifyFullStatus", frame.get("result", frame)  # what Shelly.GetStatus answers
    if not isinstance(params, dict):
        return [SanityError("events/rpc: expected a notification with params", payload)]
    if method == "NotifyEvent":
        return _events(params, thing, payload)
    if method not in ("NotifyStatus", "NotifyFullStatus"):
        return [Empty(f"{str(method)[:60]}: no reading", payload, thing or None)]
    values = Values()
    for name, status in list(params.items())[:MOST]:
        which = component(name) if isinstance(status, dict) else None
        if which is not None:
            read(values, which, status)
    return [_event(values, _time_ns(params.get("ts")), thing, payload)]


def _events(params: Mapping[str, Any], thing: str, payload: bytes) -> list[Event]:
    told = params.get("events")
    found: list[Event] = []
    for each in told[:MOST] if isinstance(told, list) else ():
        which = component(str(each.get("component"))) if isinstance(each, dict) else None
        if which is None or not isinstance(each.get("event"), str):
            continue
        time_ns = _time_ns(each.get("ts", params.get("ts")))
        data = each.get("data")
        if each["event"] == "shelly-blu" and isinstance(data, dict):
            found.append(_beacon(data, time_ns, thing))
        else:
            stem = "_".join(part for part in (which.kind + which.behind, "event") if part)
            found.append(Reading({f"{stem}_text": each["event"][:128]}, time_ns, thing or None))
    return found or [Empty("no events", payload, thing or None)]


def _beacon(data: Mapping[str, Any], time_ns: int | None, thing: str) -> Event:
    """What a BLU device has said, by the maker's script."""
    values = Values()
    for name, value in data.items():
        key = BEACON.get(name)
        if key is not None and key.unit:
            values.number(key.stem, value, key.unit)
        elif key is not None:
            values.any(key.stem, value)
        elif isinstance(value, bool | int | float) and name not in ("pid", "BTHome_version", "encryption"):
            values.any(snake(name), value)
    node = data.get("address")
    tags = {"node": node[:64]} if isinstance(node, str) and node else {}
    return Reading(values.fields, time_ns, thing or None, tags, tuple(values.errors))


def _time_ns(said: object) -> int | None:
    """Seconds since 1970, to the millisecond; None where the device has no clock yet."""
    if isinstance(said, bool) or not isinstance(said, int | float) or not _EARLIEST_S <= said < 1e10:
        return None
    return round(said * 1e3) * 1_000_000


DEVICE = MessageDevice(
    name="shelly-gen2",
    title="Shelly, second generation and later",
    domain="park",
    source="shelly-api-docs.shelly.cloud, Gen2+: Notifications, MQTT, Component and Services",
    fields=GEN2,
    expected_every_s=60.0,
    sequence=Sequence((Bits.of(POWER, 6),)),
    open_fields=True,
    topic="shelly/{thing}/#",
    says_on="shelly/{thing}/events/rpc",
    decode=decode,
    encode=encode,
    commands=COMMANDS,
)
