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
from devices.spec.device import SerialSettings, StreamDevice
from devices.spec.field import Field
from devices.spec.payload import Item, Payload
from devices.spec.sequence import Sequence

COUNTS = tuple(plantower.count(size) for size in ("0_3", "0_5", "1_0", "2_5"))
TEMPERATURE = Field(
    "temperature_c",
    "Cel",
    "Temperature inside the sensor, above that of the air around it",
    minimum=-99,
    maximum=99,
    step=0.1,
    optional=True,
)
HUMIDITY = Field(
    "humidity_pct",
    "%",
    "Relative humidity inside the sensor",
    minimum=0,
    maximum=119,
    step=0.1,
    optional=True,
)

TABLE = Payload(
    ">",
    4,
    (
        *plantower.MASS_ITEMS,
        *(Item("H", field, divisor=100) for field in COUNTS),
        Item("h", TEMPERATURE, divisor=10),
        Item("H", HUMIDITY, divisor=10),
        *plantower.TAIL_ITEMS,
    ),
)

DEVICE = StreamDevice(
    name="pms5003t",
    title="Plantower PMS5003T particle, temperature and humidity sensor",
    domain="air",
    source="Plantower PMS5003T data manual V2.3; captures of PyPMS (MIT)",
    fields=(
        *plantower.MASSES,
        *COUNTS,
        TEMPERATURE,
        HUMIDITY,
        plantower.VERSION,
        plantower.ERROR_CODE,
        plantower.MODE,
    ),
    expected_every_s=1.0,
    sequence=Sequence(plantower.count_bits(COUNTS, 3)),
    serial=SerialSettings(baud=9600),
    decoder=plantower.framer(TABLE),
    encode=plantower.encoder(TABLE),
    longest_frame=32,
    commands=plantower.COMMANDS,
)
