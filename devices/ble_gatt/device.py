"""Bluetooth GATT characteristics that a bridge forwards over MQTT: a message is one value of one of them.

    topic    ble/{thing}/2a37, .../heart_rate_measurement and others: topics.py
    payload  the bytes of the value; or hex text of them (`0048`, `00 48`, `0x00,0x48`); or a JSON object

        {"id": "C0:FF:EE:00:00:01", "characteristic": "00002a37-0000-1000-8000-00805f9b34fb", "read": "0048",
         "success": true}                                        as OpenMQTTGateway answers a read in HEX
        {"value": [0, 72]}                                       bytes as numbers; the topic says of what

    characteristic   characteristic, char, characteristic_uuid, char_uuid, uuid; it goes before the topic
    value            value, read, data, hex, payload, raw: hex text or a list of bytes
    thing            id, mac, address; the topic's {thing} goes before it

Which characteristics are read: health.py, body.py, environment.py. Those that describe the device (its name, its
maker, its features) are `Empty`; any other is refused with its number. The user's own data (name, birth, age, height
and weight as entered) are not read on purpose.

The bytes of a value are told from their hex text by the length that the characteristic has, and by its reserved
flags: no digit is a possible byte of flags. Text of decimal numbers on topics like `BatteryService/BatteryLevel`, as
esp32-ble2mqtt publishes them, is refused: 50 would be read as 80.

Time: that of the device where the value carries one; its clock has no zone and is taken as UTC, so set it to UTC. A
clock that is not set (year 0) says none.

Privacy: a MAC address is that of a person's device. Name things by pseudonyms (`{thing}` of the topic), and keep who
is who elsewhere; the number of a user in the device (`user_id`) is kept as it is. Testbed data, not for clinical use.

Limits: payloads of at most 8 KiB; GATT allows values of 512 bytes. Values are not put together over several messages.

Sources: those of health.py, body.py and environment.py; OpenMQTTGateway, docs/use/ble.md.
"""

import re
from collections.abc import Mapping
from contextlib import suppress

from msgspec import DecodeError
from msgspec import json as msgjson

from devices.ble_gatt.body import WEIGHT
from devices.ble_gatt.characteristic import Characteristic
from devices.ble_gatt.environment import TEMPERATURE
from devices.ble_gatt.health import DIASTOLIC, ENERGY, HEART_RATE, PULSE, SPO2, SYSTOLIC, TEMPERATURE_C
from devices.ble_gatt.parts import Found, ValueRefused
from devices.ble_gatt.topics import CHARACTERISTICS, DESCRIBING, NOTHING, Named, named, of_topic
from devices.spec.device import MessageDevice
from devices.spec.errors import EncodeError
from devices.spec.events import DELETED, Empty, Event, Reading, SanityError
from devices.spec.field import Field
from devices.spec.hexed import from_hex
from devices.spec.sequence import Bits, Sequence

MAX_PAYLOAD = 8192
WHICH = ("characteristic", "char", "characteristic_uuid", "char_uuid", "uuid")
VALUE = ("value", "read", "data", "hex", "payload", "raw")
WHO = ("id", "mac", "address")

_DECIMAL = re.compile(rb"[-+0-9.,\s]*[0-9][-+0-9.,\s]*")


def decode(topic: str, payload: bytes, _received_ns: int) -> list[Event]:
    """One event: a reading, `Empty`, or a SanityError that says what is wrong."""
    if not payload:
        return [Empty(DELETED, payload)]
    if len(payload) > MAX_PAYLOAD:
        return [SanityError(f"expected a payload of at most {MAX_PAYLOAD} bytes, got {len(payload)}", payload)]
    which = of_topic(topic)
    try:
        wrapped = _wrapped(payload)
        if wrapped is None:
            return [_event(which, _found(which, payload, topic), None, payload)]
        return [_of_object(wrapped, which, payload)]
    except ValueRefused as refused:
        return [SanityError(str(refused), payload)]


def _event(which: Named, found: Found | None, thing: str | None, payload: bytes) -> Event:
    """What was found of a value; None is that of a characteristic that measures nothing."""
    if found is None:
        return Empty(f"characteristic {_number(which)} describes the device, and measures nothing", payload, thing)
    if found.fields:
        return Reading(found.fields, found.time_ns, thing, field_errors=(*found.errors, *found.beyond))
    if found.errors:
        return SanityError(found.errors[0], payload)
    return Empty(found.beyond[0] if found.beyond else "the device says that it has no value", payload, thing)


