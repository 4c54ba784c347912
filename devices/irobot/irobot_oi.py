"""iRobot Create 2, Roomba 500 to 800: the sensor stream of the Open Interface at 115200 baud.

Asked for: bumpers, cliffs, walls, overcurrents, buttons, distance and angle, charging, battery, dock, mode, encoders,
light bumpers, stasis (54 bytes of packets). The sum includes the header 13, as the manual's example does (A3).

Source: iRobot, Create 2 Open Interface specification (2018); its example prints 549 for the bytes 02 19, which are 537.
"""

from devices.irobot.family import WITH_HEADER, robot
from devices.irobot.packets import GROUPS, PACKETS, Table
from devices.spec.sequence import Bits

ASKED = (*range(7, 15), *range(18, 27), 34, 35, 43, 44, 45, 58)
TABLE = Table(PACKETS, GROUPS)
_ENCODER = PACKETS[43].field
assert _ENCODER is not None

DEVICE = robot(
    "irobot-oi",
    "iRobot Create 2 and Roomba (Open Interface)",
    "iRobot, Create 2 Open Interface specification, 2018",
    TABLE,
    WITH_HEADER,
    115200,
    ASKED,
    Bits.of(_ENCODER, 8),
)
