"""Nova SDS018: the SDS011 in a smaller case (59 x 45 x 20 mm); frames, answers and commands are the same: fine.py.

    AA C0 | PM2.5 u16 | PM10 u16 | id, 2 bytes | sum8 | AB

Limits as the SDS011's. Unknown: whether every firmware has an id of its own; without one it says 0000.
Source: Nova Fitness, Laser Dust Sensor Control Protocol V1.3 (2015); PyPMS (MIT) reads it as an SDS011.
"""

from devices.nova import family as nova
from devices.nova.fine import sensor

DEVICE = sensor("sds018", "Nova SDS018 dust sensor", nova.SOURCE)
