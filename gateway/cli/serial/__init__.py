"""`parkgate serial`: which ports there are, and what is on one."""

from gateway.cli.serial.command import app

__all__ = ["app"]
