"""Meshtastic: what nodes with a connection pass on of their mesh as JSON over MQTT.

    msh/<region>/2/json/<channel>/<gateway node>
    {"id": 452664778, "from": 2130636288, "to": 4294967295, "channel": 0, "type": "telemetry", "sender": "!7efeee00",
     "timestamp": 1646832724, "rssi": -95, "snr": 6.5, "hops_away": 1,
     "payload": {"battery_level": 81, "voltage": 4.05, "channel_utilization": 3.4, "air_util_tx": 0.5}}

| type | reading |
|---|---|
| telemetry | what the node measures: its battery, its surroundings, dust, power of three channels |
| position | the place, altitude, speed, course, satellites; time: its own `time` |
| nodeinfo | its names, hardware and role |
| neighborinfo | how many neighbours, and which, as JSON |
| detection, paxcounter, gpios_… | the word of a detector, people counted, pins |
| waypoint, traceroute | how it was heard; of a trace how many hops |
| text | how it was heard; what people write to each other is not stored |
| encrypted (`bytes`) | nothing to report |

Each reading has `packet_type`, `rssi_dbm`, `snr_db`, `hops_away` and, as `gateway_text`, who passed it on. The thing is
the node that said it: `!7efeee00`, of `from`, which was signed before firmware 2.2.0. Several gateways hear one packet:
by its `from` and `id` it is known again, and the first one counts. The time is that at which the gateway received it.

A battery of 101 % is a node on the mains (`powered_flag`). A place of exactly 0, 0 is none yet, a battery of 0 V not
measured, a pressure of 0 hPa, as firmware before 2.3 says it for sensors that are not there, is none. The speed is in
km/h and the course in 1e-5 degree, as the firmware fills them in; a course that may be in 1e-2 degree (up to 36000) is
left out. `pm10`, `pm25`, `pm100` are particles up to 1, 2.5 and 10 µm.

Who carries a node is a person: positions and names are personal data. Nodes blur positions (`precision_bits`).

Unknown: telemetry that is not in KEYS keeps its name and has no unit.

Limits: REMEMBERED packets for AGAIN_S.

Source: meshtastic.org/docs/software/integrations/mqtt; meshtastic/firmware, src/serialization/MeshPacketSerializer.cpp
and src/gps/GPS.cpp; meshtastic/protobufs, telemetry.proto and mesh.proto.
"""

import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from zlib import crc32

from msgspec import json as msgjson

from devices.spec.device import MessageDevice
from devices.spec.errors import EncodeError
from devices.spec.events import DELETED, Ask, Empty, Event, Reading, SanityError
from devices.spec.field import Field, Threshold
from devices.spec.json_object import JsonRefused, json_object
from devices.spec.names import Values, number, snake
from devices.spec.sequence import Bits
from devices.spec.sequence import Sequence as Count

AGAIN_S = 600
REMEMBERED = 10_000
MOST_NEIGHBOURS = 64
_EARLIEST_S = 946_684_800  # 2000-01-01
_POWERED = 101
_NODE = re.compile(r"!([0-9a-f]{8})")
_SILENT = frozenset(("text", "waypoint", "traceroute"))
_PINS = frozenset(("gpios_changed", "gpios_read_reply"))


class Key(NamedTuple):
    """A key of a payload: the stem of its field, its unit, what it is multiplied by, what says that there is none."""

    stem: str
    unit: str = ""
    scale: float = 1.0
    absent: tuple[float, ...] = ()


