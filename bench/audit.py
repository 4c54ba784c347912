"""What InfluxDB holds against what was sent, message by message.

Message n of the load (publisher.py) is one point: thing `t<n % things>`, time START + (n // things)
steps of 10 ms. So each point that is held belongs to one message or to none, each message has one
point, none (lost) or several (duplicates), and its values are known.

InfluxDB gives points back by time, whatever order they were written in. What can be seen of the order
of writing is how a series grows: while its newest message is there and an older one is not, the
newer one came first (`gap`). That is seen only if a query falls into that moment.

Read in pages of PAGE_ROWS rows by time, so memory is bounded by the messages: one byte each.
"""

from typing import NamedTuple

from bench.publisher import START_S, humidity, temperature
from bench.store import Store

START_NS = START_S * 1_000_000_000
STEP_NS = 10_000_000
PAGE_ROWS = 100_000
MANY = 255
"""More copies of one message than this are not told apart."""


class Held(NamedTuple):
    """How often each message is there; points that belong to no message; points with other values."""

    copies: bytearray
    strangers: int
    wrong: int

    def part(self, first: int, last: int) -> dict[str, int]:
        """Messages first..last-1: sent, stored (points), lost, duplicates."""
        copies = self.copies[first:last]
        lost = copies.count(0)
        return {
            "sent": len(copies),
            "stored": sum(copies),
            "lost": lost,
            "duplicates": sum(copies) - len(copies) + lost,
        }


def held(store: Store, count: int, things: int) -> Held:
    """Everything that is there, against messages 0..count-1."""
    copies = bytearray(count)
    known = wrong = 0
    steps = -(-count // things)
    page = max(1, PAGE_ROWS // things)
    for first in range(0, steps, page):
        begin, end = START_NS + first * STEP_NS, START_NS + min(first + page, steps) * STEP_NS
        statement = f'SELECT "temperature_c", "humidity_pct" FROM "senml" WHERE time >= {begin} AND time < {end}'
        for thing, rows in store.by_thing(f'{statement} GROUP BY "thing"').items():
            index = int(thing[1:]) if thing[1:].isdecimal() else things
            for time_ns, celsius, percent in rows:
                step = (time_ns - START_NS) // STEP_NS
                number = step * things + index
                if index >= things or number >= count or copies[number] == MANY:
                    continue
                known += 1
                copies[number] += 1
                wrong += celsius != temperature(index) or percent != humidity(step)
    total = store.rows('SELECT COUNT("temperature_c") FROM "senml"')
    return Held(copies, (int(total[0][1]) if total else 0) - known, wrong)


def audit(store: Store, count: int, things: int) -> dict[str, int]:
    """Messages 0..count-1: sent, stored, lost, duplicates.

    A point that belongs to none is a duplicate; a message whose point has other values is lost.
    """
    found = held(store, count, things)
    figures = found.part(0, count)
    figures["lost"] += found.wrong
    figures["stored"] += found.strangers
    figures["duplicates"] += found.strangers
    return figures


def last_wrong(store: Store, count: int, things: int) -> int:
    """Series whose last point is not the last message that was sent for them."""
    last = store.by_thing('SELECT LAST("humidity_pct") FROM "senml" GROUP BY "thing"')
    wrong = 0
    for thing in range(min(things, count)):
        step = (count - 1 - thing) // things
        wrong += last.get(f"t{thing}") != [[START_NS + step * STEP_NS, humidity(step)]]
    return wrong


def gaps(store: Store, names: list[str]) -> int:
    """How many of these series hold, now, a message whose predecessor they do not hold."""
    which = " OR ".join(f"\"thing\" = '{name}'" for name in names)
    found = store.by_thing(f'SELECT "humidity_pct" FROM "senml" WHERE {which} GROUP BY "thing"')
    return sum(rows[-1][0] != START_NS + (len(rows) - 1) * STEP_NS for rows in found.values())