def _found(which: Named, payload: bytes, topic: str) -> Found | None:
    """What a payload of bytes or hex text says."""
    characteristic = _known(which)
    if characteristic is None:
        return None
    hexed = from_hex(payload)
    if _DECIMAL.fullmatch(payload) and _is_camel(topic):
        raise ValueRefused(f"{characteristic.name}: {payload[:40]!r} is text of numbers, expected bytes or hex of them")
    if hexed is None:
        return characteristic.read(payload)
    try:
        return characteristic.read(hexed)
    except ValueRefused as refused:
        if len(payload.strip()) == len(hexed) * 2 and not characteristic.reserved(payload):
            with suppress(ValueRefused):
                return characteristic.read(payload)
        raise refused


def _is_camel(topic: str) -> bool:
    last = topic.rsplit("/", 1)[-1]
    return last[:1].isupper() and last.isalpha() and not last.isupper()


def _known(which: Named) -> Characteristic | None:
    """The characteristic, None for one that measures nothing. ValueRefused for any other."""
    if which.characteristic is not None:
        return which.characteristic
    if which.number in DESCRIBING:
        return None
    if which is NOTHING:
        raise ValueRefused("the topic names no characteristic: expected a level such as 2a37 or heart_rate_measurement")
    raise ValueRefused(f"characteristic {_number(which)} is none of those that are read")


def _number(which: Named) -> str:
    return f"{which.number:04x}" if isinstance(which.number, int) else str(which.number)


def _wrapped(payload: bytes) -> Mapping[str, object] | None:
    """The JSON object that the payload is, or None."""
    if payload[:1] not in b"{ \t\r\n" or not payload.rstrip().endswith(b"}"):
        return None
    try:
        found = msgjson.decode(payload)
    except (DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return found if isinstance(found, dict) and found else None


def _of_object(wrapped: Mapping[str, object], which: Named, payload: bytes) -> Event:
    word = _first(wrapped, WHICH)
    if isinstance(word, str):
        which = named(word)
        if which is NOTHING:
            raise ValueRefused(f"{word[:40]!r} names no characteristic")
    who = _first(wrapped, WHO)
    thing = who[:128] if isinstance(who, str) and who else None
    if wrapped.get("success") is False:
        return Empty("the bridge could not read it", payload, thing)
    characteristic = _known(which)
    if characteristic is None:
        return _event(which, None, thing, payload)
    value = _first(wrapped, VALUE)
    data = from_hex(value.encode()) if isinstance(value, str) else _of_list(value)
    if data is None:
        raise ValueRefused(
            f"{characteristic.name}: expected hex text or a list of bytes under {', '.join(VALUE)}, got {value!r:.40}"
        )
    return _event(which, characteristic.read(data), thing, payload)


def _first(wrapped: Mapping[str, object], names: tuple[str, ...]) -> object:
    return next((wrapped[name] for name in names if wrapped.get(name) is not None), None)


def _of_list(value: object) -> bytes | None:
    if isinstance(value, list) and all(type(each) is int and 0 <= each < 256 for each in value):
        return bytes(value)
    return None


def encode(reading: Reading) -> bytes:
    """The bytes of the first characteristic that says just these fields, with a clock where there is a time.

    EncodeError where none does.
    """
    if not reading.fields:
        raise EncodeError("ble-gatt: a value of nothing")
    wrong = EncodeError(f"ble-gatt: no characteristic says {', '.join(sorted(reading.fields))} together")
    timed = reading.time_ns is not None
    could = [each for each in CHARACTERISTICS if reading.fields.keys() <= each.names]
    for characteristic in sorted(could, key=lambda each: each.has_clock != timed):
        try:
            return characteristic.write(reading.fields, reading.time_ns)
        except EncodeError as error:
            wrong = error
    raise wrong


def _fields() -> tuple[Field, ...]:
    found: dict[str, Field] = {}
    for characteristic in CHARACTERISTICS:
        for field in characteristic.fields:
            found.setdefault(field.name, field)
    return tuple(found.values())


DEVICE = MessageDevice(
    name="ble-gatt",
    title="Bluetooth GATT characteristics over MQTT",
    domain="health",
    source="Bluetooth SIG, GATT Specification Supplement and Assigned Numbers (2026), services of health devices",
    fields=_fields(),
    expected_every_s=60.0,
    sequence=Sequence(
        (Bits.of(HEART_RATE, 3), Bits.of(ENERGY, 3)),
        (
            (Bits.of(SYSTOLIC, 3), Bits.of(DIASTOLIC, 3)),
            (Bits.of(SPO2, 3), Bits.of(PULSE, 3)),
            (Bits.of(TEMPERATURE_C, 6),),
            (Bits.of(WEIGHT[0], 6),),
            (Bits.of(TEMPERATURE, 6),),
        ),
    ),
    topic="ble/{thing}/+",
    says_on="ble/{thing}/2a37",
    decode=decode,
    encode=encode,
    checked=False,
)
