"""Which layer is silent (connection, subscription, port, thing), which disk fills: said once, healed in order."""

from gateway.watch.disk import DiskWatch
from gateway.watch.watchdog import Watchdog

__all__ = ["DiskWatch", "Watchdog"]
