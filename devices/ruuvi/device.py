"""RuuviTag and Ruuvi Air as Ruuvi Gateways pass them on over MQTT.

    ruuvi/<gateway>/<sensor>   {"gw_mac": "C8:25:2D:8E:9C:2C", "rssi": -25, "aoa": [], "gwts": 1659365438,
                                "ts": 1659365438, "data": "0201061BFF990405...", "coords": ""}
    ruuvi/<gateway>/gw_status  {"state": "online"}        retained; "offline" is the gateway's last will

`data` is the whole advertisement: structures of a length, a type and bytes. Of type FF (manufacturer specific) with the
company 0x0499 (99 04) the rest is Ruuvi's; `formats` has its layouts. A payload that is no JSON is
the advertisement itself, the manufacturer specific data, or what stands behind the company's number. Where a gateway is
set to send decoded values only (no `data`), those are taken.

The thing is the topic's last level (the sensor's address), else the address in the payload. `ts`, when the gateway
received it, is the time; without one (`cnt` in its place) the message has none. `gw_status` is `online_flag` of
the thing that is the gateway.

Several gateways hear one sensor, and a sensor says each measurement several times. A measurement is known by its
sequence number and its bytes: what comes again within AGAIN_S is `Empty`. Format 3 has no number: all of it is kept.
A sensor that is heard in format E1 within AGAIN_S needs no format 6, which says less of the same measurements.
`rssi_dbm` and `gateway_id` are those of the gateway that was first.

Advertisements without Ruuvi's number (a gateway may pass on all that it hears) are `Empty`. A format that is not known,
or not of its length, is refused.

Limits: MOST_SENSORS sensors by subscription, REMEMBERED measurements of each.

Source: docs.ruuvi.com, "MQTT: time-stamped data from Bluetooth sensors" and "Bluetooth advertisements" (ruuvi/docs);
names of decoded values: ruuvi/ruuvi.gateway_esp.c, main/adv_decode_0x05.c, 0x06.c and 0xe1.c (BSD-3-Clause).
"""

import math
from collections import OrderedDict, deque
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
from msgspec import json as msgjson

from devices.ruuvi.encode import encode
from devices.ruuvi.fields import DATA_FORMAT, FIELDS, GATEWAY, MAC, ONLINE, RSSI, SEQUENCE
from devices.ruuvi.formats import FORMATS, OTHERS
from devices.spec.device import MessageDevice
from devices.spec.events import DELETED, Ask, Empty, Event, Reading, SanityError, Value
from devices.spec.sequence import Bits, Sequence

AGAIN_S = 600
MOST_SENSORS = 10_000
REMEMBERED = 8
COMPANY = b"\x99\x04"

_STATUS = "gw_status"
_MANUFACTURER = 0xFF
_SAID = {
    "temperature": "temperature_c", "humidity": "humidity_pct", "pressure": "pressure_pa",
    "accelX": "acceleration_x_gn", "accelY": "acceleration_y_gn", "accelZ": "acceleration_z_gn",
    "voltage": "battery_v", "txPower": "tx_power_dbm", "movementCounter": "movement_counter",
    "measurementSequenceNumber": "measurement_sequence", "PM1.0": "pm1_0_ug_m3", "PM2.5": "pm2_5_ug_m3",
    "PM4.0": "pm4_0_ug_m3", "PM10.0": "pm10_ug_m3", "CO2": "co2_ppm", "VOC": "voc_index", "NOx": "nox_index",
    "luminosity": "illuminance_lx", "flag_calibration_in_progress": "calibrating_flag", "id": "mac",
}  # fmt: skip
"""What a gateway calls the values that it has decoded."""
FORMATS_READ = tuple(known.name for known in FORMATS.values())
_FIELDS = {field.name: field for field in FIELDS}


class Heard(NamedTuple):
    """A measurement, and the bytes that it is known by (empty: they say nothing about that)."""

    event: Event
    data: bytes = b""


