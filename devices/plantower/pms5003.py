"""Plantower PMS5003, PMS7003, PMSA003: laser particle counters, 32-byte frames.

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
from devices.spec.device import SerialSettings, StreamDevice
from devices.spec.payload import Item, Payload
from devices.spec.sequence import Sequence

COUNTS = tuple(plantower.count(size) for size in ("0_3", "0_5", "1_0", "2_5", "5_0", "10"))

TABLE = Payload(
    ">",
    4,
    (*plantower.MASS_ITEMS, *(Item("H", field, divisor=100) for field in COUNTS), *plantower.TAIL_ITEMS),
)

DEVICE = StreamDevice(
    name="pms5003",
    title="Plantower PMS5003 particle sensor",
    domain="air",
    source=plantower.SOURCE,
    fields=(*plantower.MASSES, *COUNTS, plantower.VERSION, plantower.ERROR_CODE, plantower.MODE),
    expected_every_s=1.0,
    sequence=Sequence(plantower.count_bits(COUNTS, 2)),
    serial=SerialSettings(baud=9600),
    decoder=plantower.framer(TABLE),
    encode=plantower.encoder(TABLE),
    longest_frame=32,
    commands=plantower.COMMANDS,
)
