"""The message in which The Things Stack says a reading; its shape is in `message.py`."""

import binascii
import math

from msgspec import json as msgjson

from devices.lorawan.codec import WARNINGS
from devices.lorawan.fields import WIRE
from devices.lorawan.names import DOWNLINK, ENVELOPE, number_name, word_name
from devices.spec.errors import EncodeError
from devices.spec.events import Reading, Value
from devices.spec.json_time import format_ns
from devices.spec.zone import ZONE
from devices.ttn_v3.message import EVENTS

_OTHER_GATEWAY_DB = 10.0


def encode(reading: Reading) -> bytes:
    """The message as The Things Stack publishes it: an uplink, or with a field `event` that event.

    `device_id` is taken from the fields or else from `thing`. Of the gateways, the first is the
    one of `rssi_dbm`, the others hear 10 dB less. EncodeError: a name that decoding would
    change, a number that is not finite, a payload that is no hex.
    """
    fields = reading.fields
    ids: dict[str, object] = {}
    device_id = fields.get("device_id", reading.thing)
    if device_id is not None and ("device_id" in fields or device_id != fields.get("dev_eui")):
        ids["device_id"] = device_id
    if "application" in reading.tags:
        ids["application_ids"] = {"application_id": reading.tags["application"]}
    if "dev_eui" in fields:
        ids["dev_eui"] = fields["dev_eui"]
    message: dict[str, object] = {"end_device_ids": ids} if ids else {}
    if reading.time_ns is not None:
        message["received_at"] = format_ns(reading.time_ns)
    if "event" in fields:
        event = str(fields["event"])
        if event not in EVENTS:
            raise EncodeError(f"ttn-v3: event {event!r} is none of {', '.join(EVENTS)}")
        message[event] = _happening(fields)
    else:
        message["uplink_message"] = _uplink(fields, reading.tags.get(ZONE))
    if fields.get("simulated"):
        message["simulated"] = True
    return msgjson.encode(message)


def _uplink(fields: dict[str, Value], zone: str | None) -> dict[str, object]:
    uplink: dict[str, object] = {}
    for name in ("f_port", "f_cnt"):
        if fields.get(name):
            uplink[name] = fields[name]
    if "payload_hex" in fields:
        uplink["frm_payload"] = _base64(fields["payload_hex"])
    decoded = _decoded({name: value for name, value in fields.items() if name not in ENVELOPE and name != WARNINGS})
    if zone is not None:
        decoded[ZONE] = zone
    if decoded:
        uplink["decoded_payload"] = decoded
    if fields.get(WARNINGS):
        uplink["decoded_payload_warnings"] = str(fields[WARNINGS]).split("; ")
    if fields.keys() & {"gateways", "rssi_dbm", "snr_db"}:
        uplink["rx_metadata"] = _rx_metadata(fields)
    settings = _settings(fields)
    if settings:
        uplink["settings"] = settings
    if fields.get("confirmed"):
        uplink["confirmed"] = True
    if "airtime_s" in fields:
        uplink["consumed_airtime"] = f"{fields['airtime_s']}s"
    return uplink


def _decoded(fields: dict[str, Value]) -> dict[str, Value]:
    """What a payload formatter said; texts and booleans without their ending where that name is free."""
    numbers = {_key(name, value): value for name, value in fields.items() if not isinstance(value, bool | str)}
    decoded: dict[str, Value] = dict(numbers)
    for name, value in fields.items():
        if isinstance(value, bool | str):
            ending = "_flag" if isinstance(value, bool) else "_text"
            names = [key for key in (name.removesuffix(ending), name) if key and word_name(key, ending) == name]
            if not names:
                raise EncodeError(f"ttn-v3: {name[:40]!r} is not lower snake with {ending} behind it")
            decoded[names[0] if names[0] not in decoded else names[-1]] = value
    return decoded


def _key(name: str, value: float) -> str:
    if not math.isfinite(value):
        raise EncodeError(f"ttn-v3: {name} is {value}, expected a finite number")
    key = WIRE.get(name, name)
    if number_name(key) != name or name in DOWNLINK:
        raise EncodeError(f"ttn-v3: a payload formatter cannot say {name[:40]!r}: it would read {number_name(key)!r}")
    return key


def _rx_metadata(fields: dict[str, Value]) -> list[dict[str, object]]:
    best: dict[str, object] = {"gateway_ids": {"gateway_id": fields.get("gateway_id", "gateway-1")}}
    if "gateway_id" not in fields:
        del best["gateway_ids"]
    rssi = fields.get("rssi_dbm")
    if (rssi is None) != ("snr_db" not in fields):
        raise EncodeError("ttn-v3: a gateway that says rssi_dbm or snr_db says both: what is left out is zero")
    if rssi is not None:
        best |= {"rssi": rssi, "channel_rssi": rssi, "snr": fields["snr_db"]}
    heard = [best]
    for number in range(2, int(fields.get("gateways", 1)) + 1):
        other: dict[str, object] = {"gateway_ids": {"gateway_id": f"gateway-{number}"}}
        if rssi is not None:
            other["rssi"] = float(rssi) - _OTHER_GATEWAY_DB
        heard.append(other)
    return heard


def _settings(fields: dict[str, Value]) -> dict[str, object]:
    settings: dict[str, object] = {}
    lora = {
        label: fields[name]
        for label, name in (("bandwidth", "bandwidth_hz"), ("spreading_factor", "spreading_factor"))
        if name in fields
    }
    if lora:
        settings["data_rate"] = {"lora": lora}
    if "frequency_hz" in fields:
        settings["frequency"] = f"{fields['frequency_hz']:.0f}"
    return settings


def _base64(text: Value) -> str:
    try:
        return binascii.b2a_base64(bytes.fromhex(str(text)), newline=False).decode("ascii")
    except ValueError:
        raise EncodeError(f"ttn-v3: payload {text!r:.40} is no hex") from None


def _happening(fields: dict[str, Value]) -> dict[str, object]:
    happening: dict[str, object] = {
        label: fields[name]
        for label, name in (
            ("f_port", "downlink_f_port"),
            ("f_cnt", "downlink_f_cnt"),
            ("confirmed", "downlink_confirmed"),
            ("priority", "downlink_priority"),
            ("service", "service"),
        )
        if name in fields
    }
    if "downlink_payload_hex" in fields:
        happening["frm_payload"] = _base64(fields["downlink_payload_hex"])
    return happening
