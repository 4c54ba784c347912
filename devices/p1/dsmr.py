"""Smart meter with a P1 port of version 4 or later (DSMR 4 and 5, Belgium, Luxembourg, Sweden, Hungary).

The telegram: family.py. The port is a socket RJ12, 5 V, inverted: a P1 cable, or an adapter with an inverter. The
meter sends while pin 2 (data request) is at 5 V. 115200 baud 8N1.

Limits: a telegram each second with version 5, each 10 s with 4.
Source: DSMR P1 companion standard 5.0.2, 5 and 6.
"""

from devices.p1.family import encode, meter
from devices.spec.device import SerialSettings

DEVICE = meter(
    name="dsmr",
    title="Smart meter, P1 port (DSMR 4 and 5)",
    expected_every_s=10.0,
    serial=SerialSettings(baud=115200),
    encode=encode,
)
