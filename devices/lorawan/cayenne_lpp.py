"""Cayenne Low Power Payload as it is, byte by byte: one payload a message, on a topic that names the thing.

    lpp/<thing>        03 67 01 10 05 67 00 FF        temperature_3_c 27.2, temperature_5_c 25.5

`lpp` has the table of types, how fields are named, and what ends decoding. A payload of which nothing
can be read is refused; of one that breaks off what came before is kept, with words about the rest.

Of LoRaWAN uplinks that their network server has not decoded `lpp.codec` reads the same.

Limits: no check and no length in the format, so a payload that is cut between two values reads as a shorter one.

Source: myDevices, "Cayenne Low Power Payload"; see `lpp` for those of the further types.
"""

from devices.lorawan import lpp
from devices.spec.device import MessageDevice
from devices.spec.errors import EncodeError
from devices.spec.events import DELETED, Empty, Event, Reading, SanityError
from devices.spec.field import Field
from devices.spec.sequence import Bits, Sequence

TEMPERATURE = Field("temperature_1_c", "Cel", "Temperature, channel 1", minimum=-60, maximum=125, step=0.1,
                    optional=True)  # fmt: skip
FIELDS = (
    TEMPERATURE,
    Field("humidity_2_pct", "%", "Relative humidity, channel 2", minimum=0, maximum=100, step=0.5, optional=True),
    Field("pressure_3_hpa", "hPa", "Air pressure, channel 3", minimum=300, maximum=1100, step=0.1, optional=True),
    Field("illuminance_4_lx", "lx", "Illuminance, channel 4", minimum=0, maximum=65535, step=1, optional=True),
    Field("voltage_5_v", "V", "Voltage, channel 5", minimum=0, maximum=60, step=0.01, optional=True),
)


def decode(_topic: str, payload: bytes, _received_ns: int) -> list[Event]:
    """The one reading of a payload."""
    if not payload:
        return [Empty(DELETED, payload)]
    decoded = lpp.decode(payload)
    if not decoded.fields:
        return [SanityError(decoded.errors[0], payload)]
    return [Reading(dict(decoded.fields), field_errors=decoded.errors)]


def encode(reading: Reading) -> bytes:
    """The payload of a reading. EncodeError for a name that no payload can say."""
    if not reading.fields:
        raise EncodeError("cayenne-lpp: a payload needs values")
    return lpp.encode(reading.fields)


DEVICE = MessageDevice(
    name="cayenne-lpp",
    title="Cayenne Low Power Payload",
    domain="lorawan",
    source='myDevices, "Cayenne Low Power Payload"; ElectronicCats/CayenneLPP',
    fields=FIELDS,
    expected_every_s=600.0,
    sequence=Sequence((Bits.of(TEMPERATURE, 6),)),
    open_fields=True,
    topic="lpp/{thing}",
    decode=decode,
    encode=encode,
)
