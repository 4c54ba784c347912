"""Plantower PMS3003 (G3): 24-byte frames without particle counts; takes no commands.

    0  42 4D            start "BM"
    2  00 14            length 20
    4  3 x u16          PM1.0, PM2.5, PM10 in ug/m3, CF=1 (standard particles)
    10 3 x u16          PM1.0, PM2.5, PM10 in ug/m3, atmospheric: the ones to publish outdoors
    16 2 x u16          reserved, zero in every capture seen
    20 u8, u8           version, error code (as in the PMS5003: the manual calls both reserved)
    22 u16              sum16 of bytes 0..21

Source: Plantower PMS3003 data manual V2.5; captures of PyPMS (MIT).
"""

from devices.plantower import family as plantower
from devices.spec.device import SerialSettings, StreamDevice
from devices.spec.payload import Item, Payload
from devices.spec.sequence import Bits, Sequence

TABLE = Payload(">", 4, (*plantower.MASS_ITEMS, Item("H"), Item("H"), *plantower.TAIL_ITEMS))

DEVICE = StreamDevice(
    name="pms3003",
    title="Plantower PMS3003 particle sensor",
    domain="air",
    source="Plantower PMS3003 data manual V2.5; captures of PyPMS (MIT)",
    fields=(*plantower.MASSES, plantower.VERSION, plantower.ERROR_CODE, plantower.MODE),
    expected_every_s=1.0,
    sequence=Sequence(tuple(Bits.of(field, 2) for field in plantower.MASSES)),
    serial=SerialSettings(baud=9600),
    decoder=plantower.framer(TABLE),
    encode=plantower.encoder(TABLE),
    longest_frame=24,
)
