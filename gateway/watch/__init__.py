"""Which layer is silent (connection, subscription, port, thing): said once, healed in order."""

from gateway.watch.watchdog import Watchdog

__all__ = ["Watchdog"]
