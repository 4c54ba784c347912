"""A LoRaWAN node whose payload its network server does not decode: bytes that only its codec can read.

    01 00 E1   temperature, 0.1 °C, signed     02 29      relative humidity, %
    06 02 71   CO2, ppm                        07 0D 2A   battery, mV                on port 5, big endian

The messages are those of `ttn-v3` or `chirpstack-v4`, with the radio values and the count of any uplink. The
DevEUI begins with FEED00, the rest is made of the node's name; `examples/codecs/feed00.js` is the codec. It says
neither zone nor place.
"""

from zlib import crc32

from devices.spec.events import Reading, Value
from simulators.scene import KINDS, Truth

RAW = "raw"
PORT = 5


def raw(one: Truth, name: str) -> Truth:
    """What is true of the node, as its uplinks say it."""
    eui = f"feed00{crc32(name.encode()):010x}"

    def at(moment: float) -> Reading:
        reading = one(moment)
        said: dict[str, Value] = {
            field: value for field, value in reading.fields.items() if field not in KINDS[RAW] and "_deg" not in field
        }
        payload = packed({field: float(reading.fields[field]) for field in KINDS[RAW] if field in reading.fields})
        return Reading({**said, "f_port": PORT, "payload_hex": payload.hex(), "dev_eui": eui}, reading.time_ns)

    return at


def packed(values: dict[str, float]) -> bytes:
    """The bytes of what a node measures."""
    out = b""
    for name, kind, size, scale in (
        ("temperature_c", 1, 2, 10),
        ("humidity_pct", 2, 1, 1),
        ("co2_ppm", 6, 2, 1),
        ("battery_v", 7, 2, 1000),
    ):
        if name in values:
            out += bytes((kind,)) + round(values[name] * scale).to_bytes(size, "big", signed=kind == 1)
    return out
