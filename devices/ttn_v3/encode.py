"""What a LoRaWAN thing behind The Things Stack is expected to say, and the uplink that says it.

The listed quantities have a range, a step and a place on the boards; a payload formatter may
bring any other. Ranges are those of the usual instruments and of LoRaWAN itself.

Sources of the thresholds stand with them; the shape of an uplink is in `message.py`.
"""

import binascii
import math

from msgspec import json as msgjson

from devices.spec.errors import EncodeError
from devices.spec.events import Reading, Value
from devices.spec.field import Field, Threshold
from devices.spec.json_time import format_ns
from devices.spec.zone import ZONE
from devices.ttn_v3.message import EVENTS
from devices.ttn_v3.names import DOWNLINK, ENVELOPE, number_name, word_name

FIELDS = (
    Field("f_port", "1", "LoRaWAN port of the application", kind="counter",
          minimum=0, maximum=255, step=1, panel=False),
    Field("f_cnt", "1", "LoRaWAN frame counter, counting uplinks since the join", kind="counter",
          minimum=0, maximum=(1 << 32) - 1, step=1, panel=False),
    Field("temperature_c", "Cel", "Air temperature", minimum=-60.0, maximum=80.0, step=0.1, optional=True),
    Field("humidity_pct", "%", "Relative humidity of the air", minimum=0.0, maximum=100.0, step=0.1, optional=True),
    Field("pressure_hpa", "hPa", "Air pressure", minimum=300.0, maximum=1100.0, step=0.1, optional=True),
    Field("co2_ppm", "[ppm]", "Carbon dioxide; levels of the German Umweltbundesamt (2008)",
          minimum=0.0, maximum=10_000.0, step=1.0, optional=True,
          thresholds=(Threshold(0.0, "good"), Threshold(1000.0, "fair"), Threshold(2000.0, "bad"))),
    Field("pm2_5_ug_m3", "ug/m3", "Particles up to 2.5 um; from the 24 h guideline and interim targets of WHO (2021)",
          minimum=0.0, maximum=1000.0, step=0.1, optional=True,
          thresholds=(Threshold(0.0, "good"), Threshold(15.0, "fair"), Threshold(37.5, "poor"),
                      Threshold(75.0, "bad"))),
    Field("noise_dba", "dB[A]", "Sound level; moderate and serious annoyance outdoors by WHO (1999)",
          minimum=0.0, maximum=140.0, step=0.1, optional=True,
          thresholds=(Threshold(0.0, "good"), Threshold(50.0, "fair"), Threshold(55.0, "poor"),
                      Threshold(70.0, "bad"))),
    Field("illuminance_lx", "lx", "Light on the sensor", minimum=0.0, maximum=200_000.0, step=1.0, optional=True),
    Field("soil_moisture_pct", "%", "Volumetric water content of the soil",
          minimum=0.0, maximum=100.0, step=0.1, optional=True),
    Field("soil_temperature_c", "Cel", "Temperature of the soil", minimum=-40.0, maximum=80.0, step=0.1, optional=True),
    Field("wind_m_s", "m/s", "Wind speed", minimum=0.0, maximum=75.0, step=0.1, optional=True),
    Field("battery_v", "V", "Battery voltage", minimum=0.0, maximum=60.0, step=0.001, optional=True),
    Field("battery_pct", "%", "Battery charge", minimum=0.0, maximum=100.0, step=0.1, optional=True),
    Field("rssi_dbm", "dBm", "Signal strength at the gateway that heard it best",
          minimum=-180.0, maximum=20.0, step=1.0, optional=True),
    Field("snr_db", "dB", "Signal to noise ratio at that gateway",
          minimum=-40.0, maximum=40.0, step=0.1, optional=True),
    Field("gateways", "1", "Gateways that heard the uplink; absent where none is listed", kind="counter",
          minimum=1, maximum=64, step=1),
    Field("spreading_factor", "1", "LoRa spreading factor", kind="counter",
          minimum=5, maximum=12, step=1, optional=True),
    Field("bandwidth_hz", "Hz", "LoRa bandwidth", minimum=7800.0, maximum=1_625_000.0, step=1.0,
          optional=True, panel=False),
    Field("frequency_hz", "Hz", "Carrier frequency", minimum=137e6, maximum=2.5e9, step=1.0,
          optional=True, panel=False),
    Field("airtime_s", "s", "Time the uplink was on the air", minimum=0.0, maximum=10.0, step=1e-6,
          optional=True, panel=False),
    Field("latitude_deg", "deg", "Latitude, WGS 84, north positive",
          minimum=-90.0, maximum=90.0, step=1e-7, optional=True, panel=False),
    Field("longitude_deg", "deg", "Longitude, WGS 84, east positive",
          minimum=-180.0, maximum=180.0, step=1e-7, optional=True, panel=False),
    Field("altitude_m", "m", "Altitude above mean sea level",
          minimum=-1000.0, maximum=20_000.0, step=0.1, optional=True, panel=False),
)  # fmt: skip

_WIRE = {
    "temperature_c": "temperature",
    "humidity_pct": "humidity",
    "pressure_hpa": "barometric_pressure",
    "co2_ppm": "co2",
    "pm2_5_ug_m3": "pm2_5",
    "noise_dba": "laeq",
    "illuminance_lx": "illuminance",
    "soil_moisture_pct": "soil_moisture",
    "soil_temperature_c": "soil_temperature",
    "wind_m_s": "wind_speed",
    "battery_v": "battery_voltage",
    "battery_pct": "battery_percentage",
    "latitude_deg": "latitude",
    "longitude_deg": "longitude",
    "altitude_m": "altitude",
}
"""Field to the name that a payload formatter gives it."""

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
    decoded = _decoded({name: value for name, value in fields.items() if name not in ENVELOPE})
    if zone is not None:
        decoded[ZONE] = zone
    if decoded:
        uplink["decoded_payload"] = decoded
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
    key = _WIRE.get(name, name)
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
