"""The speed of a port, where it was not given.

Each of SPEEDS is listened to until TRY_BYTES have come or TRY_S have passed since the first byte, and
the first at which the bytes make sense is kept: text in lines, or frames of a known type. Where they
make sense at none, the one with the most text is taken. Text without a line end is text all the same: SURE_BYTES
of it are not a matter of chance.
"""

import asyncio
import sys
from typing import TYPE_CHECKING, Protocol, TextIO

from devices.spec.device import SerialSettings, StreamDevice
from devices.spec.events import Event, Noise
from devices.spec.sequence import Sequence
from gateway.cli.decode.listen import Port, reading

if TYPE_CHECKING:
    from gateway.learn import Look

SPEEDS = (9600, 115_200, 57_600, 38_400, 19_200, 4800, 2400, 230_400)
TRY_BYTES = 1024
TRY_S = 2.5
SURE_BYTES = 64


class _Unread:
    """A decoder for which every byte is noise."""

    def feed(self, data: bytes) -> list[Event]:
        return [Noise(data)]

    def flush(self) -> list[Event]:
        return []


ANYTHING = StreamDevice(
    name="anything",
    title="Whatever a port says",
    domain="park",
    source="none",
    fields=(),
    expected_every_s=1.0,
    sequence=Sequence(()),
    serial=SerialSettings(baud=9600),
    decoder=_Unread,
    encode=lambda _reading: b"",
)
"""What the port is opened as; the bytes are taken before any decoder."""


class Eye(Protocol):
    """A `BytesIntake` that looks at what it takes. `looked` is set at each new `look`, `over` when it is enough."""

    over: asyncio.Event
    looked: asyncio.Event
    look: "Look | None"
    baud: int | None
    opened: bool
    """Whether the port was there to be listened to."""

    def bytes(self, data: bytes) -> int: ...

    def closed(self) -> None: ...

    def forget(self) -> None:
        """Another speed: what came before meant nothing."""
        ...

    def start(self) -> None:
        """This is the speed; `baud` has been set."""
        ...


async def at_the_right_speed(port: Port, eye: Eye, record: TextIO | None) -> None:
    """Find the speed at which the bytes make sense, then print until it is over."""
    speeds = (port.baud,) if port.baud is not None or "://" in port.name else SPEEDS
    looks: dict[int | None, Look] = {}
    for speed in speeds:
        async with reading(port, speed, ANYTHING, eye, record) as (_, stats):
            try:
                look = await _first_look(eye)
            finally:  # also where the time is up
                eye.opened |= stats.connects > 0
            if look is None:
                return
            at = "" if speed is None else f"at {speed} baud: "
            print(f"{at}{look.size} bytes, {look.printable:.0%} text", file=sys.stderr)
            if look.guesses or (_is_text(look) and look.size >= SURE_BYTES):
                if not look.guesses:
                    print(_senseless(port, look), file=sys.stderr)
                eye.baud = speed
                eye.start()
                await eye.over.wait()
                return
        looks[speed] = look
        eye.forget()
    best = max(looks, key=lambda speed: looks[speed].printable)
    print(_senseless(port, looks[best]), file=sys.stderr)
    async with reading(port, best, ANYTHING, eye, record):
        eye.baud = best
        eye.start()
        await eye.over.wait()


def _is_text(look: "Look") -> bool:
    from gateway.learn import PRINTABLE

    return look.printable >= PRINTABLE


def _senseless(port: Port, look: "Look") -> str:
    """What to say of bytes that are neither lines nor of a known type, in words that fit what was tried."""
    if _is_text(look):
        return f"it is text, but in {look.size} bytes no whole line came, ended by CR or LF; shown as it comes"
    unknown = "a binary type that is not known here"
    if "://" in port.name:
        return f"it makes no sense; shown as bytes. Another speed at the far end, or {unknown}?"
    at, speed = ("at any speed tried", "(--baud)")
    if port.baud is not None:
        at, speed = f"at {port.baud} baud", "(without --baud several are tried)"
    return (
        f"it makes no sense {at}; shown as bytes. Another speed {speed} or parity (--parity), "
        f"a line that is inverted or has no common ground, or {unknown}?"
    )


async def _first_look(eye: Eye) -> "Look | None":
    """The look at what has come, once it makes sense or is enough; None where it is over before."""
    over = asyncio.ensure_future(eye.over.wait())
    loop = asyncio.get_running_loop()
    deadline: float | None = None
    try:
        while True:
            looked = asyncio.ensure_future(eye.looked.wait())
            left = None if deadline is None else max(0.0, deadline - loop.time())
            await asyncio.wait((looked, over), timeout=left, return_when=asyncio.FIRST_COMPLETED)
            looked.cancel()
            if over.done():
                return None
            eye.looked.clear()
            look = eye.look
            if look is None:
                continue
            deadline = deadline or loop.time() + TRY_S
            if look.guesses or look.size >= TRY_BYTES or loop.time() >= deadline:
                return look
    finally:
        over.cancel()