KEYS: Mapping[str, Key] = {
    "battery_level": Key("battery", "%", absent=(_POWERED,)), "channel_utilization": Key("channel_utilization", "%"),
    "air_util_tx": Key("air_time", "%"), "uptime_seconds": Key("uptime", "s"), "uptime": Key("uptime", "s"),
    "temperature": Key("temperature", "Cel"), "relative_humidity": Key("humidity", "%"),
    "barometric_pressure": Key("pressure", "hPa", absent=(0.0,)), "iaq": Key("iaq"),
    "gas_resistance": Key("gas_resistance_megaohm", absent=(0.0,)), "voltage": Key("voltage", "V"),
    "current": Key("current", "mA"), "lux": Key("illuminance", "lx"), "white_lux": Key("white_light", "lx"),
    "ir_lux": Key("infrared_light", "lx"), "uv_lux": Key("ultraviolet_light", "lx"),
    "distance": Key("distance", "mm"), "wind_speed": Key("wind", "m/s"), "wind_gust": Key("wind_gust", "m/s"),
    "wind_lull": Key("wind_lull", "m/s"), "wind_direction": Key("wind_direction", "deg"), "weight": Key("weight", "kg"),
    "radiation": Key("radiation", "µR/h"), "rainfall_1h": Key("rain_1h", "mm"), "rainfall_24h": Key("rain_24h", "mm"),
    "soil_moisture": Key("soil_moisture", "%"), "soil_temperature": Key("soil_temperature", "Cel"),
    "pm10": Key("pm1_0_cf1", "ug/m3"), "pm25": Key("pm2_5_cf1", "ug/m3"), "pm100": Key("pm10_cf1", "ug/m3"),
    "pm10_e": Key("pm1_0", "ug/m3"), "pm25_e": Key("pm2_5", "ug/m3"), "pm100_e": Key("pm10", "ug/m3"),
    "co2": Key("co2", "[ppm]"), "altitude": Key("altitude", "m"), "ground_speed": Key("speed", "km/h"),
    "ground_track": Key("course", "deg", 1e-5), "sats_in_view": Key("satellites_in_view"),
    "PDOP": Key("pdop", scale=0.01), "HDOP": Key("hdop", scale=0.01), "VDOP": Key("vdop", scale=0.01),
    "precision_bits": Key("precision_bits"), "wifi_count": Key("wifi_count"), "ble_count": Key("ble_count"),
    "gpio_value": Key("gpio_value"), "gpio_mask": Key("gpio_mask"), "hardware": Key("hardware"), "role": Key("role"),
    **{f"voltage_ch{each}": Key(f"voltage_{each}", "V") for each in "12345678"},
    **{f"current_ch{each}": Key(f"current_{each}", "mA") for each in "12345678"},
}  # fmt: skip
_COURSE_FROM = 36_000  # in 1e-5 degree more than this, or else perhaps in 1e-2
_TEXTS = {"longname": "long_name_text", "shortname": "short_name_text"}
_LEFT_OUT = frozenset(
    (
        *("time", "timestamp", "id", "latitude_i", "longitude_i", "node_id", "last_sent_by_id", "neighbors", "text"),
        *("node_broadcast_interval_secs", "route", "route_back", "snr_back", "snr_towards"),
    )
)

TEMPERATURE = Field("temperature_c", "Cel", "Temperature", minimum=-60, maximum=150, step=0.01, optional=True)
POWERED = Field("powered_flag", "1", "On the mains, not on its battery", kind="flag", optional=True)
LATITUDE = Field("latitude_deg", "deg", "Latitude, WGS 84", minimum=-90, maximum=90, step=1e-7, optional=True)
LONGITUDE = Field("longitude_deg", "deg", "Longitude, WGS 84", minimum=-180, maximum=180, step=1e-7, optional=True)
RSSI = Field("rssi_dbm", "dBm", "Strength of the signal at who passed it on", minimum=-200, maximum=20, step=1,
             optional=True)  # fmt: skip
SNR = Field("snr_db", "dB", "Signal above the noise at who passed it on", minimum=-50, maximum=50, step=0.25,
            optional=True)  # fmt: skip
HOPS = Field("hops_away", "1", "Hops between the node and who passed it on", minimum=0, maximum=7, step=1,
             optional=True)  # fmt: skip

FIELDS = (
    TEMPERATURE,
    Field("humidity_pct", "%", "Relative humidity", minimum=0, maximum=100, step=0.01, optional=True),
    Field("pressure_hpa", "hPa", "Air pressure", minimum=300, maximum=1200, step=0.01, optional=True),
    Field("illuminance_lx", "lx", "Illuminance", minimum=0, maximum=200_000, step=0.01, optional=True),
    Field("battery_pct", "%", "Battery charge", minimum=0, maximum=100, step=1, optional=True,
          thresholds=(Threshold(0.0, "bad"), Threshold(10.0, "poor"), Threshold(25.0, "good"))),
    Field("battery_v", "V", "Battery voltage", minimum=0.1, maximum=100, step=0.001, optional=True),
    POWERED,
    LATITUDE,
    LONGITUDE,
    Field("altitude_m", "m", "Altitude above the sea", minimum=-1000, maximum=100_000, step=1, optional=True),
    Field("speed_km_h", "km/h", "Speed", minimum=0, maximum=2000, step=1, optional=True, panel=False),
    Field("course_deg", "deg", "Course over ground", minimum=0, maximum=360, step=1e-5, optional=True, panel=False),
    Field("channel_utilization_pct", "%", "How much the channel is in use", minimum=0, maximum=100, step=0.01,
          optional=True),
    Field("air_time_pct", "%", "How much of the last hour the node has sent", minimum=0, maximum=100, step=0.01,
          optional=True),
    Field("uptime_s", "s", "Time since the node was started", minimum=0, maximum=1e10, step=1, optional=True,
          panel=False),
    RSSI,
    SNR,
    HOPS,
    Field("packet_type", "1", "What kind of packet it was", kind="text", optional=True, panel=False),
    Field("gateway_text", "1", "Who passed it on", kind="text", optional=True, panel=False),
)  # fmt: skip
_BY_NAME = {field.name: field for field in FIELDS}


