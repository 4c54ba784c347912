"""The Things Stack v3: LoRaWAN uplinks with their decoded payload, and the events around them.

    v3/{application}@{tenant}/devices/{device}/up
    {"end_device_ids": {"device_id": "dev1", "dev_eui": "0004A30B001C0530"},
     "received_at": "2020-02-12T15:15:46.014773143Z",
     "uplink_message": {"f_port": 2, "f_cnt": 1, "frm_payload": "gkHe",
       "decoded_payload": {"temperature": 1.0},
       "rx_metadata": [{"gateway_ids": {"gateway_id": "gtw1"}, "rssi": -35, "snr": 5}],
       "settings": {"data_rate": {"lora": {"bandwidth": 125000, "spreading_factor": 7}},
                    "frequency": "868300000"}}}

One uplink is one reading of the thing `device_id`: `f_port` and `f_cnt`, the raw payload in hex, the
decoded values (`names.py` says how they are named), the radio values of the gateway that heard it
best, and the place: the device's own, else the solved one, else the registered one. The application
is a tag, and so is a decoded text `zone`. `received_at` of the message is the time, to the nanosecond;
where the message has none, that of the uplink. The first entry of a normalised
payload joins the reading; one with a time of its own, and each further one, is its own reading.

What is zero is left out (proto3), so absent means zero in a part that is there: the ports and counts
of an uplink, and of a downlink that was sent, the SNR where a gateway says a signal strength and the
modulation has one (LoRa), latitude, longitude and altitude of a location that has one of the first two.
Of a part that is absent nothing is made up: a gateway that says nothing of the signal has neither.

A value that has the wrong type or cannot be is left out and named in `field_errors`: of the decoded
payload, a gateway, a location, a setting, the raw payload. The identity, a time, `f_port` and `f_cnt`
refuse the message. An uplink without a decoded payload is a reading of the rest, unless a codec reads
it (devices/lorawan/codec.py); an array without a message and no bytes at all are `Empty`. A byte order
mark and blanks before the message are ignored.

Wrappers are opened: `result` (storage integration), `data` (event stream), an array of messages,
and one message a line.

Any other message of the device's topics (`join`, `down/ack`, `down/queued`, `location/solved`,
`service/data` ...) is a reading with the text `event` (`downlink_ack`) and, behind
`downlink_`, port, counter and payload of the downlink; what a service says beside (`data`) is taken as decoded
values are. An event has no `f_cnt`, so that the count of uplinks stays whole.

Limits: `f_port` 0 to 255, `f_cnt` 32 bits, the first 256 values of a payload.

What the payload formatter warns of (`decoded_payload_warnings`, `normalized_payload_warnings`) is the text
`codec_warnings_text`, as that of a codec of parkgate's is; its values are taken all the same.

Unknown: units of the decoded values.

Source: The Things Stack documentation, "Data Formats" and "MQTT Server"
(TheThingsIndustries/lorawan-stack-docs); api/application.proto of lorawan-stack.
"""

import math
from collections.abc import Iterable

import msgspec
from msgspec import json as msgjson

from devices.lorawan.codec import Codec, Raw, coded, join, warn
from devices.lorawan.fields import FIELDS
from devices.lorawan.names import PayloadRefused, flatten
from devices.lorawan.place import place
from devices.lorawan.raw import raw
from devices.spec.device import MessageDevice
from devices.spec.events import DELETED, Empty, Event, Reading, SanityError, Value
from devices.spec.json_parts import PartRefused, Reader, plain, several
from devices.spec.json_time import parse_ns
from devices.spec.sequence import Bits, Sequence
from devices.spec.zone import take_zone
from devices.ttn_v3.encode import encode
from devices.ttn_v3.message import (
    EVENTS,
    ApplicationIds,
    DeviceIds,
    Happening,
    Location,
    Message,
    RxMetadata,
    Uplink,
)
from devices.ttn_v3.radio import radio

_MAX_WRAPPERS = 4

_SENT = frozenset(("downlink_ack", "downlink_nack", "downlink_sent", "downlink_queued"))
"""Events of a downlink that has its count; one that failed may never have got one."""

