"""The event in which ChirpStack says a reading; its shape is in `message.py`."""

import binascii
import math

from msgspec import json as msgjson

from devices.chirpstack_v4.message import EVENTS
from devices.lorawan.fields import FIELDS as LORAWAN
from devices.lorawan.fields import WIRE
from devices.lorawan.names import ENVELOPE, number_name, word_name
from devices.spec.errors import EncodeError
from devices.spec.events import Reading, Value
from devices.spec.field import Field
from devices.spec.json_time import format_ns

FIELDS = (
    *(field for field in LORAWAN if field.name != "airtime_s"),
    Field("data_rate", "1", "Data rate of the uplink, an index of the region's table", minimum=0, maximum=15, step=1,
          panel=False),
    Field("margin_db", "dB", "Signal to noise ratio with which the device heard the network last",
          minimum=-32, maximum=31, step=1, optional=True),
    Field("external_power_flag", "1", "The device has power from outside", kind="flag", optional=True),
    Field("accuracy_m", "m", "Accuracy of a place that was solved", minimum=0, maximum=100_000, step=1, optional=True,
          panel=False),
    Field("downlink_power_dbm", "dBm", "Power of a downlink", minimum=-20, maximum=36, step=1, optional=True,
          panel=False),
    Field("downlink_frequency_hz", "Hz", "Carrier frequency of a downlink", minimum=137e6, maximum=2.5e9, step=1,
          optional=True, panel=False),
)  # fmt: skip

_OWN = ENVELOPE | {"data_rate"}
_ABOUT = ("latitude_deg", "longitude_deg", "altitude_m", "accuracy_m")
_OTHER_GATEWAY_DB = 10.0


def encode(reading: Reading) -> bytes:
    """The event as ChirpStack publishes it: an uplink, or with a field `event` that event.

    `dev_eui` is taken from the fields or else from `thing`. Of the gateways, the first is the one of `rssi_dbm`, the
    others hear 10 dB less. EncodeError: a name that decoding would change, a number that is not finite, a payload
    that is no hex.
    """
    fields = reading.fields
    info: dict[str, object] = {}
    if "application" in reading.tags:
        info["applicationName"] = reading.tags["application"]
    if "device_name" in fields:
        info["deviceName"] = fields["device_name"]
    eui = fields.get("dev_eui", reading.thing)
    if eui is not None:
        info["devEui"] = eui
    tags = {name.removeprefix("tag_"): value for name, value in reading.tags.items() if name != "application"}
    if tags:
        info["tags"] = tags
    message: dict[str, object] = {}
    if reading.time_ns is not None:
        message["time"] = format_ns(reading.time_ns).removesuffix("Z") + "+00:00"
    if info:
        message["deviceInfo"] = info
    if "event" not in fields:
        return msgjson.encode(message | _uplink(fields))
    if fields["event"] not in EVENTS or fields["event"] == "up":
        raise EncodeError(f"chirpstack-v4: event {fields['event']!r:.40} is none of {', '.join(EVENTS[1:])}")
    return msgjson.encode(message | _happening(str(fields["event"]), fields))


def _uplink(fields: dict[str, Value]) -> dict[str, object]:
    message: dict[str, object] = {}
    for label, name in (("dr", "data_rate"), ("fCnt", "f_cnt"), ("fPort", "f_port"), ("confirmed", "confirmed")):
        if fields.get(name):
            message[label] = _whole(fields[name])
    if "payload_hex" in fields:
        message["data"] = _base64(fields["payload_hex"])
    decoded = _object({name: value for name, value in fields.items() if name not in _OWN})
    if decoded:
        message["object"] = decoded
    if fields.keys() & {"gateways", "rssi_dbm", "snr_db", "gateway_id"}:
        message["rxInfo"] = _heard(fields)
    sent: dict[str, object] = {}
    if "frequency_hz" in fields:
        sent["frequency"] = _whole(fields["frequency_hz"])
    lora = {
        label: _whole(fields[name])
        for label, name in (("bandwidth", "bandwidth_hz"), ("spreadingFactor", "spreading_factor"))
        if name in fields
    }
    if lora:
        sent["modulation"] = {"lora": lora}
    if sent:
        message["txInfo"] = sent
    return message


def _heard(fields: dict[str, Value]) -> list[dict[str, object]]:
    rssi, snr = fields.get("rssi_dbm"), fields.get("snr_db")
    if (rssi is None) != (snr is None):
        raise EncodeError("chirpstack-v4: a gateway that says rssi_dbm or snr_db says both: what is left out is zero")
    best: dict[str, object] = {"gatewayId": fields["gateway_id"]} if "gateway_id" in fields else {}
    if rssi is not None:
        best |= {"rssi": _whole(rssi), "snr": snr}
    heard = [best]
    for number in range(2, int(fields.get("gateways", 1)) + 1):
        other: dict[str, object] = {"gatewayId": f"{number:016x}"}
        if rssi is not None:
            other["rssi"] = _whole(float(rssi) - _OTHER_GATEWAY_DB)
        heard.append(other)
    return heard


def _object(fields: dict[str, Value]) -> dict[str, Value]:
    """What a codec said, by names that decode to these."""
    found: dict[str, Value] = {}
    for name, value in fields.items():
        if isinstance(value, bool | str):
            ending = "_flag" if isinstance(value, bool) else "_text"
            keys = [key for key in (name.removesuffix(ending), name) if key and word_name(key, ending) == name]
            key = next((key for key in keys if key not in fields and key not in found), keys[-1] if keys else "")
            if not key:
                raise EncodeError(f"chirpstack-v4: {name[:40]!r} is not lower snake with {ending} behind it")
        else:
            key = WIRE.get(name, name)
            if number_name(key) != name or not math.isfinite(value):
                raise EncodeError(f"chirpstack-v4: {name[:40]!r} = {value} is nothing that a codec can say")
        found[key] = value
    return found


def _whole(value: Value) -> Value:
    """A whole number is written without a point."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _base64(text: Value) -> str:
    try:
        return binascii.b2a_base64(bytes.fromhex(str(text)), newline=False).decode("ascii")
    except ValueError:
        raise EncodeError(f"chirpstack-v4: payload {text!r:.40} is no hex") from None


def _happening(event: str, fields: dict[str, Value]) -> dict[str, object]:
    labels = {
        "status": {"margin": "margin_db", "externalPowerSource": "external_power_flag", "batteryLevel": "battery_pct"},
        "ack": {"acknowledged": "acknowledged_flag", "fCntDown": "downlink_f_cnt"},
        "txack": {"fCntDown": "downlink_f_cnt", "gatewayId": "gateway_id"},
        "log": {"level": "log_level_text", "code": "log_code_text", "description": "log_text"},
        "integration": {"integrationName": "integration_text", "eventType": "integration_event_text"},
    }.get(event, {})
    message: dict[str, object] = {label: _whole(fields[name]) for label, name in labels.items() if fields.get(name)}
    if event == "status" and "battery_pct" not in fields and not fields.get("external_power_flag"):
        message["batteryLevelUnavailable"] = True
    if event == "location":
        message["location"] = {name.rpartition("_")[0]: fields[name] for name in _ABOUT if name in fields}
    if event == "txack":
        sent = {
            label: _whole(fields[name])
            for label, name in (("frequency", "downlink_frequency_hz"), ("power", "downlink_power_dbm"))
            if name in fields
        }
        if sent:
            message["txInfo"] = sent
    return message
