"""What the ports of a fleet have in common: is it out, has it been read, pull the cable."""

import asyncio

from simulators.ledger import Entry
from simulators.links import PtyLink, TcpLink

READER_GRACE_S = 2.0
UNPLUGGED_S = 0.5

Wire = PtyLink | TcpLink


async def written(wire: Wire, stop: asyncio.Event) -> bool:
    """Wait until what was written is out; False when the reader went away or does not read at a stop."""
    while not wire.flush():
        if not wire.listening() or stop.is_set():
            return False
        await asyncio.sleep(0.01)
    return True


async def read_out(wire: Wire) -> None:
    """Wait until the reader has fetched all, twice in a row, or for 2 s."""
    empty = 0
    for _ in range(int(READER_GRACE_S / 0.01)):
        empty = empty + 1 if wire.flush() and wire.unread() == 0 else 0
        if empty >= 3:
            return
        await asyncio.sleep(0.01)


async def replug(wire: Wire, entry: Entry, half: bytes) -> None:
    """Pull the cable once what was said has been read, and plug it in again a little later."""
    await read_out(wire)
    wire.unplug(half)
    entry.replugs += 1
    await asyncio.sleep(UNPLUGGED_S)
    wire.plug()
