"""The Things Stack v3: LoRaWAN uplinks with their decoded payload, and the events around them.

    v3/{application}@{tenant}/devices/{device}/up
    {"end_device_ids": {"device_id": "dev1", "dev_eui": "0004A30B001C0530"},
     "received_at": "2020-02-12T15:15:46.014773143Z",
     "uplink_message": {"f_port": 2, "f_cnt": 1, "frm_payload": "gkHe",
       "decoded_payload": {"temperature": 1.0},
       "rx_metadata": [{"gateway_ids": {"gateway_id": "gtw1"}, "rssi": -35, "snr": 5}],
       "settings": {"data_rate": {"lora": {"bandwidth": 125000, "spreading_factor": 7}},
                    "frequency": "868300000"}}}

One uplink is one reading of the thing `device_id`: `f_port` and `f_cnt` (0 where left out),
the raw payload in hex, the decoded values (`names.py` says how they are named), the radio
values of the gateway that heard it best, and the place: the device's own, else the solved one,
else the registered one. The application is a tag. `received_at` of the message is the time, to
the nanosecond; where the message has none, that of the uplink. The first entry of a normalised
payload joins the reading; one with a time of its own, and each further one, is its own reading.

Wrappers are opened: `result` (storage integration), `data` (event stream), an array of messages,
and one message a line.

Any other message of the device's topics (`join`, `down/ack`, `down/queued`, `location/solved`,
`service/data` ...) is a reading with the text `event` (`downlink_ack`) and, behind
`downlink_`, port, counter and payload of the downlink; an event has no `f_cnt`, so that the
count of uplinks stays whole.

Limits: `f_port` 0 to 255, `f_cnt` 32 bits, payload of at most 256 values; a payload that no
formatter decoded gives the radio values alone.

Unknown: units of the decoded values; `decoded_payload_warnings` are not stored.

Source: The Things Stack documentation, "Data Formats" and "MQTT Server"
(TheThingsIndustries/lorawan-stack-docs); api/application.proto of lorawan-stack.
"""

import binascii
import math
from collections.abc import Iterable

import msgspec
from msgspec import json as msgjson

from devices.spec.device import MessageDevice
from devices.spec.events import Event, Reading, SanityError, Value
from devices.spec.json_time import parse_ns
from devices.spec.sequence import Bits, Sequence
from devices.ttn_v3.encode import FIELDS, encode
from devices.ttn_v3.message import EVENTS, DeviceIds, Happening, Location, Message, RxMetadata, Settings, Uplink
from devices.ttn_v3.names import PayloadRefused, flatten

_MAX_WRAPPERS = 4

_message = msgjson.Decoder(Message)
_messages = msgjson.Decoder(list[Message])


def decode(_topic: str, payload: bytes, _received_ns: int) -> list[Event]:
    """The readings of one payload; a message that is refused is a SanityError in its place."""
    out: list[Event] = []
    try:
        for message in _read(payload):
            try:
                out.extend(_readings(message))
            except ValueError as error:
                out.append(SanityError(_words(error), payload))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return [SanityError(_words(error), payload)]
    return out or [SanityError("the array holds no message", payload)]


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


def _readings(message: Message) -> Iterable[Reading]:
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
        return _event(message, Reading(fields, None, thing, tags))
    at = message.received_at or uplink.received_at
    reading = Reading(fields, parse_ns(at) if at else None, thing, tags)
    _radio(uplink, fields)
    if uplink.decoded_payload:
        flatten(uplink.decoded_payload, fields)
    if uplink.last_battery_percentage is not None and uplink.last_battery_percentage.value is not None:
        fields.setdefault("battery_pct", uplink.last_battery_percentage.value)
    out = [reading]
    if uplink.normalized_payload:
        out.extend(_normalised(uplink.normalized_payload, reading))
    if uplink.locations:
        _place(_own_place(uplink.locations), fields)
    return out


def _identify(ids: DeviceIds, fields: dict[str, Value], tags: dict[str, str]) -> str | None:
    if ids.device_id:
        fields["device_id"] = ids.device_id
    if ids.dev_eui:
        fields["dev_eui"] = ids.dev_eui
    if ids.application_ids is not None and ids.application_ids.application_id:
        tags["application"] = ids.application_ids.application_id
    return ids.device_id or ids.dev_eui or None