class Tags:
    """The state of one subscription: which measurements have come."""

    __slots__ = ("_known", "_long")

    def __init__(self, _pattern: str) -> None:
        self._known: OrderedDict[str, deque[tuple[bytes, int]]] = OrderedDict()
        self._long: OrderedDict[str, int] = OrderedDict()

    def connected(self, new_session: bool) -> list[Ask]:  # noqa: ARG002
        return []

    def decode(self, topic: str, payload: bytes, received_ns: int) -> list[Event | Ask]:
        heard = _heard(topic, payload)
        event = heard.event
        if not isinstance(event, Reading) or not heard.data:
            return [event]
        thing = event.thing or ""
        if event.fields[DATA_FORMAT.name] == "E1":
            self._long[thing] = received_ns
            _bound(self._long, thing)
        elif event.fields[DATA_FORMAT.name] == "6" and thing in self._long and _lately(self._long[thing], received_ns):
            return [Empty("format E1 of this sensor says more", payload, thing)]
        if self._again(thing, heard.data, received_ns):
            return [Empty("this measurement has come before", payload, thing)]
        return [event]

    retained = decode

    def flush(self) -> list[Event]:
        return []

    def _again(self, thing: str, data: bytes, now_ns: int) -> bool:
        known = self._known.setdefault(thing, deque(maxlen=REMEMBERED))
        _bound(self._known, thing)
        if any(data == other and _lately(at_ns, now_ns) for other, at_ns in known):
            return True
        known.append((data, now_ns))
        return False


def _lately(at_ns: int, now_ns: int) -> bool:
    return 0 <= now_ns - at_ns < AGAIN_S * 1_000_000_000


def _bound(places: OrderedDict[str, Any], thing: str) -> None:
    places.move_to_end(thing)
    if len(places) > MOST_SENSORS:
        places.popitem(last=False)


def decode(topic: str, payload: bytes, _received_ns: int) -> list[Event]:
    """What one message says by itself."""
    return [_heard(topic, payload).event]


