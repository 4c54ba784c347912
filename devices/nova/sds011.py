"""Nova SDS011: laser dust sensor, 71 x 70 x 23 mm, 10-byte frames once a second: fine.py.

    AA C0 | PM2.5 u16 | PM10 u16 | id, 2 bytes | sum8 | AB

Limits: 0.3..10 um, 0..999.9 ug/m3 by the data sheet; about 8000 h of laser.
Source: Nova Fitness, SDS011 data sheet V1.3; Laser Dust Sensor Control Protocol V1.3 (2015).
"""

from devices.nova import family as nova
from devices.nova.fine import sensor

DEVICE = sensor("sds011", "Nova SDS011 dust sensor", nova.SOURCE)
