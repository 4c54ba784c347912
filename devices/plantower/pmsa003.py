"""Plantower PMSA003 (G10): the PMS5003 in the smallest case (38 x 35 x 12 mm); its frames are the same.

    0  42 4D 00 1C      start, length 28
    4  12 x u16         masses and counts as in the PMS5003
    28 u8, u8           version, error code
    30 u16              sum16 of bytes 0..29

Nothing in a frame tells it from a PMS5003 or PMS7003: who names the wrong one of them loses nothing.
The PMSA003I has the same frame on I2C, where this does not reach. Limits as in the PMS5003.
Source: Plantower PMSA003 series data manual (2016).
"""

from devices.plantower import family as plantower

DEVICE = plantower.counter(
    "pmsa003",
    "Plantower PMSA003 particle sensor",
    "Plantower PMSA003 series data manual (2016); captures of PyPMS (MIT)",
)
