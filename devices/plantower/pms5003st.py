"""Plantower PMS5003ST: PMS5003 with formaldehyde, temperature and humidity; the one with a frame of its own, 40 bytes.

    0  42 4D            start "BM"
    2  00 24            length 36
    4  3 x u16          PM1.0, PM2.5, PM10 in ug/m3, CF=1 (standard particles)
    10 3 x u16          PM1.0, PM2.5, PM10 in ug/m3, atmospheric: the ones to publish outdoors
    16 6 x u16          particles larger than 0.3, 0.5, 1.0, 2.5, 5, 10 um per 0.1 L
    28 u16              formaldehyde (HCHO), 0.001 mg/m3
    30 i16              temperature, 0.1 degC
    32 u16              relative humidity, 0.1 %
    34 u16              reserved
    36 u8, u8           version, error code
    38 u16              sum16 of bytes 0..37

A formaldehyde, temperature or humidity that cannot be is left out, the particles are kept.
Limits: formaldehyde 0..2 mg/m3 in the data sheet; the wire says 65.535.
Source: Plantower PMS5003ST data manual; PyPMS (MIT) for bytes 0..33, ESPHome (pmsx003) for 36 and 37.
"""

from devices.plantower import family as plantower
from devices.spec.payload import Item, Payload

TABLE = Payload(
    ">",
    4,
    (
        *plantower.MASS_ITEMS,
        *plantower.COUNT_ITEMS,
        Item("H", plantower.FORMALDEHYDE, divisor=1000),
        *plantower.AIR_ITEMS,
        Item("H"),
        *plantower.TAIL_ITEMS,
    ),
)

DEVICE = plantower.member(
    "pms5003st",
    "Plantower PMS5003ST particle, formaldehyde, temperature and humidity sensor",
    "Plantower PMS5003ST data manual; PyPMS (MIT); ESPHome",
    TABLE,
    (
        *plantower.MASSES,
        *plantower.COUNTS,
        plantower.FORMALDEHYDE,
        plantower.TEMPERATURE,
        plantower.HUMIDITY,
        plantower.VERSION,
        plantower.ERROR_CODE,
    ),
)
