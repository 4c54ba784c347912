"""ChirpStack v4: LoRaWAN uplinks with their decoded payload, and the events around them, as JSON.

    application/{application id}/device/{dev eui}/event/{up|status|join|ack|txack|log|location|integration}
    {"time": "2022-07-18T09:34:15.775023242+00:00",
     "deviceInfo": {"applicationName": "park", "deviceName": "node-1", "devEui": "0101010101010101",
                    "deviceProfileName": "soil probe", "tags": {"zone": "lake"}},
     "dr": 1, "fCnt": 10, "fPort": 1, "data": "qg==", "object": {"temperature": 21.5},
     "rxInfo": [{"gatewayId": "0016c001f153a14c", "rssi": -36, "snr": 10.5}],
     "txInfo": {"frequency": 867100000, "modulation": {"lora": {"bandwidth": 125000, "spreadingFactor": 11}}}}

The thing is the `devEui`; `device_name` is what people call it. The application's name is a tag (its id, where
it has none), and so is the device's own tag `zone`; other tags of the device are tags with `tag_` before
them. The event is the topic's last level; where no topic says it, what the message holds.

| event | reading |
|---|---|
| up | port, count, data rate, raw payload in hex, values of `object`, radio values of the gateway that heard it best |
| status | `margin_db`, `battery_pct` unless it is unavailable, `external_power_flag` |
| location | `latitude_deg`, `longitude_deg`, `altitude_m`, `accuracy_m` |
| integration | `integration_text`, `integration_event_text`, the values of `object` |
| ack, txack | `acknowledged_flag`; behind `downlink_` count, power and frequency of the downlink |
| log | `log_level_text`, `log_code_text`, `log_text` |
| join | that it joined |

All but uplinks have the text `event`. Values of `object` are named as those of The Things Stack
(devices/lorawan/names.py), those of ChirpStack's own Cayenne LPP as there, too: `{"temperatureSensor": {"3": 27.2}}` is
`temperature_3_c`. A raw payload may be read by a codec (devices/lorawan/codec.py).

What is zero is left out (proto3), so absent means zero in a part that is there: port, count and data rate of an
uplink, strength and SNR of a gateway that says one of them, margin and battery of a status, a coordinate of a place.
Of a part that is absent nothing is made up.

A value that has the wrong type or cannot be is left out and named in `field_errors`. The identity, the time, port and
count refuse the message. No bytes at all are `Empty`. An array, and one message a line, are several messages.

Version 3 (`applicationID`, `devEUI`) and protobuf are refused by name: JSON is `json=true` below
`[integration.mqtt]` in chirpstack.toml.

Limits: 256 values of `object`, 8 tags of the device with names of 32 and values of 64 characters.

Unknown: units of the values in `object`.

Source: ChirpStack documentation, "Event types" (chirpstack/chirpstack-docs, MIT); integration.proto of chirpstack.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import json as msgjson

from devices.chirpstack_v4.encode import FIELDS, encode
from devices.chirpstack_v4.message import EVENTS, DeviceInfo, Lora, Message, RxInfo, TxInfo, told_event
from devices.lorawan.codec import Codec, Raw, coded, join
from devices.lorawan.names import PayloadRefused, flatten, snake
from devices.lorawan.place import place
from devices.lorawan.raw import raw
from devices.spec.coded import CodecRefused
from devices.spec.device import MessageDevice
from devices.spec.events import DELETED, Empty, Event, Reading, SanityError, Value
from devices.spec.json_parts import PartRefused, Reader, plain, several
from devices.spec.json_time import parse_ns
from devices.spec.sequence import Bits, Sequence
from devices.spec.zone import ZONE, take_zone

MOST_TAGS = 8
LONGEST_TAG = 32
LONGEST_TAG_VALUE = 64

_LPP = {
    "digitalInput": "digital_in", "digitalOutput": "digital_out", "analogInput": "analog_in",
    "analogOutput": "analog_out", "illuminanceSensor": "illuminance", "presenceSensor": "presence",
    "temperatureSensor": "temperature", "humiditySensor": "humidity", "accelerometer": "acceleration",
    "barometer": "pressure", "gyrometer": "rotation", "gpsLocation": "gps",
}  # fmt: skip
"""What ChirpStack calls the quantities of Cayenne LPP, below each the channels."""
_LPP_UNITS = {"pressure": "_hpa", "acceleration": "_gn", "rotation": "_deg_s"}
"""Endings of those whose name does not tell it by the rule of names."""

_LEVELS, _CODES = ("INFO", "WARNING", "ERROR"), "UNKNOWN"

_message = msgjson.Decoder(Message)
_parts = Reader(
    required={
        Message: frozenset(("time", "deviceInfo", "fPort", "fCnt")),
        DeviceInfo: frozenset(("devEui",)),
    },
    instead={RxInfo: dict.fromkeys(("rssi", "snr"), float("nan"))},  # not to be taken for a zero that was left out
    each=True,
    texts=True,
)


def decode(topic: str, payload: bytes, _received_ns: int, codec: Codec | None = None) -> list[Event]:
    """The readings of one payload; a message that is refused is a SanityError in its place.

    Raw payloads are given to `codec`, where there is one.
    """
    if not payload:
        return [Empty(DELETED, payload)]
    event = topic.rpartition("/")[2]
    try:
        return [_reading(event, _message.decode(payload), [], codec)]
    except (PayloadRefused, CodecRefused) as refused:
        return [SanityError(str(refused), payload)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        return _part_by_part(event, payload, codec)


def _part_by_part(event: str, payload: bytes, codec: Codec | None) -> list[Event]:
    """The messages of a payload that could not be read whole."""
    try:
        values = several(plain(payload))
    except RecursionError:
        return [SanityError("JSON: nested too deeply", payload)]
    except ValueError as error:
        words = str(error)
        if payload[:1] == b"\n" and b"$" in payload[:3]:
            words = "protobuf, expected JSON: json=true below [integration.mqtt] in chirpstack.toml"
        return [SanityError(words, payload)]
    out: list[Event] = []
    for index, value in enumerate(values):
        try:
            if isinstance(value, ValueError):
                raise value
            message, wrong = _parts.read(value, Message, "$" if len(values) == 1 else f"$[{index}]")
            out.append(_reading(event, message, list(wrong), codec))
        except PartRefused as refused:
            out.append(SanityError(f"JSON: {refused}", payload))
        except ValueError as refused:
            out.append(SanityError(str(refused), payload))
    return out or [Empty("the array holds no message", payload)]


def _reading(event: str, message: Message, wrong: list[str], codec: Codec | None) -> Reading:
    """The reading of one event; what is in `wrong`, now or in the end, was left out of it."""
    if message.application_3 is not None or message.eui_3 is not None:
        raise PayloadRefused("an event of ChirpStack 3 (applicationID, devEUI), expected one of version 4")
    if event not in EVENTS or message.device_info is None:
        told = told_event(message)
        event = event if event in EVENTS and told else told or ""
        if not event:
            raise PayloadRefused(f"expected an event of ChirpStack: one of {', '.join(EVENTS)}")
    fields: dict[str, Value] = {}
    reading = Reading(fields)
    if message.device_info is not None:
        _identify(message.device_info, reading)
    if message.time:
        reading.time_ns = parse_ns(message.time)
    if event == "up":
        _uplink(message, reading, wrong, codec)
    else:
        fields["event"] = event
        _happening(event, message, reading, wrong)
    if wrong:
        reading.field_errors = tuple(wrong)
    return reading


def _identify(info: DeviceInfo, reading: Reading) -> None:
    fields, tags = reading.fields, reading.tags
    if info.device_name:
        fields["device_name"] = info.device_name
    if info.dev_eui:
        fields["dev_eui"] = reading.thing = info.dev_eui
    application = info.application_name or info.application_id
    if application:
        tags["application"] = application
    for key, value in sorted((info.tags or {}).items())[:MOST_TAGS]:
        name = snake(key)
        if isinstance(value, str) and 0 < len(value) <= LONGEST_TAG_VALUE and value.isprintable():
            tags[ZONE if name == ZONE else f"tag_{name[:LONGEST_TAG]}"] = value


def _uplink(message: Message, reading: Reading, wrong: list[str], codec: Codec | None) -> None:
    fields = reading.fields
    fields["f_port"] = message.f_port or 0
    fields["f_cnt"] = message.f_cnt or 0
    fields["data_rate"] = float(message.dr or 0)
    if message.data:
        raw(message.data, "payload_hex", fields, wrong, "data")
    if message.confirmed:
        fields["confirmed"] = True
    if message.rx_info:
        _best_gateway(message.rx_info, message.tx_info, fields)
    if message.tx_info is not None:
        _radio(message.tx_info, fields)
    if codec is not None and "payload_hex" in fields and _decode(message, reading, codec, wrong):
        pass
    elif message.object is not None:
        flatten(_as_named(message.object), fields, wrong)
        take_zone(reading)


def _decode(message: Message, reading: Reading, codec: Codec, wrong: list[str]) -> bool:
    """The raw payload as `codec` reads it; whether it does."""
    info = message.device_info or DeviceInfo()
    data = bytes.fromhex(str(reading.fields["payload_hex"]))
    eui, name = (info.dev_eui or "").lower(), info.device_name or ""
    profile, profile_id = info.device_profile_name or "", info.device_profile_id or ""
    said = codec(Raw(data, message.f_port or 0, eui, name, profile, profile_id, bool(message.object)))
    if said is None:
        return False
    join(said, reading.fields, wrong)
    take_zone(reading)
    return True


def _best_gateway(heard: list[RxInfo], sent: TxInfo | None, fields: dict[str, Value]) -> None:
    """What the gateway says that heard it best; of strength and SNR the one left out is zero."""
    fields["gateways"] = len(heard)
    best = max(heard, key=_strength)
    modulation = sent.modulation if sent is not None else None
    has_snr = modulation is None or (modulation.fsk is None and modulation.lr_fhss is None)
    if best.rssi is not None or best.snr is not None:
        _say(0.0 if best.rssi is None else best.rssi, "rssi_dbm", fields)
        if has_snr or best.snr is not None:
            _say(0.0 if best.snr is None else best.snr, "snr_db", fields)
    if best.gateway_id:
        fields["gateway_id"] = best.gateway_id


def _say(number: float, name: str, fields: dict[str, Value]) -> None:
    if number == number:  # NaN stands for one that was left out because it is wrong
        fields[name] = number


def _strength(heard: RxInfo) -> float:
    if heard.rssi is None:
        return float("-inf") if heard.snr is None else 0.0
    return heard.rssi if heard.rssi == heard.rssi else float("-inf")


def _radio(sent: TxInfo, fields: dict[str, Value]) -> None:
    lora: Lora | None = sent.modulation.lora if sent.modulation is not None else None
    if lora is not None:
        if lora.spreading_factor is not None:
            fields["spreading_factor"] = lora.spreading_factor
        if lora.bandwidth is not None:
            fields["bandwidth_hz"] = lora.bandwidth
    if sent.frequency is not None:
        fields["frequency_hz"] = sent.frequency


def _as_named(values: Mapping[str, Any]) -> dict[str, Any]:
    """The object, its Cayenne LPP as The Things Stack names it: quantity and channel."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        quantity = _LPP.get(key)
        if quantity is None or not isinstance(value, dict) or not all(map(str.isdigit, value)):
            found[key] = value
            continue
        for channel, inner in value.items():
            unit = _LPP_UNITS.get(quantity, "")
            if isinstance(inner, dict) and unit:
                found |= {f"{quantity}_{channel}_{axis}{unit}": number for axis, number in inner.items()}
            else:
                found[f"{quantity}_{channel}{unit}"] = inner
    return found


