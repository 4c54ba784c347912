"""iRobot Create (the first, 2006) as its manual has it: 57600 baud, a sum without the header 13.

The manual's example ends in B6, the sum of all but the header; robots that were tried (by the users of libcreate) sum
it with the header all the same: those are an `irobot-oi` at `baud = 57600`. Packets 7 to 42, a cargo bay, a caster.

Source: iRobot, Create Open Interface (2006), opcode 148; AutonomyLab/libcreate for what robots really do.
"""

from devices.irobot.family import WITHOUT_HEADER, robot
from devices.irobot.packets import CARGO_BAY, CASTER, GROUPS, PACKETS, Table
from devices.spec.sequence import Bits

ASKED = (*range(7, 15), *range(18, 27), 34, 35)
OLD = {number: packet for number, packet in PACKETS.items() if number <= 42}
TABLE = Table(
    OLD | CARGO_BAY | {7: OLD[7]._replace(flags=(*OLD[7].flags, CASTER))},
    {number: members for number, members in GROUPS.items() if number <= 6},
)
_CHARGE = PACKETS[25].field
assert _CHARGE is not None

DEVICE = robot(
    "irobot-create1",
    "iRobot Create, the first (Open Interface)",
    "iRobot, Create Open Interface, 2006",
    TABLE,
    WITHOUT_HEADER,
    57600,
    ASKED,
    Bits.of(_CHARGE, 6),
)
