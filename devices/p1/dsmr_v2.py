"""Smart meter with a P1 port of version 2 or 3 (DSMR 2.2 and 3.0), which is slow and has 7 bits.

The telegram: family.py. It has no check: what is no line of a telegram refuses all of it, but a digit that was turned
over on the cable stands. 9600 baud 7E1.

Limits: a telegram each 10 s; gas once an hour.
Source: DSMR P1 companion standard 3.0, 5 and 6.
"""

from devices.p1.family import encode_v2, meter
from devices.spec.device import SerialSettings

DEVICE = meter(
    name="dsmr-v2",
    title="Smart meter, P1 port (DSMR 2 and 3)",
    expected_every_s=10.0,
    serial=SerialSettings(baud=9600, bits=7, parity="E"),
    encode=encode_v2,
    checked=False,
)