class Family:
    """The packets of one subscription that were heard lately."""

    __slots__ = ("_heard",)

    def __init__(self, _pattern: str) -> None:
        self._heard: OrderedDict[tuple[int, int], int] = OrderedDict()

    def connected(self, new_session: bool) -> Sequence[Ask]:  # noqa: ARG002
        return ()

    def decode(self, topic: str, payload: bytes, received_ns: int) -> list[Event]:  # noqa: ARG002
        try:
            said = json_object(payload) if payload.strip() else {}
        except JsonRefused as error:
            return [SanityError(str(error), payload)]
        events = _packet(said, payload)
        key = _key(said)
        if key is None or not isinstance(events[0], Reading):
            return events
        before = self._heard.get(key)
        if before is not None and received_ns - before < AGAIN_S * 1_000_000_000:
            return [Empty("the same packet, passed on by another node", payload, events[0].thing)]
        self._heard[key] = received_ns
        self._heard.move_to_end(key)
        if len(self._heard) > REMEMBERED:
            self._heard.popitem(last=False)
        return events

    retained = decode

    def flush(self) -> list[Event]:
        return []


def decode(topic: str, payload: bytes, received_ns: int) -> list[Event]:
    """What one packet says, whoever has passed it on before."""
    return Family(topic).decode(topic, payload, received_ns)


def _key(said: Mapping[str, Any]) -> tuple[int, int] | None:
    ident, sender = said.get("id"), said.get("from")
    return (sender & 0xFFFFFFFF, ident & 0xFFFFFFFF) if type(ident) is int and type(sender) is int else None


def _packet(said: Mapping[str, Any], payload: bytes) -> list[Event]:
    if not payload.strip():
        return [Empty(DELETED, payload)]
    sender = said.get("from")
    if type(sender) is not int or not -(1 << 31) <= sender < 1 << 32:
        return [SanityError(f"from: expected the number of a node, got {str(sender)[:40]!r}", payload)]
    thing = f"!{sender & 0xFFFFFFFF:08x}"
    kind, inner = said.get("type"), said.get("payload")
    if "bytes" in said:
        return [Empty("encrypted: nothing that can be read", payload, thing)]
    if not isinstance(kind, str):
        return [SanityError("type: expected telemetry, position, nodeinfo, …", payload)]
    if not kind or (not isinstance(inner, dict) and kind not in _SILENT):
        return [Empty(f"a packet of type {kind[:40]!r}: nothing that is known", payload, thing)]
    values = Values()
    if isinstance(inner, dict):
        _inside(values, kind, inner)
    values.put("packet_type", kind[:40])
    for key, field in (("rssi", RSSI), ("snr", SNR), ("hops_away", HOPS)):
        _listed(values, field.name, said.get(key))
    if isinstance(said.get("sender"), str):
        values.put("gateway_text", said["sender"][:40])
    time_ns = _time_ns(inner.get("time")) if kind == "position" and isinstance(inner, dict) else None
    time_ns = time_ns if time_ns is not None else _time_ns(said.get("timestamp"))
    return [Reading(values.fields, time_ns, thing, field_errors=tuple(values.errors))]


def _inside(values: Values, kind: str, inner: Mapping[str, Any]) -> None:
    """The values of a payload, by its kind."""
    if kind in _SILENT:
        route = inner.get("route")
        if kind == "traceroute" and isinstance(route, list) and route:
            values.number("trace_hops", len(route) - 1)
        return
    _place(values, inner)
    device = "battery_level" in inner or "air_util_tx" in inner
    for name, value in inner.items():
        if name in _TEXTS and isinstance(value, str):
            values.put(_TEXTS[name], value[:128])
        elif name == "battery_level" and number(value) is not None:
            values.put(POWERED.name, number(value) == _POWERED)
            _value(values, name, value)
        elif name == "voltage" and device:
            if number(value) != 0.0:
                _listed(values, "battery_v", value)
        elif name == "neighbors_count":
            values.number("neighbour_count", value)
        elif name not in _LEFT_OUT:
            _value(values, name, value)
    if kind == "detection" and isinstance(inner.get("text"), str):
        values.text("detection", inner["text"])
    if kind == "neighborinfo" and isinstance(inner.get("neighbors"), list):
        rows = [each for each in inner["neighbors"][:MOST_NEIGHBOURS] if isinstance(each, dict)]
        near = {
            f"!{row['node_id'] & 0xFFFFFFFF:08x}": row.get("snr") for row in rows if type(row.get("node_id")) is int
        }
        values.text("neighbours", near)


