"""How large a request may be: smaller after a 413, larger again after a while.

A long line or a proxy lowers the limit for a while only: after CALM_BATCHES without a 413 the
limit is doubled, up to REQUEST_MAX. A limit is said in the log where it is the smallest so far.
"""

import logging

log = logging.getLogger("parkgate.sinks")

REQUEST_MAX = 1_000_000
CALM_BATCHES = 100


class RequestSize:
    """`most` bytes in one request."""

    def __init__(self) -> None:
        self.most = REQUEST_MAX
        self._calm = 0  # batches since a request was too large
        self._said = REQUEST_MAX

    def shrink(self, refused: int, smaller: int) -> None:
        """A request of `refused` bytes was too large; `smaller` ones are tried."""
        if smaller < self._said:
            log.info("influxdb: %d bytes are too large for the server; sending %d at most", refused, smaller)
            self._said = smaller
        self.most = min(self.most, smaller)
        self._calm = 0

    def grow(self) -> None:
        """A batch went through."""
        if self.most == REQUEST_MAX:
            return
        self._calm += 1
        if self._calm >= CALM_BATCHES:
            self.most, self._calm = min(REQUEST_MAX, 2 * self.most), 0
