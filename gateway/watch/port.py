"""One serial port under watch: is it there, and which layer of it is silent.

no port ------------------------------> `port`       the source looks for it by itself
open, no bytes -----------------------> `device`     reopen
bytes, no frame that could be one ----> `framing`    reopen (another program may have set the baud rate)
frames, all fail the check -----------> `integrity`  reopen
frames that cannot be true -----------> `sanity`     nothing: the line is good
"""

from dataclasses import dataclass
from typing import Protocol

from gateway.watch.thing import Healing, Layer, Thing

NOISE_PER_FRAME = 4
"""Up to so many longest frames of noise for each failed check it is damage, beyond it is not our framing."""


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


@dataclass(slots=True)
class PortWatch:
    """What is remembered of one serial port. Times by `clock.monotonic`; `longest_frame` in bytes."""

    source: PortSource
    longest_frame: int
    healing: Healing
    floor: float
    """Nobody is judged by a silence from before this."""
    closed_since: float
    open: bool = False

    def look(self, now: float) -> None:
        """Ask the source how it stands."""
        is_open = self.source.is_open
        if is_open != self.open:
            self.open = is_open
            if is_open:
                self.floor = now
            else:
                self.closed_since = now