def _place(values: Values, inner: Mapping[str, Any]) -> None:
    latitude, longitude = inner.get("latitude_i"), inner.get("longitude_i")
    if latitude is None or longitude is None or (latitude == 0 and longitude == 0):
        return
    for key, field in (("latitude_i", LATITUDE), ("longitude_i", LONGITUDE)):
        found = number(inner[key])
        _listed(values, field.name, inner[key] if found is None else round(found * 1e-7, 7))


def _listed(values: Values, name: str, value: Any) -> None:
    """A value of a listed field."""
    found = number(value)
    if value is None:
        return
    if found is None:
        values.wrong(f"{name}: expected a number, got {str(value)[:40]!r}")
    elif wrong := _BY_NAME[name].outside(found):
        values.wrong(wrong)
    else:
        values.put(name, found)


def _value(values: Values, name: str, value: Any) -> None:
    key = KEYS.get(name)
    if key is None:
        if not isinstance(value, dict | list):
            values.any(snake(name), value)
        return
    found = number(value)
    if value is None or found in key.absent or (name == "ground_track" and found is not None and found <= _COURSE_FROM):
        return
    if found is not None and key.scale != 1.0:
        value = found = round(found * key.scale, 7)
    scratch = Values()
    scratch.number(key.stem, value, key.unit)
    for made, each in scratch.fields.items():
        if made in _BY_NAME:
            _listed(values, made, each)
        else:
            values.put(made, each)
    for words in scratch.errors:
        values.wrong(words)


def _time_ns(said: object) -> int | None:
    """Seconds since 1970; None where the node has no clock yet."""
    if type(said) is not int or not _EARLIEST_S <= said < 10**10:
        return None
    return said * 1_000_000_000


def node_of(thing: str) -> str:
    """The id of the node that stands for a thing of any name."""
    return thing if _NODE.fullmatch(thing) else f"!{crc32(thing.encode()):08x}"


_NAMES = {"battery_pct": "battery_level", "battery_v": "voltage", "humidity_pct": "relative_humidity",
          "pressure_hpa": "barometric_pressure", "illuminance_lx": "lux", "temperature_c": "temperature",
          "channel_utilization_pct": "channel_utilization", "air_time_pct": "air_util_tx", "uptime_s": "uptime_seconds",
          "altitude_m": "altitude", "speed_km_h": "ground_speed"}  # fmt: skip
_AROUND = {"rssi_dbm": "rssi", "snr_db": "snr", "hops_away": "hops_away"}


def encode(reading: Reading) -> bytes:
    """A packet with telemetry, or with a place in it a position."""
    if not reading.fields:
        raise EncodeError("meshtastic: a packet needs values")
    inner: dict[str, Any] = {}
    around: dict[str, Any] = {}
    for name, value in reading.fields.items():
        plain = int(value) if isinstance(value, float) and value.is_integer() else value
        if name in _NAMES:
            inner[_NAMES[name]] = plain
        elif name in _AROUND:
            around[_AROUND[name]] = plain
        elif name in (LATITUDE.name, LONGITUDE.name):
            inner[f"{name.removesuffix('_deg')}_i"] = round(float(value) * 1e7)
        elif name == "course_deg":
            inner["ground_track"] = round(float(value) * 1e5)
        elif name == POWERED.name and value:
            inner.setdefault("battery_level", _POWERED)
        elif name not in ("packet_type", "gateway_text", POWERED.name):
            raise EncodeError(f"meshtastic: {name} is no value of a packet")
    node = node_of(reading.thing or "node")
    seconds = 0 if reading.time_ns is None else reading.time_ns // 1_000_000_000
    kind = "position" if "latitude_i" in inner else "telemetry"
    packet = {"from": int(node[1:], 16), "to": 0xFFFFFFFF, "channel": 0, "type": kind, "sender": node,
              "timestamp": seconds, **around, "payload": inner}  # fmt: skip
    return msgjson.encode({"id": crc32(msgjson.encode(packet)) & 0x7FFFFFFF, **packet})


DEVICE = MessageDevice(
    name="meshtastic",
    title="Meshtastic nodes",
    domain="park",
    source="meshtastic.org: MQTT integration; meshtastic/firmware, MeshPacketSerializer.cpp; meshtastic/protobufs",
    fields=FIELDS,
    expected_every_s=900.0,
    sequence=Count((Bits.of(TEMPERATURE, 6),)),
    open_fields=True,
    topic="msh/#",
    says_on="msh/EU_868/2/json/LongFast/{thing}",
    decode=decode,
    encode=encode,
    family=Family,
    bare=True,
)
