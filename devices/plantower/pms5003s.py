"""Plantower PMS5003S: PMS5003 with formaldehyde instead of version and error code.

    0  42 4D            start "BM"
    2  00 1C            length 28
    4  3 x u16          PM1.0, PM2.5, PM10 in ug/m3, CF=1 (standard particles)
    10 3 x u16          PM1.0, PM2.5, PM10 in ug/m3, atmospheric: the ones to publish outdoors
    16 6 x u16          particles larger than 0.3, 0.5, 1.0, 2.5, 5, 10 um per 0.1 L
    28 u16              formaldehyde (HCHO), 0.001 mg/m3
    30 u16              sum16 of bytes 0..29

Looks exactly like a PMS5003 frame, whose version and error code stand where the formaldehyde is: only
the configuration can tell which sensor it is. Limits: formaldehyde 0..2 mg/m3 in the data sheet.
Source: Plantower PMS5003 series data manual V2.3 (2016); PyPMS (MIT) and ESPHome for byte 28.
"""

from devices.plantower import family as plantower
from devices.spec.payload import Item, Payload

TABLE = Payload(
    ">", 4, (*plantower.MASS_ITEMS, *plantower.COUNT_ITEMS, Item("H", plantower.FORMALDEHYDE, divisor=1000))
)

DEVICE = plantower.member(
    "pms5003s",
    "Plantower PMS5003S particle and formaldehyde sensor",
    "Plantower PMS5003 series data manual V2.3 (2016); PyPMS (MIT)",
    TABLE,
    (*plantower.MASSES, *plantower.COUNTS, plantower.FORMALDEHYDE),
)
