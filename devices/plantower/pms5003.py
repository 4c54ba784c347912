"""Plantower PMS5003: laser particle counter, 32-byte frames. PMS7003 and PMSA003 send the same.

    0  42 4D            start "BM"
    2  00 1C            length 28
    4  3 x u16          PM1.0, PM2.5, PM10 in ug/m3, CF=1 (standard particles)
    10 3 x u16          PM1.0, PM2.5, PM10 in ug/m3, atmospheric: the ones to publish outdoors
    16 6 x u16          particles larger than 0.3, 0.5, 1.0, 2.5, 5, 10 um per 0.1 L
    28 u8, u8           version, error code
    30 u16              sum16 of bytes 0..29

Counts are stored per cm3 (divided by 100). Link, warm-up, commands and unknowns: family.py.
Limits: datasheet range 0..500 ug/m3, at least 1000 before it saturates; the wire says 65535.
Source: Plantower PMS5003 series data manual V2.3 (2016); captures of PyPMS (MIT).
"""

from devices.plantower import family as plantower

DEVICE = plantower.counter("pms5003", "Plantower PMS5003 particle sensor", plantower.SOURCE)
