"""`parkgate learn`: proposes the configuration for a board without a device type."""

from gateway.cli.learn.command import learn

__all__ = ["learn"]