_message = msgjson.Decoder(Message)
_messages = msgjson.Decoder(list[Message])
_parts = Reader(
    required={
        Message: frozenset(("end_device_ids", "received_at", "uplink_message", "result", "data")),
        DeviceIds: frozenset(("device_id", "dev_eui", "application_ids")),
        ApplicationIds: frozenset(("application_id",)),
        Uplink: frozenset(("f_port", "f_cnt", "received_at")),
        Happening: frozenset(("received_at",)),
        Location: frozenset(("latitude", "longitude")),
    },
    instead={  # not to be taken for a zero that was left out
        RxMetadata: dict.fromkeys(("rssi", "channel_rssi", "snr"), math.nan),
        Happening: dict.fromkeys(("f_port", "f_cnt"), -1),
    },
    each=True,
    texts=True,
)


def decode(_topic: str, payload: bytes, _received_ns: int, codec: Codec | None = None) -> list[Event]:
    """The readings of one payload; a message that is refused is a SanityError in its place.

    What no formatter of the server has decoded is given to `codec`, where there is one.
    """
    out: list[Event] = []
    try:
        messages = _read(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return _second_look(payload, error, codec) if payload else [Empty(DELETED, payload)]
    for message in messages:
        try:
            out.extend(_readings(message, [], codec))
        except ValueError as error:
            out.append(SanityError(_words(error), payload))
    return out or [Empty("the array holds no message", payload)]


def _second_look(payload: bytes, error: Exception, codec: Codec | None) -> list[Event]:
    """The messages of a payload that could not be read whole, part by part; `error` where that cannot be."""
    try:
        values = several(plain(payload))
    except RecursionError as deep:
        return [SanityError(_words(deep), payload)]
    except ValueError as wide:
        return [SanityError(str(wide) if "expected UTF-8" in str(wide) else _words(error), payload)]
    out: list[Event] = []
    for index, value in enumerate(values):
        if isinstance(value, ValueError):
            out.append(SanityError(_words(value), payload))
            continue
        try:
            message, wrong = _parts.read(value, Message, "$" if len(values) == 1 else f"$[{index}]")
            out.extend(_readings(message, list(wrong), codec))
        except PartRefused as refused:
            out.append(SanityError(f"JSON: {refused}", payload))
        except ValueError as refused:
            out.append(SanityError(str(refused), payload))
    return out or [Empty("the array holds no message", payload)]


def _words(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "JSON: nested too deeply"
    return f"JSON: {error}" if isinstance(error, msgspec.DecodeError | UnicodeDecodeError) else str(error)


def _read(payload: bytes) -> list[Message]:
    if payload[:1] != b"{":
        return _messages.decode(payload)
    try:
        return [_message.decode(payload)]
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        if b"\n{" not in payload:
            raise
        return _message.decode_lines(payload)


def _readings(message: Message, wrong: list[str], codec: Codec | None) -> Iterable[Reading]:
    """The readings of one message; what is in `wrong`, now or in the end, was left out of it."""
    for _ in range(_MAX_WRAPPERS):
        inner = message.result or message.data
        if message.uplink_message is not None or inner is None:
            break
        message = inner
    ids = message.end_device_ids
    fields: dict[str, Value] = {}
    tags: dict[str, str] = {}
    thing = None
    if ids is not None:
        thing = _identify(ids, fields, tags)
    if message.simulated:
        fields["simulated"] = True
    uplink = message.uplink_message
    if uplink is None:
        return _event(message, Reading(fields, None, thing, tags), wrong)
    at = message.received_at or uplink.received_at
    reading = Reading(fields, parse_ns(at) if at else None, thing, tags)
    radio(uplink, fields, wrong)
    if codec is not None and "payload_hex" in fields and _decode(uplink, reading, codec, wrong):
        pass
    else:
        if uplink.decoded_payload:
            flatten(uplink.decoded_payload, fields, wrong)
            take_zone(reading)
        warn((*(uplink.decoded_payload_warnings or ()), *(uplink.normalized_payload_warnings or ())), fields)
    if uplink.last_battery_percentage is not None and uplink.last_battery_percentage.value is not None:
        fields.setdefault("battery_pct", uplink.last_battery_percentage.value)
    out = [reading]
    if uplink.normalized_payload:
        out.extend(_normalised(uplink.normalized_payload, reading, wrong))
    if uplink.locations:
        _put(_own_place(uplink.locations), fields)
    if wrong:
        reading.field_errors = tuple(wrong)
    return out


def _identify(ids: DeviceIds, fields: dict[str, Value], tags: dict[str, str]) -> str | None:
    if ids.device_id:
        fields["device_id"] = ids.device_id
    if ids.dev_eui:
        fields["dev_eui"] = ids.dev_eui
    if ids.application_ids is not None and ids.application_ids.application_id:
        tags["application"] = ids.application_ids.application_id
    return ids.device_id or ids.dev_eui or None


def _decode(uplink: Uplink, reading: Reading, codec: Codec, wrong: list[str]) -> bool:
    """The raw payload as `codec` reads it; whether it does."""
    fields, version = reading.fields, uplink.version_ids
    profile = f"{version.brand_id or ''}/{version.model_id or ''}" if version is not None else ""
    eui = str(fields.get("dev_eui", "")).lower()
    data, decoded = bytes.fromhex(str(fields["payload_hex"])), bool(uplink.decoded_payload)
    said = codec(Raw(data, uplink.f_port or 0, eui, reading.thing or "", profile, decoded=decoded))
    if said is None:
        return False
    join(said, fields, wrong)
    take_zone(reading)
    return True


def _normalised(entries: object, reading: Reading, wrong: list[str]) -> Iterable[Reading]:
    """The first measurement joins the reading; one with a time of its own, and each further one, does not."""
    for index, entry in enumerate(entries if isinstance(entries, list) else [entries]):
        values = dict(entry)
        at = values.pop("time", None)
        time_ns = reading.time_ns
        if at is not None:
            try:
                time_ns = parse_ns(at if isinstance(at, str) else "")
            except ValueError:
                wrong.append(f"normalized_payload[{index}].time: expected a date and time, got {at!r:.40}")
                continue
        joins = index == 0 and at is None
        fields: dict[str, Value] = reading.fields if joins else {}
        flatten(values, fields, wrong, normalised=True)
        if fields and not joins:
            yield Reading(fields, time_ns, reading.thing, dict(reading.tags))


def _own_place(locations: dict[str, Location]) -> Location:
    """The device's own word, then a solved place, then what a person registered."""
    for source in ("frm-payload", *sorted(locations.keys() - {"user"}), "user"):
        if source in locations:
            return locations[source]
    raise PayloadRefused("locations: expected a location")


def _put(where: Location, fields: dict[str, Value]) -> None:
    place(where.latitude, where.longitude, where.altitude, fields)


def _event(message: Message, reading: Reading, wrong: list[str]) -> list[Reading]:
    """A message that is no uplink: what happened, and the downlink or place it is about."""
    for name in EVENTS:
        happening: Happening | None = getattr(message, name)
        if happening is not None:
            break
    else:
        raise PayloadRefused(f"expected uplink_message or one of {', '.join(EVENTS)}")
    fields = reading.fields
    fields["event"] = name
    at = message.received_at or happening.received_at
    if at:
        reading.time_ns = parse_ns(at)
    if name.startswith("downlink"):
        _downlink(happening.downlink or happening, name in _SENT, fields, wrong)
    if happening.error is not None:
        fields["error"] = ":".join(part for part in (happening.error.namespace, happening.error.name) if part)
    if happening.service:
        fields["service"] = happening.service
    if happening.data:
        flatten(happening.data, fields, wrong)
    if happening.location is not None:
        _put(happening.location, fields)
    out = [reading]
    if happening.normalized_payload:
        out.extend(_normalised(happening.normalized_payload, reading, wrong))
    warn(happening.normalized_payload_warnings or (), fields)
    if wrong:
        reading.field_errors = tuple(wrong)
    return out


def _downlink(downlink: Happening, was_sent: bool, fields: dict[str, Value], wrong: list[str]) -> None:
    port, count = downlink.f_port, downlink.f_cnt
    if was_sent and (port is not None or count is not None or downlink.frm_payload):
        port, count = port or 0, count or 0
    if port is not None and port >= 0:
        fields["downlink_f_port"] = port
    if count is not None and count >= 0:
        fields["downlink_f_cnt"] = count
    if downlink.frm_payload:
        raw(downlink.frm_payload, "downlink_payload_hex", fields, wrong)
    if downlink.priority:
        fields["downlink_priority"] = downlink.priority
    if downlink.confirmed:
        fields["downlink_confirmed"] = True


DEVICE = MessageDevice(
    name="ttn-v3",
    title="The Things Stack v3",
    domain="lorawan",
    source='The Things Stack documentation, "Data Formats"; lorawan-stack api/application.proto',
    fields=FIELDS,
    expected_every_s=600.0,
    sequence=Sequence((Bits("f_cnt", 32),)),
    open_fields=True,
    topic="v3/+/devices/{thing}/up",
    decode=decode,
    decode_coded=coded(decode),
    encode=encode,
)