def _heard(topic: str, payload: bytes) -> Heard:
    if not payload.strip():
        return Heard(Empty(DELETED, payload))
    levels = topic.split("/")
    thing = levels[-1] or None
    if payload.lstrip()[:1] not in (b"{", b"[", b"\xef"):
        return _advertised(_unhexed(payload), payload, Reading({}, thing=thing))
    try:
        said = msgjson.decode(payload.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Heard(SanityError(f"JSON: {error}", payload))
    if not isinstance(said, dict):
        return Heard(SanityError(f"expected an object, got {type(said).__name__}", payload))
    if thing == _STATUS:
        return Heard(_status(said, payload, levels[-2] if len(levels) > 1 else None))
    return _passed_on(said, payload, thing)


def _unhexed(payload: bytes) -> bytes:
    """The bytes that a payload says in hex, or those that it is."""
    try:
        return bytes.fromhex(payload.decode("ascii")) or payload
    except ValueError:
        return payload


def _status(said: Mapping[str, Any], payload: bytes, gateway: str | None) -> Event:
    if said.get("state") in ("online", "offline"):
        return Reading({ONLINE.name: said["state"] == "online"}, thing=gateway, standing=True)
    return SanityError("gw_status: expected the state online or offline", payload)


def _passed_on(said: Mapping[str, Any], payload: bytes, thing: str | None) -> Heard:
    fields: dict[str, Value] = {}
    wrong: list[str] = []
    rssi = _number(said.get("rssi"), "rssi", wrong)
    if rssi is not None:
        fields[RSSI.name] = rssi
    if isinstance(said.get("gw_mac"), str) and said["gw_mac"]:
        fields[GATEWAY.name] = said["gw_mac"][:64]
    seconds = _number(said.get("ts"), "ts", wrong)
    if wrong and wrong[-1].startswith("ts:"):
        return Heard(SanityError(wrong[-1], payload))
    reading = Reading(fields, None if seconds is None else round(seconds * 10**9), thing, field_errors=tuple(wrong))
    data = said.get("data")
    if data is None:
        return _decoded(said, payload, reading)
    if not isinstance(data, str):
        return Heard(SanityError(f"data: expected hex, got {data!r:.40}", payload))
    try:
        advertisement = bytes.fromhex(data)
    except ValueError:
        return Heard(SanityError(f"data: expected hex, got {data[:40]!r}", payload))
    return _advertised(advertisement, payload, reading)


def _number(said: object, label: str, wrong: list[str]) -> float | None:
    """A number, or a text that is one."""
    if said is None:
        return None
    try:
        number = float(said) if isinstance(said, int | float | str) and not isinstance(said, bool) else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    if abs(number) < 1e11:
        return number
    wrong.append(f"{label}: expected a number, got {said!r:.40}")
    return None


def _advertised(data: bytes, payload: bytes, reading: Reading) -> Heard:
    """What an advertisement says, or the part of one that is Ruuvi's."""
    if data[:2] == COMPANY:
        return _formatted(data[2:], payload, reading)
    structures = _structures(data)
    own = [part[2:] for kind, part in structures or () if kind == _MANUFACTURER and part[:2] == COMPANY]
    if own:
        return _formatted(own[0], payload, reading)
    known = FORMATS.get(data[0]) if data else None
    if structures and (known is None or len(data) != known.size):
        return Heard(Empty("an advertisement without Ruuvi's number, 0x0499", payload, reading.thing))
    if structures is None and data[:2] == b"\x02\x01":
        return Heard(SanityError("an advertisement whose structures do not fill it", payload))
    if known is not None or (data and data[0] in OTHERS):
        return _formatted(data, payload, reading)
    return Heard(SanityError(f"neither an advertisement nor a data format of Ruuvi: {data[:4].hex(' ')}", payload))


def _structures(data: bytes) -> list[tuple[int, bytes]] | None:
    """Type and bytes of each structure of an advertisement; None where it is none."""
    found: list[tuple[int, bytes]] = []
    at = 0
    while at < len(data):
        size = data[at]
        if not size:
            return found if not any(data[at:]) else None
        if at + 1 + size > len(data):
            return None
        found.append((data[at + 1], data[at + 2 : at + 1 + size]))
        at += 1 + size
    return found


def _formatted(data: bytes, payload: bytes, reading: Reading) -> Heard:
    """What the data of one format says, beside what is in `reading`."""
    known = FORMATS.get(data[0]) if data else None
    if known is None:
        number = OTHERS.get(data[0], f"{data[0]:02x}") if data else "missing"
        return Heard(SanityError(f"data format {number}: expected one of {', '.join(FORMATS_READ)}", payload))
    if len(data) != known.size:
        words = f"data format {known.name} has {known.size} bytes, got {len(data)}"
        return Heard(SanityError(words, payload))
    fields, wrong = known.decode(data)
    address = data[-known.mac :] if known.mac else b""
    if address.strip(b"\xff"):
        fields[MAC.name] = address.hex(":").upper()
    fields[DATA_FORMAT.name] = known.name
    thing = reading.thing or (str(fields[MAC.name]) if MAC.name in fields else None)
    whole = Reading(fields | reading.fields, reading.time_ns, thing, field_errors=reading.field_errors + wrong)
    return Heard(whole, data if SEQUENCE.name in fields else b"")


def _decoded(said: Mapping[str, Any], payload: bytes, reading: Reading) -> Heard:
    """What a gateway has decoded by itself, where it does not pass the advertisement on."""
    number = said.get("dataFormat")
    known = FORMATS.get(number) if isinstance(number, int) else None
    if known is None:
        return Heard(
            SanityError(f"expected data, or a dataFormat of {', '.join(FORMATS_READ)}, got {number!r:.40}", payload)
        )
    fields: dict[str, Value] = {DATA_FORMAT.name: known.name}
    wrong = list(reading.field_errors)
    for label, name in _SAID.items():
        value = said.get(label)
        if value is None:
            continue
        field = _FIELDS[name]
        if field.kind in ("flag", "text"):
            if isinstance(value, bool if field.kind == "flag" else str):
                fields[name] = value
            else:
                wrong.append(f"{label}: expected a {field.kind}, got {value!r:.40}")
            continue
        told = _number(value, label, wrong)
        if told is not None:
            fields[name] = int(told) if field.kind == "counter" else told
    thing = reading.thing or (str(fields[MAC.name]) if MAC.name in fields else None)
    whole = Reading(fields | reading.fields, reading.time_ns, thing, field_errors=tuple(wrong))
    return Heard(whole, repr(sorted(fields.items())).encode() if SEQUENCE.name in fields else b"")


DEVICE = MessageDevice(
    name="ruuvi",
    title="Ruuvi sensors behind a Ruuvi Gateway",
    domain="park",
    source="docs.ruuvi.com: Bluetooth advertisements (data formats 3, 5, 6, C5, E1), Ruuvi Gateway data formats",
    fields=FIELDS,
    expected_every_s=60.0,
    sequence=Sequence((Bits.of(SEQUENCE, 14),)),
    topic="ruuvi/#",
    says_on="ruuvi/+/{thing}",
    bare=True,
    decode=decode,
    encode=encode,
    family=Tags,
)
