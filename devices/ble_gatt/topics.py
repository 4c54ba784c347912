"""Which characteristic a topic, or a word of a bridge, names.

    ble/strap-1/2a37                                     its number, also 0x2A37
    ble/strap-1/00002a37-0000-1000-8000-00805f9b34fb     with or without the dashes
    ble/strap-1/180d/heart_rate_measurement              its name, in any case, with any or no separators
    ble/strap-1/org.bluetooth.characteristic.heart_rate_measurement
    ble/strap-1/2A37 heart_rate_measurement

Of the last three levels the last that names one is taken (`2a37/value` will do). A level that is a number of Bluetooth,
but none that is read here, ends the search, so that `ble/humidity/2a29` (a maker's name) is no humidity. What a topic
leads to is remembered, 1,024 topics.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from devices.ble_gatt.body import BODY
from devices.ble_gatt.characteristic import Characteristic
from devices.ble_gatt.environment import ENVIRONMENT
from devices.ble_gatt.health import HEALTH

CHARACTERISTICS: tuple[Characteristic, ...] = (*HEALTH, *BODY, *ENVIRONMENT)
DESCRIBING = {
    *range(0x2A00, 0x2A06),
    *range(0x2A23, 0x2A2B),
    *(0x2A49, 0x2A50, 0x2A51, 0x2A52, 0x2A55, 0x2A60, 0x2A9B, 0x2A9E, 0x2AA6, 0x2B29, 0x2B2A, 0x2B3A),
}
"""Numbers of characteristics that describe a device (its name, maker, serial number, features) and measure nothing."""

LEVELS = 3

_BY_NUMBER = {each.uuid: each for each in CHARACTERISTICS}
_LONG = re.compile(r"0000([0-9a-f]{4})-?0000-?1000-?8000-?00805f9b34fb")
_OTHER_LONG = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
_SHORT = re.compile(r"(?:0x)?(2[abc][0-9a-f]{2})")
_NOT_PLAIN = re.compile(r"[^a-z0-9]+")
_PREFIX = "orgbluetoothcharacteristic"


def _plain(text: str) -> str:
    return _NOT_PLAIN.sub("", text.lower())


_BY_NAME = {_plain(each.name): each for each in CHARACTERISTICS} | {
    "pm1concentration": _BY_NUMBER[0x2BD5],
    "pm25concentration": _BY_NUMBER[0x2BD6],
    "pm10concentration": _BY_NUMBER[0x2BD7],
    "carbondioxideconcentration": _BY_NUMBER[0x2B8C],
}


class Named(NamedTuple):
    """What a word names: a characteristic, or a `number` (text for one of 128 bits) that is not read here."""

    characteristic: Characteristic | None
    number: int | str | None = None


NOTHING = Named(None)


@lru_cache(1024)
def named(word: str) -> Named:
    """What one word names, a level of a topic or a UUID; NOTHING where it names none."""
    lower = word.strip().lower()
    long = _LONG.fullmatch(lower)
    if long is None and _OTHER_LONG.fullmatch(lower):
        return Named(None, lower)
    for candidate in [long[1]] if long else [lower, *lower.split(maxsplit=1)[:1]]:
        short = _SHORT.fullmatch(candidate)
        if short is not None or long is not None:
            number = int(short[1] if short is not None else candidate, 16)
            return Named(_BY_NUMBER.get(number), number)
    found = _BY_NAME.get(_plain(lower).removeprefix(_PREFIX))
    return NOTHING if found is None else Named(found, found.uuid)


@lru_cache(1024)
def of_topic(topic: str) -> Named:
    """What a topic names."""
    for level in reversed(topic.rsplit("/", LEVELS)[-LEVELS:]):
        found = named(level)
        if found is not NOTHING:
            return found
    return NOTHING
