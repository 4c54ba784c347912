"""Honeywell HPMA115S0: laser particle sensor, PM2.5 and PM10.

    0  42 4D            start
    2  00 1C            length 28
    4  u16              reserved
    6  u16              PM2.5, ug/m3
    8  u16              PM10, ug/m3
    10 10 x u16         reserved
    30 u16              sum16 of bytes 0..29

    40 05 04 | PM2.5 u16 | PM10 u16 | check     when it is read

Link, answers, commands, warm-up, unknowns: family.py. Limits: PM10 is computed from PM2.5, the accuracy is promised
for PM2.5 alone (15 % of 0..1000 ug/m3, at least 15 ug/m3).
Source: Honeywell HPM Series data sheet 32322550, issue F, tables 4 and 5.
"""

from devices.honeywell import family as honeywell
from devices.spec.payload import Item

DEVICE = honeywell.sensor(
    "hpma115s0",
    "Honeywell HPMA115S0 particle sensor",
    (Item("H"), Item("H", honeywell.PM2_5), Item("H", honeywell.PM10)),
    honeywell.STANDARD,
    honeywell.PM10,
)
