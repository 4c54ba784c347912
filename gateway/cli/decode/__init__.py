"""`parkgate decode`: what given bytes, a payload or a port say."""

from gateway.cli.decode.command import decode

__all__ = ["decode"]
