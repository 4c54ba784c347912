"""A process that fills and empties a spool until it is killed, and says what it was told.

    python -m tests.gateway.spool_writer FILE FROM

Prints one line for each step, after it has returned: `append N FIRST LAST`, `remove FIRST LAST`;
and `removing FIRST LAST` before a removal. Intake N carries its number in everything it holds.
"""

import asyncio
import random
import sys
from pathlib import Path

from gateway.clock import SystemClock
from gateway.config import SpoolConfig
from gateway.intake import Intake, Quarantined
from gateway.spool.spool import Spool


def intake(number: int) -> Intake:
    """Lines in both lanes, an item for the quarantine and a taken message."""
    return Intake(
        lines=[f"m,thing=t{number % 7} v={index} {number}" for index in range(number % 400 + 1)],
        drop_lines=[f"s,thing=lamp v={index} {number}" for index in range(number % 30 + 1)],
        drop_things={"lamp": number % 30 + 1},
        quarantined=[Quarantined(number, "main", "senml", "", "decode", "sanity", "not JSON", b"{")],
        taken={"main": [(number % 65_535 + 1) << 32 | number]},
    )


async def main(path: Path, start: int) -> None:
    spool = Spool.open(path, SpoolConfig(max_bytes=64 << 20), SystemClock())
    rng = random.Random(start)
    number = start
    while True:
        rows = (await spool.append(intake(number))).rows
        assert rows is not None
        print("append", number, *rows, flush=True)
        number += 1
        if rng.random() < 0.2 and (batch := await spool.read(0, rng.randrange(1, 3000))) is not None:
            print("removing", batch.first, batch.last, flush=True)
            await spool.remove(batch.first, batch.last)
            print("remove", batch.first, batch.last, flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
