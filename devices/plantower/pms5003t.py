"""Plantower PMS5003T: PMS5003 with temperature and humidity instead of the two largest counts.

    0  42 4D            start "BM"
    2  00 1C            length 28
    4  3 x u16          PM1.0, PM2.5, PM10 in ug/m3, CF=1 (standard particles)
    10 3 x u16          PM1.0, PM2.5, PM10 in ug/m3, atmospheric: the ones to publish outdoors
    16 4 x u16          particles larger than 0.3, 0.5, 1.0, 2.5 um per 0.1 L
    24 i16              temperature, 0.1 degC
    26 u16              relative humidity, 0.1 %
    28 u8, u8           version, error code
    30 u16              sum16 of bytes 0..29

In fog the humidity is more than 100 % (100.1 was seen in the field); formulas of such elements end at
119 %. A temperature or humidity that cannot be is left out, the particles are kept: the element can
break without the laser.

Looks exactly like a PMS5003 frame: only the configuration can tell which sensor it is.
Source: Plantower PMS5003T data manual V2.3; captures of PyPMS (MIT).
"""

from devices.plantower import family as plantower
from devices.spec.payload import Payload

COUNTS = plantower.COUNTS[:4]
TABLE = Payload(
    ">", 4, (*plantower.MASS_ITEMS, *plantower.COUNT_ITEMS[:4], *plantower.AIR_ITEMS, *plantower.TAIL_ITEMS)
)

DEVICE = plantower.member(
    "pms5003t",
    "Plantower PMS5003T particle, temperature and humidity sensor",
    "Plantower PMS5003T data manual V2.3; captures of PyPMS (MIT)",
    TABLE,
    (
        *plantower.MASSES,
        *COUNTS,
        plantower.TEMPERATURE,
        plantower.HUMIDITY,
        plantower.VERSION,
        plantower.ERROR_CODE,
    ),
)
