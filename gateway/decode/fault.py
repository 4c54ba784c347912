"""What a decoder says that is no reading, and how it is counted."""

from devices.spec.events import IntegrityError, Noise, SanityError
from gateway.stats import DeviceStats

AHEAD_NS = 3_600_000_000_000
"""A phenomenon time more than an hour ahead of the gateway is not believed."""

NOTHING_STORABLE = "none of its values can be stored: not a number, infinite, or a whole number beyond 64 bits"

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
