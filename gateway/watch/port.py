"""One serial port under watch: is it there, and which layer of it is silent.

no port ------------------------------> `port`       the source looks for it by itself
open, no bytes -----------------------> `device`     reopen
bytes, no frame that could be one ----> `framing`    reopen (another program may have set the baud rate)
frames, all fail the check -----------> `integrity`  reopen
frames that cannot be true -----------> `sanity`     nothing: the line is good

Where devices are asked, the silence of one is its own:

asked, no answer ---------------------> `device`     reopen, where no byte comes from anybody on the line
bytes that are nobody's answer -------> `framing`    reopen, likewise
answers, all fail the check ----------> `integrity`  reopen, likewise
refuses, or answers too late ---------> `sanity`     nothing

Where several talk on one port by themselves, what is wrong with it is said of the port's own thing. The others:

silent -------------------------------> `device`     nothing
"""

from dataclasses import dataclass
from typing import Protocol

from gateway.stats import DeviceStats
from gateway.watch.thing import Healing, Layer, Thing

NOISE_PER_FRAME = 4
"""Up to so many longest frames of noise for each failed check it is damage, beyond that the settings are wrong."""


class PortSource(Protocol):
    """A serial source as the watchdog sees it."""

    @property
    def name(self) -> str: ...
    @property
    def is_open(self) -> bool: ...
    @property
    def last_bytes_monotonic(self) -> float | None: ...
    def reopen(self, reason: str) -> None: ...


def port_layer(thing: Thing, source: PortSource, longest_frame: int, now: float, limit_s: float) -> tuple[Layer, str]:
    """Which layer of an open port is silent, and what to look at.

    No bytes: the device. Bytes: compared with what was counted when the last reading came.
    """
    heard, stats = source.last_bytes_monotonic, thing.stats
    if heard is None:
        return Layer.DEVICE, "the port is open and no byte ever came; is the instrument powered and wired?"
    if now - heard > limit_s / 2:
        return Layer.DEVICE, f"the port is open, no bytes for {now - heard:.0f} s; is the instrument powered and wired?"
    noise = stats.noise_bytes - thing.noise
    failed = stats.integrity_errors - thing.integrity
    untrue = stats.sanity_errors - thing.sanity
    if untrue and untrue >= failed:
        return Layer.SANITY, f"{untrue} frames came whole and cannot be true; see `parkgate spool quarantine`"
    if failed and noise <= NOISE_PER_FRAME * longest_frame * failed:
        return Layer.INTEGRITY, f"{failed} frames came and all fail the check; look at cable, ground and interference"
    some = f"{noise} bytes" if noise else "bytes"
    return Layer.FRAMING, f"{some} but no frames; is there a {stats.device} on it, at the right baud rate and parity?"


def asked_layer(thing: Thing) -> tuple[Layer, str]:
    """Which layer of a thing that is asked is silent, and what to look at."""
    stats = thing.stats
    unanswered = stats.unanswered - thing.unanswered
    noise = stats.noise_bytes - thing.noise
    failed = stats.integrity_errors - thing.integrity
    untrue = stats.sanity_errors - thing.sanity
    if untrue and untrue >= failed:
        return Layer.SANITY, f"it answers and that is no reading, {untrue} times; the last: {stats.last_error}"
    if failed:
        return Layer.INTEGRITY, (
            f"{failed} answers came and all fail the check; have two devices this unit number? "
            "Look at cable, ground, termination and interference"
        )
    if noise:
        return Layer.FRAMING, (
            f"{noise} bytes came that are no answer of a {stats.device}; is the type right, and baud rate and parity?"
        )
    times = "once" if unanswered == 1 else f"{unanswered} times"
    return Layer.DEVICE, (
        f"asked {times}, no answer; is it powered and wired (A and B swapped?), are unit number, baud rate and "
        "parity those of the device?"
    )


def shared_layer(port: DeviceStats) -> tuple[Layer, str]:
    """Of one of several things on a port: whether others speak there."""
    words = f"nothing comes from anybody on the port, see {port.thing}" if port.silent else "others on its port speak"
    return Layer.DEVICE, words


@dataclass(slots=True)
class PortWatch:
    """What is remembered of one serial port. Times by `clock.monotonic`; `longest_frame` in bytes.

    `asked`: its devices speak only when asked, and there may be several.
    """

    source: PortSource
    longest_frame: int
    asked: bool
    healing: Healing
    floor: float
    """Nobody is judged by a silence from before this."""
    closed_since: float
    open: bool = False

    def layer(self, thing: Thing, now: float, limit_s: float) -> tuple[Layer, str]:
        """Which layer of its way a thing that is silent is silent in, and what to look at."""
        if self.asked:
            return asked_layer(thing)
        if thing.stats.port is not None:
            return shared_layer(thing.stats.port)
        return port_layer(thing, self.source, self.longest_frame, now, limit_s)

    def reopens(self, thing: Thing, now: float, limit_s: float) -> bool:
        """Whether to open the port again may help: not where others on it answer, or its own thing sees to it."""
        if thing.stats.port is not None:
            return False
        heard = self.source.last_bytes_monotonic
        return not self.asked or heard is None or now - heard > limit_s

    def look(self, now: float) -> None:
        """Ask the source how it stands."""
        is_open = self.source.is_open
        if is_open != self.open:
            self.open = is_open
            if is_open:
                self.floor = now
            else:
                self.closed_since = now
