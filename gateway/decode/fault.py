"""What a decoder says that is no reading, and how it is counted; and what is done where a decoder itself fails."""

import logging
import traceback
from pathlib import Path

from devices.spec.events import IntegrityError, Noise, SanityError
from gateway.stats import DeviceStats

log = logging.getLogger("parkgate.decode")

AHEAD_NS = 3_600_000_000_000
"""A phenomenon time more than an hour ahead of the gateway is not believed."""

EARLIEST_NS = 946_684_800_000_000_000
"""2000-01-01: before this a device's clock was never set."""

NOTHING_STORABLE = "none of its values can be stored: not a number, infinite, or a whole number beyond 64 bits"

MAX_SAID = 64
"""Kinds of fault that one source logs; the quarantine has all."""

Fault = Noise | IntegrityError | SanityError


def count_fault(stats: DeviceStats, event: Fault) -> None:
    if isinstance(event, Noise):
        stats.noise_bytes += len(event.data)
        stats.last_error = stats.last_error or event.detail
        return
    stats.last_error = event.detail
    if isinstance(event, IntegrityError):
        stats.integrity_errors += 1
    else:
        stats.sanity_errors += 1


class DecoderFaults:
    """The decoders of one source that raised, which they promise not to do: it costs what they were given.

    Where they are called every exception is caught, for a type may be an installed package's: its code is not
    ours, and raises what it likes. `last` is the last event that was made of one.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._said: set[tuple[str, str]] = set()
        self.last: SanityError | None = None

    def told(self, device: str, fault: Exception, data: bytes) -> SanityError:
        """The event that stands for `data`. Each kind of fault is logged once, with where it was raised."""
        said = repr(fault)[:200]
        kind = device, type(fault).__name__
        if kind not in self._said and len(self._said) < MAX_SAID:
            self._said.add(kind)
            *_, (frame, line) = traceback.walk_tb(fault.__traceback__)
            log.error(
                "%s: the decoder of %s failed: %s (%s line %d); what it was given is kept, see `parkgate spool "
                "quarantine`; from now on such faults are only counted",
                self._source, device, said, Path(frame.f_code.co_filename).name, line,
            )  # fmt: skip
        self.last = SanityError(f"decoder failed: {said}", data)
        return self.last
