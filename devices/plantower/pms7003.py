"""Plantower PMS7003 (G7): the PMS5003 in a flat case (48 x 37 x 12 mm); its frames are the same.

    0  42 4D 00 1C      start, length 28
    4  12 x u16         masses and counts as in the PMS5003
    28 u8, u8           version, error code
    30 u16              sum16 of bytes 0..29

Nothing in a frame tells it from a PMS5003 or PMSA003: who names the wrong one of them loses nothing.
Limits as there. Unknown: which version bytes are whose. Source: Plantower PMS7003 series data manual (2016).
"""

from devices.plantower import family as plantower

DEVICE = plantower.counter(
    "pms7003",
    "Plantower PMS7003 particle sensor",
    "Plantower PMS7003 series data manual (2016); captures of PyPMS (MIT)",
)