def _happening(event: str, message: Message, reading: Reading, wrong: list[str]) -> None:
    fields = reading.fields
    if event == "status":
        _status(message, fields)
    elif event == "location":
        if message.location is not None:
            where = message.location
            place(where.latitude, where.longitude, where.altitude, fields)
            if where.accuracy is not None:
                fields["accuracy_m"] = where.accuracy
    elif event == "integration":
        if message.integration_name:
            fields["integration_text"] = message.integration_name
        if message.event_type:
            fields["integration_event_text"] = message.event_type
        flatten(_as_named(message.object or {}), fields, wrong)
    elif event == "log":
        level, code = message.level or 0, message.code or 0
        fields["log_level_text"] = _LEVELS[level] if isinstance(level, int) and 0 <= level < 3 else str(level)
        fields["log_code_text"] = str(code) if code else _CODES
        if message.description:
            fields["log_text"] = message.description
    elif event in ("ack", "txack"):
        _downlink(event, message, fields)


def _status(message: Message, fields: dict[str, Value]) -> None:
    fields["margin_db"] = message.margin or 0.0
    external = bool(message.external_power_source)
    fields["external_power_flag"] = external
    if message.battery_level is not None or not (external or message.battery_level_unavailable):
        fields["battery_pct"] = message.battery_level or 0.0


def _downlink(event: str, message: Message, fields: dict[str, Value]) -> None:
    fields["downlink_f_cnt"] = message.f_cnt_down or 0
    if event == "ack":
        fields["acknowledged_flag"] = bool(message.acknowledged)
    if message.gateway_id:
        fields["gateway_id"] = message.gateway_id
    if message.tx_info is not None:
        if message.tx_info.power is not None:
            fields["downlink_power_dbm"] = message.tx_info.power
        if message.tx_info.frequency is not None:
            fields["downlink_frequency_hz"] = message.tx_info.frequency


DEVICE = MessageDevice(
    name="chirpstack-v4",
    title="ChirpStack 4",
    domain="lorawan",
    source='ChirpStack documentation, "Event types"; chirpstack api/proto/integration/integration.proto',
    fields=FIELDS,
    expected_every_s=600.0,
    sequence=Sequence((Bits("f_cnt", 32),)),
    open_fields=True,
    topic="application/+/device/{thing}/event/+",
    says_on="application/+/device/{thing}/event/up",
    decode=decode,
    encode=encode,
    decode_coded=coded(decode),
)