def _radio(uplink: Uplink, fields: dict[str, Value]) -> None:
    """Port, count, raw payload and what the gateways heard."""
    fields["f_port"] = uplink.f_port or 0
    fields["f_cnt"] = uplink.f_cnt or 0
    if uplink.frm_payload:
        fields["payload_hex"] = _hex(uplink.frm_payload)
    if uplink.confirmed:
        fields["confirmed"] = True
    if uplink.rx_metadata:
        _best_gateway(uplink.rx_metadata, fields)
    if uplink.settings is not None:
        _settings(uplink.settings, fields)
    if uplink.consumed_airtime:
        fields["airtime_s"] = _number(uplink.consumed_airtime.removesuffix("s"), "consumed_airtime")


def _best_gateway(heard: list[RxMetadata], fields: dict[str, Value]) -> None:
    fields["gateways"] = len(heard)
    best = heard[0]
    strongest = _strength(best)
    for other in heard[1:]:
        strength = _strength(other)
        if strength > strongest:
            best, strongest = other, strength
    if strongest > -math.inf:
        fields["rssi_dbm"] = strongest
    if best.snr is not None:
        fields["snr_db"] = best.snr
    if best.gateway_ids is not None and best.gateway_ids.gateway_id:
        fields["gateway_id"] = best.gateway_ids.gateway_id


def _strength(heard: RxMetadata) -> float:
    strength = heard.channel_rssi if heard.rssi is None else heard.rssi
    return -math.inf if strength is None else strength


def _settings(settings: Settings, fields: dict[str, Value]) -> None:
    lora = settings.data_rate.lora if settings.data_rate is not None else None
    if lora is not None:
        if lora.spreading_factor is not None:
            fields["spreading_factor"] = lora.spreading_factor
        if lora.bandwidth is not None:
            fields["bandwidth_hz"] = lora.bandwidth
    if settings.frequency is not None:
        fields["frequency_hz"] = _number(settings.frequency, "settings.frequency")


def _number(text: str | float, where: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise PayloadRefused(f"{where}: expected a number, got {text!r:.40}")
    return number


def _hex(base64: str) -> str:
    try:
        return binascii.a2b_base64(base64, strict_mode=True).hex()
    except ValueError:
        return _hex_of_other_form(base64)


def _hex_of_other_form(base64: str) -> str:
    """The forms that the JSON mapping of proto3 allows besides: URL-safe, and without padding."""
    standard = base64.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return binascii.a2b_base64(standard + "=" * (-len(standard) % 4), strict_mode=True).hex()
    except ValueError:
        raise PayloadRefused(f"frm_payload: expected base64, got {base64[:40]!r}") from None


def _normalised(entries: object, reading: Reading) -> Iterable[Reading]:
    """The first measurement joins the reading; one with a time of its own, and each further one, does not."""
    for index, entry in enumerate(entries if isinstance(entries, list) else [entries]):
        values = dict(entry)
        at = values.pop("time", None)
        joins = index == 0 and not isinstance(at, str)
        fields: dict[str, Value] = reading.fields if joins else {}
        flatten(values, fields, normalised=True)
        if not joins:
            time_ns = parse_ns(at) if isinstance(at, str) else reading.time_ns
            yield Reading(fields, time_ns, reading.thing, dict(reading.tags))


def _own_place(locations: dict[str, Location]) -> Location:
    """The device's own word, then a solved place, then what a person registered."""
    for source in ("frm-payload", *sorted(locations.keys() - {"user"}), "user"):
        if source in locations:
            return locations[source]
    raise PayloadRefused("locations: expected a location")


def _place(place: Location, fields: dict[str, Value]) -> None:
    if "latitude_deg" in fields or "longitude_deg" in fields:
        return
    for name, value in (
        ("latitude_deg", place.latitude),
        ("longitude_deg", place.longitude),
        ("altitude_m", place.altitude),
    ):
        if value is not None:
            fields[name] = value


def _event(message: Message, reading: Reading) -> list[Reading]:
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
        _downlink(happening.downlink or happening, fields)
    if happening.error is not None:
        fields["error"] = ":".join(part for part in (happening.error.namespace, happening.error.name) if part)
    if happening.service:
        fields["service"] = happening.service
    if happening.location is not None:
        _place(happening.location, fields)
    if happening.normalized_payload:
        return [reading, *_normalised(happening.normalized_payload, reading)]
    return [reading]


def _downlink(downlink: Happening, fields: dict[str, Value]) -> None:
    if downlink.f_port is not None:
        fields["downlink_f_port"] = downlink.f_port
    if downlink.f_cnt is not None:
        fields["downlink_f_cnt"] = downlink.f_cnt
    if downlink.frm_payload:
        fields["downlink_payload_hex"] = _hex(downlink.frm_payload)
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
    encode=encode,
)
