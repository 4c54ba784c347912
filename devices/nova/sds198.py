"""Nova SDS198: coarse dust (particles up to 100 um), 10-byte frames once a second.

    0  AA CF            start
    2  u16              unknown, changes from frame to frame: kept as it came
    4  u16              PM100, ug/m3
    6  2 bytes          id of the sensor
    8  u8               sum8 of bytes 2..7
    9  AB               trailer

Unknown: bytes 2..3, and whether the sensor takes every command of the SDS011.
Source: captures of PyPMS (MIT), which decodes bytes 4..5; frame as in the SDS011 protocol V1.3.
"""

from devices.nova import family as nova
from devices.spec.device import SerialSettings, StreamDevice
from devices.spec.field import Field
from devices.spec.payload import Item, Payload
from devices.spec.sequence import Bits, Sequence

PM100 = Field("pm100_ug_m3", "ug/m3", "Mass concentration of particles up to 100 um", minimum=0, maximum=65535, step=1)
UNKNOWN = Field(
    "bytes_2_3",
    "1",
    "Bytes 2 and 3 of the frame, meaning unknown",
    kind="counter",
    minimum=0,
    maximum=65535,
    step=1,
    panel=False,
)

TABLE = Payload("<", 2, (Item("H", UNKNOWN), Item("H", PM100)))

DEVICE = StreamDevice(
    name="sds198",
    title="Nova SDS198 coarse dust sensor",
    domain="air",
    source="captures of PyPMS (MIT); Nova Fitness control protocol V1.3",
    fields=(PM100, UNKNOWN, *nova.ANSWER_FIELDS),
    expected_every_s=1.0,
    sequence=Sequence((Bits.of(UNKNOWN, 12),)),
    serial=SerialSettings(baud=9600),
    decoder=nova.framer(0xCF, TABLE),
    encode=nova.encoder(0xCF, TABLE),
    longest_frame=nova.SIZE,
    commands=nova.COMMANDS,
)
