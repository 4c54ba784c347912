"""Nova SDS011, SDS018, SDS021: the frame of fine dust that they share; what differs is in their modules.

    0  AA C0            start
    2  u16              PM2.5, 0.1 ug/m3
    4  u16              PM10, 0.1 ug/m3
    6  2 bytes          id of the sensor
    8  u8               sum8 of bytes 2..7
    9  AB               trailer

Answers (AA C5), commands, warm-up: family.py. Nothing in a frame says which of them it is. Limits: PM2.5
ends at 999.9 ug/m3, PM10 at 1999.9 (in smoke, fog, or dirty; the data sheets promise 999.9 of both). A PM10
beyond that is left out, the PM2.5 is kept. They read too high above 70..80 % relative humidity and do not
say so.
Source: Nova Fitness, Laser Dust Sensor Control Protocol V1.3 (2015); captures of PyPMS (MIT).
"""

from devices.nova import family as nova
from devices.particulate import PM2_5_LEVELS, PM10_LEVELS
from devices.spec.device import SerialSettings, StreamDevice
from devices.spec.field import Field
from devices.spec.payload import Item, Payload
from devices.spec.sequence import Bits, Sequence

PM2_5 = Field(
    "pm2_5_ug_m3",
    "ug/m3",
    "PM2.5 mass concentration",
    minimum=0,
    maximum=999.9,
    step=0.1,
    thresholds=PM2_5_LEVELS,
)
PM10 = Field(
    "pm10_ug_m3",
    "ug/m3",
    "PM10 mass concentration",
    minimum=0,
    maximum=1999.9,
    step=0.1,
    optional=True,
    thresholds=PM10_LEVELS,
)

TABLE = Payload("<", 2, (Item("H", PM2_5, divisor=10), Item("H", PM10, divisor=10)))


def sensor(name: str, title: str, source: str) -> StreamDevice:
    """The description of a type with this frame."""
    places = tuple(Bits(field.name, 4, 0.1, minimum=0.1, maximum=field.maximum) for field in (PM2_5, PM10))
    return StreamDevice(
        name=name,
        title=title,
        domain="air",
        source=source,
        fields=(PM2_5, PM10, *nova.ANSWER_FIELDS),
        expected_every_s=1.0,
        sequence=Sequence(places),
        serial=SerialSettings(baud=9600),
        decoder=nova.framer(0xC0, TABLE),
        encode=nova.encoder(0xC0, TABLE),
        longest_frame=nova.SIZE,
        commands=nova.COMMANDS,
    )
