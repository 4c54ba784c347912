"""Honeywell HPMA115C0: laser particle sensor, compact: PM1, PM2.5, PM4 and PM10.

    0  42 4D            start
    2  00 1C            length 28
    4  4 x u16          PM1.0, PM2.5, PM4.0, PM10, ug/m3
    12 9 x u16          reserved
    30 u16              sum16 of bytes 0..29

    40 0D 04 | PM1 PM2.5 PM4 PM10, u16 each | 4 reserved bytes | check     when it is read

Link, answers, commands, warm-up, unknowns: family.py. Limits: all but PM2.5 is computed from it, the accuracy is
promised for PM2.5 alone (15 % of 0..1000 ug/m3, at least 15 ug/m3).
Source: Honeywell HPM Series data sheet 32322550, issue F, tables 6 and 7; captures of PyPMS (MIT).
"""

from devices.honeywell import family as honeywell
from devices.spec.payload import Item

DEVICE = honeywell.sensor(
    "hpma115c0",
    "Honeywell HPMA115C0 particle sensor",
    tuple(Item("H", field) for field in (honeywell.PM1, honeywell.PM2_5, honeywell.PM4, honeywell.PM10)),
    honeywell.COMPACT,
    honeywell.PM2_5,
)
